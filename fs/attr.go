package fs

import (
	"errors"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"odbxfs"
	"odbxfs/cache"
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
	return cache.ForeignContent(ino.URL), true
}

// attr fills in what stat shows of ino under number k; s is what its open handles
// say instead, or nil.
func (f *FS) attr(out *fuse.Attr, k kernelID, ino odbxfs.Inode, s *shown) {
	*out = fuse.Attr{Ino: uint64(k), Nlink: 1, Mode: fileMode, Blksize: blockSize}
	size, mtime := ino.Size, ino.MTime
	if text, foreign := foreignText(ino); foreign {
		size = int64(len(text))
	}
	if ino.Kind == odbxfs.Folder {
		out.Mode, out.Nlink, size = dirMode, 2, 0
	} else if s != nil {
		size, mtime = s.size, s.mtime
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

// look is a point in time before a look into the store.
type look uint64

// look begins a look into the store whose result goes to entryOut.
func (f *FS) look() look { return look(f.changes.Load()) }

// entryOut answers a request that leads to ino, which was read after since.
// ESTALE: it is gone meanwhile.
func (f *FS) entryOut(out *fuse.EntryOut, ino odbxfs.Inode, since look) error {
	k := f.ids.id(ino.Node)
	if f.openFile(k) != nil || f.look() != since {
		a, err := f.stat(k)
		if err != nil {
			return err
		}
		out.Attr = a
	} else {
		f.attr(&out.Attr, k, ino, nil)
	}
	out.NodeId = uint64(k)
	out.SetEntryTimeout(keep)
	out.SetAttrTimeout(keep)
	return nil
}

// stat gives what a number shows; ESTALE when it shows nothing any more.
//
// The kernel keeps what it is answered, unless it wrote or truncated the file
// itself since it asked (attr_version in its fs/fuse/inode.c). A commit or a
// rename that another request makes meanwhile does not count for it. So:
//
//   - what open handles say is read before the store, because a commit reaches
//     the store before the handles stop to say it;
//   - while a rename or a removal is in the store but the numbers are still as
//     before, it is waited for.
func (f *FS) stat(k kernelID) (a fuse.Attr, err error) {
	for {
		n, ok := f.ids.node(k)
		if !ok {
			return f.statGhost(k)
		}
		fl := f.openFile(k)
		var s *shown
		if fl != nil {
			s = fl.shown.Load()
		}
		ino, err := f.inode(n)
		if !f.settled(k, n) {
			f.awaitChanges()
			continue
		}
		if errors.Is(err, syscall.ESTALE) {
			return f.statGhost(k)
		} else if err != nil {
			return a, err
		}
		f.attr(&a, k, ino, s)
		return a, nil
	}
}

// settled reports whether k still is the number of n, and no change of that is
// on its way.
func (f *FS) settled(k kernelID, n odbxfs.NodeID) bool {
	if fl := f.openFile(k); fl != nil && fl.changing.Load() {
		return false
	}
	now, ok := f.ids.node(k)
	return ok && now == n
}

// awaitChanges returns when all changes of programs that are in the store are in
// the tables too.
func (f *FS) awaitChanges() {
	f.own.Lock()
	defer f.own.Unlock()
}

// statGhost gives what was known of something gone while it is open.
func (f *FS) statGhost(k kernelID) (a fuse.Attr, err error) {
	ino, s, ok := f.ghost(k)
	if !ok {
		return a, syscall.ESTALE
	}
	f.attr(&a, k, ino, s)
	a.Nlink = 0
	return a, nil
}

func (f *FS) ghost(k kernelID) (ino odbxfs.Inode, s *shown, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl := f.files[k]; fl != nil {
		if was := fl.was.Load(); was != nil {
			ino = *was
		}
		return ino, fl.shown.Load(), true
	}
	for _, d := range f.dirs {
		if d.id == k {
			return d.ino, nil, true
		}
	}
	return ino, nil, false
}

// GetAttr implements stat. The kernel gives no handle with it, so what is
// gone but open is found by its number.
func (f *FS) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	return f.status("getattr", f.getAttr(kernelID(in.NodeId), out))
}

func (f *FS) getAttr(k kernelID, out *fuse.AttrOut) (err error) {
	if out.Attr, err = f.stat(k); err == nil && out.Nlink > 0 {
		out.SetTimeout(keep)
	}
	return err // of what is gone nothing is kept: it may change without an event
}
