package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"odbxfs"
)

// client is the cloud client of the tests.
const client odbxfs.ClientID = 7

// world is both remotes and the synced tree, as the store would show them, and
// a strict model of what the executors do: what a remote would refuse is an
// error here, so a wrong order shows.
type world struct {
	odoo    map[odbxfs.NodeID]odbxfs.OdooNode
	dropbox map[odbxfs.NodeID]odbxfs.DropboxNode
	pairs   map[odbxfs.NodeID]odbxfs.Pair
	next    odbxfs.NodeID
	revs    int
}

func newWorld() *world {
	w := &world{
		odoo:    map[odbxfs.NodeID]odbxfs.OdooNode{},
		dropbox: map[odbxfs.NodeID]odbxfs.DropboxNode{},
		pairs:   map[odbxfs.NodeID]odbxfs.Pair{},
		next:    100,
	}
	w.odoo[odbxfs.RootNode] = odbxfs.OdooNode{Node: odbxfs.RootNode, Ref: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRoot, Client: client}
	w.dropbox[odbxfs.RootNode] = odbxfs.DropboxNode{Node: odbxfs.RootNode, Client: client, Kind: odbxfs.Folder, Name: "Odoo", Path: "/Odoo"}
	return w
}

func (w *world) clone() *world {
	return &world{odoo: maps.Clone(w.odoo), dropbox: maps.Clone(w.dropbox), pairs: maps.Clone(w.pairs), next: w.next, revs: w.revs}
}

// reader shows a map as a tree.
type reader[N any] struct {
	nodes  map[odbxfs.NodeID]N
	parent func(N) odbxfs.NodeID
}

func (r reader[N]) Node(id odbxfs.NodeID) (N, bool) { n, ok := r.nodes[id]; return n, ok }

