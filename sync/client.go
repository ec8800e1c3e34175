package sync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// client is the engine's side of one cloud client. It belongs to the stepping
// goroutine.
type client struct {
	id  odbxfs.ClientID
	cfg odbxfs.CloudClient

	// Dropbox
	remote
	db       Dropbox // nil until signed in
	home     string  // where the account's paths begin
	cursor   string  // as the store has it
	listed   bool    // read to the end once since the start
	reading  bool    // more pages follow
	between  bool    // the last page was not the feed's last: the tree is between two states
	relist   relist
	early    early  // entries of the pages before whose folder is still to come
	rootGone bool   // the page under way removes the root folder
	lookAt   uint64 // step at which the look under way began
	lastRun  uint64 // step at which the last whole look began
	reread   bool   // entries were left out of the last page, older or newer than an answer of ours: it is to be read again
	echo     bool   // entries were left out since a write about them is under way: read again when that is answered
	due      bool   // a look is wanted now
	waiting  remote // the long-poll's own failures

	// Odoo's side
	pairsDone bool
	pairsRow  int64                   // the last row read
	paired    bool                    // there was a pair since the start, read or written
	wanted    map[odbxfs.OdooRef]bool // links for whose pairs the rows were read again
	lease     lease
	writing   remote // of writes to Odoo for this client

	planned odbxfs.NodeID         // the last dirty node that the plan under way has come to; 0: it begins
	missed  bool                  // something became dirty while one was under way: then another follows
	staleAt uint64                // step at which a precondition failed: both sides are looked at before planning goes on
	replans map[odbxfs.NodeID]int // how often in a row the node's task was planned anew
	gate    map[uint64]uint64     // task -> step at which it was queued
	stated  string                // the state Odoo was last told

	resets    int       // how often in a row Dropbox forgot the cursor
	lastReset time.Time // when it did last
	wasReset  bool      // it was let go; kept in the store
}

// lease is the right to be the one writer.
type lease struct {
	until time.Time
	epoch int64
	next  time.Time // when to ask again
	err   error     // why it is not ours
}

// leaseMargin is what a lease must outlast a write that has no precondition
// of its own: more than the longest call that the clients allow to hang.
const leaseMargin = 10 * time.Second

// held reports whether the lease is ours at now, with margin.
func (l *lease) held(now time.Time) bool { return now.Add(leaseMargin).Before(l.until) }

func (c *client) lane(what string) string { return fmt.Sprintf("%s/%d", what, c.id) }

// ready reports whether everything that planning needs is known: both trees
// and the pairs.
func (e *Engine) ready(c *client) bool {
	return e.odoo.loaded && c.pairsDone && c.listed && !c.reading && !c.between && !c.reread && !c.cfg.Paused
}

// mayPlan reports whether planning makes sense: what made a precondition fail
// has been read from both sides, or the same plan would come out again.
func (e *Engine) mayPlan(c *client) bool {
	return e.ready(c) && e.odoo.whole && !e.odoo.taking && c.lastRun >= c.staleAt && e.odoo.lastRun >= c.staleAt
}

// mayWrite reports whether tasks of the client may start.
func (e *Engine) mayWrite(c *client) bool {
	return e.ready(c) && c.db != nil && c.lease.held(e.opt.Now())
}

// configure takes over the cloud clients as Odoo has them now.
func (e *Engine) configure(all []odbxfs.CloudClient) error {
	if !e.opt.syncs() {
		return nil
	}
	if err := e.chooseReset(all); err != nil {
		return err
	}
	seen := map[odbxfs.ClientID]bool{}
	for _, cfg := range all {
		seen[cfg.ID] = true
		if _, on := e.resets[cfg.ID]; on {
			cfg.Paused = false // a reset pauses it for everybody else
		}
		c, known := e.clients[cfg.ID]
		if known && c.cfg == cfg {
			continue
		}
		if known && c.cfg.Root == cfg.Root {
			// Another policy or pause: what is known stays.
			c.cfg = cfg
			e.planDue = true
			err := e.update("follow the link policy", func(tx *cache.Tx) error { return e.followPolicy(tx, c) })
			if err := errors.Join(err, e.beginAnew(c)); err != nil {
				return err
			}
			continue
		}
		c = &client{id: cfg.ID, cfg: cfg, gate: map[uint64]uint64{}, replans: map[odbxfs.NodeID]int{},
			wanted: map[odbxfs.OdooRef]bool{}, due: true}
		e.clients[cfg.ID] = c
		if err := e.openClient(c); err != nil {
			return err
		}
		if err := e.beginAnew(c); err != nil {
			return err
		}
	}
	for id := range e.clients {
		if !seen[id] {
			delete(e.clients, id)
		}
	}
	return nil
}

