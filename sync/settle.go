package sync

import (
	"errors"
	"fmt"
	"slices"

	"odbxfs"
	"odbxfs/cache"
)

// settleRows is how many tasks share one transaction of the store: each is
// whole in it, and a commit costs as much as a hundred small writes.
const settleRows = 100

// settle takes over what became of a batch. Trees, pair, log line and queue
// change together for each task.
func (e *Engine) settle(c *client, verdicts []verdict) error {
	e.writes = e.step
	e.planDue, e.logDue = true, true
	for part := range slices.Chunk(verdicts, settleRows) {
		err := e.settlePart(c, part)
		if errors.Is(err, cache.ErrTwoThings) {
			// One of them does not fit the trees: each by itself then.
			for i := range part {
				if err = e.settleAlone(c, part[i:i+1]); err != nil {
					return err
				}
			}
		}
		if err != nil {
			return err
		}
	}
	e.remotesDid(c, verdicts)
	return nil
}

func (e *Engine) settlePart(c *client, part []verdict) error {
	return e.update("settle tasks", func(tx *cache.Tx) error {
		for i := range part {
			if err := e.settleTask(tx, c, &part[i]); err != nil {
				return fmt.Errorf("%s %q: %w", part[i].Kind, part[i].Name, err)
			}
		}
		return nil
	})
}

// settleAlone settles one task. A remote that answers with something that is
// known as another thing is not believed: it is planned anew, and parked when
// that comes out again and again.
func (e *Engine) settleAlone(c *client, one []verdict) error {
	err := e.settlePart(c, one)
	if !errors.Is(err, cache.ErrTwoThings) {
		return err
	}
	v := &one[0]
	e.log.Warn("an answer names what is known as another thing", "client", c.cfg.Name, "task", v.Kind, "item", v.Name, "error", err)
	*v = verdict{work: v.work, end: endReplan, side: v.side, err: &odbxfs.Error{Op: v.Kind.String(), Item: v.Name, Kind: odbxfs.KindExists, Err: err}}
	return e.settlePart(c, one)
}

// remotesDid notes how the remotes behaved, once for a batch.
func (e *Engine) remotesDid(c *client, verdicts []verdict) {
	now := e.opt.Now()
	failed := map[side]bool{}
	for _, v := range verdicts {
		switch v.end {
		case endWait:
			if !failed[v.side] {
				failed[v.side] = true
				e.remoteOf(c, v.side).failed(now, v.err, e.opt.Random())
				e.log.Warn("tasks wait", "client", c.cfg.Name, "error", v.err)
			}
		case endDone:
			if v.Kind == odbxfs.TaskDropboxDelete && c.remote.full() {
				c.remote.ok() // that made room
			}
			if v.outran() {
				// Until Odoo's tree shows it too, the same would be planned again.
				e.odoo.due, c.staleAt = true, e.step
			}
		case endReplan, endRetry:
			// What was planned on is old on one of the sides: look now.
			c.due, e.odoo.due = true, true
			if v.end == endReplan {
				c.staleAt = e.step
			}
		case endReverse:
			// Nothing failed: other work has to go first.
		}
	}
	if len(failed) == 0 && len(verdicts) > 0 {
		c.writing.ok()
	}
}

func (e *Engine) remoteOf(c *client, s side) *remote {
	if s == toDropbox {
		return &c.remote
	}
	return &c.writing
}

