package fs

import (
	"errors"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"odbxfs"
	"odbxfs/cache"
)

// queue holds the store's events until they are told to the kernel. It has no
// bound: the kernel may take its time, and the store must not wait for it.
type queue struct {
	mu     sync.Mutex
	events []cache.Event
	wake   chan struct{} // holds at most one; never closed
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

func (q *queue) put(events []cache.Event) {
	q.mu.Lock()
	q.events = append(q.events, events...)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) takeAll() []cache.Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	events := q.events
	q.events = nil
	return events
}

// news is one thing to tell the kernel.
type news struct {
	kind   newsKind
	id     kernelID // of the inode; of a folder for dropEntry and deleteEntry
	child  kernelID // of deleteEntry
	name   string
	parent bool // the folder's list changed too
}

type newsKind uint8

const (
	dropEntry   newsKind = iota + 1 // what name leads to
	deleteEntry                     // the same, and who watches it hears of it
	dropAttr                        // attributes
	dropBytes                       // attributes and pages, or a folder's list
)

// notify tells the kernel of changes beside it, until stop. It is the only
// goroutine that does, and holds no lock then: the kernel lets it wait for
// requests in flight.
func (f *FS) notify(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-f.events.wake:
		}
		lists := map[kernelID]bool{}
		for _, e := range f.events.takeAll() {
			for _, n := range f.judge(e) {
				f.tell(n)
				if n.parent {
					lists[n.id] = true
				}
			}
		}
		for id := range lists {
			f.tell(news{kind: dropBytes, id: id})
		}
	}
}

// tell sends one notification. That the kernel knows nothing of it is fine.
func (f *FS) tell(n news) {
	f.mu.Lock()
	s := f.server
	f.mu.Unlock()
	var st fuse.Status
	switch n.kind {
	case deleteEntry:
		if st = s.DeleteNotify(uint64(n.id), uint64(n.child), n.name); st == fuse.OK {
			break
		}
		st = s.EntryNotify(uint64(n.id), n.name) // a folder that the kernel thinks is not empty
	case dropEntry:
		st = s.EntryNotify(uint64(n.id), n.name)
	case dropAttr, dropBytes:
		st = f.tellInode(s, n)
	}
	if st != fuse.OK && st != fuse.ENOENT {
		f.log.Debug("the kernel did not take an invalidation", "name", n.name, "errno", syscall.Errno(st))
	}
}

// tellInode drops what the kernel keeps of an inode. One that it does not know
// may be on its way to it, in an answer of before the change. A look-up and a
// list hold the folder's lock until the kernel has taken their answer in, so
// dropping the name waits for it.
func (f *FS) tellInode(s *fuse.Server, n news) fuse.Status {
	off := int64(-1) // attributes alone
	if n.kind == dropBytes {
		off = 0
	}
	st := s.InodeNotify(uint64(n.id), off, 0)
	node, ok := f.ids.node(n.id)
	if st != fuse.ENOENT || !ok || node == odbxfs.RootNode {
		return st
	}
	ino, err := f.inode(node)
	if err != nil {
		return st // gone, of which there is an event
	}
	if st = s.EntryNotify(uint64(f.ids.id(ino.Parent)), ino.Name); st != fuse.OK {
		return st
	}
	return s.InodeNotify(uint64(n.id), off, 0)
}

// judge finds out what of an event the kernel does not know yet.
func (f *FS) judge(e cache.Event) []news {
	f.own.Lock()
	defer f.own.Unlock()
	switch e.Kind {
	case cache.EntryChanged:
		if f.knows(e) {
			return nil
		}
		return []news{{kind: dropEntry, id: f.ids.id(e.Parent), name: e.Name, parent: true}}
	case cache.NodeGone:
		return f.judgeGone(e)
	case cache.NodeChanged:
		return []news{{kind: dropAttr, id: f.ids.id(e.Node)}}
	case cache.ContentChanged:
		return f.judgeContent(e.Node)
	case cache.IntentAdded, cache.TreeDirty: // for the engine
		return nil
	}
	return nil
}

// knows reports whether the kernel made this change itself and nothing came
// after it. Otherwise what it knows of the place is as good as forgotten.
func (f *FS) knows(e cache.Event) bool {
	at := entry{e.Parent, e.Name}
	told, ok := f.told.get(at)
	if !ok {
		return false
	}
	child := func(n odbxfs.NodeID) kernelID {
		if n == 0 {
			return 0
		}
		return f.ids.id(n)
	}
	ino, err := f.lookup(e.Parent, e.Name)
	if err != nil && !errors.Is(err, syscall.ENOENT) {
		ino.Node = 0
		ok = false
	} else if err != nil {
		ino.Node = 0
	}
	if ok && told == child(ino.Node) && told == child(e.Node) {
		return true
	}
	f.told.drop(at)
	return false
}

// judgeGone: a node that was removed. What is open of it stays.
func (f *FS) judgeGone(e cache.Event) []news {
	at := entry{e.Parent, e.Name}
	if told, ok := f.told.get(at); ok && (told == 0 || told != f.ids.id(e.Node)) {
		return nil // the kernel removed or replaced it itself
	}
	f.told.drop(at)
	return []news{{kind: deleteEntry, id: f.ids.id(e.Parent), child: f.ids.id(e.Node), name: e.Name, parent: true}}
}

// judgeContent: a file has other bytes. Who has it open for reading keeps the
// old ones, as with a file that was renamed over: its number becomes a ghost,
// and the name leads to a new one. Who has it open for writing wins, when it is
// closed.
func (f *FS) judgeContent(n odbxfs.NodeID) []news {
	ino, err := f.inode(n)
	if err != nil {
		return nil // gone meanwhile; its own event follows
	}
	id := f.ids.id(n)
	if sha1, ok := f.toldBytes.get(n); ok && sha1 != "" && sha1 == ino.SHA1 {
		return []news{{kind: dropAttr, id: id}}
	}
	f.toldBytes.drop(n)
	f.mu.Lock()
	fl := f.files[id]
	writers := fl != nil && fl.writers > 0
	f.mu.Unlock()
	switch {
	case fl == nil:
		return []news{{kind: dropBytes, id: id}}
	case writers || fl.isGhost.Load():
		return []news{{kind: dropAttr, id: id}}
	}
	return f.detach(fl, ino)
}

// detach makes a ghost of a file that is open for reading. Its lock may be held
// by a read that waits for a remote, or by a commit that waits for own; who
// holds it sees the new bytes, as with a file that is rewritten in place.
func (f *FS) detach(fl *file, ino odbxfs.Inode) []news {
	if !fl.mu.TryLock() {
		return []news{{kind: dropBytes, id: fl.id}}
	}
	defer fl.mu.Unlock()
	if fl.dirty || fl.sha1 != "" && fl.sha1 == ino.SHA1 {
		return []news{{kind: dropAttr, id: fl.id}}
	}
	was := ino
	if fl.content != nil {
		was.Size = fl.content.Size()
	} else if fl.writer != nil {
		was.Size = fl.writer.Size()
	}
	f.ghostLocked(fl, was)
	return []news{{kind: dropEntry, id: f.ids.id(ino.Parent), name: ino.Name, parent: true}}
}
