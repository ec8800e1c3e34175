package sync

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// relist is a listing from the start, under way: what it has not named when it
// ends is gone from Dropbox.
type relist struct {
	on   bool
	seen map[odbxfs.NodeID]bool
}

// nextDropboxLook reads Dropbox's changes when something may have changed.
func (e *Engine) nextDropboxLook(c *client) {
	lane := c.lane("dropbox-look")
	if c.db == nil || !e.free(lane) || !c.due && !c.reading {
		return
	}
	if c.echo && !e.free(c.lane("dropbox-write")) {
		return // the answer comes first
	}
	if !c.pairsDone {
		// The listing must find the pairs, or everything in it would be new.
		return
	}
	if !c.remote.ready(e.opt.Now()) {
		e.wakeAt(c.notUntil)
		return
	}
	if !c.reading {
		c.lookAt = e.step
		c.due = false
		if c.cursor == "" {
			c.relist = relist{on: true, seen: map[odbxfs.NodeID]bool{}}
		}
	}
	db, root, cursor := c.db, c.cfg.Root, c.cursor
	mayMake, asEmpty := e.mayMakeRoot(c), e.opt.OnlyPlan && c.unpaired()
	e.emit(lane, "dropbox: look", func(ctx context.Context) func() error {
		page, err := db.Changes(ctx, root, cursor)
		switch {
		case !odbxfs.IsKind(err, odbxfs.KindMissing):
		case mayMake:
			page, err = makeRoot(ctx, db, root)
		case asEmpty:
			page, err = odbxfs.DropboxPage{}, nil // as the root will be once it is made
		}
		return func() error { return e.tookPage(c, page, err) }
	})
}

// mayMakeRoot says whether a missing root folder may be made: only when nothing
// was ever paired below it, for else someone took the whole root away, and a
// person must say what that means.
func (e *Engine) mayMakeRoot(c *client) bool {
	return c.unpaired() && !e.opt.OnlyPlan && c.lease.held(e.opt.Now())
}

// unpaired reports whether nothing was ever paired below the client's root.
func (c *client) unpaired() bool { return c.cursor == "" && !c.paired }

// makeRoot makes the client's root folder and lists it.
func makeRoot(ctx context.Context, db Dropbox, root string) (odbxfs.DropboxPage, error) {
	res, err := db.Apply(ctx, []odbxfs.DropboxOp{{Kind: odbxfs.DropboxMakeFolder, Path: root}})
	if err != nil {
		return odbxfs.DropboxPage{}, err
	}
	if len(res) == 1 && res[0].Outcome != odbxfs.Done {
		return odbxfs.DropboxPage{}, res[0].Err
	}
	return db.Changes(ctx, root, "")
}

// tookPage stores one page with its cursor, in one transaction.
func (e *Engine) tookPage(c *client, page odbxfs.DropboxPage, err error) error {
	if odbxfs.IsKind(err, odbxfs.KindReset) {
		return e.resetCursor(c)
	}
	if err != nil {
		c.reading = false
		c.due = true
		return e.dropboxFailed(c, err)
	}
	c.remote.ok()
	c.reread, c.echo = false, false
	waiting := c.early.copied()
	err = e.update("take over changes of Dropbox", func(tx *cache.Tx) error {
		if err := e.putChanges(tx, c, page.Changes, waiting); err != nil {
			return err
		}
		if c.reread || c.echo {
			return nil
		}
		if !page.More && c.relist.on {
			if err := e.dropUnlisted(tx, c); err != nil {
				return err
			}
		}
		if page.More && (c.relist.on || len(waiting) > 0) {
			// What a listing did not name is known at its end only, and what came
			// too early is nowhere but here: after a restart it is read again.
			return nil
		}
		return setMeta(tx, metaCursor(c.id), page.Cursor)
	})
	if err != nil {
		return err
	}
	if c.rootGone {
		c.rootGone = false
		return e.resetCursor(c)
	}
	if c.reread || c.echo {
		// It is read once more, in a look that begins after the write. All else
		// was taken over: whoever waits for a look to its end has had it.
		c.reading, c.due = false, true
		c.between = page.More
		if !c.reread && !page.More && !c.relist.on {
			c.lastRun, e.planDue = c.lookAt, true
		}
		return nil
	}
	c.cursor, c.reading, c.between, c.early = page.Cursor, page.More, page.More, waiting
	if len(page.Changes) > 0 {
		e.planDue = true
	}
	if !page.More {
		c.relist, c.early = relist{}, nil // whose folder never came was removed with it
		e.planDue = true                  // planning may have waited for this look
		c.listed = true
		c.lastRun = c.lookAt
		for id, at := range e.wroteDropbox {
			if at < c.lookAt && len(e.clients) == 1 {
				delete(e.wroteDropbox, id)
			}
		}
	}
	return nil
}

// resetsRest is how long a client without forgotten cursors counts as sound again.
const resetsRest = 10 * time.Minute

// resetCursor begins the listing anew. Pairs and nodes stay: the listing will
// name again what is there.
func (e *Engine) resetCursor(c *client) error {
	c.cursor, c.reading, c.due, c.listed, c.early = "", false, true, false, nil
	now := e.opt.Now()
	if c.resets++; now.Sub(c.lastReset) > resetsRest {
		c.resets = 1
	}
	if c.lastReset = now; c.resets > 1 {
		// It happens again and again: no faster than anything else that fails.
		c.remote.notUntil = now.Add(pace(odbxfs.KindReset, c.resets, 0, e.opt.Random()))
	}
	return e.update("forget the cursor of Dropbox", func(tx *cache.Tx) error {
		return setMeta(tx, metaCursor(c.id), "")
	})
}

