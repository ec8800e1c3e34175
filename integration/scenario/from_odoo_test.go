package scenario

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fromOdoo: what people do in Odoo follows in Dropbox and in the mount.
var fromOdoo = []scenario{
	{name: "attachments of messages, mails and RPC go to Dropbox, and leave it", run: attachedInOdoo},
	{name: "a renamed record renames its folder on both sides", run: recordRenamed},
	{name: "a new rule and a new record have their folders within one check", run: newRule},
	{name: "a deleted record takes its Dropbox folder along", run: recordDeleted},
	{name: "a subfolder made, renamed, moved and deleted in Odoo", run: subfolderInOdoo},
}

// attach makes a document over RPC, as any program may.
func (w *World) attach(t *testing.T, model string, id int64, name, content string) (made int64) {
	t.Helper()
	must(t, w.odoo.call(t.Context(), "ir.attachment", "create", []any{map[string]any{
		"name": name, "res_model": model, "res_id": id, "datas": base64.StdEncoding.EncodeToString([]byte(content))}}, nil, &made))
	return made
}

// incoming is a mail as Odoo's gateway gets it, with a file.
func incoming(file, content string) string {
	return strings.NewReplacer("\n", "\r\n", "FILE", file, "CONTENT", base64.StdEncoding.EncodeToString([]byte(content))).Replace(`From: Somebody <somebody@example.com>
To: sales@example.com
Subject: The signed offer
Message-Id: <` + file + `@example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=part

--part
Content-Type: text/plain; charset=utf-8

Please find it attached.
--part
Content-Type: application/octet-stream; name="FILE"
Content-Disposition: attachment; filename="FILE"
Content-Transfer-Encoding: base64

CONTENT
--part--
`)
}

func attachedInOdoo(t *testing.T, w *World) {
	id, name := w.order(t)
	must(t, w.odoo.call(t.Context(), "sale.order", "message_post", []any{[]int64{id}}, map[string]any{
		"body": "see there", "attachments": []any{[]any{"by message.txt", "of the chatter"}}}, nil))
	must(t, w.odoo.call(t.Context(), "mail.thread", "message_process", []any{"sale.order", incoming("by mail.bin", "of a mail")}, map[string]any{
		"thread_id": id}, nil))
	w.attach(t, "sale.order", id, "by rpc.txt", "of RPC")
	made := map[string]int64{}
	content := map[string]string{"by message.txt": "of the chatter", "by mail.bin": "of a mail", "by rpc.txt": "of RPC"}
	for file, want := range content {
		w.eventually(t, file+" on both sides", func() error {
			return errors.Join(holds(w.box2("Sales Orders", name, file), want), holds(w.in("Sales Orders", name, file), want))
		})
		// Of a mail, followers are told by mails that carry its files: those stay
		// binary until the mails are out.
		how := isLink
		if file == "by mail.bin" {
			how = func(document) error { return nil }
		}
		made[file] = w.one(t, "sale.order", id, file, how).ID
	}
	for file, att := range made {
		must(t, w.odoo.call(t.Context(), "ir.attachment", "unlink", []any{[]int64{att}}, nil, nil))
		w.eventually(t, file+" is gone in Dropbox and mount", func() error {
			return errors.Join(gone(w.box2("Sales Orders", name, file)), gone(w.in("Sales Orders", name, file)))
		})
		delete(made, file)
		for rest := range made {
			must(t, holds(w.box2("Sales Orders", name, rest), content[rest]))
		}
	}
}

