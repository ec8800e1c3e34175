package odootest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/odoo"
	"odbxfs/odoo/odootest"
	"odbxfs/odoo/provision"
)

// versions are those that the server speaks for.
var versions = []int{14, 19}

var setupOptions = provision.Options{
	TechnicalLogin: "odbxfs", TechnicalPassword: "odbxfs-Secret-1", InstallBaseAutomation: true,
	Clients: []provision.ClientSpec{{Name: "Main", Root: "/Odoo", Links: odbxfs.LinkPublic}},
	Rules: []provision.RuleSpec{
		{Name: "Sales Orders", Model: "sale.order", Client: "Main", Subfolders: []string{"Offers"}},
		{Name: "Contacts", Model: "res.partner", Domain: "[('id', '>', 0)]", Template: "{name} ({id})", Client: "Main"},
	},
}

// start gives a server with demo data.
func start(t *testing.T, version int) *odootest.Server {
	t.Helper()
	s := odootest.New(odootest.Options{Version: version, Demo: true, Stubs: stubs})
	if _, err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// connect signs in over the web session.
func connect(t *testing.T, s *odootest.Server, login, password string) *odoo.Client {
	t.Helper()
	c, err := odoo.Connect(t.Context(), odoo.Config{URL: s.URL(), Database: s.Database(), Login: login, Transport: odoo.Session, Now: time.Now,
		Secret: func(context.Context) (string, error) { return password, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSetupIsIdempotentAndRemovable(t *testing.T) {
	for _, version := range versions {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			ctx := t.Context()
			s := start(t, version)
			admin := connect(t, s, odootest.AdminLogin, odootest.AdminPassword)
			rows := func() (n int) {
				for _, model := range []string{"ir.model", "ir.model.fields", "ir.model.access", "ir.rule", "ir.actions.server", "ir.ui.view", "ir.ui.menu", "ir.model.data", "res.groups", "ir.actions.act_window"} {
					n += len(s.Rows(model))
				}
				return n
			}
			before := rows()
			if _, err := provision.MakePlan(ctx, admin, setupOptions); err != nil {
				t.Fatal(err)
			}
			if after := rows(); after != before {
				t.Errorf("a plan made %d rows", after-before)
			}
			first, err := provision.Setup(ctx, admin, setupOptions)
			if err != nil {
				t.Fatal(err)
			}
			if len(first.Steps) < 50 {
				t.Errorf("setup took only %d steps:\n%s", len(first.Steps), first)
			}
			second, err := provision.Setup(ctx, admin, setupOptions)
			if err != nil {
				t.Fatal(err)
			}
			if !second.Empty() {
				t.Errorf("setup again is not empty:\n%s", second)
			}
			if _, err := provision.RemoveAll(ctx, admin); err != nil {
				t.Fatal(err)
			}
			if after := rows(); after != before {
				t.Errorf("%d rows are left", after-before)
			}
			if s.Rows("x_odbxfs_pair") != nil {
				t.Error("the models are left")
			}
			if _, err := provision.Setup(ctx, admin, setupOptions); err != nil {
				t.Errorf("setup after removal: %v", err)
			}
		})
	}
}
