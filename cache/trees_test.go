package cache

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"odbxfs"
)

func TestPutOdooAgainChangesNothing(t *testing.T) {
	s := memStore(t)
	world(t, s, document(7, "a", order))
	update(t, s, func(tx *Tx) error {
		ids, err := tx.Dirty(0)
		if err != nil || len(ids) != 4 { // root, rule, order, document
			t.Errorf("dirty: %v %v", ids, err)
		}
		return tx.ClearDirty(ids)
	})
	got := watch(t, s)
	putOdoo(t, s, document(7, "a", order), record(1, "S1"))
	view(t, s, func(tx *Tx) error {
		ids, err := tx.Dirty(0)
		if len(ids) != 0 {
			t.Errorf("dirty: %v", ids)
		}
		return err
	})
	putOdoo(t, s, document(7, "b", order))
	if ev := got(1); !slices.Contains(ev, Event{Kind: TreeDirty}) {
		t.Fatalf("events %v", ev)
	}
}

func TestUnknownParentsAreRefused(t *testing.T) {
	s := memStore(t)
	err := s.Update(func(tx *Tx) error { _, err := tx.PutOdoo(document(7, "a", order)); return err })
	if !errors.Is(err, ErrNoParent) {
		t.Fatal(err)
	}
	err = s.Update(func(tx *Tx) error {
		if err := tx.SetDropboxRoot(1, "/Odoo"); err != nil {
			return err
		}
		_, err := tx.PutDropbox(boxFile("x", "/Odoo/Sales/x"))
		return err
	})
	if !errors.Is(err, ErrNoParent) {
		t.Fatal(err)
	}
}

func TestCountsFollowTheScopes(t *testing.T) {
	s := memStore(t)
	world(t, s, record(2, "S2"), subfolder(10, "sub", order), document(7, "a", order), document(8, "b", odbxfs.FolderRef(10)),
		document(9, "c", odbxfs.RuleRef(1)), subfolder(11, "free", odbxfs.RootRef()), document(12, "d", odbxfs.FolderRef(11)))
	count := func() string {
		var out []string
		view(t, s, func(tx *Tx) error {
			list, err := tx.OdooCounts()
			for _, c := range list {
				out = append(out, fmt.Sprintf("%d%s:%d/%d", c.Scope.Kind, c.Scope.Model, c.Count, c.Sum))
			}
			return err
		})
		return strings.Join(out, " ")
	}
	want := "2:1/1 3sale.order:2/3 4:2/21 5sale.order:2/15 5x_odbxfs_place:2/21"
	if got := count(); got != want {
		t.Fatalf("counts %s, want %s", got, want)
	}
	// The subfolder becomes a free one: its document hangs on the place then.
	putOdoo(t, s, subfolder(10, "sub", odbxfs.RuleRef(1)))
	want = "2:1/1 3sale.order:2/3 4:2/21 5sale.order:1/7 5x_odbxfs_place:3/29"
	if got := count(); got != want {
		t.Fatalf("counts %s, want %s", got, want)
	}
	view(t, s, func(tx *Tx) error {
		refs, err := tx.OdooRefs(odbxfs.OdooScope{Kind: odbxfs.RefAttachment, Model: odbxfs.PlaceModel})
		if fmt.Sprint(refs) != "[att:8 att:9 att:12]" {
			t.Errorf("refs %v", refs)
		}
		return err
	})
	update(t, s, func(tx *Tx) error {
		id, _, err := tx.OdooByRef(odbxfs.RuleRef(1))
		if err != nil {
			return err
		}
		return tx.DropOdoo(id)
	})
	if got, want := count(), "4:1/11 5x_odbxfs_place:1/12"; got != want {
		t.Fatalf("counts %s, want %s", got, want)
	}
	wantNames(t, s, odbxfs.RootNode, "free")
}

func boxFile(id odbxfs.DropboxID, path string) odbxfs.DropboxNode {
	return odbxfs.DropboxNode{ID: id, Client: 1, Kind: odbxfs.File, Path: path, Rev: "1"}
}

func boxFolder(id odbxfs.DropboxID, path string) odbxfs.DropboxNode {
	return odbxfs.DropboxNode{ID: id, Client: 1, Kind: odbxfs.Folder, Path: path}
}

