package cache

import (
	"fmt"
	"strings"

	"odbxfs"
)

// Inode gives what the mount shows of a node, hidden ones included. The id of a
// file that was renamed over another, or merged, leads to what it became, until
// the store is opened again.
func (tx *Tx) Inode(id odbxfs.NodeID) (odbxfs.Inode, bool, error) {
	for range maxDepth {
		r, ok, err := tx.inode(id)
		if err != nil || ok {
			return r.I, ok, err
		}
		if id, ok, err = tx.id(keyNode(kAlias, id)); err != nil || !ok {
			return odbxfs.Inode{}, false, err
		}
	}
	return odbxfs.Inode{}, false, nil
}

// inode gives the record of a node, not following what it became.
func (tx *Tx) inode(id odbxfs.NodeID) (inodeRec, bool, error) {
	return load[inodeRec](tx, keyNode(kInode, id))
}

// Lookup gives the entry name of a folder.
func (tx *Tx) Lookup(parent odbxfs.NodeID, name string) (odbxfs.Inode, bool, error) {
	return load[odbxfs.Inode](tx, keyName(kDentry, parent, name))
}

// ReadDir gives up to limit entries (0: all) of a folder in the order of names
// as bytes, behind afterName; hidden ones are left out.
func (tx *Tx) ReadDir(parent odbxfs.NodeID, afterName string, limit int) ([]odbxfs.Inode, error) {
	var after []byte
	if afterName != "" {
		after = keyName(kDentry, parent, afterName)
	}
	items, err := tx.list(keyNode(kDentry, parent), after, limit, true)
	if err != nil {
		return nil, err
	}
	out := make([]odbxfs.Inode, len(items))
	for i, e := range items {
		if out[i], err = decode[odbxfs.Inode](e.val); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maxDepth bounds walks to the root, and along what a node became, should a
// damaged store have a circle.
const maxDepth = 1000

// PathOf gives a node's path in the mount; the root's is "/".
func (tx *Tx) PathOf(id odbxfs.NodeID) (string, error) {
	var parts []string
	for range maxDepth {
		if id == odbxfs.RootNode {
			return "/" + strings.Join(parts, "/"), nil
		}
		i, ok, err := tx.Inode(id)
		if err != nil {
			return "", err
		}
		if !ok {
			return "", &MountError{Op: "path", Name: fmt.Sprintf("node %d", id), Kind: MountNotFound}
		}
		parts = append([]string{i.Name}, parts...)
		id = i.Parent
	}
	return "", fmt.Errorf("%w: a folder inside itself", ErrCorrupt)
}

// Resolve gives the node at a path of the mount.
func (tx *Tx) Resolve(path string) (odbxfs.NodeID, error) {
	id := odbxfs.RootNode
	for part := range strings.SplitSeq(path, "/") {
		if part == "" {
			continue
		}
		i, ok, err := tx.Lookup(id, part)
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, &MountError{Op: "resolve", Name: path, Kind: MountNotFound}
		}
		id = i.Node
	}
	return id, nil
}

// SetContent says that the node's bytes, as Odoo has them, are content c: whole
// or being filled. Of a whole one, size and checksum are taken over: a hint of
// Odoo's may have been wrong. Of a node with bytes of its own it changes nothing.
func (tx *Tx) SetContent(id odbxfs.NodeID, c odbxfs.ContentID) error {
	r, ok, err := tx.inode(id)
	if err != nil || !ok || r.I.Kind != odbxfs.File {
		return err
	}
	if i, ok, err := tx.Intent(id); err != nil || (ok && i.Content != "") {
		return err
	}
	old := r.I
	r.I.Content = c
	if sha1, size, whole := tx.s.contents.whole(c); whole {
		r.I.SHA1, r.I.Size = sha1, size
	}
	if r.I.Size != old.Size {
		tx.emit(Event{Kind: NodeChanged, Node: id})
	}
	return tx.putInode(r)
}

// putInode stores an inode and its entry, and takes away the entry it had.
func (tx *Tx) putInode(r inodeRec) error {
	old, had, err := tx.inode(r.I.Node)
	if err != nil {
		return err
	}
	if had && (old.I.Parent != r.I.Parent || old.I.Name != r.I.Name || r.I.Hidden) {
		if err := tx.dropEntry(old.I); err != nil {
			return err
		}
	}
	if had && (old.I.Parent != r.I.Parent || old.Plain != r.Plain) {
		if err := tx.unclaim(old); err != nil {
			return err
		}
	}
	if old.I.Content != r.I.Content {
		if err := tx.moveRef(old.I.Content, r.I.Content, ownerInode(r.I.Node)); err != nil {
			return err
		}
	}
	if err := tx.set(keyNode(kInode, r.I.Node), r); err != nil {
		return err
	}
	if r.I.Hidden || r.I.Node == odbxfs.RootNode {
		return nil
	}
	return tx.set(keyName(kDentry, r.I.Parent, r.I.Name), r.I)
}

// dropInode takes an inode out of the mount.
func (tx *Tx) dropInode(r inodeRec) error {
	if err := tx.dropEntry(r.I); err != nil {
		return err
	}
	if err := tx.unclaim(r); err != nil {
		return err
	}
	if err := tx.moveRef(r.I.Content, "", ownerInode(r.I.Node)); err != nil {
		return err
	}
	return tx.del(keyNode(kInode, r.I.Node))
}

// dropEntry removes the entry if it is still this node's.
func (tx *Tx) dropEntry(i odbxfs.Inode) error {
	there, ok, err := tx.Lookup(i.Parent, i.Name)
	if err != nil || !ok || there.Node != i.Node {
		return err
	}
	return tx.del(keyName(kDentry, i.Parent, i.Name))
}

// alias makes from lead to into.
func (tx *Tx) alias(from, into odbxfs.NodeID) error {
	return tx.setID(keyNode(kAlias, from), into)
}
