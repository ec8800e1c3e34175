package sync

import (
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/sync/plan"
)

// while steps the engine for so long on its own clock, and gives how often the
// call was made meanwhile.
func (r *rig) while(d time.Duration, call string) int {
	r.t.Helper()
	before := r.dropbox.calls[call]
	for end := r.clock.Add(d); r.clock.Before(end); {
		if r.run() {
			continue
		}
		at := r.engine.Wake()
		if at.IsZero() || at.After(end) {
			at = end
		}
		r.clock = at
		r.step(Event{})
	}
	return r.dropbox.calls[call] - before
}

// refuse makes a call of Dropbox answer with this error until it is lifted.
func (r *rig) refuse(call string, err *odbxfs.Error) {
	r.faults.before = func(c string) error {
		if c == call {
			return err
		}
		return nil
	}
}

func TestDropboxIsNotAskedBeforeItSaid(t *testing.T) {
	for _, c := range []struct {
		name       string
		err        odbxfs.Error
		rest       time.Duration // in which it is not asked again
		after      time.Duration // within which it is, from the start
		mostCalls  int
		saysToWait string
	}{
		{"a rate limit with its time", odbxfs.Error{Kind: odbxfs.KindRateLimited, RetryAfter: 2 * time.Minute}, 2*time.Minute - time.Second, 3 * time.Minute, 2, "asked to wait"},
		{"a rate limit without one", odbxfs.Error{Kind: odbxfs.KindRateLimited}, 4 * time.Second, 10 * time.Second, 3, "asked to wait"},
		{"a full account", odbxfs.Error{Kind: odbxfs.KindFull}, 4 * time.Minute, 6 * time.Minute, 2, "no space left"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 1)
			r.calm()
			r.refuse("dropbox apply", &c.err)
			r.odoo.addFile(order1, "a", []byte("one"))
			r.step(Event{})
			for r.dropbox.calls["apply"] == 0 || len(r.landed) > 0 || len(r.waiting()) == 0 {
				if r.while(100*time.Millisecond, "apply") > 1 {
					break
				}
			}
			if why := r.waiting(); !strings.Contains(strings.Join(why, "\n"), c.saysToWait) {
				t.Errorf("status says %q", why)
			}
			if got := r.while(c.rest-time.Second, "apply"); got != 0 {
				t.Errorf("asked %d times within %s", got, c.rest)
			}
			if got := r.while(c.after-c.rest+2*time.Second, "apply"); got == 0 || got > c.mostCalls {
				t.Errorf("asked %d times after it", got)
			}
			if len(r.parked()) != 0 {
				t.Errorf("parked: %v", r.parked())
			}
			r.settle()
			r.mustHave(dir1 + "/a = one")
			r.agree()
		})
	}
}

// A link is asked for by a task on Odoo: it waits for Dropbox all the same, and
// does not spin.
func TestLinksAreNotAskedForBeforeDropboxSaid(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	r.refuse("dropbox link", &odbxfs.Error{Kind: odbxfs.KindRateLimited, RetryAfter: 2 * time.Minute})
	for _, name := range []string{"a", "b", "c"} {
		r.odoo.addFile(order1, name, []byte(name))
	}
	r.step(Event{})
	// Twice three: a look that was under way may have lifted the first wait.
	if got := r.while(time.Minute+50*time.Second, "link"); got == 0 || got > 6 {
		t.Errorf("asked %d times before the two minutes were over", got)
	}
	r.settle()
	r.mustHave(dir1+"/a = a", dir1+"/b = b", dir1+"/c = c")
	r.agree()
}

// waiting gives what status says about why nothing moves.
func (r *rig) waiting() []string {
	r.t.Helper()
	s, err := r.engine.Status()
	if err != nil {
		r.t.Fatal(err)
	}
	return s.Waiting
}

// A config that leads to another account stops this client with the reason, and
// nothing is written there.
func TestAnotherDropboxAccountStopsTheClient(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.addFile(order1, "a", []byte("one"))
	r.calm()
	r.dropbox.account = "dbid:2"
	r.crash()
	r.odoo.addFile(order1, "b", []byte("two"))
	if n := r.while(20*time.Minute, "apply") + r.dropbox.calls["unlink"]; n != 0 {
		t.Errorf("%d writes to another account", n)
	}
	if why := strings.Join(r.waiting(), "\n"); !strings.Contains(why, "dbid:2") || !strings.Contains(why, "dbid:1") {
		t.Errorf("status says %q", why)
	}
	s, err := r.engine.Status()
	if err != nil || s.Clients[0].State != StateError {
		t.Errorf("the client is %+v, %v", s.Clients, err)
	}
	r.dropbox.account = "dbid:1"
	r.settle()
	r.mustHave(dir1+"/a = one", dir1+"/b = two")
}

// A second mount sees no pairs: what it knows of a link is its row. An edit in
// Dropbox changes the row visibly, or it would show old bytes for ever.
func TestASecondMountSeesAnEditOfALinkInDropbox(t *testing.T) {
	r := newRig(t, 1)
	r.dropbox.personMakes("/Odoo")
	r.calm()
	r.dropbox.personWrites(dir1+"/born there", []byte("one")) // its row has no checksum
	a := r.odoo.addFile(order1, "born in Odoo", []byte("six"))
	r.calm()
	other := newRig(t, 2, func(o *Options) { o.Ledger, o.Dropbox, o.Odoo = nil, nil, r.odoo })
	other.calm()
	const o1 = "Sales Orders/S00001/"
	born := other.inode(o1 + "born there")
	if n := other.inode(o1 + "born in Odoo"); n.SHA1 != r.odoo.nodes[a].SHA1 {
		t.Fatalf("it is %+v", n)
	}
	for _, text := range []string{"two", "ten"} { // of one size
		for _, name := range []string{"born there", "born in Odoo"} {
			before := other.inode(o1 + name)
			r.dropbox.personWrites(dir1+"/"+name, []byte(text))
			r.calm()
			other.clock = other.clock.Add(time.Minute)
			other.step(Event{})
			other.calm()
			if n := other.inode(o1 + name); n.SHA1 != sha1Of([]byte(text)) || n.SHA1 == before.SHA1 || n.Node != before.Node {
				t.Errorf("%s is %+v, was %+v", name, n, before)
			}
		}
	}
	if other.inode(o1+"born there").Node != born.Node {
		t.Error("it is another node now")
	}
}

func (r *rig) inode(path string) (in odbxfs.Inode) {
	r.t.Helper()
	id := r.mountDir(path)
	if err := r.store.View(func(tx *cache.Tx) error {
		var err error
		in, _, err = tx.Inode(id)
		return err
	}); err != nil {
		r.t.Fatal(err)
	}
	return in
}

// Removals in a client that is being reset are asked for: no guard.
func TestAResetIsNotGuarded(t *testing.T) {
	r := newRig(t, 1, func(o *Options) { o.Guard = plan.GuardPolicy{Most: 1} })
	for _, name := range []string{"a", "b", "c", "d"} {
		r.odoo.addFile(order1, name, []byte(name))
	}
	r.calm()
	if report := r.reset(ResetOptions{RemoveRemote: true}); report.Removed == 0 || len(report.Parked) != 0 {
		t.Errorf("report %+v", report)
	}
	r.mustHave()
}
