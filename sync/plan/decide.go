package plan

import "odbxfs"

// The rules, as tasks and logs name them.
const (
	whyNewInOdoo      = "new in Odoo"
	whyCopiedInOdoo   = "copied in Odoo"
	whyChangedInOdoo  = "changed in Odoo"
	whyPlacedInOdoo   = "renamed or moved in Odoo"
	whyRemovedInOdoo  = "removed in Odoo"
	whyLeftClient     = "no longer in this cloud client's folders"
	whyNewInDropbox   = "new in Dropbox"
	whyChangedDropbox = "changed in Dropbox"
	whyPlacedDropbox  = "renamed or moved in Dropbox"
	whyRemovedDropbox = "removed in Dropbox"
	whyComesBack      = "removed in Dropbox, comes back: Odoo has it"
	whyRevived        = "removed in Odoo, but changed in Dropbox"
	whyMovedBack      = "moved back: its place is Odoo's"
	whyGivesWay       = "its name is Odoo's: kept as conflicted copy"
	whyConflict       = "changed on both sides: Odoo's holds the name"
	whySame           = "same on both sides"
	whyRev            = "same content under another revision"
	whyConvert        = "mirrored and settled"
	whyPolicy         = "another address by the link policy"
	whyEmptied        = "link emptied in Odoo: bytes put back"
	whyGone           = "gone on both sides"
	whyReset          = "cloud client is reset"
	whyMakesRoom      = "makes room for another"
)

// decide plans for one item. Its parent and name are final.
func (pl *planner) decide(it *item) {
	if pl.waiting(it) {
		if pl.pol.Waits != nil {
			pl.pol.Waits(it.id)
		}
		return
	}
	switch {
	case it.away != nil:
		pl.decideAway(it)
	case it.o == nil && it.d == nil:
		if it.p != nil {
			pl.task(it, odbxfs.TaskForget, odbxfs.Backward, whyGone)
		}
	case it.o == nil:
		pl.decideDropboxOnly(it)
	case it.d == nil:
		pl.decideOdooOnly(it)
	default:
		pl.decideBoth(it)
	}
}

// decideAway lets go of what Odoo has taken out of this client: a link gets its
// bytes back first, and only then its Dropbox file goes. What was given to no
// client at all stays as it is, until a person decides.
func (pl *planner) decideAway(it *item) {
	if it.away.Client == 0 || (it.p == nil && it.d == nil) {
		return
	}
	switch {
	case it.away.Type == odbxfs.Link && it.p != nil:
		pl.task(it, odbxfs.TaskOdooRestore, odbxfs.Reverse, whyLeftClient)
	case it.d != nil && !pl.stillHolds(it):
		pl.task(it, odbxfs.TaskDropboxDelete, odbxfs.Direct, whyLeftClient)
	case it.d == nil && it.p != nil:
		pl.task(it, odbxfs.TaskForget, odbxfs.Backward, whyGone)
	}
}

// stillHolds reports that a folder has something in Dropbox that no task of
// this plan removes.
func (pl *planner) stillHolds(folder *item) bool {
	for _, id := range pl.dropboxChildren(folder.id) {
		it := pl.item(id)
		if it.d == nil || it.d.Parent != folder.id {
			continue
		}
		if it.away == nil && it.parent == folder.id && pl.lives(it) {
			return true
		}
		if it.away != nil && (it.away.Type == odbxfs.Link || it.away.Client == 0 || pl.stillHolds(it)) {
			return true
		}
	}
	return false
}

// decideDropboxOnly: new in Dropbox, or removed in Odoo.
func (pl *planner) decideDropboxOnly(it *item) {
	if !pl.lives(it) {
		pl.task(it, odbxfs.TaskDropboxDelete, odbxfs.Direct, whyRemovedInOdoo)
		return
	}
	// What has no bytes to download, or lies where Odoo can hold nothing, stays
	// in Dropbox alone.
	if it.d.CloudOnly || !pl.takesInOdoo(it.parent) || pl.undecided(it) {
		return
	}
	why := whyNewInDropbox
	if it.p != nil {
		why = whyRevived
	}
	if it.name != it.d.Name {
		pl.put(it, odbxfs.TaskDropboxMove, odbxfs.Backward, whyGivesWay, it.name)
	}
	if it.kind == odbxfs.Folder {
		pl.put(it, odbxfs.TaskOdooMkdir, odbxfs.Backward, why, it.name)
		return
	}
	pl.put(it, odbxfs.TaskOdooCreate, odbxfs.Backward, why, it.name)
}

// decideOdooOnly: new in Odoo, or removed in Dropbox.
func (pl *planner) decideOdooOnly(it *item) {
	if !pl.lives(it) {
		pl.task(it, odbxfs.TaskOdooDelete, odbxfs.Backward, whyRemovedDropbox)
		return
	}
	if !pl.takesInDropbox(it.parent) || pl.undecided(it) {
		return
	}
	why := whyNewInOdoo
	switch {
	case it.kind == odbxfs.Folder && it.p != nil:
		why = whyComesBack
	case it.p != nil:
		why = whyChangedInOdoo
	case it.o.Type == odbxfs.Copy:
		why = whyCopiedInOdoo
	}
	switch {
	case it.kind == odbxfs.Folder:
		pl.put(it, odbxfs.TaskDropboxMkdir, odbxfs.Direct, why, it.name)
	case it.o.Type != odbxfs.Link: // a link whose pair is not known here yet waits for it
		pl.put(it, odbxfs.TaskDropboxUpload, odbxfs.Direct, why, it.name)
	}
}

