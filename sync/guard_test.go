package sync

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/sync/plan"
)

// Law 8: a mass deletion is asked about as a whole, in however many looks,
// pages or batches it comes.

// guarded is a rig in which more than 20 deletions at once need a person,
// whatever their share.
func guarded(t *testing.T, seed uint64, files int) (*rig, []odbxfs.OdooRef) {
	t.Helper()
	r := newRig(t, seed, func(o *Options) { o.Guard = plan.GuardPolicy{Most: 20, Share: 1000} })
	var refs []odbxfs.OdooRef
	for i := range files {
		refs = append(refs, r.odoo.addFile(order1, fileName(i), fmt.Appendf(nil, "text %d", i)))
	}
	r.settle()
	return r, refs
}

func fileName(i int) string { return fmt.Sprintf("f%02d", i) }

// held gives how many deletions wait for a person.
func (r *rig) held() int {
	r.t.Helper()
	s, err := r.engine.Status()
	if err != nil {
		r.t.Fatal(err)
	}
	return len(s.Held)
}

// mustHold fails unless so many deletions wait for a person, and so many
// are on the side that is to lose them.
func (r *rig) mustHold(held, left int, side []string) {
	r.t.Helper()
	if got := r.held(); got != held {
		r.t.Errorf("%d deletions are held, want %d", got, held)
	}
	if got := len(files(side)); got != left {
		r.t.Errorf("%d files are left, want %d", got, left)
	}
}

// approve lets all go that is held.
func (r *rig) approve() {
	r.t.Helper()
	if _, err := r.engine.Approve(); err != nil {
		r.t.Fatal(err)
	}
	r.step(Event{})
}

// way is where people remove files, and the side on which that is held.
type way struct {
	name   string
	remove func(r *rig, refs []odbxfs.OdooRef, from, to int)
	side   func(r *rig) []string
}

var ways = []way{
	{"in Odoo", func(r *rig, refs []odbxfs.OdooRef, from, to int) { r.removeInOdoo(refs[from:to]...) },
		func(r *rig) []string { return r.dropbox.paths() }},
	{"in Dropbox", func(r *rig, _ []odbxfs.OdooRef, from, to int) { r.removeInDropbox(from, to) }, (*rig).tree},
	{"in the mount", func(r *rig, _ []odbxfs.OdooRef, from, to int) { r.removeInMount(from, to) }, (*rig).tree},
}

func (r *rig) removeInOdoo(refs ...odbxfs.OdooRef) {
	for _, ref := range refs {
		r.odoo.remove(ref)
	}
	r.step(Event{})
}

func (r *rig) removeInDropbox(from, to int) {
	for i := from; i < to; i++ {
		r.dropbox.personRemoves(dir1 + "/" + fileName(i))
	}
	r.step(Event{})
}

func (r *rig) removeInMount(from, to int) {
	r.t.Helper()
	r.update(func(tx *cache.Tx) error {
		for i := from; i < to; i++ {
			if _, err := tx.Unlink(r.mountDirTx(tx, "Sales Orders/S00001"), fileName(i)); err != nil {
				return err
			}
		}
		return nil
	})
	r.step(Event{})
}

func TestDeletionsInTwoLooksAtOdooAreHeldTogether(t *testing.T) {
	for seed := range uint64(8) {
		r, refs := guarded(t, seed, 60)
		for part := range slices.Chunk(refs[:30], 15) {
			r.removeInOdoo(part...)
			r.while(time.Second+300*time.Millisecond, "apply") // a look comes in between
		}
		r.settle()
		r.mustHold(30, 60, r.dropbox.paths())
		r.approve()
		r.settle()
		r.mustHold(0, 30, r.dropbox.paths())
		r.agree()
		r.quiet()
	}
}

func TestDeletionsInManyLooksAtOdooAreHeldTogether(t *testing.T) {
	for seed := range uint64(4) {
		r, refs := guarded(t, seed, 60)
		// A slow server: each look sees a dozen more gone.
		for part := range slices.Chunk(refs[:48], 12) {
			r.removeInOdoo(part...)
			r.while(2*time.Second, "apply")
		}
		r.settle()
		r.mustHold(48, 60, r.dropbox.paths())
	}
}

