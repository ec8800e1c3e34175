package fs

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"odbxfs"
)

// gatedStore stops after a look into the store, or after a change of it, as long
// as a test wants.
type gatedStore struct {
	*realStore
	looked  atomic.Pointer[func(name string)] // name: of a look-up by name
	changed atomic.Pointer[func()]
}

func (s *gatedStore) View(fn func(Tx) error) error {
	return s.realStore.View(func(tx Tx) error { return fn(gatedTx{tx, s}) })
}

func (s *gatedStore) Update(fn func(Tx) error) error {
	err := s.realStore.Update(fn)
	if fn := s.changed.Load(); fn != nil {
		(*fn)()
	}
	return err
}

// gatedTx is a snapshot that grows old while a test holds it.
type gatedTx struct {
	Tx
	s *gatedStore
}

func (t gatedTx) gate(name string) {
	if fn := t.s.looked.Load(); fn != nil {
		(*fn)(name)
	}
}

func (t gatedTx) Inode(id odbxfs.NodeID) (odbxfs.Inode, bool, error) {
	ino, ok, err := t.Tx.Inode(id)
	t.gate("")
	return ino, ok, err
}

func (t gatedTx) Lookup(parent odbxfs.NodeID, name string) (odbxfs.Inode, bool, error) {
	ino, ok, err := t.Tx.Lookup(parent, name)
	t.gate(name)
	return ino, ok, err
}

func (t gatedTx) ReadDir(parent odbxfs.NodeID, after string, limit int) ([]odbxfs.Inode, error) {
	list, err := t.Tx.ReadDir(parent, after, limit)
	t.gate("")
	return list, err
}

// requests drives the requests of one mount without a kernel, so that a test
// says which answer overtakes which.
type requests struct {
	*FS
	t     *testing.T
	store *gatedStore
	dir   uint64 // the root, open
}

func newRequests(t *testing.T) *requests {
	t.Helper()
	store := &gatedStore{realStore: newRealStore(t)}
	r := &requests{t: t, store: store, FS: newFS(context.Background(), Options{
		Store: store, Opener: store, Now: time.Now, Log: slog.New(slog.DiscardHandler), Backups: DefaultBackups(),
	})}
	var dir fuse.OpenOut
	r.must(r.OpenDir(nil, &fuse.OpenIn{InHeader: root}, &dir))
	r.dir = dir.Fh
	return r
}

// whenLooked runs fn once, the next time that somebody has looked into the store.
func (r *requests) whenLooked(fn func()) {
	once := func(string) {
		r.store.looked.Store(nil)
		fn()
	}
	r.store.looked.Store(&once)
}

func (r *requests) must(st fuse.Status) {
	r.t.Helper()
	if st != fuse.OK {
		r.t.Fatal(st)
	}
}

var root = fuse.InHeader{NodeId: uint64(odbxfs.RootNode)}

func on(k uint64) fuse.InHeader { return fuse.InHeader{NodeId: k} }

// create makes a file that is open for writing.
func (r *requests) create(name string) (k, fh uint64) {
	r.t.Helper()
	var out fuse.CreateOut
	r.must(r.Create(nil, &fuse.CreateIn{InHeader: root, Flags: syscall.O_RDWR}, name, &out))
	return out.NodeId, out.Fh
}

func (r *requests) open(k uint64, flags uint32) (fh uint64) {
	r.t.Helper()
	var out fuse.OpenOut
	r.must(r.Open(nil, &fuse.OpenIn{InHeader: on(k), Flags: flags}, &out))
	return out.Fh
}

func (r *requests) write(fh uint64, text string) {
	r.t.Helper()
	_, st := r.Write(nil, &fuse.WriteIn{Fh: fh}, []byte(text))
	r.must(st)
}

func (r *requests) close(k, fh uint64) {
	r.t.Helper()
	r.must(r.Flush(nil, &fuse.FlushIn{InHeader: on(k), Fh: fh}))
	r.Release(nil, &fuse.ReleaseIn{InHeader: on(k), Fh: fh})
}

// file makes a closed file.
func (r *requests) file(name, text string) (k uint64) {
	r.t.Helper()
	k, fh := r.create(name)
	r.write(fh, text)
	r.close(k, fh)
	return k
}

func (r *requests) getattr(k uint64) fuse.Attr {
	r.t.Helper()
	var out fuse.AttrOut
	r.must(r.GetAttr(nil, &fuse.GetAttrIn{InHeader: on(k)}, &out))
	return out.Attr
}

