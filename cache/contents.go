package cache

import (
	"context"
	"io"

	"odbxfs"
)

// Contents are the bytes of files, in plain files of the store. Its methods
// may be called concurrently.
type Contents struct{}

// Range is a run of bytes.
type Range struct{ Off, Len int64 }

// Sealed names bytes that will not change any more.
type Sealed struct {
	ID   odbxfs.ContentID
	SHA1 odbxfs.SHA1
	Size int64
}

// NewWriter gives a private working copy: of base, or empty; of size bytes, or
// with size -1 as long as base.
func (c *Contents) NewWriter(ctx context.Context, base odbxfs.ContentID, size int64) (*Writer, error) {
	return nil, errNotYet
}

// New makes a content of size bytes, none of which is here yet; sha1 is what it
// will have, or empty.
func (c *Contents) New(size int64, sha1 odbxfs.SHA1) (odbxfs.ContentID, error) { return "", errNotYet }

// Reader opens a content for reading and filling; ErrNoContent when it is not
// (any more) here. An open content is not removed. Close it.
func (c *Contents) Reader(id odbxfs.ContentID) (*Content, error) { return nil, errNotYet }

// BySHA1 finds a whole content with these bytes.
func (c *Contents) BySHA1(sha1 odbxfs.SHA1) (odbxfs.ContentID, bool) { return "", false }

// Usage gives the bytes here, and those of them that could be had again.
func (c *Contents) Usage() (total, evictable int64) { return 0, 0 }

// Evict removes what was used longest ago until the limit is kept.
func (c *Contents) Evict(ctx context.Context) error { return errNotYet }

// Content is an open content. Its methods may be called concurrently.
type Content struct{}

// ID names it.
func (c *Content) ID() odbxfs.ContentID { return "" }

// Size in bytes.
func (c *Content) Size() int64 { return 0 }

// Whole reports whether all bytes are here.
func (c *Content) Whole() bool { return false }

// ReadAt reads bytes that are here; ErrNotWhole where one is not.
func (c *Content) ReadAt(p []byte, off int64) (int, error) { return 0, errNotYet }

// Missing gives what is not here of the n bytes from off, in order.
func (c *Content) Missing(off, n int64) []Range { return nil }

// Fill writes what r gives to off and on, until r ends or the content does.
func (c *Content) Fill(off int64, r io.Reader) (int64, error) { return 0, errNotYet }

// MarkWhole verifies a content that has no missing range against sha1 (empty:
// whatever it was made for) and enters it in the index. With other bytes than
// that it is ErrCorrupt, and all of it is missing again.
func (c *Content) MarkWhole(ctx context.Context, sha1 odbxfs.SHA1) (odbxfs.SHA1, error) {
	return "", errNotYet
}

// Close lets go of it.
func (c *Content) Close() error { return errNotYet }

// Writer is a private working copy. Its methods may be called concurrently.
type Writer struct{}

// ReadAt reads from the working copy.
func (w *Writer) ReadAt(p []byte, off int64) (int, error) { return 0, errNotYet }

// WriteAt writes to the working copy.
func (w *Writer) WriteAt(p []byte, off int64) (int, error) { return 0, errNotYet }

// Truncate sets its length.
func (w *Writer) Truncate(size int64) error { return errNotYet }

// Size in bytes.
func (w *Writer) Size() int64 { return 0 }

// Seal makes what was written so far a content of its own, that survives the
// process once [Tx.CommitContent] has it. Without a change since, it is the same
// again. Writing may go on.
func (w *Writer) Seal(ctx context.Context) (Sealed, error) { return Sealed{}, errNotYet }

// Discard lets go of the working copy; what was sealed stays.
func (w *Writer) Discard() error { return errNotYet }
