package plan

import (
	"cmp"
	"slices"

	"odbxfs"
)

// Plan compares the three trees where they are dirty and gives the tasks that
// bring both sides together, in the order in which they are to be done, and
// the identities that the store must merge before it queues them. A task of a
// merged node speaks of the node that it became.
//
// It is pure: the same input gives the same output. The order of dirty does
// not matter, nor do repetitions. Nodes that are not dirty are looked at where
// a dirty one needs it, and may be planned for too (a parent that is missing,
// what lies in a removed folder, who holds a wanted name).
func Plan(dirty []odbxfs.NodeID, odoo odbxfs.Reader[odbxfs.OdooNode], dropbox odbxfs.Reader[odbxfs.DropboxNode],
	synced odbxfs.Reader[odbxfs.Pair], pol Policy) ([]odbxfs.Task, []odbxfs.Change) {
	pl := &planner{
		odoo: odoo, dropbox: dropbox, synced: synced, pol: pol,
		items: map[odbxfs.NodeID]*item{}, work: map[odbxfs.NodeID]bool{},
		into: map[odbxfs.NodeID]odbxfs.NodeID{}, from: map[odbxfs.NodeID]odbxfs.NodeID{},
		alive: map[odbxfs.NodeID]fate{}, homes: map[odbxfs.NodeID]*home{},
	}
	if _, ok := odoo.Node(odbxfs.RootNode); !ok {
		return nil, nil // Odoo was never read: everything would look removed
	}
	dirty = slices.Clone(dirty)
	slices.Sort(dirty)
	for _, id := range slices.Compact(dirty) {
		pl.add(id)
	}
	if pol.Reverse {
		pl.reverse()
		return pl.ordered(), nil
	}
	pl.widen()
	pl.merge()
	pl.place()
	pl.widen() // what was merged or put back may lean on others
	// From here on each item's parent is final, no parent chain is a circle, and
	// whatever a task below leans on is in the work.
	pl.name()
	for _, it := range pl.sorted() {
		pl.decide(it)
	}
	return pl.ordered(), pl.changes
}

// planner is one call of Plan.
type planner struct {
	odoo    odbxfs.Reader[odbxfs.OdooNode]
	dropbox odbxfs.Reader[odbxfs.DropboxNode]
	synced  odbxfs.Reader[odbxfs.Pair]
	pol     Policy

	items map[odbxfs.NodeID]*item
	work  map[odbxfs.NodeID]bool // what is planned for; never a busy node, never the root
	queue []odbxfs.NodeID        // of work: not widened yet

	into, from map[odbxfs.NodeID]odbxfs.NodeID // merges, by either end
	alive      map[odbxfs.NodeID]fate
	homes      map[odbxfs.NodeID]*home

	changes []odbxfs.Change
	tasks   []odbxfs.Task
}

// canon gives the node that id was merged into, or id.
func (pl *planner) canon(id odbxfs.NodeID) odbxfs.NodeID {
	if into, ok := pl.into[id]; ok {
		return into
	}
	return id
}

// add takes a node into the work.
func (pl *planner) add(id odbxfs.NodeID) {
	id = pl.canon(id)
	if id == odbxfs.RootNode || id == 0 || pl.work[id] || pl.item(id).busy {
		return
	}
	pl.work[id] = true
	pl.queue = append(pl.queue, id)
}

// sorted gives the work's items by id.
func (pl *planner) sorted() []*item {
	all := make([]*item, 0, len(pl.work))
	for id := range pl.work {
		all = append(all, pl.item(id))
	}
	slices.SortFunc(all, func(a, b *item) int { return cmp.Compare(a.id, b.id) })
	return all
}

// odooChildren gives the ids of a folder's nodes in Odoo.
func (pl *planner) odooChildren(id odbxfs.NodeID) []odbxfs.NodeID { return pl.odoo.Children(id) }

// dropboxChildren gives the ids of a folder's nodes in Dropbox, with those of
// the folder that is merged into it.
func (pl *planner) dropboxChildren(id odbxfs.NodeID) []odbxfs.NodeID {
	all := pl.dropbox.Children(id)
	if from, ok := pl.from[id]; ok {
		all = append(slices.Clone(all), pl.dropbox.Children(from)...)
		slices.Sort(all)
	}
	return all
}

// widen takes into the work what the work leans on, until nothing is added:
// missing parents, what lies in a folder that goes, whoever is in the way.
func (pl *planner) widen() {
	pl.queue = pl.queue[:0]
	for _, it := range pl.sorted() {
		pl.queue = append(pl.queue, it.id)
	}
	for len(pl.queue) > 0 {
		it := pl.item(pl.queue[0])
		pl.queue = pl.queue[1:]
		if pl.lives(it) {
			if up := pl.item(it.parent); it.parent != odbxfs.RootNode && !up.settled() && up.away == nil {
				pl.add(it.parent)
			}
			pl.addRivals(it)
			continue
		}
		if it.kind != odbxfs.Folder {
			continue
		}
		for _, id := range pl.odooChildren(it.id) {
			pl.add(id)
		}
		for _, id := range pl.dropboxChildren(it.id) {
			pl.add(id)
		}
	}
}