// The requests that answer attributes of the file "a", whose number is k.
var askers = []struct {
	name string
	ask  func(r *requests, k uint64) fuse.Attr
}{
	{"getattr", (*requests).getattr},
	{"lookup", func(r *requests, _ uint64) fuse.Attr {
		var out fuse.EntryOut
		r.must(r.Lookup(nil, &root, "a", &out))
		return out.Attr
	}},
	{"readdirplus", func(r *requests, _ uint64) fuse.Attr {
		buf := make([]byte, 4096)
		list := fuse.NewDirEntryList(buf, 0)
		r.must(r.ReadDirPlus(nil, &fuse.ReadIn{InHeader: root, Fh: r.dir, Size: uint32(len(buf))}, list))
		entries, outs, err := fuse.ParseDirLookupEntries(list.Bytes())
		if err != nil {
			r.t.Fatal(err)
		}
		for i, e := range entries {
			if e.Name == "a" {
				return outs[i].Attr
			}
		}
		r.t.Fatal("a is not in the list")
		return fuse.Attr{}
	}},
	{"setattr", func(r *requests, k uint64) fuse.Attr {
		var out fuse.AttrOut
		r.must(r.SetAttr(nil, &fuse.SetAttrIn{SetAttrInCommon: fuse.SetAttrInCommon{InHeader: on(k), Valid: fuse.FATTR_MODE}}, &out))
		return out.Attr
	}},
}

// The kernel keeps a size that it is answered unless it wrote the file itself
// since it asked; that a close was answered meanwhile does not count. So what was
// read of the store before a commit must not be answered after it.
func TestNoAnswerHasASizeOfBeforeACommit(t *testing.T) {
	for _, asker := range askers {
		for _, commit := range []struct {
			name string
			run  func(r *requests, k, fh, other uint64)
		}{
			{"a close", func(r *requests, k, fh, _ uint64) {
				r.must(r.Flush(nil, &fuse.FlushIn{InHeader: on(k), Fh: fh}))
			}},
			{"the late release of another handle", func(r *requests, k, _, other uint64) {
				r.Release(nil, &fuse.ReleaseIn{InHeader: on(k), Fh: other})
			}},
			{"the last release", func(r *requests, k, fh, other uint64) {
				r.Release(nil, &fuse.ReleaseIn{InHeader: on(k), Fh: other})
				r.close(k, fh)
			}},
		} {
			t.Run(asker.name+" and "+commit.name, func(t *testing.T) {
				r := newRequests(t)
				k, other := r.create("a")
				r.must(r.Flush(nil, &fuse.FlushIn{InHeader: on(k), Fh: other}))
				fh := r.open(k, syscall.O_RDWR)
				r.write(fh, "twelve bytes")
				r.whenLooked(func() { commit.run(r, k, fh, other) })
				if got := asker.ask(r, k); got.Size != 12 {
					t.Errorf("the answer says %d bytes, want 12", got.Size)
				}
			})
		}
	}
}

// While a change of the tree is on its way from the store to the mount's own
// table of numbers, a stat waits for it: half of it is a lie.
func TestAStatSeesARenameOrARemovalWholeOrNotAtAll(t *testing.T) {
	rename := func(r *requests) {
		r.must(r.Rename(nil, &fuse.RenameIn{InHeader: root, Newdir: root.NodeId}, "new", "a"))
	}
	unlink := func(r *requests) { r.must(r.Unlink(nil, &root, "a")) }
	for _, c := range []struct {
		name   string
		change func(*requests)
		of     string // which file is looked at
		links  uint32
		size   uint64
	}{
		{"the file that is renamed over another", rename, "new", 1, 12},
		{"the file that is replaced", rename, "a", 0, 3},
		{"the file that is removed", unlink, "a", 0, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRequests(t)
			k := map[string]uint64{"a": r.file("a", "old"), "new": r.file("new", "twelve bytes")}
			r.open(k["a"], syscall.O_RDONLY)
			r.open(k["new"], syscall.O_RDONLY)
			asked, answered, changed := make(chan bool), make(chan fuse.Attr, 1), make(chan bool)
			committed := func() {
				r.store.changed.Store(nil)
				r.whenLooked(func() { close(asked) })
				go func() { answered <- r.getattr(k[c.of]) }()
				<-asked
			}
			r.store.changed.Store(&committed)
			go func() {
				defer close(changed)
				c.change(r)
			}()
			<-changed
			if got := <-answered; got.Size != c.size || got.Nlink != c.links {
				t.Errorf("the answer says %d bytes and %d links, want %d and %d", got.Size, got.Nlink, c.size, c.links)
			}
		})
	}
}

