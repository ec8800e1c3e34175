package cache

import (
	"fmt"

	"odbxfs"
)

// Merge says that node from, known in one of the remote trees only, is the same
// thing as node into. Everything of from becomes into's; from leads to into
// until the store is opened again. What was removed here before Odoo had answered
// stays removed, unless something was done to from since. [ErrTwoThings] when one
// tree has both.
func (tx *Tx) Merge(from, into odbxfs.NodeID) error {
	if from == into {
		return nil
	}
	if from == odbxfs.RootNode {
		return fmt.Errorf("merging the root into node %d: %w", into, ErrCorrupt)
	}
	for _, tree := range []string{kOdoo, kDropbox} {
		a, err := tx.has(keyNode(tree, from))
		if err != nil {
			return err
		}
		b, err := tx.has(keyNode(tree, into))
		if err != nil {
			return err
		}
		if a && b {
			return fmt.Errorf("nodes %d and %d: %w", from, into, ErrTwoThings)
		}
	}
	for _, step := range []func(from, into odbxfs.NodeID) error{
		tx.mergeEnded, tx.mergeInode, tx.mergeOdoo, tx.mergeDropbox, tx.mergePair, tx.mergeIntent, tx.mergeTasks, tx.alias,
	} {
		if err := step(from, into); err != nil {
			return err
		}
	}
	if err := tx.del(keyNode(kDirty, from)); err != nil {
		return err
	}
	if err := tx.MarkDirty(into); err != nil {
		return err
	}
	if n, ok, err := tx.OdooNode(into); err != nil {
		return err
	} else if ok {
		if err := tx.endLate(n); err != nil {
			return err
		}
	}
	return tx.project(into)
}

// mergeEnded: when into was removed here, what a look has shown as from goes too.
// What was done to that, or lies in it, is newer than the removal.
func (tx *Tx) mergeEnded(from, into odbxfs.NodeID) error {
	r, had, err := tx.inode(from)
	if err != nil || !had {
		return err
	}
	ended, err := tx.has(keyNode(kEnded, into))
	if err != nil {
		return err
	}
	in, ok, err := tx.Intent(into)
	if err != nil || !ended && (!ok || !in.Gone || in.Held) {
		return err
	}
	newer, err := tx.has(keyNode(kIntent, from))
	if err != nil {
		return err
	}
	kids, err := tx.ReadDir(from, "", 1)
	if err != nil {
		return err
	}
	if !newer && len(kids) == 0 {
		tx.emit(Event{Kind: NodeGone, Parent: r.I.Parent, Name: r.I.Name, Node: from})
		return tx.dropInode(r)
	}
	if err := tx.del(keyNode(kEnded, into)); err != nil || !ok {
		return err
	}
	return tx.clearIntent(in)
}

func (tx *Tx) mergeOdoo(from, into odbxfs.NodeID) error {
	r, ok, err := load[odooRec](tx, keyNode(kOdoo, from))
	if err != nil || !ok {
		return err
	}
	if err := tx.unindexOdoo(r); err != nil {
		return err
	}
	if err := tx.del(keyNode(kOdoo, from)); err != nil {
		return err
	}
	r.N.Node = into
	if err := tx.indexOdoo(r); err != nil {
		return err
	}
	return tx.adopt(kOdooChild, from, func(k odbxfs.NodeID) error {
		c, ok, err := load[odooRec](tx, keyNode(kOdoo, k))
		if err != nil || !ok {
			return err
		}
		if err := tx.unindexOdoo(c); err != nil {
			return err
		}
		c.N.Parent = into
		return tx.indexOdoo(c)
	})
}

func (tx *Tx) mergeDropbox(from, into odbxfs.NodeID) error {
	n, ok, err := tx.DropboxNode(from)
	if err != nil || !ok {
		return err
	}
	if err := tx.unindexDropbox(n); err != nil {
		return err
	}
	if err := tx.del(keyNode(kDropbox, from)); err != nil {
		return err
	}
	n.Node = into
	if err := tx.indexDropbox(n); err != nil {
		return err
	}
	return tx.adopt(kDropboxSub, from, func(k odbxfs.NodeID) error {
		c, ok, err := tx.DropboxNode(k)
		if err != nil || !ok {
			return err
		}
		if err := tx.unindexDropbox(c); err != nil {
			return err
		}
		c.Parent = into
		return tx.indexDropbox(c)
	})
}

