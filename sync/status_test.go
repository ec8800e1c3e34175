package sync

import (
	"testing"

	"odbxfs"
	"odbxfs/cache"
)

// node gives the node of a thing in Odoo.
func (r *rig) node(ref odbxfs.OdooRef) (id odbxfs.NodeID) {
	r.t.Helper()
	if err := r.store.View(func(tx *cache.Tx) (err error) {
		id, _, err = tx.OdooByRef(ref)
		return err
	}); err != nil || id == 0 {
		r.t.Fatalf("%v has node %d, %v", ref, id, err)
	}
	return id
}

// dirtyAndParked are numbers of the engine's status.
func (r *rig) dirtyAndParked() [2]int {
	r.t.Helper()
	s, err := r.engine.Status()
	if err != nil {
		r.t.Fatal(err)
	}
	return [2]int{s.Dirty, len(s.Parked)}
}

// The queue may run empty between two portions of a plan: the status must not
// read then as if all were done.
func TestStatusCountsWhatIsYetToBeCompared(t *testing.T) {
	r := newRig(t, 1)
	ref := r.odoo.addFile(order1, "a", []byte("one"))
	r.calm()
	if got := r.dirtyAndParked(); got != [2]int{} {
		t.Errorf("at rest %v are yet to be compared, and parked", got)
	}
	if err := r.store.Update(func(tx *cache.Tx) error { return tx.MarkDirty(r.node(ref)) }); err != nil {
		t.Fatal(err)
	}
	if got := r.dirtyAndParked(); got != [2]int{1, 0} {
		t.Errorf("when one thing changed, %v are yet to be compared, and parked", got)
	}
	r.step(Event{})
	r.calm()
	if got := r.dirtyAndParked(); got != [2]int{} {
		t.Errorf("when it was compared, %v are yet to be compared, and parked", got)
	}
}

// What waits for a person keeps its mark for the planner, and is told of once.
func TestStatusCountsAParkedThingOnce(t *testing.T) {
	r := newRig(t, 1)
	ref := r.odoo.addFile(order1, "a", []byte("one"))
	r.calm()
	id := r.node(ref)
	if err := r.store.Update(func(tx *cache.Tx) error {
		if _, err := tx.AddTasks([]odbxfs.Task{{Kind: odbxfs.TaskDropboxUpload, Node: id, Client: 1, Reason: "too large"}}); err != nil {
			return err
		}
		return tx.MarkDirty(id)
	}); err != nil {
		t.Fatal(err)
	}
	if got := r.dirtyAndParked(); got != [2]int{0, 1} {
		t.Errorf("of one parked thing, %v are yet to be compared, and parked", got)
	}
}

// What the engine before it saw is no look of this one, and no failure.
func TestAnEngineHasLookedWhenItReadOdooItself(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	if whole, failed := r.engine.Looked(); !whole || failed {
		t.Fatalf("at rest: %v, %v", whole, failed)
	}
	r.crash()
	if whole, failed := r.engine.Looked(); whole || failed {
		t.Errorf("just started: %v, %v", whole, failed)
	}
	r.faults.before = func(call string) error { return unavailable(call) }
	r.until(func() bool { _, failed := r.engine.Looked(); return failed })
	r.settle()
	if whole, failed := r.engine.Looked(); !whole || failed {
		t.Errorf("when Odoo is back: %v, %v", whole, failed)
	}
}
