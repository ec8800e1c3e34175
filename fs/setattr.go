package fs

import (
	"errors"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"odbxfs"
)

// SetAttr implements truncate and utimes. chmod and chown are taken in silence
// and change nothing, so that tar, cp -p and rsync -a do not fail.
func (f *FS) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	r := f.request(cancel)
	defer r.finish()
	k := kernelID(in.NodeId)
	fl := f.acquire(k, false)
	err := f.setAttr(r, fl, in)
	if err == nil {
		err = f.getAttr(k, out)
	}
	f.release(fl, false)
	return f.status("setattr", err)
}

func (f *FS) setAttr(ctx *request, fl *file, in *fuse.SetAttrIn) error {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	if size, ok := in.GetSize(); ok {
		_, byHandle := in.GetFh()
		if err := f.truncateFile(ctx, fl, int64(size), byHandle); err != nil {
			return err
		}
	}
	if in.Valid&fuse.FATTR_MTIME == 0 {
		return nil
	}
	t := time.Unix(int64(in.Mtime), int64(in.Mtimensec))
	if in.Valid&fuse.FATTR_MTIME_NOW != 0 {
		t = f.opt.Now()
	}
	return f.setMTimeLocked(fl, t)
}

// truncateFile cuts or extends. By path there will be no close to wait for, so
// the new bytes are committed at once.
func (f *FS) truncateFile(ctx *request, fl *file, size int64, byHandle bool) error {
	n, err := f.node(uint64(fl.id))
	if err == nil && !byHandle {
		var ino odbxfs.Inode
		if ino, err = f.inode(n); err == nil {
			err = f.mayWriteFile(ctx, ino)
		}
	}
	if err != nil && !(byHandle && errors.Is(err, syscall.ESTALE)) {
		return err
	}
	if err := f.truncateLocked(ctx, fl, size); err != nil || byHandle {
		return err
	}
	return f.commitLocked(ctx, fl)
}

// setMTimeLocked sets the mtime: with the bytes that are still to be committed,
// else by itself, so that cp -p and rsync -t are no second upload.
func (f *FS) setMTimeLocked(fl *file, t time.Time) error {
	if s := fl.shown.Load(); s != nil {
		fl.shown.Store(&shown{size: s.size, mtime: t})
	}
	n, ok := f.ids.node(fl.id)
	if !ok || fl.dirty {
		return nil
	}
	return f.change(func(tx Tx) error { return tx.SetMTime(n, t) }, func() {})
}
