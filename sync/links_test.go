package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/sync/plan"
)

func (r *rig) url(ref odbxfs.OdooRef) string { return r.odoo.nodes[ref].URL }

// parked gives the reasons of what is parked.
func (r *rig) parked() []string {
	r.t.Helper()
	s, err := r.engine.Status()
	if err != nil {
		r.t.Fatal(err)
	}
	var why []string
	for _, item := range s.Parked {
		why = append(why, item.What+" "+item.Path+": "+item.Reason)
	}
	return why
}

func (r *rig) mustHave(want ...string) {
	r.t.Helper()
	if got := files(r.dropbox.paths()); !slices.Equal(got, want) {
		r.t.Fatalf("Dropbox has\n  %s\nwanted\n  %s\n%s", strings.Join(got, "\n  "), strings.Join(want, "\n  "), r.dump())
	}
}

// Law 1: a link's only bytes are in Dropbox, whether its record is in a rule or
// not. One that left gets them back, and then its file goes. When it comes back
// it is mirrored as any other.
func TestALinkThatLeftItsRuleGetsItsBytesBack(t *testing.T) {
	for seed := range uint64(20) {
		r := newRig(t, seed)
		a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
		r.calm()
		r.odoo.leave(a)
		if seed%2 == 1 {
			r.double = func() bool { return r.rnd.IntN(3) == 0 }
		}
		for range r.rnd.IntN(40) {
			r.run()
		}
		if seed%3 == 0 {
			r.crash()
		}
		r.settle()
		r.mustHave()
		if n := r.odoo.outside[a]; n.Type != odbxfs.Binary || n.URL != "" || string(r.odoo.bytes[a]) != "one" {
			t.Fatalf("seed %d: it is %+v with %q", seed, n, r.odoo.bytes[a])
		}
		if why := r.parked(); len(why) != 0 || len(r.dropbox.links) != 0 {
			t.Fatalf("seed %d: parked %v, links %v", seed, why, r.dropbox.links)
		}
		r.quiet()

		r.odoo.comeBack(a)
		r.settle()
		r.mustHave(dir1 + "/a.pdf = one")
		r.agree()
		r.quiet()
		r.close()
	}
}

// Many that leave at once are asked about, once, before any byte moves.
func TestManyLinksThatLeaveAreAskedAbout(t *testing.T) {
	r := newRig(t, 1, func(o *Options) { o.Guard = plan.GuardPolicy{Most: 2} })
	var all []odbxfs.OdooRef
	for i := range 5 {
		all = append(all, r.odoo.addFile(order1, fmt.Sprint("f", i), fmt.Append(nil, "text ", i)))
	}
	r.calm()
	for _, a := range all {
		r.odoo.leave(a)
	}
	r.settle()
	if s, err := r.engine.Status(); err != nil || len(s.Held) != 5 || len(files(r.dropbox.paths())) != 5 || r.odoo.outside[all[0]].Type != odbxfs.Link {
		t.Fatalf("held %+v, %v; Dropbox has %v", s.Held, err, r.dropbox.paths())
	}
	if n, err := r.engine.Approve(); n != 5 || err != nil {
		t.Fatalf("%d approved, %v", n, err)
	}
	r.step(Event{})
	r.settle()
	r.mustHave()
	for _, a := range all {
		if n := r.odoo.outside[a]; n.Type != odbxfs.Binary {
			t.Errorf("%s is %+v", a, n)
		}
	}
	r.quiet()
}

func TestABinaryThatLeftItsRuleLeavesDropbox(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.client.Convert = odbxfs.ConvertNone
	a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
	r.calm()
	r.odoo.leave(a)
	r.settle()
	r.mustHave()
	r.quiet()
}

// A folder goes after the file in it whose link has left.
func TestAFolderGoesAfterAFileThatLeft(t *testing.T) {
	r := newRig(t, 1)
	sub := r.odoo.addFolder(order1, "sub")
	a := r.odoo.addFile(sub, "a.pdf", []byte("one"))
	r.calm()
	r.odoo.leave(a)
	r.odoo.remove(sub)
	r.settle()
	r.mustHave()
	if n := r.odoo.outside[a]; n.Type != odbxfs.Binary {
		t.Errorf("it is %+v", n)
	}
	r.agree()
	r.quiet()
}

