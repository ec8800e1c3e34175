package sync

import (
	"fmt"
	"testing"

	"odbxfs"
	"odbxfs/sync/plan"
)

// A folder with a link and a mirrored binary is removed in Dropbox, and taken back:
// Odoo's rows of their pairs are written again, not doubled.
func TestAHeldFolderIsTakenBack(t *testing.T) {
	r := newRig(t, 1, func(o *Options) { o.Guard = plan.GuardPolicy{Most: 2, Share: 1000} })
	sub := r.odoo.addFolder(order1, "sub")
	r.odoo.addFile(sub, "link.txt", []byte("one"))
	r.odoo.addFile(sub, "picture.png", []byte("two"))
	r.settle()
	pairs := len(r.odoo.pairs)
	r.dropbox.personRemoves(dir1 + "/sub")
	r.step(Event{})
	r.settle()
	r.mustHold(3, 2, r.tree())
	if n, err := r.engine.RestoreHeld(); n != 3 || err != nil {
		t.Fatalf("%d were taken back, %v", n, err)
	}
	r.step(Event{})
	r.settle()
	if why := r.parked(); len(why) != 0 {
		t.Errorf("parked: %v", why)
	}
	r.mustHave(dir1+"/sub/link.txt = one", dir1+"/sub/picture.png = two")
	if len(r.odoo.pairs) > pairs+1 { // the link had its end, and began anew
		t.Errorf("there were %d rows of pairs, there are %d", pairs, len(r.odoo.pairs))
	}
	r.agree()
	r.quiet()
}

// Whoever takes held deletions back has everything again, on both sides, in
// whichever place it was removed.
func TestHeldDeletionsAreTakenBack(t *testing.T) {
	for _, w := range ways {
		for _, removed := range []int{30, 60} {
			t.Run(fmt.Sprintf("%s, %d of 60", w.name, removed), func(t *testing.T) {
				r, refs := guarded(t, 1, 60)
				w.remove(r, refs, 0, removed)
				r.settle()
				r.mustHold(removed, 60, w.side(r))
				if n, err := r.engine.RestoreHeld(); n != removed || err != nil {
					t.Fatalf("%d were taken back, %v", n, err)
				}
				r.step(Event{})
				r.settle()
				r.mustHold(0, 60, r.tree())
				r.mustHold(0, 60, r.dropbox.paths())
				r.agree()
				r.quiet()
			})
		}
	}
}

// One file of a removed folder is taken back, the others are let go: its folder
// comes back with it.
func TestAFileIsTakenBackWithItsFolder(t *testing.T) {
	for _, approveFirst := range []bool{false, true} {
		r := newRig(t, 1, func(o *Options) { o.Guard = plan.GuardPolicy{Most: 2, Share: 1000} })
		sub := r.odoo.addFolder(order1, "sub")
		keep := r.odoo.addFile(sub, "keep", []byte("one"))
		var rest []odbxfs.OdooRef
		for i := range 4 {
			rest = append(rest, r.odoo.addFile(sub, fileName(i), []byte{byte('a' + i)}))
		}
		r.settle()
		node, folder := r.node(keep), r.node(sub)
		r.removeInOdoo(append(rest, keep, sub)...)
		r.settle()
		r.mustHold(6, 5, r.dropbox.paths())
		if approveFirst { // the folder alone: it cannot go while something is in it
			if _, err := r.engine.Approve(folder); err != nil {
				t.Fatal(err)
			}
			r.settle()
		}
		if n, err := r.engine.RestoreHeld(node); n != 1 || err != nil {
			t.Fatalf("%d were taken back, %v", n, err)
		}
		r.settle()
		r.approve()
		r.settle()
		r.mustHave(dir1 + "/sub/keep = one")
		r.mustHold(0, 1, r.tree())
		r.agree()
		r.quiet()
	}
}

// The same things are removed in Dropbox and then in the mount: both deletions are
// held, and one word of a person lets both go.
func TestWhatIsHeldTwiceIsApprovedAtOnce(t *testing.T) {
	for seed := range uint64(4) {
		r, _ := guarded(t, seed, 60)
		r.removeInDropbox(0, 30)
		r.settle()
		r.removeInMount(0, 30)
		r.settle()
		r.approve()
		r.settle()
		r.mustHold(0, 30, r.tree())
		r.mustHold(0, 30, r.dropbox.paths())
		r.agree()
		r.quiet()
	}
}