// putChange takes one entry over. Entries of files about which an answer of
// ours came since the look began are left out, and the page is read again.
// tooEarly: the folder in which it lies is not known.
func (e *Engine) putChange(tx *cache.Tx, c *client, ch odbxfs.DropboxChange) (tooEarly bool, err error) {
	if ch.Deleted {
		return false, e.dropChange(tx, c, ch.Path)
	}
	n := ch.Node
	if fault := nonsense(n); fault != "" {
		e.log.Warn("an entry of Dropbox is passed over", "client", c.cfg.Name, "path", ch.Path, "because", fault)
		return false, nil
	}
	n.Client = c.id
	if n.Path == "" {
		n.Path = ch.Path
	}
	if n.Name == "" {
		n.Name = path.Base(n.Path)
	}
	id, skip, err := e.outdated(tx, c, n)
	if err != nil {
		return false, err
	}
	if !skip {
		put, err := e.storeDropbox(tx, c, n)
		if errors.Is(err, cache.ErrNoParent) {
			// The folder follows. Or it was removed between two entries: then that
			// entry follows, and takes this one along. Or it was left out, and both
			// come again.
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w", ch.Path, err)
		}
		id = put.Node
	}
	if c.relist.on && id != 0 {
		c.relist.seen[id] = true
	}
	return false, nil
}

// dropChange takes over that something is gone, with all that was below it.
func (e *Engine) dropChange(tx *cache.Tx, c *client, at string) error {
	if odbxfs.FoldPath(at) == odbxfs.FoldPath(c.cfg.Root) {
		// Someone took the whole root away. That is no removal of each file:
		// the listing anew will say that the root is missing, and everything
		// waits until it is back.
		c.rootGone = true
		return nil
	}
	id, known, err := tx.DropboxByPath(c.id, at)
	if err != nil || !known {
		return err
	}
	n, ok, err := tx.DropboxNode(id)
	if err != nil || !ok {
		return err
	}
	if e.leaveOut(c, n.ID, at) {
		return nil
	}
	return tx.DropDropbox(id)
}

// outdated reports whether an entry says less than the store knows, and gives
// the node by which the store knows the file: an answer of ours came after the
// look began, about this file, or about another that has its place now.
func (e *Engine) outdated(tx *cache.Tx, c *client, n odbxfs.DropboxNode) (odbxfs.NodeID, bool, error) {
	id, _, err := tx.DropboxByID(c.id, n.ID)
	if err != nil {
		return 0, false, err
	}
	if e.leaveOut(c, n.ID, n.Path) {
		if _, paired, err := tx.PairByDropbox(n.ID); err != nil || paired && !e.dropboxInFlight(c, n.ID, "") {
			// It came from elsewhere, and this feed said that it left there: to
			// whoever plans now it would be gone.
			c.reread = true
			return id, true, err
		}
		return id, true, nil
	}
	at, taken, err := tx.DropboxByPath(c.id, n.Path)
	if err != nil || !taken || at == id {
		return id, false, err
	}
	other, _, err := tx.DropboxNode(at)
	if err != nil || !e.leaveOut(c, other.ID, "") {
		return id, false, err
	}
	return 0, true, nil
}

// leaveOut reports whether an entry about the file, or about its place, is to be
// left out for now: a write of ours is under way, or was answered after the look
// began, and nobody can tell which of both is newer. Then the page is read again.
func (e *Engine) leaveOut(c *client, id odbxfs.DropboxID, path string) bool {
	switch {
	case e.newer(c, id):
		c.reread = true
	case e.dropboxInFlight(c, id, path):
		c.echo = true
	default:
		return false
	}
	return true
}

// newer reports whether an answer of ours about the file came after the look
// under way began.
func (e *Engine) newer(c *client, id odbxfs.DropboxID) bool {
	at, ours := e.wroteDropbox[id]
	return ours && at > c.lookAt
}

// dropUnlisted ends what a whole listing did not name.
func (e *Engine) dropUnlisted(tx *cache.Tx, c *client) error {
	tree := tx.Dropbox()
	var walk func(parent odbxfs.NodeID) error
	walk = func(parent odbxfs.NodeID) error {
		for _, id := range tree.Children(parent) {
			n, ok := tree.Node(id)
			if !ok || n.Client != c.id {
				continue
			}
			if !c.relist.seen[id] && !e.newer(c, n.ID) {
				if err := tx.DropDropbox(id); err != nil {
					return err
				}
				continue
			}
			if err := walk(id); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(odbxfs.RootNode); err != nil {
		return err
	}
	return tx.Err()
}

// nextDropboxWait keeps one long-poll open.
func (e *Engine) nextDropboxWait(c *client) {
	lane := c.lane("dropbox-wait")
	if c.db == nil || c.cursor == "" || !c.listed || c.reading || c.due || !e.free(lane) || !e.free(c.lane("dropbox-look")) {
		return
	}
	if !c.waiting.ready(e.opt.Now()) {
		e.wakeAt(c.waiting.notUntil)
		return
	}
	db, cursor := c.db, c.cursor
	e.emit(lane, whatWait, func(ctx context.Context) func() error {
		changed, err := db.Wait(ctx, cursor)
		return func() error {
			switch {
			case odbxfs.IsKind(err, odbxfs.KindReset):
				c.waiting.ok()
				return e.resetCursor(c)
			case err != nil:
				c.waiting.failed(e.opt.Now(), err, e.opt.Random())
				// A long-poll carries no token, so a refused login only shows in
				// a look.
				c.due = true
				return nil //nolint:nilerr // the wire keeps it, and waits again by its pace
			}
			c.waiting.ok()
			if changed {
				c.due = true
			}
			return nil
		}
	})
}

// whatWait is the one effect that may run for ever without anything being
// under way.
const whatWait = "dropbox: wait for changes"
