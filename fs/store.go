package fs

import (
	"context"
	"io"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// Store is what the mount needs of the store; [OnCache] makes it of
// the real one. All methods may be called from any goroutine.
type Store interface {
	// View runs fn on a snapshot.
	View(fn func(Tx) error) error
	// Update runs fn in one transaction; fn may be run again on a conflict.
	Update(fn func(Tx) error) error
	// Sync returns when everything committed and sealed before it is on disk.
	Sync(ctx context.Context) error
	// Subscribe calls fn after each commit, in order, without any lock held,
	// until cancel is called.
	Subscribe(fn func([]cache.Event)) (cancel func())
	// NewWriter makes a private working copy of base, or of nothing when base is
	// empty. cache.ErrNotWhole or cache.ErrNoContent when not all of base is here
	// (any more).
	NewWriter(ctx context.Context, base odbxfs.ContentID) (Writer, error)
}

// Tx is one transaction on the mount's view of the tree. It must not outlive
// the function that it was given to. Errors that a program should see as an
// errno carry one (see Errno).
type Tx interface {
	Inode(id odbxfs.NodeID) (odbxfs.Inode, bool, error)
	Lookup(parent odbxfs.NodeID, name string) (odbxfs.Inode, bool, error)
	// ReadDir lists in the order of names, after a name, at most limit.
	ReadDir(parent odbxfs.NodeID, after string, limit int) ([]odbxfs.Inode, error)

	Create(parent odbxfs.NodeID, name string, mode uint32) (odbxfs.Inode, error)
	Mkdir(parent odbxfs.NodeID, name string) (odbxfs.Inode, error)
	Unlink(parent odbxfs.NodeID, name string) (odbxfs.Inode, error)
	Rmdir(parent odbxfs.NodeID, name string) error
	// Rename moves; over a file it gives the target the source's content, and
	// the source's node ends. See cache.MountNeedsContent.
	Rename(oldParent odbxfs.NodeID, oldName string, newParent odbxfs.NodeID, newName string, flags uint32) error
	SetMTime(id odbxfs.NodeID, t time.Time) error
	// SetContent says that bytes of the file were fetched: no change of it.
	SetContent(id odbxfs.NodeID, c odbxfs.ContentID) error
	// CommitContent makes sealed bytes the file's content, with its intent.
	CommitContent(id odbxfs.NodeID, sealed cache.Sealed) (odbxfs.Inode, error)
}

// Writer is the working copy of one file. Reads, writes and seals of one
// Writer are serialised by the mount, reads among themselves are not.
type Writer interface {
	io.WriterAt
	io.ReaderAt
	Truncate(size int64) error
	Size() int64
	// Seal makes what was written so far a content of its own. Writing may go
	// on, and end in another Seal.
	Seal(ctx context.Context) (cache.Sealed, error)
	// Discard drops the working copy, but nothing sealed.
	Discard() error
}

// cacheStore is the real store; *cache.Tx is a Tx as it stands.
type cacheStore struct{ *cache.Store }

// OnCache gives the real store to the mount.
func OnCache(s *cache.Store) Store { return cacheStore{s} }

func (s cacheStore) View(fn func(Tx) error) error {
	return s.Store.View(func(tx *cache.Tx) error { return fn(tx) })
}

func (s cacheStore) Update(fn func(Tx) error) error {
	return s.Store.Update(func(tx *cache.Tx) error { return fn(tx) })
}

func (s cacheStore) NewWriter(ctx context.Context, base odbxfs.ContentID) (Writer, error) {
	size := int64(-1)
	if base == "" {
		size = 0
	}
	return s.Contents().NewWriter(ctx, base, size)
}

// Opener opens a file's bytes for reading, wherever they are: in the store, in
// Odoo, behind a link.
type Opener interface {
	// OpenRead fails with what open(2) is to say, and may wait for a remote.
	OpenRead(ctx context.Context, node odbxfs.NodeID) (Content, error)
}

// Content is one version of a file's bytes, open for reading. It stays what it
// was while the file changes or goes. Safe for concurrent use until Close.
type Content interface {
	// ReadAt is [io.ReaderAt] that may wait for a remote.
	ReadAt(ctx context.Context, p []byte, off int64) (int, error)
	Size() int64
	Close() error
}

// Access asks for rights before something is taken from a program, so that it
// fails at once and not when it is sent. Odoo's rights rule; an answer that
// does not come within its implementation's patience is a yes.
type Access interface {
	// MayWrite says whether the content of a file may be written, or the
	// entries of a folder be changed: nil, or the error to give.
	MayWrite(ctx context.Context, node odbxfs.NodeID) error
}
