package plan

import "odbxfs"

// fate is whether a node lives on.
type fate uint8

const (
	unknown fate = iota
	asking       // on the way down; a circle of moves comes back to itself
	lives
	goes
)

// lives reports whether the node is to exist on both sides when the plan is
// done (or, where the other side can't take it, to stay as it is). A folder
// that was removed on one side lives on while something in it does: new
// content beats a bare deletion.
func (pl *planner) lives(it *item) bool {
	if it.id == odbxfs.RootNode {
		return true
	}
	switch pl.alive[it.id] {
	case lives:
		return true
	case goes, asking:
		return false
	case unknown:
	}
	pl.alive[it.id] = asking
	f := goes
	if it.busy || pl.livesByItself(it) || (it.kind == odbxfs.Folder && it.away == nil && pl.holdsLife(it)) {
		f = lives
	}
	pl.alive[it.id] = f
	return f == lives
}

func (pl *planner) livesByItself(it *item) bool {
	o, d, p := it.o, it.d, it.p
	switch {
	case it.away != nil:
		return false // it lives in Odoo, but not for this client
	case o != nil && d != nil:
		return true
	case o != nil && p == nil:
		return true // new in Odoo
	case o != nil: // removed in Dropbox
		return survivesInOdoo(it)
	case d != nil && p != nil: // removed in Odoo
		return it.dropboxContent
	case d != nil && it.tomb != nil: // removed in Odoo, and Odoo said so
		return it.kind == odbxfs.File && (d.Rev != it.tomb.Rev || d.ContentHash != it.tomb.ContentHash)
	}
	return d != nil // new in Dropbox
}

// survivesInOdoo reports whether what Dropbox removed stays in Odoo. A link
// can't: its bytes were in Dropbox.
func survivesInOdoo(it *item) bool {
	if it.kind == odbxfs.Folder {
		return comesBack(it.o.Role) || it.odooPlace
	}
	return it.o.Type != odbxfs.Link && !it.emptied() && (it.odooContent || it.odooPlace)
}

// holdsLife reports whether something that lives is to be in the folder. What
// Odoo has in it that is not mirrored counts, since Odoo could not remove it.
func (pl *planner) holdsLife(folder *item) bool {
	for _, id := range pl.odooChildren(folder.id) {
		if it := pl.item(id); it.away != nil || (it.parent == folder.id && pl.lives(it)) {
			return true
		}
	}
	for _, id := range pl.dropboxChildren(folder.id) {
		if it := pl.item(id); it.parent == folder.id && pl.lives(it) {
			return true
		}
	}
	return false
}

// undecided reports whether a folder that was removed on one side lives only
// for what is busy in it. What becomes of that is not known yet: it may be about
// to go, too. So the folder is neither removed nor made again before; its
// contents mark it when they are through.
func (pl *planner) undecided(it *item) bool {
	return it.kind == odbxfs.Folder && it.p != nil && !pl.livesByItself(it) && !pl.holdsCertainLife(it)
}

// holdsCertainLife is holdsLife without what is busy.
func (pl *planner) holdsCertainLife(folder *item) bool {
	for _, children := range [][]odbxfs.NodeID{pl.odooChildren(folder.id), pl.dropboxChildren(folder.id)} {
		for _, id := range children {
			it := pl.item(id)
			switch {
			case it.away != nil:
				return true
			case it.parent != folder.id || it.busy:
			case pl.livesByItself(it) || it.kind == odbxfs.Folder && pl.holdsCertainLife(it):
				return true
			}
		}
	}
	return false
}

// takesInOdoo reports whether Odoo can hold something in this folder: it is
// mirrored by this client, or is about to be made.
func (pl *planner) takesInOdoo(id odbxfs.NodeID) bool {
	for range maxDepth {
		if id == odbxfs.RootNode {
			root, ok := pl.odoo.Node(id)
			return ok && (root.Client == 0 || root.Client == pl.pol.Client.ID)
		}
		it := pl.item(id)
		switch {
		case it.kind != odbxfs.Folder || it.away != nil:
			return false
		case it.o != nil:
			return true
		case it.d == nil:
			return false
		}
		id = it.parent
	}
	return false
}

// takesInDropbox reports whether Dropbox can hold something in this folder.
func (pl *planner) takesInDropbox(id odbxfs.NodeID) bool {
	if id == odbxfs.RootNode {
		return true
	}
	it := pl.item(id)
	return it.kind == odbxfs.Folder && (it.o != nil || (it.d != nil && it.away == nil))
}

// maxDepth ends walks up a tree that is broken. No path is that deep.
const maxDepth = 1 << 12
