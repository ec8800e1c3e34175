package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// laneLook is the lane of looks at Odoo and what follows of them.
const laneLook = "odoo-look"

// odooState is what the engine knows of Odoo and of the look under way.
type odooState struct {
	remote
	database string
	mark     string
	answered bool // it told something since the start
	loaded   bool // one look was taken over since the start: what is queued may go on
	whole    bool // and one of them without rows that wait for an answer of ours: planning may begin

	nextAt  time.Time // of the next look
	began   uint64    // step at which what is being taken over was asked for
	lookAt  uint64    // step at which the look under way began
	lastRun uint64    // step at which the last whole look began

	rows   []odbxfs.OdooNode  // of the look, not yet taken over
	look   odbxfs.OdooChanges // the look under way
	heldUp bool               // some rows wait for an answer of ours: the mark stays
	lost   orphans            // rows whose folder is not there
	scopes []odbxfs.OdooScope // whose counts differ, not yet descended into
	active bool               // the look brought something
	taking bool               // a look is being taken over: the tree is between two states
	due    bool               // another look is wanted at once
}

// nextLook starts a look at Odoo when it is time.
func (e *Engine) nextLook() {
	if !e.free(laneLook) {
		return
	}
	now := e.opt.Now()
	at := e.odoo.nextAt
	if e.odoo.due {
		at = time.Time{}
	}
	if e.odoo.notUntil.After(at) {
		at = e.odoo.notUntil
	}
	if now.Before(at) {
		e.wakeAt(at)
		return
	}
	mark := e.odoo.mark
	e.odoo.began, e.odoo.lookAt, e.odoo.due = e.step, e.step, false
	e.emit(laneLook, "odoo: look", func(ctx context.Context) func() error {
		look, err := e.opt.Odoo.Changes(ctx, mark)
		return func() error { return e.looked(look, err) }
	})
}

// looked takes over the answer to a look.
func (e *Engine) looked(look odbxfs.OdooChanges, err error) error {
	o := &e.odoo
	if err != nil {
		return e.lookFailed(err)
	}
	o.answered = true
	if o.database != "" && look.Database != o.database {
		return &odbxfs.Error{Op: "look at Odoo", Item: look.Database, Kind: odbxfs.KindForeign,
			Err: fmt.Errorf("this store belongs to the database %s", o.database)}
	}
	if o.database == "" {
		o.database = look.Database
		if err := e.update("note the database", func(tx *cache.Tx) error {
			return setMeta(tx, metaDatabase, look.Database)
		}); err != nil {
			return err
		}
	}
	o.look, o.rows, o.heldUp, o.scopes, o.taking = look, look.Nodes, false, nil, true
	// The root comes with every look, changed or not.
	o.active = slices.ContainsFunc(look.Nodes, func(n odbxfs.OdooNode) bool { return n.Ref.Kind != odbxfs.RefRoot })
	if err := e.configure(look.Clients); err != nil {
		return err
	}
	return e.takeRows()
}

// lookFailed puts the next look off. A database that is not ours ends the
// engine; everything else may pass.
func (e *Engine) lookFailed(err error) error {
	if odbxfs.IsKind(err, odbxfs.KindForeign) {
		return err
	}
	e.odoo.failed(e.opt.Now(), err, e.opt.Random())
	// What was taken over of it is planned for.
	e.odoo.taking, e.planDue = false, true
	e.log.Warn("Odoo can't be looked at", "error", err, "again", e.odoo.notUntil)
	return nil
}

// takeRows takes over at most stepRows rows, and goes on in another step.
func (e *Engine) takeRows() error {
	o := &e.odoo
	chunk := o.rows[:min(stepRows, len(o.rows))]
	if err := e.putRows(chunk); err != nil {
		return err
	}
	o.rows = o.rows[len(chunk):]
	if len(o.rows) > 0 {
		e.again(laneLook, "odoo: take over", e.takeRows)
		return nil
	}
	return e.compareCounts()
}

