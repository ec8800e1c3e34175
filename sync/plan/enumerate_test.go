package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"odbxfs"

	"pgregory.net/rapid"
)

// edit is one thing that someone did on one side.
type edit struct {
	on   side
	what string // remove, rename, move, write, file, folder
	node odbxfs.NodeID
	to   odbxfs.NodeID
	name string
}

func (e edit) String() string {
	return fmt.Sprintf("%s %d to %d/%s on %s", e.what, e.node, e.to, e.name, [...]string{"Odoo", "Dropbox"}[e.on])
}

// edits gives each edit that could be done on a side of the tree.
func (w *world) edits(on side) []edit {
	var all []edit
	names := []string{"f", "G", "new: \\ "}
	for _, id := range w.all() {
		o, inOdoo := w.odoo[id]
		d, inDropbox := w.dropbox[id]
		if (on == odooSide && !inOdoo) || (on == dropboxSide && !inDropbox) {
			continue
		}
		folder := o.Kind == odbxfs.Folder || d.Kind == odbxfs.Folder
		if folder {
			all = append(all, edit{on: on, what: "file", to: id, name: "f"}, edit{on: on, what: "file", to: id, name: "new"},
				edit{on: on, what: "folder", to: id, name: "new"}, edit{on: on, what: "folder", to: id, name: "sub"})
		} else {
			all = append(all, edit{on: on, what: "write", node: id})
		}
		if id == odbxfs.RootNode {
			continue
		}
		all = append(all, edit{on: on, what: "remove", node: id})
		for _, name := range names {
			all = append(all, edit{on: on, what: "rename", node: id, name: name})
		}
		if on == odooSide && fixed(o.Role) {
			continue
		}
		for _, to := range w.all() {
			if n := w.odoo[to]; n.Kind == odbxfs.Folder {
				all = append(all, edit{on: on, what: "move", node: id, to: to})
			}
		}
	}
	return all
}

// apply does an edit, and reports whether it could be done.
func (w *world) apply(e edit, n int) bool {
	if e.on == odooSide {
		return w.applyOdoo(e, n)
	}
	return w.applyDropbox(e, n)
}

func (w *world) applyOdoo(e edit, n int) bool {
	content := fmt.Sprintf("odoo%d", n)
	o, there := w.odoo[e.node]
	up := func(id odbxfs.NodeID) odbxfs.NodeID { return w.odoo[id].Parent }
	if e.to != 0 {
		if _, ok := w.odoo[e.to]; !ok {
			return false
		}
	}
	switch e.what {
	case "file":
		w.next++
		w.putOdoo(w.next, e.to, odbxfs.AttachmentRef(int64(w.next)), odbxfs.RoleNone, e.name, content)
		return true
	case "folder":
		w.next++
		w.putOdoo(w.next, e.to, odbxfs.FolderRef(int64(w.next)), odbxfs.RoleSubfolder, e.name, "")
		return true
	}
	if !there {
		return false
	}
	switch e.what {
	case "remove":
		for _, id := range w.all() {
			if _, ok := w.odoo[id]; ok && below(id, e.node, up) {
				defer delete(w.odoo, id)
			}
		}
		return true
	case "rename":
		o.Name = e.name
	case "move":
		if below(e.to, e.node, up) {
			return false
		}
		o.Parent, o.ParentRef = e.to, w.odoo[e.to].Ref
	case "write":
		o.SHA1, o.Size, o.Type, o.URL = sha1Of(content), int64(len(content)), odbxfs.Binary, ""
	}
	w.odoo[e.node] = o
	return true
}

