package ports

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"odbxfs"
	"odbxfs/odoo"
	"odbxfs/odoo/odootest/contract"
	"odbxfs/odoo/provision"
)

// employeeRights: the demo user has his rights on sale orders taken away.
func employeeRights(b *bench) {
	t := b.t
	order := odbxfs.RecordRef("sale.order", b.orderID(t, "S00001"))
	hidden := b.put(t, b.engine, order, "hidden.txt", []byte("h"))
	partner := b.partner(t, "Rights")
	shown := b.put(t, b.engine, partner, "shown.txt", []byte("s"))
	plain := odoo.NewUser(b.employee(t))
	b.absent(t, plain, order)
	b.absent(t, plain, hidden.Ref)
	if n := b.node(t, plain, shown.Ref); n.Writable {
		t.Errorf("writable: %+v", n)
	}
	c, err := plain.Changes(b.ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(c.Nodes, func(n odbxfs.OdooNode) bool { return n.Ref.Model == "sale.order" || n.Name == "Sales Orders" }) {
		t.Error("he sees sale orders that he may not read")
	}
	if slices.ContainsFunc(c.Counts, func(n odbxfs.OdooCount) bool { return n.Scope.Model == "sale.order" }) {
		t.Error("he sees how many sale orders there are")
	}
	wantKind(t, b.apply(t, plain, odbxfs.Refused, create(order, "x.txt", []byte("x"))).Err, odbxfs.KindMissing)
	wantKind(t, b.apply(t, plain, odbxfs.Refused, create(partner, "x.txt", []byte("x"))).Err, odbxfs.KindAccess)
	wantKind(t, b.apply(t, plain, odbxfs.Refused, rewrite(shown, []byte("x"))).Err, odbxfs.KindAccess)
	wantKind(t, b.apply(t, plain, odbxfs.Refused, relocate(shown, partner, "y.txt")).Err, odbxfs.KindAccess)
	wantKind(t, b.apply(t, plain, odbxfs.Refused, remove(shown)).Err, odbxfs.KindAccess)
	wantKind(t, b.apply(t, plain, odbxfs.Refused, mkdir(partner, "D")).Err, odbxfs.KindAccess)
	b.apply(t, plain, odbxfs.Gone, remove(hidden))
	wantKind(t, plain.MayWrite(b.ctx, order), odbxfs.KindMissing)
	wantKind(t, plain.MayWrite(b.ctx, partner), odbxfs.KindAccess)
	if err := b.user.MayWrite(b.ctx, partner); err != nil {
		t.Error(err)
	}
	if err := plain.MayWrite(b.ctx, odbxfs.RootRef()); err != nil {
		t.Error("free folders are for every employee:", err)
	}
	if _, err := plain.Content(b.ctx, hidden.Ref, 0, -1); err == nil {
		t.Error("he reads what he may not")
	}
	withPair := create(partner, "p.txt", []byte("p"))
	withPair.Pair = &odbxfs.Pair{Client: b.client, Kind: odbxfs.File}
	wantKind(t, b.apply(t, b.user, odbxfs.Refused, withPair).Err, odbxfs.KindAccess)
	link := odbxfs.OdooOp{Kind: odbxfs.OdooCreateFile, Key: "l", Parent: partner, Name: "l", URL: "https://www.dropbox.com/x"}
	wantKind(t, b.apply(t, b.user, odbxfs.Refused, link).Err, odbxfs.KindAccess)
}

// employee makes an internal user without any further group.
func (b *bench) employee(t *testing.T) *odoo.Client {
	t.Helper()
	groups := "groups_id"
	if b.srv.Version >= 19 {
		groups = "group_ids"
	}
	user := b.xmlID(t, "base", "group_user")
	if n := b.count(t, "res.users", Where{"login": "clerk"}); n == 0 {
		vals := map[string]any{"name": "Clerk", "login": "clerk", "password": "clerk-Secret-1", groups: []any{[]any{6, 0, []int64{user}}}}
		if _, err := b.admin.Create(b.ctx, "res.users", vals); err != nil {
			t.Fatal(err)
		}
	}
	return b.connect(t, contract.Login{Login: "clerk", Password: "clerk-Secret-1"})
}

// actionIDs gives our actions of one set, by name.
func (b *bench) actionIDs(t *testing.T, set provision.Set) map[string]int64 {
	t.Helper()
	ids := map[string]int64{}
	for _, a := range provision.Actions() {
		if a.Set == set {
			ids[a.Name] = b.xmlID(t, "odbxfs", "action_"+a.Name)
		}
	}
	if len(ids) == 0 {
		t.Fatal("no actions")
	}
	return ids
}

func portalRefused(b *bench) {
	t := b.t
	for _, set := range []provision.Set{provision.EngineSet, provision.UserSet} {
		for name, id := range b.actionIDs(t, set) {
			if err := b.portal.RunAction(b.ctx, id, nil, nil); !odbxfs.IsKind(err, odbxfs.KindAccess) {
				t.Errorf("%s by a portal user: %v", name, err)
			}
		}
	}
	if _, err := odoo.NewUser(b.portal).Changes(b.ctx, ""); !odbxfs.IsKind(err, odbxfs.KindAccess) {
		t.Errorf("a mount of a portal user: %v", err)
	}
}

func engineRefused(b *bench) {
	t := b.t
	for name, id := range b.actionIDs(t, provision.EngineSet) {
		if err := b.demo.RunAction(b.ctx, id, nil, nil); !odbxfs.IsKind(err, odbxfs.KindAccess) {
			t.Errorf("%s by an employee: %v", name, err)
		}
	}
	for _, model := range []string{"x_odbxfs_pair", "x_odbxfs_lease", "x_odbxfs_key", "x_odbxfs_upload", "x_odbxfs_rule", "x_odbxfs_folder", "x_odbxfs_log", "x_odbxfs_client"} {
		if _, err := b.demo.SearchCount(b.ctx, model, nil); !odbxfs.IsKind(err, odbxfs.KindAccess) {
			t.Errorf("%s by an employee: %v", model, err)
		}
	}
}

func verifyGroups(b *bench) {
	t := b.t
	if err := b.engine.Verify(b.ctx); err != nil {
		t.Fatal(err)
	}
	groups := "groups_id"
	if b.srv.Version >= 19 {
		groups = "group_ids"
	}
	id := b.actionIDs(t, provision.UserSet)["user_changes"]
	portal := b.xmlID(t, "base", "group_portal")
	for _, command := range [][]any{{4, portal, 0}, {6, 0, []int64{}}} { // one group too many, then none
		if err := b.admin.Write(b.ctx, "ir.actions.server", []int64{id}, map[string]any{groups: []any{command}}); err != nil {
			t.Fatal(err)
		}
		wantKind(t, b.engine.Verify(b.ctx), odbxfs.KindUnsupported)
	}
	plan, err := provision.Setup(b.ctx, b.admin, demoOptions)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Steps) != 1 {
		t.Errorf("setup repaired more than it should:\n%s", plan)
	}
	if err := b.engine.Verify(b.ctx); err != nil {
		t.Error(err)
	}
}

