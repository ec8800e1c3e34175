package cache

import (
	"odbxfs"
)

// Intents gives all intents, parked and held ones included, by Seq. It costs
// what all of them cost: for people's questions, not for each step.
func (tx *Tx) Intents() ([]odbxfs.Intent, error) { return tx.intentsOf(kIntentSeq) }

// Removals gives all intents that remove something, parked and held ones
// included, by Seq.
func (tx *Tx) Removals() ([]odbxfs.Intent, error) { return tx.intentsOf(kIntentGone) }

func (tx *Tx) intentsOf(space string) (all []odbxfs.Intent, err error) {
	err = tx.eachIntent(space, func(i odbxfs.Intent) bool {
		all = append(all, i)
		return true
	})
	return all, err
}

// OpenIntents calls fn with the intents that are neither parked nor held, by
// Seq, until it says false. fn must not change any.
func (tx *Tx) OpenIntents(fn func(odbxfs.Intent) bool) error {
	return tx.eachIntent(kIntentOpen, fn)
}

// intentPage is how many intents are looked up at a time: a batch of the engine.
const intentPage = 200

func (tx *Tx) eachIntent(space string, fn func(odbxfs.Intent) bool) error {
	for after := []byte(nil); ; {
		page, err := tx.list([]byte(space), after, intentPage, true)
		if err != nil {
			return err
		}
		for _, e := range page {
			id, err := number(e.val)
			if err != nil {
				return err
			}
			i, ok, err := tx.Intent(odbxfs.NodeID(id))
			if err != nil {
				return err
			}
			if ok && !fn(i) {
				return nil
			}
		}
		if len(page) < intentPage {
			return nil
		}
		after = page[len(page)-1].key
	}
}

// Intent gives the intent of a node.
func (tx *Tx) Intent(id odbxfs.NodeID) (odbxfs.Intent, bool, error) {
	return load[odbxfs.Intent](tx, keyNode(kIntent, id))
}

// PutIntent notes attempts, NotUntil, Reason and the like of an intent. When
// there is a newer one of its node, or none any more, nothing is written. Count
// an attempt before the first call that carries it out: an intent that was
// never attempted is forgotten with its node when that is removed again.
func (tx *Tx) PutIntent(i odbxfs.Intent) error {
	now, ok, err := tx.Intent(i.Node)
	if err != nil || !ok || now.Seq != i.Seq {
		return err
	}
	if err := tx.storeIntent(i, now); err != nil {
		return err
	}
	return tx.showState(i)
}

// DropIntent says that the intent of this Seq was carried out, after what Odoo
// has now was put into the Odoo tree. The mount's view follows the Odoo tree
// again. A newer intent stays: what Odoo has now is what it starts from.
func (tx *Tx) DropIntent(id odbxfs.NodeID, seq uint64) error {
	i, ok, err := tx.Intent(id)
	if err != nil || !ok {
		return err
	}
	if i.Seq != seq {
		return tx.rebaseIntent(i)
	}
	if err := tx.clearIntent(i); err != nil {
		return err
	}
	r, ok, err := tx.inode(id)
	if err != nil {
		return err
	}
	if ok {
		r.I.State, r.I.Reason = odbxfs.StateClean, ""
		if err := tx.putInode(r); err != nil {
			return err
		}
	}
	return tx.project(id)
}

// rebaseIntent makes an intent start from what Odoo has now.
func (tx *Tx) rebaseIntent(i odbxfs.Intent) error {
	n, ok, err := tx.OdooNode(i.Node)
	if err != nil || !ok {
		return err
	}
	was := i
	i.Was = n
	if !i.Gone && i.Content != "" && i.ContentSHA1 == n.SHA1 && !sentOther(i, n.SHA1) {
		i.Content, i.ContentSHA1, i.ContentSize = "", "", 0
	}
	return tx.storeIntent(i, was)
}

// sentOther reports whether other bytes than those with this checksum are, or may
// be, on their way to Odoo: then these are to be sent, though Odoo has them now.
func sentOther(i odbxfs.Intent, s odbxfs.SHA1) bool {
	return i.Attempts > 0 || i.Sent != "" && i.Sent != s
}

// Waits reports whether an intent is for a new file that is not to be sent yet:
// it is being written for the first time, or has the name of a program's own
// (see [odbxfs.TemporaryName]) and stays here until it gets another. One that
// Odoo may know already is never one.
func (tx *Tx) Waits(i odbxfs.Intent) (bool, error) {
	if i.Gone || !i.Was.Ref.IsZero() || i.Attempts > 0 {
		return false, nil
	}
	r, ok, err := tx.inode(i.Node)
	if err != nil || !ok || r.I.Kind != odbxfs.File {
		return false, err
	}
	return i.ContentSHA1 == "" || odbxfs.TemporaryName(r.I.Name), nil
}

// touch begins or renews the intent of a node: a new Seq, and it may be tried
// at once.
func (tx *Tx) touch(id odbxfs.NodeID, change func(*odbxfs.Intent)) error {
	i, ok, err := tx.Intent(id)
	if err != nil {
		return err
	}
	if !ok {
		i.Node = id
		if i.Was, _, err = tx.OdooNode(id); err != nil {
			return err
		}
		if i.Key, err = tx.newKey(); err != nil {
			return err
		}
	}
	if change != nil {
		change(&i)
	}
	if err := tx.putIntent(i); err != nil {
		return err
	}
	tx.emit(Event{Kind: IntentAdded, Node: id})
	i, _, err = tx.Intent(id)
	if err != nil {
		return err
	}
	return tx.showState(i)
}

