package sync

import (
	"slices"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// origin is where deletions come from.
type origin uint8

const (
	byMount   origin = iota // an intent
	byOdoo                  // gone in Odoo, to go in Dropbox
	byDropbox               // gone in Dropbox, to go in Odoo
)

// originOf says where a deletion that is a task comes from.
func originOf(t odbxfs.Task) origin {
	if t.Kind == odbxfs.TaskOdooDelete {
		return byDropbox
	}
	return byOdoo
}

// restKey names deletions that rest together.
type restKey struct {
	client odbxfs.ClientID
	origin origin
}

// rest is how the deletions of one origin do that no person was asked about.
// It is not stored: after a restart they rest anew.
type rest struct {
	count  int       // that are not through, as last counted
	recent int       // of this client, of any origin, that were carried out or held within deletesWindow
	newest uint64    // the Seq of the last that came
	since  time.Time // when it came
	asked  uint64    // step at which they had rested, and a look was asked for; 0: not yet
}

// deletesWindow is how long a deletion that was carried out or held still
// counts for the guard: what is slower than the engine is one deletion all the
// same.
const deletesWindow = time.Minute

// manyGone is from how many deletions on they rest longer, and that much
// longer: a mass deletion that pauses on a busy machine must not slip past the
// guard in parts. They follow what people bear (a single file is gone within
// seconds) and what was measured: a look at Odoo, every 2.5 s at least while
// something changes, saw 90 of 211 rows that were removed one by one.
const (
	manyGone   = 10
	longerRest = 3
)

func (r *rest) many() bool { return r.count+r.recent >= manyGone }

// rested reports whether the deletions of a key may start. Where it is only time
// or a look that is missing, it asks for that.
// The one of this Seq may have come since they were counted: then it waits for
// that.
func (e *Engine) rested(k restKey, seq uint64) bool {
	if _, reset := e.resets[k.client]; reset || e.opt.Guard.Off {
		return true
	}
	r := e.rests[k]
	if r == nil || seq > r.newest {
		e.wakeAt(e.opt.Now())
		return false
	}
	wait := e.opt.Quiet
	if r.many() {
		wait *= longerRest
	}
	if now := e.opt.Now(); now.Before(r.since.Add(wait)) {
		e.wakeAt(r.since.Add(wait))
		return false
	}
	if k.origin == byMount || !r.many() {
		return true
	}
	c := e.clients[k.client]
	if r.asked == 0 {
		r.asked = e.step
		if k.origin == byOdoo {
			e.odoo.due = true
		} else if c != nil {
			c.due = true
		}
		e.wakeAt(e.opt.Now())
		return false
	}
	if e.planDue || e.planMore {
		return false // what that look brought is not planned yet
	}
	if k.origin == byOdoo {
		return e.odoo.lastRun > r.asked
	}
	return c != nil && c.lastRun > r.asked
}

// intentRests reports whether the intent is a deletion that still rests.
func (e *Engine) intentRests(tx *cache.Tx, in odbxfs.Intent) (bool, error) {
	if !in.Gone || in.Was.Ref.IsZero() || e.rested(restKey{in.Was.Client, byMount}, in.Seq) {
		return false, nil
	}
	by, err := approvedBy(tx, in.Node)
	return by != in.Seq, err
}

// rests reports whether a deletion is still to wait for others like it. One that
// has the place of something that is to come is half of an edit, and does not.
func (p *picker) rests(t odbxfs.Task) bool {
	by, err := approvedBy(p.tx, t.Node)
	if err != nil {
		p.err = err
		return true
	}
	// What a person let go was not counted: nobody waits for it, and to be woken
	// for it again and again would be a loop.
	k := restKey{p.c.id, originOf(t)}
	if by != 0 || p.e.rested(k, t.Seq) {
		return false
	}
	at, has := placeOf(t)
	if has && p.few(k) && p.isWanted(at) {
		return false
	}
	if has && t.Kind == odbxfs.TaskDropboxDelete {
		p.taken[at] = true
	}
	return true
}

// few reports whether the deletions of a key were counted, and are few.
func (p *picker) few(k restKey) bool {
	r := p.e.rests[k]
	return r != nil && !r.many()
}

// placeOf is where the thing lies that a deletion removes.
func placeOf(t odbxfs.Task) (claim, bool) {
	switch {
	case t.Kind == odbxfs.TaskDropboxDelete && t.Dropbox != nil:
		return claim{t.Dropbox.Parent, odbxfs.FoldName(t.Dropbox.Name)}, true
	case t.Kind == odbxfs.TaskOdooDelete && t.Odoo != nil:
		return claim{t.Odoo.Parent, odbxfs.FoldName(t.Odoo.Name)}, true
	}
	return claim{}, false
}

// isWanted reports whether another task of the same remote is to put something
// there.
func (p *picker) isWanted(at claim) bool {
	marks, err := p.tx.QueuedAt(p.c.id, at.parent, at.name)
	if err != nil {
		p.err = err
	}
	return slices.ContainsFunc(marks, func(m cache.TaskMark) bool { return sideOf(m.Kind) == p.to })
}