func TestACopyGetsAFileOfItsOwn(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
	r.calm()
	transfers := r.odoo.calls["content"] + r.dropbox.calls["content"]
	b := r.odoo.duplicate(a, order2, "b.pdf")
	r.settle()
	r.mustHave(dir1+"/a.pdf = one", dir2+"/b.pdf = one")
	if got := r.odoo.calls["content"] + r.dropbox.calls["content"] - transfers; got != 0 {
		t.Errorf("%d transfers for a copy that Dropbox makes by itself", got)
	}
	n, was := r.odoo.nodes[b], r.odoo.nodes[a]
	if n.Type != odbxfs.Link || n.URL == was.URL || n.SHA1 != was.SHA1 || n.Size != 3 {
		t.Fatalf("the copy is %+v", n)
	}
	r.agree()
	r.quiet()

	r.odoo.remove(a)
	r.settle()
	r.mustHave(dir2 + "/b.pdf = one")
	r.agree()
	r.quiet()
}

// The original may go only when the copy has a file of its own, whatever comes
// between.
func TestAnOriginalWaitsForItsCopy(t *testing.T) {
	for seed := range uint64(20) {
		r := newRig(t, seed)
		a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
		r.calm()
		r.odoo.duplicate(a, order2, "b.pdf")
		r.odoo.remove(a)
		lose := 2
		r.faults.after = func(call string) error {
			if lose == 0 || call == "dropbox wait" {
				return nil
			}
			lose--
			return unavailable(call)
		}
		for range 20 {
			r.run()
		}
		r.settle()
		r.mustHave(dir2 + "/b.pdf = one")
		r.agree()
		r.quiet()
		r.close()
	}
}

// A copy of the original's name, in its folder, wants the place of the file that
// it leads to itself: it gets another, and then that file may go.
func TestACopyOfItsOriginalsNameWaitsNotForIt(t *testing.T) {
	for seed := range uint64(10) {
		r := newRig(t, seed)
		a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
		r.calm()
		r.odoo.duplicate(a, order1, "a.pdf")
		r.odoo.remove(a)
		r.settle()
		r.mustHave(dir1 + "/a (102).pdf = one")
		r.quiet()
	}
}

// A copy that was made since the last look at Odoo is found by the next: nobody has
// to be asked.
func TestACopyOfAMomentAgoIsNoneOfElsewhere(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
	r.calm()
	twin := r.odoo.nodes[a]
	r.odoo.remove(a)
	r.until(func() bool { return r.isPending("dropbox: dropbox-delete") })
	r.odoo.nodes[a] = twin
	r.odoo.duplicate(a, order2, "b.pdf")
	delete(r.odoo.nodes, a)
	r.settle()
	if why := r.parked(); len(why) > 0 {
		t.Fatalf("parked: %v", why)
	}
	r.mustHave(dir2 + "/b.pdf = one")
	r.agree()
	r.quiet()
}

func TestAFileToWhichACopyElsewhereLeadsStays(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
	r.calm()
	r.odoo.outside[odbxfs.AttachmentRef(9000)] = odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(9000), URL: r.url(a)}
	r.odoo.remove(a)
	r.settle()
	r.mustHave(dir1 + "/a.pdf = one")
	if why := r.parked(); len(why) != 1 || !strings.Contains(why[0], "att:9000") {
		t.Fatalf("parked: %v", why)
	}
	delete(r.odoo.outside, odbxfs.AttachmentRef(9000))
	if n, err := r.engine.Retry(); n != 1 || err != nil {
		t.Fatalf("%d taken up again, %v", n, err)
	}
	r.step(Event{})
	r.settle()
	r.mustHave()
	r.quiet()
}

// reset runs a reset by the engine's own loop.
func (r *rig) reset(opt ResetOptions) ResetReport {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r.close()
	r.real = true
	r.open()
	report, err := r.engine.Reset(ctx, time.After, "main", opt)
	if err != nil || ctx.Err() != nil {
		r.t.Fatal(errors.Join(err, ctx.Err()))
	}
	return report
}

