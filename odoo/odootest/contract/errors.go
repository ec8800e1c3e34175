package contract

import (
	"context"
	"errors"
	"net"
	"time"

	"odbxfs"
	"odbxfs/odoo"
)

// The code of the server actions that checks make and run: a server without
// Python has to know them.
const (
	// EchoAction raises UserError "boom" when the context has boom, and else
	// answers with the context's arg and the caller's uid.
	EchoAction = "if env.context.get('boom'):\n    raise UserError('boom')\naction = {'got': env.context.get('arg'), 'uid': env.uid}"
	// ConflictAction fails as PostgreSQL does when it cannot serialize.
	ConflictAction = `env.cr.execute("DO $$ BEGIN RAISE EXCEPTION 'could not serialize access due to concurrent update' USING ERRCODE='40001'; END $$")`
)

var errorChecks = []check{
	{"errors/each kind", eachKind},
	{"errors/a refused action", refusedAction},
	{"errors/concurrent update", concurrentUpdate},
	{"errors/cancelled call", cancelledCall},
	{"errors/nobody listens", nobodyListens},
}

func eachKind(ctx context.Context, e *env) error {
	admin, err := e.as(ctx, e.Admin)
	if err != nil {
		return err
	}
	emp, err := e.as(ctx, e.Employee)
	if err != nil {
		return err
	}
	kind := func(err error, k odbxfs.ErrorKind) error { return wantKind("answer", err, k) }
	call := func(c *odoo.Client, model, method string, kw map[string]any, args ...any) error {
		return c.Call(ctx, model, method, args, kw, nil)
	}
	return table(map[string]func() error{
		"access":         func() error { return kind(call(emp, "ir.cron", "search", nil, []any{}), odbxfs.KindAccess) },
		"unlink missing": func() error { return kind(admin.Unlink(ctx, "res.partner", []int64{99999999}), odbxfs.KindMissing) },
		"unknown model":  func() error { return kind(call(admin, "no.model", "search", nil, []any{}), odbxfs.KindUnknownModel) },
		"unknown model, create": func() error {
			_, err := emp.Create(ctx, "no.model", map[string]any{})
			return kind(err, odbxfs.KindUnknownModel)
		},
		"unknown method": func() error {
			return kind(call(admin, "res.partner", "nonesuch", nil, []int64{1}), odbxfs.KindUnsupported)
		},
		"unknown field, read": func() error {
			return kind(admin.Read(ctx, "res.partner", []int64{1}, []string{"zzz"}, nil), odbxfs.KindInvalid)
		},
		"unknown field, domain": func() error {
			_, err := admin.Search(ctx, "res.partner", odoo.Domain{odoo.Where("zzz", "=", 1)}, odoo.Query{})
			return kind(err, odbxfs.KindInvalid)
		},
		"unknown field, create": func() error {
			_, err := admin.Create(ctx, "ir.attachment", map[string]any{"name": "a", "zzz": 1})
			return kind(err, odbxfs.KindInvalid)
		},
		"required": func() error {
			_, err := admin.Create(ctx, "ir.attachment", map[string]any{})
			return kind(err, odbxfs.KindInvalid)
		},
		"selection": func() error {
			_, err := admin.Create(ctx, "ir.attachment", map[string]any{"name": "a", "type": "nope"})
			return kind(err, odbxfs.KindInvalid)
		},
		"NUL in a name": func() error {
			_, err := emp.Create(ctx, "ir.attachment", map[string]any{"name": "a\x00b"})
			return kind(err, odbxfs.KindName)
		},
		"name is not UTF-8": func() error {
			_, err := emp.Create(ctx, "ir.attachment", map[string]any{"name": "a\xffb"})
			return kind(err, odbxfs.KindName)
		},
	})
}

