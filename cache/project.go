package cache

import (
	"fmt"
	"slices"
	"time"

	"odbxfs"
)

// The projection: what the mount shows of a node that has no intent follows
// from the Odoo tree, the pair's stored name and the names beside it.

// ForeignContent is what a document shows whose bytes are neither Odoo's nor
// ours: its url, in a line. The inode's size is its length.
func ForeignContent(url string) []byte { return []byte(url + "\n") }

// project brings the mount's view of a node up to date. With an intent only
// what Odoo alone can say is taken over.
func (tx *Tx) project(id odbxfs.NodeID) error {
	n, inOdoo, err := tx.OdooNode(id)
	if err != nil {
		return err
	}
	if has, err := tx.has(keyNode(kIntent, id)); err != nil {
		return err
	} else if has {
		return tx.projectUnder(id, n, inOdoo)
	}
	old, had, err := tx.inode(id)
	if err != nil {
		return err
	}
	if !inOdoo {
		if had {
			return tx.unproject(old)
		}
		return nil
	}
	plain, fixed, err := tx.plainName(n)
	if err != nil {
		return err
	}
	r := inodeRec{I: odbxfs.Inode{Node: id, Parent: n.Parent, Name: old.I.Name}, Plain: plain, Fixed: fixed}
	if id == odbxfs.RootNode {
		r.I.Parent, r.Plain = odbxfs.RootNode, ""
	}
	if err := tx.fillInode(&r, n, old, had); err != nil {
		return err
	}
	stays := had && !old.I.Hidden && old.I.Parent == r.I.Parent
	if !stays || (old.Plain != r.Plain && old.I.Name != r.Plain) {
		return tx.enter(r, old, had)
	}
	tx.noteAttributes(old.I, r.I)
	if err := tx.putInode(r); err != nil || (old.Plain == r.Plain && old.Fixed == r.Fixed) {
		return err
	}
	if err := tx.claim(r); err != nil {
		return err
	}
	return tx.assign(r.I.Parent, r.Plain)
}

// projectUnder takes over what an intent does not speak of.
func (tx *Tx) projectUnder(id odbxfs.NodeID, n odbxfs.OdooNode, inOdoo bool) error {
	r, ok, err := tx.inode(id)
	if err != nil || !ok {
		return err
	}
	r.I.Odoo = odbxfs.OdooRef{}
	if inOdoo {
		r.I.Odoo = n.Ref
		r.I.ReadOnly = !n.Writable
		if n.Kind == odbxfs.Folder {
			r.I.Role = n.Role
		} else if err := tx.contentUnder(&r, n); err != nil {
			return err
		}
	}
	return tx.putInode(r)
}

// contentUnder shows Odoo's new bytes of a file that has an intent about its place
// alone. The intent starts from them then: what is written from here on was
// written by someone who saw them.
func (tx *Tx) contentUnder(r *inodeRec, n odbxfs.OdooNode) error {
	i, _, err := tx.Intent(n.Node)
	if err != nil || i.Gone || i.Content != "" || i.Was.Ref != n.Ref ||
		i.Was.Type == n.Type && i.Was.SHA1 == n.SHA1 && i.Was.URL == n.URL {
		return err
	}
	old := *r
	if err := tx.fillFile(r, n, old); err != nil {
		return err
	}
	tx.noteAttributes(old.I, r.I)
	was := i
	i.Was.Type, i.Was.SHA1, i.Was.URL, i.Was.Size, i.Was.Mimetype = n.Type, n.SHA1, n.URL, n.Size, n.Mimetype
	return tx.storeIntent(i, was)
}

// plainName is the name that a node would have if it were alone, and whether
// it is the one that its pair stores.
func (tx *Tx) plainName(n odbxfs.OdooNode) (plain string, fixed bool, err error) {
	p, ok, err := tx.Pair(n.Node)
	if err != nil {
		return "", false, err
	}
	// A stored name stands for the name it was made of; Odoo's new one makes another.
	if ok && !p.Gone && p.MountName != "" && p.OdooName == n.Name && nameError(p.MountName) == 0 {
		return p.MountName, true, nil
	}
	return odbxfs.MountName(n.Name), false, nil
}

// fillInode sets everything but parent and name.
func (tx *Tx) fillInode(r *inodeRec, n odbxfs.OdooNode, old inodeRec, had bool) error {
	i := &r.I
	i.Kind, i.Role, i.Odoo, i.ReadOnly = n.Kind, n.Role, n.Ref, !n.Writable
	i.MTime, i.CTime = n.MTime, old.I.CTime
	if n.Kind == odbxfs.Folder {
		if had {
			i.MTime = old.I.MTime // Odoo has none
		}
		if i.MTime.IsZero() {
			i.MTime = tx.s.opt.Now()
		}
	} else if err := tx.fillFile(r, n, old); err != nil {
		return err
	}
	if old.I.CTime.IsZero() || old.I.SHA1 != i.SHA1 || old.I.Size != i.Size || !old.I.MTime.Equal(i.MTime) {
		i.CTime = tx.s.opt.Now()
	}
	if had && i.MTime.Equal(old.I.MTime) {
		i.MTime = old.I.MTime
	}
	return nil
}

