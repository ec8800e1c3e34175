package odootest

import (
	"maps"
	"slices"
)

// ourIndexes are the unique indexes that setup_index.py makes.
var ourIndexes = []uniqueIndex{
	{name: "x_odbxfs_meta_name_uniq", model: "x_odbxfs_meta", fields: []string{"x_name"}},
	{name: "x_odbxfs_key_name_uniq", model: keyModel, fields: []string{"x_name"}},
	{name: "x_odbxfs_place_root_uniq", model: placeModel, fields: []string{"x_kind"}, where: func(r record) bool { return r.str("x_kind") == "root" }},
	{name: "x_odbxfs_folder_default_uniq", model: folderModel, fields: []string{"x_model", "x_res_id", "x_name"},
		where: func(r record) bool { return r.yes("x_default") && r.num("x_parent_id") == 0 }},
	{name: "x_odbxfs_pair_odoo_uniq", model: pairModel, fields: []string{"x_client_id", "x_odoo"}, where: func(r record) bool { return !r.yes("x_gone") && r.str("x_odoo") != "" }},
	{name: "x_odbxfs_pair_dropbox_uniq", model: pairModel, fields: []string{"x_client_id", "x_dropbox"}, where: func(r record) bool { return !r.yes("x_gone") && r.str("x_dropbox") != "" }},
	{name: "x_odbxfs_lease_client_uniq", model: leaseModel, fields: []string{"x_client_id", "x_kind"}},
	{name: "x_odbxfs_log_task_uniq", model: "x_odbxfs_log", fields: []string{"x_task"}},
}

// twinSetupIndex is setup_index.py.
func twinSetupIndex(c *twinCall) any {
	was := slices.Clone(c.db.unique)
	c.undo = append(c.undo, func() { c.db.unique = was })
	for _, index := range ourIndexes {
		if !slices.ContainsFunc(c.db.unique, func(u uniqueIndex) bool { return u.name == index.name }) {
			c.db.unique = append(c.db.unique, index)
		}
	}
	return map[string]any{"ok": true}
}

// twinSetupPrepareRemove is setup_prepare_remove.py.
func twinSetupPrepareRemove(c *twinCall) any {
	c.unlinkAll(documents, c.rows(documents, func(_ int64, r record) bool { return r.str("res_model") == uploadModel && r.str("res_field") == "" }))
	return map[string]any{"ok": true}
}

// twinSetupData is setup_data.py.
func twinSetupData(c *twinCall) any {
	d := setupData{c: c, dry: truth(c.arg["dry"]), changes: []string{}}
	d.put("root place", placeModel, record{"x_kind": "root"}, map[string]any{"x_name": "root", "x_kind": "root"})
	meta, _ := c.arg["meta"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		id := d.put("meta "+key, "x_odbxfs_meta", record{"x_name": key}, map[string]any{"x_name": key, "x_value": meta[key]})
		if id != 0 && c.must("x_odbxfs_meta").rows[id].str("x_value") != meta[key] {
			d.changes = append(d.changes, "meta "+key)
			if !d.dry {
				c.root(func() *fault { return c.write(c.must("x_odbxfs_meta"), id, map[string]any{"x_value": meta[key]}) })
			}
		}
	}
	for _, e := range c.list(c.arg["clients"]) {
		s, _ := e.(map[string]any)
		d.put("cloud client "+c.text(s["name"]), clientModel, record{"x_name": s["name"]}, map[string]any{"x_name": s["name"], "x_root": s["root"], "x_links": s["links"], "x_convert": s["convert"]})
	}
	for _, e := range c.list(c.arg["rules"]) {
		s, _ := e.(map[string]any)
		d.rule(s)
	}
	pairs := c.rows(pairModel, func(_ int64, r record) bool { return !r.yes("x_gone") && r.str("x_url") != "" })
	links := c.rows(documents, func(_ int64, r record) bool { return r.str("type") == "url" && c.ourURL(r.str("url")) })
	places := c.rows(documents, func(_ int64, r record) bool { return r.str("res_model") == placeModel })
	return map[string]any{"changes": d.changes, "pairs": len(pairs), "links": len(links), "places": len(places)}
}

type setupData struct {
	c       *twinCall
	dry     bool
	changes []string
}

// put makes a row when none has these values, and gives its id.
func (d *setupData) put(what, model string, like record, vals map[string]any) int64 {
	id := first(d.c.rows(model, func(_ int64, r record) bool {
		for k, v := range like {
			if r[k] != v {
				return false
			}
		}
		return true
	}))
	if id != 0 {
		return id
	}
	d.changes = append(d.changes, what)
	if !d.dry {
		d.c.root(func() (f *fault) { id, f = d.c.create(d.c.must(model), vals); return f })
	}
	return id
}

func (d *setupData) rule(s map[string]any) {
	c := d.c
	model := first(c.rows("ir.model", func(_ int64, r record) bool { return r["model"] == s["model"] }))
	if model == 0 {
		return
	}
	client := first(c.rows(clientModel, func(_ int64, r record) bool { return r["x_name"] == s["client"] }))
	domain := s["domain"]
	if !truth(domain) {
		domain = "[]"
	}
	d.put("folder rule "+c.text(s["name"]), "x_odbxfs_rule", record{"x_name": s["name"], "x_model_id": model}, map[string]any{"x_name": s["name"], "x_model_id": model,
		"x_domain": domain, "x_template": s["template"], "x_subfolders": s["subfolders"], "x_sequence": s["sequence"], "x_client_id": orFalse(client)})
}
