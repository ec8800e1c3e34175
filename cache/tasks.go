package cache

import (
	"slices"

	"odbxfs"
)

// The queue is read by what is asked of it, never as a whole: it may have a
// million tasks. Each task stands in the lane of who may take it next, under
// its node, under the folders that it takes something out of, and, when it
// puts something somewhere, under that place. Deletions have a list of their own.

// Lane is who may take a task next.
type Lane uint8

// The lanes. The numbers are stored.
const (
	LaneDropbox Lane = iota + 1 // it may be carried out, first on Dropbox
	LaneOdoo                    // it may be carried out, first on Odoo
	LaneHeld                    // it waits for a person: a deletion
	LaneParked                  // it waits for a person: it has a reason

)

// LaneOf gives the lane of a task as it is.
func LaneOf(t odbxfs.Task) Lane {
	switch {
	case t.Held:
		return LaneHeld
	case t.Reason != "":
		return LaneParked
	case t.Kind.OnDropbox():
		return LaneDropbox
	}
	return LaneOdoo
}

// TaskMark is what the indexes know of a queued task.
type TaskMark struct {
	Seq    uint64          `cbor:"1,keyasint"`
	Client odbxfs.ClientID `cbor:"2,keyasint,omitzero"`
	Kind   odbxfs.TaskKind `cbor:"3,keyasint"`
	Waits  bool            `cbor:"4,keyasint,omitzero"` // for a person: it is held or parked
}

type taskMarks []TaskMark

func markOf(t odbxfs.Task) TaskMark {
	return TaskMark{Seq: t.Seq, Client: t.Client, Kind: t.Kind, Waits: t.Held || t.Reason != ""}
}

// storeTask writes a task that is not in the queue, and its entries in the
// indexes.
func (tx *Tx) storeTask(t odbxfs.Task) error {
	if err := tx.set(keySeq(kTask, t.Seq), t); err != nil {
		return err
	}
	return tx.indexTask(t)
}

func (tx *Tx) indexTask(t odbxfs.Task) error {
	if err := tx.setRaw(keyLane(t.Client, LaneOf(t), t.Seq), nil); err != nil {
		return err
	}
	if t.Kind.Deletes() {
		if err := tx.setRaw(keySeq(kTaskEnds, t.Seq), nil); err != nil {
			return err
		}
	}
	for _, folder := range leaves(t) {
		if err := tx.setRaw(keyFrom(t.Client, folder, t.Seq), nil); err != nil {
			return err
		}
	}
	if t.Places() {
		if err := tx.addMark(keyPlaced(t.Client, t.Parent, t.Name), markOf(t)); err != nil {
			return err
		}
	}
	return tx.addMark(keyNode(kTaskNode, t.Node), markOf(t))
}

func (tx *Tx) unindexTask(t odbxfs.Task) error {
	if err := tx.del(keyLane(t.Client, LaneOf(t), t.Seq)); err != nil {
		return err
	}
	if t.Kind.Deletes() {
		if err := tx.del(keySeq(kTaskEnds, t.Seq)); err != nil {
			return err
		}
	}
	for _, folder := range leaves(t) {
		if err := tx.del(keyFrom(t.Client, folder, t.Seq)); err != nil {
			return err
		}
	}
	if t.Places() {
		if err := tx.dropMark(keyPlaced(t.Client, t.Parent, t.Name), t.Seq); err != nil {
			return err
		}
	}
	return tx.dropMark(keyNode(kTaskNode, t.Node), t.Seq)
}

// leaves are the folders that the task's node lies in now, on either side.
func leaves(t odbxfs.Task) []odbxfs.NodeID {
	var all []odbxfs.NodeID
	if t.Odoo != nil {
		all = append(all, t.Odoo.Parent)
	}
	if t.Dropbox != nil {
		all = append(all, t.Dropbox.Parent)
	}
	return all
}

// addMark puts a mark into a list, in the order of Seq.
func (tx *Tx) addMark(key []byte, m TaskMark) error {
	marks, _, err := load[taskMarks](tx, key)
	if err != nil {
		return err
	}
	at, found := slices.BinarySearchFunc(marks, m.Seq, bySeq)
	if found {
		return nil
	}
	return tx.set(key, slices.Insert(marks, at, m))
}

func (tx *Tx) dropMark(key []byte, seq uint64) error {
	marks, _, err := load[taskMarks](tx, key)
	if err != nil {
		return err
	}
	at, found := slices.BinarySearchFunc(marks, seq, bySeq)
	switch {
	case !found:
		return nil
	case len(marks) == 1:
		return tx.del(key)
	}
	return tx.set(key, slices.Delete(marks, at, at+1))
}

