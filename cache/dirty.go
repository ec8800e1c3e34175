package cache

import "odbxfs"

// Dirty gives up to limit nodes (0: all) that the planner has to look at, by
// ascending id.
func (tx *Tx) Dirty(limit int) ([]odbxfs.NodeID, error) { return tx.lastIDs([]byte(kDirty), limit) }

// DirtyAfter gives up to limit of them with ids above after.
func (tx *Tx) DirtyAfter(after odbxfs.NodeID, limit int) ([]odbxfs.NodeID, error) {
	items, err := tx.list([]byte(kDirty), keyNode(kDirty, after), limit, false)
	if err != nil {
		return nil, err
	}
	ids := make([]odbxfs.NodeID, len(items))
	for i, e := range items {
		ids[i] = lastID(e.key)
	}
	return ids, nil
}

// MarkDirty makes the planner look at a node. Zero is ignored.
func (tx *Tx) MarkDirty(id odbxfs.NodeID) error {
	if id == 0 {
		return nil
	}
	tx.emit(Event{Kind: TreeDirty})
	return tx.setRaw(keyNode(kDirty, id), nil)
}

// ClearDirty says that the planner has looked at these nodes as this
// transaction sees them.
func (tx *Tx) ClearDirty(ids []odbxfs.NodeID) error {
	for _, id := range ids {
		if err := tx.del(keyNode(kDirty, id)); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) dirtyWithParent(id, parent odbxfs.NodeID) error {
	if err := tx.MarkDirty(id); err != nil {
		return err
	}
	return tx.MarkDirty(parent)
}

// reader is one tree as the planner sees it. Its errors are the transaction's.
type reader[N any] struct {
	tx    *Tx
	node  func(odbxfs.NodeID) (N, bool, error)
	child string
}

// Node implements [odbxfs.Reader].
func (r reader[N]) Node(id odbxfs.NodeID) (N, bool) {
	n, ok, err := r.node(id)
	if err != nil {
		r.tx.fail(err)
		var none N
		return none, false
	}
	return n, ok
}

// Children implements [odbxfs.Reader].
func (r reader[N]) Children(parent odbxfs.NodeID) []odbxfs.NodeID {
	ids, err := r.tx.lastIDs(keyNode(r.child, parent), 0)
	if err != nil {
		r.tx.fail(err)
		return nil
	}
	return ids
}

func (tx *Tx) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}

// Odoo gives the Odoo tree; see [Tx.Err].
func (tx *Tx) Odoo() odbxfs.Reader[odbxfs.OdooNode] {
	return reader[odbxfs.OdooNode]{tx: tx, node: tx.OdooNode, child: kOdooChild}
}

// Dropbox gives the Dropbox tree; see [Tx.Err].
func (tx *Tx) Dropbox() odbxfs.Reader[odbxfs.DropboxNode] {
	return reader[odbxfs.DropboxNode]{tx: tx, node: tx.DropboxNode, child: kDropboxSub}
}

// Synced gives the synced tree; see [Tx.Err]. Node knows tombstones, Children
// leaves them out.
func (tx *Tx) Synced() odbxfs.Reader[odbxfs.Pair] {
	return reader[odbxfs.Pair]{tx: tx, node: tx.Pair, child: kPairChild}
}
