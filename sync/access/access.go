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
	// patience is how long a program waits for the answer, and how long after
	// Odoo did not answer it is asked again.
	patience = 2 * time.Second
	// giveUp ends a question that nobody waits for any more.
	giveUp = 30 * time.Second
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
	after func(time.Duration) <-chan time.Time
	end   context.Context // of the questions that are on their way
	stop  context.CancelFunc
	asked gosync.WaitGroup

	mu     gosync.Mutex
	last   map[odbxfs.OdooRef]verdict // guarded by mu
	silent bool                       // guarded by mu: Odoo did not answer the last question in time
	open   int                        // guarded by mu: questions on their way
	next   time.Time                  // guarded by mu: while silent, nobody asks before
}

type verdict struct {
	at  time.Time
	err error // nil: may
}

// New makes a Rights. now is the clock, after how it waits, as time.After. Its
// questions end with ctx, or with Close.
func New(ctx context.Context, store *cache.Store, ask Asker, now func() time.Time, after func(time.Duration) <-chan time.Time) *Rights {
	r := &Rights{store: store, ask: ask, now: now, after: after, last: map[odbxfs.OdooRef]verdict{}}
	r.end, r.stop = context.WithCancel(ctx)
	return r
}

// Close ends the questions that are on their way and waits for that. MayWrite
// must not be called any more.
func (r *Rights) Close() {
	r.stop()
	r.asked.Wait()
}

// MayWrite says whether the content of a file may be written, or the entries of
// a folder be changed: nil, or an error of KindAccess. What Odoo does not have
// yet is asked of the folder that it will lie in.
func (r *Rights) MayWrite(ctx context.Context, node odbxfs.NodeID) error {
	ref, err := r.ref(node)
	if err != nil || ref.IsZero() {
		return err
	}
	fresh, ask, wait, known := r.look(ref)
	if fresh || !ask {
		return known
	}
	answer := r.question(ref) //nolint:contextcheck // its answer is of use to whoever asks next, so it outlives this program
	if !wait {
		return known
	}
	select {
	case a := <-answer:
		if a.spoke {
			return a.err
		}
	case <-r.after(patience):
	case <-ctx.Done():
		return known // the program was interrupted: that says nothing of Odoo
	}
	r.isSilent()
	return known
}

// look gives the last answer about ref, whether it still holds, whether Odoo is
// to be asked, and whether the program is to wait for what it says. A server
// that hangs costs one program its patience, and not each of a thousand files:
// while it is silent it is asked now and then, and nobody waits.
func (r *Rights) look(ref odbxfs.OdooRef) (fresh, ask, wait bool, known error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.last[ref]
	now := r.now()
	if ok && now.Sub(v.at) < keep {
		return true, false, false, v.err
	}
	if !r.silent {
		return false, true, true, v.err
	}
	return false, r.open == 0 && !now.Before(r.next), false, v.err
}

// isSilent notes that a question was not answered in time.
func (r *Rights) isSilent() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent, r.next = true, r.now().Add(patience)
}

// answer is what came of a question.
type answer struct {
	spoke bool  // Odoo said something; else err is nothing
	err   error // nil: may
}

// question asks Odoo, in a goroutine that Close waits for. Whoever is given the
// channel need not read it.
func (r *Rights) question(ref odbxfs.OdooRef) <-chan answer {
	r.mu.Lock()
	r.open++
	r.mu.Unlock()
	said := make(chan answer, 1)
	r.asked.Go(func() {
		ctx, cancel := context.WithTimeout(r.end, giveUp)
		defer cancel()
		said <- r.took(ref, r.ask.MayWrite(ctx, ref))
	})
	return said
}

// took notes the answer to a question.
func (r *Rights) took(ref odbxfs.OdooRef, err error) answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	switch odbxfs.KindOf(err) {
	case odbxfs.KindAccess:
	case odbxfs.KindMissing:
		err = nil // gone meanwhile: the intent's own precondition will tell
	default:
		if err != nil {
			r.silent, r.next = true, r.now().Add(patience)
			return answer{}
		}
	}
	r.silent = false
	if len(r.last) >= remembered {
		clear(r.last)
	}
	r.last[ref] = verdict{at: r.now(), err: err}
	return answer{spoke: true, err: err}
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
