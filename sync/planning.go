package sync

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/sync/plan"
)

// nextPlan plans what is dirty, and queues it. Reading, planning and queueing
// are one transaction of the store, so what was planned on holds when it is
// queued.
func (e *Engine) nextPlan() error {
	if !e.planDue && !e.planMore || !e.odoo.whole {
		return nil
	}
	fresh := e.planDue
	e.planDue, e.planMore = false, false
	if !e.opt.syncs() {
		// A mount has nothing to bring together: nobody asks for the marks.
		return e.update("clear marks", func(tx *cache.Tx) error {
			more, err := clearMarks(tx)
			e.planOn(more)
			return err
		})
	}
	e.planned = nil
	for _, c := range e.sorted() {
		if !e.mayPlan(c) {
			continue
		}
		c.missed = c.missed || fresh && c.planned != 0
		if err := e.update("plan", func(tx *cache.Tx) error { return e.planClient(tx, c) }); err != nil {
			return err
		}
	}
	return nil
}

// planOn asks for one more step at once, if there is more to plan: nothing else
// may come to cause one.
func (e *Engine) planOn(more bool) {
	if more {
		e.planMore = true
		e.wakeAt(e.opt.Now())
	}
}

// revive drops parked tasks whose ground has changed: what is there now may do
// better, and is planned for as it is.
func (e *Engine) revive(tx *cache.Tx, c *client) error {
	if e.opt.OnlyPlan {
		return nil // they stay for who may carry them out
	}
	var parked []odbxfs.Task
	err := tx.LaneTasks(c.id, cache.LaneParked, func(t odbxfs.Task) bool {
		parked = append(parked, t)
		return true
	})
	if err != nil {
		return err
	}
	for _, t := range parked {
		w := work{Task: t}
		if err := w.read(tx); err != nil {
			return err
		}
		if t.Kind == odbxfs.TaskDropboxUnlink || !w.differs() {
			continue
		}
		if err := tx.DropTask(t.Seq); err != nil {
			return err
		}
		if err := tx.MarkDirty(t.Node); err != nil {
			return err
		}
		if err := e.logTask(tx, t, "dropped", nil); err != nil {
			return err
		}
	}
	return nil
}

func clearMarks(tx *cache.Tx) (more bool, err error) {
	ids, err := tx.Dirty(stepRows)
	if err != nil {
		return false, err
	}
	return len(ids) == stepRows, tx.ClearDirty(ids)
}

// Planned gives what the last pass would do, with OnlyPlan. It belongs to the
// stepping goroutine.
func (e *Engine) Planned() []odbxfs.Task { return e.planned }

// planClient plans at most planRows nodes of one client. What is dirty but busy
// stays dirty; it is looked at again when its task or intent is through.
func (e *Engine) planClient(tx *cache.Tx, c *client) error {
	if err := e.revive(tx, c); err != nil {
		return err
	}
	busy, err := e.busyNodes(tx, c)
	if err != nil {
		return err
	}
	dirty, more, err := e.dirtyOf(tx, c, busy)
	if err != nil {
		return err
	}
	if !more && c.missed {
		c.missed, more = false, true
	}
	e.planOn(more)
	if len(dirty) == 0 {
		return nil
	}
	if e.wantPairs(tx, c, dirty) {
		return tx.Err() // they are planned for when the rows have been read
	}
	d := doubts{open: map[odbxfs.SHA1]doubt{}}
	waits := map[odbxfs.NodeID]bool{}
	links := &addresses{tx: tx, opt: &e.opt, policy: c.cfg.Links, begin: c.home}
	pol := plan.Policy{Client: c.cfg, Same: e.same, Doubt: d.add, Busy: busy.has, Leaves: busy.leaves, Fits: links.fit,
		Waits: func(id odbxfs.NodeID) { waits[id] = true }}
	if r, on := e.resets[c.id]; on {
		pol.Reverse, pol.RemoveRemote = true, r.RemoveRemote
	}
	tasks, changes := plan.Plan(dirty, tx.Odoo(), tx.Dropbox(), tx.Synced(), pol)
	if err := errors.Join(tx.Err(), busy.err, links.err); err != nil {
		return err
	}
	if len(d.open) > 0 {
		// Equal or not decides: it is planned when that is known.
		return e.resolve(tx, c, d)
	}
	if e.opt.OnlyPlan {
		e.planned = append(e.planned, tasks...)
		return nil
	}
	for _, ch := range changes {
		if err := tx.Merge(ch.From, ch.Into); err != nil {
			return fmt.Errorf("merge %d into %d: %w", ch.From, ch.Into, err)
		}
	}
	if err := lookedAt(tx, dirty, waits); err != nil {
		return err
	}
	return e.enqueue(tx, c, tasks)
}

// lookedAt clears the marks of what was planned for. What waits for a busy node
// keeps its mark, or gets one: whoever ends with that node has it planned again.
func lookedAt(tx *cache.Tx, dirty []odbxfs.NodeID, waits map[odbxfs.NodeID]bool) error {
	var clear []odbxfs.NodeID
	for _, id := range dirty {
		if !waits[id] {
			clear = append(clear, id)
		}
		delete(waits, id)
	}
	for _, id := range slices.Sorted(maps.Keys(waits)) {
		if err := tx.MarkDirty(id); err != nil {
			return err
		}
	}
	return tx.ClearDirty(clear)
}

