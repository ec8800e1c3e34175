package sync

import (
	"context"
	"fmt"

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

// Reset brings everything of a client back into Odoo and forgets its pairs. It
// runs the engine until that is done, or until what is left is parked; the
// report says which. Dropbox's copies stay, unless opt says otherwise. It may be
// called again, and goes on where it was. It belongs to the stepping goroutine.
func (e *Engine) Reset(ctx context.Context, after Timer, id odbxfs.ClientID, opt ResetOptions) (ResetReport, error) {
	var report ResetReport
	if !e.opt.syncs() {
		return report, fmt.Errorf("a mount can't reset a cloud client")
	}
	e.resets = map[odbxfs.ClientID]ResetOptions{id: opt}
	e.done = counts{}
	if err := e.update("let go of held deletions", func(tx *cache.Tx) error { return e.dropHeld(tx, id) }); err != nil {
		return report, err
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
		if e.clients[id] == nil {
			return report, &odbxfs.Error{Op: "reset", Kind: odbxfs.KindMissing, Err: fmt.Errorf("Odoo has no cloud client %d, or does not answer", id)}
		}
		if e.queuedEver == count {
			break
		}
	}
	now, err := e.census(id)
	if err != nil {
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
