package sync

import (
	"slices"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// opsOf says which writes an intent takes, for an inode that is otherwise as
// Odoo has it.
func opsOf(t *testing.T, r *rig, was odbxfs.OdooNode, change func(*odbxfs.Inode, *odbxfs.Intent, *job)) []odbxfs.OdooOp {
	t.Helper()
	j := job{in: odbxfs.Intent{Node: 7, Key: "key", Was: was}, parent: was.ParentRef,
		node: odbxfs.Inode{Node: 7, Name: odbxfs.MountName(was.Name), Kind: was.Kind, MTime: was.MTime}}
	change(&j.node, &j.in, &j)
	var ops []odbxfs.OdooOp
	if err := r.store.View(func(tx *cache.Tx) error {
		ops = r.engine.changeOps(tx, j)
		return tx.Err()
	}); err != nil {
		t.Fatal(err)
	}
	return ops
}

// Place, then bytes, then mtime alone; each expects what the one before it made.
func TestTheWritesOfAnIntent(t *testing.T) {
	r := newRig(t, 1)
	was := odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(9), ParentRef: order1, Name: "a.txt", Kind: odbxfs.File, Type: odbxfs.Binary,
		SHA1: "old", Size: 3, MTime: r.clock}
	later := r.clock.Add(time.Hour)
	type change = func(*odbxfs.Inode, *odbxfs.Intent, *job)
	rename := func(n *odbxfs.Inode, _ *odbxfs.Intent, _ *job) { n.Name = "b.txt" }
	move := func(_ *odbxfs.Inode, _ *odbxfs.Intent, j *job) { j.parent = order2 }
	write := func(_ *odbxfs.Inode, in *odbxfs.Intent, _ *job) { in.Content, in.ContentSHA1 = "c", "new" }
	touch := func(n *odbxfs.Inode, _ *odbxfs.Intent, _ *job) { n.MTime = later }
	for _, c := range []struct {
		what    string
		changes []change
		want    []odbxfs.OdooOpKind
	}{
		{"nothing", nil, nil},
		{"renamed", []change{rename}, []odbxfs.OdooOpKind{odbxfs.OdooRelocate}},
		{"renamed and moved", []change{rename, move}, []odbxfs.OdooOpKind{odbxfs.OdooRelocate}},
		{"written", []change{write}, []odbxfs.OdooOpKind{odbxfs.OdooWriteContent}},
		{"written at another time", []change{write, touch}, []odbxfs.OdooOpKind{odbxfs.OdooWriteContent}},
		{"touched", []change{touch}, []odbxfs.OdooOpKind{odbxfs.OdooHint}},
		{"moved and touched", []change{move, touch}, []odbxfs.OdooOpKind{odbxfs.OdooRelocate, odbxfs.OdooHint}},
		{"renamed and written", []change{rename, write}, []odbxfs.OdooOpKind{odbxfs.OdooRelocate, odbxfs.OdooWriteContent}},
	} {
		ops := opsOf(t, r, was, func(n *odbxfs.Inode, in *odbxfs.Intent, j *job) {
			for _, f := range c.changes {
				f(n, in, j)
			}
		})
		var kinds []odbxfs.OdooOpKind
		for _, op := range ops {
			kinds = append(kinds, op.Kind)
		}
		if !slices.Equal(kinds, c.want) {
			t.Errorf("%s: %v, want %v", c.what, kinds, c.want)
		}
		if len(ops) == 2 && (ops[1].Expect.Name != ops[0].Name || ops[1].Expect.ParentRef != ops[0].Parent || ops[1].Expect.SHA1 != "old") {
			t.Errorf("%s: the second expects %+v", c.what, ops[1].Expect)
		}
		if len(ops) > 0 && (ops[0].Expect.Name != "a.txt" || ops[0].Expect.ParentRef != order1) {
			t.Errorf("%s: the first expects %+v", c.what, ops[0].Expect)
		}
	}
}

// The mount shows another name than Odoo's where that can't be one, or two would
// be the same: who writes into such a file renames nothing.
func TestANameThatTheMountShowsIsNoRename(t *testing.T) {
	r := newRig(t, 1)
	for _, c := range []struct {
		odoo, mount string
		same        bool
	}{
		{"a.txt", "a.txt", true},
		{"a/b.txt", odbxfs.MountName("a/b.txt"), true},
		{"a.txt", "a (9).txt", true},
		{"a.txt", "a (8).txt", false},
		{"a.txt", "b.txt", false},
	} {
		was := odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(9), ParentRef: order1, Name: c.odoo, Kind: odbxfs.File, Type: odbxfs.Binary}
		ops := opsOf(t, r, was, func(n *odbxfs.Inode, _ *odbxfs.Intent, _ *job) { n.Name = c.mount })
		if (len(ops) == 0) != c.same {
			t.Errorf("%q shown as %q: %+v", c.odoo, c.mount, ops)
		}
	}
}

