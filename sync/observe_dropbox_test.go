package sync

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"odbxfs"
)

// Someone takes the whole root away: that is no removal of each file. Everything
// waits until it is back.
func TestARootThatIsGoneRemovesNothing(t *testing.T) {
	for _, restarts := range []int{0, 1, 2} {
		t.Run(fmt.Sprintf("after %d restarts", restarts), func(t *testing.T) { rootGone(t, restarts) })
	}
}

func rootGone(t *testing.T, restarts int) {
	t.Helper()
	r := newRig(t, 1)
	for i := range 8 {
		r.odoo.addFile(order1, fileName(i), fmt.Appendf(nil, "text %d", i))
	}
	r.settle()
	for range restarts {
		r.crash()
		r.settle()
	}
	r.dropbox.rootTo("/Elsewhere")
	r.odoo.addFile(order2, "new", []byte("new"))
	if n := r.while(10*time.Minute, "apply"); n != 0 {
		t.Errorf("%d writes to Dropbox", n)
	}
	if got := files(r.tree()); len(got) != 9 || r.held() != 0 {
		t.Errorf("Odoo has %v, %d are held", got, r.held())
	}
	if why := r.waiting(); len(why) == 0 {
		t.Error("nobody is told")
	}
	r.dropbox.rootTo("/Odoo")
	r.settle()
	if got := files(r.dropbox.paths()); len(got) != 9 || !slices.Contains(got, dir2+"/new = new") {
		t.Errorf("Dropbox has %v", got)
	}
	r.agree()
}

// rootTo moves the client's root folder.
func (d *fakeDropbox) rootTo(p string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, from := range []string{"/Odoo", "/Elsewhere"} {
		if n, there := d.at(from); there {
			d.shift(n, p)
			return
		}
	}
}

// A forgotten cursor costs a listing, and nothing that is there.
func TestAForgottenCursorCostsAListing(t *testing.T) {
	for seed := range uint64(5) {
		r := newRig(t, seed)
		for i := range 8 {
			r.odoo.addFile(order1, fileName(i), fmt.Appendf(nil, "text %d", i))
		}
		r.settle()
		writes := r.dropbox.calls["apply"] + r.odoo.calls["apply"]
		r.dropbox.resets = true
		r.settle()
		if n := r.dropbox.calls["apply"] + r.odoo.calls["apply"] - writes; n != 0 {
			t.Errorf("seed %d: %d writes", seed, n)
		}
		r.agree()
	}
}

// What a listing does not name is gone; what is made while it runs is not.
func TestAListingEndsWhatItDoesNotName(t *testing.T) {
	r := newRig(t, 1)
	for i := range 8 {
		r.odoo.addFile(order1, fileName(i), fmt.Appendf(nil, "text %d", i))
	}
	r.settle()
	r.dropbox.feed = nil // nobody will ever tell of what comes now
	r.dropbox.mu.Lock()
	n, _ := r.dropbox.at(dir1 + "/" + fileName(3))
	r.dropbox.drop(n)
	r.dropbox.feed = nil
	r.dropbox.mu.Unlock()
	r.engine.clients[1].cursor = ""
	r.engine.clients[1].due = true
	r.settle()
	if got := files(r.tree()); len(got) != 7 || slices.Contains(got, dir1+"/f03 = text 3") {
		t.Errorf("Odoo has %v", got)
	}
	r.agree()
}

// An echo of our own write is nobody's change, whenever the feed brings it.
func TestAnEchoOfOurOwnWriteIsNobodysChange(t *testing.T) {
	for seed := range uint64(20) {
		r := newRig(t, seed)
		a := r.odoo.addFile(order1, "a", []byte("one"))
		r.calm()
		r.odoo.write(a, []byte("two"))
		r.forthTo("dropbox: dropbox-upload")
		r.odoo.relocate(a, order1, "b")
		r.settle()
		r.mustHave(dir1 + "/b = two")
		r.agree()
		if n := len(r.odoo.notes); n != 0 {
			t.Errorf("seed %d: notes %v", seed, r.odoo.notes)
		}
		r.quiet()
	}
}

// forthTo runs until an effect is about to start whose words begin so.
func (r *rig) forthTo(what string) {
	r.t.Helper()
	r.until(func() bool { return r.isPending(what) })
}

// Names of Dropbox differ in more than case.
func TestARenameInCaseOnlyIsARename(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.addFile(order1, "offer.txt", []byte("one"))
	r.settle()
	r.dropbox.mu.Lock()
	n, _ := r.dropbox.at(dir1 + "/offer.txt")
	r.dropbox.shift(n, dir1+"/Offer.txt")
	r.dropbox.mu.Unlock()
	r.step(Event{})
	r.settle()
	if got := r.odoo.nodes[a].Name; got != "Offer.txt" {
		t.Errorf("in Odoo it is %q", got)
	}
	r.agree()
}

// A document of Dropbox's own, without bytes, stays where it is.
func TestWhatHasNoBytesStaysInDropboxAlone(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	r.dropbox.mu.Lock()
	r.dropbox.put(odbxfs.DropboxNode{Kind: odbxfs.File, Path: dir1 + "/plan.paper", CloudOnly: true}, nil)
	r.dropbox.mu.Unlock()
	r.settle()
	if got := files(r.tree()); len(got) != 0 {
		t.Errorf("Odoo has %v", got)
	}
	if len(r.parked()) != 0 {
		t.Errorf("parked: %v", r.parked())
	}
	r.quiet()
}

// Dropbox may name what a new folder holds before the folder, on an earlier page.
func TestWhatComesBeforeItsFolderIsNotForgotten(t *testing.T) {
	for _, page := range []int{1, 2, 3, 100} {
		for _, crashes := range []bool{false, true} {
			t.Run(fmt.Sprintf("pages of %d, crash %t", page, crashes), func(t *testing.T) {
				r := newRig(t, uint64(page))
				r.dropbox.page = page
				r.calm()
				r.dropbox.personMakes(dir1 + "/new")
				r.dropbox.personMakes(dir1 + "/new/deep")
				r.dropbox.personWrites(dir1+"/new/deep/a", []byte("a"))
				r.dropbox.personWrites(dir1+"/new/b", []byte("b"))
				r.dropbox.childrenFirst(4)
				if crashes {
					for range 4 {
						r.run() // some pages are read
					}
					r.crash()
				}
				r.settle()
				r.mustHave(dir1+"/new/b = b", dir1+"/new/deep/a = a")
				r.agree()
				r.quiet()
			})
		}
	}
}

// A call may meet a server of Dropbox that has not heard of the file yet: that it
// is gone only the feed says.
func TestAFileThatAMoveDoesNotFindIsNotGone(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.addFile(order1, "a", []byte("a"))
	r.calm()
	r.dropbox.blind = 1
	r.odoo.relocate(a, order1, "b")
	r.clock = r.clock.Add(time.Minute)
	r.step(Event{})
	r.settle()
	r.mustHave(dir1 + "/b = a")
	r.agree()
}
