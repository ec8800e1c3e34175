package sync

import (
	"strings"
	"testing"

	"odbxfs"
)

// A command that finds no daemon opens the store and asks an engine that never
// took a step.
func TestWhatAnEngineLeftIsToldByTheNext(t *testing.T) {
	r := newRig(t, 1)
	r.faults.before = func(call string) error {
		if strings.HasPrefix(call, "dropbox ") {
			return &odbxfs.Error{Op: call, Kind: odbxfs.KindCredentials}
		}
		return nil
	}
	r.step(Event{})
	for r.run() {
	}
	last := r.clock
	next, err := New(r.engine.opt)
	if err != nil {
		t.Fatal(err)
	}
	s, err := next.Status()
	if err != nil {
		t.Fatal(err)
	}
	if !s.Past || !s.Time.Equal(last) || !s.OdooOK || len(s.Waiting) == 0 || len(s.Clients) != 1 || s.Clients[0].State != StateError {
		t.Errorf("at %s it was %+v", last, s)
	}
	if s, err := r.engine.Status(); err != nil || s.Past {
		t.Errorf("of the one that runs: %+v, %v", s, err)
	}
}

func TestAStateIsWrittenWhenItSaysSomethingNew(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	writes := func() (n int) {
		before := r.engine.told
		r.step(Event{})
		if r.engine.told.Time != before.Time {
			n++
		}
		return n
	}
	if writes() != 0 {
		t.Error("an idle step writes it again")
	}
	r.clock = r.clock.Add(rememberEvery)
	if writes() != 1 {
		t.Error("its time is not kept")
	}
}
