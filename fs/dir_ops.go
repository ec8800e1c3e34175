package fs

import (
	"context"
	"errors"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"odbxfs"
)

// Lookup finds a name. That a name is not there is an answer too, which the
// kernel keeps until it hears otherwise.
func (f *FS) Lookup(_ <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	if len(name) > nameMax {
		return fuse.Status(syscall.ENAMETOOLONG)
	}
	parent, err := f.node(in.NodeId)
	if err != nil {
		return f.status("lookup", err)
	}
	err = errMoved
	for errors.Is(err, errMoved) {
		err = f.find(parent, name, out)
	}
	if errors.Is(err, syscall.ENOENT) {
		*out = fuse.EntryOut{}
		out.SetEntryTimeout(keep)
		return fuse.OK
	}
	return f.status("lookup", err)
}

// find answers with what is at a name; errMoved when it left while it was looked
// at.
func (f *FS) find(parent odbxfs.NodeID, name string, out *fuse.EntryOut) error {
	since := f.look()
	ino, err := f.lookup(parent, name)
	if err != nil {
		return err
	}
	if err = f.entryOut(out, ino, since); errors.Is(err, syscall.ESTALE) {
		return errMoved
	}
	return err
}

// Forget does nothing: nothing is kept for what the kernel knows.
func (f *FS) Forget(uint64, uint64) {}

// Mkdir implements mkdir.
func (f *FS) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	r := f.request(cancel)
	defer r.finish()
	return f.status("mkdir", f.mkdir(r, in.NodeId, name, out))
}

func (f *FS) mkdir(ctx context.Context, in uint64, name string, out *fuse.EntryOut) error {
	parent, err := f.node(in)
	if err != nil {
		return err
	}
	if err := f.mayWrite(ctx, parent); err != nil {
		return err
	}
	var ino odbxfs.Inode
	since := f.look()
	err = f.change(func(tx Tx) error {
		ino, err = tx.Mkdir(parent, name)
		return err
	}, func() { f.told.put(entry{parent, name}, f.ids.id(ino.Node)) })
	if err != nil {
		return err
	}
	return f.entryOut(out, ino, since)
}

// Unlink implements unlink. Who has the file open keeps it.
func (f *FS) Unlink(cancel <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	r := f.request(cancel)
	defer r.finish()
	return f.status("unlink", f.unlink(r, in.NodeId, name))
}

func (f *FS) unlink(ctx context.Context, in uint64, name string) error {
	parent, err := f.node(in)
	if err != nil {
		return err
	}
	if err := f.mayWrite(ctx, parent); err != nil {
		return err
	}
	err = errMoved
	for errors.Is(err, errMoved) {
		err = f.remove(entry{parent, name})
	}
	return err
}

// remove takes away the file at a place; errMoved when another came there
// meanwhile.
func (f *FS) remove(at entry) error {
	seen, err := f.lookup(at.parent, at.name)
	if err != nil {
		return err
	}
	k := f.ids.id(seen.Node)
	fl := f.acquire(k, false)
	defer f.release(fl, false)
	fl.mu.Lock()
	defer fl.mu.Unlock()
	var was odbxfs.Inode
	return f.change(func(tx Tx) error {
		now, err := lookupIn(tx, at.parent, at.name)
		if err == nil && now.Node != seen.Node {
			return errMoved
		} else if err != nil {
			return err
		}
		was, err = tx.Unlink(at.parent, at.name)
		return err
	}, func() {
		f.told.put(at, 0)
		if f.isOpen(fl) {
			f.ghostLocked(fl, was)
		}
	}, fl)
}

// Rmdir implements rmdir.
func (f *FS) Rmdir(cancel <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	r := f.request(cancel)
	defer r.finish()
	return f.status("rmdir", f.rmdir(r, in.NodeId, name))
}

func (f *FS) rmdir(ctx context.Context, in uint64, name string) error {
	parent, err := f.node(in)
	if err != nil {
		return err
	}
	if err := f.mayWrite(ctx, parent); err != nil {
		return err
	}
	return f.change(func(tx Tx) error { return tx.Rmdir(parent, name) },
		func() { f.told.put(entry{parent, name}, 0) })
}

// Mknod, Link and Symlink say that there is no such thing here, by the errno
// after which cp, tar, git and editors go on without.

// Mknod implements mknod.
func (f *FS) Mknod(<-chan struct{}, *fuse.MknodIn, string, *fuse.EntryOut) fuse.Status {
	return fuse.EPERM
}

// Link implements link.
func (f *FS) Link(<-chan struct{}, *fuse.LinkIn, string, *fuse.EntryOut) fuse.Status {
	return fuse.EPERM
}

// Symlink implements symlink.
func (f *FS) Symlink(<-chan struct{}, *fuse.InHeader, string, string, *fuse.EntryOut) fuse.Status {
	return fuse.EPERM
}
