package sync

import (
	"fmt"
	"slices"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// Status is how the engine does: for `odbxfs status`, and for tests.
type Status struct {
	Time    time.Time
	Past    bool     // of an engine that runs no more, as of Time; the queue is as it is now
	Running []string // what is under way now, sorted
	Queued  int      // tasks that will be tried by themselves
	Intents int      // intents that will be tried by themselves
	Dirty   int      // things that changed, and whose sides are yet to be compared
	Held    []Item   // deletions that wait for a person
	Parked  []Item   // what can't be done, with its reason
	Waiting []string // why nothing moves, in sentences
	Refused []Item   // files of the mount that could not be opened, with the reason; filled in by whoever serves the mount
	Clients []ClientStatus
	OdooOK  bool // Odoo's last answer was no error
	// OdooSilent says that Odoo was asked for the first time since the start, and
	// has not answered yet.
	OdooSilent bool
	OdooErr    odbxfs.ErrorKind // when it was one: its kind
	Looked     bool             // Odoo was read whole once since the start
}

// Item is one thing that waits for a person.
type Item struct {
	Node   odbxfs.NodeID
	Task   uint64 // its place in the queue; 0: it is an intent of the mount
	Path   string
	What   string // as "odoo-delete"
	Reason string
}

// ClientStatus is how one cloud client does.
type ClientStatus struct {
	ID      odbxfs.ClientID
	Name    string
	State   string // connected, paused, error, or "" while it starts
	Message string
	Kind    odbxfs.ErrorKind // of the error, in state error
	Epoch   int64            // of the lease; 0: not ours
	Other   bool             // another syncer has the lease, and does the work
	Listed  bool             // Dropbox was read to its end once since the start
}

// Status gives the state as of the last step; before the first, what the engine
// before this one left in the store. It may be called from any goroutine.
func (e *Engine) Status() (Status, error) {
	e.mu.Lock()
	s := e.status
	e.mu.Unlock()
	stepped := !s.Time.IsZero()
	err := e.store.View(func(tx *cache.Tx) error {
		if !stepped {
			var err error
			if s, err = remembered(tx); err != nil {
				return err
			}
		}
		s.Queued, s.Intents, s.Dirty, s.Held, s.Parked = 0, 0, 0, nil, nil
		spoken := map[odbxfs.NodeID]bool{} // of nodes that have a task or an intent
		if err := tx.Tasks(func(t odbxfs.Task) bool {
			spoken[t.Node] = true
			e.addTask(tx, &s, t)
			return true
		}); err != nil {
			return err
		}
		list, err := tx.Intents()
		if err != nil {
			return err
		}
		for _, in := range list {
			spoken[in.Node] = true
			waits, err := tx.Waits(in)
			if err != nil {
				return err
			}
			if !waits {
				s.addIntent(tx, in)
			}
		}
		dirty, err := tx.Dirty(0)
		for _, id := range dirty {
			if !spoken[id] { // else it is compared when that is through
				s.Dirty++
			}
		}
		return err
	})
	return s, err
}

// addTask counts a task, or names it where a person is waited for.
func (e *Engine) addTask(tx *cache.Tx, s *Status, t odbxfs.Task) {
	lane := cache.LaneOf(t)
	if lane != cache.LaneHeld && lane != cache.LaneParked {
		s.Queued++
		return
	}
	item := Item{Node: t.Node, Task: t.Seq, Path: e.itemOf(tx, t), What: t.Kind.String(), Reason: t.Reason}
	if lane == cache.LaneHeld {
		item.Reason = "waits for a person: " + t.Why
		s.Held = append(s.Held, item)
		return
	}
	s.Parked = append(s.Parked, item)
}

func (s *Status) addIntent(tx *cache.Tx, in odbxfs.Intent) {
	path, err := tx.PathOf(in.Node)
	if err != nil || path == "" {
		path = in.Was.Name // it has no path any more
	}
	item := Item{Node: in.Node, Path: path, What: "intent", Reason: in.Reason}
	switch {
	case in.Held:
		s.Held = append(s.Held, item)
	case in.Reason != "":
		s.Parked = append(s.Parked, item)
	default:
		s.Intents++
	}
}

// Looked reports whether this engine has read Odoo whole once, and whether Odoo's
// last answer was an error. It asks no store, and may be called from any goroutine.
func (e *Engine) Looked() (whole, failed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &e.status
	return s.Looked, !s.Time.IsZero() && !s.OdooOK && !s.OdooSilent
}

// publish copies what other goroutines may see of the engine's own state.
func (e *Engine) publish() error {
	s := Status{Time: e.opt.Now(), OdooOK: e.odoo.err == nil && e.odoo.answered,
		OdooSilent: e.odoo.err == nil && !e.odoo.answered, Looked: e.odoo.whole}
	for _, what := range e.busy {
		s.Running = append(s.Running, what)
	}
	slices.Sort(s.Running)
	if e.odoo.err != nil {
		s.OdooErr = odbxfs.KindOf(e.odoo.err)
		s.Waiting = append(s.Waiting, "Odoo: "+e.odoo.err.Error())
	}
	if e.intents.err != nil {
		s.Waiting = append(s.Waiting, "what was done in the mount: "+e.intents.err.Error())
	}
	for _, c := range e.sorted() {
		state, message := e.stateOf(c)
		s.Clients = append(s.Clients, ClientStatus{ID: c.id, Name: c.cfg.Name, State: state, Message: message,
			Kind: odbxfs.KindOf(c.remote.err), Epoch: c.lease.epoch, Listed: c.listed,
			Other: odbxfs.IsKind(c.lease.err, odbxfs.KindAccess)})
		for _, err := range []error{c.remote.err, c.writing.err, c.lease.err} {
			if err != nil {
				s.Waiting = append(s.Waiting, fmt.Sprintf("%s: %s", c.cfg.Name, err))
			}
		}
	}
	e.mu.Lock()
	e.status = s
	e.mu.Unlock()
	return e.remember(s)
}

// Approve lets held deletions go: those of the given nodes, or all when none is
// given. It gives how many. It may be called from any goroutine.
func (e *Engine) Approve(nodes ...odbxfs.NodeID) (int, error) {
	return e.decide(nodes, func(tx *cache.Tx, t odbxfs.Task) error {
		t.Held = false
		if err := tx.PutTask(t); err != nil {
			return err
		}
		return setMeta(tx, metaApproved(t.Node), t.Seq)
	}, approveIntent)
}

// approveIntent lets a deletion of the mount go, and remembers that a person
// did, so that the guard does not ask again.
func approveIntent(tx *cache.Tx, id odbxfs.NodeID) error {
	if err := tx.ReleaseIntents([]odbxfs.NodeID{id}); err != nil {
		return err
	}
	in, ok, err := tx.Intent(id)
	if err != nil || !ok {
		return err
	}
	return setMeta(tx, metaApproved(id), in.Seq)
}

// RestoreHeld takes held deletions back: what was removed in the mount shows
// again; what was removed on one side is made there anew from the other. It gives
// how many. It may be called from any goroutine.
func (e *Engine) RestoreHeld(nodes ...odbxfs.NodeID) (int, error) {
	return e.decide(nodes, e.takeBack, func(tx *cache.Tx, id odbxfs.NodeID) error { return tx.RestoreHeld(id) })
}

// takeBack puts into the place of a held deletion what undoes it. A link has its
// bytes in Dropbox alone: they come back into Odoo from Dropbox's trash. All else is
// forgotten, in Odoo too: with a tombstone of no revision for a pair, what is left on
// one side is new, and mirrored as such. What both sides have again needs nothing.
func (e *Engine) takeBack(tx *cache.Tx, t odbxfs.Task) error {
	if err := tx.DropTask(t.Seq); err != nil {
		return err
	}
	if err := revived(tx, t.Node); err != nil {
		return err
	}
	w := work{Task: t}
	if err := w.read(tx); err != nil {
		return err
	}
	if w.p != nil && !w.p.Gone && (w.o == nil || w.d == nil) {
		back := odbxfs.Task{Kind: odbxfs.TaskForget, Pass: odbxfs.Backward, Node: t.Node, Client: t.Client, Name: t.Name,
			Why: "a person takes its removal back", Odoo: w.o, Dropbox: w.d, Pair: w.p}
		if w.o != nil && w.o.Type == odbxfs.Link {
			back.Kind, back.Pass = odbxfs.TaskOdooRestore, odbxfs.Reverse
		} else {
			tomb := *w.p
			tomb.Rev = ""
			back.Pair = &tomb
		}
		if err := e.planTask(tx, back); err != nil {
			return err
		}
	}
	return markUp(tx, t.Node)
}

// markUp makes a node dirty, and the folders above it on both sides: one that was
// removed lives on with what lives in it.
func markUp(tx *cache.Tx, id odbxfs.NodeID) error {
	up := []odbxfs.NodeID{id}
	seen := map[odbxfs.NodeID]bool{odbxfs.RootNode: true, 0: true}
	for len(up) > 0 {
		id, up = up[0], up[1:]
		if seen[id] {
			continue
		}
		seen[id] = true
		if err := tx.MarkDirty(id); err != nil {
			return err
		}
		if o, ok := tx.Odoo().Node(id); ok {
			up = append(up, o.Parent)
		}
		if d, ok := tx.Dropbox().Node(id); ok {
			up = append(up, d.Parent)
		}
	}
	return tx.Err()
}

// decide does one thing with everything that is held, or with the held of the
// given nodes.
func (e *Engine) decide(nodes []odbxfs.NodeID, task func(*cache.Tx, odbxfs.Task) error,
	intent func(*cache.Tx, odbxfs.NodeID) error) (int, error) {
	count := 0
	wanted := func(id odbxfs.NodeID) bool { return len(nodes) == 0 || slices.Contains(nodes, id) }
	err := e.store.Update(func(tx *cache.Tx) error {
		count = 0
		clients := map[odbxfs.ClientID]bool{}
		tasks, err := tasksWhere(tx, func(t odbxfs.Task) bool { return t.Held && wanted(t.Node) })
		if err != nil {
			return err
		}
		for _, t := range tasks {
			if err := task(tx, t); err != nil {
				return err
			}
			clients[t.Client] = true
			count++
		}
		list, err := tx.Intents()
		if err != nil {
			return err
		}
		for _, in := range list {
			if !in.Held || !wanted(in.Node) {
				continue
			}
			if err := intent(tx, in.Node); err != nil {
				return err
			}
			clients[in.Was.Client] = true
			count++
		}
		for client := range clients {
			if err := decided(tx, client); err != nil {
				return err
			}
		}
		return nil
	})
	e.poked.Store(true)
	return count, err
}

// Retry takes everything parked up again: of the given nodes, or all when none
// is given. It gives how many. It may be called from any goroutine.
func (e *Engine) Retry(nodes ...odbxfs.NodeID) (int, error) {
	count := 0
	wanted := func(id odbxfs.NodeID) bool { return len(nodes) == 0 || slices.Contains(nodes, id) }
	err := e.store.Update(func(tx *cache.Tx) error {
		var err error
		if count, err = unpark(tx, func(t odbxfs.Task) bool { return wanted(t.Node) }); err != nil {
			return err
		}
		list, err := tx.Intents()
		if err != nil {
			return err
		}
		for _, in := range list {
			if in.Reason == "" || in.Held || !wanted(in.Node) {
				continue
			}
			in.Reason, in.Attempts, in.NotUntil = "", 0, time.Time{}
			if err := tx.PutIntent(in); err != nil {
				return err
			}
			count++
		}
		return nil
	})
	e.poked.Store(true)
	return count, err
}

// unpark has the parked tasks that are wanted tried again, as new ones, and gives
// how many.
func unpark(tx *cache.Tx, wanted func(odbxfs.Task) bool) (int, error) {
	parked, err := tasksWhere(tx, func(t odbxfs.Task) bool { return t.Reason != "" && wanted(t) })
	if err != nil {
		return 0, err
	}
	for _, t := range parked {
		t.Reason, t.Attempts, t.NotUntil = "", 0, time.Time{}
		if err := tx.PutTask(t); err != nil {
			return 0, err
		}
	}
	return len(parked), nil
}

// tasksWhere collects tasks, so that the queue is not changed while it is read.
func tasksWhere(tx *cache.Tx, want func(odbxfs.Task) bool) ([]odbxfs.Task, error) {
	var found []odbxfs.Task
	err := tx.Tasks(func(t odbxfs.Task) bool {
		if want(t) {
			found = append(found, t)
		}
		return true
	})
	return found, err
}
