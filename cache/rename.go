package cache

import (
	"odbxfs"
)

// RenameNoReplace is renameat2's flag of this name; Rename refuses others.
const RenameNoReplace = 1

// Rename moves an entry. Over a file it is new content of that file: the
// target's node lives on, the source's ends, and the source's id leads to the
// target from then on. That needs the source's bytes: where they are not whole
// in the store it fails with [MountNeedsContent]; fetch them, [Tx.SetContent],
// and call again.
func (tx *Tx) Rename(oldParent odbxfs.NodeID, oldName string, newParent odbxfs.NodeID, newName string, flags uint32) error {
	src, err := tx.entry("rename", oldParent, oldName)
	if err != nil {
		return err
	}
	dir, err := tx.dirFor("rename", newParent, newName)
	if err != nil {
		return err
	}
	refuse := func(kind MountErrorKind) error { return &MountError{Op: "rename", Name: oldName, Kind: kind} }
	if flags&^RenameNoReplace != 0 {
		return refuse(MountInvalid)
	}
	if fixedRole(src.I.Role) {
		return refuse(MountNotAllowed)
	}
	if src.I.Kind == odbxfs.Folder {
		if inside, err := tx.inside(dir.Node, src.I.Node); err != nil {
			return err
		} else if inside {
			return refuse(MountInvalid)
		}
	}
	there, taken, err := tx.Lookup(dir.Node, newName)
	switch {
	case err != nil:
		return err
	case taken && flags&RenameNoReplace != 0:
		return refuse(MountExists)
	case taken && there.Node == src.I.Node:
		return nil
	case taken:
		if done, err := tx.replace(src, there); err != nil || done {
			return err
		}
	}
	return tx.move(src, dir, newName)
}

// inside reports whether a folder is another one or lies in it.
func (tx *Tx) inside(id, folder odbxfs.NodeID) (bool, error) {
	for range maxDepth {
		if id == folder {
			return true, nil
		}
		if id == odbxfs.RootNode {
			return false, nil
		}
		i, ok, err := tx.inode(id)
		if err != nil || !ok {
			return false, err
		}
		id = i.I.Parent
	}
	return true, nil // too deep to tell: refuse
}

// replace makes room at an entry that exists. It is done when the source was
// a file, whose bytes went into the target.
func (tx *Tx) replace(src inodeRec, there odbxfs.Inode) (done bool, err error) {
	switch {
	case src.I.Kind == odbxfs.File && there.Kind == odbxfs.Folder:
		return false, &MountError{Op: "rename", Name: there.Name, Kind: MountIsDir}
	case src.I.Kind == odbxfs.Folder:
		if err := tx.mayRemove("rename", there); err != nil {
			return false, err
		}
		r, _, err := tx.inode(there.Node)
		if err != nil {
			return false, err
		}
		return false, tx.remove(r)
	}
	return true, tx.over(src, there.Node)
}

// over gives the target the source's bytes and ends the source. The target's
// intent comes before the source's removal.
func (tx *Tx) over(src inodeRec, target odbxfs.NodeID) error {
	dst, _, err := tx.inode(target)
	if err != nil {
		return err
	}
	if dst.I.ReadOnly {
		return &MountError{Op: "rename", Name: dst.I.Name, Kind: MountNotAllowed}
	}
	sha1, size, whole := tx.s.contents.whole(src.I.Content)
	// A new file that is still being written has no bytes yet; they come by
	// CommitContent, which finds the target by the source's id.
	fresh := src.I.SHA1 == "" && src.I.Odoo.IsZero()
	if !whole && !fresh {
		return &MountError{Op: "rename", Name: src.I.Name, Kind: MountNeedsContent}
	}
	now := tx.s.opt.Now()
	parent, name := dst.I.Parent, dst.I.Name
	dst.I.Content, dst.I.SHA1, dst.I.Size = src.I.Content, sha1, size
	dst.I.MTime, dst.I.CTime, dst.Typed = src.I.MTime, now, true
	if err := tx.localEdit(dst); err != nil {
		return err
	}
	if err := tx.contentIntent(target, Sealed{ID: src.I.Content, SHA1: sha1, Size: size}); err != nil {
		return err
	}
	if err := tx.remove(src); err != nil {
		return err
	}
	if err := tx.alias(src.I.Node, target); err != nil {
		return err
	}
	if err := tx.stamp(src.I.Parent, now); err != nil {
		return err
	}
	// The kernel took the source's inode along to the new name.
	tx.emit(Event{Kind: EntryChanged, Parent: src.I.Parent, Name: src.I.Name})
	tx.emit(Event{Kind: EntryChanged, Parent: parent, Name: name, Node: target})
	tx.emit(Event{Kind: ContentChanged, Node: target})
	tx.emit(Event{Kind: NodeChanged, Node: target})
	return nil
}

// move gives an entry another place, which is free.
func (tx *Tx) move(src inodeRec, dir odbxfs.Inode, name string) error {
	now := tx.s.opt.Now()
	from := src.I.Parent
	if err := tx.unclaim(src); err != nil {
		return err
	}
	if err := tx.dropEntry(src.I); err != nil {
		return err
	}
	src.Plain = ""
	src.I.Parent, src.I.Name, src.I.CTime = dir.Node, name, now
	if src.I.Kind == odbxfs.Folder && src.I.Role != odbxfs.RoleDefault || from != dir.Node && src.I.Kind == odbxfs.Folder {
		src.I.Role = roleIn(dir.Role)
	}
	if err := tx.localEdit(src); err != nil {
		return err
	}
	if err := tx.stamp(from, now); err != nil {
		return err
	}
	if from == dir.Node {
		return nil
	}
	return tx.stamp(dir.Node, now)
}
