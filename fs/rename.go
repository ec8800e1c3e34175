package fs

import (
	"context"
	"errors"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"odbxfs"
	"odbxfs/cache"
)

// Rename implements rename and renameat2 with RENAME_NOREPLACE.
func (f *FS) Rename(cancel <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	r := f.request(cancel)
	defer r.finish()
	if in.Flags&^cache.RenameNoReplace != 0 {
		return fuse.EINVAL // RENAME_EXCHANGE and RENAME_WHITEOUT
	}
	if len(newName) > nameMax {
		return fuse.Status(syscall.ENAMETOOLONG)
	}
	return f.status("rename", f.rename(r, in, oldName, newName))
}

func (f *FS) rename(ctx context.Context, in *fuse.RenameIn, oldName, newName string) error {
	from, to := entry{name: oldName}, entry{name: newName}
	var err error
	if from.parent, err = f.node(in.NodeId); err != nil {
		return err
	}
	if to.parent, err = f.node(in.Newdir); err != nil {
		return err
	}
	for _, n := range []odbxfs.NodeID{from.parent, to.parent} {
		if err := f.mayWrite(ctx, n); err != nil {
			return err
		}
	}
	if f.backups.has(to) {
		f.passBack(ctx, to) // then it is a rename over the old node
	}
	for {
		err := f.move(ctx, from, to, in.Flags)
		if !errors.Is(err, errMoved) {
			return err
		}
	}
}

// errMoved: the tree changed between the look at it and the change.
var errMoved = errors.New("the entries changed meanwhile")

// mover is one rename between looking and telling.
type mover struct {
	from, to     entry
	flags        uint32
	source       odbxfs.Inode
	target       odbxfs.Inode // zero Node: the name is free
	sourceID     kernelID
	opened, over *file // of source and target, acquired and locked; over may be nil
}

// replaces reports whether a file takes the place of another.
func (m *mover) replaces() bool { return m.target.Node != 0 && m.target.Kind == odbxfs.File }

func (f *FS) move(ctx context.Context, from, to entry, flags uint32) error {
	m := &mover{from: from, to: to, flags: flags}
	err := f.store.View(func(tx Tx) error { return m.look(tx) })
	if err != nil {
		return err
	}
	m.sourceID = f.ids.id(m.source.Node)
	defer f.lockMoved(m)()
	if m.replaces() {
		// What is written but not closed goes along: the target is never
		// without bytes, should the machine stop now.
		if err := f.commitLocked(ctx, m.opened); err != nil {
			return err
		}
	}
	err = f.commitMove(m)
	if isMount(err, cache.MountNeedsContent) {
		if err = f.fetchLocked(ctx, m); err == nil {
			err = f.commitMove(m)
		}
	}
	return err
}

// look reads what is at both names.
func (m *mover) look(tx Tx) (err error) {
	if m.source, err = lookupIn(tx, m.from.parent, m.from.name); err != nil {
		return err
	}
	m.target, err = lookupIn(tx, m.to.parent, m.to.name)
	if errors.Is(err, syscall.ENOENT) {
		m.target, err = odbxfs.Inode{}, nil
	}
	return err
}

// lockMoved locks the files of both ends, lower number first, and gives the
// function that lets go. Open handles of a replaced file must not commit while
// its node changes hands.
func (f *FS) lockMoved(m *mover) (unlock func()) {
	m.opened = f.acquire(m.sourceID, false)
	first, second := m.opened, (*file)(nil)
	if m.replaces() && m.target.Node != m.source.Node {
		m.over = f.acquire(f.ids.id(m.target.Node), false)
		second = m.over
		if second.id < first.id {
			first, second = second, first
		}
	}
	first.mu.Lock()
	if second != nil {
		second.mu.Lock()
	}
	return func() {
		first.mu.Unlock()
		f.release(first, false)
		if second != nil {
			second.mu.Unlock()
			f.release(second, false)
		}
	}
}

// commitMove moves in the store, if all is as it was looked at, and lets the
// kernel's numbers follow.
func (f *FS) commitMove(m *mover) error {
	return f.change(func(tx Tx) error {
		now := &mover{from: m.from, to: m.to}
		if err := now.look(tx); err != nil {
			return err
		}
		if now.source.Node != m.source.Node || now.target.Node != m.target.Node {
			return errMoved
		}
		m.source, m.target = now.source, now.target
		return tx.Rename(m.from.parent, m.from.name, m.to.parent, m.to.name, m.flags)
	}, func() { f.tellMove(m) }, m.opened, m.over)
}

// tellMove: the kernel goes on with the source's number under the new name. Of
// a replaced file it is the target's node that has this number now.
func (f *FS) tellMove(m *mover) {
	if m.over != nil {
		f.ghostLocked(m.over, m.target)
		f.ids.bind(m.sourceID, m.target.Node)
		f.toldBytes.put(m.target.Node, m.source.SHA1)
	}
	f.told.put(m.from, 0)
	f.told.put(m.to, m.sourceID)
	if m.target.Node == 0 {
		f.noteBackup(m)
	}
}

// fetchLocked brings all bytes of the source into the store.
func (f *FS) fetchLocked(ctx context.Context, m *mover) error {
	if err := f.writableLocked(ctx, m.opened); err != nil {
		return err
	}
	sealed, err := m.opened.writer.Seal(ctx)
	if err != nil {
		return err
	}
	return f.store.Update(func(tx Tx) error { return tx.SetContent(m.source.Node, sealed.ID) })
}
