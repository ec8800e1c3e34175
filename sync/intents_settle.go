package sync

import (
	"errors"
	"fmt"
	"slices"

	"odbxfs"
	"odbxfs/cache"
)

// settleIntents takes over what became of a batch: for each intent one
// transaction of tree, log line and intent.
func (e *Engine) settleIntents(answers []answer, err error) error {
	s := &e.intents
	now := e.opt.Now()
	e.writes = e.step
	if err != nil {
		s.failed(now, err, e.opt.Random())
		e.log.Warn("what was done in the mount waits for Odoo", "error", err, "again", s.notUntil)
		return nil
	}
	s.ok()
	e.planDue, e.logDue = true, true
	for _, a := range answers {
		err := e.settleIntent(a)
		if errors.Is(err, cache.ErrTwoThings) {
			a.res = odbxfs.OdooResult{Outcome: odbxfs.Refused, Err: &odbxfs.Error{Op: "take over Odoo's answer", Item: a.node.Name,
				Kind: odbxfs.KindInvalid, Err: err}}
			err = e.update("park an intent", func(tx *cache.Tx) error { return e.parkIntent(tx, a) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) settleIntent(a answer) error {
	what := "settle " + a.node.Name
	if a.beside != nil {
		return e.update(what, func(tx *cache.Tx) error { return e.settleConflict(tx, a) })
	}
	switch a.res.Outcome {
	case odbxfs.Done:
		return e.update(what, func(tx *cache.Tx) error { return e.intentDone(tx, a) })
	case odbxfs.Gone:
		// Only its place was to change, and it is gone: so it goes here too.
		return e.update(what, func(tx *cache.Tx) error {
			if err := tx.DropIntent(a.in.Node, a.in.Seq); err != nil {
				return err
			}
			return e.dropRef(tx, a.in.Was.Ref)
		})
	case odbxfs.Changed:
		return e.update(what, func(tx *cache.Tx) error { return e.intentChanged(tx, a) })
	default:
		return e.intentFailed(a)
	}
}

// intentDone: Odoo has it. A later change of the same node has a newer Seq, and
// stays; it then starts from what Odoo has now.
func (e *Engine) intentDone(tx *cache.Tx, a answer) error {
	if a.in.Gone {
		if err := tx.DropIntent(a.in.Node, a.in.Seq); err != nil {
			return err
		}
		if err := e.mountRemoved(tx, a.in); err != nil {
			return err
		}
		return e.dropRef(tx, a.in.Was.Ref)
	}
	if a.res.Node != nil {
		if err := e.bindOdoo(tx, *a.res.Node, a.in.Node); err != nil {
			return err
		}
	}
	return e.closeIntent(tx, a)
}

// closeIntent drops the intent that was carried out, or gives a newer one of
// the same node its new starting point.
func (e *Engine) closeIntent(tx *cache.Tx, a answer) error {
	in, ok, err := tx.Intent(a.in.Node)
	if err != nil || !ok {
		return err
	}
	earlier := a.beside == nil && a.madeEarlier()
	if in.Seq == a.in.Seq && !earlier {
		return tx.DropIntent(in.Node, in.Seq)
	}
	if a.res.Node != nil {
		if err := startFrom(tx, &in, *a.res.Node); err != nil {
			return err
		}
		if in.Content == a.in.Content && !earlier {
			in.Content, in.ContentSHA1, in.ContentSize = "", "", 0
		}
	}
	return tx.PutIntent(in)
}

// madeEarlier reports whether a create found what an attempt before it had made,
// whose answer was lost: as the file was then, with other bytes or at another
// place. What came since is still to be done.
func (a *answer) madeEarlier() bool {
	now := a.res.Node
	if now == nil || !a.in.Was.Ref.IsZero() || len(a.ops) == 0 {
		return false
	}
	asked := a.ops[0]
	return now.Name != asked.Name || now.ParentRef != asked.Parent || now.Kind == odbxfs.File && now.SHA1 != asked.SHA1
}

// startFrom makes an intent begin at what Odoo has now. Odoo names the folder by
// its reference; its node is needed too, to show again what a held deletion
// removed.
func startFrom(tx *cache.Tx, in *odbxfs.Intent, now odbxfs.OdooNode) error {
	now.Node, now.Parent = in.Node, in.Was.Parent
	parent, known, err := tx.OdooByRef(now.ParentRef)
	if err != nil {
		return err
	}
	if known {
		now.Parent = parent
	}
	in.Was = now
	return nil
}

// bindOdoo puts what Odoo answered under the node that asked for it. A look may
// have brought the same row before, under a node of its own: then that one is
// merged.
func (e *Engine) bindOdoo(tx *cache.Tx, n odbxfs.OdooNode, id odbxfs.NodeID) error {
	other, known, err := tx.OdooByRef(n.Ref)
	if err != nil {
		return err
	}
	if known && other != id {
		if err := tx.Merge(other, id); err != nil {
			return err
		}
	}
	n.Node = id
	e.wroteOdoo[n.Ref] = e.step
	_, err = tx.PutOdoo(n)
	return err
}

// intentChanged: Odoo's side is not what it was when the change was made, but
// no bytes are at stake. A deletion gives way to new content; everything else
// is tried once more from where Odoo is now.
func (e *Engine) intentChanged(tx *cache.Tx, a answer) error {
	in, ok, err := tx.Intent(a.in.Node)
	if err != nil || !ok {
		return err
	}
	if a.res.Node == nil {
		in.Attempts++
		in.NotUntil = e.opt.Now().Add(pace(odbxfs.KindChanged, in.Attempts, 0, e.opt.Random()))
		return tx.PutIntent(in)
	}
	now := *a.res.Node
	now.Node = in.Node
	// New content beats a bare deletion.
	switch {
	case in.Gone && !sameContent(now, in.Was):
		return e.keepInOdoo(tx, in, now, "kept: its content was changed in Odoo before it could be removed")
	case in.Gone && now.Kind == odbxfs.Folder && samePlace(now, in.Was):
		waits, err := removalIn(tx, in.Node)
		if err != nil {
			return err
		}
		if !waits {
			e.odoo.due = true // to show what it is
			return e.keepInOdoo(tx, in, now, "kept: there is something in it in Odoo")
		}
		in.Attempts++
		in.NotUntil = e.opt.Now().Add(pace(odbxfs.KindChanged, in.Attempts, 0, e.opt.Random()))
		return tx.PutIntent(in)
	}
	// Whoever wrote since had not seen Odoo's bytes: then the next attempt keeps
	// both. Whoever writes from here on sees them.
	if in.Content == "" || sameContent(now, in.Was) || a.sentBefore(now) {
		if err := startFrom(tx, &in, now); err != nil {
			return err
		}
		if err := e.bindOdoo(tx, now, in.Node); err != nil && !errors.Is(err, cache.ErrNoParent) {
			return err
		}
	}
	in.Attempts++
	if in.Attempts > maxAttempts {
		in.Reason = "it keeps being changed in Odoo"
	}
	return tx.PutIntent(in)
}

// samePlace reports whether both have the same name in the same folder.
func samePlace(a, b odbxfs.OdooNode) bool { return a.Name == b.Name && a.ParentRef == b.ParentRef }

// removalIn reports whether something that was removed from a folder in the mount
// is in Odoo still: its own removal waits, for its time or for a person.
func removalIn(tx *cache.Tx, folder odbxfs.NodeID) (bool, error) {
	list, err := tx.Removals()
	return slices.ContainsFunc(list, func(in odbxfs.Intent) bool { return in.Was.Parent == folder }), err
}

// keepInOdoo ends a removal of the mount that is not to be: what Odoo has shows
// again.
func (e *Engine) keepInOdoo(tx *cache.Tx, in odbxfs.Intent, now odbxfs.OdooNode, why string) error {
	if err := tx.DropIntent(in.Node, in.Seq); err != nil {
		return err
	}
	if err := revived(tx, in.Node); err != nil {
		return err
	}
	if err := e.note(tx, in.Node, why); err != nil {
		return err
	}
	return e.bindOdoo(tx, now, in.Node)
}

// settleConflict: someone else's content (or removal) was first in Odoo. Theirs
// stays, ours stands beside it (or in its place) as a row of its own.
func (e *Engine) settleConflict(tx *cache.Tx, a answer) error {
	made := *a.beside
	if made.Outcome != odbxfs.Done || made.Node == nil {
		a.res = made
		return e.parkIntent(tx, a)
	}
	if a.res.Outcome == odbxfs.Gone {
		// The row is gone; the node lives on with the new one.
		if err := e.forgetOdoo(tx, a.in.Was.Ref); err != nil {
			return err
		}
		a.res = made
		return e.intentDone(tx, a)
	}
	if err := e.note(tx, a.in.Node, "changed in Odoo and in the mount: the mount's version stands beside it as "+made.Node.Name); err != nil {
		return err
	}
	theirs := *a.res.Node
	theirs.Node = a.in.Node
	if a.in.Was.Ref.IsZero() { // known from now on
		if err := e.bindOdoo(tx, theirs, a.in.Node); err != nil {
			return err
		}
	}
	if err := e.closeIntent(tx, a); err != nil {
		return err
	}
	e.wroteOdoo[made.Node.Ref] = e.step
	if _, err := tx.PutOdoo(theirs); err != nil {
		return err
	}
	put, err := tx.PutOdoo(*made.Node)
	if err != nil {
		return err
	}
	return tx.SetContent(put.Node, a.in.Content)
}

// forgetOdoo takes a row out of the tree that no longer exists in Odoo.
func (e *Engine) forgetOdoo(tx *cache.Tx, ref odbxfs.OdooRef) error {
	return e.dropRef(tx, ref)
}

// intentFailed: this time it was not carried out.
func (e *Engine) intentFailed(a answer) error {
	kind := odbxfs.KindOf(a.res.Err)
	if a.res.Outcome == odbxfs.Failed && fateOf(kind, 0) == fateRemote {
		e.intents.failed(e.opt.Now(), a.res.Err, e.opt.Random())
		return nil
	}
	return e.update("put an intent off", func(tx *cache.Tx) error { return e.parkIntent(tx, a) })
}

// parkIntent counts a failure, and parks the intent when trying again is of no
// use.
func (e *Engine) parkIntent(tx *cache.Tx, a answer) error {
	in, ok, err := tx.Intent(a.in.Node)
	if err != nil || !ok || in.Seq != a.in.Seq {
		return err
	}
	kind := odbxfs.KindOf(a.res.Err)
	in.Attempts++
	in.NotUntil = e.opt.Now().Add(pace(kind, in.Attempts, retryAfter(a.res.Err), e.opt.Random()))
	if kind == odbxfs.KindMissing {
		e.odoo.due = true // its folder is gone, which a look shows; then it is made again
	}
	if a.res.Outcome == odbxfs.Refused && kind != odbxfs.KindMissing || fateOf(kind, in.Attempts) == fatePark {
		in.Reason = reasonOf(a.res.Err, "Odoo does not take it")
		if err := e.note(tx, in.Node, "parked: "+in.Reason); err != nil {
			return err
		}
	}
	return tx.PutIntent(in)
}

// reasonOf says an error in words for people.
func reasonOf(err error, without string) string {
	if err == nil {
		return without
	}
	return err.Error()
}

// note adds a line to the log that belongs to no task.
func (e *Engine) note(tx *cache.Tx, id odbxfs.NodeID, why string) error {
	item, err := tx.PathOf(id)
	if err != nil {
		item = fmt.Sprintf("node %d", id) // it has no path any more; the line still counts
	}
	n, _, err := tx.OdooNode(id)
	if err != nil {
		return err
	}
	return tx.AppendLog(odbxfs.LogLine{Time: e.opt.Now(), Client: n.Client, State: "note", Item: item, Ref: n.Ref, Why: why})
}
