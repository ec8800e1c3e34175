package cache

import (
	"fmt"
	"testing"

	"odbxfs"
)

func TestOpenIntentsComeInOrderAndAsFarAsWanted(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	const all = 2*intentPage + 3
	update(t, s, func(tx *Tx) error {
		for i := range all {
			if _, err := tx.Mkdir(dir, fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	})
	for _, want := range []int{1, intentPage, intentPage + 1, all} {
		last, seen := uint64(0), 0
		view(t, s, func(tx *Tx) error {
			return tx.OpenIntents(func(i odbxfs.Intent) bool {
				if i.Seq <= last {
					t.Errorf("%d comes after %d", i.Seq, last)
				}
				last, seen = i.Seq, seen+1
				return seen < want
			})
		})
		if seen != want {
			t.Errorf("%d were read, want %d", seen, want)
		}
	}
}

// A store of before the lists of open intents and of removals gets them when it
// is opened: neither is one forgotten, nor a removal past the guard.
func TestAnOlderStoreGetsItsListsOfIntents(t *testing.T) {
	path := t.TempDir()
	s := diskStore(t, path)
	dir := world(t, s, document(7, "old", order))
	write(t, s, dir, "a", "x")
	update(t, s, func(tx *Tx) error { _, err := tx.Unlink(dir, "old"); return err })
	update(t, s, func(tx *Tx) error {
		for _, i := range intentsIn(t, tx) {
			for _, space := range []string{kIntentOpen, kIntentGone} {
				if err := tx.del(keySeq(space, i.Seq)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	view(t, diskStore(t, path), checkHolds)
}

func intentsIn(t *testing.T, tx *Tx) []odbxfs.Intent {
	t.Helper()
	list, err := tx.Intents()
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v %v, want two intents", list, err)
	}
	return list
}

// A look may bring a new row before the answer to the create does that made it:
// it shows as a file of its own, until it is known to be the one that was
// removed here meanwhile.
func TestALookBeforeTheAnswerBringsNothingBack(t *testing.T) {
	for _, c := range []struct {
		name      string
		attempted bool
		end       func(tx *Tx, dir odbxfs.NodeID) error
	}{
		{"removed", false, func(tx *Tx, dir odbxfs.NodeID) error { _, err := tx.Unlink(dir, "tmp"); return err }},
		{"removed, the create counted", true, func(tx *Tx, dir odbxfs.NodeID) error { _, err := tx.Unlink(dir, "tmp"); return err }},
		{"renamed over another", false, func(tx *Tx, dir odbxfs.NodeID) error { return tx.Rename(dir, "tmp", dir, "f", 0) }},
		{"renamed over another, the create counted", true, func(tx *Tx, dir odbxfs.NodeID) error { return tx.Rename(dir, "tmp", dir, "f", 0) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := memStore(t)
			dir := world(t, s)
			write(t, s, dir, "f", "old")
			tmp := write(t, s, dir, "tmp", "tmp")
			update(t, s, func(tx *Tx) error {
				in, _, err := tx.Intent(tmp.Node)
				if err != nil {
					return err
				}
				if c.attempted {
					in.Attempts++
				}
				if err := tx.PutIntent(in); err != nil {
					return err
				}
				return c.end(tx, dir)
			})
			n := document(7, "tmp", order)
			putOdoo(t, s, n)
			n.Node = tmp.Node
			putOdoo(t, s, n)
			wantNames(t, s, dir, "f")
			update(t, s, func(tx *Tx) error {
				in, ok, err := tx.Intent(tmp.Node)
				if err == nil && (!ok || !in.Gone || in.Was.Ref != n.Ref) {
					t.Errorf("the intent is %+v, want a removal of %s", in, n.Ref)
				}
				return err
			})
			view(t, s, checkHolds)
		})
	}
}

// Unless somebody wrote to what the look had shown.
func TestAWriteToWhatALookBroughtBeatsTheRemoval(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	tmp := write(t, s, dir, "tmp", "tmp")
	update(t, s, func(tx *Tx) error { _, err := tx.Unlink(dir, "tmp"); return err })
	n := document(7, "tmp", order)
	putOdoo(t, s, n)
	write(t, s, dir, "tmp", "newer")
	n.Node = tmp.Node
	putOdoo(t, s, n)
	wantNames(t, s, dir, "tmp")
	if l := intents(t, s); len(l) != 1 || l[0].Gone || l[0].ContentSHA1 != sha("newer") {
		t.Errorf("the intents are %+v, want one with the newer bytes", l)
	}
	view(t, s, checkHolds)
}

// A file that was renamed here and got other bytes in Odoo shows those, and what is
// written from then on was written over them. What was written before was not.
func TestARenamedFileShowsOdoosNewBytes(t *testing.T) {
	for _, written := range []bool{false, true} {
		s := memStore(t)
		dir := world(t, s)
		n := document(7, "a.txt", order)
		putOdoo(t, s, n)
		update(t, s, func(tx *Tx) error { return tx.Rename(dir, "a.txt", dir, "b.txt", 0) })
		if written {
			write(t, s, dir, "b.txt", "mine")
		}
		n.SHA1, n.Size = sha("Odoo's"), 6
		putOdoo(t, s, n)
		now, in := lookup(t, s, dir, "b.txt"), intents(t, s)
		if len(in) != 1 || now.State == odbxfs.StateClean {
			t.Fatalf("written %v: %+v, intents %+v", written, now, in)
		}
		if shows := now.SHA1 == n.SHA1 && now.Size == 6; shows == written {
			t.Errorf("written %v: it shows %+v", written, now)
		}
		if starts := in[0].Was.SHA1 == n.SHA1 && in[0].Was.Name == "a.txt"; starts == written {
			t.Errorf("written %v: the intent starts from %+v", written, in[0].Was)
		}
	}
}
