package provision_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"odbxfs"
	"odbxfs/integration/lab"
	"odbxfs/odoo"
	"odbxfs/odoo/provision"
)

func TestSetupAndRemoveOdoo14(t *testing.T) { setupAndRemove(t, 14) }

func TestSetupAndRemoveOdoo19(t *testing.T) { setupAndRemove(t, 19) }

var options = provision.Options{
	TechnicalLogin: "odbxfs", TechnicalPassword: "odbxfs-Secret-1",
	Clients: []provision.ClientSpec{{Name: "Main", Root: "/Odoo", Links: odbxfs.LinkPublic}},
	Rules: []provision.RuleSpec{
		{Name: "Sales Orders", Model: "sale.order", Client: "Main", Subfolders: []string{"Offers"}},
		{Name: "Contacts", Model: "res.partner", Client: "Main"},
	},
}

func setupAndRemove(t *testing.T, version int) {
	t.Parallel()
	ctx := t.Context()
	sink := lab.StartSink(t)
	s := lab.StartWith(t, lab.Options{Version: version, Sink: sink})
	admin := connect(t, s, s.AdminLogin, s.AdminPassword)
	before, stamped := dump(t, s, false), dump(t, s, true)

	plan, err := provision.MakePlan(ctx, admin, options)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "a plan writes nothing", stamped, dump(t, s, true))
	for _, line := range []string{"x_odbxfs_pair", "x_odbxfs_folder_id", "engine_apply: run by odbxfs.group_technical", "user_apply: run by base.group_user", "Sync Logs", "odbxfs.group_manager rwcu"} {
		if !strings.Contains(plan.String(), line) {
			t.Errorf("the plan does not name %q:\n%s", line, plan)
		}
	}

	done, err := provision.Setup(ctx, admin, options)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range plan.Steps {
		if step.Kind != "rows" && !slices.ContainsFunc(done.Steps, func(d provision.Step) bool { return d.Verb == step.Verb && strings.Contains(d.Name, step.Name) }) {
			t.Errorf("planned and not done: %s", step)
		}
	}
	after := dump(t, s, true)
	for _, name := range []string{"a second setup", "its plan"} {
		again, err := provision.Setup(ctx, admin, options)
		if name == "its plan" {
			again, err = provision.MakePlan(ctx, admin, options)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !again.Empty() {
			t.Errorf("%s is not empty:\n%s", name, again)
		}
	}
	same(t, "a second setup writes nothing", after, dump(t, s, true))
	t.Run("pages open", func(t *testing.T) { pagesOpen(t, admin, version) })
	t.Run("a mail carries a link and no empty file", func(t *testing.T) { mailLinks(t, s, sink, admin) })
	t.Run("remove", func(t *testing.T) { removal(t, s, admin, before) })
}

