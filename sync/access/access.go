package access

import (
	"context"
	gosync "sync"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

const (
	// keep is how long an answer holds: rights change rarely, and a script
	// that writes a thousand files must not ask a thousand times.
	keep = 30 * time.Second
	// patience is how long a program waits for the answer.
	patience = 2 * time.Second
	// silence is how long nobody asks again after Odoo did not answer: else a
	// server that hangs would make each of a thousand files wait.
	silence = 5 * time.Second
	// remembered bounds the answers kept; beyond it all old ones are dropped.
	remembered = 10_000
)

// Asker asks Odoo as the user. KindAccess and KindMissing are a no; it may be
// called concurrently.
type Asker interface {
	MayWrite(ctx context.Context, ref odbxfs.OdooRef) error
}

// Rights answers for nodes of a store. Its methods may be called concurrently.
type Rights struct {
	store *cache.Store
	ask   Asker
	now   func() time.Time

	mu   gosync.Mutex
	last map[odbxfs.OdooRef]verdict // guarded by mu
}

type verdict struct {
	at  time.Time
	err error // nil: may
}

// New makes a Rights.
func New(store *cache.Store, ask Asker, now func() time.Time) *Rights {
	return &Rights{store: store, ask: ask, now: now, last: map[odbxfs.OdooRef]verdict{}}
}

// MayWrite says whether the content of a file may be written, or the entries of
// a folder be changed: nil, or an error of KindAccess. What Odoo does not have
// yet is asked of the folder that it will lie in.
func (r *Rights) MayWrite(ctx context.Context, node odbxfs.NodeID) error {
	ref, err := r.ref(node)
	if err != nil || ref.IsZero() {
		return err
	}
	known, asked := r.known(ref)
	if asked && r.now().Sub(known.at) < keep {
		return known.err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = r.ask.MayWrite(ctx, ref)
	switch odbxfs.KindOf(err) {
	case odbxfs.KindAccess:
	case odbxfs.KindMissing:
		err = nil // gone meanwhile: the intent's own precondition will tell
	default:
		if err != nil { // Odoo does not answer: the last word holds, or none
			r.remember(ref, verdict{at: r.now().Add(silence - keep), err: known.err})
			return known.err
		}
	}
	r.remember(ref, verdict{at: r.now(), err: err})
	return err
}

func (r *Rights) known(ref odbxfs.OdooRef) (verdict, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.last[ref]
	return v, ok
}

func (r *Rights) remember(ref odbxfs.OdooRef, v verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.last) >= remembered {
		clear(r.last)
	}
	r.last[ref] = v
}

// ref finds what to ask about: the node itself, or the nearest folder above it
// that Odoo has.
func (r *Rights) ref(node odbxfs.NodeID) (odbxfs.OdooRef, error) {
	var ref odbxfs.OdooRef
	err := r.store.View(func(tx *cache.Tx) error {
		ref = odbxfs.OdooRef{}
		for id := node; id != 0; {
			in, ok, err := tx.Inode(id)
			if err != nil || !ok {
				return err
			}
			if !in.Odoo.IsZero() {
				ref = in.Odoo
				return nil
			}
			if id == odbxfs.RootNode {
				return nil
			}
			id = in.Parent
		}
		return nil
	})
	return ref, err
}
