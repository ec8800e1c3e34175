package sync

import (
	"errors"
	"slices"

	"odbxfs"
	"odbxfs/cache"
)

// busy tells what must not be planned now: nodes with an intent or a task, and
// things in Dropbox that have the place of a queued create, since they are what
// that task made, seen before its answer was settled. It asks the store as the
// planner asks it, and keeps the first error.
type busy struct {
	tx      *cache.Tx
	client  odbxfs.ClientID
	intents bool // the mount's intents are carried out here
	places  bool // some queued task puts something somewhere
	nodes   map[odbxfs.NodeID]doing
	err     error
}

// doing is what a node is busy with.
type doing struct {
	queued bool           // it has a task
	goesOn bool           // one of them goes on without a person
	intent *odbxfs.Intent // what was done to it in the mount; nil: nothing
	made   *made          // what is to make it; nil: nothing
}

// made is a queued create at whose place, or below it, something is.
type made struct{ goesOn bool }

func (d doing) busy() bool { return d.queued || d.intent != nil || d.made != nil }

func (e *Engine) busyNodes(tx *cache.Tx, c *client) (*busy, error) {
	places, err := tx.QueuedPlaces(c.id)
	return &busy{tx: tx, client: c.id, intents: e.opt.Intents, places: places, nodes: map[odbxfs.NodeID]doing{}}, err
}

func (b *busy) has(id odbxfs.NodeID) bool { return b.doing(id).busy() }

func (b *busy) doing(id odbxfs.NodeID) doing {
	d, known := b.nodes[id]
	if known {
		return d
	}
	d, err := b.look(id)
	b.err = errors.Join(b.err, err)
	b.nodes[id] = d
	return d
}

func (b *busy) look(id odbxfs.NodeID) (d doing, err error) {
	marks, err := b.tx.Queued(id)
	if err != nil {
		return d, err
	}
	for _, m := range marks {
		d.queued, d.goesOn = true, d.goesOn || !m.Waits
	}
	if b.intents {
		in, has, err := b.tx.Intent(id)
		if err != nil {
			return d, err
		}
		if has {
			d.intent = &in
		}
	}
	if b.places && !d.busy() {
		d.made, err = b.madeBy(id)
	}
	return d, err
}

// madeBy gives the create of a node that is known in Dropbox only, and is at
// the place of a queued create or anywhere below it: what is in such a folder
// was put there by the same batch, or is planned once the folder is one with
// Odoo's. Nil: it is nobody's.
func (b *busy) madeBy(id odbxfs.NodeID) (*made, error) {
	for id != odbxfs.RootNode {
		n, ok, err := b.tx.DropboxNode(id)
		if err != nil || !ok {
			return nil, err
		}
		if _, paired, err := b.tx.Pair(id); err != nil || paired {
			return nil, err
		}
		marks, err := b.tx.QueuedAt(b.client, n.Parent, n.Name)
		if err != nil {
			return nil, err
		}
		var by *made
		for _, m := range marks {
			if m.Kind != odbxfs.TaskDropboxMkdir && m.Kind != odbxfs.TaskDropboxUpload {
				continue
			}
			if may, err := b.mayHaveMade(m); err != nil {
				return nil, err
			} else if !may {
				continue
			}
			by = &made{goesOn: !m.Waits}
		}
		if by != nil {
			return by, nil
		}
		id = n.Parent
	}
	return nil, nil
}

// mayHaveMade reports whether what is at a queued create's place may be its work. A
// copy that waits for a person has nothing that it could be made of.
func (b *busy) mayHaveMade(m cache.TaskMark) (bool, error) {
	if !m.Waits || m.Kind != odbxfs.TaskDropboxUpload {
		return true, nil
	}
	t, ok, err := b.tx.Task(m.Seq)
	return !ok || t.Odoo == nil || t.Odoo.Type != odbxfs.Copy, err
}

// stuck reports whether a removal from Dropbox has failed before. A copy that leads
// to the file may be what keeps it, and wants its name: both would wait for ever.
func (b *busy) stuck(id odbxfs.NodeID) bool {
	tasks, err := b.tx.TasksOf(id)
	b.err = errors.Join(b.err, err)
	return slices.ContainsFunc(tasks, func(t odbxfs.Task) bool { return t.Kind == odbxfs.TaskDropboxDelete && t.Attempts > 0 })
}

// leaves reports whether a busy node may have another place in Dropbox when
// what it is busy with is through: it was renamed, moved or removed, and that
// goes on without a person.
func (b *busy) leaves(id odbxfs.NodeID) bool {
	d := b.doing(id)
	if !d.queued && d.intent == nil {
		return d.made != nil && d.made.goesOn
	}
	o, inOdoo := b.tx.Odoo().Node(id)
	if in := d.intent; in != nil && !in.Held && in.Reason == "" {
		if in.Gone || !inOdoo {
			return true
		}
		shown, ok, err := b.tx.Inode(id)
		b.err = errors.Join(b.err, err)
		if ok && (shown.Parent != o.Parent || !sameMountName(b.tx, shown, o)) {
			return true
		}
	}
	if !d.goesOn {
		return false
	}
	if !inOdoo && b.stuck(id) {
		return false
	}
	p, paired := b.tx.Synced().Node(id)
	return !inOdoo || !paired || p.Gone || o.Name != p.OdooName || o.ParentRef != p.OdooParent
}
