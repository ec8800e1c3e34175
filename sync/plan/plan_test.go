package plan

import (
	"slices"
	"testing"

	"odbxfs"
)

func file(on side, to odbxfs.NodeID, name string) edit {
	return edit{on: on, what: "file", to: to, name: name}
}
func folder(on side, to odbxfs.NodeID, name string) edit {
	return edit{on: on, what: "folder", to: to, name: name}
}
func write(on side, id odbxfs.NodeID) edit  { return edit{on: on, what: "write", node: id} }
func remove(on side, id odbxfs.NodeID) edit { return edit{on: on, what: "remove", node: id} }
func move(on side, id, to odbxfs.NodeID) edit {
	return edit{on: on, what: "move", node: id, to: to}
}
func rename(on side, id odbxfs.NodeID, name string) edit {
	return edit{on: on, what: "rename", node: id, name: name}
}

// change is what no edit by a person is: something about a node as the store
// shows it.
func change(w *world, id odbxfs.NodeID, f func(*odbxfs.OdooNode)) {
	n := w.odoo[id]
	f(&n)
	w.odoo[id] = n
}

const O, D = odooSide, dropboxSide

// The base is drawn at base(). New nodes are counted from 101, conflicted
// copies after them.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		sentence string
		edits    []edit
		want     []string
	}{
		{"nothing changed: nothing to do", nil, nil},

		// Direct.
		{"a file new in Odoo is uploaded", []edit{file(O, 3, "a.pdf")}, []string{"dropbox-upload 101 as 3/a.pdf"}},
		{"a name that Dropbox can't take is changed there", []edit{file(O, 3, "a/b. ")}, []string{"dropbox-upload 101 as 3/a_b"}},
		{"a file changed in Odoo is uploaded over its Dropbox file", []edit{write(O, 21)}, []string{"dropbox-upload 21"}},
		{"a file renamed in Odoo is renamed", []edit{rename(O, 21, "x")}, []string{"dropbox-move 21 as 6/x"}},
		{"a file of another case in Odoo is renamed", []edit{rename(O, 21, "F")}, []string{"dropbox-move 21 as 6/F"}},
		{"a file moved in Odoo is moved", []edit{move(O, 21, 4), rename(O, 21, "x")}, []string{"dropbox-move 21 as 4/x"}},
		{"a file removed in Odoo is removed", []edit{remove(O, 21)}, []string{"dropbox-delete 21"}},
		{"a record renamed in Odoo is one move", []edit{rename(O, 3, "S1b")}, []string{"dropbox-move 3 as 2/S1b"}},
		{"a subfolder with all in it is moved at once", []edit{move(O, 6, 4)}, []string{"dropbox-move 6 as 4/sub"}},
		{"a folder new in Odoo is made before what is in it", []edit{folder(O, 3, "d"), file(O, 101, "a")}, []string{"dropbox-mkdir 101 as 3/d", "dropbox-upload 102 as 101/a"}},
		{"a folder removed in Odoo goes after what was in it", []edit{remove(O, 6)},
			[]string{"dropbox-delete 20", "dropbox-delete 7", "dropbox-delete 21", "dropbox-delete 22", "dropbox-delete 6"}},
		{"a record removed in Odoo takes its folder along", []edit{remove(O, 4)}, []string{"dropbox-delete 23", "dropbox-delete 4"}},
		{"what is moved out of a folder that goes is kept", []edit{move(O, 21, 4), rename(O, 21, "x"), move(O, 7, 8), remove(O, 6)},
			[]string{"dropbox-move 7 as 8/inner", "dropbox-move 21 as 4/x", "dropbox-delete 22", "dropbox-delete 6"}},

		// Names.
		{"of two new files of one name the lower id keeps it", []edit{file(O, 3, "a.pdf"), file(O, 3, "a.pdf")},
			[]string{"dropbox-upload 101 as 3/a.pdf", "dropbox-upload 102 as 3/a (102).pdf"}},
		{"case makes no other name in Dropbox", []edit{file(O, 3, "a.pdf"), file(O, 3, "A.PDF")},
			[]string{"dropbox-upload 101 as 3/a.pdf", "dropbox-upload 102 as 3/A (102).PDF"}},
		{"who is there keeps its name", []edit{file(O, 6, "F")}, []string{"dropbox-upload 101 as 6/F (101)"}},
		{"a suffix that is taken is not taken again", []edit{file(O, 6, "f (102)"), file(O, 6, "f")},
			[]string{"dropbox-upload 101 as 6/f (102)", "dropbox-upload 102 as 6/f (102-2)"}},
		{"a name is given up before it is taken", []edit{rename(O, 21, "x"), file(O, 6, "f")},
			[]string{"dropbox-move 21 as 6/x", "dropbox-upload 101 as 6/f"}},
		{"a removed file gives up its name first", []edit{remove(O, 21), file(O, 6, "f")},
			[]string{"dropbox-delete 21", "dropbox-upload 101 as 6/f"}},
		{"two names are swapped through a third", []edit{rename(O, 21, "g"), rename(O, 22, "f")},
			[]string{"dropbox-move 21 as 6/.odbxfs-moving-21", "dropbox-move 22 as 6/f", "dropbox-move 21 as 6/g"}},
		{"a folder takes the place of the one that it leaves", []edit{move(O, 7, 3), rename(O, 7, "sub"), rename(O, 6, "old")},
			[]string{"dropbox-move 6 as 3/old", "dropbox-move 7 as 3/sub"}},
		{"a folder goes into one that lay in it, once that is out", []edit{move(O, 7, 3), rename(O, 7, "Default"), remove(O, 5), move(O, 6, 7)},
			[]string{"dropbox-delete 5", "dropbox-move 7 as 3/Default", "dropbox-move 6 as 7/sub"}},

		// Backward.
		{"a file new in Dropbox is created in Odoo", []edit{file(D, 3, "a.pdf")}, []string{"odoo-create 101 as 3/a.pdf"}},
		{"a file beside record folders is a document of the rule", []edit{file(D, 2, "a.pdf")}, []string{"odoo-create 101 as 2/a.pdf"}},
		{"a folder tree new in Dropbox is made from above", []edit{folder(D, 3, "d"), folder(D, 101, "e"), file(D, 102, "a")},
			[]string{"odoo-mkdir 101 as 3/d", "odoo-mkdir 102 as 101/e", "odoo-create 103 as 102/a"}},
		{"a file changed in Dropbox changes in Odoo", []edit{write(D, 21)}, []string{"odoo-update 21"}},
		{"a file renamed in Dropbox keeps its attachment", []edit{rename(D, 21, "x")}, []string{"odoo-move 21 as 6/x"}},
		{"a file moved to another record in Dropbox keeps its attachment", []edit{move(D, 22, 4)}, []string{"odoo-move 22 as 4/g"}},
		{"a subfolder moved in Dropbox is one move", []edit{move(D, 6, 4)}, []string{"odoo-move 6 as 4/sub"}},
		{"two names swapped in Dropbox are two renames", []edit{rename(D, 21, "x"), rename(D, 22, "f"), rename(D, 21, "g")},
			[]string{"odoo-move 21 as 6/g", "odoo-move 22 as 6/f"}},
		{"a file removed in Dropbox is removed in Odoo", []edit{remove(D, 21)}, []string{"odoo-delete 21"}},
		{"a subfolder removed in Dropbox goes after what was in it", []edit{remove(D, 6)},
			[]string{"odoo-delete 20", "odoo-delete 7", "odoo-delete 21", "odoo-delete 22", "odoo-delete 6"}},
		{"a record folder removed in Dropbox comes back, its default subfolder too, without its files", []edit{remove(D, 3)},
			[]string{"dropbox-mkdir 3 as 2/S1", "dropbox-mkdir 5 as 3/Default", "odoo-delete 20", "odoo-delete 7", "odoo-delete 21", "odoo-delete 22", "odoo-delete 6"}},
		{"a rule folder removed in Dropbox comes back", []edit{move(D, 3, 8), move(D, 4, 8), remove(D, 2)},
			[]string{"dropbox-mkdir 2 as 1/Sales", "dropbox-move 3 as 2/S1", "dropbox-move 4 as 2/S2"}},
		{"a record folder renamed in Dropbox is named back", []edit{rename(D, 3, "mine")}, []string{"dropbox-move 3 as 2/S1"}},
		{"a record folder moved in Dropbox is moved back", []edit{move(D, 3, 8)}, []string{"dropbox-move 3 as 2/S1"}},

		// Both.
		{"changed on both sides: Dropbox's is kept beside Odoo's", []edit{write(O, 21), write(D, 21)},
			[]string{"dropbox-keep 21 as 6/f (conflicted copy)", "dropbox-upload 21"}},
		{"placed differently on both sides: Odoo's holds", []edit{move(O, 22, 4), move(D, 22, 8)}, []string{"dropbox-move 22 as 4/g"}},
		{"placed equally on both sides: agreed", []edit{move(O, 22, 4), move(D, 22, 4)}, []string{"settle 22"}},
		{"moved here, changed there: both", []edit{move(O, 22, 4), write(D, 22)}, []string{"dropbox-move 22 as 4/g", "odoo-update 22"}},
		{"changed in Odoo, moved in Dropbox: both", []edit{write(O, 22), move(D, 22, 4)}, []string{"odoo-move 22 as 4/g", "dropbox-upload 22"}},
		{"changed in Odoo, removed in Dropbox: uploaded as new", []edit{write(O, 21), remove(D, 21)}, []string{"dropbox-upload 21 as 6/f"}},
		{"moved in Odoo, removed in Dropbox: uploaded as new", []edit{move(O, 22, 4), remove(D, 22)}, []string{"dropbox-upload 22 as 4/g"}},
		{"removed in Odoo, changed in Dropbox: comes back", []edit{remove(O, 21), write(D, 21)}, []string{"odoo-create 21 as 6/f"}},
		{"removed in Odoo, moved in Dropbox: removed", []edit{remove(O, 22), move(D, 22, 4)}, []string{"dropbox-delete 22"}},
		{"removed on both sides: forgotten", []edit{remove(O, 22), remove(D, 22)}, []string{"forget 22"}},
		{"folder removed in Odoo, file in it changed in Dropbox: both come back", []edit{remove(O, 6), write(D, 21)},
			[]string{"odoo-mkdir 6 as 3/sub", "odoo-create 21 as 6/f", "dropbox-delete 20", "dropbox-delete 7", "dropbox-delete 22"}},
		{"folder removed in Dropbox, file in it new in Odoo: the folder comes back", []edit{remove(D, 7), file(O, 7, "n")},
			[]string{"dropbox-mkdir 7 as 6/inner", "dropbox-upload 101 as 7/n", "odoo-delete 20"}},
		{"folder renamed in Odoo, removed in Dropbox: the folder comes back without its files", []edit{rename(O, 7, "x"), remove(D, 7)},
			[]string{"dropbox-mkdir 7 as 6/x", "odoo-delete 20"}},
		{"record removed in Odoo, file new in Dropbox: the folder is a free one", []edit{remove(O, 4), file(D, 4, "n")},
			[]string{"odoo-mkdir 4 as 2/S2", "odoo-create 101 as 4/n", "dropbox-delete 23"}},
		{"new on both sides under one name: Odoo's keeps it", []edit{file(O, 3, "a.pdf"), file(D, 3, "A.pdf")},
			[]string{"dropbox-move 102 as 3/A (conflicted copy).pdf", "dropbox-upload 101 as 3/a.pdf", "odoo-create 102 as 3/A (conflicted copy).pdf"}},
		{"new folders of one name on both sides are one", []edit{folder(O, 3, "d"), folder(D, 3, "D"), file(O, 101, "a"), file(D, 102, "b")},
			[]string{"dropbox-upload 103 as 101/a", "odoo-create 104 as 101/b", "settle 101"}},
		{"a folder and a file under one name are two", []edit{folder(O, 3, "d"), file(D, 3, "d")},
			[]string{"dropbox-move 102 as 3/d (conflicted copy)", "dropbox-mkdir 101 as 3/d", "odoo-create 102 as 3/d (conflicted copy)"}},
		{"a record folder that was made again in Dropbox is the same", []edit{remove(D, 4), folder(D, 2, "S2"), file(D, 101, "n")},
			[]string{"odoo-create 102 as 4/n", "settle 4", "odoo-delete 23"}},
		{"a name taken by both: Dropbox's gives way", []edit{rename(O, 21, "x"), rename(D, 22, "x")},
			[]string{"dropbox-move 22 as 6/x (conflicted copy)", "dropbox-move 21 as 6/x", "odoo-move 22 as 6/x (conflicted copy)"}},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			w := base()
			for i, e := range c.edits {
				if !w.apply(e, i) {
					t.Fatalf("can't %v", e)
				}
			}
			tasks, _ := w.plan(Policy{Client: mirrorOnly})
			if got := describeAll(tasks); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if _, err := w.converge(Policy{Client: mirrorOnly}); err != nil {
				t.Error(err)
			}
		})
	}
}

