package sync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	gosync "sync"
	"sync/atomic"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// Event tells the engine that an effect ended, or (the zero Event) that time
// went by or the store changed. It is made by effects only.
type Event struct {
	lane  string
	apply func() error // runs in Step; nil: nothing but the lane being free
}

// Effect is one wait or one call of a remote that Step asks for. Do runs it to
// its end in any goroutine; its Event goes to the next Step. Effects that were
// asked for by the same engine may run at the same time.
type Effect struct {
	Lane string // effects of one lane never overlap
	What string // for traces and status, as "odoo: look"
	Do   func(ctx context.Context) Event
}

// Engine is the state machine. Its methods, but for Status, Approve, Restore
// and Retry, belong to one goroutine.
type Engine struct {
	// fixed after New
	opt   Options
	store *cache.Store
	log   *slog.Logger

	// owned by the goroutine that steps
	step       uint64
	busy       map[string]string // lane -> what runs there
	out        []Effect          // what this step asks for
	wake       time.Time         // when to step again even if nothing happens; zero: never
	fatal      error
	odoo       odooState
	clients    map[odbxfs.ClientID]*client
	intents    intentState
	logSent    uint64
	logDue     bool
	told       Status // what the store has of the state
	logWire    remote
	planDue    bool // something is dirty that no plan has come to
	planMore   bool // the plan under way has not come to its end
	deleting   bool // there may be deletions in the queue
	rests      map[restKey]*rest
	letGo      *letGo                           // the reset that was asked for; nil: none
	resets     map[odbxfs.ClientID]ResetOptions // clients that are being let go; nil until Odoo told which there are
	resetSays  string                           // how far the reset has come, for people
	queuedEver int                              // tasks since the start
	done       counts                           // since the start, or since the reset under way began
	planned    []odbxfs.Task                    // with OnlyPlan: what would be done
	// same has content hashes of checksums that were compared; "-" where that
	// was in vain.
	same map[odbxfs.SHA1]odbxfs.ContentHash
	// wroteOdoo and wroteDropbox are the steps at which an answer of ours was
	// taken over: a look that began before must not put back what it saw then.
	// flights are the writes whose answers are still to come, by lane: what a
	// look says of these things may be older or newer than the answer.
	flights      map[string]flight
	wroteOdoo    map[odbxfs.OdooRef]uint64
	wroteDropbox map[odbxfs.DropboxID]uint64
	writes       uint64 // step of the last remote write that ended

	poked  atomic.Bool // the store changed since the last step; any goroutine may set it
	mu     gosync.Mutex
	status Status // guarded by mu: a copy for other goroutines
}

// New makes an engine on a store. Nothing starts before Step or Run is called.
func New(opt Options) (*Engine, error) {
	if opt.Store == nil || opt.Odoo == nil || opt.Now == nil || opt.Random == nil {
		return nil, errors.New("engine: store, Odoo, clock and randomness are needed")
	}
	if (opt.Ledger == nil) != (opt.Dropbox == nil) {
		return nil, errors.New("engine: ledger and Dropbox belong together")
	}
	opt.setDefaults()
	e := &Engine{
		opt: opt, store: opt.Store, log: opt.Log,
		busy:         map[string]string{},
		clients:      map[odbxfs.ClientID]*client{},
		flights:      map[string]flight{},
		same:         map[odbxfs.SHA1]odbxfs.ContentHash{},
		wroteOdoo:    map[odbxfs.OdooRef]uint64{},
		wroteDropbox: map[odbxfs.DropboxID]uint64{},
		rests:        map[restKey]*rest{},
		planDue:      true, logDue: true, deleting: true,
	}
	if err := e.load(); err != nil {
		return nil, err
	}
	return e, nil
}

// load reads what the last process left.
func (e *Engine) load() error {
	return e.store.View(func(tx *cache.Tx) error {
		if err := getMeta(tx, metaOdooMark, &e.odoo.mark); err != nil {
			return err
		}
		if err := getMeta(tx, metaDatabase, &e.odoo.database); err != nil {
			return err
		}
		return getMeta(tx, metaLogSent, &e.logSent)
	})
}

// Step takes one event over and says what is to be done next. At most a
// thousand rows are worked on in one step. An error is the store's, or says
// that another database answers: the engine can't go on.
func (e *Engine) Step(ev Event) ([]Effect, error) {
	if e.fatal != nil {
		return nil, e.fatal
	}
	e.step++
	e.out, e.wake = nil, time.Time{}
	if ev.lane != "" {
		delete(e.busy, ev.lane)
		delete(e.flights, ev.lane)
	}
	if ev.apply != nil {
		if err := ev.apply(); err != nil {
			return nil, e.stop(err)
		}
	}
	if err := e.next(); err != nil {
		return nil, e.stop(err)
	}
	if err := e.publish(); err != nil {
		return nil, e.stop(err)
	}
	return e.out, nil
}

func (e *Engine) stop(err error) error {
	e.fatal = err
	return err
}

// next gives work to every lane that is free. The order is that of the laws:
// what people did in the mount, then what was seen, then what follows of it.
func (e *Engine) next() error {
	e.nextLook()
	if err := e.nextIntents(); err != nil {
		return err
	}
	for _, c := range e.sorted() {
		e.nextClient(c)
	}
	if err := e.nextPlan(); err != nil {
		return err
	}
	if err := e.guardTasks(); err != nil {
		return err
	}
	for _, c := range e.sorted() {
		if err := e.nextTasks(c); err != nil {
			return err
		}
	}
	return e.nextLog()
}

// sorted gives the clients by id: nothing the engine does may hang on the
// order of a map.
func (e *Engine) sorted() []*client {
	all := make([]*client, 0, len(e.clients))
	for _, id := range slices.Sorted(maps.Keys(e.clients)) {
		all = append(all, e.clients[id])
	}
	return all
}

// emit starts an effect on a free lane. do returns what the engine takes over
// in its next step.
func (e *Engine) emit(lane, what string, do func(ctx context.Context) func() error) {
	e.busy[lane] = what
	e.out = append(e.out, Effect{Lane: lane, What: what, Do: func(ctx context.Context) Event {
		return Event{lane: lane, apply: do(ctx)}
	}})
}

// again asks for one more step at once, through a lane of its own: how a long
// piece of work is cut into steps.
func (e *Engine) again(lane, what string, work func() error) {
	e.emit(lane, what, func(context.Context) func() error { return work })
}

// free reports whether nothing runs on the lane.
func (e *Engine) free(lane string) bool {
	_, taken := e.busy[lane]
	return !taken
}

// wakeAt asks for a step at t, if nothing else causes one before.
func (e *Engine) wakeAt(t time.Time) {
	if e.wake.IsZero() || t.Before(e.wake) {
		e.wake = t
	}
}

// Wake is when Step wants to be called with the zero Event though nothing
// happened; the zero time is never.
func (e *Engine) Wake() time.Time { return e.wake }

// update runs a transaction of the store; its error ends the engine.
func (e *Engine) update(what string, fn func(*cache.Tx) error) error {
	if err := e.store.Update(fn); err != nil {
		return fmt.Errorf("store: %s: %w", what, err)
	}
	return nil
}

// durable is the sync that law 2 asks for before the first remote call of any
// task or intent.
func (e *Engine) durable(ctx context.Context) error {
	if err := e.store.Sync(ctx); err != nil {
		return fmt.Errorf("store: sync before a remote call: %w", err)
	}
	return nil
}

func retryAfter(err error) time.Duration {
	if r, ok := errors.AsType[*odbxfs.Error](err); ok {
		return r.RetryAfter
	}
	return 0
}
