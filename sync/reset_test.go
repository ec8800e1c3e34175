package sync

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/sync/plan"
)

// pairsLeft counts the living pairs in Odoo.
func (r *rig) pairsLeft() (n int) {
	for _, p := range r.odoo.pairs {
		if !p.Gone {
			n++
		}
	}
	return n
}

// Deletions that wait for a person keep their pairs; with them `setup --remove`
// would refuse for ever. Who resets has decided: nothing is deleted in Dropbox
// but by --remove-remote, and no pair is left.
func TestResetLetsGoOfWhatWaitsForAPerson(t *testing.T) {
	for _, remove := range []bool{false, true} {
		t.Run(fmt.Sprintf("remove remote %v", remove), func(t *testing.T) {
			r := newRig(t, 1, func(o *Options) { o.Guard = plan.GuardPolicy{Most: 5} })
			var refs []odbxfs.OdooRef
			for i := range 10 {
				refs = append(refs, r.odoo.addFile(order1, fmt.Sprintf("f%d", i), []byte{byte('a' + i)}))
			}
			keep := r.odoo.addFile(order2, "keep", []byte("kept"))
			r.calm()
			for _, ref := range refs {
				r.odoo.remove(ref)
			}
			r.step(Event{})
			r.settle()
			if s, err := r.engine.Status(); err != nil || len(s.Held) != 10 {
				t.Fatalf("%d are held, %v", len(s.Held), err)
			}

			report := r.reset(ResetOptions{RemoveRemote: remove})
			if report.Links != 0 || report.Restored != 1 || len(report.Parked) != 0 {
				t.Errorf("report %+v", report)
			}
			if n := r.odoo.nodes[keep]; n.Type != odbxfs.Binary || string(r.odoo.bytes[keep]) != "kept" {
				t.Errorf("what was a link is %+v", n)
			}
			if n := r.pairsLeft(); n != 0 {
				t.Errorf("%d pairs are left", n)
			}
			want := 11
			if remove {
				want = 0
			}
			if left := files(r.dropbox.paths()); len(left) != want {
				t.Errorf("Dropbox has %v, want %d files", left, want)
			}
			if s, err := r.engine.Status(); err != nil || len(s.Held) != 0 {
				t.Errorf("%d are held still, %v", len(s.Held), err)
			}
		})
	}
}

// letGo runs a reset by name with the engine's own loop, on an engine of its own.
func (r *rig) letGo(name string) (ResetReport, error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r.close()
	r.real = true
	r.open()
	return r.engine.Reset(ctx, time.After, name, ResetOptions{})
}

func TestAResetFindsItsClientByName(t *testing.T) {
	second := odbxfs.CloudClient{ID: 2, Name: "second", Root: "/Second", Links: odbxfs.LinkPublic, Paused: true}
	for _, c := range []struct {
		sentence string
		name     string
		more     []odbxfs.CloudClient
		says     []string // nil: it is let go
	}{
		{"the only one needs no name", "", nil, nil},
		{"one is named", "main", nil, nil},
		{"one of two is named", "main", []odbxfs.CloudClient{second}, nil},
		{"none of two is named", "", []odbxfs.CloudClient{second}, []string{"main", "second"}},
		{"there is no such one", "other", []odbxfs.CloudClient{second}, []string{"other", "main", "second"}},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			r := newRig(t, 1)
			a := r.odoo.addFile(order1, "a", []byte("one"))
			r.calm()
			r.odoo.more = c.more
			writes, lists := r.odoo.calls["apply"]+r.dropbox.calls["apply"], r.odoo.calls["changes"]
			report, err := r.letGo(c.name)
			if c.says == nil {
				if err != nil || report.Restored != 1 || r.odoo.nodes[a].Type != odbxfs.Binary {
					t.Errorf("report %+v, %v", report, err)
				}
				return
			}
			if !odbxfs.IsKind(err, odbxfs.KindMissing) {
				t.Fatalf("got %v", err)
			}
			for _, word := range c.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q is not in %q", word, err)
				}
			}
			if n := r.odoo.calls["apply"] + r.dropbox.calls["apply"] - writes; n != 0 {
				t.Errorf("%d writes", n)
			}
			if n := r.odoo.calls["changes"] - lists; n != 1 {
				t.Errorf("%d looks at Odoo to say so", n)
			}
		})
	}
}

func TestAResetWithoutOdooSaysWhy(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.addFile(order1, "a", []byte("one"))
	r.calm()
	r.faults.before = func(call string) error {
		if call == "odoo changes" {
			return unavailable(call)
		}
		return nil
	}
	if _, err := r.letGo("main"); !odbxfs.IsKind(err, odbxfs.KindUnavailable) {
		t.Errorf("got %v", err)
	}
}

// A client that was reset rests, whoever looks at it: a new process, or one that
// went on. A person takes the pause away; then it is mirrored anew, and what lies
// in Dropbox is not sent again.
func TestAClientThatWasResetRestsUntilAPersonWantsItAgain(t *testing.T) {
	for _, lose := range []bool{false, true} {
		r := newRig(t, 1)
		a := r.odoo.addFile(order1, "a", []byte("one"))
		r.odoo.addFile(order2, "b", []byte("two"))
		r.calm()
		r.reset(ResetOptions{})
		if !r.odoo.client.Paused || !strings.Contains(r.odoo.state, "reset: ") || !strings.Contains(r.odoo.state, "take the pause away") {
			t.Errorf("the client: %+v, %q", r.odoo.client, r.odoo.state)
		}
		if s, err := r.engine.Status(); err != nil || s.Clients[0].Message != wasReset {
			t.Errorf("at its end it says %+v, %v", s.Clients, err)
		}
		revs := []odbxfs.Rev{r.revOf(dir1 + "/a"), r.revOf(dir2 + "/b")}
		r.real, r.dropbox.blocks = false, false
		r.crash()
		r.settle()
		s, err := r.engine.Status()
		if n := r.odoo.nodes[a]; n.Type != odbxfs.Binary || err != nil || s.Clients[0].State != StateReset || s.Clients[0].Message == "" {
			t.Errorf("after a restart: %+v, %+v, %v", n, s.Clients, err)
		}
		if lose {
			r.loseStore()
			r.settle()
		}
		r.odoo.client.Paused = false
		r.settle()
		r.agree()
		r.mustHave(dir1+"/a = one", dir2+"/b = two")
		if now := []odbxfs.Rev{r.revOf(dir1 + "/a"), r.revOf(dir2 + "/b")}; now[0] != revs[0] || now[1] != revs[1] {
			t.Errorf("revs were %v, are %v", revs, now)
		}
		if n := r.odoo.nodes[a]; n.Type != odbxfs.Link {
			t.Errorf("it is %+v", n)
		}
		r.quiet()
		// A second reset of the paused or working client works as the first did.
		if report := r.reset(ResetOptions{}); report.Restored != 2 || report.Links != 0 {
			t.Errorf("a second reset: %+v", report)
		}
		if report := r.reset(ResetOptions{RemoveRemote: true}); report.Removed == 0 || report.Remote > 1 {
			t.Errorf("a third, of a paused one: %+v", report)
		}
	}
}
