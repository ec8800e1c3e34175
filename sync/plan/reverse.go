package plan

import "odbxfs"

// reverse lets the client go: links get their bytes back, what is no link is
// forgotten, and then, if asked for, its Dropbox copy goes. A node is forgotten
// or removed only once its attachment is no link any more, so the pass is run
// again after its restores, until it plans nothing. A parked restore thus keeps
// its pair, its file and the folders above it.
func (pl *planner) reverse() {
	items := pl.sorted()
	for _, it := range items {
		attachment := it.o
		if attachment == nil {
			attachment = it.away
		}
		switch {
		case attachment != nil && attachment.Type == odbxfs.Link && it.p != nil:
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