// beginAnew takes up a client that was reset, once a person has taken its pause
// away: everything is looked at again.
func (e *Engine) beginAnew(c *client) error {
	if _, on := e.resets[c.id]; on || !c.wasReset || c.cfg.Paused {
		return nil
	}
	c.wasReset = false
	return e.update("begin anew with a client", func(tx *cache.Tx) error {
		if err := tx.SetMeta(metaReset(c.id), nil); err != nil {
			return err
		}
		return markAll(tx)
	})
}

// openClient reads what the store has of a client. A root that is another than
// before makes the listing begin anew.
func (e *Engine) openClient(c *client) error {
	return e.update("open a cloud client", func(tx *cache.Tx) error {
		c.cursor, c.pairsRow, c.pairsDone = "", 0, false
		root, known, err := tx.DropboxRoot(c.id)
		if err != nil {
			return err
		}
		if !known || root != c.cfg.Root {
			if err := tx.SetDropboxRoot(c.id, c.cfg.Root); err != nil {
				return err
			}
			if err := setMeta(tx, metaCursor(c.id), ""); err != nil {
				return err
			}
		}
		if err := getMeta(tx, metaCursor(c.id), &c.cursor); err != nil {
			return err
		}
		if err := getMeta(tx, metaReset(c.id), &c.wasReset); err != nil {
			return err
		}
		if err := e.followPolicy(tx, c); err != nil {
			return err
		}
		err = getMeta(tx, metaPairs(c.id), &c.pairsRow)
		c.paired = c.pairsRow > 0
		return err
	})
}

// nextClient gives work to the lanes of one client that observe.
func (e *Engine) nextClient(c *client) {
	if c.cfg.Paused || !e.odoo.loaded {
		return
	}
	e.nextLease(c)
	e.nextPairs(c)
	e.nextConnect(c)
	e.nextDropboxLook(c)
	e.nextDropboxWait(c)
}

// nextLease takes and renews the lease, a third of its time before it ends.
func (e *Engine) nextLease(c *client) {
	lane := c.lane("lease")
	now := e.opt.Now()
	if e.opt.OnlyPlan || !e.free(lane) {
		return
	}
	if now.Before(c.lease.next) {
		e.wakeAt(c.lease.next)
		return
	}
	e.emit(lane, "odoo: lease", func(ctx context.Context) func() error {
		epoch, until, err := e.opt.Ledger.Lease(ctx, c.id, e.opt.Holder, e.opt.LeaseTTL)
		return func() error {
			now, before := e.opt.Now(), c.lease.err
			c.lease.err = err
			c.lease.next = now.Add(e.opt.LeaseTTL / 3)
			if err != nil {
				c.lease.next = now.Add(pace(odbxfs.KindOf(err), 3, retryAfter(err), e.opt.Random()))
				say := e.log.Debug // it is asked for every few seconds, and for days where another has it
				if before == nil || odbxfs.KindOf(before) != odbxfs.KindOf(err) {
					say = e.log.Warn
				}
				say("the right to write is not ours", "client", c.cfg.Name, "error", err)
				return nil // the lease keeps it, and asks again by its pace
			}
			c.lease.epoch, c.lease.until = epoch, until
			return nil
		}
	})
}

// Release gives back the leases that this engine holds: whoever comes next, on
// another machine too, need not wait until they end. It is called when Run or
// RunOnce returned for good, so that no write is under way any more; where it
// fails, the lease ends by itself. It belongs to the stepping goroutine.
func (e *Engine) Release(ctx context.Context) error {
	var errs []error
	for _, c := range e.sorted() {
		if c.lease.epoch == 0 || !c.lease.held(e.opt.Now()) {
			continue
		}
		c.lease = lease{}
		if err := e.opt.Ledger.Release(ctx, c.id, e.opt.Holder); err != nil && !odbxfs.IsKind(err, odbxfs.KindAccess) {
			errs = append(errs, fmt.Errorf("give back the lease of %s: %w", c.cfg.Name, err))
		}
	}
	return errors.Join(errs...)
}

