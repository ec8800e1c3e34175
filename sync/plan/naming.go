package plan

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"odbxfs"
)

// home is one folder as the naming sees it. Names are compared as Dropbox
// does.
type home struct {
	residents map[string]odbxfs.NodeID // who has the name in Dropbox now
	lacking   map[string]odbxfs.NodeID // who of Odoo's wants the name, but is not in Dropbox
	taken     map[string]odbxfs.NodeID // who will have it
}

// home looks at a folder once.
func (pl *planner) home(folder odbxfs.NodeID) *home {
	folder = pl.canon(folder)
	if h, ok := pl.homes[folder]; ok {
		return h
	}
	h := &home{
		residents: map[string]odbxfs.NodeID{},
		lacking:   map[string]odbxfs.NodeID{},
		taken:     map[string]odbxfs.NodeID{},
	}
	pl.homes[folder] = h
	for _, id := range pl.dropboxChildren(folder) {
		if it := pl.item(id); it.d != nil && it.d.Parent == folder {
			h.residents[odbxfs.FoldName(it.d.Name)] = it.id
		}
	}
	for _, id := range pl.odooChildren(folder) {
		it := pl.item(id)
		if it.parent != folder || !pl.lacksDropbox(it) {
			continue
		}
		key := odbxfs.FoldName(it.proposal())
		if other, ok := h.lacking[key]; !ok || byAge(it, pl.item(other)) < 0 {
			h.lacking[key] = it.id
		}
	}
	return h
}

// byAge orders by Odoo's ids: of two nodes that want one name the lower keeps it.
func byAge(a, b *item) int {
	return cmp.Or(cmp.Compare(a.o.Ref.ID, b.o.Ref.ID), cmp.Compare(a.o.Ref.Kind, b.o.Ref.Kind),
		cmp.Compare(a.o.Ref.Model, b.o.Ref.Model), cmp.Compare(a.id, b.id))
}

// stays reports that the node already is in Dropbox where it is to be, under
// the name that Odoo asks for.
func (it *item) stays() bool {
	return it.d != nil && it.d.Parent == it.parent && it.d.Name == it.proposal()
}

// renamed reports that the node may get another name in Dropbox than it has there.
func (it *item) renamed() bool {
	return it.follows == odooSide && !it.stays() || it.follows == dropboxSide && it.wish() != it.d.Name
}

// addRivals takes into the work who is in the way of a living item: it may have
// to leave, or be the same thing.
func (pl *planner) addRivals(it *item) {
	if it.follows == odooSide && it.stays() {
		return
	}
	h := pl.home(it.parent)
	if it.follows == odooSide {
		if rival, ok := h.residents[odbxfs.FoldName(it.proposal())]; ok && !pl.item(rival).settled() {
			pl.add(rival)
		}
		return
	}
	if rival, ok := h.lacking[odbxfs.FoldName(it.d.Name)]; ok {
		pl.add(rival)
	}
}

// name gives every living item of the work its name in Dropbox. Who has to wait
// keeps the name that it has, so others may have to wait for that: it goes on
// until nobody else does.
func (pl *planner) name() {
	newcomers := map[odbxfs.NodeID][]*item{}
	for _, it := range pl.sorted() {
		if pl.lives(it) {
			newcomers[it.parent] = append(newcomers[it.parent], it)
		}
	}
	folders := slices.Sorted(maps.Keys(newcomers))
	for more := true; more; {
		more = false
		for _, folder := range folders {
			more = pl.nameIn(folder, newcomers[folder]) || more
		}
		if more {
			clear(pl.homes)
		}
	}
}

// nameIn names the items of one folder. First come those that nothing is
// planned for, then those that stay as they are, then what Odoo places, the
// lower id first, and last what Dropbox places: on a clash Odoo's side keeps
// the name. It reports whether somebody has to wait who did not before.
func (pl *planner) nameIn(folder odbxfs.NodeID, items []*item) (more bool) {
	if !slices.ContainsFunc(items, (*item).renamed) {
		for _, it := range items { // all have their names in Dropbox already: no need to look at the folder
			it.name = it.d.Name
		}
		return false
	}
	h := pl.home(folder)
	for key, id := range h.residents {
		if !pl.work[id] || pl.item(id).waits {
			h.taken[key] = id
		}
	}
	var odoo, dropbox []*item
	for _, it := range items {
		switch {
		case it.waits:
		case it.follows == dropboxSide:
			dropbox = append(dropbox, it)
		case it.stays() && h.take(it, it.d.Name):
		default:
			odoo = append(odoo, it)
		}
	}
	slices.SortFunc(odoo, byAge)
	for _, it := range odoo {
		want := it.proposal()
		if holder, taken := h.taken[odbxfs.FoldName(want)]; taken && (pl.pol.leaves(holder) || pl.item(holder).waits) {
			it.waits, more = true, true
			continue
		}
		for n := 1; !h.take(it, want); n++ {
			want = odbxfs.DropboxWithSuffix(it.proposal(), clashSuffix(it.o.Ref.ID, n))
		}
	}
	for _, it := range dropbox {
		want := it.wish()
		for n := 1; !h.take(it, want); n++ {
			want = odbxfs.Conflicted(it.wish(), n)
		}
	}
	return more
}

// waiting reports whether the item waits for its name, or for another client to
// let go of it, or is to be put into a folder that is not in Dropbox yet and
// waits itself.
func (pl *planner) waiting(it *item) bool {
	if it.waits || it.elsewhere {
		return true
	}
	for range maxDepth {
		if it.d != nil || it.parent == odbxfs.RootNode || it.parent == 0 {
			return false
		}
		if it = pl.item(it.parent); (it.waits || it.elsewhere) && it.d == nil {
			return true
		}
	}
	return false
}

// clashSuffix is " (id)", and should that be taken too " (id-2)".
func clashSuffix(id int64, n int) string {
	s := " (" + strconv.FormatInt(id, 10)
	if n > 1 {
		s += "-" + strconv.Itoa(n)
	}
	return s + ")"
}

// take gives the item the name unless another has it.
func (h *home) take(it *item, name string) bool {
	key := odbxfs.FoldName(name)
	if _, ok := h.taken[key]; ok {
		return false
	}
	h.taken[key] = it.id
	it.name = name
	return true
}

// beside gives a free name for the conflicted copy of the item's file: one that
// nobody has now, nor will have.
func (pl *planner) beside(it *item) string {
	h := pl.home(it.parent)
	for n := 1; ; n++ {
		name := odbxfs.Conflicted(it.name, n)
		key := odbxfs.FoldName(name)
		if _, ok := h.taken[key]; ok {
			continue
		}
		if _, ok := h.residents[key]; ok {
			continue
		}
		h.taken[key] = it.id
		return name
	}
}
