package odootest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"odbxfs"
	"odbxfs/odoo"
	"odbxfs/odoo/odootest"
	"odbxfs/odoo/provision"
)

// both runs a test on a server of each version.
func both(t *testing.T, run func(t *testing.T, s *odootest.Server, admin *odoo.Client, version int)) {
	t.Helper()
	for _, version := range versions {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			s := start(t, version)
			run(t, s, connect(t, s, odootest.AdminLogin, odootest.AdminPassword), version)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func make1(t *testing.T, c *odoo.Client, model string, vals map[string]any) int64 {
	t.Helper()
	id, err := c.Create(t.Context(), model, vals)
	must(t, err)
	return id
}

func rowOf(t *testing.T, s *odootest.Server, model string, id int64) map[string]any {
	t.Helper()
	for _, r := range s.Rows(model) {
		if r["id"] == id {
			return r
		}
	}
	t.Fatalf("no row %d of %s", id, model)
	return nil
}

// groupsField is the version's name of the groups of an action.
func groupsField(version int) string {
	if version >= 19 {
		return "group_ids"
	}
	return "groups_id"
}

func TestAnActionOfUnknownCodeIsAFault(t *testing.T) {
	both(t, func(t *testing.T, _ *odootest.Server, admin *odoo.Client, _ int) {
		model, err := admin.Search(t.Context(), "ir.model", []any{[]any{"model", "=", "res.partner"}}, odoo.Query{})
		must(t, err)
		id := make1(t, admin, "ir.actions.server", map[string]any{"name": "mine", "model_id": model[0], "state": "code", "code": "action = 1"})
		if err := admin.RunAction(t.Context(), id, nil, nil); err == nil || !strings.Contains(err.Error(), "no twin") {
			t.Errorf("unknown code ran: %v", err)
		}
	})
}

// An action without groups is anybody's on 19, and on 14 of whoever may write
// its model.
func TestWhoMayRunAnActionWithoutGroups(t *testing.T) {
	both(t, func(t *testing.T, s *odootest.Server, admin *odoo.Client, version int) {
		model, err := admin.Search(t.Context(), "ir.model", []any{[]any{"model", "=", "ir.config_parameter"}}, odoo.Query{})
		must(t, err)
		id := make1(t, admin, "ir.actions.server", map[string]any{"name": "open", "model_id": model[0], "state": "code", "code": stubs[0].Code})
		for _, login := range []string{odootest.DemoLogin, odootest.PortalLogin} {
			c := connect(t, s, login, login)
			err := c.RunAction(t.Context(), id, map[string]any{"arg": []string{}}, nil)
			if version >= 19 && err != nil || version < 19 && !odbxfs.IsKind(err, odbxfs.KindAccess) {
				t.Errorf("%s without groups: %v", login, err)
			}
		}
		must(t, admin.Write(t.Context(), "ir.actions.server", []int64{id}, map[string]any{groupsField(version): []any{[]any{6, 0, []int64{1}}}}))
		portal := connect(t, s, odootest.PortalLogin, odootest.PortalPassword)
		if err := portal.RunAction(t.Context(), id, nil, nil); !odbxfs.IsKind(err, odbxfs.KindAccess) {
			t.Errorf("portal with groups: %v", err)
		}
	})
}

func TestCopiesOfDocuments(t *testing.T) {
	both(t, func(t *testing.T, s *odootest.Server, admin *odoo.Client, version int) {
		binary := make1(t, admin, "ir.attachment", map[string]any{"name": "a.txt", "datas": "YWJj", "res_model": "res.partner", "res_id": 1})
		link := make1(t, admin, "ir.attachment", map[string]any{"name": "l", "type": "url", "url": "https://example.com", "res_model": "res.partner", "res_id": 1})
		copyOf := func(id int64) map[string]any {
			var out any
			must(t, admin.Call(t.Context(), "ir.attachment", "copy", []any{[]int64{id}}, nil, &out))
			if list, ok := out.([]any); ok {
				out = list[0]
			}
			return rowOf(t, s, "ir.attachment", out.(int64))
		}
		was, c := rowOf(t, s, "ir.attachment", binary), copyOf(binary)
		if c["store_fname"] != was["store_fname"] || (c["checksum"] == was["checksum"]) != (version >= 19) {
			t.Errorf("copy of a binary: %v", c)
		}
		if c := copyOf(link); c["url"] != "https://example.com" || c["checksum"] != nil || c["store_fname"] != nil {
			t.Errorf("copy of a link: %v", c)
		}
	})
}

func TestStockModelsDoWhatPeopleRelyOn(t *testing.T) {
	both(t, func(t *testing.T, s *odootest.Server, admin *odoo.Client, version int) {
		ctx := t.Context()
		order := make1(t, admin, "sale.order", map[string]any{"partner_id": 5})
		if r := rowOf(t, s, "sale.order", order); r["name"] != "S00011" || r["state"] != "draft" || r["active"] != true {
			t.Errorf("a new order: %v", r)
		}
		partner := make1(t, admin, "res.partner", map[string]any{"name": "Archived"})
		must(t, admin.Write(ctx, "res.partner", []int64{partner}, map[string]any{"active": false}))
		for context, want := range map[string]int{"default": 0, "all": 1} {
			kw := map[string]any{}
			if context == "all" {
				kw["context"] = map[string]any{"active_test": false}
			}
			var ids []int64
			must(t, admin.Call(ctx, "res.partner", "search", []any{[]any{[]any{"name", "=", "Archived"}}}, kw, &ids))
			if len(ids) != want {
				t.Errorf("%s: %d archived partners, want %d", context, len(ids), want)
			}
		}
		var posted any
		must(t, admin.Call(ctx, "sale.order", "message_post", []any{[]int64{order}}, map[string]any{"body": "x", "attachments": []any{[]any{"m.txt", "text"}}}, &posted))
		if _, isList := posted.([]any); isList != (version >= 19) {
			t.Errorf("message_post gave %v", posted)
		}
		rows := s.Rows("ir.attachment")
		if r := rows[len(rows)-1]; r["res_model"] != "sale.order" || r["res_id"] != order || r["file_size"] != int64(4) {
			t.Errorf("the message's document: %v", r)
		}
	})
}

func TestTheFilestoreIsCleanedDaily(t *testing.T) {
	both(t, func(t *testing.T, s *odootest.Server, admin *odoo.Client, _ int) {
		id := make1(t, admin, "ir.attachment", map[string]any{"name": "a.txt", "raw": "abc", "res_model": "res.partner", "res_id": 1})
		sha := "a9993e364706816aba3e25717850c26c9cd0d89d"
		must(t, admin.Unlink(t.Context(), "ir.attachment", []int64{id}))
		if !s.Stored(sha) {
			t.Error("the file went with its row")
		}
		must(t, admin.Call(t.Context(), "ir.cron", "method_direct_trigger", []any{[]int64{1}}, nil, nil))
		if s.Stored(sha) {
			t.Error("the file is left after the cleaning")
		}
	})
}

func TestPausedServerIsAway(t *testing.T) {
	s := start(t, 19)
	admin := connect(t, s, odootest.AdminLogin, odootest.AdminPassword)
	must(t, s.Pause())
	if _, err := admin.SearchCount(t.Context(), "res.partner", nil); !odbxfs.IsKind(err, odbxfs.KindUnavailable) {
		t.Errorf("a paused server answered: %v", err)
	}
	must(t, s.Resume())
	if _, err := admin.SearchCount(t.Context(), "res.partner", nil); err != nil {
		t.Error(err)
	}
}

func TestFaultsOnTheWire(t *testing.T) {
	s := start(t, 19)
	admin := connect(t, s, odootest.AdminLogin, odootest.AdminPassword)
	made := func() int {
		return len(slices.DeleteFunc(s.Rows("res.country"), func(r map[string]any) bool { return r["name"] != "Atlantis" }))
	}
	for _, c := range []struct {
		fault odootest.Fault
		want  int
	}{{odootest.Fault{Model: "res.country", Method: "create"}, 0}, {odootest.Fault{Model: "res.country", After: true}, 1}} {
		s.Inject(c.fault)
		_, err := admin.Create(t.Context(), "res.country", map[string]any{"name": "Atlantis"})
		if !odbxfs.IsKind(err, odbxfs.KindUnavailable) || made() != c.want {
			t.Errorf("%+v: %v, and %d rows, want %d", c.fault, err, made(), c.want)
		}
	}
	if _, err := admin.Create(t.Context(), "res.country", map[string]any{"name": "Atlantis"}); err != nil || made() != 2 {
		t.Errorf("after the faults: %v, %d rows", err, made())
	}
	ended := s.Requests()[len(s.Requests())-1].Ended
	if ended != "" {
		t.Errorf("the last call ended %q", ended)
	}
}

// What PostgreSQL could not serialize leaves nothing, and says so.
func TestConflicts(t *testing.T) {
	s := start(t, 14)
	admin := connect(t, s, odootest.AdminLogin, odootest.AdminPassword)
	before := len(s.Rows("res.country"))
	s.Inject(odootest.Fault{Method: "create", Raise: &odootest.PythonError{Class: "psycopg2.errors.SerializationFailure", Message: "could not serialize access"}})
	_, err := admin.Create(t.Context(), "res.country", map[string]any{"name": "Atlantis"})
	if !odbxfs.IsKind(err, odbxfs.KindChanged) || len(s.Rows("res.country")) != before {
		t.Errorf("%v, %d rows more", err, len(s.Rows("res.country"))-before)
	}
}

// 14's web session loses the context of a call that it runs again: our actions
// then do nothing and say that something is missing, and the client calls again.
func TestLostContexts(t *testing.T) {
	s := start(t, 14)
	admin := connect(t, s, odootest.AdminLogin, odootest.AdminPassword)
	_, err := provision.Setup(t.Context(), admin, provision.Options{TechnicalLogin: "odbxfs", TechnicalPassword: "odbxfs-1",
		Rules: []provision.RuleSpec{{Name: "Contacts", Model: "res.partner"}}})
	must(t, err)
	engine := odoo.NewEngine(connect(t, s, "odbxfs", "odbxfs-1"))
	partner := odbxfs.RecordRef("res.partner", make1(t, admin, "res.partner", map[string]any{"name": "Forgotten"}))
	before := len(s.Requests())
	s.Inject(odootest.Fault{Method: "run", Forget: true})
	res, err := engine.Apply(t.Context(), []odbxfs.OdooOp{{Kind: odbxfs.OdooMakeFolder, Key: "k", Parent: partner, Name: "f"}})
	must(t, err)
	if res[0].Outcome != odbxfs.Done || res[0].Node.Name != "f" {
		t.Errorf("%+v", res[0])
	}
	lost := slices.IndexFunc(s.Requests()[before:], func(r odootest.Request) bool { return r.Ended == "odoo.exceptions.MissingError" })
	if lost < 0 {
		t.Error("no call lost its context")
	}
}

// A fault in a call puts back everything that the call did.
func TestAFailedCallLeavesNothing(t *testing.T) {
	s := start(t, 19)
	admin := connect(t, s, odootest.AdminLogin, odootest.AdminPassword)
	before := len(s.Rows("res.partner"))
	_, err := admin.CreateMany(t.Context(), "res.partner", []map[string]any{{"name": "one"}, {"name": "two", "nonesuch": 1}})
	if !odbxfs.IsKind(err, odbxfs.KindInvalid) {
		t.Error(err)
	}
	if after := len(s.Rows("res.partner")); after != before {
		t.Errorf("%d rows are left of a call that failed", after-before)
	}
}

// The error of a stub that is no PythonError is unforeseen, as Odoo has it.
func TestStubsMayFail(t *testing.T) {
	s := odootest.New(odootest.Options{Stubs: []odootest.Stub{{Code: "x", Run: func(map[string]any, int64) (any, error) { return nil, errors.New("oh") }}}})
	if _, err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, s.Close()) })
	admin := connect(t, s, odootest.AdminLogin, odootest.AdminPassword)
	id := make1(t, admin, "ir.actions.server", map[string]any{"name": "x", "model_id": 1, "state": "code", "code": "x"})
	if err := admin.RunAction(t.Context(), id, nil, nil); err == nil || !strings.Contains(err.Error(), "oh") {
		t.Error(err)
	}
}