func bySeq(m TaskMark, seq uint64) int {
	switch {
	case m.Seq < seq:
		return -1
	case m.Seq > seq:
		return 1
	}
	return 0
}

// taskPage is how many tasks of a lane are looked up at a time: a batch of the engine.
const taskPage = 200

// LaneTasks calls fn with the tasks in a client's lane by Seq, until it says
// false. fn must not change the queue.
func (tx *Tx) LaneTasks(c odbxfs.ClientID, l Lane, fn func(odbxfs.Task) bool) error {
	prefix := keyLane(c, l, 0)[:11]
	for after := []byte(nil); ; {
		page, err := tx.list(prefix, after, taskPage, false)
		if err != nil {
			return err
		}
		for _, e := range page {
			t, ok, err := load[odbxfs.Task](tx, keyNode(kTask, lastID(e.key)))
			if err != nil {
				return err
			}
			if ok && !fn(t) {
				return nil
			}
		}
		if len(page) < taskPage {
			return nil
		}
		after = page[len(page)-1].key
	}
}

// Deletions gives all tasks that remove something, by Seq.
func (tx *Tx) Deletions() ([]odbxfs.Task, error) {
	seqs, err := tx.lastIDs([]byte(kTaskEnds), 0)
	if err != nil {
		return nil, err
	}
	var all []odbxfs.Task
	for _, seq := range seqs {
		t, ok, err := tx.Task(uint64(seq))
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, t)
		}
	}
	return all, nil
}

// Queued gives the marks of a node's tasks, by Seq.
func (tx *Tx) Queued(id odbxfs.NodeID) ([]TaskMark, error) {
	marks, _, err := load[taskMarks](tx, keyNode(kTaskNode, id))
	return marks, err
}

// QueuedAt gives the marks of a client's tasks that put something of this name
// into a folder, as Dropbox compares names, by Seq.
func (tx *Tx) QueuedAt(c odbxfs.ClientID, parent odbxfs.NodeID, name string) ([]TaskMark, error) {
	marks, _, err := load[taskMarks](tx, keyPlaced(c, parent, name))
	return marks, err
}

// QueuedPlaces reports whether any task of the client puts something somewhere.
func (tx *Tx) QueuedPlaces(c odbxfs.ClientID) (bool, error) {
	keys, err := tx.list(u64([]byte(kTaskPlaced), uint64(c)), nil, 1, false)
	return len(keys) > 0, err
}

// QueuedFrom gives the Seq of a client's first task of a node that lay in the
// folder when it was planned; 0 when there is none.
func (tx *Tx) QueuedFrom(c odbxfs.ClientID, folder odbxfs.NodeID) (uint64, error) {
	keys, err := tx.list(keyFrom(c, folder, 0)[:18], nil, 1, false)
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	return uint64(lastID(keys[0].key)), nil
}

// Task gives a queued task; false when it is not in the queue any more.
func (tx *Tx) Task(seq uint64) (odbxfs.Task, bool, error) {
	return load[odbxfs.Task](tx, keySeq(kTask, seq))
}

// Tasks calls fn with each task by Seq until it says false. It costs what all
// tasks cost: for people's questions, not for each step.
func (tx *Tx) Tasks(fn func(odbxfs.Task) bool) error {
	items, err := tx.list([]byte(kTask), nil, 0, true)
	if err != nil {
		return err
	}
	for _, e := range items {
		t, err := decode[odbxfs.Task](e.val)
		if err != nil {
			return err
		}
		if !fn(t) {
			return nil
		}
	}
	return nil
}

// PutTask stores a changed task (attempts, parked, held) in its place. One that
// is no longer in the queue stays out of it.
func (tx *Tx) PutTask(t odbxfs.Task) error {
	was, ok, err := tx.Task(t.Seq)
	if err != nil || !ok {
		return err
	}
	if err := tx.unindexTask(was); err != nil {
		return err
	}
	return tx.storeTask(t)
}

// DropTask takes a task out of the queue.
func (tx *Tx) DropTask(seq uint64) error {
	t, ok, err := tx.Task(seq)
	if err != nil || !ok {
		return err
	}
	if err := tx.unindexTask(t); err != nil {
		return err
	}
	return tx.del(keySeq(kTask, seq))
}

// TasksOf gives the queued tasks of a node by Seq.
func (tx *Tx) TasksOf(id odbxfs.NodeID) ([]odbxfs.Task, error) {
	marks, err := tx.Queued(id)
	if err != nil {
		return nil, err
	}
	var out []odbxfs.Task
	for _, m := range marks {
		t, ok, err := tx.Task(m.Seq)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, t)
		}
	}
	return out, nil
}
