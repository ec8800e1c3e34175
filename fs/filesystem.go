package fs

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"odbxfs"
)

const (
	// keep is for how long the kernel may keep what it knows. Against timeouts
	// of zero a warm ls -lR of 100,000 files is 40 to 60 times faster; a second
	// is worth almost nothing for a tree of that size.
	keep = time.Hour
	// nameMax is the longest name in bytes: what Linux programs count on.
	nameMax = 255
	// toldMax bounds what told remembers: more than a commit's events take to
	// arrive, some 100 bytes each.
	toldMax = 8192
)

// entry names a place in the tree.
type entry struct {
	parent odbxfs.NodeID
	name   string
}

// FS answers the kernel's requests, each in a goroutine of its own. See the
// package comment for what it keeps.
//
// Locks are taken in this order: file.mu, own, then those that are held for no
// longer than a look into a map (mu and the maps' own).
type FS struct {
	// RawFileSystem answers ENOSYS to what is not implemented here: the kernel
	// does those by itself (lseek, locks, access by mode bits) or stops asking.
	fuse.RawFileSystem

	// Fixed after newFS.
	ctx   context.Context // of the mount
	opt   Options
	store Store
	log   *slog.Logger
	ids   *idMap
	// told holds what the kernel knows from doing it itself: a place and what
	// it leads to (0: nothing). An event that says the same is no news to it.
	told *recent[entry, kernelID]
	// toldBytes holds, for a node, which bytes the kernel's pages have.
	toldBytes *recent[odbxfs.NodeID, odbxfs.SHA1]
	backups   *recent[entry, backup]
	events    *queue

	// own is held shared from before a program's change is committed until told
	// knows of it, and alone for the moment in which an event is judged; so no
	// event overtakes told. Nobody waits for the kernel with it.
	own sync.RWMutex

	// changes counts the programs' changes that are committed; a file's before
	// its lock is let go.
	changes atomic.Uint64

	mu      sync.Mutex // guards what follows, and file.refs, file.writers
	files   map[kernelID]*file
	handles map[uint64]*handle
	dirs    map[uint64]*dirHandle
	last    uint64       // the last handle number given
	server  *fuse.Server // nil before Init
}

func newFS(ctx context.Context, opt Options) *FS {
	return &FS{
		RawFileSystem: fuse.NewDefaultRawFileSystem(),
		ctx:           ctx,
		opt:           opt,
		store:         opt.Store,
		log:           opt.Log,
		ids:           newIDMap(),
		told:          newRecent[entry, kernelID](toldMax),
		toldBytes:     newRecent[odbxfs.NodeID, odbxfs.SHA1](toldMax),
		backups:       newRecent[entry, backup](64),
		events:        newQueue(),
		files:         map[kernelID]*file{},
		handles:       map[uint64]*handle{},
		dirs:          map[uint64]*dirHandle{},
	}
}

// String names the file system in go-fuse's messages.
func (f *FS) String() string { return "odbxfs" }

// Init keeps the server, for notifications.
func (f *FS) Init(s *fuse.Server) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.server = s
}

// OnUnmount commits what is still open: programs that the unmount cut off.
func (f *FS) OnUnmount() {
	ctx := context.WithoutCancel(f.ctx)
	for _, fl := range f.openFiles() {
		fl.mu.Lock()
		if err := f.commitLocked(ctx, fl); err != nil {
			f.log.Error("bytes written before the unmount are lost", "error", err)
		}
		fl.mu.Unlock()
	}
}

// node resolves a kernel's number; a ghost is ESTALE, which makes the kernel
// look the path up again.
func (f *FS) node(k uint64) (odbxfs.NodeID, error) {
	if n, ok := f.ids.node(kernelID(k)); ok {
		return n, nil
	}
	return 0, syscall.ESTALE
}

// inode reads one node; one that is gone or hidden is ESTALE.
func (f *FS) inode(n odbxfs.NodeID) (ino odbxfs.Inode, err error) {
	err = f.store.View(func(tx Tx) error {
		var ok bool
		if ino, ok, err = tx.Inode(n); err == nil && (!ok || ino.Hidden) {
			return syscall.ESTALE
		}
		return err
	})
	return ino, err
}

// lookup reads one entry; one that is not there is ENOENT.
func (f *FS) lookup(parent odbxfs.NodeID, name string) (ino odbxfs.Inode, err error) {
	err = f.store.View(func(tx Tx) error {
		ino, err = lookupIn(tx, parent, name)
		return err
	})
	return ino, err
}

func lookupIn(tx Tx, parent odbxfs.NodeID, name string) (odbxfs.Inode, error) {
	ino, ok, err := tx.Lookup(parent, name)
	if err == nil && (!ok || ino.Hidden) {
		return ino, syscall.ENOENT
	}
	return ino, err
}

// change runs a program's change of the tree, and after it tells what the
// kernel will know by the answer. The numbers of of, whose locks are held, may
// mean something else afterwards.
func (f *FS) change(fn func(Tx) error, tell func(), of ...*file) error {
	f.own.RLock()
	defer f.own.RUnlock()
	for _, fl := range of {
		if fl != nil {
			fl.changing.Store(true)
			defer fl.changing.Store(false)
		}
	}
	if err := f.store.Update(fn); err != nil {
		return err
	}
	f.changes.Add(1)
	tell()
	return nil
}

// mayWrite asks for the right to write a file or change a folder's entries.
func (f *FS) mayWrite(ctx context.Context, n odbxfs.NodeID) error {
	if f.opt.Access == nil {
		return nil
	}
	return f.opt.Access.MayWrite(ctx, n)
}