// putIntent stores an intent as the newest.
func (tx *Tx) putIntent(i odbxfs.Intent) error {
	old, _, err := tx.Intent(i.Node)
	if err != nil {
		return err
	}
	if i.Seq, err = tx.next("intent"); err != nil {
		return err
	}
	i.Held, i.Reason = false, ""
	i.NotUntil = odbxfs.Intent{}.NotUntil
	return tx.storeIntent(i, old)
}

func (tx *Tx) storeIntent(i, old odbxfs.Intent) error {
	if old.Seq != 0 && old.Seq != i.Seq {
		if err := tx.unlistIntent(old.Seq); err != nil {
			return err
		}
	}
	if old.Content != i.Content {
		if err := tx.moveRef(old.Content, i.Content, ownerIntent(i.Node)); err != nil {
			return err
		}
	}
	if err := tx.set(keyNode(kIntent, i.Node), i); err != nil {
		return err
	}
	return tx.listIntent(i)
}

// listIntent puts an intent into the lists that it belongs into, and takes it
// out of the others.
func (tx *Tx) listIntent(i odbxfs.Intent) error {
	for _, l := range []struct {
		space string
		in    bool
	}{
		{kIntentSeq, true},
		{kIntentOpen, !i.Held && i.Reason == ""},
		{kIntentGone, i.Gone},
	} {
		key := keySeq(l.space, i.Seq)
		there, err := tx.has(key)
		switch {
		case err != nil:
		case l.in && !there:
			err = tx.setID(key, i.Node)
		case !l.in && there:
			err = tx.del(key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) unlistIntent(seq uint64) error {
	for _, space := range []string{kIntentSeq, kIntentOpen, kIntentGone} {
		if err := tx.del(keySeq(space, seq)); err != nil {
			return err
		}
	}
	return nil
}

// clearIntent removes an intent and nothing else.
func (tx *Tx) clearIntent(i odbxfs.Intent) error {
	if err := tx.unlistIntent(i.Seq); err != nil {
		return err
	}
	if err := tx.moveRef(i.Content, "", ownerIntent(i.Node)); err != nil {
		return err
	}
	return tx.del(keyNode(kIntent, i.Node))
}

// showState brings the inode's state in line with its intent.
func (tx *Tx) showState(i odbxfs.Intent) error {
	r, ok, err := tx.inode(i.Node)
	if err != nil || !ok {
		return err
	}
	state := odbxfs.StateLocal
	if i.Reason != "" && !i.Held {
		state = odbxfs.StateParked
	}
	if r.I.State == state && r.I.Reason == i.Reason {
		return nil
	}
	r.I.State, r.I.Reason = state, i.Reason
	return tx.putInode(r)
}

// HoldIntents makes removals wait for a person: their nodes are known again,
// but hidden. Other intents are left alone.
func (tx *Tx) HoldIntents(ids []odbxfs.NodeID, reason string) error {
	for _, id := range ids {
		i, ok, err := tx.Intent(id)
		if err != nil {
			return err
		}
		if !ok || !i.Gone || i.Was.Ref.IsZero() {
			continue
		}
		was := i
		i.Held, i.Reason = true, reason
		if err := tx.storeIntent(i, was); err != nil {
			return err
		}
		if err := tx.hide(i); err != nil {
			return err
		}
	}
	return nil
}

// hide makes the inode of a held removal.
func (tx *Tx) hide(i odbxfs.Intent) error {
	n := i.Was
	r := inodeRec{I: odbxfs.Inode{Node: i.Node, Parent: n.Parent, Name: odbxfs.MountName(n.Name)}}
	if err := tx.fillInode(&r, n, inodeRec{}, false); err != nil {
		return err
	}
	r.I.Hidden, r.I.State, r.I.Reason = true, odbxfs.StateParked, i.Reason
	if i.Content != "" {
		r.I.Content, r.I.SHA1, r.I.Size = i.Content, i.ContentSHA1, i.ContentSize
	}
	return tx.putInode(r)
}

// ReleaseIntents lets held removals go on.
func (tx *Tx) ReleaseIntents(ids []odbxfs.NodeID) error {
	for _, id := range ids {
		i, ok, err := tx.Intent(id)
		if err != nil {
			return err
		}
		if !ok || !i.Held {
			continue
		}
		was := i
		i.Held, i.Reason = false, ""
		if err := tx.storeIntent(i, was); err != nil {
			return err
		}
		if err := tx.unhide(id); err != nil {
			return err
		}
		tx.emit(Event{Kind: IntentAdded, Node: id})
	}
	return nil
}

func (tx *Tx) unhide(id odbxfs.NodeID) error {
	r, ok, err := tx.inode(id)
	if err != nil || !ok || !r.I.Hidden {
		return err
	}
	return tx.dropInode(r)
}

// RestoreHeld undoes a held removal: the node is visible again as Odoo has it,
// with the bytes that were written here before, if any; so are the folders
// that it lies in, if their removal is held too.
func (tx *Tx) RestoreHeld(id odbxfs.NodeID) error {
	i, ok, err := tx.Intent(id)
	if err != nil || !ok || !i.Held {
		return err
	}
	if err := tx.RestoreHeld(i.Was.Parent); err != nil {
		return err
	}
	if err := tx.unhide(id); err != nil {
		return err
	}
	content := Sealed{ID: i.Content, SHA1: i.ContentSHA1, Size: i.ContentSize}
	// The bytes stay referenced, since the new intent comes in this transaction.
	if err := tx.clearIntent(i); err != nil {
		return err
	}
	if err := tx.project(id); err != nil {
		return err
	}
	if content.ID == "" {
		return nil
	}
	_, err = tx.CommitContent(id, content)
	return err
}
