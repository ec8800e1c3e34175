package odootest

import (
	"fmt"
	"slices"
	"strings"

	"odbxfs/odoo/internal/wire"
)

// The twin of ops_lib.py: one write each, checked and carried out.

// A row is a document or a folder that a write is about.
type row struct {
	id                           int64
	name, model, parent          string
	resID, folder                int64
	kind, url, sha1, mime, truth string // of documents
	public                       bool
	inside                       bool // of documents: in one of our folders
}

// place is where something belongs: a record, and a folder on it.
type place struct {
	model         string
	resID, folder int64
}

func (r *row) place() place { return place{r.model, r.resID, r.folder} }

func refused(kind, why string) wire.Result { return wire.Result{Out: "refused", Kind: kind, Err: why} }

func done(ref string) wire.Result { return wire.Result{Out: "done", Ref: ref} }

var viewable = []string{"text/", "image/", "video/", "audio/", "application/pdf", "application/json", "application/javascript", "application/x-javascript"}

// shownType is the mimetype that a link's row shows.
func shownType(mimetype string) string {
	if mimetype == "" || slices.ContainsFunc(viewable, func(v string) bool { return strings.HasPrefix(mimetype, v) }) {
		return "application/octet-stream"
	}
	return mimetype
}

// document gives a document's row; nil when it is not there for this caller.
func (c *twinCall) document(id int64) *row {
	if r := c.documentAnywhere(id); r != nil && r.inside {
		return r
	}
	return nil
}

func (c *twinCall) documentAnywhere(id int64) *row {
	r := c.must(documents).rows[id]
	if r == nil || r.str("res_field") != "" {
		return nil
	}
	at := c.sight.container(r.str("res_model"), r.num("res_id"))
	if at == nil {
		return &row{id: id, name: r.str("name"), kind: r.str("type"), url: r.str("url"), sha1: contentSHA1(r), mime: r.str("mimetype"),
			truth: r.str("x_odbxfs_mimetype")}
	}
	model, on := r.str("res_model"), r.num("res_id")
	return &row{id: id, name: r.str("name"), model: model, resID: on, folder: c.inside(r.num("x_odbxfs_folder_id"), model, on),
		parent: c.parentRef(r.num("x_odbxfs_folder_id"), model, on, at), kind: r.str("type"), url: r.str("url"), sha1: contentSHA1(r), mime: r.str("mimetype"),
		truth: r.str("x_odbxfs_mimetype"), public: r.yes("public"), inside: true}
}

func (c *twinCall) folder(id int64) *row {
	r := c.must(folderModel).rows[id]
	at := c.sight.container(r.str("x_model"), r.num("x_res_id"))
	if r == nil || at == nil {
		return nil
	}
	model, on := r.str("x_model"), r.num("x_res_id")
	return &row{id: id, name: r.str("x_name"), model: model, resID: on, folder: c.inside(r.num("x_parent_id"), model, on), parent: c.parentRef(r.num("x_parent_id"), model, on, at)}
}

func (c *twinCall) documentOrFolder(p parsed) *row {
	if p.kind == "att" {
		return c.document(p.id)
	}
	return c.folder(p.id)
}

// holds reports whether name, place and content are still what the caller saw.
func (c *twinCall) holds(op map[string]any, r *row) bool {
	e, ok := op["expect"].(map[string]any)
	if !ok || len(e) == 0 {
		return true
	}
	if r.name != c.text(e["name"]) || r.parent != c.text(e["parent"]) {
		return false
	}
	switch c.text(e["type"]) {
	case "":
		return true
	case "binary":
		return r.kind == "binary" && r.sha1 == firstText(c.text(e["sha1"]), emptySHA1)
	}
	return r.url == c.text(e["url"])
}

// target gives where something put into this folder belongs.
func (c *twinCall) target(ref string) (place, bool) {
	p := c.parse(ref)
	switch p.kind {
	case "dir":
		if f := c.folder(p.id); f != nil {
			return place{f.model, f.resID, p.id}, true
		}
		return place{}, false
	case "rec":
		return place{p.model, p.id, 0}, c.sight.container(p.model, p.id) != nil
	}
	for id, at := range c.sight.at[placeModel] {
		if at.ref == ref {
			return place{placeModel, id, 0}, true
		}
	}
	return place{}, false
}

var folderGone = refused("missing", "the folder is not there any more")
var noRight = refused("access", "no right to change the documents of this record")

func (c *twinCall) mayChange(model string, id int64) bool {
	return c.engine || c.allowed(c.db.models[model], id, "write")
}

func (c *twinCall) keyName(op map[string]any) string {
	return fmt.Sprintf("%d:%s", c.uid, c.text(op["key"]))
}

// keyed gives what a key made, "" for nothing.
func (c *twinCall) keyed(name string) string {
	if c.keys == nil {
		c.keys = map[string]string{}
		for _, r := range c.must(keyModel).rows {
			c.keys[r.str("x_name")] = r.str("x_ref")
		}
	}
	return c.keys[name]
}

