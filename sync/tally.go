package sync

import (
	"errors"
	"slices"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// tally is what the guard counts besides what waits: deletions that nobody was
// asked about, by the second in which they were carried out, or held. It is
// stored, so that a restart in the middle of a mass deletion forgets nothing.
type tally []tallied

type tallied struct {
	At   int64 `json:"at"` // in seconds since 1970
	N    int   `json:"n"`
	Held bool  `json:"held,omitempty"`
}

// add counts n more at now, and forgets what is older than deletesWindow.
func (l tally) add(now time.Time, n int, held bool) tally {
	l = slices.DeleteFunc(slices.Clone(l), func(t tallied) bool { return t.old(now) })
	for i := range l {
		if l[i].At == now.Unix() && l[i].Held == held {
			l[i].N += n
			return l
		}
	}
	return append(l, tallied{now.Unix(), n, held})
}

func (t tallied) old(now time.Time) bool { return now.Unix()-t.At > int64(deletesWindow/time.Second) }

// within sums up what is not older than deletesWindow at now.
func (l tally) within(now time.Time) (done, held int) {
	for _, t := range l {
		switch {
		case t.old(now):
		case t.Held:
			held += t.N
		default:
			done += t.N
		}
	}
	return done, held
}

// decided forgets what was held: a person has looked at it.
func (l tally) decided() tally {
	return slices.DeleteFunc(slices.Clone(l), func(t tallied) bool { return t.Held })
}

func removedOf(tx *cache.Tx, client odbxfs.ClientID) (l tally, err error) {
	err = getMeta(tx, metaRemoved(client), &l)
	return l, err
}

// tally counts deletions of a client that were carried out or held now.
func (e *Engine) tally(tx *cache.Tx, client odbxfs.ClientID, n int, held bool) error {
	l, err := removedOf(tx, client)
	if err != nil {
		return err
	}
	return setMeta(tx, metaRemoved(client), l.add(e.opt.Now(), n, held))
}

// decided notes that a person has looked at what is held of a client.
func decided(tx *cache.Tx, client odbxfs.ClientID) error {
	l, err := removedOf(tx, client)
	if err != nil {
		return err
	}
	return setMeta(tx, metaRemoved(client), l.decided())
}

// carriedOut counts a deletion of the queue that is through, unless a person was
// asked about it, and ends what is known of that.
func (e *Engine) carriedOut(tx *cache.Tx, client odbxfs.ClientID, node odbxfs.NodeID) error {
	by, err := approvedBy(tx, node)
	if err != nil {
		return err
	}
	if by != 0 {
		return tx.SetMeta(metaApproved(node), nil)
	}
	if _, reset := e.resets[client]; reset {
		return nil
	}
	return e.tally(tx, client, 1, false)
}

// mountRemoved counts a deletion of the mount that is through. What follows of
// it in Dropbox was counted, and has rested, with it.
func (e *Engine) mountRemoved(tx *cache.Tx, in odbxfs.Intent) error {
	by, err := approvedBy(tx, in.Node)
	if err != nil {
		return err
	}
	if by != in.Seq && !in.Was.Ref.IsZero() {
		if err := e.tally(tx, in.Was.Client, 1, false); err != nil {
			return err
		}
	}
	if _, paired, err := tx.Pair(in.Node); err != nil || !paired || !e.opt.syncs() {
		return errors.Join(err, tx.SetMeta(metaApproved(in.Node), nil))
	}
	return setMeta(tx, metaApproved(in.Node), in.Seq)
}

// revived forgets what is known of a deletion: the thing lives on.
func revived(tx *cache.Tx, node odbxfs.NodeID) error {
	if by, err := approvedBy(tx, node); err != nil || by == 0 {
		return err
	}
	return tx.SetMeta(metaApproved(node), nil)
}

// approvedBy gives the Seq of the intent or task by which a person let go of the
// node; 0: nobody was asked.
func approvedBy(tx *cache.Tx, node odbxfs.NodeID) (seq uint64, err error) {
	err = getMeta(tx, metaApproved(node), &seq)
	return seq, err
}