func recordRenamed(t *testing.T, w *World) {
	var id int64
	before, after := "Before "+w.odoo0(), "After "+w.odoo0()
	must(t, w.odoo.call(t.Context(), "project.project", "create", []any{map[string]any{"name": before}}, nil, &id))
	w.attach(t, "project.project", id, "p.txt", "p")
	w.one(t, "project.project", id, "p.txt", isLink)
	w.eventually(t, "on both sides", func() error {
		return errors.Join(holds(w.box2("Projects", before, "p.txt"), "p"), holds(w.in("Projects", before, "p.txt"), "p"))
	})
	moves := w.movesInDropbox(t)
	must(t, w.odoo.call(t.Context(), "project.project", "write", []any{[]int64{id}, map[string]any{"name": after}}, nil, nil))
	w.eventually(t, "renamed on both sides", func() error {
		return errors.Join(holds(w.box2("Projects", after, "p.txt"), "p"), holds(w.in("Projects", after, "p.txt"), "p"),
			gone(w.box2("Projects", before)), gone(w.in("Projects", before)))
	})
	if n := w.movesInDropbox(t) - moves; n != 1 {
		t.Errorf("%d things were moved in Dropbox, want the folder alone", n)
	}
}

// odoo0 is the column's name as a folder shows it: a slash can't stand in one.
func (w *World) odoo0() string { return w.column.odoo + "_" + w.column.wiring }

// movesInDropbox counts the things that Dropbox was asked to move.
func (w *World) movesInDropbox(t *testing.T) int {
	t.Helper()
	n := 0
	for _, r := range w.box.Requests() {
		switch r.Route {
		case "files/move_v2":
			n++
		case "files/move_batch_v2":
			entries := 0
			if _, err := fmt.Sscanf(r.Item, "%d ", &entries); err != nil {
				t.Fatalf("how many entries are %q? %v", r.Item, err)
			}
			n += entries
		}
	}
	return n
}

// page makes a record as Odoo's page for its model does: with every field of
// the form, those that nobody filled in by their defaults.
func (w *World) page(t *testing.T, model string, form []string, filled map[string]any) (id int64) {
	t.Helper()
	vals := map[string]any{}
	for _, f := range form {
		vals[f] = false
	}
	if w.odoo.real() != nil {
		defaults := map[string]any{}
		must(t, w.odoo.call(t.Context(), model, "default_get", []any{form}, nil, &defaults))
		for f, v := range defaults {
			vals[f] = v
		}
	}
	for f, v := range filled {
		vals[f] = v
	}
	if w.odoo.real() == nil || w.odoo.version() < 17 {
		must(t, w.odoo.call(t.Context(), model, "create", []any{vals}, nil, &id))
		return id
	}
	var saved []struct {
		ID int64 `json:"id"`
	}
	must(t, w.odoo.call(t.Context(), model, "web_save", []any{[]int64{}, vals}, map[string]any{"specification": map[string]any{"x_name": map[string]any{}}}, &saved))
	return saved[0].ID
}

func newRule(t *testing.T, w *World) {
	partner := w.nameOf(t, "res.partner", w.first(t, "res.partner", [][]any{{"is_company", "=", true}}))
	w.page(t, "x_odbxfs_rule", []string{"x_name", "x_model_id", "x_template", "x_client_id", "x_parent_id", "x_sequence", "x_domain", "x_subfolders"}, map[string]any{
		"x_name": "Contacts", "x_domain": `[("is_company", "=", True)]`, "x_subfolders": "Letters\nForms",
		"x_model_id":  w.first(t, "ir.model", [][]any{{"model", "=", "res.partner"}}),
		"x_client_id": w.first(t, "x_odbxfs_client", [][]any{})})
	w.folders(t, "Contacts/"+partner, "Contacts/"+partner+"/Letters", "Contacts/"+partner+"/Forms")

	var id int64
	must(t, w.odoo.call(t.Context(), "res.partner", "create", []any{map[string]any{"name": "Newly Met", "is_company": true}}, nil, &id))
	w.folders(t, "Contacts/Newly Met/Letters", "Contacts/Newly Met/Forms")

	_, name := w.order(t)
	w.folders(t, "Sales Orders/"+name, "Sales Orders/"+name+"/Contracts")
}

