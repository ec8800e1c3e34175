package cache

import (
	"context"
	"crypto/sha1"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
	"odbxfs"
)

// Writer is a private working copy. Its methods may be called concurrently.
type Writer struct {
	c *Contents

	mu      sync.Mutex
	f       *os.File
	path    string // of the working copy; empty once it was sealed and became a content
	size    int64
	changed bool // since the last Seal
	last    Sealed
	own     bool      // last was sealed here, not copied from
	h       hash.Hash // over the first hashed bytes, as long as they were written in order
	hashed  int64
}

// NewWriter gives a private working copy: of base, or empty; of size bytes, or
// with a negative size as long as base. Of base, that much must be here, else it
// is [ErrNotWhole].
func (c *Contents) NewWriter(ctx context.Context, base odbxfs.ContentID, size int64) (*Writer, error) {
	w := &Writer{c: c, changed: true, h: sha1.New()}
	if base == "" {
		w.size = max(size, 0)
		if err := w.freshLocked(); err != nil {
			return nil, err
		}
		return w, nil
	}
	r, err := c.Reader(base)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was only read from
	if size < 0 {
		size = r.Size()
	}
	if len(r.Missing(0, size)) > 0 {
		return nil, fmt.Errorf("content %s: %w", base, ErrNotWhole)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := w.freshLocked(); err != nil {
		return nil, err
	}
	if err := c.cloneFile(w.f, r.e.file, min(size, r.Size())); err != nil {
		return nil, w.abandon(err)
	}
	w.size = size
	if err := w.f.Truncate(size); err != nil {
		return nil, w.abandon(err)
	}
	if sha, n, whole := c.whole(base); whole && n == size {
		w.last, w.changed = Sealed{ID: base, SHA1: sha, Size: n}, false
	}
	return w, nil
}

func (w *Writer) abandon(err error) error {
	if derr := w.Discard(); derr != nil {
		w.c.s.log.Warn("a working copy could not be removed; the next start does it", "error", derr)
	}
	return fmt.Errorf("making a working copy: %w", err)
}

// freshLocked makes an empty working file of w.size bytes.
func (w *Writer) freshLocked() error {
	w.c.mu.Lock()
	w.c.nextWk++
	name := strconv.FormatUint(w.c.nextWk, 10)
	w.c.mu.Unlock()
	path := filepath.Join(w.c.dir, workDir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("making a working copy: %w", err)
	}
	w.f, w.path = f, path
	if err := f.Truncate(w.size); err != nil {
		return w.abandon(err)
	}
	return nil
}

// cloneFile copies the first n bytes, sharing blocks where the file system can.
func (c *Contents) cloneFile(dst, src *os.File, n int64) error {
	if err := unix.IoctlFileClone(int(dst.Fd()), int(src.Fd())); err == nil {
		return nil
	}
	if err := c.makeRoom(n); err != nil {
		return err
	}
	_, err := io.Copy(dst, io.NewSectionReader(src, 0, n))
	return err
}

// ReadAt reads from the working copy; io.EOF at its end.
func (w *Writer) ReadAt(p []byte, off int64) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return 0, ErrClosed
	}
	return w.f.ReadAt(p, off)
}

// WriteAt writes to the working copy.
func (w *Writer) WriteAt(p []byte, off int64) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.ownLocked(); err != nil {
		return 0, err
	}
	if err := w.c.makeRoom(int64(len(p))); err != nil {
		return 0, err
	}
	n, err := w.f.WriteAt(p, off)
	if n > 0 {
		w.changed = true
		w.size = max(w.size, off+int64(n))
		switch {
		case off == w.hashed:
			w.h.Write(p[:n])
			w.hashed += int64(n)
		case off < w.hashed:
			w.h.Reset()
			w.hashed = 0
		}
	}
	return n, err
}

// Truncate sets its length.
func (w *Writer) Truncate(size int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f != nil && size == w.size {
		return nil
	}
	if err := w.ownLocked(); err != nil {
		return err
	}
	if err := w.f.Truncate(size); err != nil {
		return err
	}
	w.size, w.changed = size, true
	if size < w.hashed {
		w.h.Reset()
		w.hashed = 0
	}
	return nil
}

// ownLocked makes the file ours again after its bytes became a content.
func (w *Writer) ownLocked() error {
	if w.f == nil {
		return ErrClosed
	}
	if w.path != "" {
		return nil
	}
	sealed := w.f
	if err := w.freshLocked(); err != nil {
		w.f, w.path = sealed, ""
		return err
	}
	if err := w.c.cloneFile(w.f, sealed, w.size); err != nil {
		// The half copy is swept at the next start; the writer stays as it was.
		err = fmt.Errorf("copying a file that is being written: %w", err)
		if cerr := w.f.Close(); cerr != nil {
			w.c.s.log.Warn("closing a working copy", "error", cerr)
		}
		w.f, w.path = sealed, ""
		return err
	}
	return sealed.Close()
}

// Size in bytes.
func (w *Writer) Size() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.size
}

// Seal makes what was written so far a content of its own, that survives the
// process once [Tx.CommitContent] has it. Without a change since the last Seal,
// or since the base was copied, it is the same again. Writing may go on.
func (w *Writer) Seal(ctx context.Context) (Sealed, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return Sealed{}, ErrClosed
	}
	if !w.changed {
		return w.last, nil
	}
	if err := w.ownLocked(); err != nil {
		return Sealed{}, err
	}
	if err := hashFile(ctx, w.h, w.f, w.hashed, w.size); err != nil {
		w.h.Reset()
		w.hashed = 0
		return Sealed{}, fmt.Errorf("sealing: %w", err)
	}
	w.hashed = w.size
	w.c.s.at(pointHashed)
	id, err := w.c.adopt(w.path, w.size, sumOf(w.h))
	if err != nil {
		return Sealed{}, err
	}
	w.dropLastLocked()
	w.path, w.changed, w.own = "", false, true
	w.last = Sealed{ID: id, SHA1: sumOf(w.h), Size: w.size}
	return w.last, nil
}

// Discard lets go of the working copy; what was sealed and committed stays.
// Further calls do nothing.
func (w *Writer) Discard() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return nil
	}
	err := w.f.Close()
	w.f = nil
	if w.path != "" {
		if rerr := os.Remove(w.path); err == nil {
			err = rerr
		}
	}
	w.dropLastLocked()
	return err
}

// adopt makes a finished working file a content.
func (c *Contents) adopt(path string, size int64, sha odbxfs.SHA1) (odbxfs.ContentID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.newIDLocked()
	to := c.path(id)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", fmt.Errorf("sealing: %w", err)
	}
	if err := os.Rename(path, to); err != nil {
		return "", fmt.Errorf("sealing: %w", err)
	}
	e := &entry{id: id, size: size, sha1: sha, whole: true, used: c.s.opt.Now()}
	c.all[id], c.dirty[id] = e, e
	c.s.at(pointSealed)
	return id, nil
}

// dropLastLocked removes what was sealed here before, if nobody committed it.
func (w *Writer) dropLastLocked() {
	if !w.own {
		return
	}
	if e, ok := w.c.known(w.last.ID); ok && !e.stored && !e.owned && e.open == 0 {
		w.c.removeFile(w.last.ID)
	}
}
