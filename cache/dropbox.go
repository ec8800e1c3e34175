package cache

import (
	"fmt"
	"path"
	"strings"

	"odbxfs"
)

// DropboxNode gives a node of the Dropbox tree.
func (tx *Tx) DropboxNode(id odbxfs.NodeID) (odbxfs.DropboxNode, bool, error) {
	return load[odbxfs.DropboxNode](tx, keyNode(kDropbox, id))
}

// DropboxByID finds a node by Dropbox's id.
func (tx *Tx) DropboxByID(client odbxfs.ClientID, id odbxfs.DropboxID) (odbxfs.NodeID, bool, error) {
	return tx.id(keyClient(kDropboxID, client, string(id)))
}

// DropboxByPath finds a node by its path from the account's root, in any case.
func (tx *Tx) DropboxByPath(client odbxfs.ClientID, path string) (odbxfs.NodeID, bool, error) {
	return tx.id(keyClient(kDropboxWay, client, odbxfs.FoldPath(path)))
}

// SetDropboxRoot says which folder of the client's account is the tree's root.
// It is to be called before anything of the client is put; with another path
// than before, what was known of the client's Dropbox is forgotten.
func (tx *Tx) SetDropboxRoot(client odbxfs.ClientID, root string) error {
	old, ok, err := tx.DropboxRoot(client)
	if err != nil {
		return err
	}
	if ok && old == root {
		return nil
	}
	if ok {
		if err := tx.forgetDropbox(client, old); err != nil {
			return err
		}
	}
	if err := tx.setRaw(keyClient(kDropboxTop, client, ""), []byte(root)); err != nil {
		return err
	}
	if err := tx.setID(keyClient(kDropboxWay, client, odbxfs.FoldPath(root)), odbxfs.RootNode); err != nil {
		return err
	}
	n, _, err := tx.DropboxNode(odbxfs.RootNode)
	if err != nil {
		return err
	}
	n = odbxfs.DropboxNode{Node: odbxfs.RootNode, ID: n.ID, Client: client, Kind: odbxfs.Folder, Name: path.Base(root), Path: root}
	return tx.set(keyNode(kDropbox, odbxfs.RootNode), n)
}

// DropboxRoot gives what SetDropboxRoot set.
func (tx *Tx) DropboxRoot(client odbxfs.ClientID) (root string, ok bool, err error) {
	b, ok, err := tx.raw(keyClient(kDropboxTop, client, ""))
	return string(b), ok, err
}

func (tx *Tx) forgetDropbox(client odbxfs.ClientID, root string) error {
	kids, err := tx.lastIDs(keyNode(kDropboxSub, odbxfs.RootNode), 0)
	if err != nil {
		return err
	}
	for _, k := range kids {
		n, ok, err := tx.DropboxNode(k)
		if err != nil {
			return err
		}
		if ok && n.Client == client {
			if err := tx.DropDropbox(k); err != nil {
				return err
			}
		}
	}
	return tx.del(keyClient(kDropboxWay, client, odbxfs.FoldPath(root)))
}

// PutDropbox puts what Dropbox said into the Dropbox tree, and gives it back
// with Node and Parent filled in. Its node is n.Node if given (what was known
// under the same id is merged into it), else the one of its id, else that of
// the pair of its id, else a new one. What lies below a folder that moved moves
// along. What else stood at its path is dropped: Dropbox has one thing at a
// path. [ErrNoParent] when the tree does not have the folder it lies in.
func (tx *Tx) PutDropbox(n odbxfs.DropboxNode) (odbxfs.DropboxNode, error) {
	if n.Name == "" {
		n.Name = path.Base(n.Path)
	}
	if err := tx.placeDropbox(&n); err != nil {
		return n, err
	}
	key := keyNode(kDropbox, n.Node)
	if same, err := tx.same(key, n); err != nil || same {
		return n, err
	}
	if err := tx.clearPath(n); err != nil {
		return n, err
	}
	old, had, err := tx.DropboxNode(n.Node)
	if err != nil {
		return n, err
	}
	if had {
		if err := tx.unindexDropbox(old); err != nil {
			return n, err
		}
		if old.Parent != n.Parent {
			if err := tx.MarkDirty(old.Parent); err != nil {
				return n, err
			}
		}
	}
	if err := tx.indexDropbox(n); err != nil {
		return n, err
	}
	// The root is every client's, each with a path of its own, so what is below
	// it never moves along: [Tx.SetDropboxRoot] says when it is another folder.
	if had && old.Path != n.Path && n.Kind == odbxfs.Folder && n.Node != odbxfs.RootNode {
		if err := tx.rebase(n.Node, n.Path); err != nil {
			return n, err
		}
	}
	return n, tx.dirtyWithParent(n.Node, n.Parent)
}

