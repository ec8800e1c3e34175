package odootest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"odbxfs/odoo/internal/wire"
)

// twinChanges is changes.py.
func twinChanges(c *twinCall) any {
	look := c.s.oldestStart(c.now).Format(microseconds)
	database, _ := c.param("database.uuid")
	mark := c.text(c.arg["mark"])
	after, limit := c.numberOr0(c.arg["after"]), c.numberOr0(c.arg["limit"])
	full := truth(c.arg["all"])
	if truth(c.arg["look"]) {
		return map[string]any{"mark": look + "|" + look, "database": database}
	}
	marks := strings.Split(mark, "|")
	if len(marks) != 2 || len(marks[0]) != 26 || len(marks[1]) != 26 {
		c.bad("%q is no mark", mark)
	}
	floor, err := time.Parse(microseconds, marks[0])
	if err != nil {
		c.raise(unforeseen("psycopg2.errors.InvalidDatetimeFormat", "invalid input syntax for type timestamp: %q", marks[0]))
	}
	if after == 0 {
		c.straighten(full, floor)
	}
	s := c.look(nil)
	if after == 0 && c.ensure(s) {
		s = c.look(nil)
	}
	out := wire.Changes{Mark: marks[1] + "|" + look, Database: database, Clients: c.clients()}
	if full {
		if after == 0 && c.engine {
			c.tidy()
		}
		out.Nodes, out.More = c.everything(s, after, limit)
	} else {
		out.Nodes = c.changed(s, floor)
	}
	out.Counts = c.counts(s)
	return out
}

// truth is Python's bool.
func truth(v any) bool { return v != nil && v != false && v != "" && v != int64(0) }

// clients lists the cloud clients.
func (c *twinCall) clients() []wire.Client {
	out := []wire.Client{}
	m := c.must(clientModel)
	for _, id := range m.ids() {
		r := m.rows[id]
		out = append(out, wire.Client{ID: id, Name: r.str("x_name"), Root: r.str("x_root"), Links: r.str("x_links"), Convert: r.str("x_convert"), Paused: r.yes("x_paused")})
	}
	return out
}

// ensure makes places of rules and default subfolders that are missing.
func (c *twinCall) ensure(s *sight) (made bool) {
	for _, r := range s.rules {
		if r.place == 0 {
			place := c.insert(c.must(placeModel), record{"x_name": refName(r.id), "x_kind": "rule"})
			c.put(c.must("x_odbxfs_rule"), r.id, record{"x_place_id": place, "write_date": c.now})
			made = true
		}
		names := subfolderNames(r.subfolders)
		if len(names) == 0 {
			continue
		}
		have := c.topFolders(r.model)
		for _, id := range r.ids {
			for _, name := range names {
				if !have[topFolder{id, name}] {
					c.insert(c.must(folderModel), record{"x_name": name, "x_model": r.model, "x_res_id": id, "x_default": true})
					made = true
				}
			}
		}
	}
	return made
}

func refName(rule int64) string { return "rule " + strconv.FormatInt(rule, 10) }

func subfolderNames(source string) []string {
	var names []string
	for line := range strings.SplitSeq(source, "\n") {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(names, line) {
			names = append(names, line)
		}
	}
	return names
}

// topFolder is a folder right below a record.
type topFolder struct {
	on   int64
	name string
}

func (c *twinCall) topFolders(model string) map[topFolder]bool {
	have := map[topFolder]bool{}
	for _, r := range c.must(folderModel).rows {
		if r.str("x_model") == model && r.num("x_parent_id") == 0 {
			have[topFolder{r.num("x_res_id"), r.str("x_name")}] = true
		}
	}
	return have
}

// straighten cuts rings of folders, and takes what lies below a folder of
// another record there.
func (c *twinCall) straighten(full bool, floor time.Time) {
	m := c.must(folderModel)
	if !full && len(c.rows(folderModel, func(_ int64, r record) bool { return !r.time("write_date").Before(floor) })) == 0 {
		return
	}
	for _, id := range m.ids() {
		seen := map[int64]bool{}
		at := id
		for at != 0 && !seen[at] {
			seen[at] = true
			at = m.rows[at].num("x_parent_id")
		}
		if at != 0 {
			c.put(m, id, record{"x_parent_id": nil, "write_date": c.now})
		}
	}
	for range 100 {
		if !c.followParents(m) {
			return
		}
	}
}