func (e *Engine) settleTask(tx *cache.Tx, c *client, v *verdict) error {
	switch v.end {
	case endDone:
		again := 0
		if v.outran() {
			if again = c.replans[v.Node] + 1; again > maxAttempts {
				v.err = &odbxfs.Error{Op: "upload", Item: v.Name, Kind: odbxfs.KindCorrupt,
					Err: errors.New("Odoo's bytes are not those that its checksum names")}
				return e.taskGivenUp(tx, c, v)
			}
		}
		if err := e.taskDone(tx, c, v); err != nil {
			return err
		}
		if again > 0 {
			c.replans[v.Node] = again
		}
		return nil
	case endReplan:
		if c.replans[v.Node]++; c.replans[v.Node] > maxAttempts {
			return e.taskGivenUp(tx, c, v)
		}
		return e.taskReplan(tx, c, v)
	case endReverse:
		return e.reverseFirst(tx, c, v)
	case endRetry:
		return e.taskRetry(tx, v)
	default: // endWait: as it is
		return nil
	}
}

// taskGivenUp: the same comes out again and again, so a person must look.
func (e *Engine) taskGivenUp(tx *cache.Tx, c *client, v *verdict) error {
	delete(c.replans, v.Node)
	v.Attempts = maxAttempts
	return e.taskRetry(tx, v)
}

// taskDone: both remotes have it. The order is: pair first, so that what is put
// into the trees finds its node by it.
func (e *Engine) taskDone(tx *cache.Tx, c *client, v *verdict) error {
	if v.pNow != nil {
		v.pNow.Node = v.Node
		if err := makeRoom(tx, *v.pNow); err != nil {
			return err
		}
		if err := e.putPair(tx, *v.pNow); err != nil {
			return err
		}
	}
	if err := e.takeOff(tx, c, v); err != nil {
		return err
	}
	delete(c.replans, v.Node)
	switch v.Kind {
	case odbxfs.TaskOdooRestore:
		if !v.moot {
			e.done.restored++
		}
		if err := e.unlinkLater(tx, c, v, v.Pair); err != nil {
			return err
		}
	case odbxfs.TaskOdooConvert:
		err := errors.Join(tx.SetMeta(metaAnew(v.Node), nil), e.converted(tx, c, v))
		if err != nil {
			return err
		}
	case odbxfs.TaskDropboxUnlink:
		e.done.count(v.used)
		if v.used {
			if err := setMeta(tx, metaShared(v.Pair.Dropbox), v.Pair.URL); err != nil {
				return err
			}
		}
	case odbxfs.TaskDropboxDelete:
		e.done.removed++
		if err := e.carriedOut(tx, c.id, v.Node); err != nil {
			return err
		}
	case odbxfs.TaskOdooDelete:
		if err := e.carriedOut(tx, c.id, v.Node); err != nil {
			return err
		}
	case odbxfs.TaskForget, odbxfs.TaskOdooCreate, odbxfs.TaskOdooMkdir:
		if err := revived(tx, v.Node); err != nil {
			return err
		}
	default:
	}
	return e.logTask(tx, v.Task, "done", nil)
}

// takeOff writes what the remotes said into the trees, and takes the task off the
// queue with what is known of it.
func (e *Engine) takeOff(tx *cache.Tx, c *client, v *verdict) error {
	if err := e.putNodes(tx, c, v); err != nil {
		return err
	}
	if err := tx.DropTask(v.Seq); err != nil {
		return err
	}
	delete(c.gate, v.Seq)
	return forgetSent(tx, v.Task)
}

// planTask queues a task that no plan made, and says so in the log.
func (e *Engine) planTask(tx *cache.Tx, t odbxfs.Task) error {
	queued, err := tx.AddTasks([]odbxfs.Task{t})
	if err != nil {
		return err
	}
	return e.logTask(tx, queued[0], "planned", nil)
}

// forgetSent drops the note of an upload that is through.
func forgetSent(tx *cache.Tx, t odbxfs.Task) error {
	if t.Kind != odbxfs.TaskDropboxUpload {
		return nil
	}
	return tx.SetMeta(metaSent(t.Seq), nil)
}