func (tx *Tx) fillFile(r *inodeRec, n odbxfs.OdooNode, old inodeRec) error {
	i := &r.I
	i.Type, i.URL, i.Size, i.SHA1 = n.Type, n.URL, n.Size, n.SHA1
	if n.Type == odbxfs.Foreign {
		i.Size, i.SHA1, i.ReadOnly = int64(len(ForeignContent(n.URL))), "", true
		return nil
	}
	r.Src = string(n.SHA1)
	if r.Src == "" {
		p, _, err := tx.Pair(n.Node)
		if err != nil {
			return err
		}
		r.Src = n.URL + "@" + string(p.Rev)
	}
	same := r.Src == old.Src || (n.SHA1 != "" && n.SHA1 == old.I.SHA1)
	switch {
	case same && old.I.SHA1 != "":
		i.Content, i.SHA1, i.Size = old.I.Content, old.I.SHA1, old.I.Size
	case same && old.I.Content != "":
		i.Content = old.I.Content
	case n.SHA1 != "":
		i.Content, _ = tx.s.contents.BySHA1(n.SHA1) // where there are none, it is empty: they are fetched when they are read
	}
	// Odoo's times have whole seconds, and in plain mode it keeps none of ours.
	if same && (n.MTime.Equal(old.I.MTime.Truncate(time.Second)) || (tx.s.opt.KeepMTimes && old.Typed)) {
		i.MTime, r.Typed = old.I.MTime, old.Typed
	}
	return nil
}

// noteAttributes says what changed for a kernel that knows the old inode.
func (tx *Tx) noteAttributes(old, now odbxfs.Inode) {
	if old.SHA1 != now.SHA1 || old.URL != now.URL || (old.Content != now.Content && now.SHA1 == "") {
		tx.emit(Event{Kind: ContentChanged, Node: now.Node})
	}
	if old.SHA1 != now.SHA1 || old.Size != now.Size || old.ReadOnly != now.ReadOnly || !old.MTime.Equal(now.MTime) {
		tx.emit(Event{Kind: NodeChanged, Node: now.Node})
	}
}

// enter gives an inode its place: new, moved, renamed, or back from being hidden.
func (tx *Tx) enter(r, old inodeRec, had bool) error {
	if r.I.Node == odbxfs.RootNode {
		return tx.putInode(r)
	}
	// Until it has its name it is nowhere: a hidden record under its claim.
	shown := r
	shown.I.Hidden = true
	if shown.I.Name == "" {
		shown.I.Name = r.Plain
	}
	if err := tx.putInode(shown); err != nil {
		return err
	}
	if err := tx.claim(r); err != nil {
		return err
	}
	if err := tx.assign(r.I.Parent, r.Plain); err != nil {
		return err
	}
	now, _, err := tx.inode(r.I.Node)
	if err != nil {
		return err
	}
	if had {
		tx.noteAttributes(old.I, now.I)
	}
	if had && !old.I.Hidden && (old.I.Parent != now.I.Parent || old.I.Name != now.I.Name) {
		tx.emit(Event{Kind: EntryChanged, Parent: old.I.Parent, Name: old.I.Name})
		if old.Plain != "" {
			return tx.assign(old.I.Parent, old.Plain)
		}
	}
	return nil
}

func (tx *Tx) claim(r inodeRec) error {
	key := keyName(kClaim, r.I.Parent, r.Plain)
	list, _, err := load[nodeList](tx, key)
	if err != nil || slices.Contains(list, r.I.Node) {
		return err
	}
	return tx.set(key, append(list, r.I.Node))
}

func (tx *Tx) unclaim(r inodeRec) error {
	if r.Plain == "" {
		return nil
	}
	key := keyName(kClaim, r.I.Parent, r.Plain)
	list, ok, err := load[nodeList](tx, key)
	if err != nil || !ok {
		return err
	}
	list = slices.DeleteFunc(list, func(id odbxfs.NodeID) bool { return id == r.I.Node })
	if len(list) == 0 {
		return tx.del(key)
	}
	return tx.set(key, list)
}

// assign gives those that would have a name in a folder theirs: the plain one
// to the one whose pair stores it, else to the lowest id, " (id)" to the others.
// A name that was typed here stays with what has it.
func (tx *Tx) assign(parent odbxfs.NodeID, plain string) error {
	group, err := tx.claimants(parent, plain)
	if err != nil || len(group) == 0 {
		return err
	}
	holder, held, err := tx.Lookup(parent, plain)
	if err != nil {
		return err
	}
	ours := slices.ContainsFunc(group, func(r inodeRec) bool { return r.I.Node == holder.Node })
	var displaced *inodeRec
	free := true
	if held && !ours {
		h, _, err := tx.inode(holder.Node)
		if err != nil {
			return err
		}
		if h.Plain == "" {
			free = false // typed here
		} else {
			displaced = &h // has it as a suffixed name; its own is another
		}
	}
	if err := tx.nameGroup(group, parent, plain, free); err != nil {
		return err
	}
	if displaced != nil {
		return tx.assign(parent, displaced.Plain)
	}
	return nil
}