// action makes a server action that only administrators may run.
func action(ctx context.Context, admin *odoo.Client, code string) (int64, error) {
	fields, err := admin.FieldsGet(ctx, "ir.actions.server", "groups_id", "group_ids")
	if err != nil {
		return 0, err
	}
	groups := "group_ids"
	if _, old := fields["groups_id"]; old {
		groups = "groups_id"
	}
	models, err := admin.Search(ctx, "ir.model", odoo.Domain{odoo.Where("model", "=", "res.partner")}, odoo.Query{})
	if err != nil || len(models) != 1 {
		return 0, errors.Join(err, equal("models", len(models), 1))
	}
	var group []struct {
		ID int64 `odoo:"res_id"`
	}
	err = admin.SearchRead(ctx, "ir.model.data", odoo.Domain{odoo.Where("module", "=", "base"), odoo.Where("name", "=", "group_system")}, []string{"res_id"}, odoo.Query{}, &group)
	if err != nil || len(group) != 1 {
		return 0, errors.Join(err, equal("groups", len(group), 1))
	}
	return admin.Create(ctx, "ir.actions.server", map[string]any{"name": "contract", "model_id": models[0], "state": "code", "code": code,
		groups: []any{[]any{6, 0, []int64{group[0].ID}}}})
}

func refusedAction(ctx context.Context, e *env) error {
	admin, err := e.as(ctx, e.Admin)
	if err != nil {
		return err
	}
	id, err := action(ctx, admin, EchoAction)
	if err != nil {
		return err
	}
	var out struct {
		Got []string `odoo:"got"`
		UID int64    `odoo:"uid"`
	}
	if err := admin.RunAction(ctx, id, map[string]any{"arg": []string{"a", "<&>"}}, &out); err != nil {
		return err
	}
	if len(out.Got) != 2 || out.Got[1] != "<&>" || out.UID != admin.UID() {
		return errors.New("the action's answer is another")
	}
	if err := wantKind("UserError", admin.RunAction(ctx, id, map[string]any{"boom": 1}, nil), odbxfs.KindInvalid); err != nil {
		return err
	}
	for _, l := range []Login{e.Employee, e.Portal} {
		c, err := e.as(ctx, l)
		if err != nil {
			if l == e.Portal && e.transport == odoo.JSON2 {
				continue // portal users cannot make a key
			}
			return err
		}
		if err := wantKind(l.Login, c.RunAction(ctx, id, nil, nil), odbxfs.KindAccess); err != nil {
			return err
		}
	}
	return nil
}

// concurrentUpdate takes up to 20 s, because Odoo tries again five times by
// itself; one transport is enough, the others' texts have fixtures.
func concurrentUpdate(ctx context.Context, e *env) error {
	if e.transport != odoo.XMLRPC {
		return nil
	}
	admin, err := e.as(ctx, e.Admin)
	if err != nil {
		return err
	}
	id, err := action(ctx, admin, ConflictAction)
	if err != nil {
		return err
	}
	return wantKind("serialization failure", admin.RunAction(ctx, id, nil, nil), odbxfs.KindChanged)
}

func cancelledCall(ctx context.Context, e *env) error {
	c, err := e.as(ctx, e.Employee)
	if err != nil {
		return err
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, err = c.SearchCount(gone, "res.partner", nil)
	if !errors.Is(err, context.Canceled) {
		return wantKind("cancelled", err, odbxfs.KindUnavailable)
	}
	short, cancel := context.WithTimeout(ctx, time.Nanosecond)
	defer cancel()
	if _, err = c.SearchCount(short, "res.partner", nil); !errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(errors.New("want the deadline as cause"), err)
	}
	_, err = c.SearchCount(ctx, "res.partner", nil) // and the client goes on
	return err
}

func nobodyListens(ctx context.Context, e *env) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	cfg := e.config(e.Employee, "x")
	cfg.URL = "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	_, err = odoo.Connect(ctx, cfg)
	return wantKind("closed port", err, odbxfs.KindUnavailable)
}