// removal refuses while there are links or documents in free folders, and then
// leaves the database as it was.
func removal(t *testing.T, s *lab.Server, admin *odoo.Client, before []string) {
	ctx := t.Context()
	engine := odoo.NewEngine(connect(t, s, options.TechnicalLogin, options.TechnicalPassword))
	free, err := engine.Apply(ctx, []odbxfs.OdooOp{{Kind: odbxfs.OdooCreateFile, Key: "free", Parent: odbxfs.RootRef(), Name: "free.txt", Content: content("x"), Size: 1}})
	if err != nil || free[0].Outcome != odbxfs.Done {
		t.Fatal(err, free)
	}
	execSQL(t, s, "INSERT INTO x_odbxfs_pair (x_url, x_gone, x_kind) VALUES ('https://www.dropbox.com/x', false, 'file')")
	if _, err := provision.RemoveAll(ctx, admin); !errors.Is(err, provision.ErrLinksLeft) {
		t.Fatalf("removed with a live link: %v", err)
	}
	execSQL(t, s, "UPDATE x_odbxfs_pair SET x_gone = true")
	execSQL(t, s, "UPDATE ir_attachment SET type = 'url', url = 'https://www.dropbox.com/x' WHERE id = "+fmt.Sprint(free[0].Node.Ref.ID))
	if _, err := provision.RemoveAll(ctx, admin); !errors.Is(err, provision.ErrLinksLeft) {
		t.Fatalf("removed with a copy of a link: %v", err)
	}
	execSQL(t, s, "UPDATE ir_attachment SET type = 'binary', url = NULL WHERE id = "+fmt.Sprint(free[0].Node.Ref.ID))
	if _, err := provision.MakeRemovalPlan(ctx, admin); !errors.Is(err, provision.ErrPlacesUsed) {
		t.Fatalf("removed with a document in a free folder: %v", err)
	}
	if err := admin.Unlink(ctx, "ir.attachment", []int64{free[0].Node.Ref.ID}); err != nil {
		t.Fatal(err)
	}
	plan, err := provision.MakeRemovalPlan(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	done, err := provision.RemoveAll(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	if plan.String() != done.String() {
		t.Errorf("planned:\n%s\ndone:\n%s", plan, done)
	}
	same(t, "after remove the database is as before", before, dump(t, s, false))
	again, err := provision.RemoveAll(ctx, admin)
	if err != nil || !again.Empty() {
		t.Errorf("a second remove: %v\n%s", err, again)
	}
	if _, err := provision.Setup(ctx, admin, options); err != nil {
		t.Errorf("setup after remove: %v", err)
	}
}

// pagesOpen asks for every view that the menus lead to, as the web client does.
func pagesOpen(t *testing.T, admin *odoo.Client, version int) {
	list := "tree"
	if version >= 18 {
		list = "list"
	}
	for _, model := range []string{"x_odbxfs_client", "x_odbxfs_rule", "x_odbxfs_log", "x_odbxfs_folder"} {
		views := []any{[]any{false, list}, []any{false, "form"}, []any{false, "search"}}
		method := "get_views"
		if version < 16 {
			method = "load_views"
		}
		if err := admin.Call(t.Context(), model, method, nil, map[string]any{"views": views}, nil); err != nil {
			t.Errorf("%s: %v", model, err)
		}
	}
	var names []struct {
		Name string `odoo:"complete_name"`
	}
	if err := admin.SearchRead(t.Context(), "ir.ui.menu", odoo.Domain{odoo.Where("name", "in", []string{"Clients", "Folder Rules", "Sync Logs"})}, []string{"complete_name"}, odoo.Query{}, &names); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Cloud Storage/Configuration/Clients", "Cloud Storage/Configuration/Folder Rules", "Cloud Storage/Configuration/Sync Logs"} {
		if !slices.ContainsFunc(names, func(n struct {
			Name string `odoo:"complete_name"`
		}) bool {
			return n.Name == want
		}) {
			t.Errorf("no menu %s in %v", want, names)
		}
	}
}

// mailLinks: a link, with a file_size as some hand may have set it, and a real
// file are mailed by an employee.
func mailLinks(t *testing.T, s *lab.Server, sink *lab.Sink, admin *odoo.Client) {
	ctx := t.Context()
	demo := connect(t, s, s.DemoLogin, s.DemoPassword)
	partner, err := admin.Create(ctx, "res.partner", map[string]any{"name": "Reader", "email": "reader@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	of := func(vals map[string]any) int64 {
		vals["res_model"], vals["res_id"] = "res.partner", partner
		id, err := admin.Create(ctx, "ir.attachment", vals)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	link := of(map[string]any{"name": "big & <bold>.pdf", "type": "url", "url": "https://www.dropbox.com/big"})
	file := of(map[string]any{"name": "small.txt", "datas": "c21hbGw="})
	execSQL(t, s, fmt.Sprintf("UPDATE ir_attachment SET file_size = 5 WHERE id = %d", link))
	kw := map[string]any{"body": "see", "message_type": "comment", "subtype_xmlid": "mail.mt_comment", "partner_ids": []int64{partner}, "attachment_ids": []int64{link, file}}
	if err := demo.Call(ctx, "res.partner", "message_post", []any{[]int64{partner}}, kw, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	messages, err := sink.Wait(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	mail, err := messages[0].Parse()
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("/web/content/%d?download=1", link); !strings.Contains(mail.HTML, want) || !strings.Contains(mail.HTML, "big &amp; &lt;bold&gt;.pdf") {
		t.Errorf("no link in %s", mail.HTML)
	}
	if len(mail.Attachments) != 1 || mail.Attachments[0].Name != "small.txt" || string(mail.Attachments[0].Content) != "small" {
		t.Errorf("attachments %+v, want small.txt alone", mail.Attachments)
	}
}

func content(s string) odbxfs.Opener {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(s)), nil }
}

func connect(t *testing.T, s *lab.Server, login, password string) *odoo.Client {
	t.Helper()
	c, err := odoo.Connect(t.Context(), odoo.Config{URL: s.URL, Database: s.Database, Login: login, Now: time.Now,
		Secret: func(context.Context) (string, error) { return password, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func execSQL(t *testing.T, s *lab.Server, sql string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	if _, err := db.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// dump is what remove must leave as it found it.
func dump(t *testing.T, s *lab.Server, stamped bool) []string {
	t.Helper()
	all, err := s.Dump(t.Context(), stamped)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// same compares two dumps.
func same(t *testing.T, what string, before, after []string) {
	t.Helper()
	was, is := map[string]int{}, map[string]int{}
	for _, l := range before {
		was[l]++
	}
	for _, l := range after {
		is[l]++
	}
	shown := 0
	for _, d := range []struct {
		sign string
		a, b map[string]int
	}{{"-", was, is}, {"+", is, was}} {
		for l, n := range d.a {
			if d.b[l] != n && shown < 30 {
				shown++
				t.Errorf("%s: %s %.400s", what, d.sign, l)
			}
		}
	}
}

func TestSetupInstallsBaseAutomationWhenAskedOdoo14(t *testing.T) { installsAutomation(t, 14) }

func TestSetupInstallsBaseAutomationWhenAskedOdoo19(t *testing.T) { installsAutomation(t, 19) }

// notes reports whether a note of the plan speaks of something.
func notes(p provision.Plan, what string) bool {
	return slices.ContainsFunc(p.Notes, func(n string) bool { return strings.Contains(n, what) })
}

// installsAutomation: without the module setup says what is missing and does
// the rest; asked to, it installs the module and adds the automation.
func installsAutomation(t *testing.T, version int) {
	t.Parallel()
	ctx := t.Context()
	s := lab.Start(t, version)
	admin := connect(t, s, s.AdminLogin, s.AdminPassword)
	ids, err := admin.Search(ctx, "ir.module.module", odoo.Domain{odoo.Where("name", "=", "base_automation")}, odoo.Query{})
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	if err := admin.Call(ctx, "ir.module.module", "button_immediate_uninstall", []any{ids}, nil, nil); err != nil {
		t.Fatal(err)
	}
	o := options
	without, err := provision.Setup(ctx, admin, o)
	if err != nil {
		t.Fatal(err)
	}
	if !notes(without, "base_automation") || strings.Contains(without.String(), "automation     links") {
		t.Errorf("without the module:\n%s", without)
	}
	o.InstallBaseAutomation = true
	plan, err := provision.MakePlan(ctx, admin, o)
	if err != nil || len(plan.Steps) == 0 || plan.Steps[0].Name != "base_automation" {
		t.Errorf("plan to install: %v\n%s", err, plan)
	}
	with, err := provision.Setup(ctx, admin, o)
	if err != nil {
		t.Fatal(err)
	}
	if notes(with, "base_automation") || !strings.Contains(with.String(), "links in mails") {
		t.Errorf("with the module:\n%s", with)
	}
	if again, err := provision.Setup(ctx, admin, o); err != nil || !again.Empty() {
		t.Errorf("again: %v\n%s", err, again)
	}
}