func (w *world) applyDropbox(e edit, n int) bool {
	content := fmt.Sprintf("dropbox%d", n)
	d, there := w.dropbox[e.node]
	up := func(id odbxfs.NodeID) odbxfs.NodeID { return w.dropbox[id].Parent }
	switch e.what {
	case "file", "folder":
		if w.roomInDropbox(0, e.to, e.name) != nil {
			return false
		}
		w.next++
		if e.what == "folder" {
			content = ""
		}
		w.putDropbox(w.next, e.to, e.name, content)
		return true
	}
	if !there {
		return false
	}
	switch e.what {
	case "remove":
		for _, id := range w.all() {
			if _, ok := w.dropbox[id]; ok && below(id, e.node, up) {
				defer delete(w.dropbox, id)
			}
		}
		return true
	case "rename":
		if w.roomInDropbox(e.node, d.Parent, e.name) != nil {
			return false
		}
		d.Name = e.name
	case "move":
		if below(e.to, e.node, up) || w.roomInDropbox(e.node, e.to, d.Name) != nil {
			return false
		}
		d.Parent = e.to
	case "write":
		d.ContentHash, d.Size = hashOf(content), int64(len(content))
	}
	if d.Kind == odbxfs.File {
		d.Rev = w.rev()
	}
	w.dropbox[e.node] = d
	return true
}

// fresh gives each content that a side has and that was never agreed upon:
// nobody has removed or replaced it, so it must not be lost.
func (w *world) fresh() map[string]bool {
	all := map[string]bool{}
	for id, o := range w.odoo {
		p := w.pairs[id]
		if o.Kind == odbxfs.File && o.Type == odbxfs.Binary && (p.Gone || p.SHA1 != o.SHA1) {
			all[strings.TrimPrefix(string(o.SHA1), "sha1:")] = true
		}
	}
	for id, d := range w.dropbox {
		p := w.pairs[id]
		if d.Kind == odbxfs.File && (p.Gone && p.Rev != d.Rev || p.ContentHash != d.ContentHash) {
			all[strings.TrimPrefix(string(d.ContentHash), "hash:")] = true
		}
	}
	return all
}

// converge plans and runs until nothing is planned, checks what must hold, and
// gives the number of passes that planned something.
func (w *world) converge(pol Policy) (int, error) {
	must := w.fresh()
	var story []string
	fail := func(err error) (int, error) {
		return 0, fmt.Errorf("%w\n  %s", err, strings.Join(story, "\n  "))
	}
	for pass := 0; ; pass++ {
		tasks, changes := w.plan(pol)
		story = append(story, fmt.Sprintf("pass %d, merges %v", pass, changes))
		for _, t := range tasks {
			story = append(story, "  "+describe(t)+": "+t.Why)
		}
		if len(tasks) == 0 && len(changes) == 0 {
			if err := w.agree(); err != nil {
				return fail(err)
			}
			for content := range must {
				if !w.contents()[content] {
					return fail(fmt.Errorf("%q is lost", content))
				}
			}
			return pass, nil
		}
		if pass > 4 {
			return fail(fmt.Errorf("comes to no end"))
		}
		if err := w.run(tasks, changes); err != nil {
			return fail(err)
		}
	}
}

// differs gives what a store would have marked dirty on the way from w to v:
// each changed node and its folders.
func (w *world) differs(v *world) []odbxfs.NodeID {
	dirty := map[odbxfs.NodeID]bool{}
	for _, id := range slices.Concat(w.all(), v.all()) {
		if w.odoo[id] != v.odoo[id] {
			dirty[id], dirty[w.odoo[id].Parent], dirty[v.odoo[id].Parent] = true, true, true
		}
		if w.dropbox[id] != v.dropbox[id] {
			dirty[id], dirty[w.dropbox[id].Parent], dirty[v.dropbox[id].Parent] = true, true, true
		}
	}
	return slices.Collect(maps.Keys(dirty))
}

func describeAll(tasks []odbxfs.Task) []string {
	all := []string{}
	for _, t := range tasks {
		all = append(all, describe(t))
	}
	return all
}

