package fs

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// fakeStore is the store's contract in memory: the mount's view of the tree
// with its rules about identity, and nothing behind it.
type fakeStore struct {
	mu        sync.Mutex
	nodes     map[odbxfs.NodeID]odbxfs.Inode
	contents  map[odbxfs.ContentID][]byte
	last      odbxfs.NodeID
	sealed    int
	committed int // contents
	subs      []func([]cache.Event)
	events    []cache.Event // of the transaction that runs
	deliver   sync.Mutex    // keeps deliveries in order
	now       func() time.Time
}

func newFakeStore(now func() time.Time) *fakeStore {
	return &fakeStore{
		nodes:    map[odbxfs.NodeID]odbxfs.Inode{1: {Node: 1, Kind: odbxfs.Folder, Role: odbxfs.RoleRoot, MTime: now()}},
		contents: map[odbxfs.ContentID][]byte{},
		last:     1,
		now:      now,
	}
}

func (s *fakeStore) View(fn func(Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fn((*fakeTx)(s))
}

func (s *fakeStore) Update(fn func(Tx) error) error {
	s.mu.Lock()
	old := make(map[odbxfs.NodeID]odbxfs.Inode, len(s.nodes))
	for k, v := range s.nodes {
		old[k] = v
	}
	err := fn((*fakeTx)(s))
	events := s.events
	s.events = nil
	if err != nil {
		s.nodes, events = old, nil
	}
	subs := slices.Clone(s.subs)
	s.deliver.Lock() // here, so that deliveries come in the order of commits
	s.mu.Unlock()
	go func() {
		defer s.deliver.Unlock()
		for _, fn := range subs {
			fn(events)
		}
	}()
	return err
}

func (s *fakeStore) Sync(context.Context) error { return nil }

func (s *fakeStore) Subscribe(fn func([]cache.Event)) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subs = append(s.subs, fn)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.subs = nil
	}
}

func (s *fakeStore) NewWriter(_ context.Context, base odbxfs.ContentID) (Writer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &fakeWriter{store: s, b: slices.Clone(s.contents[base])}, nil
}

func (s *fakeStore) OpenRead(_ context.Context, n odbxfs.NodeID) (Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.contents[s.nodes[n].Content]
	if !ok {
		return nil, &odbxfs.Error{Op: "open", Kind: odbxfs.KindAccess}
	}
	return textContent(b), nil
}

type fakeWriter struct {
	store *fakeStore
	mu    sync.Mutex
	b     []byte
}

func (w *fakeWriter) WriteAt(p []byte, off int64) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if end := int(off) + len(p); end > len(w.b) {
		w.b = append(w.b, make([]byte, end-len(w.b))...)
	}
	return copy(w.b[off:], p), nil
}

func (w *fakeWriter) ReadAt(p []byte, off int64) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if off >= int64(len(w.b)) {
		return 0, io.EOF
	}
	return copy(p, w.b[off:]), nil
}

func (w *fakeWriter) Truncate(n int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if int(n) <= len(w.b) {
		w.b = slices.Clone(w.b[:n])
	} else {
		w.b = append(w.b, make([]byte, int(n)-len(w.b))...)
	}
	return nil
}

func (w *fakeWriter) Size() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int64(len(w.b))
}

func (w *fakeWriter) Seal(context.Context) (cache.Sealed, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sealed, _, err := w.store.seal(w.b)
	return sealed, err
}

func (w *fakeWriter) Discard() error { return nil }

func (s *fakeStore) seal(b []byte) (cache.Sealed, func() error, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed++
	sum := sha1.Sum(b)
	id := odbxfs.ContentID("c" + strconv.Itoa(s.sealed))
	s.contents[id] = slices.Clone(b)
	return cache.Sealed{ID: id, SHA1: odbxfs.SHA1(hex.EncodeToString(sum[:])), Size: int64(len(b))}, func() error { return nil }, nil
}

// fakeTx is the store inside a transaction.
type fakeTx fakeStore

func refuse(op, name string, kind cache.MountErrorKind) error {
	return &cache.MountError{Op: op, Name: name, Kind: kind}
}

func (t *fakeTx) emit(e cache.Event) { t.events = append(t.events, e) }

func (t *fakeTx) Inode(id odbxfs.NodeID) (odbxfs.Inode, bool, error) {
	ino, ok := t.nodes[id]
	return ino, ok, nil
}

func (t *fakeTx) Lookup(parent odbxfs.NodeID, name string) (odbxfs.Inode, bool, error) {
	for _, ino := range t.nodes {
		if ino.Parent == parent && ino.Name == name {
			return ino, true, nil
		}
	}
	return odbxfs.Inode{}, false, nil
}

func (t *fakeTx) ReadDir(parent odbxfs.NodeID, after string, limit int) ([]odbxfs.Inode, error) {
	var all []odbxfs.Inode
	for _, ino := range t.nodes {
		if ino.Parent == parent && ino.Name > after && !ino.Hidden {
			all = append(all, ino)
		}
	}
	slices.SortFunc(all, func(a, b odbxfs.Inode) int { return cmp.Compare(a.Name, b.Name) })
	return all[:min(limit, len(all))], nil
}

