package odootest

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"odbxfs/odoo/internal/wire"
)

// The twin of nodes_lib.py: rows as nodes of the Odoo tree.

// pyStr is a value as Python's str writes it.
func pyStr(v any) string {
	if f, ok := v.(float64); ok {
		if f == math.Trunc(f) && math.Abs(f) < 1e16 {
			return strconv.FormatFloat(f, 'f', 1, 64)
		}
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

func (c *twinCall) rootNode(s *sight) []wire.Node {
	if s.container(placeModel, s.root) == nil {
		return nil
	}
	return []wire.Node{{Ref: "root", Role: "root", Client: s.client, Modified: "0", Writable: c.writable(placeModel, s.root)}}
}

func (c *twinCall) ruleNode(r *seenRule) wire.Node {
	return wire.Node{Ref: refTo("rule", r.id), Parent: r.parent, Name: r.name, Role: "rule", Client: r.client, Modified: nanos(r.written),
		Writable: r.place != 0 && c.writable(placeModel, r.place)}
}

func (c *twinCall) recordNodes(r *seenRule, wanted func(int64) bool) []wire.Node {
	var out []wire.Node
	m := c.db.models[r.model]
	for _, id := range slices.Sorted(slices.Values(r.ids)) {
		if !wanted(id) {
			continue
		}
		name := c.label(m, id, r.template)
		if name == "" {
			name = fmt.Sprintf("%s,%d", r.model, id)
		}
		out = append(out, wire.Node{Ref: "rec:" + refTo(r.model, id), Parent: refTo("rule", r.id), Name: name, Role: "record", Client: r.client,
			Modified: nanos(m.rows[id].time("write_date")), Writable: c.writable(r.model, id)})
	}
	return out
}

// inside gives the folder that a row names as the one it lies in, when that is
// of the same container; 0 for none.
func (c *twinCall) inside(id int64, model string, resID int64) int64 {
	f := c.must(folderModel).rows[id]
	if f == nil || f.str("x_model") != model || f.num("x_res_id") != resID {
		return 0
	}
	return id
}

// folderNodes gives the folders of the containers seen that cond takes.
func (c *twinCall) folderNodes(s *sight, cond func(id int64, r record) bool) []wire.Node {
	var out []wire.Node
	m := c.must(folderModel)
	for _, id := range m.ids() {
		r := m.rows[id]
		model, on := r.str("x_model"), r.num("x_res_id")
		at := s.container(model, on)
		if at == nil || !cond(id, r) {
			continue
		}
		role := "subfolder"
		switch {
		case model == placeModel:
			role = "free"
		case r.yes("x_default"):
			role = "default"
		}
		out = append(out, wire.Node{Ref: refTo("dir", id), Parent: c.parentRef(r.num("x_parent_id"), model, on, at), Name: r.str("x_name"), Role: role,
			Client: at.client, Modified: nanos(r.time("write_date")), Writable: c.writable(model, on)})
	}
	return out
}

func (c *twinCall) parentRef(folder int64, model string, on int64, at *container) string {
	if in := c.inside(folder, model, on); in != 0 {
		return refTo("dir", in)
	}
	return at.ref
}

// fileNodes gives the documents of the containers seen that cond takes, by id;
// limit 0 means all.
func (c *twinCall) fileNodes(s *sight, limit int64, cond func(id int64, r record) bool) []wire.Node {
	out := []wire.Node{}
	paired := c.livePairs()
	m := c.must(documents)
	for _, id := range m.ids() {
		r := m.rows[id]
		at := s.container(r.str("res_model"), r.num("res_id"))
		if at == nil || r.str("res_field") != "" || !cond(id, r) {
			continue
		}
		out = append(out, c.fileNode(id, r, at, paired[id]))
		if limit > 0 && int64(len(out)) == limit {
			break
		}
	}
	return out
}

// livePairs gives the first live pair of each document.
func (c *twinCall) livePairs() map[int64]record {
	paired := map[int64]record{}
	m := c.must(pairModel)
	for _, id := range m.ids() {
		r := m.rows[id]
		if att := r.num("x_att_id"); att != 0 && !r.yes("x_gone") && paired[att] == nil {
			paired[att] = r
		}
	}
	return paired
}

func (c *twinCall) fileNode(id int64, r record, at *container, pair record) wire.Node {
	model, on := r.str("res_model"), r.num("res_id")
	n := wire.Node{Ref: refTo("att", id), Parent: c.parentRef(r.num("x_odbxfs_folder_id"), model, on, at), Name: r.str("name"), Client: at.client,
		Modified: nanos(r.time("write_date")), Writable: c.writable(model, on), Mimetype: r.str("mimetype"), SHA1: r.str("checksum"), Size: strconv.FormatInt(r.num("file_size"), 10)}
	if hint := r.str("x_odbxfs_mtime"); isDigits(hint) && len(hint) <= 19 {
		n.Modified = hint
	}
	url := r.str("url")
	if r.str("type") == "binary" && url == "" {
		n.Type, n.Size = "binary", strconv.FormatInt(c.trueSize(id, r), 10)
		n.SHA1 = contentSHA1(r)
		return n
	}
	n.Type, n.URL = "foreign", url
	hintSize, hintType := sizeText(r["x_odbxfs_size"]), r.str("x_odbxfs_mimetype")
	switch {
	case r.str("type") != "url":
	case pair != nil && url != "" && pair.str("x_url") == url:
		n.Type, n.Size, n.Mimetype = "link", firstText(sizeText(pair["x_size"]), hintSize, "0"), firstText(pair.str("x_mimetype"), hintType, n.Mimetype)
	case c.ourURL(url):
		n.Type, n.Size, n.Mimetype = "copy", firstText(hintSize, "0"), firstText(hintType, n.Mimetype)
	}
	return n
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func sizeText(v any) string {
	f, ok := v.(float64)
	if !ok {
		return ""
	}
	return strconv.FormatInt(int64(math.Round(f)), 10)
}

func firstText(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// contentSHA1 is a binary's checksum; 14 leaves it out of a copy, and the
// stored file's name has it.
func contentSHA1(r record) string {
	if sha := r.str("checksum"); sha != "" {
		return sha
	}
	if fname := r.str("store_fname"); fname != "" {
		return path.Base(fname)
	}
	return emptySHA1
}

// trueSize puts a copy's size right, which 14 leaves out.
func (c *twinCall) trueSize(id int64, r record) int64 {
	if size := r.num("file_size"); size != 0 || r.str("store_fname") == "" {
		return size
	}
	size := int64(len(c.bytesOf(r)))
	c.put(c.must(documents), id, record{"checksum": contentSHA1(r), "file_size": size})
	return size
}

// nodesOf gives the nodes that these references name, as far as the caller
// sees them.
func (c *twinCall) nodesOf(s *sight, refs []string) []wire.Node {
	asked := map[string]bool{}
	for _, ref := range refs {
		c.parse(ref)
		asked[ref] = true
	}
	out := []wire.Node{}
	if asked["root"] {
		out = append(out, c.rootNode(s)...)
	}
	for _, r := range s.rules {
		if asked[refTo("rule", r.id)] {
			out = append(out, c.ruleNode(r))
		}
		out = append(out, c.recordNodes(r, func(id int64) bool { return asked["rec:"+refTo(r.model, id)] })...)
	}
	out = append(out, c.folderNodes(s, func(id int64, _ record) bool { return asked[refTo("dir", id)] })...)
	return append(out, c.fileNodes(s, 0, func(id int64, _ record) bool { return asked[refTo("att", id)] })...)
}

// wanted gives the containers of what these references name.
func (c *twinCall) wanted(refs []string) wants {
	want := wants{}
	for _, ref := range refs {
		switch p := c.parse(ref); p.kind {
		case "rec":
			want.add(p.model, p.id)
		case "dir":
			r := c.must(folderModel).rows[p.id]
			want.add(r.str("x_model"), r.num("x_res_id"))
		case "att":
			if r := c.must(documents).rows[p.id]; r.str("res_field") == "" {
				want.add(r.str("res_model"), r.num("res_id"))
			}
		}
	}
	return want
}

// twinNodes is nodes.py.
func twinNodes(c *twinCall) any {
	refs := c.texts(c.arg["refs"])
	return map[string]any{"nodes": c.nodesOf(c.look(c.wanted(refs)), refs)}
}

// twinCheck is check.py.
func twinCheck(c *twinCall) any {
	refs := c.texts(c.arg["refs"])
	may := map[string]bool{}
	for _, n := range c.nodesOf(c.look(c.wanted(refs)), refs) {
		may[n.Ref] = n.Writable
	}
	out := [][]any{}
	for _, ref := range refs {
		w, seen := may[ref]
		out = append(out, []any{seen, w})
	}
	return map[string]any{"may": out}
}

// twinRefs is refs.py.
func twinRefs(c *twinCall) any {
	kind, model := c.text(c.arg["kind"]), c.text(c.arg["model"])
	s := c.look(nil)
	ids := []int64{}
	switch kind {
	case "rule":
		for _, r := range s.rules {
			ids = append(ids, r.id)
		}
	case "rec":
		for _, r := range s.rules {
			if r.model == model {
				ids = append(ids, r.ids...)
			}
		}
	case "dir":
		ids = append(ids, c.foldersSeen(s)...)
	case "att":
		ids = append(ids, c.documentsSeen(s, model)...)
	default:
		c.bad("unknown scope %q", kind)
	}
	slices.Sort(ids)
	return map[string]any{"ids": ids}
}

func (c *twinCall) foldersSeen(s *sight) []int64 {
	return c.rows(folderModel, func(_ int64, r record) bool { return s.container(r.str("x_model"), r.num("x_res_id")) != nil })
}

func (c *twinCall) documentsSeen(s *sight, model string) []int64 {
	return c.rows(documents, func(_ int64, r record) bool {
		return r.str("res_model") == model && r.str("res_field") == "" && s.container(model, r.num("res_id")) != nil
	})
}