// known gives what became of a create that was done already, by its key.
func (c *twinCall) known(op map[string]any) (wire.Result, bool) {
	if c.text(op["key"]) == "" {
		c.bad("a create without a key")
	}
	ref := c.keyed(c.keyName(op))
	if ref == "" {
		return wire.Result{}, false
	}
	if c.documentOrFolder(c.parse(ref)) == nil {
		return wire.Result{Out: "gone", Ref: ref}, true
	}
	return done(ref), true
}

func (c *twinCall) remember(op map[string]any, ref string) {
	c.insert(c.must(keyModel), record{"x_name": c.keyName(op), "x_ref": ref})
	c.keys[c.keyName(op)] = ref
}

// hints adds the modification time to values.
func (c *twinCall) hints(op, vals map[string]any) map[string]any {
	if when := c.text(op["mtime"]); when != "" {
		vals["x_odbxfs_mtime"] = fmt.Sprint(c.number(when))
	}
	return vals
}

// orFalse is an id as the ORM takes it.
func orFalse(id int64) any {
	if id == 0 {
		return false
	}
	return id
}

func (c *twinCall) createFile(op map[string]any) wire.Result {
	if before, ok := c.known(op); ok {
		return before
	}
	to, ok := c.target(c.text(op["parent"]))
	if !ok {
		return folderGone
	}
	url, mimetype := c.text(op["url"]), c.text(op["mimetype"])
	vals := c.hints(op, map[string]any{"name": c.text(op["name"]), "res_model": to.model, "res_id": to.resID, "x_odbxfs_folder_id": orFalse(to.folder)})
	switch {
	case url != "" && !c.engine:
		return refused("access", "only the syncer makes links")
	case url != "":
		vals["type"], vals["url"], vals["mimetype"] = "url", url, shownType(mimetype)
		vals["x_odbxfs_mimetype"], vals["x_odbxfs_size"] = mimetype, float64(c.numberOr0(op["size"]))
	default:
		for k, v := range c.content(op) {
			vals[k] = v
		}
		if mimetype != "" {
			vals["mimetype"] = mimetype
		}
	}
	var id int64
	c.me(func() (f *fault) { id, f = c.create(c.must(documents), vals); return f })
	c.remember(op, refTo("att", id))
	if url != "" {
		c.setChecksum(id, c.text(op["sha1"]))
		return done(refTo("att", id))
	}
	return c.verified(op, id)
}

func (c *twinCall) writeDocument(id int64, vals map[string]any) {
	c.me(func() *fault { return c.write(c.must(documents), id, vals) })
}

func (c *twinCall) writeContent(op map[string]any) wire.Result {
	id := c.parse(c.text(op["ref"])).id
	r := c.document(id)
	if r == nil {
		return wire.Result{Out: "gone"}
	}
	if r.kind == "binary" && r.url == "" && r.sha1 == c.text(op["sha1"]) {
		if vals := c.hints(op, map[string]any{}); len(vals) > 0 {
			c.writeDocument(id, vals)
		}
		return done(refTo("att", id))
	}
	if !c.holds(op, r) {
		return wire.Result{Out: "changed", Ref: refTo("att", id)}
	}
	vals := c.hints(op, c.content(op))
	vals["mimetype"] = firstText(c.text(op["mimetype"]), r.mime, "application/octet-stream")
	if r.url != "" {
		if r.kind != "url" || !c.ourURL(r.url) {
			return refused("unsupported", "this document is a link that is not ours")
		}
		vals["mimetype"] = firstText(c.text(op["mimetype"]), r.truth, r.mime, "application/octet-stream")
		toBinary(vals)
	}
	c.writeDocument(id, vals)
	return c.verified(op, id)
}

// toBinary adds what makes a link a binary again.
func toBinary(vals map[string]any) {
	vals["type"], vals["url"], vals["x_odbxfs_size"], vals["x_odbxfs_mimetype"] = "binary", false, false, false
}

// ourURL reports whether a pair has the url.
func (c *twinCall) ourURL(url string) bool {
	return url != "" && len(c.must(pairModel).with("x_url", url)) > 0
}

func (c *twinCall) relocate(op map[string]any) wire.Result {
	p := c.parse(c.text(op["ref"]))
	if p.kind != "att" && p.kind != "dir" {
		return refused("access", "this folder is renamed and moved in Odoo only")
	}
	r := c.documentOrFolder(p)
	if r == nil {
		return wire.Result{Out: "gone"}
	}
	ref := refTo(p.kind, p.id)
	to, ok := c.target(c.text(op["parent"]))
	if !ok {
		return folderGone
	}
	name := c.text(op["name"])
	if r.name == name && r.place() == to {
		return done(ref)
	}
	if !c.holds(op, r) {
		return wire.Result{Out: "changed", Ref: ref}
	}
	if p.kind == "dir" {
		return c.relocateFolder(r, to, name)
	}
	vals := map[string]any{}
	if r.name != name {
		vals["name"] = name
	}
	if r.model != to.model || r.resID != to.resID {
		vals["res_model"], vals["res_id"] = to.model, to.resID
	}
	if r.place() != to {
		vals["x_odbxfs_folder_id"] = orFalse(to.folder)
	}
	c.writeDocument(p.id, vals)
	return done(ref)
}

