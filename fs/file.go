package fs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// file is what all open handles of one kernel id share.
type file struct {
	id kernelID // fixed

	// shown is what stat says instead of the store, as long as there is a
	// working copy, which is what is read too; nil: as the store says.
	shown atomic.Pointer[shown]
	// was is what was known last of the file: when it was opened and, of a
	// ghost, when it was removed or replaced under its open handles.
	was     atomic.Pointer[odbxfs.Inode]
	isGhost atomic.Bool
	// changing is set while a rename or a removal of the file is on its way
	// from the store to idMap. Whoever sees it may wait with FS.own.
	changing atomic.Bool

	refs, writers int // handles, and those of them open for writing; guarded by FS.mu

	mu      sync.RWMutex // guards what follows; held through all I/O of writer
	content Content      // the bytes as they were when first read; kept to the last close
	sha1    odbxfs.SHA1  // of content, or of what was committed last
	writer  Writer       // the working copy, from the first write to the last close
	dirty   bool         // written or created since the last commit
}

type shown struct {
	size  int64
	mtime time.Time
}

// handle is one open file of a program.
type handle struct {
	file  *file
	write bool
}

// acquire gives the file of a number, for as long as until release.
func (f *FS) acquire(k kernelID, write bool) *file {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl := f.files[k]
	if fl == nil {
		fl = &file{id: k}
		f.files[k] = fl
	}
	fl.refs++
	if write {
		fl.writers++
	}
	return fl
}

// release lets go; the last one closes and drops the working copy.
func (f *FS) release(fl *file, write bool) {
	f.mu.Lock()
	fl.refs--
	if write {
		fl.writers--
	}
	last := fl.refs == 0
	if last {
		delete(f.files, fl.id)
	}
	f.mu.Unlock()
	if !last {
		return
	}
	fl.mu.Lock()
	defer fl.mu.Unlock()
	if fl.content != nil {
		f.logged("close content", fl.content.Close())
	}
	if fl.writer != nil {
		f.logged("discard working copy", fl.writer.Discard())
		f.catchUpLocked(fl)
	}
}

// catchUpLocked lets the kernel hear of what happened to a file beside the mount
// while its working copy was what was shown.
func (f *FS) catchUpLocked(fl *file) {
	s := fl.shown.Load()
	n, ok := f.ids.node(fl.id)
	if !ok || s == nil {
		return
	}
	ino, err := f.inode(n)
	if err != nil {
		return // gone, of which there is an event
	}
	if fl.dirty || ino.Size != s.size || ino.SHA1 != fl.sha1 || !ino.MTime.Equal(s.mtime) {
		f.events.put([]cache.Event{{Kind: cache.ContentChanged, Node: n}})
	}
}

// logged says what failed where no program waits for the answer.
func (f *FS) logged(what string, err error) {
	if err != nil {
		f.log.Warn(what, "error", err)
	}
}

func (f *FS) openFile(k kernelID) *file {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.files[k]
}

// isOpen reports whether others than the caller have acquired a file.
func (f *FS) isOpen(fl *file) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fl.refs > 1
}

func (f *FS) openFiles() []*file {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]*file, 0, len(f.files))
	for _, fl := range f.files {
		all = append(all, fl)
	}
	return all
}

// handle finds an open file by the number that the kernel was given.
func (f *FS) handle(fh uint64) (*handle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h := f.handles[fh]; h != nil {
		return h, nil
	}
	return nil, syscall.EBADF
}

// newHandle makes an open file of an acquired one.
func (f *FS) newHandle(fl *file, write bool) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	f.handles[f.last] = &handle{file: fl, write: write}
	return f.last
}

// readableLocked sees to it that there are bytes to read.
func (f *FS) readableLocked(ctx context.Context, fl *file) error {
	if fl.writer != nil || fl.content != nil {
		return nil
	}
	n, ok := f.ids.node(fl.id)
	if !ok {
		return nil // gone before anybody read it: empty
	}
	ino, err := f.inode(n)
	if err != nil {
		return err
	}
	fl.sha1 = ino.SHA1
	if text, foreign := foreignText(ino); foreign {
		fl.content = textContent(text)
	} else if ino.Size > 0 {
		fl.content, err = f.opt.Opener.OpenRead(ctx, n)
	}
	return err
}