func TestDeletionsInManyPagesOfDropboxAreHeldTogether(t *testing.T) {
	for seed := range uint64(8) {
		r, _ := guarded(t, seed, 60)
		r.removeInDropbox(0, 15)
		r.while(1500*time.Millisecond, "apply")
		r.removeInDropbox(15, 30) // the fake's pages have three entries
		r.settle()
		r.mustHold(30, 60, r.tree())
		r.approve()
		r.settle()
		r.mustHold(0, 30, r.tree())
		r.agree()
	}
}

// One here, one there, each long after the one before rested: together they are
// a mass deletion all the same, and what is left of it waits.
func TestManySmallDeletionsWithinAMinuteAreAMassDeletion(t *testing.T) {
	for _, c := range ways {
		t.Run(c.name, func(t *testing.T) {
			r, refs := guarded(t, 1, 60)
			for i := 0; i < 32; i += 4 {
				c.remove(r, refs, i, i+4)
				r.while(6*time.Second, "apply") // they are through by then
			}
			r.while(8*time.Second, "apply")
			r.mustHold(12, 40, c.side(r))
		})
	}
}

func TestSmallDeletionsOverAnHourAreNobodysBusiness(t *testing.T) {
	r, refs := guarded(t, 1, 60)
	for i := 0; i < 48; i += 8 {
		r.removeInOdoo(refs[i : i+8]...)
		r.settle() // which lets ten minutes pass
	}
	r.mustHold(0, 12, r.dropbox.paths())
	r.agree()
}

func TestWhatAPersonApprovedDoesNotCount(t *testing.T) {
	for _, c := range ways {
		t.Run(c.name, func(t *testing.T) {
			r, refs := guarded(t, 2, 60)
			c.remove(r, refs, 0, 30)
			r.while(8*time.Second, "apply")
			r.mustHold(30, 60, c.side(r))
			r.approve()
			c.remove(r, refs, 30, 33) // before, and right after they are through
			r.while(8*time.Second, "apply")
			c.remove(r, refs, 33, 36)
			r.while(8*time.Second, "apply")
			r.mustHold(0, 24, c.side(r))
			r.agree()
		})
	}
}

// A restart forgets neither what waits nor what was carried out a moment ago.
func TestARestartBetweenTwoPartsOfAMassDeletion(t *testing.T) {
	t.Run("while the first part rests", func(t *testing.T) {
		for seed := range uint64(6) {
			r, refs := guarded(t, seed, 60)
			r.removeInOdoo(refs[:15]...)
			r.while(1500*time.Millisecond, "apply")
			r.removeInOdoo(refs[15:30]...)
			r.crash()
			r.settle()
			r.mustHold(30, 60, r.dropbox.paths())
		}
	})
	t.Run("after the first part", func(t *testing.T) {
		for seed := range uint64(6) {
			r, refs := guarded(t, seed, 60)
			r.removeInOdoo(refs[:15]...)
			r.while(20*time.Second, "apply")
			r.mustHold(0, 45, r.dropbox.paths())
			r.removeInOdoo(refs[15:30]...)
			r.crash()
			r.settle()
			r.mustHold(15, 45, r.dropbox.paths())
		}
	})
	t.Run("after a part of the mount's", func(t *testing.T) {
		r, _ := guarded(t, 1, 60)
		r.removeInMount(0, 15)
		r.while(20*time.Second, "apply")
		r.mustHold(0, 45, r.dropbox.paths())
		r.crash()
		r.removeInMount(15, 30)
		r.settle()
		r.mustHold(15, 45, r.tree())
	})
}

// One file after the other is not kept for a person, nor for long.
func TestASingleDeletionGoesOnAfterItsRest(t *testing.T) {
	r, refs := guarded(t, 1, 10)
	r.removeInOdoo(refs[0])
	r.while(4*time.Second, "apply")
	r.mustHold(0, 9, r.dropbox.paths())
	r.removeInDropbox(1, 2)
	r.while(4*time.Second, "apply")
	r.mustHold(0, 8, r.tree())
}

