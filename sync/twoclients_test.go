package sync

import (
	"testing"

	"odbxfs"
)

// withSecond is a rig with two cloud clients; the second has a rule of its own.
func withSecond(t *testing.T, seed uint64) *rig {
	t.Helper()
	r := newRig(t, seed)
	second := r.odoo.client
	second.ID, second.Name, second.Root = 2, "second", "/Second"
	r.odoo.more = []odbxfs.CloudClient{second}
	r.odoo.owners = map[odbxfs.OdooRef]odbxfs.ClientID{odbxfs.RootRef(): 0, rule2: 2, odbxfs.RuleRef(1): 1}
	r.odoo.put(odbxfs.OdooNode{Ref: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRoot})
	r.odoo.put(odbxfs.OdooNode{Ref: rule2, ParentRef: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRule, Name: "Quotations"})
	return r
}

var rule2 = odbxfs.RuleRef(2)

// A record comes under a rule of another cloud client. Its links get their bytes
// back, its files leave the first client's Dropbox, and come into the second's,
// from where they are links again. What is new in it meanwhile waits, and never
// is put where the first client had the folder. It may go back the same way.
func TestARecordThatChangesItsCloudClientMovesThere(t *testing.T) {
	for seed := range uint64(10) {
		r := withSecond(t, seed)
		sub := r.odoo.addFolder(order1, "sub")
		a, b := r.odoo.addFile(order1, "a.pdf", []byte("one")), r.odoo.addFile(sub, "b.pdf", []byte("two"))
		r.settle()
		r.mustHave("/Odoo/Sales Orders/S00001/a.pdf = one", "/Odoo/Sales Orders/S00001/sub/b.pdf = two")
		r.odoo.changeRule(order1, rule2)
		r.odoo.addFile(sub, "c.pdf", []byte("three"))
		r.settle()
		r.mustHave("/Second/Quotations/S00001/a.pdf = one", "/Second/Quotations/S00001/sub/b.pdf = two",
			"/Second/Quotations/S00001/sub/c.pdf = three")
		if r.odoo.nodes[a].Type != odbxfs.Link || r.odoo.nodes[b].Type != odbxfs.Link {
			t.Error("they are no links of the second client")
		}
		r.quiet()
		r.odoo.changeRule(order1, odbxfs.RuleRef(1))
		r.settle()
		r.mustHave("/Odoo/Sales Orders/S00001/a.pdf = one", "/Odoo/Sales Orders/S00001/sub/b.pdf = two",
			"/Odoo/Sales Orders/S00001/sub/c.pdf = three")
		if why := r.parked(); len(why) != 0 {
			t.Errorf("parked: %v", why)
		}
		r.quiet()
	}
}