func (tx *Tx) claimants(parent odbxfs.NodeID, plain string) ([]inodeRec, error) {
	list, _, err := load[nodeList](tx, keyName(kClaim, parent, plain))
	if err != nil {
		return nil, err
	}
	var group []inodeRec
	for _, id := range list {
		r, ok, err := tx.inode(id)
		if err != nil {
			return nil, err
		}
		if ok {
			group = append(group, r)
		}
	}
	slices.SortFunc(group, compareClaims)
	return group, nil
}

// compareClaims sorts the one whose pair stores the name first, then by id.
func compareClaims(a, b inodeRec) int {
	switch ra, rb := a.I.Odoo, b.I.Odoo; {
	case a.Fixed != b.Fixed:
		if a.Fixed {
			return -1
		}
		return 1
	case ra.ID != rb.ID:
		return int(max(-1, min(1, ra.ID-rb.ID)))
	default:
		return int(a.I.Kind) - int(b.I.Kind)
	}
}

// nameGroup names a sorted group. All entries are taken away before the first
// is given, so that names can go round.
func (tx *Tx) nameGroup(group []inodeRec, parent odbxfs.NodeID, plain string, free bool) error {
	for _, r := range group {
		if err := tx.dropEntry(r.I); err != nil {
			return err
		}
	}
	for k, r := range group {
		name := plain
		if k > 0 || !free {
			var err error
			if name, err = tx.freeName(parent, plain, r.I.Odoo.ID); err != nil {
				return err
			}
		}
		was := r.I
		r.I.Name, r.I.Hidden = name, false
		if err := tx.putInode(r); err != nil {
			return err
		}
		if was.Hidden || was.Name != name {
			if !was.Hidden {
				tx.emit(Event{Kind: EntryChanged, Parent: parent, Name: was.Name})
			}
			tx.emit(Event{Kind: EntryChanged, Parent: parent, Name: name, Node: was.Node})
		}
	}
	return nil
}

// freeName is plain with the id before its extension, and a count if even that
// is taken.
func (tx *Tx) freeName(parent odbxfs.NodeID, plain string, id int64) (string, error) {
	suffix := fmt.Sprintf(" (%d)", id)
	for n := 2; ; n++ {
		name := odbxfs.WithSuffix(plain, suffix, odbxfs.MaxName)
		taken, err := tx.has(keyName(kDentry, parent, name))
		if err != nil || !taken {
			return name, err
		}
		suffix = fmt.Sprintf(" (%d-%d)", id, n)
	}
}

// dropTemporaries removes what programs left in a folder that Odoo has removed:
// nothing of it was ever to be sent.
func (tx *Tx) dropTemporaries(folder odbxfs.NodeID) error {
	kids, err := tx.ReadDir(folder, "", 0)
	if err != nil {
		return err
	}
	for _, k := range kids {
		in, ok, err := tx.Intent(k.Node)
		if err != nil || !ok || !odbxfs.TemporaryName(k.Name) {
			if err != nil {
				return err
			}
			continue
		}
		if waits, err := tx.Waits(in); err != nil || !waits {
			if err != nil {
				return err
			}
			continue
		}
		r, _, err := tx.inode(k.Node)
		if err == nil {
			err = tx.remove(r)
		}
		if err != nil {
			return err
		}
		tx.emit(Event{Kind: NodeGone, Parent: folder, Name: k.Name, Node: k.Node})
	}
	return nil
}

// unproject takes a node out of the mount that is no longer in Odoo. A folder in
// which something of the mount's own waits to be sent stays, and is made in Odoo
// again; where Odoo has no such folders (plain mode) it is parked.
func (tx *Tx) unproject(r inodeRec) error {
	if r.I.Kind == odbxfs.Folder {
		if err := tx.dropTemporaries(r.I.Node); err != nil {
			return err
		}
		kids, err := tx.list(keyNode(kDentry, r.I.Node), nil, 1, false)
		if err != nil {
			return err
		}
		if len(kids) > 0 && !tx.s.opt.NoFolders {
			up, _, err := tx.inode(r.I.Parent)
			if err != nil {
				return err
			}
			r.I.Odoo, r.I.Role = odbxfs.OdooRef{}, roleIn(up.I.Role)
			return tx.localEdit(r)
		}
		if len(kids) > 0 {
			r.I.Odoo, r.I.State = odbxfs.OdooRef{}, odbxfs.StateParked
			r.I.Reason = "removed in Odoo while something in it waits to be sent"
			return tx.putInode(r)
		}
	}
	if err := tx.dropInode(r); err != nil {
		return err
	}
	if r.I.Hidden {
		return nil
	}
	tx.emit(Event{Kind: NodeGone, Parent: r.I.Parent, Name: r.I.Name, Node: r.I.Node})
	return tx.assign(r.I.Parent, r.Plain)
}
