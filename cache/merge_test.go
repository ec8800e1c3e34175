package cache

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"odbxfs"
)

// A folder that was made here, and whose row a look brought first with what
// others had put into it: one folder with the things of both.
func TestAMergedFolderHasWhatWasInBoth(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	var here odbxfs.Inode
	update(t, s, func(tx *Tx) (err error) { here, err = tx.Mkdir(dir, "sub"); return err })
	mine := write(t, s, here.Node, "a", "mine")
	row, inRow := subfolder(10, "sub", order), odbxfs.FolderRef(10)
	putOdoo(t, s, row, document(7, "a", inRow), document(8, "b", inRow))
	update(t, s, func(tx *Tx) error {
		for _, p := range []odbxfs.Pair{
			{Row: 1, Client: 1, Kind: odbxfs.Folder, Odoo: inRow, OdooParent: order, OdooName: "sub", Dropbox: "id:1", DropboxParent: "id:0"},
			{Row: 2, Client: 1, Kind: odbxfs.File, Odoo: odbxfs.AttachmentRef(8), OdooParent: inRow, OdooName: "b", Dropbox: "id:2", DropboxParent: "id:1"},
		} {
			if _, err := tx.PutPair(p); err != nil {
				return err
			}
		}
		return nil
	})
	seen := byRef(t, s, inRow)
	row.Node = here.Node
	putOdoo(t, s, row) // the answer
	wantNames(t, s, here.Node, "a, a (7), b")
	if i := lookup(t, s, here.Node, "a"); i.Node != mine.Node {
		t.Errorf("the name that was given here went to node %d", i.Node)
	}
	view(t, s, func(tx *Tx) error {
		if i, ok, err := tx.Inode(seen); err != nil || !ok || i.Node != here.Node {
			t.Errorf("the look's node leads to %+v, %v", i, err)
		}
		for _, ref := range []odbxfs.OdooRef{odbxfs.AttachmentRef(7), odbxfs.AttachmentRef(8)} {
			id, _, err := tx.OdooByRef(ref)
			if err != nil {
				return err
			}
			if n, _, err := tx.OdooNode(id); err != nil || n.Parent != here.Node {
				t.Errorf("%s lies in node %d, %v", ref, n.Parent, err)
			}
		}
		p, ok, err := tx.Pair(here.Node)
		if err != nil || !ok || p.Odoo != inRow {
			t.Errorf("the folder's pair is %+v, %v", p, err)
		}
		if kids := tx.Synced().Children(here.Node); len(kids) != 1 || kids[0] != byRefIn(tx, odbxfs.AttachmentRef(8)) {
			t.Errorf("its paired children are %v", kids)
		}
		return errors.Join(tx.Err(), checkHolds(tx))
	})
}

func byRefIn(tx *Tx, ref odbxfs.OdooRef) odbxfs.NodeID {
	id, _, err := tx.OdooByRef(ref)
	if err != nil {
		return 0
	}
	return id
}

// A pair that ended without a tombstone is forgotten by all its names, and the
// planner looks at what is left.
func TestADroppedPairIsForgotten(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, document(7, "a", order))
	var p odbxfs.Pair
	update(t, s, func(tx *Tx) (err error) {
		p, err = tx.PutPair(odbxfs.Pair{Row: 1, Client: 1, Kind: odbxfs.File, Odoo: odbxfs.AttachmentRef(7), OdooParent: order,
			OdooName: "a", MountName: "stored", Dropbox: "id:1", DropboxParent: "id:0"})
		return err
	})
	wantNames(t, s, dir, "stored")
	update(t, s, func(tx *Tx) error {
		ids, err := tx.Dirty(0)
		if err != nil {
			return err
		}
		return tx.ClearDirty(ids)
	})
	update(t, s, func(tx *Tx) error { return tx.DropPair(p.Node) })
	wantNames(t, s, dir, "a")
	view(t, s, func(tx *Tx) error {
		_, there, err := tx.Pair(p.Node)
		_, byOdoo, err2 := tx.PairByOdoo(p.Odoo)
		_, byBox, err3 := tx.PairByDropbox(p.Dropbox)
		if there || byOdoo || byBox {
			t.Errorf("it is still known: %v by node, %v by Odoo's id, %v by Dropbox's", there, byOdoo, byBox)
		}
		if len(tx.Synced().Children(dir)) != 0 {
			t.Error("it is still its folder's child")
		}
		dirty, err4 := tx.Dirty(0)
		if len(dirty) == 0 {
			t.Error("the planner would not look at it")
		}
		return errors.Join(err, err2, err3, err4, tx.Err())
	})
	update(t, s, func(tx *Tx) error { return tx.DropPair(p.Node) }) // once more is nothing
}

// A write that can't be taken leaves the working copy as it was sealed, and the
// next one goes on from there.
func TestAWriterOutlivesAWriteThatFails(t *testing.T) {
	s := diskStore(t, t.TempDir())
	w, sealed := writer(t, s, "sealed")
	defer func() {
		if err := w.Discard(); err != nil {
			t.Error(err)
		}
	}()
	file := document(7, "a", odbxfs.RootRef())
	putOdoo(t, s, file)
	update(t, s, func(tx *Tx) error { _, err := tx.CommitContent(byRefIn(tx, file.Ref), sealed); return err })
	work := filepath.Join(s.opt.Dir, contentDir, workDir)
	if err := os.Rename(work, work+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteAt([]byte("lost"), 0); err == nil {
		t.Fatal("a write without a place for it succeeded")
	}
	text := func() string {
		t.Helper()
		b, err := io.ReadAll(io.NewSectionReader(w, 0, w.Size()))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := text(); got != "sealed" {
		t.Errorf("the working copy has %q", got)
	}
	if err := os.Rename(work+".away", work); err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteAt([]byte("!"), sealed.Size); err != nil {
		t.Fatal(err)
	}
	if got := text(); got != "sealed!" {
		t.Errorf("after the next write it has %q", got)
	}
	if got := read(t, s, byRef(t, s, file.Ref)); got != "sealed" {
		t.Errorf("what was sealed became %q", got)
	}
}
