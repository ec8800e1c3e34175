package sync

import (
	"fmt"
	"slices"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/sync/plan"
)

// Law 8: deleting many things asks. A mass deletion comes in parts: an rm -r
// that pauses, a transaction of Odoo for each row, pages of Dropbox's feed. So
// deletions rest before they start, until no more of them come; and what was
// carried out a moment ago counts with what is new.

// waiting are the deletions of one origin that no person was asked about.
type waiting struct {
	tasks   []odbxfs.Task
	intents []odbxfs.NodeID
	newest  uint64
}

func (w *waiting) len() int { return len(w.tasks) + len(w.intents) }

// guardIntents holds deletions of the mount when they are too many. It is called
// while none of them is under way.
func (e *Engine) guardIntents() error {
	if e.opt.Guard.Off {
		return nil
	}
	found := map[restKey]*waiting{}
	held := map[odbxfs.NodeID]bool{}
	err := e.store.View(func(tx *cache.Tx) error {
		clear(found)
		clear(held)
		list, err := tx.Removals()
		if err != nil {
			return err
		}
		for _, in := range list {
			if in.Held {
				held[in.Node] = true
			}
			if in.Held || in.Reason != "" || in.Was.Ref.IsZero() {
				continue
			}
			if by, err := approvedBy(tx, in.Node); err != nil || by == in.Seq {
				if err != nil {
					return err
				}
				continue
			}
			w := ofKey(found, restKey{in.Was.Client, byMount})
			w.intents, w.newest = append(w.intents, in.Node), max(w.newest, in.Seq)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: count deletions of the mount: %w", err)
	}
	return e.guard(found, held, func(o origin) bool { return o == byMount })
}

// guardTasks holds deletions of the queue when they are too many. While there
// is none, it costs nothing.
func (e *Engine) guardTasks() error {
	if e.opt.Guard.Off || !e.deleting || e.opt.OnlyPlan {
		return nil
	}
	found := map[restKey]*waiting{}
	held := map[odbxfs.NodeID]bool{}
	err := e.store.View(func(tx *cache.Tx) error {
		clear(found)
		clear(held)
		list, err := tx.Deletions()
		e.deleting = len(list) > 0
		for _, t := range list {
			if _, reset := e.resets[t.Client]; reset || t.Reason != "" {
				continue // whoever resets has asked for it
			}
			if t.Held {
				held[t.Node] = true
				continue
			}
			by, err := approvedBy(tx, t.Node)
			if err != nil {
				return err
			}
			if by == 0 {
				w := ofKey(found, restKey{t.Client, originOf(t)})
				w.tasks, w.newest = append(w.tasks, t), max(w.newest, t.Seq)
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: count deletions of the queue: %w", err)
	}
	return e.guard(found, held, func(o origin) bool { return o != byMount })
}

func ofKey(found map[restKey]*waiting, k restKey) *waiting {
	w := found[k]
	if w == nil {
		w = &waiting{}
		found[k] = w
	}
	return w
}

// guard counts what waits of the origins that mine takes, and holds what is too
// much, or leans on what is held.
func (e *Engine) guard(found map[restKey]*waiting, held map[odbxfs.NodeID]bool, mine func(origin) bool) error {
	for k := range e.rests {
		if mine(k.origin) && found[k] == nil {
			delete(e.rests, k)
		}
	}
	for _, k := range sortedKeys(found) {
		if err := e.guardOne(k, found[k], held); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys(found map[restKey]*waiting) []restKey {
	keys := make([]restKey, 0, len(found))
	for k := range found {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b restKey) int {
		if a.client != b.client {
			return int(a.client) - int(b.client)
		}
		return int(a.origin) - int(b.origin)
	})
	return keys
}

func (e *Engine) guardOne(k restKey, w *waiting, held map[odbxfs.NodeID]bool) error {
	now := e.opt.Now()
	r := e.rests[k]
	if r == nil {
		r = &rest{}
		e.rests[k] = r
	}
	if w.newest > r.newest {
		r.newest, r.since, r.asked = w.newest, now, 0
	}
	r.count = w.len()
	ask := false
	err := e.store.View(func(tx *cache.Tx) error {
		l, err := removedOf(tx, k.client)
		if err != nil {
			return err
		}
		done, heldNow := l.within(now)
		r.recent = done + heldNow
		all := r.recent
		for other, o := range e.rests {
			if other.client == k.client {
				all += o.count
			}
		}
		ask, err = e.tooMany(tx, k.client, all, done)
		if err != nil || ask || len(held) == 0 {
			return err
		}
		return w.onlyRelated(tx, held)
	})
	if err != nil {
		return fmt.Errorf("store: count deletions: %w", err)
	}
	if !ask && len(held) == 0 {
		return nil
	}
	return e.hold(k, w)
}

// tooMany reports whether all deletions of a client together need a person;
// done are those among them that are through.
func (e *Engine) tooMany(tx *cache.Tx, client odbxfs.ClientID, all, done int) (bool, error) {
	if !plan.TooMany(all, 0, e.opt.Guard) {
		return false, nil // were there no items at all: few
	}
	total, err := itemsOf(tx, client)
	return plan.TooMany(all, total+done, e.opt.Guard), err
}

// itemsOf counts what a client has: living pairs, or documents and folders in
// Odoo, whichever are more. A mount knows no pairs, and where not everything is
// synced yet there are few.
func itemsOf(tx *cache.Tx, client odbxfs.ClientID) (int, error) {
	pairs, nodes := 0, 0
	odoo, synced := tx.Odoo(), tx.Synced()
	for _, id := range plan.All(odoo, tx.Dropbox(), synced) {
		if p, ok := synced.Node(id); ok && p.Client == client && !p.Gone {
			pairs++
		}
		if n, ok := odoo.Node(id); ok && n.Client == client && (n.Ref.Kind == odbxfs.RefAttachment || n.Ref.Kind == odbxfs.RefFolder) {
			nodes++
		}
	}
	return max(pairs, nodes), tx.Err()
}

// hold makes what waits and is not under way wait for a person.
func (e *Engine) hold(k restKey, w *waiting) error {
	var tasks []odbxfs.Task
	for _, t := range w.tasks {
		if !e.taskInFlight(t.Seq) {
			tasks = append(tasks, t)
		}
	}
	n := len(tasks) + len(w.intents)
	if n == 0 {
		return nil
	}
	e.logDue = true
	e.log.Warn("deletions wait for a person", "count", n)
	return e.update("hold deletions", func(tx *cache.Tx) error {
		for _, t := range tasks {
			t.Held = true
			if err := tx.PutTask(t); err != nil {
				return err
			}
			if err := e.logTask(tx, t, "held", nil); err != nil {
				return err
			}
		}
		if err := tx.HoldIntents(w.intents, "many deletions at once wait for a person: approve or restore them"); err != nil {
			return err
		}
		return e.tally(tx, k.client, n, true)
	})
}
