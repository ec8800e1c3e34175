package plan

import (
	"cmp"
	"slices"
	"strings"

	"odbxfs"
)

// merge finds what is the same thing on both sides though nothing says so yet:
// new in Dropbox, missing there for Odoo, in one folder and of one name. Two
// folders are one; two files only if their contents are known to be equal (else
// they are rivals for the name, and naming decides). Parents go first, so that
// two trees which meet are matched to their leaves.
func (pl *planner) merge() {
	for _, id := range pl.newInDropbox() {
		it := pl.item(id)
		h := pl.home(it.parent)
		into, ok := h.lacking[odbxfs.FoldName(it.d.Name)]
		if !ok || !pl.sameThing(pl.item(into), it) {
			continue
		}
		pl.join(it, pl.item(into))
	}
	clear(pl.alive)
	clear(pl.homes)
}

// newInDropbox gives the work that only Dropbox knows, parents first.
func (pl *planner) newInDropbox() []odbxfs.NodeID {
	var found []*item
	for _, it := range pl.sorted() {
		if it.onlyInDropbox() {
			found = append(found, it)
		}
	}
	slices.SortStableFunc(found, func(a, b *item) int {
		return cmp.Compare(strings.Count(a.d.Path, "/"), strings.Count(b.d.Path, "/"))
	})
	ids := make([]odbxfs.NodeID, len(found))
	for i, it := range found {
		ids[i] = it.id
	}
	return ids
}

// onlyInDropbox reports a node that Odoo never had.
func (it *item) onlyInDropbox() bool {
	return it.d != nil && it.o == nil && it.away == nil && it.p == nil && it.tomb == nil
}

// lacksDropbox reports a node of Odoo's that is to be sent to Dropbox.
func (pl *planner) lacksDropbox(it *item) bool {
	return it.o != nil && it.d == nil && !it.busy && it.o.Type != odbxfs.Link && pl.lives(it)
}

func (pl *planner) sameThing(o, d *item) bool {
	if o.kind != d.kind {
		return false
	}
	return o.kind == odbxfs.Folder || pl.pol.same(o.o, d.d)
}

// join makes from's Dropbox node that of into.
func (pl *planner) join(from, into *item) {
	pl.changes = append(pl.changes, odbxfs.Change{From: from.id, Into: into.id})
	pl.into[from.id], pl.from[into.id] = into.id, from.id
	delete(pl.work, from.id)
	delete(pl.items, from.id)
	pl.seen(into, *from.d)
	pl.compare(into)
	pl.add(into.id)
	// What was looked at before the two were one is looked at again.
	for _, child := range pl.dropbox.Children(from.id) {
		delete(pl.items, child)
	}
	delete(pl.homes, from.id)
	delete(pl.homes, into.id)
	delete(pl.homes, into.parent)
	clear(pl.alive)
}
