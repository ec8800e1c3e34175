package sync

import (
	"context"
	"fmt"

	"odbxfs"
)

// end is what is to become of a task after an attempt.
type end uint8

const (
	endDone    end = iota // settle it
	endReplan             // drop it and plan its node anew
	endRetry              // count a failure; park it if that was one too many
	endWait               // a remote failed as a whole: the task as it is, later
	endReverse            // a link elsewhere in Odoo needs its bytes first: restore it, then plan anew
)

// verdict is what an attempt to carry out a task came to. Node and pair fields
// that are not nil are what the store is to take over.
type verdict struct {
	work
	end  end
	err  error
	side side                // with endWait: which remote failed
	oNow *odbxfs.OdooNode    // Odoo's node after it
	dNow *odbxfs.DropboxNode // Dropbox's node after it
	pNow *odbxfs.Pair        // the pair as Odoo has it after it
	copy *odbxfs.DropboxNode // a conflicted copy that was made
	gone bool                // the task's node is gone from the remote it works on
	sha1 odbxfs.SHA1         // what was really sent or fetched
	soon bool                // not now, but it may pass by itself
	open bool                // pNow is still to be written to Odoo
	moot bool                // there was nothing to restore
	url  string              // with endReverse: the link's address; of a document that Odoo kept after all: the link made for it
	used bool                // a shared link was kept: a document still leads there
}

// outran reports an upload of bytes that are newer than what the Odoo tree
// knows.
func (v *verdict) outran() bool {
	return v.end == endDone && v.Kind == odbxfs.TaskDropboxUpload && v.sha1 != "" &&
		v.o != nil && v.o.Type == odbxfs.Binary && v.o.SHA1 != "" && v.o.SHA1 != v.sha1
}

// start runs a batch as one effect.
func (e *Engine) start(c *client, lane string, to side, batch []work) {
	x := &executor{opt: &e.opt, cfg: c.cfg, db: c.db, home: c.home, store: e.store}
	what := fmt.Sprintf("%s: %s, %d", []string{"dropbox", "odoo"}[to], batch[0].Kind, len(batch))
	e.flights[lane] = flightOf(to, batch)
	e.emit(lane, what, func(ctx context.Context) func() error {
		if err := e.durable(ctx); err != nil {
			return func() error { return err }
		}
		var verdicts []verdict
		if to == toDropbox {
			verdicts = x.toDropbox(ctx, batch)
		} else {
			verdicts = x.toOdoo(ctx, batch)
		}
		return func() error { return e.settle(c, verdicts) }
	})
}

// fail gives the verdict on an error: of an item, or of a remote as a whole.
func fail(w work, at side, err error) verdict {
	v := verdict{work: w, err: err, side: at}
	switch fateOf(odbxfs.KindOf(err), w.Attempts) {
	case fateRemote:
		v.end = endWait
	case fateReplan:
		v.end = endReplan
	default:
		v.end = endRetry
	}
	return v
}

// failAll gives every task of a batch the same verdict.
func failAll(batch []work, at side, err error) []verdict {
	all := make([]verdict, len(batch))
	for i, w := range batch {
		all[i] = fail(w, at, err)
		if odbxfs.KindOf(err) == odbxfs.KindUnknown {
			// An error about no op in particular is the remote's.
			all[i].end = endWait
		}
	}
	return all
}

// sorter puts verdicts in the place of the works they are of.
type sorter struct {
	out  []verdict
	open []int // indices of works that have no verdict yet
}

func newSorter(n int) *sorter {
	s := &sorter{out: make([]verdict, n), open: make([]int, n)}
	for i := range s.open {
		s.open[i] = i
	}
	return s
}

// each gives every open work to fn, which answers with a verdict, or with
// nil for "still open".
func (s *sorter) each(fn func(i int) *verdict) {
	var left []int
	for _, i := range s.open {
		if v := fn(i); v != nil {
			s.out[i] = *v
			continue
		}
		left = append(left, i)
	}
	s.open = left
}
