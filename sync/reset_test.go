package sync

import (
	"fmt"
	"testing"

	"odbxfs"
	"odbxfs/sync/plan"
)

// pairsLeft counts the living pairs in Odoo.
func (r *rig) pairsLeft() (n int) {
	for _, p := range r.odoo.pairs {
		if !p.Gone {
			n++
		}
	}
	return n
}

// Deletions that wait for a person keep their pairs; with them `setup --remove`
// would refuse for ever. Who resets has decided: nothing is deleted in Dropbox
// but by --remove-remote, and no pair is left.
func TestResetLetsGoOfWhatWaitsForAPerson(t *testing.T) {
	for _, remove := range []bool{false, true} {
		t.Run(fmt.Sprintf("remove remote %v", remove), func(t *testing.T) {
			r := newRig(t, 1, func(o *Options) { o.Guard = plan.GuardPolicy{Most: 5} })
			var refs []odbxfs.OdooRef
			for i := range 10 {
				refs = append(refs, r.odoo.addFile(order1, fmt.Sprintf("f%d", i), []byte{byte('a' + i)}))
			}
			keep := r.odoo.addFile(order2, "keep", []byte("kept"))
			r.calm()
			for _, ref := range refs {
				r.odoo.remove(ref)
			}
			r.step(Event{})
			r.settle()
			if s, err := r.engine.Status(); err != nil || len(s.Held) != 10 {
				t.Fatalf("%d are held, %v", len(s.Held), err)
			}

			report := r.reset(ResetOptions{RemoveRemote: remove})
			if report.Links != 0 || report.Restored != 1 || len(report.Parked) != 0 {
				t.Errorf("report %+v", report)
			}
			if n := r.odoo.nodes[keep]; n.Type != odbxfs.Binary || string(r.odoo.bytes[keep]) != "kept" {
				t.Errorf("what was a link is %+v", n)
			}
			if n := r.pairsLeft(); n != 0 {
				t.Errorf("%d pairs are left", n)
			}
			want := 11
			if remove {
				want = 0
			}
			if left := files(r.dropbox.paths()); len(left) != want {
				t.Errorf("Dropbox has %v, want %d files", left, want)
			}
			if s, err := r.engine.Status(); err != nil || len(s.Held) != 0 {
				t.Errorf("%d are held still, %v", len(s.Held), err)
			}
		})
	}
}