func (tx *Tx) placeDropbox(n *odbxfs.DropboxNode) error {
	if root, ok, err := tx.DropboxRoot(n.Client); err != nil {
		return err
	} else if ok && odbxfs.FoldPath(root) == odbxfs.FoldPath(n.Path) {
		n.Node, n.Parent = odbxfs.RootNode, 0
		return nil
	}
	parent, ok, err := tx.DropboxByPath(n.Client, parentPath(n.Path))
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%s: %w", n.Path, ErrNoParent)
	}
	if in, _, err := tx.DropboxNode(parent); err != nil {
		return err
	} else if in.Kind == odbxfs.File && in.ID == n.ID {
		// It is known at the place of what its folder is to be: that is still to come.
		return fmt.Errorf("%s: %w", n.Path, ErrNoParent)
	}
	n.Parent = parent
	known, ok, err := tx.DropboxByID(n.Client, n.ID)
	if err != nil {
		return err
	}
	if !ok {
		if known, ok, err = tx.PairByDropbox(n.ID); err != nil {
			return err
		}
	}
	n.Node, err = tx.identify(n.Node, known, ok)
	return err
}

// parentPath is the folder of a path; the account's root is "".
func parentPath(p string) string {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i]
	}
	return ""
}

// clearPath drops what stands where n is to stand.
func (tx *Tx) clearPath(n odbxfs.DropboxNode) error {
	there, ok, err := tx.DropboxByPath(n.Client, n.Path)
	if err != nil || !ok || there == n.Node || there == odbxfs.RootNode {
		return err
	}
	return tx.DropDropbox(there)
}

func (tx *Tx) indexDropbox(n odbxfs.DropboxNode) error {
	if err := tx.set(keyNode(kDropbox, n.Node), n); err != nil {
		return err
	}
	if err := tx.setID(keyClient(kDropboxWay, n.Client, odbxfs.FoldPath(n.Path)), n.Node); err != nil {
		return err
	}
	if n.Node == odbxfs.RootNode {
		return nil
	}
	if err := tx.setID(keyClient(kDropboxID, n.Client, string(n.ID)), n.Node); err != nil {
		return err
	}
	return tx.setRaw(keyNodes(kDropboxSub, n.Parent, n.Node), nil)
}

func (tx *Tx) unindexDropbox(n odbxfs.DropboxNode) error {
	if n.Node == odbxfs.RootNode {
		return nil
	}
	way := keyClient(kDropboxWay, n.Client, odbxfs.FoldPath(n.Path))
	if at, ok, err := tx.id(way); err != nil {
		return err
	} else if ok && at == n.Node {
		if err := tx.del(way); err != nil {
			return err
		}
	}
	if err := tx.del(keyClient(kDropboxID, n.Client, string(n.ID))); err != nil {
		return err
	}
	return tx.del(keyNodes(kDropboxSub, n.Parent, n.Node))
}

// rebase gives all below a folder its new path.
func (tx *Tx) rebase(folder odbxfs.NodeID, to string) error {
	kids, err := tx.lastIDs(keyNode(kDropboxSub, folder), 0)
	if err != nil {
		return err
	}
	for _, k := range kids {
		n, ok, err := tx.DropboxNode(k)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := tx.unindexDropbox(n); err != nil {
			return err
		}
		n.Path = to + "/" + n.Name
		if err := tx.indexDropbox(n); err != nil {
			return err
		}
		if err := tx.rebase(k, n.Path); err != nil {
			return err
		}
	}
	return nil
}

// DropDropbox takes a node and all below it out of the Dropbox tree. The root
// stays; what is below it goes.
func (tx *Tx) DropDropbox(id odbxfs.NodeID) error {
	n, ok, err := tx.DropboxNode(id)
	if err != nil || !ok {
		return err
	}
	if n.Kind == odbxfs.Folder {
		kids, err := tx.lastIDs(keyNode(kDropboxSub, id), 0)
		if err != nil {
			return err
		}
		for _, k := range kids {
			if err := tx.DropDropbox(k); err != nil {
				return err
			}
		}
	}
	if id == odbxfs.RootNode {
		return tx.MarkDirty(id)
	}
	if err := tx.unindexDropbox(n); err != nil {
		return err
	}
	if err := tx.del(keyNode(kDropbox, id)); err != nil {
		return err
	}
	return tx.dirtyWithParent(id, n.Parent)
}
