package sync

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"odbxfs"
)

// unseen makes a row one that no look names as changed: as if its transaction
// had slipped through below the mark.
func (r *rig) unseen(ref odbxfs.OdooRef) {
	r.odoo.mu.Lock()
	defer r.odoo.mu.Unlock()
	r.odoo.stamp[ref] = 0
}

// Each look compares what Odoo has with what is known here, by count and sum of
// numbers: what the incremental part missed is found within one interval.
func TestWhatALookMissedIsFoundByTheCountsOfTheNext(t *testing.T) {
	r := newRig(t, 1, func(o *Options) { o.Interval = 10 * time.Second })
	for i := range 20 {
		r.odoo.addFile(order1, fileName(i), fmt.Appendf(nil, "text %d", i))
	}
	r.settle()
	r.unseen(r.odoo.addFile(order2, "missed", []byte("missed")))
	r.while(15*time.Second, "apply")
	if !slices.Contains(files(r.dropbox.paths()), dir2+"/missed = missed") {
		t.Errorf("Dropbox has %v", files(r.dropbox.paths()))
	}
	// One that went and one that came: the count is the same, their sum is not.
	r.odoo.remove(r.pick(func(n odbxfs.OdooNode) bool { return n.Name == fileName(7) }))
	r.unseen(r.odoo.addFile(order1, "instead", []byte("instead")))
	r.while(20*time.Second, "apply")
	got := files(r.dropbox.paths())
	if len(got) != 21 || !slices.Contains(got, dir1+"/instead = instead") || slices.Contains(got, dir1+"/f07 = text 7") {
		t.Errorf("Dropbox has %v", got)
	}
	r.agree()
	r.quiet()
}

// A difference leads to the scope that differs, and not into the others.
func TestOnlyTheScopeThatDiffersIsListed(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.addFile(order1, "a", []byte("a"))
	b := r.odoo.addFile(order1, "b", []byte("b"))
	r.settle()
	r.quiet()
	before := r.odoo.calls["refs"]
	r.while(time.Minute, "apply")
	if n := r.odoo.calls["refs"] - before; n != 0 {
		t.Errorf("idle, it lists %d scopes", n)
	}
	r.removeInOdoo(b)
	r.while(10*time.Second, "apply")
	if n := r.odoo.calls["refs"] - before; n != 1 {
		t.Errorf("one document less: it lists %d scopes", n)
	}
	r.agree()
}

// More rows than one step takes are taken over in several, and nothing is
// planned in between: what is gone is known at the end only.
func TestALookIsPlannedForWhenItIsTakenOverWhole(t *testing.T) {
	for seed := range uint64(10) {
		r := newRig(t, seed)
		old := r.odoo.addFile(order1, "a.txt", []byte("old"))
		r.settle()
		r.odoo.remove(old) // by the counts, after the rows
		r.odoo.addFile(order1, "a.txt", []byte("new"))
		r.settle()
		r.agree()
		for _, l := range r.odoo.log {
			if l.What == odbxfs.TaskDropboxMove.String() {
				t.Errorf("seed %d: the new one had another name at first: %+v", seed, l)
			}
		}
	}
}

func TestAFailingOdooIsAskedLessAndLessAndWhatItSaidCounts(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	r.faults.before = func(call string) error {
		if call == "odoo refs" {
			return unavailable(call)
		}
		return nil
	}
	gone := r.odoo.addFile(order1, "gone", []byte("gone"))
	r.while(time.Minute, "apply")
	r.removeInOdoo(gone)
	r.odoo.addFile(order1, "came", []byte("came")) // its row is told, before the lists fail
	looks := r.odoo.calls["changes"]
	r.while(5*time.Minute, "apply")
	if n := r.odoo.calls["changes"] - looks; n < 4 || n > 40 {
		t.Errorf("%d looks in five minutes", n)
	}
	if !slices.Contains(files(r.dropbox.paths()), dir1+"/came = came") {
		t.Errorf("Dropbox has %v", files(r.dropbox.paths()))
	}
	s, err := r.engine.Status()
	if err != nil || s.OdooOK || s.OdooErr != odbxfs.KindUnavailable {
		t.Errorf("status %+v, %v", s, err)
	}
	r.settle()
	r.mustHave(dir1 + "/came = came")
	r.agree()
}
