package plan

import "odbxfs"

// place settles where each node is to be: a move in Dropbox holds only if Odoo
// can follow it, and if it makes no circle with Odoo's moves. What does not
// hold is moved back to where Odoo has it.
func (pl *planner) place() {
	for changed := true; changed; {
		changed = false
		for _, it := range pl.sorted() {
			if !it.movedByDropbox() {
				continue
			}
			if !pl.takesInOdoo(it.parent) {
				it.giveBack()
				changed = true
				continue
			}
			changed = pl.breakCircle(it) || changed
		}
		// Who lives on may hang on where things are.
		clear(pl.alive)
	}
	clear(pl.homes)
}

// movedByDropbox reports a place that is Dropbox's though Odoo has one.
func (it *item) movedByDropbox() bool { return it.o != nil && it.follows == dropboxSide }

func (it *item) giveBack() { it.follows, it.parent = odooSide, it.o.Parent }

// breakCircle gives back every move of Dropbox's that is part of a circle
// through it, and reports whether there was one. Each circle has such a move,
// since neither side's tree has a circle by itself; Odoo's moves stay.
func (pl *planner) breakCircle(it *item) bool {
	circle := []*item{it}
	up := it
	for range maxDepth {
		if up.parent == odbxfs.RootNode || up.parent == 0 {
			return false
		}
		if up = pl.item(up.parent); up == it {
			break
		}
		circle = append(circle, up)
	}
	if up != it {
		return false // a circle above, found from its own members
	}
	for _, member := range circle {
		if member.movedByDropbox() {
			member.giveBack()
			pl.add(member.id)
		}
	}
	return true
}