// putRows writes rows into the Odoo tree. Rows that must wait set heldUp.
func (e *Engine) putRows(rows []odbxfs.OdooNode) error {
	if len(rows) == 0 {
		return nil
	}
	e.planDue = true
	return e.update("take over rows of Odoo", func(tx *cache.Tx) error {
		for _, n := range rows {
			if err := e.putRow(tx, n); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e *Engine) putRow(tx *cache.Tx, n odbxfs.OdooNode) error {
	if at, ours := e.wroteOdoo[n.Ref]; ours && at > e.odoo.began || e.odooInFlight(n.Ref) {
		// What we wrote may be newer than what the look saw: it comes again.
		e.odoo.heldUp = true
		return nil
	}
	_, known, err := tx.OdooByRef(n.Ref)
	if err != nil {
		return err
	}
	if !known {
		claimed, err := e.odooClaimed(tx, n)
		if err != nil {
			return err
		}
		if claimed {
			// It is what one of our creates made, whose answer is still to come: it
			// must not become a second node.
			e.odoo.heldUp = true
			return nil
		}
	}
	if fault := faultOf(tx, n); fault != "" {
		e.log.Warn("a row of Odoo is passed over", "ref", n.Ref, "name", n.Name, "because", fault)
		return nil
	}
	if _, err := tx.PutOdoo(n); errors.Is(err, cache.ErrNoParent) {
		// Its folder was made after the rows were read: both come again. One that
		// never comes must not hold up all others.
		switch looks := e.odoo.lost.again(n.Ref, e.odoo.lookAt); {
		case looks <= orphanLooks:
			e.odoo.heldUp = true
		case looks == orphanLooks+1:
			e.log.Warn("a row of Odoo is passed over", "ref", n.Ref, "name", n.Name, "because", "its folder "+n.ParentRef.String()+" is not there")
		}
		return nil
	} else if err != nil {
		return fmt.Errorf("%s: %w", n.Ref, err)
	}
	delete(e.odoo.lost, n.Ref)
	return nil
}

// odooClaimed reports whether a thing that is new has the place of a create that
// is on its way: an intent or task that is not parked, of a client that is at
// work.
func (e *Engine) odooClaimed(tx *cache.Tx, n odbxfs.OdooNode) (bool, error) {
	parent, known, err := tx.OdooByRef(n.ParentRef)
	if err != nil || !known {
		return false, err
	}
	if e.opt.Intents {
		node, shown, err := tx.Lookup(parent, n.Name)
		if err != nil {
			return false, err
		}
		in, has, err := tx.Intent(node.Node)
		if err != nil {
			return false, err
		}
		if shown && has && in.Was.Ref.IsZero() && !in.Gone && in.Reason == "" {
			if waits, err := tx.Waits(in); err != nil || !waits {
				return err == nil, err
			}
		}
	}
	for _, c := range e.sorted() {
		if c.cfg.Paused {
			continue
		}
		marks, err := tx.QueuedAt(c.id, parent, n.Name)
		if err != nil {
			return false, err
		}
		for _, m := range marks {
			if m.Kind != odbxfs.TaskOdooCreate && m.Kind != odbxfs.TaskOdooMkdir {
				continue
			}
			if t, queued, err := tx.Task(m.Seq); err != nil || queued && t.Reason == "" && t.Name == n.Name {
				return err == nil, err
			}
		}
	}
	return false, nil
}

// compareCounts finds the scopes whose fingerprint differs from the store's.
func (e *Engine) compareCounts() error {
	o := &e.odoo
	if o.heldUp {
		// Rows are missing here on purpose: counts would only mislead.
		return e.lookDone()
	}
	ours := map[odbxfs.OdooScope]odbxfs.OdooCount{}
	err := e.store.View(func(tx *cache.Tx) error {
		counts, err := tx.OdooCounts()
		for _, c := range counts {
			ours[c.Scope] = c
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: counts: %w", err)
	}
	for _, theirs := range o.look.Counts {
		if theirs.Scope.Kind == odbxfs.RefRoot {
			continue // there is one, and it has no number
		}
		c := ours[theirs.Scope]
		delete(ours, theirs.Scope)
		if c.Count != theirs.Count || c.Sum != theirs.Sum {
			o.scopes = append(o.scopes, theirs.Scope)
		}
	}
	for scope, c := range ours {
		// A scope that Odoo no longer counts has nothing in it.
		if c.Count != 0 && scope.Kind != odbxfs.RefRoot {
			o.scopes = append(o.scopes, scope)
		}
	}
	// Containers before what is in them, so that what is in a removed record is
	// not asked for one by one.
	slices.SortFunc(o.scopes, func(a, b odbxfs.OdooScope) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		return compareText(a.Model, b.Model)
	})
	return e.descend()
}

// descend looks into the next scope whose count differs.
func (e *Engine) descend() error {
	o := &e.odoo
	if len(o.scopes) == 0 {
		return e.lookDone()
	}
	scope := o.scopes[0]
	o.scopes = o.scopes[1:]
	o.began = e.step
	e.emit(laneLook, "odoo: compare "+scope.Model, func(ctx context.Context) func() error {
		refs, err := e.opt.Odoo.Refs(ctx, scope)
		return func() error {
			if err != nil {
				return e.lookFailed(err)
			}
			return e.compareRefs(scope, refs)
		}
	})
	return nil
}

// compareRefs finds what only one side has, and asks for all of that as it is
// now: what was made by ourselves after the list was taken is then not taken
// for removed.
func (e *Engine) compareRefs(scope odbxfs.OdooScope, refs []odbxfs.OdooRef) error {
	var ours []odbxfs.OdooRef
	err := e.store.View(func(tx *cache.Tx) error {
		var err error
		ours, err = tx.OdooRefs(scope)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: refs of %s: %w", scope.Model, err)
	}
	here := map[odbxfs.OdooRef]bool{}
	for _, r := range ours {
		here[r] = true
	}
	var ask []odbxfs.OdooRef
	for _, r := range refs {
		if !here[r] {
			ask = append(ask, r)
		}
		delete(here, r)
	}
	var missing []odbxfs.OdooRef
	for _, r := range ours {
		if here[r] {
			missing = append(missing, r)
		}
	}
	if len(ask)+len(missing) == 0 {
		return e.descend()
	}
	o := &e.odoo
	o.began = e.step
	ask = append(ask, missing...)
	e.emit(laneLook, fmt.Sprintf("odoo: read %d rows", len(ask)), func(ctx context.Context) func() error {
		var nodes []odbxfs.OdooNode
		for part := range slices.Chunk(ask, stepRows) {
			got, err := e.opt.Odoo.Nodes(ctx, part)
			if err != nil {
				return func() error { return e.lookFailed(err) }
			}
			nodes = append(nodes, got...)
		}
		return func() error { return e.tookScope(nodes, missing) }
	})
	return nil
}

// tookScope takes over what a descent found: rows as they are, and the end of
// those that Odoo no longer has.
func (e *Engine) tookScope(nodes []odbxfs.OdooNode, missing []odbxfs.OdooRef) error {
	there := map[odbxfs.OdooRef]bool{}
	for _, n := range nodes {
		there[n.Ref] = true
	}
	e.odoo.active, e.planDue = true, true
	var gone []odbxfs.OdooRef
	for _, r := range missing {
		if !there[r] {
			gone = append(gone, r)
		}
	}
	return e.takeScope(nodes, gone)
}

func (e *Engine) takeScope(nodes []odbxfs.OdooNode, gone []odbxfs.OdooRef) error {
	put := nodes[:min(stepRows, len(nodes))]
	drop := gone[:min(stepRows-len(put), len(gone))]
	if err := e.putRows(put); err != nil {
		return err
	}
	err := e.update("drop what is gone in Odoo", func(tx *cache.Tx) error {
		for _, r := range drop {
			if err := e.dropRef(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	nodes, gone = nodes[len(put):], gone[len(drop):]
	if len(nodes)+len(gone) > 0 {
		e.again(laneLook, "odoo: take over", func() error { return e.takeScope(nodes, gone) })
		return nil
	}
	return e.descend()
}

// dropRef takes a thing out of the Odoo tree, if it is (still) there.
func (e *Engine) dropRef(tx *cache.Tx, r odbxfs.OdooRef) error {
	id, known, err := tx.OdooByRef(r)
	if err != nil || !known {
		return err
	}
	return tx.DropOdoo(id)
}

// lookDone ends a look: the mark moves on, unless rows were left out.
func (e *Engine) lookDone() error {
	o := &e.odoo
	o.ok() // not before: a list that fails each time must be asked for less and less
	o.lastRun = o.lookAt
	first := !o.loaded
	// Rows may be held up by a create of the last process, whose answer only its
	// repetition brings: so that must not wait for a look without such rows.
	o.loaded = true
	if !o.heldUp {
		o.mark = o.look.Mark
		o.whole = true
		if err := e.update("keep the mark of Odoo", func(tx *cache.Tx) error {
			return setMeta(tx, metaOdooMark, o.mark)
		}); err != nil {
			return err
		}
		for r, at := range e.wroteOdoo {
			if at < o.lookAt {
				delete(e.wroteOdoo, r)
			}
		}
	}
	wait := e.opt.Interval
	if (o.active || o.heldUp) && wait > time.Second {
		// Who changes something mostly changes more: look again soon.
		wait = max(time.Second, wait/4)
	}
	o.nextAt = e.opt.Now().Add(wait)
	o.look, o.rows, o.taking = odbxfs.OdooChanges{}, nil, false
	// Planning may have waited for this look.
	e.planDue = e.planDue || first || len(e.clients) > 0
	return nil
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