// makeRoom takes what the node was before out of the trees, where the pair
// says that it is another thing now: one node can't be two things of one tree.
// The feeds bring what was taken out again, under a node of its own.
func makeRoom(tx *cache.Tx, p odbxfs.Pair) error {
	d, inDropbox, err := tx.DropboxNode(p.Node)
	if err != nil {
		return err
	}
	if inDropbox && p.Dropbox != "" && d.ID != p.Dropbox {
		if err := tx.DropDropbox(p.Node); err != nil {
			return err
		}
	}
	o, inOdoo, err := tx.OdooNode(p.Node)
	if err != nil {
		return err
	}
	if inOdoo && !p.Odoo.IsZero() && o.Ref != p.Odoo {
		return tx.DropOdoo(p.Node)
	}
	return nil
}

// putNodes writes what the remotes said into the trees.
func (e *Engine) putNodes(tx *cache.Tx, c *client, v *verdict) error {
	if v.oNow != nil && sideOf(v.Kind) == toOdoo {
		if err := e.bindOdoo(tx, *v.oNow, v.Node); err != nil && !errors.Is(err, cache.ErrNoParent) {
			return err
		}
	}
	if v.dNow != nil && sideOf(v.Kind) == toDropbox {
		if err := e.putDropbox(tx, c, *v.dNow, v.Node); err != nil {
			return err
		}
	}
	if v.copy != nil {
		n := *v.copy
		n.Client = c.id
		if err := e.putDropbox(tx, c, n, 0); err != nil {
			return err
		}
	}
	if !v.gone {
		return nil
	}
	if sideOf(v.Kind) == toDropbox {
		if v.d != nil {
			e.wroteDropbox[v.d.ID] = e.step
		}
		return tx.DropDropbox(v.Node)
	}
	if v.o != nil {
		e.wroteOdoo[v.o.Ref] = e.step
	}
	return tx.DropOdoo(v.Node)
}

// putDropbox puts a node under the id it is known by (0: by its own). A folder
// that is gone again meanwhile is no error: the feed says so, too.
func (e *Engine) putDropbox(tx *cache.Tx, c *client, n odbxfs.DropboxNode, id odbxfs.NodeID) error {
	n.Node, n.Client = id, c.id
	e.wroteDropbox[n.ID] = e.step
	_, err := e.storeDropbox(tx, c, n)
	if errors.Is(err, cache.ErrNoParent) {
		c.due = true
		return nil
	}
	return err
}

// taskReplan: its precondition no longer holds. What is known better now is
// taken over, and the planner looks anew.
func (e *Engine) taskReplan(tx *cache.Tx, c *client, v *verdict) error {
	if v.pNow != nil {
		v.pNow.Node = v.Node
		if err := e.putPair(tx, *v.pNow); err != nil {
			return err
		}
	}
	if err := e.takeOff(tx, c, v); err != nil {
		return err
	}
	if err := tx.MarkDirty(v.Node); err != nil {
		return err
	}
	// Where it was done before, only the answer was lost.
	var err error
	switch {
	case v.Kind == odbxfs.TaskOdooRestore && v.o != nil && v.o.Type == odbxfs.Binary:
		err = e.unlinkLater(tx, c, v, v.Pair)
	case v.Kind == odbxfs.TaskOdooConvert:
		err = e.converted(tx, c, v)
	}
	if err != nil {
		return err
	}
	return e.logTask(tx, v.Task, "dropped", v.err)
}

// taskRetry counts a failure of the task itself.
func (e *Engine) taskRetry(tx *cache.Tx, v *verdict) error {
	t := v.Task
	kind := odbxfs.KindOf(v.err)
	t.Attempts++
	t.NotUntil = e.opt.Now().Add(pace(kind, t.Attempts, retryAfter(v.err), e.opt.Random()))
	state := "failed"
	if !v.soon && fateOf(kind, t.Attempts) == fatePark {
		t.Reason = reasonOf(v.err, "the remote does not take it")
		state = "parked"
	}
	if err := tx.PutTask(t); err != nil {
		return err
	}
	return e.logTask(tx, t, state, v.err)
}
