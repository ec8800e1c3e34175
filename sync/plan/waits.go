package plan

import "odbxfs"

// places says of a side which of its tasks put a node somewhere, make folders
// and take nodes away.
type places struct {
	made  map[odbxfs.NodeID]int // the task that makes the folder there
	moved map[odbxfs.NodeID]int // the task that moves the node there
	freed map[slot]int          // Dropbox only: the task that gives up the name
}

// link finds what waits for what.
func (o *order) link() {
	at := [2]places{}
	for s := range at {
		at[s] = places{made: map[odbxfs.NodeID]int{}, moved: map[odbxfs.NodeID]int{}, freed: map[slot]int{}}
	}
	last := map[odbxfs.NodeID]int{} // the node's task before
	for i := range o.tasks {
		t := &o.tasks[i]
		if before, ok := last[t.Node]; ok {
			o.wait(i, before, false)
		}
		last[t.Node] = i
		switch t.Kind {
		case odbxfs.TaskDropboxMkdir:
			at[dropboxSide].made[t.Node] = i
		case odbxfs.TaskOdooMkdir:
			at[odooSide].made[t.Node] = i
		case odbxfs.TaskOdooMove:
			at[odooSide].moved[t.Node] = i
		case odbxfs.TaskDropboxMove:
			at[dropboxSide].moved[t.Node] = i
			at[dropboxSide].freed[slotOf(t)] = i
		case odbxfs.TaskDropboxDelete:
			at[dropboxSide].freed[slotOf(t)] = i
		default: // changes no place
		}
	}
	for i := range o.tasks {
		o.linkPlace(i, at)
		o.linkLeave(i, at)
	}
	o.linkEmptied()
}

// slotOf is the name that the task's node has in Dropbox now.
func slotOf(t *odbxfs.Task) slot {
	return slot{t.Dropbox.Parent, odbxfs.FoldName(t.Dropbox.Name)}
}

func (o *order) wait(task, before int, forSlot bool) {
	if task == before {
		return
	}
	o.after[before] = append(o.after[before], wait{task, forSlot})
	o.before[task]++
}

// putsInto says on which side a task puts something into its Parent.
func putsInto(t *odbxfs.Task) (s side, ok bool) {
	switch t.Kind {
	case odbxfs.TaskDropboxMkdir, odbxfs.TaskDropboxMove, odbxfs.TaskDropboxKeep:
		return dropboxSide, true
	case odbxfs.TaskDropboxUpload:
		return dropboxSide, t.Dropbox == nil
	case odbxfs.TaskOdooMkdir, odbxfs.TaskOdooCreate, odbxfs.TaskOdooMove:
		return odooSide, true
	default:
		return 0, false
	}
}

// linkPlace: a folder is there, and a name free, before something is put there.
func (o *order) linkPlace(i int, at [2]places) {
	t := &o.tasks[i]
	s, ok := putsInto(t)
	if !ok {
		return
	}
	if before, ok := at[s].made[t.Parent]; ok {
		o.wait(i, before, false)
	}
	if s == dropboxSide {
		if before, ok := at[s].freed[slot{t.Parent, odbxfs.FoldName(t.Name)}]; ok && o.tasks[before].Node != t.Node {
			o.wait(i, before, true)
		}
	}
}

// linkLeave: a folder goes into another that lies in it now only after that
// other, or one between them, has left it.
func (o *order) linkLeave(i int, at [2]places) {
	t := &o.tasks[i]
	if t.Kind != odbxfs.TaskDropboxMove && t.Kind != odbxfs.TaskOdooMove {
		return
	}
	var between []odbxfs.NodeID
	up := t.Parent
	for range maxDepth {
		if up == odbxfs.RootNode || up == 0 {
			return
		}
		if up == t.Node {
			break
		}
		between = append(between, up)
		up = o.pl.parentNow(up, t.Kind)
	}
	s, _ := putsInto(t)
	for _, id := range between {
		if before, ok := at[s].moved[id]; ok {
			o.wait(i, before, false)
		}
	}
}

// parentNow is a node's parent on the side that a move of that kind is on.
func (pl *planner) parentNow(id odbxfs.NodeID, kind odbxfs.TaskKind) odbxfs.NodeID {
	it := pl.item(id)
	switch {
	case kind == odbxfs.TaskDropboxMove && it.d != nil:
		return it.d.Parent
	case kind == odbxfs.TaskOdooMove && it.o != nil:
		return it.o.Parent
	}
	return 0
}

// linkEmptied: a folder is removed after all that was in it has left.
func (o *order) linkEmptied() {
	type folder struct {
		s  side
		id odbxfs.NodeID
	}
	removed := map[folder]int{}
	for i, t := range o.tasks {
		switch t.Kind {
		case odbxfs.TaskDropboxDelete:
			removed[folder{dropboxSide, t.Node}] = i
		case odbxfs.TaskOdooDelete:
			removed[folder{odooSide, t.Node}] = i
		default: // takes nothing away
		}
	}
	for i, t := range o.tasks {
		switch t.Kind {
		case odbxfs.TaskDropboxDelete, odbxfs.TaskDropboxMove:
			if folder, ok := removed[folder{dropboxSide, t.Dropbox.Parent}]; ok {
				o.wait(folder, i, false)
			}
		case odbxfs.TaskOdooDelete, odbxfs.TaskOdooMove:
			if folder, ok := removed[folder{odooSide, t.Odoo.Parent}]; ok {
				o.wait(folder, i, false)
			}
		default: // leaves no folder
		}
	}
}

// depthOf is how deep the task's place lies.
func (pl *planner) depthOf(t *odbxfs.Task) int {
	depth, id := 0, t.Parent
	for id != odbxfs.RootNode && id != 0 && depth < maxDepth {
		it := pl.item(id)
		switch {
		case it.parent != 0:
			id = it.parent
		case it.p != nil:
			id = pl.canon(it.p.Parent)
		default:
			id = 0
		}
		depth++
	}
	return depth
}
