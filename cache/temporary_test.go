package cache

import (
	"testing"

	"odbxfs"
)

func waits(t *testing.T, s *Store, id odbxfs.NodeID) (waits bool) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		i, ok, err := tx.Intent(id)
		if err != nil || !ok {
			t.Fatalf("the intent of node %d: %v %v", id, ok, err)
		}
		waits, err = tx.Waits(i)
		return err
	})
	return waits
}

func TestWhichIntentsWait(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, document(7, "~$known.docx", order))
	rename := func(from, to string) {
		t.Helper()
		update(t, s, func(tx *Tx) error { return tx.Rename(dir, from, dir, to, 0) })
	}
	var fresh odbxfs.Inode
	update(t, s, func(tx *Tx) (err error) { fresh, err = tx.Create(dir, "fresh", 0); return err })
	if !waits(t, s, fresh.Node) {
		t.Error("a file that is being written would be sent")
	}
	a := write(t, s, dir, "a", "x")
	if waits(t, s, a.Node) {
		t.Error("a file would not be sent")
	}
	rename("a", ".~lock.a#")
	if !waits(t, s, a.Node) {
		t.Error("a lock would be sent")
	}
	rename(".~lock.a#", "a")
	if waits(t, s, a.Node) {
		t.Error("what got a name again would not be sent")
	}
	update(t, s, func(tx *Tx) error {
		i, _, err := tx.Intent(a.Node)
		i.Attempts = 1
		if err != nil {
			return err
		}
		return tx.PutIntent(i)
	})
	rename("a", ".~lock.a#")
	if waits(t, s, a.Node) {
		t.Error("Odoo may know it by its other name for ever")
	}
	known := write(t, s, dir, "~$known.docx", "new bytes")
	if waits(t, s, known.Node) {
		t.Error("new bytes of a document would not be sent")
	}
	var sub odbxfs.Inode
	update(t, s, func(tx *Tx) (err error) { sub, err = tx.Mkdir(dir, "~$folder"); return err })
	if waits(t, s, sub.Node) {
		t.Error("a folder would not be made")
	}
}

func TestAFolderGoneInOdooTakesLocksAlongAndNothingElse(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, subfolder(10, "sub", order), subfolder(11, "other", order))
	for _, name := range []string{"sub", "other"} {
		write(t, s, lookup(t, s, dir, name).Node, ".~lock.a#", "me")
	}
	write(t, s, lookup(t, s, dir, "other").Node, "a", "mine")
	update(t, s, func(tx *Tx) error {
		for _, id := range []int64{10, 11} {
			n, _, err := tx.OdooByRef(odbxfs.FolderRef(id))
			if err == nil {
				err = tx.DropOdoo(n)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	wantNames(t, s, dir, "other")
	wantNames(t, s, lookup(t, s, dir, "other").Node, "a")
	checkNoOrphans(t, s)
}
