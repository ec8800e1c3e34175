package fs

import (
	"context"
	"time"

	"odbxfs"
)

// Some programs save by setting the old file aside and writing a new one under
// its name: vim (backupcopy=no) and emacs rename name to name~, others to
// name.bak. For the kernel the old file is the backup then. For Odoo the
// document must go on being the one called name, with its links and messages.
//
// The rule: when a file was renamed to a backup's name of its own, in its
// folder, and its old name is made again soon after, by create or rename, then
// its node goes back to the old name first, and the backup becomes a new file
// with a copy of the bytes. Where the bytes are not here (who saves has read
// them, so this is no save) it is a rename like any other.

// backupWindow is for how long a rename may turn out to be a backup: vim and
// emacs make the new file at once.
const backupWindow = 10 * time.Second

// DefaultBackups are the endings of backups' names: of vim and emacs, and of
// many others.
func DefaultBackups() []string { return []string{"~", ".bak"} }

// backup is a rename that may turn out to be one.
type backup struct {
	node odbxfs.NodeID
	name string // where it went
	at   time.Time
}

// noteBackup remembers a rename to a backup's name.
func (f *FS) noteBackup(m *mover) {
	if m.source.Kind != odbxfs.File || m.from.parent != m.to.parent {
		return
	}
	for _, ending := range f.opt.Backups {
		if m.to.name == m.from.name+ending {
			f.backups.put(m.from, backup{node: m.source.Node, name: m.to.name, at: f.opt.Now()})
			return
		}
	}
}

// passBack gives a place, at which nothing is, back to the node that was set
// aside from it. The kernel's number stays with the backup, so that it does not
// notice. It reports whether it did; if not, the place is as it was.
func (f *FS) passBack(ctx context.Context, at entry) bool {
	b, ok := f.backups.take(at)
	if !ok || f.opt.Now().Sub(b.at) > backupWindow {
		return false
	}
	k := f.ids.id(b.node)
	fl := f.acquire(k, false)
	defer f.release(fl, false)
	fl.mu.Lock()
	defer fl.mu.Unlock()
	aside := entry{at.parent, b.name}
	was, err := f.lookup(aside.parent, aside.name)
	if err != nil || was.Node != b.node || fl.dirty {
		return false
	}
	if err := f.swapAside(ctx, fl, at, aside, was); err != nil {
		f.log.Warn("a backup keeps the identity of what it is a backup of", "name", at.name, "error", err)
		return false
	}
	return true
}

// swapAside puts was back at its place, and a new file with the same bytes
// aside, in one transaction.
func (f *FS) swapAside(ctx context.Context, fl *file, at, aside entry, was odbxfs.Inode) error {
	base := was.Content
	if was.Size > 0 && base == "" {
		return errNotHere
	}
	w, err := f.store.NewWriter(ctx, base)
	if err != nil {
		return err
	}
	// Discarded only after the commit: until then nobody else holds what was sealed.
	defer func() { f.logged("discard the copy of a backup", w.Discard()) }()
	sealed, err := w.Seal(ctx)
	if err != nil {
		return err
	}
	var copied odbxfs.Inode
	return f.change(func(tx Tx) error {
		if err := tx.Rename(aside.parent, aside.name, at.parent, at.name, 0); err != nil {
			return err
		}
		if copied, err = tx.Create(aside.parent, aside.name, 0o644); err != nil {
			return err
		}
		if _, err = tx.CommitContent(copied.Node, sealed); err != nil {
			return err
		}
		return tx.SetMTime(copied.Node, was.MTime)
	}, func() {
		f.ids.bind(fl.id, copied.Node)
		f.told.put(aside, fl.id)
		f.toldBytes.put(copied.Node, sealed.SHA1)
	}, fl)
}