func (r reader[N]) Children(parent odbxfs.NodeID) []odbxfs.NodeID {
	var all []odbxfs.NodeID
	for id, n := range r.nodes {
		if id != odbxfs.RootNode && r.parent(n) == parent {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

func (w *world) readers() (odbxfs.Reader[odbxfs.OdooNode], odbxfs.Reader[odbxfs.DropboxNode], odbxfs.Reader[odbxfs.Pair]) {
	return reader[odbxfs.OdooNode]{w.odoo, func(n odbxfs.OdooNode) odbxfs.NodeID { return n.Parent }},
		reader[odbxfs.DropboxNode]{w.dropbox, func(n odbxfs.DropboxNode) odbxfs.NodeID { return n.Parent }},
		reader[odbxfs.Pair]{w.pairs, func(n odbxfs.Pair) odbxfs.NodeID { return n.Parent }}
}

func (w *world) all() []odbxfs.NodeID {
	ids := map[odbxfs.NodeID]bool{}
	for id := range w.odoo {
		ids[id] = true
	}
	for id := range w.dropbox {
		ids[id] = true
	}
	for id := range w.pairs {
		ids[id] = true
	}
	return slices.Sorted(maps.Keys(ids))
}

func (w *world) plan(pol Policy) ([]odbxfs.Task, []odbxfs.Change) {
	o, d, s := w.readers()
	return Plan(w.all(), o, d, s, pol)
}

// Contents are words; a hash is the word with the kind of hash before it.
func sha1Of(content string) odbxfs.SHA1        { return odbxfs.SHA1("sha1:" + content) }
func hashOf(content string) odbxfs.ContentHash { return odbxfs.ContentHash("hash:" + content) }

func (w *world) rev() odbxfs.Rev { w.revs++; return odbxfs.Rev(fmt.Sprintf("rev%d", w.revs)) }

// putOdoo adds or changes a node in Odoo.
func (w *world) putOdoo(id, parent odbxfs.NodeID, ref odbxfs.OdooRef, role odbxfs.FolderRole, name, content string) {
	n := odbxfs.OdooNode{Node: id, Ref: ref, Parent: parent, ParentRef: w.odoo[parent].Ref, Name: name, Client: client, Role: role, Kind: odbxfs.Folder, Writable: true}
	if ref.Kind == odbxfs.RefAttachment {
		n.Kind, n.Type, n.SHA1, n.Size = odbxfs.File, odbxfs.Binary, sha1Of(content), int64(len(content))
	}
	w.odoo[id] = n
}

// putDropbox adds or changes a node in Dropbox. Of a folder the content is "".
func (w *world) putDropbox(id, parent odbxfs.NodeID, name, content string) {
	n := odbxfs.DropboxNode{Node: id, ID: odbxfs.DropboxID(fmt.Sprintf("id:%d", id)), Parent: parent, Client: client, Kind: odbxfs.Folder, Name: name}
	n.Path = w.dropbox[parent].Path + "/" + name
	if content != "" {
		n.Kind, n.Rev, n.ContentHash, n.Size = odbxfs.File, w.rev(), hashOf(content), int64(len(content))
	}
	w.dropbox[id] = n
}

// settle writes the pair of what both sides have.
func (w *world) settle(id odbxfs.NodeID) {
	w.settlePlace(id)
	w.settleContent(id)
}

// settlePlace writes what both sides agree on but the content.
func (w *world) settlePlace(id odbxfs.NodeID) {
	o, inOdoo := w.odoo[id]
	d, inDropbox := w.dropbox[id]
	if !inOdoo || !inDropbox {
		return
	}
	p := w.pairs[id]
	if p.ContentHash == d.ContentHash {
		p.Rev = d.Rev // the move's own
	}
	p.Node, p.Client, p.Kind, p.Gone = id, client, o.Kind, false
	p.Parent, p.Odoo, p.OdooName, p.Dropbox, p.DropboxName = o.Parent, o.Ref, o.Name, d.ID, d.Name
	p.Version++
	w.pairs[id] = p
}

// settleContent writes the content that both sides agree on.
func (w *world) settleContent(id odbxfs.NodeID) {
	o, inOdoo := w.odoo[id]
	d, inDropbox := w.dropbox[id]
	if !inOdoo || !inDropbox || o.Kind != odbxfs.File {
		return
	}
	p := w.pairs[id]
	p.SHA1, p.ContentHash, p.Size, p.Rev, p.URL = o.SHA1, d.ContentHash, d.Size, d.Rev, o.URL
	p.Version++
	w.pairs[id] = p
}

// base is a settled tree: a rule with two records, a default subfolder, a
// subfolder in a subfolder, a free folder and files in most of them.
//
//	2 Sales/  3 S1/  5 Default/  6 sub/  7 inner/  20 deep
//	                             21 f, 22 g
//	          4 S2/  23 f
//	8 Free/   24 h
func base() *world {
	w := newWorld()
	w.putOdoo(2, 1, odbxfs.RuleRef(1), odbxfs.RoleRule, "Sales", "")
	w.putOdoo(3, 2, odbxfs.RecordRef("sale.order", 1), odbxfs.RoleRecord, "S1", "")
	w.putOdoo(4, 2, odbxfs.RecordRef("sale.order", 2), odbxfs.RoleRecord, "S2", "")
	w.putOdoo(5, 3, odbxfs.FolderRef(5), odbxfs.RoleDefault, "Default", "")
	w.putOdoo(6, 3, odbxfs.FolderRef(6), odbxfs.RoleSubfolder, "sub", "")
	w.putOdoo(7, 6, odbxfs.FolderRef(7), odbxfs.RoleSubfolder, "inner", "")
	w.putOdoo(8, 1, odbxfs.FolderRef(8), odbxfs.RoleFree, "Free", "")
	for _, f := range []struct {
		id, parent odbxfs.NodeID
		name       string
	}{{20, 7, "deep"}, {21, 6, "f"}, {22, 6, "g"}, {23, 4, "f"}, {24, 8, "h"}} {
		w.putOdoo(f.id, f.parent, odbxfs.AttachmentRef(int64(f.id)), odbxfs.RoleNone, f.name, fmt.Sprintf("old%d", f.id))
	}
	for _, id := range []odbxfs.NodeID{2, 3, 4, 5, 6, 7, 8, 20, 21, 22, 23, 24} {
		o := w.odoo[id]
		w.putDropbox(id, o.Parent, o.Name, strings.TrimPrefix(string(o.SHA1), "sha1:"))
		w.settle(id)
	}
	return w
}

// run carries out a plan.
func (w *world) run(tasks []odbxfs.Task, changes []odbxfs.Change) error {
	for _, c := range changes {
		d := w.dropbox[c.From]
		d.Node = c.Into
		w.dropbox[c.Into] = d
		delete(w.dropbox, c.From)
		for id, child := range w.dropbox {
			if child.Parent == c.From {
				child.Parent = c.Into
				w.dropbox[id] = child
			}
		}
	}
	for i, t := range tasks {
		if err := w.do(t); err != nil {
			return fmt.Errorf("task %d, %s: %w", i, describe(t), err)
		}
	}
	return nil
}

func describe(t odbxfs.Task) string {
	s := fmt.Sprintf("%s %d", t.Kind, t.Node)
	if _, ok := putsInto(&t); ok || t.Kind == odbxfs.TaskDropboxMove {
		s += fmt.Sprintf(" as %d/%s", t.Parent, t.Name)
	}
	return s
}

func (w *world) do(t odbxfs.Task) error {
	switch t.Kind {
	case odbxfs.TaskDropboxMkdir, odbxfs.TaskDropboxUpload, odbxfs.TaskDropboxMove, odbxfs.TaskDropboxDelete, odbxfs.TaskDropboxKeep:
		return w.doDropbox(t)
	case odbxfs.TaskSettle:
		w.settle(t.Node)
		return nil
	case odbxfs.TaskForget:
		if _, ok := w.odoo[t.Node]; ok && w.odoo[t.Node].Type == odbxfs.Link {
			return fmt.Errorf("a link is forgotten")
		}
		w.bury(t.Node)
		return nil
	default:
		return w.doOdoo(t)
	}
}

func (w *world) bury(id odbxfs.NodeID) {
	if p, ok := w.pairs[id]; ok {
		p.Gone = true
		p.Version++
		w.pairs[id] = p
	}
}

// roomInDropbox checks that a name is free.
func (w *world) roomInDropbox(node, parent odbxfs.NodeID, name string) error {
	if p, ok := w.dropbox[parent]; !ok || p.Kind != odbxfs.Folder {
		return fmt.Errorf("no folder %d in Dropbox", parent)
	}
	if odbxfs.DropboxName(name) != name {
		return fmt.Errorf("Dropbox refuses the name %q", name)
	}
	for id, d := range w.dropbox {
		if id != node && d.Parent == parent && odbxfs.FoldName(d.Name) == odbxfs.FoldName(name) {
			return fmt.Errorf("%d has the name %q", id, d.Name)
		}
	}
	return nil
}

func (w *world) doDropbox(t odbxfs.Task) error {
	d, there := w.dropbox[t.Node]
	if there != (t.Dropbox != nil) {
		return fmt.Errorf("in Dropbox: %t, planned with %v", there, t.Dropbox)
	}
	o := w.odoo[t.Node]
	content := strings.TrimPrefix(string(o.SHA1), "sha1:")
	switch t.Kind {
	case odbxfs.TaskDropboxMkdir:
		if err := w.roomInDropbox(t.Node, t.Parent, t.Name); err != nil {
			return err
		}
		w.putDropbox(t.Node, t.Parent, t.Name, "")
	case odbxfs.TaskDropboxUpload:
		if o.Type == odbxfs.Link {
			return fmt.Errorf("a link has no bytes")
		}
		if there {
			t.Parent, t.Name = d.Parent, d.Name
		}
		if err := w.roomInDropbox(t.Node, t.Parent, t.Name); err != nil {
			return err
		}
		w.putDropbox(t.Node, t.Parent, t.Name, content)
	case odbxfs.TaskDropboxMove:
		if err := w.roomInDropbox(t.Node, t.Parent, t.Name); err != nil {
			return err
		}
		if below(t.Parent, t.Node, func(id odbxfs.NodeID) odbxfs.NodeID { return w.dropbox[id].Parent }) {
			return fmt.Errorf("into itself")
		}
		d.Parent, d.Name = t.Parent, t.Name
		if d.Kind == odbxfs.File {
			d.Rev = w.rev()
		}
		w.dropbox[t.Node] = d
	case odbxfs.TaskDropboxKeep:
		if err := w.roomInDropbox(0, t.Parent, t.Name); err != nil {
			return err
		}
		w.next++
		w.putDropbox(w.next, t.Parent, t.Name, strings.TrimPrefix(string(d.ContentHash), "hash:"))
		return nil
	case odbxfs.TaskDropboxDelete:
		for id, child := range w.dropbox {
			if child.Parent == t.Node && id != odbxfs.RootNode {
				return fmt.Errorf("Dropbox folder not empty: %d", id)
			}
		}
		if d.Kind == odbxfs.File && d.Rev != t.Dropbox.Rev {
			return fmt.Errorf("another rev")
		}
		if o.Type == odbxfs.Link {
			return fmt.Errorf("the bytes of a link are removed")
		}
		delete(w.dropbox, t.Node)
		w.bury(t.Node)
		return nil
	default:
		return fmt.Errorf("%s is no task of Dropbox", t.Kind)
	}
	switch {
	case t.Kind == odbxfs.TaskDropboxMove && t.Pass == odbxfs.Backward:
	case t.Kind == odbxfs.TaskDropboxMove:
		w.settlePlace(t.Node)
	case there:
		w.settleContent(t.Node)
	default:
		w.settle(t.Node)
	}
	return nil
}

func (w *world) doOdoo(t odbxfs.Task) error {
	o, there := w.odoo[t.Node]
	if there != (t.Odoo != nil) {
		return fmt.Errorf("in Odoo: %t, planned with %v", there, t.Odoo)
	}
	d := w.dropbox[t.Node]
	content := strings.TrimPrefix(string(d.ContentHash), "hash:")
	if _, ok := putsInto(&t); ok {
		if parent, ok := w.odoo[t.Parent]; !ok || parent.Kind != odbxfs.Folder {
			return fmt.Errorf("no folder %d in Odoo", t.Parent)
		}
	}
	w.next++
	switch t.Kind {
	case odbxfs.TaskOdooMkdir:
		role := odbxfs.RoleSubfolder
		if up := w.odoo[t.Parent].Role; up == odbxfs.RoleRoot || up == odbxfs.RoleRule || up == odbxfs.RoleFree {
			role = odbxfs.RoleFree
		}
		w.putOdoo(t.Node, t.Parent, odbxfs.FolderRef(int64(w.next)), role, t.Name, "")
	case odbxfs.TaskOdooCreate:
		w.putOdoo(t.Node, t.Parent, odbxfs.AttachmentRef(int64(w.next)), odbxfs.RoleNone, t.Name, content)
		w.link(t.Node)
	case odbxfs.TaskOdooUpdate:
		o.SHA1, o.Size = sha1Of(content), int64(len(content))
		w.odoo[t.Node] = o
	case odbxfs.TaskOdooMove:
		if fixed(o.Role) {
			return fmt.Errorf("Odoo's own folder is moved")
		}
		if below(t.Parent, t.Node, func(id odbxfs.NodeID) odbxfs.NodeID { return w.odoo[id].Parent }) {
			return fmt.Errorf("into itself")
		}
		o.Parent, o.ParentRef, o.Name = t.Parent, w.odoo[t.Parent].Ref, t.Name
		w.odoo[t.Node] = o
	case odbxfs.TaskOdooDelete:
		for id, child := range w.odoo {
			if child.Parent == t.Node && id != odbxfs.RootNode {
				return fmt.Errorf("Odoo folder not empty: %d", id)
			}
		}
		if fixed(o.Role) {
			return fmt.Errorf("Odoo's own folder is removed")
		}
		delete(w.odoo, t.Node)
		w.bury(t.Node)
		return nil
	case odbxfs.TaskOdooConvert:
		if sha1Of(content) != o.SHA1 || d.Rev != w.pairs[t.Node].Rev {
			return fmt.Errorf("law 1: Dropbox has %q, Odoo %q", content, o.SHA1)
		}
		w.link(t.Node)
	case odbxfs.TaskOdooRestore:
		o.Type, o.URL, o.SHA1 = odbxfs.Binary, "", sha1Of(content)
		w.odoo[t.Node] = o
		delete(w.pairs, t.Node)
		return nil
	default:
		return fmt.Errorf("%s is no task of Odoo", t.Kind)
	}
	switch t.Kind {
	case odbxfs.TaskOdooMove:
		w.settlePlace(t.Node)
	case odbxfs.TaskOdooUpdate:
		w.settleContent(t.Node)
	default:
		w.settle(t.Node)
	}
	return nil
}

func (w *world) link(id odbxfs.NodeID) {
	o := w.odoo[id]
	o.Type, o.URL = odbxfs.Link, "https://dropbox/"+string(w.dropbox[id].ID)
	w.odoo[id] = o
}

// below reports whether id is node or lies below it.
func below(id, node odbxfs.NodeID, parent func(odbxfs.NodeID) odbxfs.NodeID) bool {
	for range 1000 {
		if id == node {
			return true
		}
		if id == 0 || id == odbxfs.RootNode {
			return false
		}
		id = parent(id)
	}
	return true
}

// agree checks that the three trees say the same.
func (w *world) agree() error {
	for id, o := range w.odoo {
		d, ok := w.dropbox[id]
		if !ok {
			return fmt.Errorf("%d %q is in Odoo alone", id, o.Name)
		}
		if id == odbxfs.RootNode {
			continue
		}
		if o.Parent != d.Parent || odbxfs.FoldName(odbxfs.DropboxName(o.Name)) != odbxfs.FoldName(d.Name) && !strings.Contains(d.Name, fmt.Sprintf(" (%d", o.Ref.ID)) {
			return fmt.Errorf("%d is %d/%q in Odoo, %d/%q in Dropbox", id, o.Parent, o.Name, d.Parent, d.Name)
		}
		if o.Kind == odbxfs.File && strings.TrimPrefix(string(o.SHA1), "sha1:") != strings.TrimPrefix(string(d.ContentHash), "hash:") {
			return fmt.Errorf("%d has %q in Odoo, %q in Dropbox", id, o.SHA1, d.ContentHash)
		}
		p, ok := w.pairs[id]
		if !ok || p.Gone || p.Odoo != o.Ref || p.Dropbox != d.ID || p.OdooName != o.Name || p.DropboxName != d.Name || p.Parent != o.Parent || p.ContentHash != d.ContentHash {
			return fmt.Errorf("%d: the pair says %+v of %+v and %+v", id, p, o, d)
		}
	}
	for id, d := range w.dropbox {
		if _, ok := w.odoo[id]; !ok {
			return fmt.Errorf("%d %q is in Dropbox alone", id, d.Name)
		}
	}
	for id, p := range w.pairs {
		if _, ok := w.odoo[id]; !ok && !p.Gone {
			return fmt.Errorf("%d is a pair of nothing", id)
		}
	}
	return nil
}

// contents gives each content that is anywhere, on either side.
func (w *world) contents() map[string]bool {
	all := map[string]bool{}
	for _, o := range w.odoo {
		if o.Kind == odbxfs.File {
			all[strings.TrimPrefix(string(o.SHA1), "sha1:")] = true
		}
	}
	for _, d := range w.dropbox {
		if d.Kind == odbxfs.File {
			all[strings.TrimPrefix(string(d.ContentHash), "hash:")] = true
		}
	}
	return all
}