func TestResetRevokesOurLinks(t *testing.T) {
	for _, remove := range []bool{false, true} {
		t.Run(fmt.Sprintf("remove remote %v", remove), func(t *testing.T) {
			r := newRig(t, 1)
			a := r.odoo.addFile(order1, "a", []byte("a"))
			r.odoo.addFile(order1, "b", []byte("b"))
			r.odoo.addFile(order2, "gone before", []byte("c"))
			r.calm()
			r.odoo.remove(r.pick(func(n odbxfs.OdooNode) bool { return n.Name == "gone before" }))
			r.settle()
			copied := r.odoo.duplicate(a, order2, "copy of a")
			report := r.reset(ResetOptions{RemoveRemote: remove})
			want := ResetReport{Restored: 3, Revoked: 2, Removed: report.Removed, Remote: report.Remote}
			if fmt.Sprint(report) != fmt.Sprint(want) {
				t.Errorf("report %+v", report)
			}
			if remove == (report.Removed == 0) || !remove == (report.Remote == 0) {
				t.Errorf("removed %d, left %d", report.Removed, report.Remote)
			}
			if len(r.dropbox.links) != 1 { // of the file that is gone
				t.Errorf("shared links are left: %v", r.dropbox.links)
			}
			for _, ref := range []odbxfs.OdooRef{a, copied} {
				if n := r.odoo.nodes[ref]; n.Type != odbxfs.Binary || n.URL != "" || string(r.odoo.bytes[ref]) != "a" {
					t.Errorf("%s is %+v with %q", ref, n, r.odoo.bytes[ref])
				}
			}
		})
	}
}

func TestResetKeepsASharedLinkThatADocumentElsewhereHas(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.addFile(order1, "a", []byte("a"))
	r.calm()
	url := r.url(a)
	r.odoo.outside[odbxfs.AttachmentRef(9000)] = odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(9000), URL: url}
	report := r.reset(ResetOptions{RemoveRemote: true})
	if report.Shared != 1 || report.Revoked != 0 || report.Restored != 1 || len(report.Parked) != 1 {
		t.Errorf("report %+v", report)
	}
	if !r.dropbox.links[url] || len(files(r.dropbox.paths())) != 1 {
		t.Errorf("links %v, files %v", r.dropbox.links, r.dropbox.paths())
	}
}

// A restore whose answer is lost still ends in the revoking of its link.
func TestResetWithLostAnswersRevokesTheLinks(t *testing.T) {
	r := newRig(t, 1)
	for i := range 3 {
		r.odoo.addFile(order1, fmt.Sprint("f", i), fmt.Append(nil, "text ", i))
	}
	r.calm()
	lost := 0
	r.faults.after = func(call string) error {
		if (call == "odoo apply" || call == "dropbox unlink") && lost < 3 {
			lost++
			return unavailable(call)
		}
		return nil
	}
	report := r.reset(ResetOptions{})
	if len(r.dropbox.links) != 0 || report.Links != 0 || lost != 3 {
		t.Errorf("lost %d, links left %v, report %+v", lost, r.dropbox.links, report)
	}
}

// A reset finds links that left our folders, too.
func TestResetRestoresALinkThatLeft(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.addFile(order1, "left", []byte("one"))
	b := r.odoo.addFile(order1, "removed", []byte("two"))
	r.calm()
	r.close() // nobody sees what happens now
	r.odoo.leave(a)
	r.odoo.remove(b)
	report := r.reset(ResetOptions{})
	if n := r.odoo.outside[a]; n.Type != odbxfs.Binary || n.URL != "" || string(r.odoo.bytes[a]) != "one" || len(report.Parked) != 0 {
		t.Errorf("it is %+v, report %+v", n, report)
	}
	for _, p := range r.odoo.pairs {
		if !p.Gone {
			t.Errorf("the pair %+v is left", p)
		}
	}
}

// A copy whose original is gone waits for a person; a file that somebody puts at its
// place in Dropbox is none of its making, and waits for nobody.
func TestAFileAtThePlaceOfACopyThatWaitsIsMirrored(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
	r.calm()
	r.dropbox.personRemoves(dir1 + "/a.pdf")
	r.odoo.duplicate(a, order2, "b.pdf")
	r.settle()
	if why := r.parked(); len(why) != 1 {
		t.Fatalf("parked: %v", why)
	}
	r.dropbox.personWrites(dir2+"/b.pdf", []byte("two"))
	r.settle()
	found := false
	for _, n := range r.odoo.nodes {
		found = found || n.ParentRef == order2 && n.Type == odbxfs.Link && string(r.dropbox.bytes[linkedID(n.URL)]) == "two"
	}
	if !found {
		t.Errorf("Odoo has %v", r.tree())
	}
}
