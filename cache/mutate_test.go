package cache

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"odbxfs"
)

func shaOf(b []byte) odbxfs.SHA1 {
	h := sha1.Sum(b)
	return odbxfs.SHA1(hex.EncodeToString(h[:]))
}

func TestWhatTheRolesForbid(t *testing.T) {
	type dirs struct{ root, rule, order, sub, deflt odbxfs.NodeID }
	for _, c := range []struct {
		name string
		do   func(*Tx, dirs) error
		want MountErrorKind // 0: allowed
	}{
		{"a rule folder is not renamed", func(tx *Tx, d dirs) error { return tx.Rename(d.root, "Sales", d.root, "x", 0) }, MountNotAllowed},
		{"a record folder is not renamed", func(tx *Tx, d dirs) error { return tx.Rename(d.rule, "S1", d.rule, "x", 0) }, MountNotAllowed},
		{"a record folder is not removed", func(tx *Tx, d dirs) error { return tx.Rmdir(d.rule, "S2") }, MountNotAllowed},
		{"a rule folder is not removed", func(tx *Tx, d dirs) error { return tx.Rmdir(d.root, "Empty") }, MountNotAllowed},
		{"a record folder is not replaced", func(tx *Tx, d dirs) error { return tx.Rename(d.order, "sub", d.rule, "S2", 0) }, MountNotAllowed},
		{"a subfolder is renamed", func(tx *Tx, d dirs) error { return tx.Rename(d.order, "sub", d.order, "x", 0) }, 0},
		{"a subfolder moves to the root", func(tx *Tx, d dirs) error { return tx.Rename(d.order, "sub", d.root, "x", 0) }, 0},
		{"a default subfolder is removed", func(tx *Tx, d dirs) error { return tx.Rmdir(d.order, "default") }, 0},
		{"a folder with something in it is not removed", func(tx *Tx, d dirs) error { return tx.Rmdir(d.order, "sub") }, MountNotEmpty},
		{"a folder does not replace one with something in it", func(tx *Tx, d dirs) error { return tx.Rename(d.order, "default", d.order, "sub", 0) }, MountNotEmpty},
		{"a folder replaces an empty one", func(tx *Tx, d dirs) error { return tx.Rename(d.order, "sub", d.order, "default", 0) }, 0},
		{"a folder does not move into itself", func(tx *Tx, d dirs) error { return tx.Rename(d.order, "sub", d.sub, "x", 0) }, MountInvalid},
		{"a file does not replace a folder", func(tx *Tx, d dirs) error { return tx.Rename(d.order, "a", d.order, "sub", 0) }, MountIsDir},
		{"a folder does not replace a file", func(tx *Tx, d dirs) error { return tx.Rename(d.order, "sub", d.order, "a", 0) }, MountNotDir},
		{"rmdir of a file", func(tx *Tx, d dirs) error { return tx.Rmdir(d.order, "a") }, MountNotDir},
		{"unlink of a folder", func(tx *Tx, d dirs) error { _, err := tx.Unlink(d.order, "sub"); return err }, MountIsDir},
		{"unlink of nothing", func(tx *Tx, d dirs) error { _, err := tx.Unlink(d.order, "zz"); return err }, MountNotFound},
		{"create over something", func(tx *Tx, d dirs) error { _, err := tx.Create(d.order, "a", 0); return err }, MountExists},
		{"create in the root", func(tx *Tx, d dirs) error { _, err := tx.Create(d.root, "a", 0); return err }, 0},
		{"create in a file", func(tx *Tx, d dirs) error {
			i, _, _ := tx.Lookup(d.order, "a")
			_, err := tx.Create(i.Node, "x", 0)
			return err
		}, MountNotDir},
		{"create in what is not there", func(tx *Tx, d dirs) error { _, err := tx.Create(4711, "x", 0); return err }, MountNotFound},
		{"a name that is too long", func(tx *Tx, d dirs) error { _, err := tx.Mkdir(d.order, strings.Repeat("x", 256)); return err }, MountNameTooLong},
		{"a name that is no text", func(tx *Tx, d dirs) error { _, err := tx.Create(d.order, "a\xff.txt", 0); return err }, MountInvalid},
		{"a name with a slash", func(tx *Tx, d dirs) error { _, err := tx.Mkdir(d.order, "a/b"); return err }, MountInvalid},
		{"rename over something with NOREPLACE", func(tx *Tx, d dirs) error { return tx.Rename(d.order, "a", d.sub, "b", RenameNoReplace) }, MountExists},
		{"exchange", func(tx *Tx, d dirs) error { return tx.Rename(d.order, "a", d.sub, "b", 2) }, MountInvalid},
		{"rename over a file whose own bytes are elsewhere", func(tx *Tx, d dirs) error { return tx.Rename(d.order, "a", d.sub, "b", 0) }, MountNeedsContent},
		{"rename onto itself", func(tx *Tx, d dirs) error { return tx.Rename(d.order, "a", d.order, "a", 0) }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := memStore(t)
			d := dirs{root: odbxfs.RootNode}
			dflt := subfolder(11, "default", order)
			dflt.Role = odbxfs.RoleDefault
			d.order = world(t, s, rule(2, "Empty"), record(2, "S2"), subfolder(10, "sub", order), dflt,
				document(20, "a", order), document(21, "b", odbxfs.FolderRef(10)))
			d.rule, d.sub, d.deflt = byRef(t, s, odbxfs.RuleRef(1)), byRef(t, s, odbxfs.FolderRef(10)), byRef(t, s, odbxfs.FolderRef(11))
			err := s.Update(func(tx *Tx) error { return c.do(tx, d) })
			if c.want != 0 {
				wantRefusal(t, err, c.want)
				if n := len(intents(t, s)); n != 0 {
					t.Fatalf("a refusal left %d intents", n)
				}
			} else if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestMkdirTakesItsRoleFromWhereItIs(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	update(t, s, func(tx *Tx) error {
		for _, c := range []struct {
			in   odbxfs.NodeID
			want odbxfs.FolderRole
		}{{odbxfs.RootNode, odbxfs.RoleFree}, {dir, odbxfs.RoleSubfolder}} {
			i, err := tx.Mkdir(c.in, "x")
			if err != nil {
				return err
			}
			if i.Role != c.want {
				t.Errorf("role %d, want %d", i.Role, c.want)
			}
			if j, err := tx.Mkdir(i.Node, "y"); err != nil || j.Role != c.want {
				t.Errorf("below it: role %d, %v", j.Role, err)
			}
		}
		return nil
	})
}

func TestAFileIsWrittenSentAndSettled(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	i := write(t, s, dir, "a.txt", "hello")
	if i.SHA1 != sha("hello") || i.Size != 5 || i.State != odbxfs.StateLocal {
		t.Fatalf("the inode is %+v", i)
	}
	list := intents(t, s)
	if len(list) != 1 || list[0].Node != i.Node || list[0].ContentSHA1 != sha("hello") || list[0].Key == "" || !list[0].Was.Ref.IsZero() {
		t.Fatalf("intents: %+v", list)
	}
	n := document(7, "a.txt", order)
	n.Node, n.SHA1, n.Size, n.MTime = i.Node, sha("hello"), 5, i.MTime.Truncate(time.Second)
	update(t, s, func(tx *Tx) error {
		if _, err := tx.PutOdoo(n); err != nil {
			return err
		}
		return tx.DropIntent(i.Node, list[0].Seq)
	})
	now := lookup(t, s, dir, "a.txt")
	if now.Node != i.Node || now.State != odbxfs.StateClean || now.Odoo != n.Ref || now.Content != i.Content || !now.MTime.Equal(i.MTime) {
		t.Fatalf("settled: %+v, was %+v", now, i)
	}
	if len(intents(t, s)) != 0 {
		t.Fatal("the intent is still there")
	}
	if _, evictable := s.Contents().Usage(); evictable != 5 {
		t.Fatalf("%d bytes can be had again, want 5", evictable)
	}
}

func TestMTimeAfterTheLastWriteIsNoSecondUpload(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	i := write(t, s, dir, "a.txt", "hello")
	seq := intents(t, s)[0].Seq
	when := time.Date(2020, 2, 2, 2, 2, 2, 123456789, time.UTC)
	update(t, s, func(tx *Tx) error { return tx.SetMTime(i.Node, when) }) // while the upload is under way
	n := document(7, "a.txt", order)
	n.Node, n.SHA1, n.Size = i.Node, sha("hello"), 5
	update(t, s, func(tx *Tx) error {
		if _, err := tx.PutOdoo(n); err != nil {
			return err
		}
		return tx.DropIntent(i.Node, seq)
	})
	list := intents(t, s)
	if len(list) != 1 || list[0].Content != "" || list[0].Was.Ref != n.Ref {
		t.Fatalf("left to do: %+v, want a hint only", list)
	}
	n.MTime = when.Truncate(time.Second)
	update(t, s, func(tx *Tx) error {
		if _, err := tx.PutOdoo(n); err != nil {
			return err
		}
		return tx.DropIntent(i.Node, list[0].Seq)
	})
	if now := lookup(t, s, dir, "a.txt"); !now.MTime.Equal(when) {
		t.Fatalf("mtime %s, want %s to the nanosecond", now.MTime, when)
	}
}

func TestRenameOverKeepsTheTargetsIdentity(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, document(7, "a.txt", order))
	target := lookup(t, s, dir, "a.txt")
	tmp := write(t, s, dir, ".a.txt.XYZ", "new bytes")
	update(t, s, func(tx *Tx) error { return tx.Rename(dir, ".a.txt.XYZ", dir, "a.txt", 0) })
	wantNames(t, s, dir, "a.txt")
	now := lookup(t, s, dir, "a.txt")
	if now.Node != target.Node || now.Odoo != odbxfs.AttachmentRef(7) || now.SHA1 != sha("new bytes") || now.Size != 9 {
		t.Fatalf("after the rename: %+v", now)
	}
	if read(t, s, now.Node) != "new bytes" || read(t, s, tmp.Node) != "new bytes" {
		t.Fatal("the bytes are others")
	}
	list := intents(t, s)
	if len(list) != 1 || list[0].Node != target.Node || list[0].ContentSHA1 != sha("new bytes") || list[0].Was.SHA1 != sha("a.txt") {
		t.Fatalf("intents %+v, want new content of the target and nothing else", list)
	}
	// Who still has the source open writes to the target.
	more := seal(t, s, "newer")
	update(t, s, func(tx *Tx) error {
		i, err := tx.CommitContent(tmp.Node, more)
		if i.Node != target.Node {
			t.Errorf("written to node %d, want %d", i.Node, target.Node)
		}
		return err
	})
	if read(t, s, target.Node) != "newer" {
		t.Fatal("a late write was lost")
	}
}

func TestRenameOverFromAFileThatOdooHasRemovesThatOneAfterwards(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, document(7, "a", order), document(8, "b", order))
	a, b := lookup(t, s, dir, "a"), lookup(t, s, dir, "b")
	err := s.Update(func(tx *Tx) error { return tx.Rename(dir, "a", dir, "b", 0) })
	wantRefusal(t, err, MountNeedsContent)
	fetch(t, s, a.Node, "a")
	update(t, s, func(tx *Tx) error { return tx.Rename(dir, "a", dir, "b", 0) })
	list := intents(t, s)
	if len(list) != 2 || list[0].Node != b.Node || list[0].ContentSHA1 != sha("a") || list[1].Node != a.Node || !list[1].Gone {
		t.Fatalf("intents %+v, want b's content, then a's removal", list)
	}
	wantNames(t, s, dir, "b")
}

// fetch fills a node's content as the engine does.
func fetch(t *testing.T, s *Store, id odbxfs.NodeID, text string) odbxfs.ContentID {
	t.Helper()
	c, err := s.Contents().New(int64(len(text)), sha(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Contents().Reader(c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	update(t, s, func(tx *Tx) error { return tx.SetContent(id, c) })
	if _, err := r.Fill(0, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.MarkWhole(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatWasNeverSentIsForgottenWithItsFile(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	i := write(t, s, dir, "tmp", "x")
	update(t, s, func(tx *Tx) error { _, err := tx.Unlink(dir, "tmp"); return err })
	if l := intents(t, s); len(l) != 0 {
		t.Fatalf("left: %+v", l)
	}
	if total, _ := s.Contents().Usage(); total != 0 {
		t.Fatalf("%d bytes are left", total)
	}
	// An answer to a create that was already on its way.
	n := document(7, "tmp", order)
	n.Node = i.Node
	putOdoo(t, s, n)
	wantNames(t, s, dir, "")
	if l := intents(t, s); len(l) != 1 || !l[0].Gone || l[0].Was.Ref != n.Ref {
		t.Fatalf("intents %+v, want a removal", l)
	}
}

func TestAnAttemptedCreateIsRemovedWhenItIsKnown(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	i := write(t, s, dir, "tmp", "x")
	in := intents(t, s)[0]
	in.Attempts++
	update(t, s, func(tx *Tx) error {
		if err := tx.PutIntent(in); err != nil {
			return err
		}
		_, err := tx.Unlink(dir, "tmp")
		return err
	})
	n := document(7, "tmp", order)
	n.Node = i.Node
	putOdoo(t, s, n)
	wantNames(t, s, dir, "")
	if l := intents(t, s); len(l) != 1 || !l[0].Gone || l[0].Was.Ref != n.Ref || l[0].Key != in.Key {
		t.Fatalf("intents %+v, want a removal under the create's key", l)
	}
}

func TestHeldRemovals(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, subfolder(10, "sub", order), document(7, "a", odbxfs.FolderRef(10)))
	sub := lookup(t, s, dir, "sub").Node
	a := lookup(t, s, sub, "a").Node
	write(t, s, sub, "a", "unsent bytes")
	update(t, s, func(tx *Tx) error {
		if _, err := tx.Unlink(sub, "a"); err != nil {
			return err
		}
		if err := tx.Rmdir(dir, "sub"); err != nil {
			return err
		}
		return tx.HoldIntents([]odbxfs.NodeID{a, sub}, "too many at once")
	})
	wantNames(t, s, dir, "")
	view(t, s, func(tx *Tx) error {
		i, ok, err := tx.Inode(a)
		if !ok || !i.Hidden || i.Reason != "too many at once" {
			t.Errorf("held: %+v", i)
		}
		return err
	})
	for _, i := range intents(t, s) {
		if !i.Held {
			t.Fatalf("not held: %+v", i)
		}
	}
	update(t, s, func(tx *Tx) error { return tx.RestoreHeld(a) })
	wantNames(t, s, dir, "sub")
	wantNames(t, s, sub, "a")
	if read(t, s, a) != "unsent bytes" {
		t.Fatal("the bytes written before the removal are lost")
	}
	if l := intents(t, s); len(l) != 1 || l[0].Gone || l[0].ContentSHA1 != sha("unsent bytes") {
		t.Fatalf("intents %+v, want the unsent bytes", l)
	}
	update(t, s, func(tx *Tx) error {
		if _, err := tx.Unlink(sub, "a"); err != nil {
			return err
		}
		if err := tx.HoldIntents([]odbxfs.NodeID{a}, "held"); err != nil {
			return err
		}
		return tx.ReleaseIntents([]odbxfs.NodeID{a})
	})
	if l := intents(t, s); len(l) != 1 || !l[0].Gone || l[0].Held {
		t.Fatalf("intents %+v, want a removal that goes on", l)
	}
}

func TestAFolderGoneInOdooIsMadeAgainForWhatWaitsInIt(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, subfolder(10, "sub", order), document(7, "a", odbxfs.FolderRef(10)))
	sub := lookup(t, s, dir, "sub").Node
	write(t, s, sub, "mine", "bytes")
	update(t, s, func(tx *Tx) error { return tx.DropOdoo(sub) })
	wantNames(t, s, dir, "sub")
	wantNames(t, s, sub, "mine")
	if i := lookup(t, s, dir, "sub"); i.State != odbxfs.StateLocal || i.Role != odbxfs.RoleSubfolder || !i.Odoo.IsZero() {
		t.Fatalf("the folder: %+v", i)
	}
	list := intents(t, s)
	if len(list) != 2 || list[1].Node != sub || list[1].Gone || !list[1].Was.Ref.IsZero() {
		t.Fatalf("intents %+v, want one that makes the folder", list)
	}
	update(t, s, func(tx *Tx) error {
		if _, err := tx.Unlink(sub, "mine"); err != nil {
			return err
		}
		return tx.Rmdir(dir, "sub")
	})
	wantNames(t, s, dir, "")
	if l := intents(t, s); len(l) != 0 {
		t.Fatalf("left: %+v", l)
	}
}

func TestAnIdLeadsOnThroughManySaves(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	first := write(t, s, dir, "a", "0")
	update(t, s, func(tx *Tx) error { return tx.Rename(dir, "a", dir, "a~", 0) })
	for n := range 5 {
		write(t, s, dir, "tmp", strings.Repeat("x", n+1))
		update(t, s, func(tx *Tx) error { return tx.Rename(dir, "tmp", dir, "b", 0) })
		update(t, s, func(tx *Tx) error { return tx.Rename(dir, "b", dir, "a~", 0) })
	}
	wantNames(t, s, dir, "a~")
	if i := lookup(t, s, dir, "a~"); i.Node != first.Node || read(t, s, i.Node) != "xxxxx" {
		t.Fatalf("it is %+v", i)
	}
	if l := intents(t, s); len(l) != 1 || l[0].Node != first.Node {
		t.Fatalf("intents: %+v", l)
	}
}

func TestNoFolders(t *testing.T) {
	o := testOptions()
	o.InMemory, o.Dir, o.NoFolders = true, t.TempDir(), true
	s := openStore(t, o)
	dir := world(t, s)
	for _, parent := range []odbxfs.NodeID{odbxfs.RootNode, dir} {
		err := s.Update(func(tx *Tx) error { _, err := tx.Mkdir(parent, "new"); return err })
		if refused, ok := errors.AsType[*MountError](err); !ok || refused.Kind != MountNotAllowed {
			t.Errorf("mkdir in node %d: %v", parent, err)
		}
	}
	update(t, s, func(tx *Tx) error { _, err := tx.Create(dir, "a file", 0); return err })
}

func TestKeepMTimes(t *testing.T) {
	o := testOptions()
	o.InMemory, o.Dir, o.KeepMTimes = true, t.TempDir(), true
	s := openStore(t, o)
	dir := world(t, s, document(7, "a", order))
	when := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)
	id := lookup(t, s, dir, "a").Node
	update(t, s, func(tx *Tx) error { return tx.SetMTime(id, when) })
	d := document(7, "a", order)
	d.MTime = d.MTime.Add(time.Hour) // its write_date, since Odoo keeps no mtime here
	update(t, s, func(tx *Tx) error {
		if _, err := tx.PutOdoo(d); err != nil {
			return err
		}
		i, _, err := tx.Intent(id)
		if err != nil {
			return err
		}
		return tx.DropIntent(id, i.Seq)
	})
	if i := lookup(t, s, dir, "a"); !i.MTime.Equal(when) {
		t.Fatalf("the mtime is %s", i.MTime)
	}
	d.SHA1 = sha("other")
	putOdoo(t, s, d)
	if i := lookup(t, s, dir, "a"); !i.MTime.Equal(d.MTime) {
		t.Fatalf("with other content, the mtime is %s", i.MTime)
	}
}
