package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"odbxfs"
	"pgregory.net/rapid"
)

// clerk works in Odoo, in the mount and as the engine between them, in any order:
// what a look at Odoo brings meets what is not sent yet.
type clerk struct {
	t    *rapid.T
	s    *Store
	odoo map[int64]odbxfs.OdooNode // documents, by id
	last int64
	n    int
}

// desk is the folders of a clerk's world.
var desk = []odbxfs.OdooRef{order, odbxfs.FolderRef(10), odbxfs.FolderRef(11)}

// deskNames clash: twins, case twins, a name that another gets as its suffix, and
// ones that no file system has.
var deskNames = []string{"a.txt", "A.txt", "a (101).txt", "b", "b/c", "b_c", "", "~$a.txt"}

func newClerk(t *rapid.T, dir string) *clerk {
	o := testOptions()
	o.InMemory, o.Dir = true, dir
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	c := &clerk{t: t, s: s, odoo: map[int64]odbxfs.OdooNode{}, last: 100}
	for _, n := range []odbxfs.OdooNode{rule(1, "Sales"), record(1, "S1"), subfolder(10, "x", order), subfolder(11, "y", order)} {
		c.do(func(tx *Tx) error { _, err := tx.PutOdoo(n); return err })
	}
	return c
}

// do wants fn to go well, or to be refused as programs are.
func (c *clerk) do(fn func(*Tx) error) {
	err := c.s.Update(fn)
	var refused *MountError
	if err != nil && !errors.As(err, &refused) {
		c.t.Fatal(err)
	}
}

func (c *clerk) name() string { return rapid.SampledFrom(deskNames).Draw(c.t, "name") }

func (c *clerk) folder() odbxfs.OdooRef { return rapid.SampledFrom(desk).Draw(c.t, "folder") }