// A removal that meets a late commit of the same file: who has it open goes on
// with what was committed.
func TestAnOpenFileKeepsItsSizeWhenItIsRemovedDuringACommit(t *testing.T) {
	r := newRequests(t)
	k, other := r.create("a")
	fh := r.open(k, syscall.O_RDWR)
	r.write(fh, "twelve bytes")
	r.whenLooked(func() { r.Release(nil, &fuse.ReleaseIn{InHeader: on(k), Fh: other}) })
	r.must(r.Unlink(nil, &root, "a"))
	if got := r.getattr(k); got.Size != 12 || got.Nlink != 0 {
		t.Errorf("%d bytes and %d links, want 12 and 0", got.Size, got.Nlink)
	}
}

// What is removed beside the mount stays what it was for who has it open.
func TestAnOpenFileKeepsItsSizeWhenItIsRemovedElsewhere(t *testing.T) {
	r := newRequests(t)
	k := r.file("a", "twelve bytes")
	fh := r.open(k, syscall.O_RDONLY)
	err := r.store.Update(func(tx Tx) error { _, err := tx.Unlink(odbxfs.RootNode, "a"); return err })
	if err != nil {
		t.Fatal(err)
	}
	if got := r.getattr(k); got.Size != 12 || got.Nlink != 0 {
		t.Errorf("%d bytes and %d links, want 12 and 0", got.Size, got.Nlink)
	}
	buf := make([]byte, 100)
	res, st := r.Read(nil, &fuse.ReadIn{InHeader: on(k), Fh: fh}, buf)
	r.must(st)
	if b, _ := res.Bytes(buf); string(b) != "twelve bytes" {
		t.Errorf("read %q", b)
	}
}

// An answer that was on its way when the file changed beside the mount makes an
// inode of which the kernel did not know when it was told.
func TestAFirstLookThatIsOvertakenByAChangeIsNotKept(t *testing.T) {
	store := &gatedStore{realStore: newRealStore(t)}
	w := newWorld(t, func(o *Options) { o.Store, o.Opener = store, store })
	file := odbxfs.OdooNode{
		Ref: odbxfs.AttachmentRef(1), ParentRef: odbxfs.RootRef(), Kind: odbxfs.File, Name: "a", Type: odbxfs.Binary,
		Size: 3, SHA1: odbxfs.EmptySHA1, MTime: time.Unix(1000, 0),
	}
	store.put(t, rootNode, file)
	looked, goOn, done := make(chan bool), make(chan bool), make(chan string)
	stop := func(name string) {
		if name == "a" {
			store.looked.Store(nil)
			close(looked)
			<-goOn
		}
	}
	store.looked.Store(&stop)
	go func() { done <- w.sh("stat -c %s a") }()
	<-looked
	file.Size, file.SHA1 = 18, odbxfs.SHA1(strings.Repeat("ab", 20))
	store.put(t, file)
	time.Sleep(50 * time.Millisecond) // the kernel is told, and knows nothing of it yet
	close(goOn)
	if size := <-done; size != "3" {
		t.Errorf("the look says %s, want what was read before the change", size)
	}
	eventually(t, "the new size", w.prints("stat -c %s a", "18"))
}

// As long as a program has a working copy open, it is what everybody sees; what
// came meanwhile shows when it is closed.
func TestAWorkingCopyShowsUntilItIsClosed(t *testing.T) {
	w := newWorld(t, onFake(newFakeStore(time.Now)))
	f, err := os.Create(filepath.Join(w.mnt, "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("ours"); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	w.remoteFile("a", "theirs, which is longer")
	w.remoteFile("told", "") // after which the kernel has heard of both
	eventually(t, "the kernel heard of it", w.prints("cat a; ls", "oursa\ntold"))
	if out := w.sh("stat -c %s a"); out != "4" {
		t.Errorf("%s bytes while 4 are read", out)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what came meanwhile", w.prints("cat a; stat -c ' %s' a", "theirs, which is longer 23"))
}

// Who has a file open for appending appends to what it is now: the kernel has the
// end of it from when the file was opened, and does not ask again.
func TestAnAppendGoesBehindWhatCameMeanwhile(t *testing.T) {
	for _, c := range []struct{ name, theirs string }{
		{"longer", "theirs, which is longer"}, {"shorter", "their"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, onFake(newFakeStore(time.Now)))
			w.sh("printf 'as it was' >a")
			f, err := os.OpenFile(filepath.Join(w.mnt, "a"), os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			w.remoteFile("a", c.theirs)
			if _, err := f.WriteString(" and ours"); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if got, want := w.bytes("a"), c.theirs+" and ours"; got != want {
				t.Errorf("the store has %q, want %q", got, want)
			}
			eventually(t, "the mount shows it", w.prints("cat a; stat -c ' %s' a", c.theirs+" and ours "+strconv.Itoa(len(c.theirs)+9)))
		})
	}
}