// Programs save by making a new file and putting it in the place of the old one,
// whose name is free only when it went.
func TestADeletionWhosePlaceIsTakenDoesNotRest(t *testing.T) {
	r, refs := guarded(t, 1, 10)
	r.engine.opt.Quiet = time.Hour
	r.odoo.addFile(order1, fileName(3), []byte("saved"))
	r.removeInOdoo(refs[3])
	r.while(10*time.Second, "apply")
	if got := files(r.dropbox.paths()); len(got) != 10 || !slices.Contains(got, dir1+"/f03 = saved") {
		t.Errorf("Dropbox has %v", got)
	}
	if n := r.odoo.nodes[refs[4]]; n.Ref.IsZero() {
		t.Error("another went too")
	}
}

// What was removed in the mount was counted and has rested there: in Dropbox it
// goes at once.
func TestWhatTheMountRemovedRestsOnce(t *testing.T) {
	r, _ := guarded(t, 1, 10)
	r.removeInMount(0, 1)
	start := r.clock
	for len(files(r.tree())) == 10 {
		r.while(100*time.Millisecond, "apply")
	}
	if rested := r.clock.Sub(start); rested < r.engine.opt.Quiet {
		t.Errorf("it rested %s", rested)
	}
	r.engine.opt.Quiet = time.Hour
	r.while(5*time.Second, "apply")
	r.mustHold(0, 9, r.dropbox.paths())
}

// Held deletions are a group: what comes a while after them, elsewhere, is not
// kept with them.
func TestASingleDeletionGoesOnWhileOthersAreHeld(t *testing.T) {
	for _, c := range ways {
		t.Run(c.name, func(t *testing.T) {
			r, refs := guarded(t, 3, 60)
			c.remove(r, refs, 0, 30)
			r.while(10*time.Second, "apply")
			c.remove(r, refs, 30, 31) // the tail of them, for all that anyone can tell
			r.while(8*time.Second, "apply")
			r.mustHold(31, 60, c.side(r))
			r.while(2*time.Minute, "apply")
			c.remove(r, refs, 31, 33)
			r.while(8*time.Second, "apply")
			r.mustHold(31, 58, c.side(r))
			r.approve()
			r.settle()
			r.mustHold(0, 27, c.side(r))
			r.agree()
		})
	}
}

// A folder whose contents are held is held with them, however late it goes.
func TestAFolderIsHeldWithWhatWasInIt(t *testing.T) {
	r, _ := guarded(t, 1, 0)
	dir := r.odoo.addFolder(order1, "d")
	for i := range 30 {
		r.odoo.addFile(dir, fileName(i), fmt.Appendf(nil, "text %d", i))
	}
	r.settle()
	r.update(func(tx *cache.Tx) error {
		in := r.mountDirTx(tx, "Sales Orders/S00001/d")
		for i := range 30 {
			if _, err := tx.Unlink(in, fileName(i)); err != nil {
				return err
			}
		}
		return nil
	})
	r.settle()
	r.mustHold(30, 30, r.tree())
	r.update(func(tx *cache.Tx) error { return tx.Rmdir(r.mountDirTx(tx, "Sales Orders/S00001"), "d") })
	r.settle()
	r.mustHold(31, 30, r.tree())
	r.approve()
	r.settle()
	r.mustHold(0, 0, r.tree())
	r.agree()
}