// nextPairs reads the pairs from Odoo that the store does not have: all of
// them when it is new (law 6), the new rows else.
func (e *Engine) nextPairs(c *client) {
	lane := c.lane("pairs")
	if c.pairsDone || !e.free(lane) {
		return
	}
	if !c.writing.ready(e.opt.Now()) {
		e.wakeAt(c.writing.notUntil)
		return
	}
	after := c.pairsRow
	e.emit(lane, "odoo: pairs", func(ctx context.Context) func() error {
		page, err := e.opt.Ledger.Pairs(ctx, c.id, after, pairsPage)
		return func() error { return e.tookPairs(c, page, err) }
	})
}

func (e *Engine) tookPairs(c *client, page []odbxfs.Pair, err error) error {
	if err != nil {
		c.writing.failed(e.opt.Now(), err, e.opt.Random())
		return nil
	}
	c.writing.ok()
	for _, p := range page {
		c.pairsRow, c.paired = max(c.pairsRow, p.Row), true
	}
	c.pairsDone = len(page) < pairsPage
	e.planDue = true
	return e.update("take over pairs", func(tx *cache.Tx) error {
		for _, p := range page {
			if id, known, err := tx.PairByOdoo(p.Odoo); err != nil {
				return err
			} else if known {
				if old, _, err := tx.Pair(id); err != nil {
					return err
				} else if old.Row == p.Row && old.Version >= p.Version {
					continue // an answer of ours was later than this page
				}
			}
			switch err := e.putPair(tx, p); {
			case errors.Is(err, cache.ErrTwoThings):
				// Both sides of the row belong to others: those are what is there.
				e.log.Warn("a row of pairs does not fit what is there", "client", c.cfg.Name, "row", p.Row, "error", err)
			case err != nil:
				return fmt.Errorf("pair %d: %w", p.Row, err)
			}
		}
		return setMeta(tx, metaPairs(c.id), c.pairsRow)
	})
}

// putPair writes a pair and what leads to it.
func (e *Engine) putPair(tx *cache.Tx, p odbxfs.Pair) error {
	if c := e.clients[p.Client]; c != nil {
		c.paired = true
	}
	if _, err := tx.PutPair(p); err != nil {
		return err
	}
	if p.URL != "" && p.Dropbox != "" {
		return setMeta(tx, metaURL(p.URL), p.Dropbox)
	}
	return nil
}

// nextConnect signs in to the client's account and makes sure that it is the
// one this store was made with.
func (e *Engine) nextConnect(c *client) {
	lane := c.lane("dropbox-look")
	now := e.opt.Now()
	if c.db != nil || !e.free(lane) {
		return
	}
	if !c.remote.ready(now) {
		e.wakeAt(c.notUntil)
		return
	}
	cfg := c.cfg
	e.emit(lane, "dropbox: sign in", func(ctx context.Context) func() error {
		db, err := e.opt.Dropbox(ctx, cfg)
		var account odbxfs.DropboxAccount
		if err == nil {
			account, err = db.Account(ctx)
		}
		return func() error {
			if err != nil {
				return e.dropboxFailed(c, err)
			}
			return e.connected(c, db, account)
		}
	})
}

func (e *Engine) connected(c *client, db Dropbox, account odbxfs.DropboxAccount) error {
	var known string
	err := e.update("note the Dropbox account", func(tx *cache.Tx) error {
		known = ""
		if err := getMeta(tx, metaAccount(c.id), &known); err != nil || known != "" {
			return err
		}
		return setMeta(tx, metaAccount(c.id), account.ID)
	})
	if err != nil {
		return err
	}
	if known != "" && known != account.ID {
		return e.dropboxFailed(c, &odbxfs.Error{Op: "sign in to Dropbox", Item: account.Email, Kind: odbxfs.KindForeign,
			Err: fmt.Errorf("the login is now of the account %s; this store was made with %s", account.ID, known)})
	}
	c.remote.ok()
	c.db, c.home, c.due = db, account.Home, true
	return nil
}

// dropboxFailed puts everything that needs this account off.
func (e *Engine) dropboxFailed(c *client, err error) error {
	c.remote.failed(e.opt.Now(), err, e.opt.Random())
	e.log.Warn("Dropbox does not answer as it should", "client", c.cfg.Name, "error", err, "again", c.notUntil)
	return nil
}
