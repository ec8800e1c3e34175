package sync

import (
	"odbxfs"
	"odbxfs/cache"
)

// unhold drops the held deletions of a node that is dirty if they are of no use
// any more: nobody is to be asked whether something may go that is there again.
// It reports whether the node is free for a plan. What changed otherwise stays
// held: planned anew by itself it would be a single deletion, which nobody is
// asked about.
func (e *Engine) unhold(tx *cache.Tx, b *busy, id odbxfs.NodeID) (bool, error) {
	if e.opt.OnlyPlan {
		return false, nil
	}
	marks, err := tx.Queued(id)
	if err != nil {
		return false, err
	}
	dropped := false
	for _, m := range marks {
		if !m.Waits || !m.Kind.Deletes() {
			continue
		}
		t, ok, err := tx.Task(m.Seq)
		if err != nil {
			return false, err
		}
		w := work{Task: t}
		if err := w.read(tx); err != nil {
			return false, err
		}
		if !ok || !t.Held || !w.moot() {
			continue
		}
		if err := tx.DropTask(t.Seq); err != nil {
			return false, err
		}
		if err := e.logTask(tx, t, "dropped", nil); err != nil {
			return false, err
		}
		dropped, e.logDue = true, true
	}
	if !dropped {
		return false, nil
	}
	delete(b.nodes, id)
	return !b.has(id), nil
}

// moot reports whether a deletion has nothing to do: what was removed on one side
// is there again, or is gone on both.
func (w *work) moot() bool {
	switch w.Kind {
	case odbxfs.TaskOdooDelete:
		return w.o == nil || w.d != nil
	case odbxfs.TaskDropboxDelete:
		return w.d == nil || w.o != nil && w.o.Client == w.Client && w.o.Type != odbxfs.Foreign
	default:
		return false
	}
}
