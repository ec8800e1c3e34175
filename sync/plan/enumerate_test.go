package plan

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"odbxfs"

	"pgregory.net/rapid"
)

// edit is one thing that someone did on one side.
type edit struct {
	on      side
	what    string // remove, rename, move, write, file, folder
	node    odbxfs.NodeID
	to      odbxfs.NodeID
	name    string
	content string
}

func (e edit) String() string {
	return fmt.Sprintf("%s %d to %d/%s on %s", e.what, e.node, e.to, e.name, [...]string{"Odoo", "Dropbox"}[e.on])
}

// edits gives each edit that could be done on a side of the tree.
func (w *world) edits(on side) []edit {
	var all []edit
	names := []string{"f", "G", "new", "new: \\ "}
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

// converge plans and runs until nothing is planned, checks what must hold, and
// gives the number of passes that planned something.
func (w *world) converge(pol Policy) (int, error) {
	must := map[string]bool{}
	for content := range w.contents() {
		if !strings.HasPrefix(content, "old") {
			must[content] = true // new content is never lost
		}
	}
	var story []string
	fail := func(err error) (int, error) {
		return 0, fmt.Errorf("%w\n  %s", err, strings.Join(story, "\n  "))
	}
	for pass := 0; ; pass++ {
		tasks, changes := w.plan(pol)
		again, changesAgain := w.plan(pol)
		if !reflect.DeepEqual(tasks, again) || !reflect.DeepEqual(changes, changesAgain) {
			return fail(fmt.Errorf("two plans of the same differ"))
		}
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

func TestManyEditsOnEachSide(t *testing.T) {
	for _, pol := range []Policy{{Client: mirrorOnly}, {Client: converting}} {
		rapid.Check(t, func(t *rapid.T) {
			w := base()
			if pol.Client.Convert == odbxfs.ConvertDefault {
				if _, err := w.converge(pol); err != nil {
					t.Fatal(err)
				}
			}
			var done []edit
			for i := range rapid.IntRange(1, 6).Draw(t, "edits") {
				all := slices.Concat(w.edits(odooSide), w.edits(dropboxSide))
				e := all[rapid.IntRange(0, len(all)-1).Draw(t, "edit")]
				if w.apply(e, i) {
					done = append(done, e)
				}
			}
			if _, err := w.converge(pol); err != nil {
				t.Fatalf("after %v: %v", done, err)
			}
		})
	}
}

var (
	mirrorOnly = odbxfs.CloudClient{ID: client, Root: "/Odoo", Links: odbxfs.LinkPublic, Convert: odbxfs.ConvertNone}
	converting = odbxfs.CloudClient{ID: client, Root: "/Odoo", Links: odbxfs.LinkPublic, Convert: odbxfs.ConvertDefault}
)
