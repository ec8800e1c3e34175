package cache

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"odbxfs"
)

// watch collects events; the function it gives waits for n commits' worth.
func watch(t *testing.T, s *Store) func(n int) []Event {
	t.Helper()
	var mu sync.Mutex
	var all [][]Event
	t.Cleanup(s.Subscribe(func(e []Event) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, e)
	}))
	return func(n int) []Event {
		t.Helper()
		deadline := time.Now().Add(time.Minute)
		for {
			mu.Lock()
			got := slices.Clone(all)
			mu.Unlock()
			if len(got) >= n {
				return slices.Concat(got...)
			}
			if time.Now().After(deadline) {
				t.Fatalf("only %d of %d commits were told", len(got), n)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

func TestEventsTellWhatARemoteChanged(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, document(7, "a", order), document(8, "b", order))
	a, b := lookup(t, s, dir, "a").Node, lookup(t, s, dir, "b").Node
	got := watch(t, s)
	renamed := document(7, "c", order)
	renamed.SHA1 = sha("a")
	renamed.Size = 1
	putOdoo(t, s, renamed)
	changed := document(8, "b", order)
	changed.SHA1, changed.Size = sha("other"), 5
	putOdoo(t, s, changed)
	update(t, s, func(tx *Tx) error { return tx.DropOdoo(b) })
	ev := got(3)
	for _, want := range []Event{
		{Kind: EntryChanged, Parent: dir, Name: "a"},
		{Kind: EntryChanged, Parent: dir, Name: "c", Node: a},
		{Kind: ContentChanged, Node: b},
		{Kind: NodeChanged, Node: b},
		{Kind: NodeGone, Parent: dir, Name: "b", Node: b},
		{Kind: TreeDirty},
	} {
		if !slices.Contains(ev, want) {
			t.Errorf("no %+v in %+v", want, ev)
		}
	}
}

func TestWhatTheKernelDidItselfIsNotToldBack(t *testing.T) {
	s := memStore(t)
	dir := world(t, s, document(7, "a", order))
	got := watch(t, s)
	i := write(t, s, dir, "new", "x")
	update(t, s, func(tx *Tx) error { return tx.Rename(dir, "new", dir, "newer", 0) })
	update(t, s, func(tx *Tx) error { _, err := tx.Unlink(dir, "a"); return err })
	for _, e := range got(3) {
		if e.Kind != IntentAdded {
			t.Errorf("told: %+v", e)
		}
	}
	if ev := got(1); !slices.Contains(ev, Event{Kind: IntentAdded, Node: i.Node}) {
		t.Errorf("the intent was not told: %+v", ev)
	}
}

func TestAFailedUpdateTellsAndChangesNothing(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	got := watch(t, s)
	err := s.Update(func(tx *Tx) error {
		if _, err := tx.Create(dir, "a", 0); err != nil {
			return err
		}
		return ErrClosed
	})
	if !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	wantNames(t, s, dir, "")
	update(t, s, func(tx *Tx) error { return tx.MarkDirty(4711) })
	if ev := got(1); len(ev) != 1 || ev[0].Kind != TreeDirty {
		t.Fatalf("told %+v", ev)
	}
}

func TestEventsComeInTheOrderOfCommitsAndMayReadTheStore(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	var mu sync.Mutex
	var seen []odbxfs.NodeID
	cancel := s.Subscribe(func(ev []Event) {
		for _, e := range ev {
			if err := s.View(func(tx *Tx) error { _, _, err := tx.Inode(e.Node); return err }); err != nil {
				t.Error(err)
			}
			if err := s.Update(func(tx *Tx) error { return nil }); err != nil {
				t.Error(err)
			}
			mu.Lock()
			seen = append(seen, e.Node)
			mu.Unlock()
		}
	})
	got := watch(t, s)
	for n := range 20 {
		update(t, s, func(tx *Tx) error { _, err := tx.Create(dir, string(rune('a'+n)), 0); return err })
	}
	got(20)
	cancel()
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 20 || !slices.IsSorted(seen) {
		t.Fatalf("seen %v", seen)
	}
}