// check applies edits to the base and lets it converge.
func check(t interface {
	Fatalf(string, ...any)
}, from *world, pol Policy, most int, edits ...edit) int {
	w := from.clone()
	for i, e := range edits {
		if !w.apply(e, i) {
			return -1
		}
	}
	o, d, s := w.readers()
	some, someChanges := Plan(from.differs(w), o, d, s, pol)
	if all, allChanges := w.plan(pol); !reflect.DeepEqual(some, all) || !reflect.DeepEqual(someChanges, allChanges) {
		t.Fatalf("after %v: what is dirty gives %v, everything %v", edits, describeAll(some), describeAll(all))
	}
	passes, err := w.converge(pol)
	if err != nil {
		t.Fatalf("after %v: %v", edits, err)
	}
	if passes > most {
		t.Fatalf("after %v: %d passes", edits, passes)
	}
	return passes
}

func TestOneEditOnEachSide(t *testing.T) {
	from := base()
	cases, passes := 0, map[int]int{}
	for _, a := range from.edits(odooSide) {
		passes[check(t, from, Policy{Client: mirrorOnly}, 2, a)]++
		for _, b := range from.edits(dropboxSide) {
			passes[check(t, from, Policy{Client: mirrorOnly}, 3, a, b)]++
			cases++
		}
	}
	for _, b := range from.edits(dropboxSide) {
		passes[check(t, from, Policy{Client: mirrorOnly}, 1, b)]++
	}
	t.Logf("%d pairs of edits, by passes %v", cases, passes)
}

// drawEdit draws what someone does next, mostly where it is crowded.
func drawEdit(t *rapid.T, w *world) edit {
	all := slices.Concat(w.edits(odooSide), w.edits(dropboxSide))
	if rapid.IntRange(0, 3).Draw(t, "crowd") > 0 {
		all = slices.DeleteFunc(all, func(e edit) bool {
			hot := func(id odbxfs.NodeID) bool { return id == 0 || id == 6 || id == 7 || id == 21 || id == 22 || id > 100 }
			return !hot(e.node) || !hot(e.to) || e.what == "remove"
		})
	}
	if len(all) == 0 { // nothing is left there
		all = slices.Concat(w.edits(odooSide), w.edits(dropboxSide))
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(t, "edit")]
}

// drawWorld draws a base, converted or not, with up to so many edits.
func drawWorld(t *rapid.T, pol Policy, most int) (*world, []edit) {
	w := base()
	if pol.Client.Convert == odbxfs.ConvertDefault {
		if _, err := w.converge(pol); err != nil {
			t.Fatal(err)
		}
	}
	var done []edit
	for i := range rapid.IntRange(1, most).Draw(t, "edits") {
		if e := drawEdit(t, w); w.apply(e, i) {
			done = append(done, e)
		}
	}
	return w, done
}

func bothPolicies(t *testing.T, f func(*rapid.T, Policy)) {
	t.Helper()
	for _, pol := range []Policy{{Client: mirrorOnly}, {Client: converting}} {
		rapid.Check(t, func(t *rapid.T) { f(t, pol) })
	}
}

func TestManyEditsOnEachSide(t *testing.T) {
	bothPolicies(t, func(t *rapid.T, pol Policy) {
		for range 5 {
			w, done := drawWorld(t, pol, 8)
			if _, err := w.converge(pol); err != nil {
				t.Fatalf("after %v: %v", done, err)
			}
		}
	})
}

// A plan may be cut off anywhere, and people go on meanwhile: the next plan
// starts from what is there.
func TestPlansCutOff(t *testing.T) {
	bothPolicies(t, func(t *rapid.T, pol Policy) {
		w, done := drawWorld(t, pol, 6)
		for i := range 3 {
			tasks, changes := w.plan(pol)
			if err := w.run(tasks[:rapid.IntRange(0, len(tasks)).Draw(t, "cut")], changes); err != nil {
				t.Fatalf("after %v: %v", done, err)
			}
			if e := drawEdit(t, w); w.apply(e, 10+i) {
				done = append(done, e)
			}
		}
		if _, err := w.converge(pol); err != nil {
			t.Fatalf("after %v: %v", done, err)
		}
	})
}