// dir is a folder's node, 0 when it is gone.
func (c *clerk) dir(tx *Tx, ref odbxfs.OdooRef) odbxfs.NodeID {
	id, _, err := tx.OdooByRef(ref)
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

// document is one that Odoo has, if any.
func (c *clerk) document() (odbxfs.OdooNode, bool) {
	if len(c.odoo) == 0 {
		return odbxfs.OdooNode{}, false
	}
	return c.odoo[rapid.SampledFrom(slices.Sorted(maps.Keys(c.odoo))).Draw(c.t, "document")], true
}

// put changes Odoo, and looks.
func (c *clerk) put(n odbxfs.OdooNode) {
	n.Node, n.Parent = 0, 0
	c.odoo[n.Ref.ID] = n
	c.do(func(tx *Tx) error { _, err := tx.PutOdoo(n); return err })
}

func (c *clerk) attach() {
	c.last++
	c.put(document(c.last, c.name(), c.folder()))
}

func (c *clerk) renameInOdoo() {
	if n, ok := c.document(); ok {
		n.Name, n.ParentRef = c.name(), c.folder()
		c.put(n)
	}
}

func (c *clerk) editInOdoo() {
	if n, ok := c.document(); ok {
		c.n++
		text := fmt.Sprint("Odoo's ", c.n)
		n.SHA1, n.Size = sha(text), int64(len(text))
		c.put(n)
	}
}

func (c *clerk) removeInOdoo() {
	if n, ok := c.document(); ok {
		delete(c.odoo, n.Ref.ID)
		c.do(func(tx *Tx) error { return tx.DropOdoo(c.byRef(tx, n.Ref)) })
	}
}

func (c *clerk) byRef(tx *Tx, ref odbxfs.OdooRef) odbxfs.NodeID {
	id, ok, err := tx.OdooByRef(ref)
	if err != nil || !ok {
		return odbxfs.RootNode + 1<<40 // of nothing
	}
	return id
}

// agree stores a name in a document's pair, as who sees both sides does.
func (c *clerk) agree() {
	if n, ok := c.document(); ok {
		shown := c.name()
		c.do(func(tx *Tx) error {
			_, err := tx.PutPair(odbxfs.Pair{Client: 1, Kind: odbxfs.File, Odoo: n.Ref, OdooParent: n.ParentRef, OdooName: n.Name,
				MountName: odbxfs.MountName(shown), Dropbox: odbxfs.DropboxID(fmt.Sprint("id:", n.Ref.ID)), Row: n.Ref.ID, Version: 1})
			return err
		})
	}
}

// entry is a file that the mount shows.
func (c *clerk) entry(tx *Tx) (odbxfs.Inode, bool) {
	list, err := tx.ReadDir(c.dir(tx, c.folder()), "", 0)
	if err != nil {
		c.t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(i odbxfs.Inode) bool { return i.Kind == odbxfs.Folder })
	if len(list) == 0 {
		return odbxfs.Inode{}, false
	}
	return list[rapid.IntRange(0, len(list)-1).Draw(c.t, "entry")], true
}

func (c *clerk) write() {
	c.n++
	w, err := c.s.Contents().NewWriter(context.Background(), "", 0)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := w.WriteAt([]byte(fmt.Sprint("mine ", c.n)), 0); err != nil {
		c.t.Fatal(err)
	}
	sealed, err := w.Seal(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	c.do(func(tx *Tx) error {
		i, ok := c.entry(tx)
		if !ok || rapid.Bool().Draw(c.t, "new") {
			if i, err = tx.Create(c.dir(tx, c.folder()), c.name(), 0); err != nil {
				return err
			}
		}
		_, err := tx.CommitContent(i.Node, sealed)
		return err
	})
	if err := w.Discard(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *clerk) rename() {
	c.do(func(tx *Tx) error {
		i, ok := c.entry(tx)
		if !ok {
			return nil
		}
		return tx.Rename(i.Parent, i.Name, c.dir(tx, c.folder()), c.name(), 0)
	})
}

func (c *clerk) remove() {
	c.do(func(tx *Tx) error {
		i, ok := c.entry(tx)
		if !ok {
			return nil
		}
		_, err := tx.Unlink(i.Parent, i.Name)
		return err
	})
}

// hold asks a person about every removal; decide lets each go on, or not.
func (c *clerk) hold() {
	c.do(func(tx *Tx) error {
		list, err := tx.Intents()
		var ids []odbxfs.NodeID
		for _, i := range list {
			ids = append(ids, i.Node)
		}
		return errors.Join(err, tx.HoldIntents(ids, "too many"))
	})
}

func (c *clerk) decide() {
	c.do(func(tx *Tx) error {
		list, err := tx.Intents()
		if err != nil {
			return err
		}
		for _, i := range list {
			if rapid.Bool().Draw(c.t, "restore") {
				err = tx.RestoreHeld(i.Node)
			} else {
				err = tx.ReleaseIntents([]odbxfs.NodeID{i.Node})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// settle carries intents out, some of them, and now and then a look sees a new
// document before the answer to its create is here.
func (c *clerk) settle(all bool) {
	var list []odbxfs.Intent
	if err := c.s.View(func(tx *Tx) (err error) { list, err = tx.Intents(); return err }); err != nil {
		c.t.Fatal(err)
	}
	for _, i := range list {
		if i.Held || !all && rapid.Bool().Draw(c.t, "later") || !c.isNewest(i) {
			continue
		}
		if i.Gone {
			delete(c.odoo, i.Was.Ref.ID)
			c.do(func(tx *Tx) error { return errors.Join(tx.DropOdoo(i.Node), tx.DropIntent(i.Node, i.Seq)) })
			continue
		}
		c.send(i)
	}
}

// isNewest: nothing was done to it since it was listed.
func (c *clerk) isNewest(i odbxfs.Intent) (is bool) {
	c.do(func(tx *Tx) error {
		now, ok, err := tx.Intent(i.Node)
		is = ok && now.Seq == i.Seq
		return err
	})
	return is
}

func (c *clerk) send(i odbxfs.Intent) {
	var ino odbxfs.Inode
	var folder odbxfs.OdooNode
	if err := c.s.View(func(tx *Tx) (err error) {
		if ino, _, err = tx.Inode(i.Node); err == nil {
			folder, _, err = tx.OdooNode(ino.Parent)
		}
		return err
	}); err != nil {
		c.t.Fatal(err)
	}
	n, known := c.odoo[i.Was.Ref.ID]
	if !known {
		c.last++
		n = document(c.last, "", folder.Ref)
	}
	n.Name, n.ParentRef, n.SHA1, n.Size, n.MTime = ino.Name, folder.Ref, ino.SHA1, ino.Size, ino.MTime
	c.odoo[n.Ref.ID] = n
	c.meanwhile()
	if !known && rapid.Bool().Draw(c.t, "seen first") {
		c.do(func(tx *Tx) error { _, err := tx.PutOdoo(n); return err })
		c.check()
		c.meanwhile()
	}
	c.do(func(tx *Tx) error {
		told := n
		told.Node = i.Node
		if _, err := tx.PutOdoo(told); err != nil {
			return err
		}
		return tx.DropIntent(i.Node, i.Seq)
	})
}

// meanwhile may do something in the mount while an answer is on its way.
func (c *clerk) meanwhile() {
	acts := []func(){func() {}, func() {}, func() {}, c.remove, c.rename, c.write}
	acts[rapid.IntRange(0, len(acts)-1).Draw(c.t, "meanwhile")]()
	c.check()
}

// settleAll carries out what there is, and what came of it.
func (c *clerk) settleAll() {
	for range 50 {
		c.settle(true)
		c.check()
		left := 0
		if err := c.s.View(func(tx *Tx) error {
			list, err := tx.Intents()
			left = len(list)
			return err
		}); err != nil {
			c.t.Fatal(err)
		}
		if left == 0 {
			return
		}
	}
	c.t.Fatal("it is never through")
}

func (c *clerk) check() {
	if err := c.s.View(checkHolds); err != nil {
		c.t.Fatal(err)
	}
}

// checkSettled wants the mount to be Odoo: each document once, in its folder.
func (c *clerk) checkSettled() {
	want, got := []string{}, []string{}
	for _, n := range c.odoo {
		want = append(want, fmt.Sprint(n.Ref.ID, n.ParentRef, n.SHA1))
	}
	if err := c.s.View(func(tx *Tx) error {
		for _, ref := range desk {
			list, err := tx.ReadDir(c.dir(tx, ref), "", 0)
			if err != nil {
				return err
			}
			for _, i := range list {
				if i.Kind == odbxfs.File {
					got = append(got, fmt.Sprint(i.Odoo.ID, ref, i.SHA1))
				}
			}
		}
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		c.t.Fatalf("the mount shows %v, Odoo has %v", got, want)
	}
}

func TestLooksAtOdooMeetWhatIsNotSentYet(t *testing.T) {
	dir, run := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		at := fmt.Sprint(dir, "/", run)
		if err := os.Mkdir(at, 0o700); err != nil {
			t.Fatal(err)
		}
		c := newClerk(t, at)
		defer func() { _ = errors.Join(c.s.Close(), os.RemoveAll(at)) }() // the check is over
		acts := map[string]func(){
			"attach": c.attach, "rename in Odoo": c.renameInOdoo, "edit in Odoo": c.editInOdoo, "remove in Odoo": c.removeInOdoo,
			"agree on a name": c.agree, "write": c.write, "rename": c.rename, "remove": c.remove, "hold": c.hold, "decide": c.decide,
			"settle": func() { c.settle(false) },
			"evict": func() {
				if err := c.s.contents.evict(context.Background(), 1<<30); err != nil {
					t.Fatal(err)
				}
			},
		}
		deck := append(slices.Sorted(maps.Keys(acts)), "attach", "write", "write", "rename", "rename")
		for range rapid.IntRange(3, 25).Draw(t, "steps") {
			acts[rapid.SampledFrom(deck).Draw(t, "do")]()
			c.check()
		}
		c.do(func(tx *Tx) error {
			list, err := tx.Intents()
			for _, i := range list {
				err = errors.Join(err, tx.ReleaseIntents([]odbxfs.NodeID{i.Node}))
			}
			return err
		})
		c.settleAll()
		c.checkSettled()
	})
}