func (tx *Tx) mergePair(from, into odbxfs.NodeID) error {
	p, ok, err := tx.Pair(from)
	if err != nil {
		return err
	}
	if ok {
		if err := tx.unindexPair(p); err != nil {
			return err
		}
		if err := tx.del(keyNode(kPair, from)); err != nil {
			return err
		}
		has, err := tx.has(keyNode(kPair, into))
		if err != nil {
			return err
		}
		if !has {
			p.Node = into
			if err := tx.indexPair(p); err != nil {
				return err
			}
		}
	}
	return tx.adopt(kPairChild, from, func(k odbxfs.NodeID) error {
		c, ok, err := tx.Pair(k)
		if err != nil || !ok {
			return err
		}
		if err := tx.unindexPair(c); err != nil {
			return err
		}
		c.Parent = into
		return tx.indexPair(c)
	})
}

// adopt calls move for each child of a node in one tree.
func (tx *Tx) adopt(space string, from odbxfs.NodeID, move func(odbxfs.NodeID) error) error {
	kids, err := tx.lastIDs(keyNode(space, from), 0)
	if err != nil {
		return err
	}
	for _, k := range kids {
		if err := move(k); err != nil {
			return err
		}
		if err := tx.MarkDirty(k); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) mergeInode(from, into odbxfs.NodeID) error {
	r, had, err := tx.inode(from)
	if err != nil || !had {
		return err
	}
	kids, err := tx.ReadDir(from, "", 0)
	if err != nil {
		return err
	}
	if err := tx.dropInode(r); err != nil {
		return err
	}
	if !r.I.Hidden {
		tx.emit(Event{Kind: NodeGone, Parent: r.I.Parent, Name: r.I.Name, Node: from})
	}
	if has, err := tx.has(keyNode(kInode, into)); err != nil {
		return err
	} else if !has {
		r.I.Node = into
		if err := tx.putInode(r); err != nil {
			return err
		}
		if r.Plain != "" {
			if err := tx.claim(r); err != nil {
				return err
			}
		}
		if !r.I.Hidden {
			tx.emit(Event{Kind: EntryChanged, Parent: r.I.Parent, Name: r.I.Name, Node: into})
		}
	}
	for _, k := range kids {
		if err := tx.rehome(k.Node, into); err != nil {
			return err
		}
	}
	return nil
}

// rehome puts an inode of a merged folder into the other one, under its name or,
// where that is taken, the one its node gets when it is projected.
func (tx *Tx) rehome(id, into odbxfs.NodeID) error {
	r, ok, err := tx.inode(id)
	if err != nil || !ok {
		return err
	}
	old := r.I
	taken, err := tx.has(keyName(kDentry, into, r.I.Name))
	if err != nil {
		return err
	}
	if taken {
		if r.I.Name, err = tx.freeName(into, r.I.Name, int64(id)); err != nil {
			return err
		}
	}
	r.I.Parent = into
	if err := tx.putInode(r); err != nil {
		return err
	}
	if r.Plain != "" {
		if err := tx.claim(r); err != nil {
			return err
		}
	}
	tx.emit(Event{Kind: EntryChanged, Parent: old.Parent, Name: old.Name})
	tx.emit(Event{Kind: EntryChanged, Parent: into, Name: r.I.Name, Node: id})
	return nil
}

func (tx *Tx) mergeIntent(from, into odbxfs.NodeID) error {
	i, ok, err := tx.Intent(from)
	if err != nil || !ok {
		return err
	}
	if err := tx.clearIntent(i); err != nil {
		return err
	}
	if has, err := tx.has(keyNode(kIntent, into)); err != nil || has {
		return err
	}
	i.Node = into
	return tx.storeIntent(i, odbxfs.Intent{})
}

func (tx *Tx) mergeTasks(from, into odbxfs.NodeID) error {
	tasks, err := tx.TasksOf(from)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if err := tx.DropTask(t.Seq); err != nil {
			return err
		}
		t.Node = into
		if err := tx.storeTask(t); err != nil {
			return err
		}
	}
	return nil
}