// Both sides filled, nothing agreed: one pass joins them.
func TestFirstContact(t *testing.T) {
	bothPolicies(t, func(t *rapid.T, pol Policy) {
		w, done := drawWorld(t, Policy{Client: mirrorOnly}, 5)
		pol.Same = map[odbxfs.SHA1]odbxfs.ContentHash{}
		for content := range w.contents() {
			pol.Same[sha1Of(content)] = hashOf(content)
		}
		w.unpair()
		if _, err := w.converge(pol); err != nil {
			t.Fatalf("after %v: %v", done, err)
		}
	})
}

// unpair forgets what was agreed, as a store that never saw either side: what
// is on both sides is two nodes.
func (w *world) unpair() {
	clear(w.pairs)
	moved := map[odbxfs.NodeID]odbxfs.NodeID{odbxfs.RootNode: odbxfs.RootNode}
	for _, id := range slices.Sorted(maps.Keys(w.dropbox)) {
		if id != odbxfs.RootNode {
			w.next++
			moved[id] = w.next
		}
	}
	old := w.dropbox
	w.dropbox = map[odbxfs.NodeID]odbxfs.DropboxNode{}
	for id, d := range old {
		d.Node, d.Parent = moved[id], moved[d.Parent]
		w.dropbox[d.Node] = d
	}
	for id, d := range w.dropbox { // paths say how deep a node lies
		path := "/" + d.Name
		for up := d.Parent; up != 0; up = w.dropbox[up].Parent {
			path = "/" + w.dropbox[up].Name + path
		}
		d.Path = path
		w.dropbox[id] = d
	}
}

func TestFirstContactOfEqualTreesSettlesOnly(t *testing.T) {
	w := base()
	pol := Policy{Client: mirrorOnly, Same: map[odbxfs.SHA1]odbxfs.ContentHash{}}
	for content := range w.contents() {
		pol.Same[sha1Of(content)] = hashOf(content)
	}
	w.unpair()
	tasks, changes := w.plan(pol)
	if len(tasks) != 12 || len(changes) != 12 {
		t.Errorf("tasks %v, merges %v", describeAll(tasks), changes)
	}
	for _, task := range tasks {
		if task.Kind != odbxfs.TaskSettle {
			t.Errorf("%s", describe(task))
		}
	}
}

func TestReverseLeavesNoLink(t *testing.T) {
	bothPolicies(t, func(t *rapid.T, pol Policy) {
		w, done := drawWorld(t, pol, 4)
		if _, err := w.converge(pol); err != nil {
			t.Fatal(err)
		}
		before := w.contents()
		pol.Reverse, pol.RemoveRemote = true, rapid.Bool().Draw(t, "remove")
		for pass := 0; ; pass++ {
			tasks, changes := w.plan(pol)
			if len(tasks) == 0 {
				break
			}
			if pass > 3 {
				t.Fatalf("after %v: comes to no end: %v", done, describeAll(tasks))
			}
			if err := w.run(tasks, changes); err != nil {
				t.Fatalf("after %v: %v", done, err)
			}
		}
		for id, o := range w.odoo {
			if o.Type == odbxfs.Link {
				t.Errorf("%d is still a link", id)
			}
		}
		for id, p := range w.pairs {
			if !p.Gone {
				t.Errorf("%d is still paired", id)
			}
		}
		if left := len(w.dropbox); pol.RemoveRemote != (left == 1) {
			t.Errorf("remove %t: %d left in Dropbox", pol.RemoveRemote, left)
		}
		for content := range before {
			if !w.contents()[content] {
				t.Errorf("%q is lost", content)
			}
		}
	})
}

var (
	mirrorOnly = odbxfs.CloudClient{ID: client, Root: "/Odoo", Links: odbxfs.LinkPublic, Convert: odbxfs.ConvertNone}
	converting = odbxfs.CloudClient{ID: client, Root: "/Odoo", Links: odbxfs.LinkPublic, Convert: odbxfs.ConvertDefault}
)