// Odoo moves 6 into 9 while Dropbox moves 9 into 6.
func TestOdooWinsCircles(t *testing.T) {
	w := base()
	w.putOdoo(9, 4, odbxfs.FolderRef(9), odbxfs.RoleSubfolder, "other", "")
	w.putDropbox(9, 4, "other", "")
	w.settle(9)
	for i, e := range []edit{move(O, 6, 9), move(D, 9, 6)} {
		if !w.apply(e, i) {
			t.Fatal(e)
		}
	}
	tasks, _ := w.plan(Policy{Client: mirrorOnly})
	want := []string{"dropbox-move 9 as 4/other", "dropbox-move 6 as 9/sub"}
	if got := describeAll(tasks); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if _, err := w.converge(Policy{Client: mirrorOnly}); err != nil {
		t.Error(err)
	}
}

// TestStates is about what no edit of a tree can say.
func TestStates(t *testing.T) {
	const other odbxfs.ClientID = 8
	mirror, convert := Policy{Client: mirrorOnly}, Policy{Client: converting}
	for _, c := range []struct {
		sentence string
		set      func(*world)
		pol      Policy
		want     []string
	}{
		{"a settled binary is converted", nil, convert, []string{"odoo-convert 24", "odoo-convert 23", "odoo-convert 21", "odoo-convert 22", "odoo-convert 20"}},
		{"without a chosen link policy nothing is converted", nil, Policy{Client: odbxfs.CloudClient{ID: client, Convert: odbxfs.ConvertDefault}}, nil},
		{"what Odoo reads again is not converted", func(w *world) {
			for _, id := range []odbxfs.NodeID{20, 21, 22, 23} {
				p := w.pairs[id]
				p.Retained = "an image"
				w.pairs[id] = p
			}
		}, convert, []string{"odoo-convert 24"}},
		{"a changed binary is uploaded, not converted", func(w *world) {
			w.reduce(24)
			w.apply(write(O, 24), 0)
		}, convert, []string{"dropbox-upload 24"}},
		{"a binary of another rev is agreed upon first", func(w *world) {
			w.reduce(24)
			d := w.dropbox[24]
			d.Rev = "moved and back"
			w.dropbox[24] = d
		}, convert, []string{"settle 24"}},
		{"a link's hints are nothing", func(w *world) {
			w.link(21)
			w.settle(21)
			change(w, 21, func(n *odbxfs.OdooNode) { n.SHA1 = "forged" })
		}, mirror, nil},
		{"a link removed in Dropbox is removed, though it was renamed", func(w *world) {
			w.link(21)
			w.settle(21)
			w.apply(rename(O, 21, "x"), 0)
			w.apply(remove(D, 21), 1)
		}, mirror, []string{"odoo-delete 21"}},
		{"a link emptied in Odoo gets its bytes back", func(w *world) {
			w.link(21)
			w.settle(21)
			change(w, 21, func(n *odbxfs.OdooNode) { n.Type, n.SHA1, n.Size = odbxfs.Binary, "", 0 })
		}, mirror, []string{"odoo-update 21"}},
		{"an empty file put over a link is new content", func(w *world) {
			w.link(21)
			w.settle(21)
			change(w, 21, func(n *odbxfs.OdooNode) { n.Type, n.SHA1, n.Size = odbxfs.Binary, odbxfs.EmptySHA1, 0 })
		}, mirror, []string{"dropbox-upload 21"}},
		{"a copy gets a file of its own", func(w *world) {
			w.putOdoo(30, 4, odbxfs.AttachmentRef(30), odbxfs.RoleNone, "f2", "x")
			change(w, 30, func(n *odbxfs.OdooNode) { n.Type, n.URL = odbxfs.Copy, "https://dropbox/id:21" })
		}, mirror, []string{"dropbox-upload 30 as 4/f2"}},
		{"a copy that has its own file gets its own address", func(w *world) {
			w.reduce(21)
			change(w, 21, func(n *odbxfs.OdooNode) { n.Type, n.URL, n.SHA1, n.Size = odbxfs.Copy, "https://dropbox/id:22", "", 0 })
		}, convert, []string{"odoo-convert 21"}},
		{"a copy that has its own file rests where nothing is converted", func(w *world) {
			change(w, 21, func(n *odbxfs.OdooNode) { n.Type, n.URL, n.SHA1, n.Size = odbxfs.Copy, "https://dropbox/id:22", "", 0 })
		}, mirror, nil},
		{"a link that is not paired here yet waits", func(w *world) { w.link(21); delete(w.pairs, 21) }, mirror, nil},
		{"a foreign url is left alone", func(w *world) {
			w.putOdoo(30, 4, odbxfs.AttachmentRef(30), odbxfs.RoleNone, "web", "x")
			change(w, 30, func(n *odbxfs.OdooNode) { n.Type = odbxfs.Foreign })
		}, mirror, nil},
		{"a foreign url keeps its folder in Odoo", func(w *world) {
			w.putOdoo(30, 7, odbxfs.AttachmentRef(30), odbxfs.RoleNone, "web", "x")
			change(w, 30, func(n *odbxfs.OdooNode) { n.Type = odbxfs.Foreign })
			w.apply(remove(D, 7), 0)
		}, mirror, []string{"dropbox-mkdir 7 as 6/inner", "odoo-delete 20"}},
		{"an attachment that became foreign lets its file go", func(w *world) {
			change(w, 21, func(n *odbxfs.OdooNode) { n.Type = odbxfs.Foreign })
		}, mirror, []string{"dropbox-delete 21"}},
		{"another client's nodes are not ours", func(w *world) {
			w.putOdoo(30, 1, odbxfs.RuleRef(9), odbxfs.RoleRule, "Other", "")
			w.putOdoo(31, 30, odbxfs.AttachmentRef(31), odbxfs.RoleNone, "a", "x")
			for _, id := range []odbxfs.NodeID{30, 31} {
				change(w, id, func(n *odbxfs.OdooNode) { n.Client = other })
			}
		}, mirror, nil},
		{"a link given to another client gets its bytes back first", func(w *world) {
			w.link(21)
			w.settle(21)
			change(w, 21, func(n *odbxfs.OdooNode) { n.Client = other })
		}, mirror, []string{"odoo-restore 21"}},
		{"a binary given to another client leaves this one", func(w *world) {
			change(w, 21, func(n *odbxfs.OdooNode) { n.Client = other })
		}, mirror, []string{"dropbox-delete 21"}},
		{"what another client has not let go of waits, and so does what comes into it", func(w *world) {
			p, d := w.pairs[6], w.dropbox[6]
			p.Client, d.Client = other, other
			w.pairs[6], w.dropbox[6] = p, d
			w.putOdoo(30, 6, odbxfs.AttachmentRef(30), odbxfs.RoleNone, "new", "x")
		}, mirror, nil},
		{"what another client let go of is new to this one", func(w *world) {
			p := w.pairs[21]
			p.Client, p.Gone = other, true
			w.pairs[21] = p
			delete(w.dropbox, 21)
		}, mirror, []string{"dropbox-upload 21 as 6/f"}},
		{"what is given to no client stays as it is", func(w *world) {
			change(w, 21, func(n *odbxfs.OdooNode) { n.Client = 0 })
		}, mirror, nil},
		{"what Dropbox moves where this client has nothing in Odoo is moved back", func(w *world) {
			change(w, 8, func(n *odbxfs.OdooNode) { n.Client = 0 })
			w.apply(move(D, 22, 8), 0)
		}, mirror, []string{"dropbox-move 22 as 6/g"}},
		{"of one name the lower id in Odoo keeps it, whatever the store's ids", func(w *world) {
			w.putOdoo(40, 3, odbxfs.AttachmentRef(90), odbxfs.RoleNone, "a", "x")
			w.putOdoo(41, 3, odbxfs.AttachmentRef(80), odbxfs.RoleNone, "a", "y")
		}, mirror, []string{"dropbox-upload 40 as 3/a (90)", "dropbox-upload 41 as 3/a"}},
		{"without a content hash a new rev is new content", func(w *world) {
			d := w.dropbox[21]
			d.ContentHash, d.Rev = "", "another"
			w.dropbox[21] = d
		}, mirror, []string{"odoo-update 21"}},
		{"bytes whose checksum was never agreed upon are sent, which agrees on it", func(w *world) {
			w.reduce(24)
			p := w.pairs[24]
			p.SHA1 = ""
			w.pairs[24] = p
		}, convert, []string{"dropbox-upload 24"}},
		{"as many bytes put over a link that came from Dropbox are new content", func(w *world) {
			w.link(21)
			w.settle(21)
			p := w.pairs[21]
			p.SHA1 = ""
			w.pairs[21] = p
			change(w, 21, func(n *odbxfs.OdooNode) { n.Type, n.URL, n.SHA1, n.Size = odbxfs.Binary, "", sha1Of("other"), p.Size })
		}, mirror, []string{"dropbox-upload 21"}},
		{"a row without a checksum is as its size", func(w *world) {
			change(w, 21, func(n *odbxfs.OdooNode) { n.SHA1 = "" })
			change(w, 22, func(n *odbxfs.OdooNode) { n.SHA1, n.Size = "", n.Size+1 })
		}, mirror, []string{"dropbox-upload 22"}},
		{"a move in Dropbox leaves a name in Odoo that Dropbox can't take", func(w *world) {
			w.apply(rename(O, 22, "a/b"), 0)
			d := w.dropbox[22]
			d.Name = "a_b"
			w.dropbox[22] = d
			w.settle(22)
			w.apply(move(D, 22, 4), 1)
		}, mirror, []string{"odoo-move 22 as 4/a/b"}},
		{"nothing of Odoo is known: nothing is planned", func(w *world) { clear(w.odoo) }, mirror, nil},
		{"what has no bytes stays in Dropbox", func(w *world) {
			w.putDropbox(30, 3, "notes.paper", "x")
			d := w.dropbox[30]
			d.CloudOnly = true
			w.dropbox[30] = d
		}, mirror, nil},
		{"removed in Odoo, says the pair from Odoo: removed in Dropbox", func(w *world) {
			w.bury(21)
			delete(w.odoo, 21)
		}, mirror, []string{"dropbox-delete 21"}},
		{"restored in Dropbox after its end: new", func(w *world) {
			w.bury(21)
			delete(w.odoo, 21)
			w.putDropbox(21, 6, "f", "old21")
		}, mirror, []string{"odoo-create 21 as 6/f"}},
		{"left under a temporary name: named as Odoo has it", func(w *world) {
			d, p := w.dropbox[21], w.pairs[21]
			d.Name, p.DropboxName = ".odbxfs-moving-21", ".odbxfs-moving-21"
			w.dropbox[21], w.pairs[21] = d, p
		}, mirror, []string{"dropbox-move 21 as 6/f"}},
		{"left under the temporary name of a store that was lost: named as Odoo has it", func(w *world) {
			d := w.dropbox[21]
			d.Name = ".odbxfs-moving-9999"
			w.dropbox[21] = d
		}, mirror, []string{"dropbox-move 21 as 6/f"}},
		{"removed in Odoo, changed in Dropbox, left under a temporary name: the name of before", func(w *world) {
			delete(w.odoo, 21)
			w.putDropbox(21, 6, ".ODBXFS-moving-9999", "new")
		}, mirror, []string{"dropbox-move 21 as 6/f", "odoo-create 21 as 6/f"}},
		{"a name that only looks temporary is somebody's", func(w *world) {
			d := w.dropbox[21]
			d.Name = ".odbxfs-moving-on"
			w.dropbox[21] = d
		}, mirror, []string{"odoo-move 21 as 6/.odbxfs-moving-on"}},
		{"equal content that meets is one file", func(w *world) {
			w.putOdoo(30, 4, odbxfs.AttachmentRef(30), odbxfs.RoleNone, "same", "x")
			w.putDropbox(31, 4, "same", "x")
		}, Policy{Client: mirrorOnly, Same: map[odbxfs.SHA1]odbxfs.ContentHash{sha1Of("x"): hashOf("x")}}, []string{"settle 30"}},
		{"changed equally on both sides: agreed", func(w *world) {
			change(w, 21, func(n *odbxfs.OdooNode) { n.SHA1 = sha1Of("x") })
			d := w.dropbox[21]
			d.ContentHash = hashOf("x")
			w.dropbox[21] = d
		}, Policy{Client: mirrorOnly, Same: map[odbxfs.SHA1]odbxfs.ContentHash{sha1Of("x"): hashOf("x")}}, []string{"settle 21"}},
		{"who is busy is left out, and keeps its name", func(w *world) {
			w.apply(remove(O, 21), 0)
			w.apply(file(O, 6, "f"), 1)
		}, Policy{Client: mirrorOnly, Busy: func(id odbxfs.NodeID) bool { return id == 21 }}, []string{"dropbox-upload 101 as 6/f (101)"}},
		{"both there but never agreed, unequal: kept beside", func(w *world) { delete(w.pairs, 21) }, mirror,
			[]string{"dropbox-keep 21 as 6/f (conflicted copy)", "dropbox-upload 21"}},
		{"reset brings links back and forgets the rest", func(w *world) { w.reduce(24); w.link(24); w.settle(24) },
			Policy{Client: mirrorOnly, Reverse: true}, []string{"odoo-restore 24", "forget 2", "forget 8", "forget 3", "forget 4", "forget 5", "forget 6", "forget 7"}},
		{"reset brings back a link that is in no folder any more", func(w *world) { w.reduce(24); w.link(24); w.settle(24); delete(w.odoo, 24) },
			Policy{Client: mirrorOnly, Reverse: true}, []string{"odoo-restore 24", "forget 2", "forget 8", "forget 3", "forget 4", "forget 5", "forget 6", "forget 7"}},
		{"reset that removes keeps what is still a link, its folder, and what is not ours", func(w *world) {
			w.reduce(24, 23)
			w.link(24)
			w.settle(24)
			w.putDropbox(30, 6, "unknown", "x")
		}, Policy{Client: mirrorOnly, Reverse: true, RemoveRemote: true}, []string{"odoo-restore 24", "forget 2", "forget 8", "forget 3", "forget 4", "forget 5", "dropbox-delete 5",
			"forget 6", "forget 23", "dropbox-delete 23", "dropbox-delete 4", "forget 7", "dropbox-delete 7"}},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			w := base()
			if c.set != nil {
				c.set(w)
			}
			tasks, _ := w.plan(c.pol)
			if got := describeAll(tasks); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// reduce takes all files but these out of the world.
func (w *world) reduce(keep ...odbxfs.NodeID) {
	for _, id := range []odbxfs.NodeID{20, 21, 22, 23, 24} {
		if !slices.Contains(keep, id) {
			delete(w.odoo, id)
			delete(w.dropbox, id)
			delete(w.pairs, id)
		}
	}
}

func TestBusyNodesAreLeftAlone(t *testing.T) {
	w := base()
	for i, e := range []edit{write(O, 21), folder(O, 3, "d"), file(O, 101, "a"), folder(D, 3, "e"), file(D, 103, "b")} {
		if !w.apply(e, i) {
			t.Fatal(e)
		}
	}
	busy := map[odbxfs.NodeID]bool{21: true, 101: true, 103: true}
	tasks, _ := w.plan(Policy{Client: mirrorOnly, Busy: func(id odbxfs.NodeID) bool { return busy[id] }})
	want := []string{"dropbox-upload 102 as 101/a", "odoo-create 104 as 103/b"}
	if got := describeAll(tasks); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Removing a folder takes along what the caller did not name.
func TestOneDirtyFolderIsEnough(t *testing.T) {
	for on, last := range map[side]string{D: "odoo-delete 6", O: "dropbox-delete 6"} {
		w := base()
		w.apply(remove(on, 6), 0)
		o, d, s := w.readers()
		tasks, _ := Plan([]odbxfs.NodeID{6, 6}, o, d, s, Policy{Client: mirrorOnly})
		if got := describeAll(tasks); len(got) != 5 || got[4] != last {
			t.Errorf("got %q, last is to be %q", got, last)
		}
	}
}

// A batch that has one of two rivals finds the other.
func TestOneOfTwoRivalsIsEnough(t *testing.T) {
	for _, edits := range [][]edit{
		{file(O, 3, "a"), file(D, 3, "a")},
		{folder(O, 3, "a"), folder(D, 3, "a")},
	} {
		w := base()
		for i, e := range edits {
			if !w.apply(e, i) {
				t.Fatal(e)
			}
		}
		all, changes := w.plan(Policy{Client: mirrorOnly})
		for _, id := range []odbxfs.NodeID{101, 102} {
			o, d, s := w.readers()
			some, someChanges := Plan([]odbxfs.NodeID{id}, o, d, s, Policy{Client: mirrorOnly})
			if !slices.Equal(describeAll(some), describeAll(all)) || !slices.Equal(someChanges, changes) {
				t.Errorf("%v: from %d alone %v %v, from both %v %v", edits, id, describeAll(some), someChanges, describeAll(all), changes)
			}
		}
	}
}

// What is busy in a removed folder may be about to go itself: the folder waits
// for it, and comes back only for what surely stays.
func TestARemovedFolderWaitsForWhatIsBusyInIt(t *testing.T) {
	for on, back := range map[side]string{D: "dropbox-mkdir 6 as 3/sub", O: "odoo-mkdir 6 as 3/sub"} {
		w := base()
		w.apply(remove(on, 6), 0)
		o, d, s := w.readers()
		all := plannedNodes(o, d, s, 6)
		inside := slices.DeleteFunc(all, func(id odbxfs.NodeID) bool { return id == 6 })
		pol := Policy{Client: mirrorOnly, Busy: func(id odbxfs.NodeID) bool { return slices.Contains(inside, id) }}
		if tasks, _ := Plan([]odbxfs.NodeID{6}, o, d, s, pol); len(tasks) != 0 {
			t.Errorf("removed in %v: got %q while its contents are busy", on, describeAll(tasks))
		}
		other := map[side]side{D: O, O: D}[on]
		w.apply(file(other, 6, "new"), 1)
		o, d, s = w.readers()
		tasks, _ := Plan([]odbxfs.NodeID{6}, o, d, s, pol)
		if got := describeAll(tasks); len(got) == 0 || got[0] != back {
			t.Errorf("removed in %v, with something new in it: got %q, want %q first", on, got, back)
		}
	}
}

// plannedNodes gives the nodes that a plan for one dirty node speaks of.
func plannedNodes(o odbxfs.Reader[odbxfs.OdooNode], d odbxfs.Reader[odbxfs.DropboxNode], s odbxfs.Reader[odbxfs.Pair], dirty odbxfs.NodeID) []odbxfs.NodeID {
	tasks, _ := Plan([]odbxfs.NodeID{dirty}, o, d, s, Policy{Client: mirrorOnly})
	var all []odbxfs.NodeID
	for _, t := range tasks {
		all = append(all, t.Node)
	}
	return all
}
