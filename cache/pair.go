package cache

import (
	"slices"

	"odbxfs"
)

// Pair gives a node of the synced tree, tombstones included.
func (tx *Tx) Pair(id odbxfs.NodeID) (odbxfs.Pair, bool, error) {
	return load[odbxfs.Pair](tx, keyNode(kPair, id))
}

// PairByOdoo finds a pair, tombstones included.
func (tx *Tx) PairByOdoo(ref odbxfs.OdooRef) (odbxfs.NodeID, bool, error) {
	return tx.id(keyText(kPairOdoo, ref.String()))
}

// PairByDropbox finds a pair, tombstones included.
func (tx *Tx) PairByDropbox(id odbxfs.DropboxID) (odbxfs.NodeID, bool, error) {
	return tx.id(keyText(kPairBox, string(id)))
}

// PutPair puts what both sides agreed on into the synced tree, and gives it
// back with Node and Parent filled in. Its node is p.Node if given, else that
// of its row in Odoo as known by either id in either tree, else a new one. Where
// the two sides have different nodes, Odoo's lives on. A parent that is not
// known yet is filled in when it comes.
func (tx *Tx) PutPair(p odbxfs.Pair) (odbxfs.Pair, error) {
	if err := tx.identifyPair(&p); err != nil {
		return p, err
	}
	if err := tx.placePair(&p); err != nil {
		return p, err
	}
	key := keyNode(kPair, p.Node)
	if same, err := tx.same(key, p); err != nil || same {
		return p, err
	}
	old, had, err := tx.Pair(p.Node)
	if err != nil {
		return p, err
	}
	if had {
		if err := tx.unindexPair(old); err != nil {
			return p, err
		}
		if err := tx.MarkDirty(old.Parent); err != nil {
			return p, err
		}
	}
	if err := tx.indexPair(p); err != nil {
		return p, err
	}
	if err := tx.settleWaiting(p.Odoo, p.Node); err != nil {
		return p, err
	}
	if err := tx.dirtyWithParent(p.Node, p.Parent); err != nil {
		return p, err
	}
	return p, tx.project(p.Node)
}

func (tx *Tx) identifyPair(p *odbxfs.Pair) error {
	find := []func() (odbxfs.NodeID, bool, error){
		func() (odbxfs.NodeID, bool, error) { return tx.PairByOdoo(p.Odoo) },
		func() (odbxfs.NodeID, bool, error) { return tx.OdooByRef(p.Odoo) },
		func() (odbxfs.NodeID, bool, error) { return tx.PairByDropbox(p.Dropbox) },
		func() (odbxfs.NodeID, bool, error) { return tx.DropboxByID(p.Client, p.Dropbox) },
	}
	for i, f := range find {
		if (i < 2 && p.Odoo.IsZero()) || (i >= 2 && p.Dropbox == "") {
			continue
		}
		id, ok, err := f()
		switch {
		case err != nil:
			return err
		case ok && p.Node == 0:
			p.Node = id
		case ok && p.Node != id && id != odbxfs.RootNode:
			if err := tx.Merge(id, p.Node); err != nil {
				return err
			}
		}
	}
	if p.Node != 0 {
		return nil
	}
	var err error
	p.Node, err = tx.NewNode()
	return err
}

// placePair resolves the parent by Odoo's side, else by Dropbox's, else notes
// that it is waited for.
func (tx *Tx) placePair(p *odbxfs.Pair) error {
	p.Parent = 0
	if p.Node == odbxfs.RootNode {
		return nil
	}
	for _, f := range []func() (odbxfs.NodeID, bool, error){
		func() (odbxfs.NodeID, bool, error) { return tx.PairByOdoo(p.OdooParent) },
		func() (odbxfs.NodeID, bool, error) { return tx.OdooByRef(p.OdooParent) },
		func() (odbxfs.NodeID, bool, error) { return tx.PairByDropbox(p.DropboxParent) },
		func() (odbxfs.NodeID, bool, error) { return tx.DropboxByID(p.Client, p.DropboxParent) },
	} {
		id, ok, err := f()
		if err != nil {
			return err
		}
		if ok && id != p.Node {
			p.Parent = id
			return nil
		}
	}
	if p.OdooParent.IsZero() {
		return nil
	}
	key := keyText(kPairWaits, p.OdooParent.String())
	waits, _, err := load[nodeList](tx, key)
	if err != nil || slices.Contains(waits, p.Node) {
		return err
	}
	return tx.set(key, append(waits, p.Node))
}

// settleWaiting gives the pairs that waited for the parent ref their parent.
func (tx *Tx) settleWaiting(ref odbxfs.OdooRef, parent odbxfs.NodeID) error {
	if ref.IsZero() {
		return nil
	}
	key := keyText(kPairWaits, ref.String())
	waits, ok, err := load[nodeList](tx, key)
	if err != nil || !ok {
		return err
	}
	if err := tx.del(key); err != nil {
		return err
	}
	for _, id := range waits {
		p, ok, err := tx.Pair(id)
		if err != nil {
			return err
		}
		if !ok || p.Parent != 0 || p.OdooParent != ref {
			continue
		}
		p.Parent = parent
		if err := tx.indexPair(p); err != nil {
			return err
		}
		if err := tx.dirtyWithParent(id, parent); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) indexPair(p odbxfs.Pair) error {
	if err := tx.set(keyNode(kPair, p.Node), p); err != nil {
		return err
	}
	if !p.Odoo.IsZero() {
		if err := tx.setID(keyText(kPairOdoo, p.Odoo.String()), p.Node); err != nil {
			return err
		}
	}
	if p.Dropbox != "" {
		if err := tx.setID(keyText(kPairBox, string(p.Dropbox)), p.Node); err != nil {
			return err
		}
	}
	if p.Parent == 0 || p.Gone {
		return nil // a tombstone is nobody's child
	}
	return tx.setRaw(keyNodes(kPairChild, p.Parent, p.Node), nil)
}

func (tx *Tx) unindexPair(p odbxfs.Pair) error {
	if err := tx.del(keyText(kPairOdoo, p.Odoo.String())); err != nil {
		return err
	}
	if err := tx.del(keyText(kPairBox, string(p.Dropbox))); err != nil {
		return err
	}
	return tx.del(keyNodes(kPairChild, p.Parent, p.Node))
}

// DropPair takes one node out of the synced tree.
func (tx *Tx) DropPair(id odbxfs.NodeID) error {
	p, ok, err := tx.Pair(id)
	if err != nil || !ok {
		return err
	}
	if err := tx.unindexPair(p); err != nil {
		return err
	}
	if err := tx.del(keyNode(kPair, id)); err != nil {
		return err
	}
	if err := tx.dirtyWithParent(id, p.Parent); err != nil {
		return err
	}
	return tx.project(id)
}
