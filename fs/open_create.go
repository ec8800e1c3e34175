package fs

import (
	"context"
	"errors"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"odbxfs"
	"odbxfs/cache"
)

// openFlags lets the kernel keep pages between opens; a change of the bytes is
// told to it (invalidate.go).
const openFlags = fuse.FOPEN_KEEP_CACHE

func wantsWrite(flags uint32) bool { return flags&syscall.O_ACCMODE != syscall.O_RDONLY }
func wantsRead(flags uint32) bool  { return flags&syscall.O_ACCMODE != syscall.O_WRONLY }

// mayWriteFile answers for the bytes of a file.
func (f *FS) mayWriteFile(ctx context.Context, ino odbxfs.Inode) error {
	if ino.Kind == odbxfs.Folder {
		return syscall.EISDIR
	}
	if ino.ReadOnly || ino.Type == odbxfs.Foreign {
		return syscall.EACCES
	}
	return f.mayWrite(ctx, ino.Node)
}

// Open implements open without O_CREAT. Rights and the source of the bytes are
// asked for here, so that cp fails at once and says why.
func (f *FS) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	r := f.request(cancel)
	defer r.finish()
	fl := f.acquire(kernelID(in.NodeId), wantsWrite(in.Flags))
	if err := f.open(r, fl, in.Flags); err != nil {
		f.release(fl, wantsWrite(in.Flags))
		return f.status("open", err)
	}
	out.Fh = f.newHandle(fl, wantsWrite(in.Flags))
	out.OpenFlags = openFlags
	return fuse.OK
}

func (f *FS) open(ctx context.Context, fl *file, flags uint32) error {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	n, err := f.node(uint64(fl.id))
	if err != nil {
		if !fl.isGhost.Load() {
			return err
		}
		return nil // reopened by way of /proc/self/fd
	}
	ino, err := f.inode(n)
	if err != nil {
		return err
	}
	fl.was.Store(&ino)
	if wantsWrite(flags) {
		if err := f.mayWriteFile(ctx, ino); err != nil {
			return err
		}
	}
	if flags&syscall.O_TRUNC != 0 && wantsWrite(flags) {
		return f.truncateLocked(ctx, fl, 0)
	}
	if wantsRead(flags) {
		return f.readableLocked(ctx, fl)
	}
	return nil
}

// Create implements open with O_CREAT of a name that is not there.
func (f *FS) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	r := f.request(cancel)
	defer r.finish()
	return f.status("create", f.create(r, in, name, out))
}

func (f *FS) create(ctx context.Context, in *fuse.CreateIn, name string, out *fuse.CreateOut) error {
	parent, err := f.node(in.NodeId)
	if err != nil {
		return err
	}
	if err := f.mayWrite(ctx, parent); err != nil {
		return err
	}
	since := f.look()
	ino, err := f.createNode(ctx, parent, name, in)
	if err != nil {
		return err
	}
	k := f.ids.id(ino.Node)
	fl := f.acquire(k, true)
	fl.mu.Lock()
	err = f.truncateLocked(ctx, fl, 0)
	fl.mu.Unlock()
	if err != nil {
		f.release(fl, true)
		return err
	}
	fl.was.Store(&ino)
	if err := f.entryOut(&out.EntryOut, ino, since); err != nil {
		f.release(fl, true)
		return err
	}
	out.Fh = f.newHandle(fl, true)
	out.OpenFlags = openFlags
	return nil
}

// createNode gives the node that is to be made, or made empty: a new one; the
// old one of this name if it was set aside as a backup; or, without O_EXCL, one
// that came into the folder since the kernel looked.
func (f *FS) createNode(ctx context.Context, parent odbxfs.NodeID, name string, in *fuse.CreateIn) (ino odbxfs.Inode, err error) {
	at := entry{parent, name}
	tell := func() { f.told.put(at, f.ids.id(ino.Node)) }
	if f.passBack(ctx, at) {
		ino, err = f.lookup(parent, name)
		if err == nil {
			tell()
		}
		return ino, err
	}
	err = f.change(func(tx Tx) error {
		ino, err = tx.Create(parent, name, in.Mode)
		return err
	}, tell)
	if isMount(err, cache.MountExists) && in.Flags&syscall.O_EXCL == 0 {
		if ino, err = f.lookup(parent, name); err == nil {
			err = f.mayWriteFile(ctx, ino)
		}
	}
	return ino, err
}

// Flush implements close, once for each descriptor: what close promises is done
// here, since release comes later and nobody waits for it.
func (f *FS) Flush(cancel <-chan struct{}, in *fuse.FlushIn) fuse.Status {
	r := f.request(cancel)
	defer r.finish()
	return f.status("flush", f.commit(r, in.Fh))
}

func (f *FS) commit(ctx context.Context, fh uint64) error {
	h, err := f.handle(fh)
	if err != nil || !h.write {
		return err // who only reads must not end another's half-written file
	}
	h.file.mu.Lock()
	defer h.file.mu.Unlock()
	return f.commitLocked(ctx, h.file)
}

// Fsync implements fsync and fdatasync: commits, and waits for the disk.
func (f *FS) Fsync(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	r := f.request(cancel)
	defer r.finish()
	err := f.commit(r, in.Fh)
	if err == nil {
		err = f.store.Sync(r)
	}
	return f.status("fsync", err)
}

// Release ends a handle. What was written since the last flush came through a
// mapping that outlived its descriptor.
func (f *FS) Release(_ <-chan struct{}, in *fuse.ReleaseIn) {
	f.mu.Lock()
	h := f.handles[in.Fh]
	delete(f.handles, in.Fh)
	f.mu.Unlock()
	if h == nil {
		return
	}
	if h.write {
		h.file.mu.Lock()
		err := f.commitLocked(context.WithoutCancel(f.ctx), h.file)
		h.file.mu.Unlock()
		if err != nil && !errors.Is(err, syscall.ESTALE) {
			f.log.Error("bytes written after close are lost", "error", err)
		}
	}
	f.release(h.file, h.write)
}