// The mount goes on while the engine counts: what came since is not chosen before
// it was counted, too.
func TestADeletionThatWasNotCountedYetWaits(t *testing.T) {
	r, _ := guarded(t, 1, 30)
	r.removeInMount(0, 3)
	r.clock = r.clock.Add(time.Minute) // these have rested
	for _, before := range []int{3, 0} {
		if err := r.engine.guardIntents(); err != nil {
			t.Fatal(err)
		}
		r.update(func(tx *cache.Tx) error {
			_, err := tx.Unlink(r.mountDirTx(tx, "Sales Orders/S00001"), fileName(20+before))
			return err
		})
		if err := r.store.View(func(tx *cache.Tx) error {
			jobs, err := r.engine.chooseIntents(tx, r.clock)
			if len(jobs) != before {
				t.Errorf("%d are chosen, want %d", len(jobs), before)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		r.while(20*time.Second, "apply") // all are through
		if got := len(files(r.tree())); got != 26 && before == 3 {
			t.Errorf("%d files are left", got)
		}
	}
}

// Without a guard nothing is kept back, and nothing rests for its sake.
func TestWithoutGuardDeletionsDoNotRest(t *testing.T) {
	r := newRig(t, 1, func(o *Options) { o.Guard.Off, o.Quiet = true, time.Hour })
	refs := []odbxfs.OdooRef{r.odoo.addFile(order1, "a", []byte("a")), r.odoo.addFile(order1, "b", []byte("b"))}
	r.calm()
	r.removeInOdoo(refs...)
	r.while(8*time.Second, "apply")
	r.mustHold(0, 0, r.dropbox.paths())
}

func TestATallyKeepsAMinute(t *testing.T) {
	at := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	var l tally
	l = l.add(at, 3, false)
	l = l.add(at.Add(200*time.Millisecond), 2, false)
	l = l.add(at.Add(30*time.Second), 7, true)
	if len(l) != 2 {
		t.Errorf("one second takes more than one line: %v", l)
	}
	for _, c := range []struct {
		after      time.Duration
		done, held int
	}{
		{30 * time.Second, 5, 7}, {59 * time.Second, 5, 7}, {62 * time.Second, 0, 7}, {92 * time.Second, 0, 0},
	} {
		if done, held := l.within(at.Add(c.after)); done != c.done || held != c.held {
			t.Errorf("after %s: %d done and %d held, want %d and %d", c.after, done, held, c.done, c.held)
		}
	}
	if l = l.decided(); len(l) != 1 || l[0].N != 5 {
		t.Errorf("after a person decided: %v", l)
	}
	if l = l.add(at.Add(time.Hour), 1, false); len(l) != 1 {
		t.Errorf("old lines stay: %v", l)
	}
}

// What is held waits for a person because it is gone on one side. When it is
// there again, nobody has to decide about it any more, and what happens to it is
// carried over; the others wait as before.
func TestWhatComesBackIsHeldNoLonger(t *testing.T) {
	t.Run("in Dropbox", func(t *testing.T) {
		r, refs := guarded(t, 1, 60)
		kept := map[odbxfs.DropboxID][]byte{}
		var was []odbxfs.DropboxNode
		for i := range 2 {
			n, _ := r.dropbox.at(dir1 + "/" + fileName(i))
			was, kept[n.ID] = append(was, n), r.dropbox.bytes[n.ID]
		}
		r.removeInDropbox(0, 30)
		r.settle()
		r.mustHold(30, 60, r.tree())
		for _, n := range was { // as Dropbox's own "restore" does: the same ids
			r.dropbox.put(n, kept[n.ID])
		}
		r.settle()
		r.mustHold(28, 60, r.tree())
		r.odoo.relocate(refs[0], order2, "moved")
		r.settle()
		if !slices.Contains(r.dropbox.paths(), dir2+"/moved = text 0") {
			t.Errorf("what came back is not worked on: %v", r.dropbox.paths())
		}
		r.approve()
		r.settle()
		r.mustHold(0, 32, r.tree())
		r.agree()
		r.quiet()
	})
	t.Run("in Odoo", func(t *testing.T) {
		r, refs := guarded(t, 1, 60)
		for _, ref := range refs[:30] {
			r.odoo.write(ref, []byte("binary "+ref.String())) // no links: these would get their bytes back first
			r.odoo.retain[r.odoo.nodes[ref].Name] = "a picture"
		}
		r.settle()
		for _, ref := range refs[:30] {
			r.odoo.leave(ref)
		}
		r.settle()
		r.mustHold(30, 60, r.dropbox.paths())
		r.odoo.comeBack(refs[0])
		r.settle()
		r.mustHold(29, 60, r.dropbox.paths())
		r.approve()
		r.settle()
		r.mustHold(0, 31, r.dropbox.paths())
		r.agree()
		r.quiet()
	})
}