func engineContent(b *bench) {
	t := b.t
	order := odbxfs.RecordRef("sale.order", b.orderID(t, "S00002"))
	content := []byte("for sellers only")
	n := b.put(t, b.engine, order, "secret.txt", content)
	before := b.row(t, "ir.attachment", n.Ref.ID)["write_date"]
	for range 2 {
		if got := read(t, func() (io.ReadCloser, error) { return b.engine.Content(b.ctx, n.Ref, 4, 7) }); !bytes.Equal(got, content[4:11]) {
			t.Errorf("got %q", got)
		}
	}
	if after := b.row(t, "ir.attachment", n.Ref.ID)["write_date"]; after != before {
		t.Error("reading made the document look changed")
	}
	other := b.put(t, b.engine, order, "other.txt", []byte("other"))
	refs := []odbxfs.OdooRef{odbxfs.AttachmentRef(99_999_999), n.Ref, other.Ref}
	for room, want := range map[int64]int{100: 2, int64(len(content)): 1, 1: 0} {
		got, err := b.engine.Contents(b.ctx, refs, room)
		if err != nil || len(got) != want || want > 0 && !bytes.Equal(got[n.Ref], content) {
			t.Errorf("with room for %d bytes: %q %v, want %d", room, got, err, want)
		}
	}
	_, err := b.engine.Content(b.ctx, odbxfs.AttachmentRef(99_999_999), 0, -1)
	wantKind(t, err, odbxfs.KindMissing)
}
