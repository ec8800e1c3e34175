package fs

import (
	"errors"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"odbxfs"
)

// What an entry takes in an answer: a header and a name of some 16 bytes, and
// with readdirplus the attributes. As many are read of the store at once as the
// answer is likely to hold; what is read is never kept for the next answer, for
// it would be as old as that.
const (
	direntBytes     = 24 + 16
	direntPlusBytes = direntBytes + 128
	countAtOnce     = 1024 // while counting for a seek
)

// dirHandle is one open folder. A place in it is the number of entries before
// it, "." and ".." included; the names of the last answer are kept, because the
// kernel goes back inside of it when the program's buffer was the smaller one.
type dirHandle struct {
	id  kernelID     // fixed
	ino odbxfs.Inode // as it was when opened; fixed

	mu    sync.Mutex // guards what follows
	start uint64     // the place after which names begin
	names []string   // names[0] is the entry before place start, "" for none
}

// after gives the name to go on after for a place, and false when the place is
// unknown: somebody seeks.
func (d *dirHandle) after(place uint64) (string, bool) {
	if place < d.start || place-d.start >= uint64(len(d.names)) {
		return "", false
	}
	return d.names[place-d.start], true
}

// OpenDir implements opendir. The kernel keeps the list; see invalidate.go.
func (f *FS) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	n, err := f.node(in.NodeId)
	if err != nil {
		return f.status("opendir", err)
	}
	ino, err := f.inode(n)
	if err != nil {
		return f.status("opendir", err)
	}
	if ino.Kind != odbxfs.Folder {
		return fuse.ENOTDIR
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	f.dirs[f.last] = &dirHandle{id: kernelID(in.NodeId), ino: ino, start: 2, names: []string{""}}
	out.Fh = f.last
	out.OpenFlags = fuse.FOPEN_CACHE_DIR | fuse.FOPEN_KEEP_CACHE
	return fuse.OK
}

// ReleaseDir implements closedir.
func (f *FS) ReleaseDir(in *fuse.ReleaseIn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.dirs, in.Fh)
}

// FsyncDir implements fsync of a folder.
func (f *FS) FsyncDir(cancel <-chan struct{}, _ *fuse.FsyncIn) fuse.Status {
	r := f.request(cancel)
	defer r.finish()
	return f.status("fsyncdir", f.store.Sync(r))
}

// ReadDir implements readdir.
func (f *FS) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return f.status("readdir", f.readDir(in, direntBytes, func(e fuse.DirEntry, _ odbxfs.Inode) bool {
		return out.AddDirEntry(e)
	}))
}

// ReadDirPlus implements readdir where the kernel wants the attributes too.
func (f *FS) ReadDirPlus(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	type found struct {
		out *fuse.EntryOut
		ino odbxfs.Inode
	}
	var all []found
	since := f.look()
	err := f.readDir(in, direntPlusBytes, func(e fuse.DirEntry, ino odbxfs.Inode) bool {
		o := out.AddDirLookupEntry(e)
		if o != nil && ino.Node != 0 {
			all = append(all, found{o, ino})
		}
		return o != nil
	})
	for i := 0; err == nil && i < len(all); i++ {
		if err = f.entryOut(all[i].out, all[i].ino, since); errors.Is(err, syscall.ESTALE) {
			err = nil // gone meanwhile: a name without a number, and the kernel looks again
		}
	}
	return f.status("readdirplus", err)
}

func (f *FS) readDir(in *fuse.ReadIn, entryBytes uint32, add func(fuse.DirEntry, odbxfs.Inode) bool) error {
	f.mu.Lock()
	d := f.dirs[in.Fh]
	f.mu.Unlock()
	if d == nil {
		return syscall.EBADF
	}
	n, ok := f.ids.node(d.id)
	if !ok {
		return nil // removed: empty
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	place := in.Offset
	for ; place < 2; place++ {
		if !add(f.dot(d, place), odbxfs.Inode{}) {
			return nil
		}
	}
	return f.store.View(func(tx Tx) error {
		name, err := d.seek(tx, n, place)
		if err != nil {
			return err
		}
		d.start, d.names = place, []string{name}
		return f.fill(tx, n, d, int(in.Size/entryBytes)+1, add)
	})
}

// dot gives "." and "..": their numbers are what find and pwd compare.
func (f *FS) dot(d *dirHandle, place uint64) fuse.DirEntry {
	if place == 0 {
		return fuse.DirEntry{Name: ".", Mode: dirMode, Ino: uint64(d.id), Off: 1}
	}
	up := d.ino.Parent
	if up == 0 {
		up = odbxfs.RootNode
	}
	return fuse.DirEntry{Name: "..", Mode: dirMode, Ino: uint64(f.ids.id(up)), Off: 2}
}

// fill adds entries after the last name until the answer is full.
func (f *FS) fill(tx Tx, n odbxfs.NodeID, d *dirHandle, atOnce int, add func(fuse.DirEntry, odbxfs.Inode) bool) error {
	for {
		last := d.names[len(d.names)-1]
		list, err := tx.ReadDir(n, last, atOnce)
		if err != nil {
			return err
		}
		for _, ino := range list {
			e := fuse.DirEntry{
				Name: ino.Name, Mode: fileMode, Ino: uint64(f.ids.id(ino.Node)),
				Off: d.start + uint64(len(d.names)),
			}
			if ino.Kind == odbxfs.Folder {
				e.Mode = dirMode
			}
			if !add(e, ino) {
				return nil
			}
			d.names = append(d.names, ino.Name)
		}
		if len(list) < atOnce {
			return nil
		}
	}
}

// seek gives the name before a place: by what is remembered, else by counting.
func (d *dirHandle) seek(tx Tx, n odbxfs.NodeID, place uint64) (string, error) {
	if name, ok := d.after(place); ok {
		return name, nil
	}
	name, left := "", place-2
	for left > 0 {
		list, err := tx.ReadDir(n, name, int(min(left, countAtOnce)))
		if err != nil || len(list) == 0 {
			return name, err
		}
		name = list[len(list)-1].Name
		left -= uint64(len(list))
	}
	return name, nil
}