// wantPairs reports whether a link is among the nodes whose pair is not known
// here, and then has the rows of pairs read that are new since they were read
// last: a create of ours was carried out, and its answer never heard.
func (e *Engine) wantPairs(tx *cache.Tx, c *client, dirty []odbxfs.NodeID) bool {
	odoo, synced := tx.Odoo(), tx.Synced()
	want := false
	for _, id := range dirty {
		n, ok := odoo.Node(id)
		if !ok || n.Type != odbxfs.Link || c.wanted[n.Ref] {
			continue
		}
		if _, paired := synced.Node(id); !paired {
			c.wanted[n.Ref], want = true, true
		}
	}
	if want && !e.opt.OnlyPlan {
		c.pairsDone = false
		e.wakeAt(e.opt.Now())
	}
	return want && !e.opt.OnlyPlan
}

// dirtyOf gives dirty nodes of a client that are not busy, from where the last
// plan ended, and whether there are more. What waits keeps its mark: a plan that
// began with the first mark each time would never get behind many of these.
func (e *Engine) dirtyOf(tx *cache.Tx, c *client, b *busy) ([]odbxfs.NodeID, bool, error) {
	most := planRows
	if e.opt.OnlyPlan {
		most = math.MaxInt
	}
	var mine, nobodys []odbxfs.NodeID
	for after := c.planned; len(mine) < most; {
		page, err := tx.DirtyAfter(after, planRows)
		if err != nil {
			return nil, false, err
		}
		for _, id := range page {
			after, c.planned = id, id
			if b.has(id) {
				free, err := e.unhold(tx, b, id)
				if err != nil {
					return nil, false, err
				}
				if !free {
					continue
				}
			}
			owner, known, err := clientOf(tx, id)
			switch {
			case err != nil:
				return nil, false, err
			case !known:
				nobodys = append(nobodys, id)
			case owner == c.id || owner == 0:
				mine = append(mine, id)
			}
			if len(mine) == most {
				break
			}
		}
		if len(page) < planRows && len(mine) < most {
			c.planned = 0
			break
		}
	}
	if e.opt.OnlyPlan {
		c.planned = 0
		return mine, false, b.err
	}
	return mine, c.planned != 0, errors.Join(b.err, tx.ClearDirty(nobodys))
}

// clientOf gives the cloud client that is to work on a node; false when no tree
// has the node. Who still has it lets go of it first, then it is Odoo's choice.
func clientOf(tx *cache.Tx, id odbxfs.NodeID) (odbxfs.ClientID, bool, error) {
	p, paired, err := tx.Pair(id)
	if err != nil {
		return 0, false, err
	}
	if paired && !p.Gone {
		return p.Client, true, nil
	}
	d, inDropbox, err := tx.DropboxNode(id)
	if err != nil {
		return 0, false, err
	}
	if inDropbox {
		return d.Client, true, nil
	}
	o, inOdoo, err := tx.OdooNode(id)
	if err != nil {
		return 0, false, err
	}
	if inOdoo && o.Client != 0 {
		return o.Client, true, nil
	}
	return p.Client, paired || inOdoo, nil
}

// enqueue puts a plan into the queue, each task with its line in the log. Its
// deletions are counted before they start.
func (e *Engine) enqueue(tx *cache.Tx, c *client, tasks []odbxfs.Task) error {
	if len(tasks) == 0 {
		return nil
	}
	queued, err := tx.AddTasks(tasks)
	if err != nil {
		return err
	}
	e.logDue = true
	e.queuedEver += len(queued)
	for _, t := range queued {
		c.gate[t.Seq] = e.step
		e.deleting = e.deleting || t.Kind.Deletes()
		if err := e.logTask(tx, t, "planned", nil); err != nil {
			return err
		}
	}
	return nil
}

// logTask adds the line of a task to the log; Odoo gets it with the next batch.
func (e *Engine) logTask(tx *cache.Tx, t odbxfs.Task, state string, cause error) error {
	line := odbxfs.LogLine{
		Time: e.opt.Now(), Client: t.Client, Pass: t.Pass, Task: t.Key, State: state,
		What: t.Kind.String(), Item: e.itemOf(tx, t), Why: t.Why,
	}
	if t.Odoo != nil {
		line.Ref = t.Odoo.Ref
	} else if t.Pair != nil {
		line.Ref = t.Pair.Odoo
	}
	if t.Dropbox != nil {
		line.ID = t.Dropbox.ID
	} else if t.Pair != nil {
		line.ID = t.Pair.Dropbox
	}
	if cause != nil {
		line.Error = cause.Error()
	}
	return tx.AppendLog(line)
}

// itemOf is the path by which people know the task's item.
func (e *Engine) itemOf(tx *cache.Tx, t odbxfs.Task) string {
	if p, err := tx.PathOf(t.Node); err == nil && p != "" {
		return p
	}
	if t.Dropbox != nil {
		return t.Dropbox.Path
	}
	return t.Name
}
