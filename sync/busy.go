package sync

import (
	"odbxfs"
	"odbxfs/cache"
)

// busy is what must not be planned now: nodes with an intent or a task, and
// things in Dropbox that have the place of a queued create, since they are what
// that task made, seen before its answer was settled.
type busy struct {
	tx     *cache.Tx
	nodes  map[odbxfs.NodeID]doing
	claims map[claim]bool // whether the create goes on by itself
	tree   odbxfs.Reader[odbxfs.DropboxNode]
	synced odbxfs.Reader[odbxfs.Pair]
	odoo   odbxfs.Reader[odbxfs.OdooNode]
}

// doing is what a busy node is about.
type doing struct {
	goesOn bool           // its task goes on without a person
	intent *odbxfs.Intent // what was done to it in the mount; nil: nothing
}

// claim is a name in a folder, as Dropbox compares names.
type claim struct {
	parent odbxfs.NodeID
	name   string
}

func (e *Engine) busyNodes(tx *cache.Tx, c *client) (*busy, error) {
	b := &busy{tx: tx, nodes: map[odbxfs.NodeID]doing{}, claims: map[claim]bool{},
		tree: tx.Dropbox(), synced: tx.Synced(), odoo: tx.Odoo()}
	err := tx.Tasks(func(t odbxfs.Task) bool {
		goesOn := !t.Held && t.Reason == ""
		b.nodes[t.Node] = doing{goesOn: goesOn || b.nodes[t.Node].goesOn}
		creates := t.Kind == odbxfs.TaskDropboxMkdir || t.Kind == odbxfs.TaskDropboxUpload && t.Dropbox == nil
		if t.Client == c.id && creates {
			b.claims[claim{t.Parent, odbxfs.FoldName(t.Name)}] = goesOn
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	if !e.opt.Intents {
		return b, nil
	}
	list, err := tx.Intents(0)
	if err != nil {
		return nil, err
	}
	for _, in := range list {
		d := b.nodes[in.Node]
		d.intent = &in
		b.nodes[in.Node] = d
	}
	return b, nil
}

func (b *busy) has(id odbxfs.NodeID) bool {
	_, busy := b.nodes[id]
	return busy || b.claimedBy(id) != nil
}

// claimedBy gives the claim for a node that is known in Dropbox only, and is at
// the place of a queued create or anywhere below it: what is in such a folder
// was put there by the same batch, or is planned once the folder is one with
// Odoo's. Nil: it is nobody's.
func (b *busy) claimedBy(id odbxfs.NodeID) *claim {
	if len(b.claims) == 0 {
		return nil
	}
	for id != odbxfs.RootNode {
		n, ok := b.tree.Node(id)
		if !ok {
			return nil
		}
		if _, paired := b.synced.Node(id); paired {
			return nil
		}
		at := claim{n.Parent, odbxfs.FoldName(n.Name)}
		if _, claimed := b.claims[at]; claimed {
			return &at
		}
		id = n.Parent
	}
	return nil
}

// leaves reports whether a busy node may have another place in Dropbox when
// what it is busy with is through: it was renamed, moved or removed, and that
// goes on without a person.
func (b *busy) leaves(id odbxfs.NodeID) bool {
	d, ok := b.nodes[id]
	if !ok {
		at := b.claimedBy(id)
		return at != nil && b.claims[*at]
	}
	o, inOdoo := b.odoo.Node(id)
	if in := d.intent; in != nil && !in.Held && in.Reason == "" {
		if in.Gone || !inOdoo {
			return true
		}
		shown, ok, err := b.tx.Inode(id)
		if err == nil && ok && (shown.Parent != o.Parent || !sameMountName(b.tx, shown, o)) {
			return true
		}
	}
	if !d.goesOn {
		return false
	}
	p, paired := b.synced.Node(id)
	return !inOdoo || !paired || p.Gone || o.Name != p.OdooName || o.ParentRef != p.OdooParent
}
