package scenario

import (
	"encoding/base64"
	"errors"
	"os"
	"testing"
)

// fromOdoo: what people do in Odoo follows in Dropbox and in the mount.
var fromOdoo = []scenario{
	{name: "attachments of messages and of RPC go to Dropbox, and leave it", run: attachedInOdoo},
	{name: "a renamed record renames its folder on both sides", run: recordRenamed},
	{name: "a new rule has its folders within one check", run: newRule},
	{name: "a deleted record takes its Dropbox folder along", run: recordDeleted},
	{name: "a subfolder made, renamed, moved and deleted in Odoo", run: subfolderInOdoo},
}

func attachedInOdoo(t *testing.T, w *World) {
	id, name := w.order(t)
	must(t, w.odoo.call(t.Context(), "sale.order", "message_post", []any{[]int64{id}}, map[string]any{
		"body": "see there", "attachments": []any{[]any{"by message.txt", "of the chatter"}}}, nil))
	var made int64
	must(t, w.odoo.call(t.Context(), "ir.attachment", "create", []any{map[string]any{
		"name": "by rpc.txt", "res_model": "sale.order", "res_id": id, "datas": base64.StdEncoding.EncodeToString([]byte("of RPC"))}}, nil, &made))
	w.eventually(t, "both in Dropbox", func() error {
		return errors.Join(holds(w.box2("Sales Orders", name, "by message.txt"), "of the chatter"), holds(w.box2("Sales Orders", name, "by rpc.txt"), "of RPC"))
	})
	w.one(t, "sale.order", id, "by rpc.txt", isLink)
	must(t, w.odoo.call(t.Context(), "ir.attachment", "unlink", []any{[]int64{made}}, nil, nil))
	w.eventually(t, "gone in Dropbox and mount", func() error {
		return errors.Join(gone(w.box2("Sales Orders", name, "by rpc.txt")), gone(w.in("Sales Orders", name, "by rpc.txt")))
	})
	must(t, holds(w.box2("Sales Orders", name, "by message.txt"), "of the chatter"))
}

func recordRenamed(t *testing.T, w *World) {
	var id int64
	must(t, w.odoo.call(t.Context(), "project.project", "create", []any{map[string]any{"name": "Before " + w.column.String()}}, nil, &id))
	before := "Before " + w.odoo0()
	w.eventually(t, "its folder", func() error { _, err := os.Stat(w.in("Projects", before)); return err })
	must(t, os.WriteFile(w.in("Projects", before, "p.txt"), []byte("p"), 0o644))
	w.one(t, "project.project", id, "p.txt", isLink)
	w.eventually(t, "in Dropbox", func() error { return holds(w.box2("Projects", before, "p.txt"), "p") })
	must(t, w.odoo.call(t.Context(), "project.project", "write", []any{[]int64{id}, map[string]any{"name": "After"}}, nil, nil))
	w.eventually(t, "renamed on both sides", func() error {
		return errors.Join(holds(w.box2("Projects", "After", "p.txt"), "p"), holds(w.in("Projects", "After", "p.txt"), "p"),
			gone(w.box2("Projects", before)), gone(w.in("Projects", before)))
	})
}

// odoo0 is the column's name as a folder shows it: a slash can't stand in one.
func (w *World) odoo0() string { return w.column.odoo + "_" + w.column.wiring }

func newRule(t *testing.T, w *World) {
	model := w.first(t, "ir.model", [][]any{{"model", "=", "res.partner"}})
	client := w.first(t, "x_odbxfs_client", [][]any{})
	var rule int64
	must(t, w.odoo.call(t.Context(), "x_odbxfs_rule", "create", []any{map[string]any{
		"x_name": "Contacts", "x_model_id": model, "x_domain": "[('is_company','=',True)]", "x_subfolders": "Letters\nForms", "x_client_id": client}}, nil, &rule))
	partner := w.nameOf(t, "res.partner", w.first(t, "res.partner", [][]any{{"is_company", "=", true}}))
	w.eventually(t, "folders and default subfolders on both sides", func() error {
		_, err := os.Stat(w.in("Contacts", partner, "Letters"))
		_, err2 := os.Stat(w.box2("Contacts", partner, "Forms"))
		return errors.Join(err, err2)
	})
}

