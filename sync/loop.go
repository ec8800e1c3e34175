package sync

import (
	"context"
	"errors"
	"slices"
	gosync "sync"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// Timer is how the loop waits, as time.After: handed in, so that tests have
// virtual time.
type Timer func(time.Duration) <-chan time.Time

// Run steps the engine until ctx ends or the store fails. It waits for all
// effects before it returns. The error is nil when ctx ended it.
func (e *Engine) Run(ctx context.Context, after Timer) error {
	return e.loop(ctx, after, func() bool { return false })
}

// RunOnce steps the engine until nothing is left to do, or only what waits for
// a person or for a remote that keeps failing. What that is, Status says.
func (e *Engine) RunOnce(ctx context.Context, after Timer) error {
	return e.loop(ctx, after, e.Idle)
}

// loop is all there is around Step: effects run, their events come back, the
// store and the clock wake it.
func (e *Engine) loop(parent context.Context, after Timer, done func() bool) error {
	ctx, cancel := context.WithCancel(parent)
	var running gosync.WaitGroup
	defer running.Wait()
	defer cancel()

	events := make(chan Event)
	poke := make(chan struct{}, 1)
	unsubscribe := e.store.Subscribe(func(evs []cache.Event) {
		for _, ev := range evs {
			if ev.Kind == cache.IntentAdded || ev.Kind == cache.TreeDirty {
				e.poked.Store(true)
				select {
				case poke <- struct{}{}:
				default:
				}
				return
			}
		}
	})
	defer unsubscribe()

	var ev Event
	for {
		if e.poked.Swap(false) {
			e.planDue = true
		}
		effects, err := e.Step(ev)
		if err != nil {
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return parentOK(parent)
			}
			return err
		}
		for _, f := range effects {
			running.Go(func() {
				ev := f.Do(ctx)
				select {
				case events <- ev:
				case <-ctx.Done():
				}
			})
		}
		if done() {
			return nil
		}
		var timer <-chan time.Time
		if at := e.Wake(); !at.IsZero() {
			timer = after(max(0, at.Sub(e.opt.Now())))
		}
		select {
		case ev = <-events:
		case <-poke:
			ev = Event{}
		case <-timer:
			ev = Event{}
		case <-ctx.Done():
			return parentOK(parent)
		}
	}
}

// parentOK is the loop's answer when its context ended: that is how it is
// stopped, not a failure.
func parentOK(parent context.Context) error {
	if cause := context.Cause(parent); cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return nil
}

// patience is how many failures in a row of one remote RunOnce bears.
const patience = 3

// Idle reports whether nothing is left that would be done without a person or
// another answer of a remote that keeps failing. It belongs to the stepping
// goroutine.
func (e *Engine) Idle() bool {
	for lane, what := range e.busy {
		if what != whatWait {
			_ = lane // a lane at work; which one does not matter
			return false
		}
	}
	if !e.odoo.whole && !e.odoo.givenUp() {
		// A row that waits for a create of the last process waits for its client.
		return e.odoo.loaded && len(e.clients) > 0 && !slices.ContainsFunc(e.sorted(), func(c *client) bool { return !e.stuck(c) })
	}
	if e.odoo.givenUp() || e.intents.givenUp() {
		return true
	}
	if (e.planDue || e.planMore) && !e.opt.OnlyPlan || e.logDue && !e.logWire.givenUp() && e.opt.syncs() && !e.opt.OnlyPlan {
		return false
	}
	if e.odoo.lastRun < e.writes {
		if !e.odoo.due { // else the next look is on its way, or waits its turn
			e.odoo.due = true
			e.wakeAt(e.opt.Now())
		}
		return false
	}
	for _, c := range e.sorted() {
		if !e.clientIdle(c) {
			return false
		}
	}
	return !e.workLeft()
}

// stuck reports whether nothing of a client can go on by itself: it is paused,
// a remote keeps failing, or another syncer is at work.
func (e *Engine) stuck(c *client) bool {
	return c.cfg.Paused || c.remote.givenUp() || c.writing.givenUp() ||
		odbxfs.IsKind(c.lease.err, odbxfs.KindAccess)
}

// clientIdle reports whether a client has nothing more to say.
func (e *Engine) clientIdle(c *client) bool {
	if e.stuck(c) {
		return true
	}
	if !c.listed || !c.pairsDone || c.due || c.reading || c.reread {
		return false // a look is on its way, or waits its turn
	}
	if c.lastRun < e.writes {
		c.due = true
		e.wakeAt(e.opt.Now())
		return false
	}
	return true
}

// workLeft reports whether the store has an intent or a task that will be
// tried again by itself.
func (e *Engine) workLeft() bool {
	left := false
	err := e.store.View(func(tx *cache.Tx) error {
		if e.opt.OnlyPlan {
			return nil
		}
		behind := map[odbxfs.NodeID]bool{} // nodes whose tasks wait for a person, or for such a node
		holds := map[odbxfs.NodeID]bool{}  // folders out of which such a task is to take something
		if err := tx.Tasks(func(t odbxfs.Task) bool {
			c := e.clients[t.Client]
			stuck := behind[t.Node] || behind[t.Parent] || t.Kind.Deletes() && holds[t.Node] ||
				c == nil || c.lease.err != nil || e.stuck(c) || t.Attempts >= patience && t.NotUntil.After(e.opt.Now())
			if stuck || t.Held || t.Reason != "" {
				behind[t.Node] = true
				if t.Odoo != nil {
					holds[t.Odoo.Parent] = true
				}
				if t.Dropbox != nil {
					holds[t.Dropbox.Parent] = true
				}
			} else {
				left = true
			}
			return !left
		}); err != nil || left || !e.opt.Intents {
			return err
		}
		var err error
		left, err = intentLeft(tx)
		return err
	})
	if err != nil {
		e.fatal = err
		return false
	}
	return left
}

// intentLeft reports whether an intent is to be sent by itself, now or later.
func intentLeft(tx *cache.Tx) (left bool, err error) {
	end := tx.OpenIntents(func(in odbxfs.Intent) bool {
		var waits bool
		waits, err = tx.Waits(in)
		left = !waits
		return err == nil && waits
	})
	return left, errors.Join(end, err)
}