func putBox(t *testing.T, s *Store, nodes ...odbxfs.DropboxNode) (last odbxfs.DropboxNode) {
	t.Helper()
	update(t, s, func(tx *Tx) (err error) {
		if err := tx.SetDropboxRoot(1, "/Odoo"); err != nil {
			return err
		}
		for _, n := range nodes {
			if last, err = tx.PutDropbox(n); err != nil {
				return err
			}
		}
		return nil
	})
	return last
}

func TestTheDropboxTreeMovesAsAWhole(t *testing.T) {
	s := memStore(t)
	leaf := putBox(t, s, boxFolder("id:1", "/Odoo/Sales"), boxFolder("id:2", "/Odoo/Sales/S1"), boxFile("id:3", "/Odoo/Sales/S1/A.txt"))
	putBox(t, s, boxFolder("id:1", "/odoo/Renamed"))
	view(t, s, func(tx *Tx) error {
		id, ok, err := tx.DropboxByPath(1, "/ODOO/renamed/s1/a.TXT")
		if !ok || id != leaf.Node {
			t.Errorf("found %d %v, want %d", id, ok, leaf.Node)
		}
		if _, ok, _ := tx.DropboxByPath(1, "/Odoo/Sales/S1/A.txt"); ok {
			t.Error("the old path still leads somewhere")
		}
		return err
	})
	// Something else takes the path: what stood there is gone with all below.
	putBox(t, s, boxFile("id:9", "/Odoo/Renamed/s1"))
	view(t, s, func(tx *Tx) error {
		if _, ok, _ := tx.DropboxByID(1, "id:3"); ok {
			t.Error("a file lies in a file")
		}
		top := tx.Dropbox().Children(odbxfs.RootNode)
		if len(top) != 1 || len(tx.Dropbox().Children(top[0])) != 1 {
			t.Errorf("the tree has %v", top)
		}
		return tx.Err()
	})
	update(t, s, func(tx *Tx) error { return tx.SetDropboxRoot(1, "/Elsewhere") })
	view(t, s, func(tx *Tx) error {
		if kids := tx.Dropbox().Children(odbxfs.RootNode); len(kids) != 0 {
			t.Errorf("another root, but %v are known", kids)
		}
		return tx.Err()
	})
}

func TestPairsGiveBothSidesOneNode(t *testing.T) {
	s := memStore(t)
	// As after the store was lost: pairs first, a child before its parent.
	update(t, s, func(tx *Tx) error {
		for _, p := range []odbxfs.Pair{
			{Row: 2, Client: 1, Kind: odbxfs.File, Odoo: odbxfs.AttachmentRef(7), OdooParent: order, OdooName: "a", Dropbox: "id:3", DropboxParent: "id:2"},
			{Row: 1, Client: 1, Kind: odbxfs.Folder, Odoo: order, OdooParent: odbxfs.RuleRef(1), OdooName: "S1", Dropbox: "id:2", DropboxParent: "id:1"},
			{Row: 3, Client: 1, Kind: odbxfs.File, Odoo: odbxfs.AttachmentRef(8), OdooParent: order, Dropbox: "id:4", Gone: true},
		} {
			if _, err := tx.PutPair(p); err != nil {
				return err
			}
		}
		return nil
	})
	dir := world(t, s, document(7, "a", order))
	box := putBox(t, s, boxFolder("id:1", "/Odoo/Sales"), boxFolder("id:2", "/Odoo/Sales/S1"), boxFile("id:4", "/Odoo/Sales/S1/b"), boxFile("id:3", "/Odoo/Sales/S1/a"))
	view(t, s, func(tx *Tx) error {
		p, ok, err := tx.Pair(box.Node)
		if err != nil || !ok || p.Parent != dir || p.Odoo != odbxfs.AttachmentRef(7) {
			t.Errorf("the pair: %+v %v %v", p, ok, err)
		}
		if id, _, _ := tx.OdooByRef(odbxfs.AttachmentRef(7)); id != box.Node {
			t.Errorf("nodes %d and %d, want one", id, box.Node)
		}
		if kids := tx.Synced().Children(dir); len(kids) != 1 || kids[0] != box.Node {
			t.Errorf("children %v: a tombstone is nobody's child", kids)
		}
		tomb, ok, err := tx.PairByDropbox("id:4")
		if id, _, _ := tx.DropboxByID(1, "id:4"); !ok || err != nil || id != tomb {
			t.Errorf("a tombstone's file has node %d, want %d", id, tomb)
		}
		rulePair, _, _ := tx.Pair(dir)
		if sales, _, _ := tx.OdooByRef(odbxfs.RuleRef(1)); rulePair.Parent != sales {
			t.Errorf("the order's pair has parent %d, want %d", rulePair.Parent, sales)
		}
		return tx.Err()
	})
}