// An answer "changed" or "gone" may be that of a repeated write, whose first
// answer was lost.
func TestAWriteThatWasDoneBeforeIsDone(t *testing.T) {
	node := &odbxfs.OdooNode{Name: "b", ParentRef: order2, SHA1: "new", Type: odbxfs.Binary}
	for _, c := range []struct {
		what string
		op   odbxfs.OdooOp
		res  odbxfs.OdooResult
		want odbxfs.Outcome
	}{
		{"what was to go is gone", odbxfs.OdooOp{Kind: odbxfs.OdooRemove}, odbxfs.OdooResult{Outcome: odbxfs.Gone}, odbxfs.Done},
		{"what was to be written is gone", odbxfs.OdooOp{Kind: odbxfs.OdooWriteContent}, odbxfs.OdooResult{Outcome: odbxfs.Gone}, odbxfs.Gone},
		{"it lies where it was to", odbxfs.OdooOp{Kind: odbxfs.OdooRelocate, Name: "b", Parent: order2},
			odbxfs.OdooResult{Outcome: odbxfs.Changed, Node: node}, odbxfs.Done},
		{"it lies elsewhere", odbxfs.OdooOp{Kind: odbxfs.OdooRelocate, Name: "b", Parent: order1},
			odbxfs.OdooResult{Outcome: odbxfs.Changed, Node: node}, odbxfs.Changed},
		{"it has these bytes", odbxfs.OdooOp{Kind: odbxfs.OdooWriteContent, SHA1: "new"},
			odbxfs.OdooResult{Outcome: odbxfs.Changed, Node: node}, odbxfs.Done},
		{"it has others", odbxfs.OdooOp{Kind: odbxfs.OdooWriteContent, SHA1: "mine"},
			odbxfs.OdooResult{Outcome: odbxfs.Changed, Node: node}, odbxfs.Changed},
		{"nobody says what it has", odbxfs.OdooOp{Kind: odbxfs.OdooWriteContent, SHA1: "new"},
			odbxfs.OdooResult{Outcome: odbxfs.Changed}, odbxfs.Changed},
	} {
		if got := alreadyDone(c.op, c.res); got.Outcome != c.want {
			t.Errorf("%s: %d, want %d", c.what, got.Outcome, c.want)
		}
	}
}