func (t *fakeTx) make(parent odbxfs.NodeID, name string, kind odbxfs.NodeKind) (odbxfs.Inode, error) {
	if _, there, _ := t.Lookup(parent, name); there {
		return odbxfs.Inode{}, refuse("make", name, cache.MountExists)
	}
	if p, ok := t.nodes[parent]; !ok || p.Kind != odbxfs.Folder {
		return odbxfs.Inode{}, refuse("make", name, cache.MountNotFound)
	}
	t.last++
	ino := odbxfs.Inode{Node: t.last, Parent: parent, Name: name, Kind: kind, MTime: t.now(), CTime: t.now()}
	if kind == odbxfs.Folder {
		ino.Role = odbxfs.RoleFree
	}
	t.nodes[ino.Node] = ino
	t.emit(cache.Event{Kind: cache.EntryChanged, Parent: parent, Name: name, Node: ino.Node})
	return ino, nil
}

func (t *fakeTx) Create(parent odbxfs.NodeID, name string, _ uint32) (odbxfs.Inode, error) {
	return t.make(parent, name, odbxfs.File)
}

func (t *fakeTx) Mkdir(parent odbxfs.NodeID, name string) (odbxfs.Inode, error) {
	return t.make(parent, name, odbxfs.Folder)
}

func (t *fakeTx) remove(ino odbxfs.Inode) {
	delete(t.nodes, ino.Node)
	t.emit(cache.Event{Kind: cache.NodeGone, Parent: ino.Parent, Name: ino.Name, Node: ino.Node})
	t.emit(cache.Event{Kind: cache.EntryChanged, Parent: ino.Parent, Name: ino.Name})
}

func (t *fakeTx) Unlink(parent odbxfs.NodeID, name string) (odbxfs.Inode, error) {
	ino, there, _ := t.Lookup(parent, name)
	switch {
	case !there:
		return ino, refuse("unlink", name, cache.MountNotFound)
	case ino.Kind == odbxfs.Folder:
		return ino, refuse("unlink", name, cache.MountIsDir)
	}
	t.remove(ino)
	return ino, nil
}

func (t *fakeTx) Rmdir(parent odbxfs.NodeID, name string) error {
	ino, there, _ := t.Lookup(parent, name)
	switch below, _ := t.ReadDir(ino.Node, "", 1); {
	case !there:
		return refuse("rmdir", name, cache.MountNotFound)
	case ino.Kind != odbxfs.Folder:
		return refuse("rmdir", name, cache.MountNotDir)
	case len(below) > 0:
		return refuse("rmdir", name, cache.MountNotEmpty)
	}
	t.remove(ino)
	return nil
}

func (t *fakeTx) Rename(oldParent odbxfs.NodeID, oldName string, newParent odbxfs.NodeID, newName string, flags uint32) error {
	from, there, _ := t.Lookup(oldParent, oldName)
	if !there {
		return refuse("rename", oldName, cache.MountNotFound)
	}
	to, over, _ := t.Lookup(newParent, newName)
	if over && flags&cache.RenameNoReplace != 0 {
		return refuse("rename", newName, cache.MountExists)
	}
	if over && from.Kind == odbxfs.File && to.Kind == odbxfs.File {
		to.Size, to.MTime, to.SHA1, to.Content = from.Size, from.MTime, from.SHA1, from.Content
		t.nodes[to.Node] = to
		t.remove(from)
		t.emit(cache.Event{Kind: cache.ContentChanged, Node: to.Node})
		return nil
	}
	if over {
		if err := t.Rmdir(newParent, newName); err != nil {
			return err
		}
	}
	from.Parent, from.Name = newParent, newName
	t.nodes[from.Node] = from
	t.emit(cache.Event{Kind: cache.EntryChanged, Parent: oldParent, Name: oldName})
	t.emit(cache.Event{Kind: cache.EntryChanged, Parent: newParent, Name: newName, Node: from.Node})
	return nil
}

func (t *fakeTx) SetMTime(id odbxfs.NodeID, m time.Time) error {
	ino := t.nodes[id]
	ino.MTime = m
	t.nodes[id] = ino
	t.emit(cache.Event{Kind: cache.NodeChanged, Node: id})
	return nil
}

func (t *fakeTx) SetContent(id odbxfs.NodeID, c odbxfs.ContentID) error {
	ino := t.nodes[id]
	ino.Content = c
	t.nodes[id] = ino
	return nil
}

func (t *fakeTx) CommitContent(id odbxfs.NodeID, sealed cache.Sealed) (odbxfs.Inode, error) {
	ino, ok := t.nodes[id]
	if !ok {
		return ino, refuse("commit", fmt.Sprint(id), cache.MountNotFound)
	}
	ino.Content, ino.SHA1, ino.Size, ino.MTime = sealed.ID, sealed.SHA1, sealed.Size, t.now()
	t.nodes[id] = ino
	t.committed++
	t.emit(cache.Event{Kind: cache.ContentChanged, Node: id})
	return ino, nil
}

func (s *fakeStore) commits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.committed
}

// onFake puts a mount on the fake store, and maybe another one around it.
func onFake(fake *fakeStore) func(*Options) {
	return func(o *Options) { o.Store, o.Opener = fake, fake }
}
