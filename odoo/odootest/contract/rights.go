package contract

import (
	"context"
	"errors"
	"fmt"

	"odbxfs"
	"odbxfs/odoo"
)

var rightsChecks = []check{
	{"rights/employee", employeeRights},
	{"rights/portal", portalRights},
}

func employeeRights(ctx context.Context, e *env) error {
	emp, err := e.as(ctx, e.Employee)
	if err != nil {
		return err
	}
	admin, err := e.as(ctx, e.Admin)
	if err != nil {
		return err
	}
	cron, err := admin.Search(ctx, "ir.cron", nil, odoo.Query{Limit: 1})
	if err != nil || len(cron) == 0 {
		return fmt.Errorf("no cron: %w", err)
	}
	hidden, err := admin.Upload(ctx, map[string]any{"name": "h", "res_model": "ir.cron", "res_id": cron[0]}, bytesOf("h"), 1, "")
	if err != nil {
		return err
	}
	_, own, err := e.upload(ctx, "own.txt", "own")
	if err != nil {
		return err
	}
	ids := []int64{hidden.ID}
	return table(map[string]func() error{
		"create on a record he may not write": func() error {
			_, err := emp.Upload(ctx, map[string]any{"name": "x", "res_model": "ir.cron", "res_id": cron[0]}, bytesOf("x"), 1, "")
			return wantKind("create", err, odbxfs.KindAccess)
		},
		"read": func() error {
			return wantKind("read", emp.Read(ctx, "ir.attachment", ids, []string{"name"}, nil), odbxfs.KindAccess)
		},
		"write": func() error {
			return wantKind("write", emp.Write(ctx, "ir.attachment", ids, map[string]any{"name": "y"}), odbxfs.KindAccess)
		},
		"unlink": func() error { return wantKind("unlink", emp.Unlink(ctx, "ir.attachment", ids), odbxfs.KindAccess) },
		"move there": func() error {
			return wantKind("move", emp.Write(ctx, "ir.attachment", []int64{own.ID}, map[string]any{"res_model": "ir.cron", "res_id": cron[0]}), odbxfs.KindAccess)
		},
		"search drops it": func() error {
			got, err := emp.Search(ctx, "ir.attachment", odoo.Domain{odoo.Where("id", "in", []int64{hidden.ID, own.ID}), odoo.Where("res_field", "=", false)}, odoo.Query{Limit: 1000})
			return errors.Join(err, equal("rows", len(got), 1))
		},
	})
}

func portalRights(ctx context.Context, e *env) error {
	_, a, err := e.upload(ctx, "inside.txt", "inside")
	if err != nil {
		return err
	}
	c, err := e.as(ctx, e.Portal)
	if err != nil {
		if e.transport == odoo.JSON2 {
			return nil // portal users cannot make themselves a key
		}
		return err
	}
	if _, _, err := read(ctx, c, a.ID, 0, -1); err == nil {
		return errors.New("a portal user read an employee's document")
	}
	if err := wantKind("write", c.Write(ctx, "ir.attachment", []int64{a.ID}, map[string]any{"name": "y"}), odbxfs.KindAccess); err != nil {
		return err
	}
	_, err = c.Upload(ctx, map[string]any{"name": "x", "res_model": "res.partner", "res_id": a.Record}, bytesOf("x"), 1, "")
	return wantKind("create", err, odbxfs.KindAccess)
}
