package plan

import "odbxfs"

// reverse lets the client go: links get their bytes back, what is no link is
// forgotten, and then, if asked for, its Dropbox copy goes. A node is forgotten
// or removed only once its attachment is no link any more, so the pass is run
// again after its restores, until it plans nothing. A parked restore thus keeps
// its pair, its file and the folders above it.
func (pl *planner) reverse() {
	items := pl.sorted()
	// A copy leads to the file of another: it gets its bytes before that one's
	// link goes, or it would be anybody's url afterwards.
	copies := false
	for _, it := range items {
		if attachment := it.attachment(); attachment != nil && attachment.Type == odbxfs.Copy {
			pl.task(it, odbxfs.TaskOdooRestore, odbxfs.Reverse, whyReset)
			copies = true
		}
	}
	if copies {
		return
	}
	for _, it := range items {
		attachment := it.attachment()
		switch {
		case attachment != nil && attachment.Type == odbxfs.Link && it.p != nil:
			pl.task(it, odbxfs.TaskOdooRestore, odbxfs.Reverse, whyReset)
			continue
		case attachment == nil && it.p != nil && it.p.Converted() && it.d != nil:
			// Removed, or a link that is in none of our folders any more: Odoo says
			// which, and a link gets its bytes back.
			pl.task(it, odbxfs.TaskOdooRestore, odbxfs.Reverse, whyReset)
			continue
		case it.p != nil:
			pl.task(it, odbxfs.TaskForget, odbxfs.Reverse, whyReset)
		}
		// What Odoo never had is not ours to remove.
		ours := attachment != nil || it.p != nil || it.tomb != nil
		if pl.pol.RemoveRemote && ours && it.d != nil && !pl.keepsForeign(it) {
			pl.task(it, odbxfs.TaskDropboxDelete, odbxfs.Reverse, whyReset)
		}
	}
}

// attachment is the item's document in Odoo, whichever client it is of.
func (it *item) attachment() *odbxfs.OdooNode {
	if it.o != nil {
		return it.o
	}
	return it.away
}

// keepsForeign reports a folder that holds what reverse may not remove (yet).
func (pl *planner) keepsForeign(folder *item) bool {
	if folder.kind != odbxfs.Folder {
		return false
	}
	for _, id := range pl.dropboxChildren(folder.id) {
		it := pl.item(id)
		if it.d == nil {
			continue
		}
		link := (it.o != nil && it.o.Type == odbxfs.Link) || (it.away != nil && it.away.Type == odbxfs.Link)
		if it.onlyInDropbox() || it.busy || link || pl.keepsForeign(it) {
			return true
		}
	}
	return false
}
