package sync

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

func TestOfEachTaskTheLatestLineIsSent(t *testing.T) {
	entries := []cache.LogEntry{
		{Seq: 1, LogLine: odbxfs.LogLine{Task: "a", State: "planned"}},
		{Seq: 2, LogLine: odbxfs.LogLine{State: "note", Why: "one"}},
		{Seq: 3, LogLine: odbxfs.LogLine{Task: "b", State: "planned"}},
		{Seq: 4, LogLine: odbxfs.LogLine{State: "note", Why: "two"}},
		{Seq: 5, LogLine: odbxfs.LogLine{Task: "a", State: "done"}},
	}
	var got []string
	for _, l := range lastLines(entries) {
		got = append(got, l.Task+l.State+l.Why)
	}
	if want := []string{"adone", "noteone", "bplanned", "notetwo"}; !slices.Equal(got, want) {
		t.Errorf("sent are %q, want %q", got, want)
	}
}

// The log is told in batches, in its order, each line once, whatever was lost.
func TestTheLogIsToldOnceInBatches(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	r.odoo.notes = nil
	const lines = 2*logPage + 7
	for part := range slices.Chunk(slices.Collect(count(lines)), 100) {
		r.update(func(tx *cache.Tx) error {
			for _, i := range part {
				if err := tx.AppendLog(odbxfs.LogLine{Time: r.clock, State: "note", Why: fmt.Sprint(i)}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	r.engine.logDue = true
	calls := r.odoo.calls["log"]
	r.step(Event{})
	r.calm()
	if n := r.odoo.calls["log"] - calls; n != 3 {
		t.Errorf("%d calls", n)
	}
	if len(r.odoo.notes) != lines || r.odoo.notes[lines-1].Why != fmt.Sprint(lines-1) {
		t.Errorf("%d lines were told", len(r.odoo.notes))
	}
	r.crash()
	r.settle()
	if len(r.odoo.notes) != lines {
		t.Errorf("%d lines after a restart", len(r.odoo.notes))
	}
}

// count gives the numbers below n.
func count(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// A log that Odoo does not take keeps nothing else waiting.
func TestALogThatIsRefusedKeepsNothingWaiting(t *testing.T) {
	r := newRig(t, 1)
	r.faults.before = func(call string) error {
		if call == "odoo log" {
			return &odbxfs.Error{Op: call, Kind: odbxfs.KindInvalid}
		}
		return nil
	}
	r.odoo.addFile(order1, "a", []byte("one"))
	calls := r.while(10*time.Minute, "apply")
	r.mustHave(dir1 + "/a = one")
	if calls == 0 || r.odoo.calls["log"] > 30 {
		t.Errorf("%d writes to Dropbox, the log was tried %d times", calls, r.odoo.calls["log"])
	}
	r.settle()
	if !r.logged("dropbox-upload", "done") {
		t.Error("the log was never told")
	}
}

func TestAnAdministratorSeesWhatAClientDoes(t *testing.T) {
	r := newRig(t, 1)
	for _, c := range []struct {
		when string
		do   func()
		want string
	}{
		{"at the start", func() {}, ""},
		{"when all is well", r.settle, StateConnected},
		{"when it is paused", func() {
			r.odoo.client.Paused = true
			r.while(time.Minute, "apply")
		}, StatePaused},
		{"when it goes on", func() {
			r.odoo.client.Paused = false
			r.while(time.Minute, "apply")
		}, StateConnected},
		{"when the login is refused", func() {
			r.faults.before = func(call string) error {
				if strings.HasPrefix(call, "dropbox ") && call != "dropbox wait" {
					return &odbxfs.Error{Op: call, Kind: odbxfs.KindCredentials}
				}
				return nil
			}
			r.odoo.addFile(order1, "a", []byte("one"))
			r.while(time.Minute, "apply")
		}, StateError},
	} {
		c.do()
		s, err := r.engine.Status()
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(s.Clients) == 1 {
			got = s.Clients[0].State
		}
		if got != c.want {
			t.Errorf("%s: %q", c.when, got)
		}
	}
}

// A paused client is left alone by everybody but its lease's end.
func TestAPausedClientIsLeftAlone(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.client.Paused = true
	r.odoo.addFile(order1, "a", []byte("one"))
	if n := r.while(10*time.Minute, "apply"); n != 0 || total(r.dropbox.calls) != 0 {
		t.Errorf("%d writes, calls %v", n, r.dropbox.calls)
	}
	r.calm() // which ends
	r.odoo.client.Paused = false
	r.settle()
	r.mustHave(dir1 + "/a = one")
	r.agree()
}
