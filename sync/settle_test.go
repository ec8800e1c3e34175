package sync

import (
	"strings"
	"testing"

	"odbxfs"
)

// A file is written again between the look that found it and its upload: what
// is sent is newer than what the tree knows. That is sent once, and nothing more
// before Odoo was looked at again.
func TestBytesThatOutranTheTreeAreSentOnce(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	ref := r.odoo.addFile(order1, "a.txt", []byte("first"))
	r.until(func() bool { return r.isPending("dropbox: dropbox-upload") })
	r.odoo.write(ref, []byte("second"))
	before := r.dropbox.calls["apply"]
	r.settle()
	r.agree()
	r.mustHave(dir1 + "/a.txt = second")
	if n := r.dropbox.calls["apply"] - before; n != 1 {
		t.Errorf("it was sent %d times", n)
	}
	r.quiet()
}

// A row whose checksum never is that of its bytes (a damaged filestore) is
// parked, and all else goes on.
func TestARowThatLiesAboutItsBytesIsParked(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	ref := r.odoo.addFile(order1, "a.txt", []byte("first"))
	n := r.odoo.nodes[ref]
	n.SHA1 = sha1Of([]byte("never there"))
	r.odoo.put(n)
	r.odoo.addFile(order1, "b.txt", []byte("good"))
	r.settle()
	if why := r.parked(); len(why) != 1 || !strings.Contains(why[0], "a.txt") || !strings.Contains(why[0], "checksum") {
		t.Errorf("parked: %v", why)
	}
	r.mustHave(dir1+"/a.txt = first", dir1+"/b.txt = good")
	if now := r.odoo.nodes[ref]; now.Type != odbxfs.Binary {
		t.Errorf("it is %+v", now)
	}
	r.quiet()
}

// until runs until something holds, moving the clock where nothing else is left
// to do.
func (r *rig) until(ok func() bool) {
	r.t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		if r.run() {
			continue
		}
		if at := r.engine.Wake(); at.After(r.clock) {
			r.clock = at
		}
		r.step(Event{})
	}
	r.t.Fatalf("it does not come to pass\n%s", strings.Join(r.last(40), "\n"))
}

// isPending reports whether a call of this kind is about to be made.
func (r *rig) isPending(what string) bool {
	for _, f := range r.pending {
		if strings.HasPrefix(f.What, what) {
			return true
		}
	}
	return false
}

// A link that came from Dropbox has no agreed checksum. Bytes of the same length
// that someone puts in its place are new all the same, moved or not.
func TestAsManyBytesOverALinkFromDropboxAreNew(t *testing.T) {
	for _, moved := range []bool{false, true} {
		r := newRig(t, 1)
		r.calm()
		r.dropbox.personWrites(dir1+"/a.txt", []byte("one"))
		r.calm()
		ref := r.pick(isFile)
		if moved {
			r.dropbox.personMoves(dir1+"/a.txt", dir2+"/a.txt")
		}
		r.odoo.write(ref, []byte("two"))
		r.settle()
		r.agree()
		if got := files(r.tree()); len(got) != 1 || !strings.HasSuffix(got[0], "/a.txt = two") || r.odoo.nodes[ref].Type != odbxfs.Link {
			t.Errorf("moved %v: there is %v, %+v", moved, got, r.odoo.nodes[ref])
		}
		r.quiet()
	}
}

// A copy that Odoo made leads to the file of its original. Where a person removed
// that in Dropbox before the copy got its own, a person is told so.
func TestACopyWhoseFileIsGoneIsParkedWithTheReason(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
	r.calm()
	r.odoo.duplicate(a, order2, "b.pdf")
	r.dropbox.personRemoves(dir1 + "/a.pdf")
	r.settle()
	if why := r.parked(); len(why) != 1 || !strings.Contains(why[0], "b.pdf") || !strings.Contains(why[0], "no longer in Dropbox") {
		t.Errorf("parked: %v", why)
	}
	r.quiet()
}

// A parked task is about what was there. When a person changes that, it is
// planned anew, without being asked to.
func TestWhatIsParkedIsPlannedAnewWhenItChanges(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	r.faults.op = func(op odbxfs.DropboxOp) error {
		if strings.HasSuffix(op.Path, "/refused") {
			return &odbxfs.Error{Op: "upload", Item: op.Path, Kind: odbxfs.KindName}
		}
		return nil
	}
	ref := r.odoo.addFile(order1, "refused", []byte("one"))
	r.until(func() bool { return len(r.parked()) == 1 })
	r.odoo.relocate(ref, order1, "taken")
	r.until(func() bool { return len(files(r.dropbox.paths())) == 1 })
	r.mustHave(dir1 + "/taken = one")
	if why := r.parked(); len(why) != 0 {
		t.Errorf("still parked: %v", why)
	}
}

// A dry run tells what would be done: what is parked stays for who may do it.
func TestADryRunLeavesWhatIsParked(t *testing.T) {
	dry := false
	r := newRig(t, 1, func(o *Options) { o.OnlyPlan = dry })
	r.calm()
	r.faults.op = func(op odbxfs.DropboxOp) error {
		if strings.HasSuffix(op.Path, "/refused") {
			return &odbxfs.Error{Op: "upload", Item: op.Path, Kind: odbxfs.KindName}
		}
		return nil
	}
	ref := r.odoo.addFile(order1, "refused", []byte("one"))
	r.until(func() bool { return len(r.parked()) == 1 })
	node := r.node(ref)
	dry = true
	r.crash()
	r.odoo.relocate(ref, order1, "taken")
	r.until(func() bool { n := r.odooNode(node); return n != nil && n.Name == "taken" && r.engine.Idle() })
	if why := r.parked(); len(why) != 1 {
		t.Errorf("parked: %v", why)
	}
}

// A folder is removed in Odoo while a file that was put into it in the mount waits
// to be sent: new content beats a bare deletion, so both come back.
func TestAFolderRemovedUnderAWaitingFileComesBack(t *testing.T) {
	for _, record := range []bool{false, true} {
		r := newRig(t, 1)
		dir := "Sales Orders/S00001"
		gone := order1
		if !record {
			gone = r.odoo.addFolder(order1, "sub")
			dir += "/sub"
		}
		r.calm()
		r.odoo.remove(gone)
		r.mountWrites(dir, "a.txt", []byte("mine"))
		r.settle()
		r.agree()
		r.mustHave("/Odoo/" + dir + "/a.txt = mine")
		r.quiet()
	}
}
