package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/sync/plan"
)

// ResetOptions say how a cloud client is let go.
type ResetOptions struct {
	// RemoveRemote also puts the files in Dropbox into its trash, after Odoo has
	// their bytes.
	RemoveRemote bool
}

// ResetReport is what a reset came to.
type ResetReport struct {
	Restored int // links that are binaries again
	Links    int // links that are left, each with its reason among the parked
	Remote   int // files and folders that stay in Dropbox
	Removed  int // files and folders that went to Dropbox's trash
	Revoked  int // shared links that were revoked
	Shared   int // shared links that were kept, since a document in none of our folders leads there
	Parked   []Item
}

// letGo is a reset that was asked for.
type letGo struct {
	name string // as Odoo's form has it; empty: the only one
	opt  ResetOptions
}

// chooseReset finds the client that is to be let go, once Odoo has told which
// there are.
func (e *Engine) chooseReset(all []odbxfs.CloudClient) error {
	if e.letGo == nil || e.resets != nil {
		return nil
	}
	var names []string
	for _, c := range all {
		if c.Name == e.letGo.name || e.letGo.name == "" && len(all) == 1 {
			e.resets = map[odbxfs.ClientID]ResetOptions{c.ID: e.letGo.opt}
			return e.update("let go of a client", func(tx *cache.Tx) error {
				// Before anything else: however this ends, a daemon that goes on is not
				// to undo what is done here.
				if err := setMeta(tx, metaReset(c.ID), true); err != nil {
					return err
				}
				return e.dropHeld(tx, c.ID)
			})
		}
		names = append(names, c.Name)
	}
	slices.Sort(names)
	err := fmt.Errorf("no such cloud client is in Odoo, but %q: name one of these", names)
	switch {
	case len(names) == 0:
		err = errors.New("no cloud client is in Odoo")
	case e.letGo.name == "":
		err = fmt.Errorf("several cloud clients are in Odoo, %q: name one of these", names)
	}
	return &odbxfs.Error{Op: "reset", Item: e.letGo.name, Kind: odbxfs.KindMissing, Err: err}
}

// chosen gives the client that is being let go; 0: Odoo has not told yet.
func (e *Engine) chosen() odbxfs.ClientID {
	for id := range e.resets {
		return id
	}
	return 0
}

// Reset brings everything of the client of that name (empty: the only one there
// is) back into Odoo and forgets its pairs. A name that Odoo does not have is
// KindMissing, with those that there are, and nothing was done. It runs the engine
// until that is done, or until what is left is parked; the report says which.
// Dropbox's copies stay, unless opt says otherwise. The client is paused in Odoo,
// or it would be mirrored again; when a person takes the pause away, it begins
// anew with what still lies in Dropbox. Reset may be called again, and goes on
// where it was. It belongs to the stepping goroutine.
func (e *Engine) Reset(ctx context.Context, after Timer, name string, opt ResetOptions) (ResetReport, error) {
	var report ResetReport
	if !e.opt.syncs() {
		return report, fmt.Errorf("a mount can't reset a cloud client")
	}
	e.letGo, e.resets, e.done, e.resetSays = &letGo{name, opt}, nil, counts{}, isReset
	if e.odoo.loaded {
		var all []odbxfs.CloudClient
		for _, c := range e.sorted() {
			all = append(all, c.cfg)
		}
		if err := e.chooseReset(all); err != nil {
			return report, err
		}
	}
	// The planner restores links in one pass, and lets go of their pairs and
	// files in the next ones: each pass begins with every node marked.
	for {
		if err := e.update("mark everything", markAll); err != nil {
			return report, err
		}
		e.planDue = true
		count := e.queuedEver
		if err := e.RunOnce(ctx, after); err != nil {
			return report, err
		}
		if ctx.Err() != nil {
			return report, ctx.Err()
		}
		if e.chosen() == 0 || e.odoo.err != nil {
			return report, &odbxfs.Error{Op: "reset", Item: name, Kind: odbxfs.KindOf(e.odoo.err), Err: e.odoo.err}
		}
		if e.queuedEver == count {
			break
		}
	}
	now, err := e.census(e.chosen())
	if err != nil {
		return report, err
	}
	e.resetSays = wasReset
	if now.links > 0 {
		e.resetSays = fmt.Sprintf(leftOver, now.links)
	}
	if err := e.opt.Ledger.SetClientState(ctx, e.chosen(), StateReset, e.resetSays); err != nil {
		return report, fmt.Errorf("write the state of the cloud client: %w", err)
	}
	if err := e.publish(); err != nil { // for whoever asks when this process is gone
		return report, err
	}
	status, err := e.Status()
	report = ResetReport{
		Restored: e.done.restored, Links: now.links, Remote: now.remote, Removed: e.done.removed,
		Revoked: e.done.revoked, Shared: e.done.used, Parked: status.Parked,
	}
	return report, err
}

// dropHeld takes the deletions of a client that wait for a person out of the
// queue: whoever resets has decided otherwise. Their pairs would stay for ever.
func (e *Engine) dropHeld(tx *cache.Tx, id odbxfs.ClientID) error {
	held, err := tasksWhere(tx, func(t odbxfs.Task) bool { return t.Client == id && t.Held })
	if err != nil {
		return err
	}
	for _, t := range held {
		if err := tx.DropTask(t.Seq); err != nil {
			return err
		}
		if err := e.logTask(tx, t, "dropped", nil); err != nil {
			return err
		}
	}
	return nil
}

// census counts what is left of a client.
type census struct{ links, remote int }

func (e *Engine) census(id odbxfs.ClientID) (census, error) {
	var c census
	err := e.store.View(func(tx *cache.Tx) error {
		c = census{}
		odoo, dropbox := tx.Odoo(), tx.Dropbox()
		for _, node := range plan.All(odoo, dropbox, tx.Synced()) {
			if n, ok := odoo.Node(node); ok && n.Client == id && (n.Type == odbxfs.Link || n.Type == odbxfs.Copy) {
				c.links++
			}
			if n, ok := dropbox.Node(node); ok && n.Client == id {
				c.remote++
			}
		}
		return tx.Err()
	})
	return c, err
}

// markAll makes every node dirty.
func markAll(tx *cache.Tx) error {
	for _, id := range plan.All(tx.Odoo(), tx.Dropbox(), tx.Synced()) {
		if err := tx.MarkDirty(id); err != nil {
			return err
		}
	}
	return tx.Err()
}