// writableLocked sees to it that there is a working copy with the file's bytes.
func (f *FS) writableLocked(ctx context.Context, fl *file) error {
	if fl.writer != nil {
		return nil
	}
	ino := odbxfs.Inode{}
	if n, ok := f.ids.node(fl.id); ok {
		var err error
		if ino, err = f.inode(n); err != nil {
			return err
		}
	}
	if ino.Size > 0 && ino.Content != "" {
		w, err := f.store.NewWriter(ctx, ino.Content)
		if err == nil {
			fl.writer = w
			return nil
		}
		if !errors.Is(err, cache.ErrNotWhole) && !errors.Is(err, cache.ErrNoContent) {
			return err
		}
		// Not all here, or evicted since it was looked at.
	}
	if err := f.readableLocked(ctx, fl); err != nil {
		return err
	}
	w, err := f.store.NewWriter(ctx, "")
	if err != nil {
		return err
	}
	if fl.content != nil {
		if err := copyContent(ctx, w, fl.content); err != nil {
			return errors.Join(err, w.Discard())
		}
	}
	fl.writer = w
	return nil
}

// copyContent fetches all of a content into a working copy.
func copyContent(ctx context.Context, w Writer, c Content) error {
	buf := make([]byte, min(maxWrite, max(c.Size(), 1)))
	for off := int64(0); off < c.Size(); {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := c.ReadAt(ctx, buf, off)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		if _, err := w.WriteAt(buf[:n], off); err != nil {
			return err
		}
		off += int64(n)
	}
	return nil
}

// touchLocked notes that the working copy was written.
func (f *FS) touchLocked(fl *file) {
	fl.dirty = true
	fl.shown.Store(&shown{size: fl.writer.Size(), mtime: f.opt.Now()})
}

// fits refuses what would make a file larger than Odoo can keep: whoever writes
// it is told now, and not by something parked when all was copied. A hole of
// terabytes, which costs a program nothing, would keep close busy for hours.
func fits(end int64) error {
	if end < 0 || end > odbxfs.MaxFileSize {
		return &odbxfs.Error{Op: "write", Kind: odbxfs.KindTooLarge, Err: fmt.Errorf("to byte %d; Odoo keeps files of up to %d", end, odbxfs.MaxFileSize)}
	}
	return nil
}

// truncateLocked sets the length. To nothing it needs no bytes of before.
func (f *FS) truncateLocked(ctx context.Context, fl *file, size int64) error {
	if err := fits(size); err != nil {
		return err
	}
	if size == 0 && fl.writer == nil {
		w, err := f.store.NewWriter(ctx, "")
		if err != nil {
			return err
		}
		fl.writer = w
	} else {
		if err := f.writableLocked(ctx, fl); err != nil {
			return err
		}
		if err := fl.writer.Truncate(size); err != nil {
			return err
		}
	}
	f.touchLocked(fl)
	return nil
}

// commitLocked makes what was written the file's content, with its intent: when
// it returns, kill -9 does not lose it.
func (f *FS) commitLocked(ctx context.Context, fl *file) error {
	if !fl.dirty {
		return nil
	}
	n, ok := f.ids.node(fl.id)
	if !ok {
		fl.dirty = false // removed or replaced: only its open handles see it
		return nil
	}
	if err := f.writableLocked(ctx, fl); err != nil {
		return err
	}
	sealed, err := fl.writer.Seal(ctx)
	if err != nil {
		return err
	}
	mtime := f.opt.Now()
	if s := fl.shown.Load(); s != nil {
		mtime = s.mtime
	}
	err = f.change(func(tx Tx) error {
		if _, err := tx.CommitContent(n, sealed); err != nil {
			return err
		}
		return tx.SetMTime(n, mtime)
	}, func() { f.toldBytes.put(n, sealed.SHA1) })
	if err != nil {
		return err
	}
	fl.dirty, fl.sha1 = false, sealed.SHA1
	return nil
}

// ghostLocked parts an open file from its node: what is open goes on, nothing
// of it is committed, and nobody finds it.
func (f *FS) ghostLocked(fl *file, was odbxfs.Inode) {
	fl.dirty = false
	fl.was.Store(&was)
	fl.isGhost.Store(true)
	f.ids.drop(fl.id)
}

// textContent is a content that is its own bytes.
type textContent []byte

func (t textContent) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	if off >= int64(len(t)) {
		return 0, io.EOF
	}
	return copy(p, t[off:]), nil
}

func (t textContent) Size() int64  { return int64(len(t)) }
func (t textContent) Close() error { return nil }