func recordDeleted(t *testing.T, w *World) {
	var id int64
	must(t, w.odoo.call(t.Context(), "project.project", "create", []any{map[string]any{"name": "Short-lived"}}, nil, &id))
	w.eventually(t, "its folder", func() error { _, err := os.Stat(w.box2("Projects", "Short-lived")); return err })
	must(t, os.WriteFile(w.in("Projects", "Short-lived", "p.txt"), []byte("p"), 0o644))
	w.one(t, "project.project", id, "p.txt", isLink)
	must(t, w.odoo.call(t.Context(), "project.project", "unlink", []any{[]int64{id}}, nil, nil))
	w.eventually(t, "gone on both sides", func() error {
		return errors.Join(gone(w.box2("Projects", "Short-lived")), gone(w.in("Projects", "Short-lived")))
	})
}

func subfolderInOdoo(t *testing.T, w *World) {
	id, name := w.order(t)
	otherID, other := w.order(t)
	var folder int64
	must(t, w.odoo.call(t.Context(), "x_odbxfs_folder", "create", []any{map[string]any{"x_name": "Plans", "x_model": "sale.order", "x_res_id": id}}, nil, &folder))
	w.eventually(t, "made", func() error {
		_, err := os.Stat(w.in("Sales Orders", name, "Plans"))
		_, err2 := os.Stat(w.box2("Sales Orders", name, "Plans"))
		return errors.Join(err, err2)
	})
	must(t, os.WriteFile(w.in("Sales Orders", name, "Plans", "f.txt"), []byte("f"), 0o644))
	doc := w.one(t, "sale.order", id, "f.txt", isLink)
	w.eventually(t, "in Dropbox", func() error { return holds(w.box2("Sales Orders", name, "Plans", "f.txt"), "f") })
	w.agree(t)
	moves := func() int { c := w.box.Counts(); return c["files/move_v2"] + c["files/move_batch_v2"] }
	before := moves()
	must(t, w.odoo.call(t.Context(), "x_odbxfs_folder", "write", []any{[]int64{folder}, map[string]any{"x_name": "Drafts"}}, nil, nil))
	w.eventually(t, "renamed", func() error {
		return errors.Join(holds(w.box2("Sales Orders", name, "Drafts", "f.txt"), "f"), holds(w.in("Sales Orders", name, "Drafts", "f.txt"), "f"))
	})
	must(t, w.odoo.call(t.Context(), "x_odbxfs_folder", "write", []any{[]int64{folder}, map[string]any{"x_res_id": otherID}}, nil, nil))
	must(t, w.odoo.call(t.Context(), "ir.attachment", "write", []any{[]int64{doc.ID}, map[string]any{"res_id": otherID}}, nil, nil))
	w.eventually(t, "moved", func() error {
		return errors.Join(holds(w.box2("Sales Orders", other, "Drafts", "f.txt"), "f"), holds(w.in("Sales Orders", other, "Drafts", "f.txt"), "f"))
	})
	if n := moves() - before; n != 2 {
		t.Errorf("%d moves in Dropbox, want one for each", n)
	}
	must(t, w.odoo.call(t.Context(), "ir.attachment", "unlink", []any{[]int64{doc.ID}}, nil, nil))
	must(t, w.odoo.call(t.Context(), "x_odbxfs_folder", "unlink", []any{[]int64{folder}}, nil, nil))
	w.eventually(t, "deleted", func() error {
		return errors.Join(gone(w.box2("Sales Orders", other, "Drafts")), gone(w.in("Sales Orders", other, "Drafts")))
	})
}