func TestMergeMakesTwoNodesOne(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, subfolder(10, "sub", order), document(7, "a", odbxfs.FolderRef(10)))
	box := putBox(t, s, boxFolder("id:1", "/Odoo/x"), boxFile("id:2", "/Odoo/x/a"))
	sub := lookup(t, s, dir, "sub").Node
	view(t, s, func(tx *Tx) error {
		folder := box.Parent
		if folder == sub {
			t.Error("merged by itself")
		}
		return nil
	})
	update(t, s, func(tx *Tx) error {
		_, err := tx.AddTasks([]odbxfs.Task{{Kind: odbxfs.TaskDropboxMkdir, Node: box.Parent}})
		if err != nil {
			return err
		}
		return tx.Merge(box.Parent, sub)
	})
	view(t, s, func(tx *Tx) error {
		n, ok, err := tx.DropboxNode(sub)
		if !ok || err != nil || n.ID != "id:1" {
			t.Errorf("Dropbox's node: %+v %v %v", n, ok, err)
		}
		if kids := tx.Dropbox().Children(sub); len(kids) != 1 || kids[0] != box.Node {
			t.Errorf("Dropbox's children: %v", kids)
		}
		if i, ok, _ := tx.Inode(box.Parent); !ok || i.Node != sub {
			t.Errorf("the old id leads to %+v", i)
		}
		if tasks, _ := tx.TasksOf(sub); len(tasks) != 1 {
			t.Errorf("tasks: %v", tasks)
		}
		return tx.Err()
	})
	if err := s.Update(func(tx *Tx) error { return tx.Merge(dir, sub) }); err == nil {
		t.Fatal("two things of Odoo became one")
	}
}

func TestAnIntentsNodeTakesOverWhatAPollSawFirst(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	i := write(t, s, dir, "a.txt", "hello")
	seen := document(7, "a.txt", order)
	seen.SHA1, seen.Size = sha("hello"), 5
	putOdoo(t, s, seen) // the poll, before the create's answer
	wantNames(t, s, dir, "a (7).txt, a.txt")
	seq := intents(t, s)[0].Seq
	seen.Node = i.Node
	update(t, s, func(tx *Tx) error {
		if _, err := tx.PutOdoo(seen); err != nil {
			return err
		}
		return tx.DropIntent(i.Node, seq)
	})
	wantNames(t, s, dir, "a.txt")
	if now := lookup(t, s, dir, "a.txt"); now.Node != i.Node || now.Odoo != seen.Ref {
		t.Fatalf("it is %+v", now)
	}
}

func TestNamesThatClash(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, document(9, "a.txt", order), document(7, "a.txt", order), document(8, "a (9).txt", order))
	wantNames(t, s, dir, "a (9).txt, a (9-2).txt, a.txt")
	if i := lookup(t, s, dir, "a.txt"); i.Odoo != odbxfs.AttachmentRef(7) {
		t.Fatalf("the lowest id has %q", i.Name)
	}
	if i := lookup(t, s, dir, "a (9).txt"); i.Odoo != odbxfs.AttachmentRef(8) {
		t.Fatalf("its own name has %v", i.Odoo)
	}
	// A lower id comes later, and the one that has the stored name wins over both.
	putOdoo(t, s, document(3, "a.txt", order))
	if i := lookup(t, s, dir, "a.txt"); i.Odoo != odbxfs.AttachmentRef(3) {
		t.Fatalf("the lowest id has %q", i.Name)
	}
	update(t, s, func(tx *Tx) error {
		_, err := tx.PutPair(odbxfs.Pair{Client: 1, Kind: odbxfs.File, Odoo: odbxfs.AttachmentRef(9), OdooParent: order, OdooName: "a.txt", Dropbox: "id:9", MountName: "a.txt"})
		return err
	})
	if i := lookup(t, s, dir, "a.txt"); i.Odoo != odbxfs.AttachmentRef(9) {
		t.Fatalf("the stored name is %v's", i.Odoo)
	}
	// The stored name was made of Odoo's name: with a new one it stands for nothing.
	putOdoo(t, s, document(9, "b.txt", order))
	if i := lookup(t, s, dir, "b.txt"); i.Odoo != odbxfs.AttachmentRef(9) {
		t.Fatalf("renamed in Odoo, b.txt is %v's", i.Odoo)
	}
	putOdoo(t, s, document(9, "a.txt", order))
	update(t, s, func(tx *Tx) error { return tx.DropOdoo(byRefTx(t, tx, odbxfs.AttachmentRef(9))) })
	if i := lookup(t, s, dir, "a.txt"); i.Odoo != odbxfs.AttachmentRef(3) {
		t.Fatalf("after it went, %v has the name", i.Odoo)
	}
}

