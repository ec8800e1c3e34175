package fs

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// remote changes the tree as the engine does: beside the mount.
func (w *world) remote(fn func(Tx) error) {
	w.t.Helper()
	if err := w.store.Update(fn); err != nil {
		w.t.Fatal(err)
	}
}

// remoteFile puts a file with these bytes.
func (w *world) remoteFile(path, content string) odbxfs.Inode {
	w.t.Helper()
	parent, dir := odbxfs.RootNode, filepath.Dir(path)
	if dir != "." {
		parent = w.mustInode(dir).Node
	}
	sealed, done, err := w.store.seal([]byte(content))
	if err != nil {
		w.t.Fatal(err)
	}
	var ino odbxfs.Inode
	w.remote(func(tx Tx) (err error) {
		var there bool
		if ino, there, err = tx.Lookup(parent, filepath.Base(path)); err == nil && !there {
			ino, err = tx.Create(parent, filepath.Base(path), 0)
		}
		if err == nil {
			ino, err = tx.CommitContent(ino.Node, sealed)
		}
		return err
	})
	if err := done(); err != nil {
		w.t.Fatal(err)
	}
	return ino
}

func (w *world) prints(script, want string) func() bool {
	return func() bool {
		out, err := w.try(script)
		return err == nil && out == want
	}
}

func TestTheKernelHearsOfChangesBesideIt(t *testing.T) {
	for _, c := range []struct {
		name        string
		before      string // a script that fills the kernel's caches
		change      func(*world)
		after, want string
	}{
		{"a file comes into a folder that was listed", "ls d", func(w *world) { w.remoteFile("d/new", "x") }, "ls d", "a\nnew"},
		{"a name appears that was looked for in vain", "! stat d/new 2>/dev/null", func(w *world) { w.remoteFile("d/new", "x") }, "cat d/new", "x"},
		{"a file is removed", "cat d/a; ls d", func(w *world) {
			d := w.mustNode("d")
			w.remote(func(tx Tx) error { _, err := tx.Unlink(d, "a"); return err })
		}, "ls d; cat d/a 2>/dev/null || echo gone", "gone"},
		{"a file is renamed", "cat d/a; ls d", func(w *world) {
			d := w.mustNode("d")
			w.remote(func(tx Tx) error { return tx.Rename(d, "a", odbxfs.RootNode, "b", 0) })
		}, "ls d; cat b; cat d/a 2>/dev/null || echo gone", "oldgone"},
		{"a folder is renamed with what is in it", "cat d/a", func(w *world) {
			w.remote(func(tx Tx) error { return tx.Rename(odbxfs.RootNode, "d", odbxfs.RootNode, "e", 0) })
		}, "ls; cat e/a", "e\nold"},
		{"a file gets other bytes", "cat d/a", func(w *world) { w.remoteFile("d/a", "longer than before") }, "cat d/a; stat -c :%s d/a", "longer than before:18"},
		{"an mtime changes", "stat d/a", func(w *world) {
			a := w.mustNode("d/a")
			w.remote(func(tx Tx) error { return tx.SetMTime(a, time.Unix(12345, 0)) })
		}, "stat -c %Y d/a", "12345"},
		{"a whole folder is removed", "ls -R", func(w *world) {
			d := w.mustNode("d")
			w.remote(func(tx Tx) error {
				if _, err := tx.Unlink(d, "a"); err != nil {
					return err
				}
				return tx.Rmdir(odbxfs.RootNode, "d")
			})
		}, "ls; ls d 2>/dev/null || echo gone", "gone"},
		{"what was made here is removed there", "echo mine >d/m; cat d/m; ls d", func(w *world) {
			d := w.mustNode("d")
			w.remote(func(tx Tx) error { _, err := tx.Unlink(d, "m"); return err })
		}, "ls d; cat d/m 2>/dev/null || echo gone", "a\ngone"},
		{"what was written here is replaced there", "echo mine >d/a; cat d/a", func(w *world) { w.remoteFile("d/a", "theirs") }, "cat d/a", "theirs"},
		{"what was replaced here by a rename is replaced there", "echo mine >t; mv t d/a; cat d/a", func(w *world) { w.remoteFile("d/a", "theirs") }, "cat d/a", "theirs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, onFake(newFakeStore(time.Now)))
			w.sh("mkdir d; printf old >d/a; " + c.before)
			c.change(w)
			eventually(t, c.after, w.prints(c.after, c.want))
		})
	}
}

func (w *world) mustNode(path string) odbxfs.NodeID { return w.mustInode(path).Node }

