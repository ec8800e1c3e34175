package contract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"odbxfs"
	"odbxfs/odoo"
)

var recordChecks = []check{
	{"records/create, read, write, unlink", crud},
	{"records/values keep their kind", values},
	{"records/names of every sort", names},
	{"records/many at once", manyAtOnce},
	{"records/writing what is gone", writeGone},
	{"records/fields", fields},
}

func crud(ctx context.Context, e *env) error {
	c, err := e.as(ctx, e.Admin)
	if err != nil {
		return err
	}
	ids, err := c.CreateMany(ctx, "res.partner", []map[string]any{{"name": "A"}, {"name": "B"}})
	if err != nil || len(ids) != 2 {
		return fmt.Errorf("two creates gave %v: %w", ids, err)
	}
	if err := c.Write(ctx, "res.partner", ids, map[string]any{"comment": "x", "parent_id": false}); err != nil {
		return err
	}
	type row struct {
		ID     int64    `odoo:"id"`
		Name   string   `odoo:"name"`
		Parent odoo.Ref `odoo:"parent_id"`
	}
	var rows []row
	if err := c.SearchRead(ctx, "res.partner", odoo.Domain{odoo.Where("id", "in", ids)}, []string{"name", "parent_id"}, odoo.Query{Order: "id desc", Limit: 1}, &rows); err != nil {
		return err
	}
	if len(rows) != 1 || rows[0] != (row{ID: ids[1], Name: "B"}) {
		return fmt.Errorf("got %+v", rows)
	}
	if err := c.Unlink(ctx, "res.partner", ids); err != nil {
		return err
	}
	rows = nil
	if err := c.Read(ctx, "res.partner", ids, []string{"name"}, &rows); err != nil {
		return err
	}
	return equal("rows left", len(rows), 0)
}

func values(ctx context.Context, e *env) error {
	c, err := e.as(ctx, e.Admin)
	if err != nil {
		return err
	}
	id, err := c.Create(ctx, "res.partner", map[string]any{"name": "v", "partner_latitude": 1.5, "color": 7, "is_company": true, "ref": nil, "category_id": []any{}})
	if err != nil {
		return err
	}
	var rows []struct {
		Latitude float64 `odoo:"partner_latitude"`
		Color    int     `odoo:"color"`
		Company  bool    `odoo:"is_company"`
		Ref      string  `odoo:"ref"`
		Tags     []int64 `odoo:"category_id"`
		Absent   string  `odoo:"absent"`
	}
	if err := c.Read(ctx, "res.partner", []int64{id}, []string{"partner_latitude", "color", "is_company", "ref", "category_id"}, &rows); err != nil {
		return err
	}
	if r := rows[0]; r.Latitude != 1.5 || r.Color != 7 || !r.Company || r.Ref != "" || len(r.Tags) != 0 {
		return fmt.Errorf("got %+v", r)
	}
	return nil
}

// trickyNames are what people call files, and worse.
var trickyNames = []string{"a.pdf", "ä ö ü 漢字 🙂.pdf", "a/b", "..", "", " lead and trail ", "x<y>&\"'.txt", "line\nbreak", "tab\there", strings.Repeat("n", 5000), "]]>", "%20"}

func names(ctx context.Context, e *env) error {
	c, err := e.as(ctx, e.Employee)
	if err != nil {
		return err
	}
	partner, err := e.partner(ctx, "names")
	if err != nil {
		return err
	}
	wanted := trickyNames
	if e.transport != odoo.XMLRPC {
		wanted = append([]string{"bell\x07"}, wanted...)
	} else if _, err := c.Create(ctx, "ir.attachment", map[string]any{"name": "bell\x07"}); odbxfs.KindOf(err) != odbxfs.KindName {
		return fmt.Errorf("XML-RPC sent a control character: %w", err)
	}
	var all []map[string]any
	for _, n := range wanted {
		all = append(all, map[string]any{"name": n, "res_model": "res.partner", "res_id": partner, "datas": "eA=="})
	}
	ids, err := c.CreateMany(ctx, "ir.attachment", all)
	if err != nil {
		return err
	}
	var rows []odoo.Attachment
	if err := c.Read(ctx, "ir.attachment", ids, []string{"name"}, &rows); err != nil {
		return err
	}
	got := map[int64]string{}
	for _, r := range rows {
		got[r.ID] = r.Name
	}
	for i, id := range ids {
		if got[id] != wanted[i] {
			err = errors.Join(err, fmt.Errorf("name %q came back as %q", wanted[i], got[id]))
		}
	}
	return err
}

func manyAtOnce(ctx context.Context, e *env) error {
	c, err := e.as(ctx, e.Admin)
	if err != nil {
		return err
	}
	id, err := e.partner(ctx, "many")
	if err != nil {
		return err
	}
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = c.Create(ctx, "ir.attachment", map[string]any{"name": fmt.Sprint(i), "res_model": "res.partner", "res_id": id})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	n, err := c.SearchCount(ctx, "ir.attachment", odoo.Domain{odoo.Where("res_model", "=", "res.partner"), odoo.Where("res_id", "=", id), odoo.Where("res_field", "=", false)})
	return errors.Join(err, equal("rows", n, int64(len(errs))))
}

// writeGone: 14 says True to a write of nothing, 19 says so; neither makes a row.
func writeGone(ctx context.Context, e *env) error {
	c, err := e.as(ctx, e.Admin)
	if err != nil {
		return err
	}
	err = c.Write(ctx, "ir.attachment", []int64{99999999}, map[string]any{"name": "x"})
	if e.Version >= 19 {
		return wantKind("write", err, odbxfs.KindMissing)
	}
	return err
}

func fields(ctx context.Context, e *env) error {
	c, err := e.as(ctx, e.Employee)
	if err != nil {
		return err
	}
	f, err := c.FieldsGet(ctx, "ir.attachment", "name", "res_id", "nonesuch")
	if err != nil {
		return err
	}
	if len(f) != 2 || f["name"].Type != "char" || !f["name"].Required || !f["name"].Store {
		return fmt.Errorf("got %+v", f)
	}
	return nil
}