// followParents gives folders the record of the folder they lie in, one level.
func (c *twinCall) followParents(m *model) (moved bool) {
	before := maps.Clone(m.rows)
	for _, id := range m.ids() {
		r := before[id]
		p := before[r.num("x_parent_id")]
		if p == nil || r.str("x_model") == p.str("x_model") && r.num("x_res_id") == p.num("x_res_id") {
			continue
		}
		moved = true
		to := map[string]any{"res_model": p.str("x_model"), "res_id": p.num("x_res_id")}
		for _, att := range c.inFolder(id, r) {
			c.root(func() *fault { return c.write(c.must(documents), att, to) })
		}
		c.put(m, id, record{"x_model": p.str("x_model"), "x_res_id": p.num("x_res_id"), "x_default": false, "write_date": c.now})
	}
	return moved
}

// inFolder gives the documents in a folder, of its own record.
func (c *twinCall) inFolder(folder int64, r record) []int64 {
	return c.rows(documents, func(_ int64, d record) bool {
		return d.num("x_odbxfs_folder_id") == folder && d.str("res_model") == r.str("x_model") && d.num("res_id") == r.num("x_res_id") && d.str("res_field") == ""
	})
}

// tidy drops what nobody will ask for again.
func (c *twinCall) tidy() {
	long, day := c.now.AddDate(0, 0, -90), c.now.AddDate(0, 0, -1)
	for _, id := range c.rows(keyModel, func(_ int64, r record) bool { return r.time("create_date").Before(long) }) {
		c.erase(c.must(keyModel), id)
	}
	for _, id := range c.rows(pairModel, func(_ int64, r record) bool { return r.yes("x_gone") && r.time("write_date").Before(long) }) {
		c.erase(c.must(pairModel), id)
	}
	c.dropUploads(c.rows(uploadModel, func(_ int64, r record) bool { return r.time("create_date").Before(day) }))
}

// changed gives what was written since floor, and all of a model whose rules
// were.
func (c *twinCall) changed(s *sight, floor time.Time) []wire.Node {
	out := append([]wire.Node{}, c.rootNode(s)...)
	wide := map[string]bool{}
	for _, r := range s.rules {
		if !r.written.Before(floor) {
			wide[r.model], wide[placeModel] = true, true
		}
	}
	second := floor.Truncate(time.Second)
	for _, r := range s.rules {
		if wide[r.model] {
			out = append(out, c.ruleNode(r))
		}
		m := c.db.models[r.model]
		out = append(out, c.recordNodes(r, func(id int64) bool { return wide[r.model] || !m.rows[id].time("write_date").Before(second) })...)
	}
	out = append(out, c.folderNodes(s, func(_ int64, r record) bool { return wide[r.str("x_model")] || !r.time("write_date").Before(floor) })...)
	return append(out, c.fileNodes(s, 0, func(_ int64, r record) bool { return wide[r.str("res_model")] || !r.time("write_date").Before(floor) })...)
}

// everything gives all, documents by pages; more is the last id of a full one.
func (c *twinCall) everything(s *sight, after, limit int64) (out []wire.Node, more int64) {
	out = []wire.Node{}
	if after == 0 {
		out = append(out, c.rootNode(s)...)
		for _, r := range s.rules {
			out = append(out, c.ruleNode(r))
			out = append(out, c.recordNodes(r, func(int64) bool { return true })...)
		}
		out = append(out, c.folderNodes(s, func(int64, record) bool { return true })...)
	}
	files := c.fileNodes(s, limit, func(id int64, _ record) bool { return id > after })
	if limit > 0 && int64(len(files)) == limit {
		more = c.parse(files[len(files)-1].Ref).id
	}
	return append(out, files...), more
}

// counts gives number and sum of ids of every scope.
func (c *twinCall) counts(s *sight) [][]any {
	row := func(kind, model string, ids []int64) []any {
		var sum int64
		for _, id := range ids {
			sum += id
		}
		return []any{kind, model, len(ids), strconv.FormatInt(sum, 10)}
	}
	var rules []int64
	records := map[string][]int64{}
	for _, r := range s.rules {
		rules = append(rules, r.id)
		records[r.model] = append(records[r.model], r.ids...)
	}
	out := [][]any{row("rule", "", rules)}
	for _, model := range slices.Sorted(maps.Keys(records)) {
		out = append(out, row("rec", model, records[model]))
	}
	for _, model := range s.models() {
		out = append(out, row("att", model, c.documentsSeen(s, model)))
	}
	return append(out, row("dir", "", c.foldersSeen(s)))
}