// A reader of a file that is replaced beside it goes on reading what it opened.
func TestAReaderKeepsWhatItOpened(t *testing.T) {
	w := newWorld(t, onFake(newFakeStore(time.Now)))
	w.sh("printf 'first version' >a")
	script := `exec 3<a; dd bs=5 count=1 status=none <&3; echo ready >"$SIG/ready"
		while ! test -e "$SIG/go"; do sleep 0.01; done; cat <&3`
	sig := t.TempDir()
	out := make(chan string)
	go func() {
		o, err := w.try("SIG=" + sig + "\n" + script)
		out <- o + strconv.FormatBool(err == nil)
	}()
	eventually(t, "the reader is ready", func() bool { _, err := os.Stat(sig + "/ready"); return err == nil })
	w.remoteFile("a", "SECOND, which is longer")
	eventually(t, "a new reader sees the new bytes", w.prints("cat a", "SECOND, which is longer"))
	if err := os.WriteFile(sig+"/go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := <-out; got != "first versiontrue" {
		t.Errorf("the old reader got %q", got)
	}
}

// silentStore sends no events, which the notifier could judge before the test.
type silentStore struct{ *fakeStore }

func (silentStore) Subscribe(func([]cache.Event)) func() { return func() {} }

// What the mount did itself is no news to the kernel: a shell may stand in a
// folder that was just made, and warm caches stay warm.
func TestOwnChangesAreNoNews(t *testing.T) {
	fake := newFakeStore(time.Now)
	w := newWorld(t, func(o *Options) { o.Store, o.Opener = silentStore{fake}, fake })
	w.sh(`mkdir d; cd d; echo a >a; mkdir e; cd e; mv ../a b; echo c >c; mv c b; rm b`)
	f := w.srv.fs
	for _, e := range []cache.Event{
		{Kind: cache.EntryChanged, Parent: odbxfs.RootNode, Name: "d", Node: w.mustNode("d")},
		{Kind: cache.EntryChanged, Parent: w.mustNode("d"), Name: "a"},
		{Kind: cache.EntryChanged, Parent: w.mustNode("d/e"), Name: "b"},
		{Kind: cache.NodeGone, Parent: w.mustNode("d/e"), Name: "b", Node: 99},
	} {
		if n := f.judge(e); n != nil {
			t.Errorf("%+v was told to the kernel: %+v", e, n)
		}
	}
	if n := f.judge(cache.Event{Kind: cache.EntryChanged, Parent: odbxfs.RootNode, Name: "d", Node: 77}); n == nil {
		t.Error("a change of somebody else was not told")
	}
	if out := w.sh("cd d/e; mkdir g; cd g; /bin/pwd"); !strings.HasSuffix(out, "/d/e/g") {
		t.Errorf("pwd says %s", out)
	}
}

var rootNode = odbxfs.OdooNode{Ref: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRoot}

// put says what Odoo has.
func (s *realStore) put(t *testing.T, nodes ...odbxfs.OdooNode) {
	t.Helper()
	err := s.cache.Update(func(tx *cache.Tx) error {
		for _, n := range nodes {
			if _, err := tx.PutOdoo(n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The same with the real store and what the engine does to it.
func TestTheKernelHearsOfOdoo(t *testing.T) {
	w := newWorld(t)
	store := w.store.(*realStore)
	put := func(nodes ...odbxfs.OdooNode) {
		t.Helper()
		store.put(t, nodes...)
	}
	rule := odbxfs.OdooNode{Ref: odbxfs.RuleRef(1), ParentRef: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRule, Name: "Orders"}
	order := odbxfs.OdooNode{Ref: odbxfs.RecordRef("sale.order", 1), ParentRef: rule.Ref, Kind: odbxfs.Folder, Role: odbxfs.RoleRecord, Name: "S1"}
	file := odbxfs.OdooNode{
		Ref: odbxfs.AttachmentRef(1), ParentRef: order.Ref, Kind: odbxfs.File, Name: "a", Type: odbxfs.Binary,
		Size: 0, SHA1: odbxfs.EmptySHA1, MTime: time.Unix(1000, 0), Writable: true,
	}
	w.sh("ls -lR; ! stat Orders 2>/dev/null")
	put(rootNode, rule, order, file)
	eventually(t, "the tree appears", w.prints("find . | sort", ".\n./Orders\n./Orders/S1\n./Orders/S1/a"))
	file.Name, file.MTime = "b", time.Unix(2000, 0)
	put(file)
	eventually(t, "the file is renamed", w.prints("ls Orders/S1; stat -c %Y Orders/S1/b; stat Orders/S1/a >/dev/null 2>&1 || echo gone", "b\n2000\ngone"))
	file.Type, file.URL = odbxfs.Foreign, "https://example.org/long"
	put(file)
	eventually(t, "it became a foreign document", w.prints("cat Orders/S1/b", "https://example.org/long"))
	order.Name = "S1 new"
	put(order)
	eventually(t, "the record is renamed", w.prints("cat 'Orders/S1 new/b'", "https://example.org/long"))
	for _, script := range []string{"rmdir 'Orders/S1 new'", "mv Orders Other", "mv 'Orders/S1 new' S2"} {
		if out, err := w.try(script); err == nil {
			t.Errorf("%s was allowed: %s", script, out)
		}
	}
	err := store.cache.Update(func(tx *cache.Tx) error {
		n, _, err := tx.OdooByRef(order.Ref)
		if err == nil {
			err = tx.DropOdoo(n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the record is gone", w.prints("ls Orders", ""))
}