// below gives a folder and all folders in it.
func (c *twinCall) below(id int64) []int64 {
	all := []int64{id}
	m := c.must(folderModel)
	for n := 0; n < len(all); n++ {
		all = append(all, m.find(func(f int64, r record) bool { return r.num("x_parent_id") == all[n] && !slices.Contains(all, f) })...)
	}
	return all
}

func (c *twinCall) relocateFolder(r *row, to place, name string) wire.Result {
	if !c.mayChange(r.model, r.resID) || !c.mayChange(to.model, to.resID) {
		return noRight
	}
	all := c.below(r.id)
	if slices.Contains(all, to.folder) {
		return refused("invalid", "a folder cannot go into itself")
	}
	folders := c.must(folderModel)
	c.root(func() *fault {
		return c.write(folders, r.id, map[string]any{"x_name": name, "x_parent_id": orFalse(to.folder), "x_default": false})
	})
	if r.model != to.model || r.resID != to.resID {
		for _, id := range all {
			for _, att := range c.inFolder(id, record{"x_model": r.model, "x_res_id": r.resID}) {
				c.writeDocument(att, map[string]any{"res_model": to.model, "res_id": to.resID})
			}
			c.root(func() *fault {
				return c.write(folders, id, map[string]any{"x_model": to.model, "x_res_id": to.resID, "x_default": false})
			})
		}
	}
	return done(refTo("dir", r.id))
}

func (c *twinCall) remove(op map[string]any) wire.Result {
	p := c.parse(c.text(op["ref"]))
	if p.kind != "att" && p.kind != "dir" {
		return refused("access", "this folder is removed in Odoo only")
	}
	r := c.documentOrFolder(p)
	if r == nil {
		return wire.Result{Out: "gone"}
	}
	ref := refTo(p.kind, p.id)
	if !c.holds(op, r) {
		return wire.Result{Out: "changed", Ref: ref}
	}
	if p.kind == "att" {
		c.me(func() *fault { return c.unlink(c.must(documents), p.id) })
		return wire.Result{Out: "done"}
	}
	if !c.mayChange(r.model, r.resID) {
		return noRight
	}
	parent := func(_ int64, f record) bool { return f.num("x_parent_id") == p.id }
	if len(c.rows(folderModel, parent))+len(c.rows("x_odbxfs_rule", parent))+len(c.inFolder(p.id, record{"x_model": r.model, "x_res_id": r.resID})) > 0 {
		return wire.Result{Out: "changed", Ref: ref}
	}
	for _, att := range c.rows(documents, func(_ int64, d record) bool { return d.num("x_odbxfs_folder_id") == p.id }) {
		c.put(c.must(documents), att, record{"x_odbxfs_folder_id": nil})
	}
	c.unlinkAll(folderModel, []int64{p.id})
	return wire.Result{Out: "done"}
}

func (c *twinCall) makeFolder(op map[string]any) wire.Result {
	if before, ok := c.known(op); ok {
		return before
	}
	to, ok := c.target(c.text(op["parent"]))
	if !ok {
		return folderGone
	}
	if !c.mayChange(to.model, to.resID) {
		return noRight
	}
	var id int64
	c.root(func() (f *fault) {
		id, f = c.create(c.must(folderModel), map[string]any{"x_name": c.text(op["name"]), "x_model": to.model, "x_res_id": to.resID, "x_parent_id": orFalse(to.folder)})
		return f
	})
	c.remember(op, refTo("dir", id))
	return done(refTo("dir", id))
}

func (c *twinCall) hint(op map[string]any) wire.Result {
	p := c.parse(c.text(op["ref"]))
	if p.kind != "att" {
		return wire.Result{Out: "gone"}
	}
	r := c.document(p.id)
	if r == nil {
		return wire.Result{Out: "gone"}
	}
	if !c.holds(op, r) {
		return wire.Result{Out: "changed", Ref: refTo("att", p.id)}
	}
	vals := c.hints(op, map[string]any{})
	link := c.engine && r.kind == "url"
	if size := c.numberOr0(op["size"]); link && size != 0 {
		vals["x_odbxfs_size"] = float64(size)
	}
	if mimetype := c.text(op["mimetype"]); link && mimetype != "" {
		vals["x_odbxfs_mimetype"], vals["mimetype"] = mimetype, shownType(mimetype)
	}
	if len(vals) > 0 {
		c.writeDocument(p.id, vals)
	}
	if link {
		c.setChecksum(p.id, c.text(op["sha1"]))
	}
	return done(refTo("att", p.id))
}