// folders waits until empty folders show on both sides.
func (w *World) folders(t *testing.T, paths ...string) {
	t.Helper()
	w.eventually(t, strings.Join(paths, ", ")+" on both sides", func() error {
		var errs []error
		for _, p := range paths {
			for _, root := range []string{w.mount, w.drop} {
				info, err := os.Stat(filepath.Join(root, p))
				if err == nil && !info.IsDir() {
					err = fmt.Errorf("%s is no folder", p)
				}
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	})
}

func recordDeleted(t *testing.T, w *World) {
	var id int64
	name := "Short-lived " + w.odoo0()
	must(t, w.odoo.call(t.Context(), "project.project", "create", []any{map[string]any{"name": name}}, nil, &id))
	w.attach(t, "project.project", id, "p.txt", "p")
	w.one(t, "project.project", id, "p.txt", isLink)
	w.eventually(t, "on both sides", func() error {
		return errors.Join(holds(w.box2("Projects", name, "p.txt"), "p"), holds(w.in("Projects", name, "p.txt"), "p"))
	})
	must(t, w.odoo.call(t.Context(), "project.project", "unlink", []any{[]int64{id}}, nil, nil))
	w.eventually(t, "gone on both sides", func() error {
		return errors.Join(gone(w.box2("Projects", name)), gone(w.in("Projects", name)))
	})
}

func subfolderInOdoo(t *testing.T, w *World) {
	id, name := w.order(t)
	form := []string{"x_name", "x_parent_id", "x_model", "x_res_id"}
	folder := w.page(t, "x_odbxfs_folder", form, map[string]any{"x_name": "Plans", "x_model": "sale.order", "x_res_id": id})
	archive := w.page(t, "x_odbxfs_folder", form, map[string]any{"x_name": "Archive", "x_model": "sale.order", "x_res_id": id})
	base := "Sales Orders/" + name
	w.folders(t, base+"/Plans", base+"/Archive")
	att := w.attach(t, "sale.order", id, "f.txt", "f")
	must(t, w.odoo.call(t.Context(), "ir.attachment", "write", []any{[]int64{att}, map[string]any{"x_odbxfs_folder_id": folder}}, nil, nil))
	at := func(dir string) func() error {
		return func() error {
			return errors.Join(holds(w.box2(base, dir, "f.txt"), "f"), holds(w.in(base, dir, "f.txt"), "f"))
		}
	}
	w.eventually(t, "its file on both sides", at("Plans"))
	w.one(t, "sale.order", id, "f.txt", isLink)
	w.agree(t)

	w.oneMove(t, "renamed", folder, map[string]any{"x_name": "Drafts"}, at("Drafts"))
	w.oneMove(t, "moved", folder, map[string]any{"x_parent_id": archive}, at("Archive/Drafts"))
	if err := w.odoo.call(t.Context(), "x_odbxfs_folder", "unlink", []any{[]int64{folder}}, nil, nil); err == nil {
		t.Error("Odoo let a folder go that has a document")
	}
	must(t, w.odoo.call(t.Context(), "ir.attachment", "unlink", []any{[]int64{att}}, nil, nil))
	must(t, w.odoo.call(t.Context(), "x_odbxfs_folder", "unlink", []any{[]int64{folder}}, nil, nil))
	w.eventually(t, "deleted", func() error {
		return errors.Join(gone(w.box2(base, "Archive", "Drafts")), gone(w.in(base, "Archive", "Drafts")))
	})
	w.folders(t, base+"/Archive")
	w.agree(t)
}

// oneMove changes a folder in Odoo, and wants that to be one move in Dropbox.
func (w *World) oneMove(t *testing.T, what string, folder int64, vals map[string]any, check func() error) {
	t.Helper()
	before := w.movesInDropbox(t)
	must(t, w.odoo.call(t.Context(), "x_odbxfs_folder", "write", []any{[]int64{folder}, vals}, nil, nil))
	w.eventually(t, what+" on both sides", check)
	if n := w.movesInDropbox(t) - before; n != 1 {
		t.Errorf("%s: %d things were moved in Dropbox, want one", what, n)
	}
}