// decideBoth compares place and content, each by itself.
func (pl *planner) decideBoth(it *item) {
	if it.p == nil && it.o.Type == odbxfs.Link {
		return // its pair is on the way
	}
	if !pl.takesInDropbox(it.parent) {
		return
	}
	before := len(pl.tasks)
	pl.decidePlace(it)
	if it.kind == odbxfs.File {
		pl.decideContent(it)
	}
	if len(pl.tasks) > before {
		return
	}
	switch {
	case it.p == nil || it.other() || it.odooPlace || it.dropboxPlace || it.odooContent || it.dropboxContent:
		pl.put(it, odbxfs.TaskSettle, odbxfs.Direct, whySame, it.name)
	case it.o.Type == odbxfs.Link && pl.pol.converts() && it.p.URL == it.o.URL && !pl.pol.fits(it.p, it.d):
		pl.put(it, odbxfs.TaskOdooConvert, odbxfs.Direct, whyPolicy, it.name)
	case !pl.convertible(it):
	case it.d.Rev != it.p.Rev:
		pl.put(it, odbxfs.TaskSettle, odbxfs.Direct, whyRev, it.name)
	default:
		pl.put(it, odbxfs.TaskOdooConvert, odbxfs.Direct, whyConvert, it.name)
	}
}

func (pl *planner) decidePlace(it *item) {
	if it.d.Parent != it.parent || it.d.Name != it.name {
		why, pass := whyPlacedInOdoo, odbxfs.Direct
		switch {
		case it.follows == dropboxSide:
			why, pass = whyGivesWay, odbxfs.Backward
		case it.dropboxPlace && !it.odooPlace:
			why = whyMovedBack
		}
		pl.put(it, odbxfs.TaskDropboxMove, pass, why, it.name)
	}
	if it.follows != dropboxSide {
		return
	}
	// Odoo's name may be one that Dropbox could not take: it changes only if
	// Dropbox's did.
	name := it.name
	if name == it.p.DropboxName {
		name = it.o.Name
	}
	if it.o.Parent != it.parent || it.o.Name != name {
		pl.put(it, odbxfs.TaskOdooMove, odbxfs.Backward, whyPlacedDropbox, name)
	}
}

func (pl *planner) decideContent(it *item) {
	odoo, dropbox := it.odooContent, it.dropboxContent
	if it.p == nil { // they met without ever having agreed
		odoo, dropbox = true, true
	}
	switch {
	case odoo && dropbox && pl.pol.same(it.o, it.d):
	case it.p != nil && it.emptied():
		pl.put(it, odbxfs.TaskOdooUpdate, odbxfs.Backward, whyEmptied, it.o.Name)
	case odoo && dropbox:
		pl.put(it, odbxfs.TaskDropboxKeep, odbxfs.Direct, whyConflict, pl.beside(it))
		pl.put(it, odbxfs.TaskDropboxUpload, odbxfs.Direct, whyChangedInOdoo, it.name)
	case odoo:
		pl.put(it, odbxfs.TaskDropboxUpload, odbxfs.Direct, whyChangedInOdoo, it.name)
	case dropbox:
		pl.put(it, odbxfs.TaskOdooUpdate, odbxfs.Backward, whyChangedDropbox, it.o.Name)
	}
}

// convertible is what the planner can see of law 1; Odoo checks the rest in the
// transaction that converts.
func (pl *planner) convertible(it *item) bool {
	if it.kind != odbxfs.File || !pl.pol.converts() || it.p.Retained != "" || it.d.ContentHash == "" || it.d.ContentHash != it.p.ContentHash {
		return false
	}
	if it.o.Type == odbxfs.Copy {
		return true // it has a file of its own now, and no bytes in Odoo
	}
	return it.o.Type == odbxfs.Binary && it.o.SHA1 != "" && it.o.SHA1 == it.p.SHA1
}

// task plans one task at the item's present place.
func (pl *planner) task(it *item, kind odbxfs.TaskKind, pass odbxfs.Pass, why string) {
	t := odbxfs.Task{Kind: kind, Pass: pass, Node: it.id, Client: pl.pol.Client.ID, Why: why, Dropbox: it.d, Pair: it.p}
	switch {
	case it.o != nil:
		t.Odoo, t.Parent, t.Name = it.o, it.o.Parent, it.o.Name
	case it.away != nil:
		t.Odoo, t.Parent, t.Name = it.away, it.away.Parent, it.away.Name
	}
	if it.d != nil && kind == odbxfs.TaskDropboxDelete {
		t.Parent, t.Name = it.d.Parent, it.d.Name
	}
	if t.Pair == nil {
		t.Pair = it.tomb
	}
	pl.tasks = append(pl.tasks, t)
}

// put plans one task that leaves the item in its final parent, under name.
func (pl *planner) put(it *item, kind odbxfs.TaskKind, pass odbxfs.Pass, why, name string) {
	pl.task(it, kind, pass, why)
	t := &pl.tasks[len(pl.tasks)-1]
	t.Parent, t.Name = it.parent, name
}