// The engine's own conversion changes the row, and not what people have.
func TestSameContentForPeople(t *testing.T) {
	binary := odbxfs.OdooNode{Type: odbxfs.Binary, SHA1: "s"}
	for _, c := range []struct {
		what string
		now  odbxfs.OdooNode
		want bool
	}{
		{"itself", binary, true},
		{"made a link by us", odbxfs.OdooNode{Type: odbxfs.Link, SHA1: "s", URL: "https://x"}, true},
		{"other bytes", odbxfs.OdooNode{Type: odbxfs.Binary, SHA1: "t"}, false},
		{"a link to other bytes", odbxfs.OdooNode{Type: odbxfs.Link, SHA1: "t", URL: "https://x"}, false},
		{"somebody's own address", odbxfs.OdooNode{Type: odbxfs.Foreign, SHA1: "s", URL: "https://x"}, false},
	} {
		if got := sameContent(c.now, binary); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}

// Odoo refuses: the intent is parked with the reason, and retried on request.
func TestWhatOdooRefusesIsParkedAndTriedAgain(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	r.mountWrites("Sales Orders/S00001", "a.txt", []byte("mine"))
	r.mountWrites("Sales Orders/S00002", "b.txt", []byte("others go on"))
	r.odoo.refuse = map[string]odbxfs.ErrorKind{"a.txt": odbxfs.KindAccess}
	r.step(Event{})
	r.settle()
	s, err := r.engine.Status()
	if err != nil || len(s.Parked) != 1 || s.Parked[0].Path != "Sales Orders/S00001/a.txt" && s.Parked[0].Path != "/Sales Orders/S00001/a.txt" || s.Parked[0].Reason == "" {
		t.Fatalf("parked: %+v, %v", s.Parked, err)
	}
	r.mustHave(dir2 + "/b.txt = others go on")
	r.odoo.refuse = nil
	if n, err := r.engine.Retry(s.Parked[0].Node); n != 1 || err != nil {
		t.Fatalf("%d are tried again, %v", n, err)
	}
	r.step(Event{})
	r.settle()
	r.mustHave(dir1+"/a.txt = mine", dir2+"/b.txt = others go on")
	r.agree()
}

// A folder that is empty in the mount is removed there, while Odoo has something in
// it that the mount has not seen: it comes back with that, and what is put into it
// meanwhile goes its way.
func TestAFolderThatIsNotEmptyInOdooIsKept(t *testing.T) {
	for seed := range uint64(6) {
		r := newRig(t, seed)
		sub := r.odoo.addFolder(order1, "sub")
		r.settle()
		r.odoo.addFile(sub, "news", []byte("from Odoo"))
		r.update(func(tx *cache.Tx) error {
			return tx.Rmdir(r.mountDirTx(tx, "Sales Orders/S00001"), "sub")
		})
		r.step(Event{})
		r.settle()
		if why := r.parked(); len(why) != 0 {
			t.Errorf("seed %d: parked: %v", seed, why)
		}
		r.mountWrites("Sales Orders/S00001/sub", "more", []byte("mine"))
		r.step(Event{})
		r.settle()
		r.mustHave(dir1+"/sub/more = mine", dir1+"/sub/news = from Odoo")
		r.agree()
		r.quiet()
	}
}

// A deletion gives way to new content: somebody saved what was to go.
func TestNewContentBeatsADeletionInTheMount(t *testing.T) {
	for seed := range uint64(6) {
		r := newRig(t, seed)
		r.odoo.client.Convert = odbxfs.ConvertNone
		a := r.odoo.addFile(order1, fileName(0), []byte("one"))
		r.settle()
		r.removeInMount(0, 1)
		r.odoo.write(a, []byte("saved meanwhile"))
		r.settle()
		r.mustHave(dir1 + "/f00 = saved meanwhile")
		r.agree()
		if len(r.odoo.notes) == 0 && r.odoo.nodes[a].Ref.IsZero() {
			t.Errorf("seed %d: nobody is told", seed)
		}
	}
}

// A create whose answer was lost is found again by its key, as it was made: what
// was written or renamed since is still to be sent.
func TestWhatWasWrittenAfterALostCreateReachesOdoo(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	lost := 0
	r.faults.after = func(call string) error {
		if call == "odoo apply" && lost == 0 {
			lost++
			return unavailable(call)
		}
		return nil
	}
	r.mountWrites("Sales Orders/S00001", "a.txt", []byte("first"))
	r.until(func() bool { return lost > 0 })
	r.mountWrites("Sales Orders/S00001", "a.txt", []byte("second"))
	orders := r.mountDir("Sales Orders/S00001")
	r.update(func(tx *cache.Tx) error { return tx.Rename(orders, "a.txt", orders, "b.txt", 0) })
	r.settle()
	r.agree()
	r.mustHave(dir1 + "/b.txt = second")
	r.quiet()
}

// Odoo's bytes changed while a rename was on its way, and someone wrote in the
// mount before he could see them: nobody's are lost.
func TestBytesWrittenWhileARenameMeetsOthersStandBesideThem(t *testing.T) {
	for before := range 12 {
		r := newRig(t, uint64(before))
		a := r.odoo.addFile(order1, "a.txt", []byte("one"))
		r.calm()
		dir := r.mountDir("Sales Orders/S00001")
		r.odoo.mu.Lock()
		n := r.odoo.nodes[a]
		n.Type, n.URL, n.SHA1, n.Size = odbxfs.Binary, "", sha1Of([]byte("Odoo's")), 6
		r.odoo.bytes[a] = []byte("Odoo's")
		r.odoo.put(n)
		r.odoo.mu.Unlock()
		r.update(func(tx *cache.Tx) error { return tx.Rename(dir, "a.txt", dir, "b.txt", 0) })
		r.step(Event{})
		for range before {
			r.run()
		}
		seen := r.inode("Sales Orders/S00001/b.txt").SHA1 == n.SHA1
		r.mountWrites("Sales Orders/S00001", "b.txt", []byte("the mount's"))
		r.settle()
		r.agree()
		got := strings.Join(files(r.dropbox.paths()), "\n")
		if !strings.Contains(got, "= the mount's") || !seen && !strings.Contains(got, "= Odoo's") {
			t.Errorf("written after %d steps, Odoo's seen %v: Dropbox has\n%s", before, seen, got)
		}
		r.quiet()
	}
}

// Somebody wrote in Odoo into what a create had made whose answer was lost: both
// are kept.
func TestBytesWrittenInOdooAfterALostCreateStay(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	var made odbxfs.OdooRef
	r.faults.after = func(call string) error {
		if call == "odoo apply" && made.IsZero() {
			made = odbxfs.AttachmentRef(r.odoo.lastID)
			return unavailable(call)
		}
		return nil
	}
	r.mountWrites("Sales Orders/S00001", "a.txt", []byte("the mount's"))
	r.until(func() bool { return !made.IsZero() })
	r.odoo.write(made, []byte("Odoo's"))
	r.settle()
	r.agree()
	got := strings.Join(files(r.dropbox.paths()), "\n")
	if !strings.Contains(got, "/a.txt = Odoo's") || !strings.Contains(got, "= the mount's") {
		t.Errorf("Dropbox has\n%s", got)
	}
	r.quiet()
}

// A file is emptied, and while that is on its way it gets the bytes back that Odoo
// had: Odoo has them in the end. Editors and cp do so, by O_TRUNC.
func TestBytesThatComeBackWhileOthersAreOnTheirWayReachOdoo(t *testing.T) {
	for before := range 8 {
		r := newRig(t, uint64(before))
		r.odoo.addFile(order1, "a.txt", []byte("one"))
		r.calm()
		r.mountWrites("Sales Orders/S00001", "a.txt", nil)
		r.step(Event{})
		for range before {
			r.run()
		}
		r.mountWrites("Sales Orders/S00001", "a.txt", []byte("one"))
		r.settle()
		r.agree()
		r.mustHave(dir1 + "/a.txt = one")
		r.quiet()
	}
}
