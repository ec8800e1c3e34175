package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"odbxfs"
	"odbxfs/cache"
)

// What leads to a Dropbox file: a link's bytes are there and nowhere else, so
// before a file or a shared link goes, Odoo is asked who still leads there.

// keepLinked gives verdicts for removals of files to which a document still
// leads. It may be a link that only left our folders (its record is in no rule
// any more), which gets its bytes back, or a copy that Odoo made of the row.
func (x *executor) keepLinked(ctx context.Context, batch []work, s *sorter) {
	var refs []odbxfs.OdooRef
	var urls []string
	for _, i := range s.open {
		if p := first(batch[i].p, batch[i].Pair); p != nil && p.Kind == odbxfs.File {
			refs = append(refs, p.Odoo)
			if url := batch[i].address(); url != "" {
				urls = append(urls, url)
			}
		}
	}
	if len(refs) == 0 {
		return
	}
	links, err := x.opt.Ledger.Links(ctx, refs, urls)
	leads := map[string][]odbxfs.OdooRef{}
	for ref, url := range links {
		leads[url] = append(leads[url], ref)
	}
	s.each(func(i int) *verdict {
		w := batch[i]
		p := first(w.p, w.Pair)
		if p == nil || p.Kind != odbxfs.File {
			return nil
		}
		if err != nil {
			v := fail(w, toOdoo, err)
			return &v
		}
		if url, itself := links[p.Odoo]; itself && (w.address() == "" || url == w.address()) {
			v := x.keepFile(w, p.Odoo)
			if v.end == endRetry && !v.soon && w.d != nil && url != "" {
				v.end, v.url = endReverse, url // law 1: its bytes go back to it before the file goes
			}
			return v
		}
		if others := leads[w.address()]; w.address() != "" && len(others) > 0 {
			return x.keepFile(w, slices.MinFunc(others, func(a, b odbxfs.OdooRef) int { return cmp.Compare(a.ID, b.ID) }))
		}
		return nil
	})
}

// address is the url by which documents lead to the work's file; "" when none is
// known.
func (w *work) address() string {
	if p := first(w.p, w.Pair); p != nil && p.URL != "" {
		return p.URL
	}
	return w.shared
}

// looksFirst is how often a document that leads to a file and is not known here is
// looked for in Odoo, before it counts as one of none of the folders: each failure
// asks for a look.
const looksFirst = 2

// keepFile is the verdict on a removal of a file to which ref leads. A document
// in our folders gets a file of its own, or is planned for: that passes. One
// that is nowhere in them waits for a person.
func (x *executor) keepFile(w work, ref odbxfs.OdooRef) *verdict {
	known := false
	err := x.store.View(func(tx *cache.Tx) error {
		var err error
		_, known, err = tx.OdooByRef(ref)
		return err
	})
	v := verdict{work: w, end: endRetry, side: toDropbox}
	switch {
	case err != nil:
		v.err = fmt.Errorf("store: who leads to %s: %w", w.Name, err)
	case known:
		v.soon, v.err = true, fmt.Errorf("%s in Odoo still leads to it", ref)
	default:
		v.soon = w.Attempts < looksFirst // it may be a copy of a moment ago
		v.err = &odbxfs.Error{Op: "remove from Dropbox", Item: w.Name, Kind: odbxfs.KindUnsupported,
			Err: fmt.Errorf("%s in Odoo, in none of the folders, still leads to it: its only bytes are here", ref)}
	}
	return &v
}

// reverseFirst puts the restoring of a link that left our folders in the place of
// the removal of its file. The removal is planned anew afterwards; it has passed
// the guard, which does not ask again.
func (e *Engine) reverseFirst(tx *cache.Tx, c *client, v *verdict) error {
	if err := e.taskReplan(tx, c, v); err != nil {
		return err
	}
	if err := setMeta(tx, metaApproved(v.Node), v.Seq); err != nil {
		return err
	}
	p := *first(v.p, v.Pair)
	p.URL = v.url
	t := odbxfs.Task{Kind: odbxfs.TaskOdooRestore, Pass: odbxfs.Reverse, Node: v.Node, Client: c.id, Name: v.Name,
		Why: "left this cloud client's folders", Dropbox: v.d, Pair: &p}
	return e.planTask(tx, t)
}

// unlinkLater queues the end of the shared link that p names, whose document is a
// binary (again).
func (e *Engine) unlinkLater(tx *cache.Tx, c *client, v *verdict, p *odbxfs.Pair) error {
	if p == nil || p.URL == "" || e.opt.home(p.URL) {
		return nil // nothing was shared
	}
	t := odbxfs.Task{Kind: odbxfs.TaskDropboxUnlink, Pass: v.Pass, Node: v.Node, Client: c.id, Why: v.Why, Name: v.Name,
		Pair: &odbxfs.Pair{Node: v.Node, Client: c.id, Kind: odbxfs.File, Odoo: p.Odoo, Dropbox: p.Dropbox, URL: p.URL}}
	return e.planTask(tx, t)
}

// unlink revokes shared links to which nobody in Odoo leads any more.
func (x *executor) unlink(ctx context.Context, batch []work) []verdict {
	urls := make([]string, len(batch))
	for i, w := range batch {
		urls[i] = w.Pair.URL
	}
	links, err := x.opt.Ledger.Links(ctx, nil, urls)
	if err != nil {
		return failAll(batch, toOdoo, err)
	}
	used := map[string]bool{}
	for _, url := range links {
		used[url] = true
	}
	out := make([]verdict, len(batch))
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, w := range batch {
		out[i] = verdict{work: w, used: used[urls[i]]}
		if out[i].used {
			continue
		}
		group.Go(func() error {
			err := x.db.Unlink(ctx, urls[i])
			if err != nil && !odbxfs.IsKind(err, odbxfs.KindMissing) {
				out[i] = fail(w, toDropbox, err)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil && ctx.Err() != nil {
		return failAll(batch, toDropbox, errors.Join(err, ctx.Err()))
	}
	return out
}

// counts are what a reset reports.
type counts struct {
	restored, removed int
	revoked, used     int // shared links
}

func (c *counts) count(used bool) {
	if used {
		c.used++
		return
	}
	c.revoked++
}
