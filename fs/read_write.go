package fs

import (
	"context"
	"errors"
	"io"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Read implements read(2) and its kin. It may wait for a remote, and stops when
// the program is interrupted.
func (f *FS) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	r := f.request(cancel)
	defer r.finish()
	h, err := f.handle(in.Fh)
	if err != nil {
		return nil, f.status("read", err)
	}
	n, err := f.read(r, h.file, buf, int64(in.Offset))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, f.status("read", err)
	}
	return fuse.ReadResultData(buf[:n]), fuse.OK
}

func (f *FS) read(ctx context.Context, fl *file, buf []byte, off int64) (int, error) {
	fl.mu.RLock()
	if fl.writer != nil {
		defer fl.mu.RUnlock()
		return fl.writer.ReadAt(buf, off)
	}
	c := fl.content
	fl.mu.RUnlock()
	if c == nil {
		fl.mu.Lock()
		err := f.readableLocked(ctx, fl)
		w := fl.writer
		c = fl.content
		fl.mu.Unlock()
		if err != nil || c == nil && w == nil {
			return 0, err
		}
		if w != nil {
			return f.read(ctx, fl, buf, off)
		}
	}
	// Without the lock, since it may wait for a remote: the content stays open
	// until the last handle is released, and this one is not.
	return c.ReadAt(ctx, buf, off)
}

// atEnd is an offset for what is to be appended.
const atEnd = -1

// Write implements write(2). With O_APPEND the kernel's offset is the end that it
// knew last; what was changed beside the mount since does not make it ask again.
// The parts of one write come one after another.
func (f *FS) Write(cancel <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	r := f.request(cancel)
	defer r.finish()
	h, err := f.handle(in.Fh)
	if err != nil {
		return 0, f.status("write", err)
	}
	off := int64(in.Offset)
	if in.Flags&syscall.O_APPEND != 0 && in.WriteFlags&fuse.WRITE_CACHE == 0 {
		off = atEnd // and not a page of a mapping
	}
	n, err := f.write(r, h.file, data, off)
	return uint32(n), f.status("write", err)
}

func (f *FS) write(ctx context.Context, fl *file, data []byte, off int64) (int, error) {
	if err := fits(off + int64(len(data))); err != nil { // past int64 it is negative
		return 0, err
	}
	fl.mu.Lock()
	defer fl.mu.Unlock()
	if err := f.writableLocked(ctx, fl); err != nil {
		return 0, err
	}
	if off == atEnd {
		off = fl.writer.Size()
	}
	n, err := fl.writer.WriteAt(data, off)
	if n > 0 {
		f.touchLocked(fl)
	}
	return n, err
}

const fallocKeepSize = 1 // FALLOC_FL_KEEP_SIZE of linux/falloc.h

// Fallocate implements fallocate(2) as far as it lengthens a file; nothing can
// be reserved in Odoo, so to keep the size is to do nothing.
func (f *FS) Fallocate(cancel <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	r := f.request(cancel)
	defer r.finish()
	h, err := f.handle(in.Fh)
	switch {
	case err != nil:
		return f.status("fallocate", err)
	case in.Mode == fallocKeepSize:
		return fuse.OK
	case in.Mode != 0:
		return fuse.Status(syscall.EOPNOTSUPP)
	}
	return f.status("fallocate", f.extend(r, h.file, int64(in.Offset+in.Length)))
}

func (f *FS) extend(ctx context.Context, fl *file, size int64) error {
	if err := fits(size); err != nil {
		return err
	}
	fl.mu.Lock()
	defer fl.mu.Unlock()
	if err := f.writableLocked(ctx, fl); err != nil {
		return err
	}
	if fl.writer.Size() >= size {
		return nil
	}
	if err := fl.writer.Truncate(size); err != nil {
		return err
	}
	f.touchLocked(fl)
	return nil
}
