package plan

import (
	"slices"
	"testing"

	"odbxfs"
)

// 21 (f) and 22 (g) lie in 6; 21 is busy. Who wants its name waits while it may
// leave, and gets another name where it stays.
func TestWhoWantsANameThatIsBeingLeftWaits(t *testing.T) {
	for _, c := range []struct {
		sentence string
		edits    []edit
		leaves   bool
		want     []string
		waits    []odbxfs.NodeID
	}{
		{"a file renamed to it waits", []edit{rename(O, 22, "f")}, true, []string{}, []odbxfs.NodeID{22}},
		{"a file renamed to it in another case waits", []edit{rename(O, 22, "F")}, true, []string{}, []odbxfs.NodeID{22}},
		{"a file moved there waits", []edit{move(O, 24, 6), rename(O, 24, "f")}, true, []string{}, []odbxfs.NodeID{24}},
		{"a folder renamed to it waits", []edit{rename(O, 7, "f")}, true, []string{}, []odbxfs.NodeID{7}},
		{"a new file waits", []edit{file(O, 6, "f")}, true, []string{}, []odbxfs.NodeID{101}},
		{"a new folder waits, and all that is to be in it", []edit{folder(O, 6, "f"), folder(O, 101, "x"), file(O, 102, "y")}, true,
			[]string{}, []odbxfs.NodeID{101, 102, 103}},
		{"what is in a folder that waits for a rename goes on", []edit{rename(O, 7, "f"), file(O, 7, "new")}, true,
			[]string{"dropbox-upload 101 as 7/new"}, []odbxfs.NodeID{7}},
		{"who wants another name goes on", []edit{rename(O, 22, "x"), file(O, 6, "y")}, true,
			[]string{"dropbox-move 22 as 6/x", "dropbox-upload 101 as 6/y"}, nil},
		{"who wants the name of one that waits goes on", []edit{rename(O, 22, "f"), file(O, 6, "h")}, true,
			[]string{"dropbox-upload 101 as 6/h"}, []odbxfs.NodeID{22}},
		{"who wants the name that one keeps who waits, waits too", []edit{rename(O, 22, "f"), rename(O, 7, "g"), move(O, 24, 6), rename(O, 24, "inner")}, true,
			[]string{}, []odbxfs.NodeID{7, 22, 24}},
		{"in another folder too", []edit{move(O, 23, 6), rename(O, 24, "f"), move(O, 24, 4)}, true, []string{}, []odbxfs.NodeID{23, 24}},
		{"where it stays, the other gets a suffix", []edit{rename(O, 22, "f")}, false, []string{"dropbox-move 22 as 6/f (22)"}, nil},
		{"a new one too", []edit{file(O, 6, "f")}, false, []string{"dropbox-upload 101 as 6/f (101)"}, nil},
		{"a name that Dropbox gave is not waited for", []edit{file(D, 6, "n")}, true, []string{"odoo-create 101 as 6/n"}, nil},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			w := base()
			for i, e := range c.edits {
				if !w.apply(e, i) {
					t.Fatalf("can't %v", e)
				}
			}
			only21 := func(id odbxfs.NodeID) bool { return id == 21 }
			var waits []odbxfs.NodeID
			pol := Policy{Client: mirrorOnly, Busy: only21, Waits: func(id odbxfs.NodeID) { waits = append(waits, id) }}
			if c.leaves {
				pol.Leaves = only21
			}
			tasks, _ := w.plan(pol)
			if got := describeAll(tasks); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if !slices.Equal(waits, c.waits) {
				t.Errorf("%v wait, want %v", waits, c.waits)
			}
		})
	}
}

// Two names change places while one of the two is busy, whatever is seen of it:
// when it is through, both end plain.
func TestSwapsAreWholeWhateverIsBusy(t *testing.T) {
	for _, pair := range [][2]odbxfs.NodeID{{21, 22}, {6, 5}, {3, 4}, {21, 7}, {2, 8}} {
		for _, mover := range pair {
			w := base()
			a, b := w.odoo[pair[0]].Name, w.odoo[pair[1]].Name
			w.apply(rename(O, pair[0], b), 0)
			w.apply(rename(O, pair[1], a), 1)
			busy := func(id odbxfs.NodeID) bool { return id == mover }
			tasks, changes := w.plan(Policy{Client: mirrorOnly, Busy: busy, Leaves: busy})
			if err := w.run(tasks, changes); err != nil {
				t.Fatal(err)
			}
			if _, err := w.converge(Policy{Client: mirrorOnly}); err != nil {
				t.Fatalf("%v, %d busy: %v", pair, mover, err)
			}
			if x, y := w.dropbox[pair[0]].Name, w.dropbox[pair[1]].Name; x != b || y != a {
				t.Errorf("%v, %d busy: called %q and %q, want %q and %q", pair, mover, x, y, b, a)
			}
		}
	}
}