func byRefTx(t *testing.T, tx *Tx, ref odbxfs.OdooRef) odbxfs.NodeID {
	t.Helper()
	id, ok, err := tx.OdooByRef(ref)
	if err != nil || !ok {
		t.Fatalf("%s: %v %v", ref, ok, err)
	}
	return id
}

func TestWhatWasTypedHereStays(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	i := write(t, s, dir, "a.txt", "mine")
	putOdoo(t, s, document(3, "a.txt", order))
	wantNames(t, s, dir, "a (3).txt, a.txt")
	if now := lookup(t, s, dir, "a.txt"); now.Node != i.Node {
		t.Fatal("another file took the typed name")
	}
}

func TestNamesOdooHasAndNoFileSystem(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, document(1, "", order), document(2, "a/b", order), document(3, "..", order), document(4, strings.Repeat("x", 300)+".pdf", order))
	list := strings.Split(names(t, s, dir), ", ")
	if len(list) != 4 {
		t.Fatalf("names %q", list)
	}
	for _, n := range list {
		if nameError(n) != 0 {
			t.Errorf("%q is no name", n)
		}
	}
}

func TestDropOdooOfAnEditedFileKeepsTheEdit(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, document(7, "a", order))
	i := write(t, s, dir, "a", "mine")
	update(t, s, func(tx *Tx) error { return tx.DropOdoo(i.Node) })
	if now := lookup(t, s, dir, "a"); !now.Odoo.IsZero() || read(t, s, now.Node) != "mine" {
		t.Fatalf("it is %+v", now)
	}
}

func TestForeignDocumentsShowTheirURL(t *testing.T) {
	s := memStore(t)
	d := document(7, "link", order)
	d.Type, d.URL, d.SHA1 = odbxfs.Foreign, "https://example.com/x", ""
	dir := world(t, s, d)
	i := lookup(t, s, dir, "link")
	if !i.ReadOnly || i.URL != d.URL || i.Size != int64(len(ForeignContent(d.URL))) {
		t.Fatalf("it is %+v", i)
	}
}

func TestReadDirPages(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	update(t, s, func(tx *Tx) error {
		for n := range 25 {
			if _, err := tx.Create(dir, fmt.Sprintf("f%02d", n), 0); err != nil {
				return err
			}
		}
		return nil
	})
	var got []string
	after := ""
	view(t, s, func(tx *Tx) error {
		for {
			list, err := tx.ReadDir(dir, after, 10)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, i := range list {
				got = append(got, i.Name)
			}
			after = list[len(list)-1].Name
		}
	})
	if len(got) != 25 || !slices.IsSorted(got) {
		t.Fatalf("pages give %v", got)
	}
	view(t, s, func(tx *Tx) error {
		p, err := tx.PathOf(lookup(t, s, dir, "f07").Node)
		if err != nil || p != "/Sales/S1/f07" {
			t.Errorf("path %q %v", p, err)
		}
		id, err := tx.Resolve(p)
		if err != nil || id != lookup(t, s, dir, "f07").Node {
			t.Errorf("resolved to %d %v", id, err)
		}
		_, err = tx.Resolve("/Sales/nobody")
		wantRefusal(t, err, MountNotFound)
		return nil
	})
}
