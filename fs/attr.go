package fs

import (
	"errors"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"odbxfs"
)

// What every file and folder shows: Odoo has no modes, and who may do what is
// asked of Odoo. The mount itself is closed to others unless it was opened.
const (
	fileMode = syscall.S_IFREG | 0o644
	dirMode  = syscall.S_IFDIR | 0o755
	readOnly = ^uint32(0o222)
	// blockSize is what programs are advised to read at once: their buffers
	// are that large, so not more.
	blockSize = 64 << 10
)

// foreignText is what a document shows whose bytes are elsewhere: its address.
func foreignText(ino odbxfs.Inode) ([]byte, bool) {
	if ino.Kind != odbxfs.File || ino.Type != odbxfs.Foreign {
		return nil, false
	}
	return []byte(ino.URL + "\n"), true
}

// attr fills in what stat shows of ino under number k.
func (f *FS) attr(out *fuse.Attr, k kernelID, ino odbxfs.Inode) {
	*out = fuse.Attr{Ino: uint64(k), Nlink: 1, Mode: fileMode, Blksize: blockSize}
	size, mtime := ino.Size, ino.MTime
	if text, foreign := foreignText(ino); foreign {
		size = int64(len(text))
	}
	if ino.Kind == odbxfs.Folder {
		out.Mode, out.Nlink, size = dirMode, 2, 0
	} else if fl := f.openFile(k); fl != nil {
		if s := fl.shown.Load(); s != nil {
			size, mtime = s.size, s.mtime
		}
		if fl.ghost.Load() != nil {
			out.Nlink = 0
		}
	}
	if ino.ReadOnly {
		out.Mode &= readOnly
	}
	out.Size = uint64(max(size, 0))
	out.Blocks = (out.Size + 511) / 512
	setTimes(out, mtime, ino.CTime)
	out.Uid, out.Gid = f.opt.UID, f.opt.GID
}

// setTimes leaves out times that nobody knows: a zero time.Time would be the
// year 1, which programs print as nonsense.
func setTimes(out *fuse.Attr, mtime, ctime time.Time) {
	if mtime.IsZero() {
		mtime = time.Unix(0, 0)
	}
	if ctime.IsZero() {
		ctime = mtime
	}
	out.SetTimes(&mtime, &mtime, &ctime)
}

// entryOut answers a request that leads to ino, and gives its number.
func (f *FS) entryOut(out *fuse.EntryOut, ino odbxfs.Inode) kernelID {
	k := f.ids.id(ino.Node)
	out.NodeId = uint64(k)
	out.SetEntryTimeout(keep)
	out.SetAttrTimeout(keep)
	f.attr(&out.Attr, k, ino)
	return k
}

// GetAttr implements stat. The kernel gives no handle with it, so what is
// gone but open is found by its number.
func (f *FS) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	return f.status("getattr", f.getAttr(kernelID(in.NodeId), out))
}

func (f *FS) getAttr(k kernelID, out *fuse.AttrOut) error {
	ino, err := odbxfs.Inode{}, error(syscall.ESTALE)
	if n, ok := f.ids.node(k); ok {
		ino, err = f.inode(n)
	}
	if errors.Is(err, syscall.ESTALE) {
		if ino, err = f.ghostInode(k); err != nil {
			return err
		}
		f.attr(&out.Attr, k, ino)
		out.Nlink = 0
		return nil // and nothing to be kept: it may change without an event
	} else if err != nil {
		return err
	}
	out.SetTimeout(keep)
	f.attr(&out.Attr, k, ino)
	return nil
}

// ghostInode gives what was known of something gone while it is open.
func (f *FS) ghostInode(k kernelID) (odbxfs.Inode, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl := f.files[k]; fl != nil {
		if g := fl.ghost.Load(); g != nil {
			return *g, nil
		}
		return odbxfs.Inode{Kind: odbxfs.File}, nil
	}
	for _, d := range f.dirs {
		if d.id == k {
			return d.ino, nil
		}
	}
	return odbxfs.Inode{}, syscall.ESTALE
}

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
