package sync

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"odbxfs"
	"odbxfs/sync/content"
)

// toOdoo carries out a batch on Odoo, each op with its pair in one transaction.
func (x *executor) toOdoo(ctx context.Context, batch []work) []verdict {
	s := newSorter(len(batch))
	s.each(func(i int) *verdict { return x.revise(ctx, batch[i]) })
	x.ask(ctx, batch, s)
	ops := make([]odbxfs.OdooOp, len(batch))
	sums := make([]fetched, len(batch))
	early := x.prepare(ctx, batch, s.open, ops, sums)
	s.each(func(i int) *verdict { return early[i] })
	if len(s.open) == 0 {
		return x.settlePairs(ctx, x.refresh(ctx, s.out))
	}
	send := make([]odbxfs.OdooOp, len(s.open))
	for k, i := range s.open {
		send[k] = ops[i]
	}
	results, err := applyOdoo(ctx, x.opt.Odoo, send)
	if err != nil {
		s.each(func(i int) *verdict { v := failAll(batch[i:i+1], toOdoo, err)[0]; return &v })
		return s.out
	}
	k := -1
	s.each(func(i int) *verdict {
		k++
		v := x.judgeOdoo(batch[i], ops[i], alreadyDone(ops[i], results[k]))
		v.sha1 = sums[i].sha1
		return &v
	})
	return x.settlePairs(ctx, x.refresh(ctx, s.out))
}

// ask gives verdicts for the conversions that Odoo would not do, before any link
// is made for them: a document that stays in Odoo must not lie open to everybody
// in Dropbox for having been asked about. Addresses that open only for whoever
// may sign in there need no question.
func (x *executor) ask(ctx context.Context, batch []work, s *sorter) {
	if x.cfg.Links == odbxfs.LinkNone {
		return
	}
	var ops []odbxfs.OdooOp
	takesBytes := func(w work) bool { return w.Kind == odbxfs.TaskOdooConvert && w.o.Type == odbxfs.Binary }
	for _, i := range s.open {
		if w := batch[i]; takesBytes(w) {
			ops = append(ops, odbxfs.OdooOp{Kind: odbxfs.OdooMayConvert, Ref: w.o.Ref, Expect: w.o})
		}
	}
	if len(ops) == 0 {
		return
	}
	results, err := applyOdoo(ctx, x.opt.Odoo, ops)
	k := -1
	s.each(func(i int) *verdict {
		w := batch[i]
		if !takesBytes(w) {
			return nil
		}
		k++
		if err != nil {
			return &failAll(batch[i:i+1], toOdoo, err)[0]
		}
		if results[k].Outcome == odbxfs.Done {
			return nil
		}
		v := x.judgeOdoo(w, ops[k], results[k])
		return &v
	})
}

// parallel is how many links or downloads of one batch are made at a time: as
// many as the client's transfers may become (its widthMost).
const parallel = 16

// prepare makes the ops of the open works: links are made and bytes fetched
// first. It gives verdicts for those that can't be sent.
func (x *executor) prepare(ctx context.Context, batch []work, open []int, ops []odbxfs.OdooOp, sums []fetched) []*verdict {
	early := make([]*verdict, len(batch))
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, i := range open {
		one := func() error {
			op, sum, err := x.odooOp(ctx, batch[i])
			if err != nil {
				v := fail(batch[i], toDropbox, err)
				early[i] = &v
			}
			ops[i], sums[i] = op, sum
			return nil
		}
		if slow(batch[i].Kind) {
			group.Go(one)
			continue
		}
		if err := one(); err != nil {
			panic(err) // it never fails: errors are verdicts
		}
	}
	if err := group.Wait(); err != nil {
		panic(err) // as above
	}
	return early
}

// slow reports whether preparing the task's op asks Dropbox.
func slow(k odbxfs.TaskKind) bool {
	switch k {
	case odbxfs.TaskOdooConvert, odbxfs.TaskOdooCreate, odbxfs.TaskOdooUpdate, odbxfs.TaskOdooRestore:
		return true
	default:
		return false
	}
}

// odooOp is the write of a task.
func (x *executor) odooOp(ctx context.Context, w work) (odbxfs.OdooOp, fetched, error) {
	op := odbxfs.OdooOp{Key: w.Key, Expect: w.o, Parent: w.parent, Name: w.Name}
	if w.o != nil {
		op.Ref = w.o.Ref
	}
	var sum fetched
	var err error
	switch w.Kind {
	case odbxfs.TaskOdooMkdir:
		op.Kind = odbxfs.OdooMakeFolder
	case odbxfs.TaskOdooMove:
		op.Kind = odbxfs.OdooRelocate
	case odbxfs.TaskOdooDelete:
		op.Kind = odbxfs.OdooRemove
	case odbxfs.TaskOdooCreate:
		sum, err = x.createFile(ctx, w, &op)
	case odbxfs.TaskOdooUpdate:
		sum, err = x.updateFile(ctx, w, &op)
	case odbxfs.TaskOdooRestore:
		op.Kind = odbxfs.OdooRestore
		if p := w.Pair; w.o == nil && p != nil { // it is in none of our folders any more
			op.Ref = p.Odoo
			op.Expect = &odbxfs.OdooNode{Ref: p.Odoo, ParentRef: p.OdooParent, Name: p.OdooName, Type: odbxfs.Link, URL: p.URL}
		}
		sum, err = x.fetchInto(ctx, w, &op)
	case odbxfs.TaskOdooConvert:
		op.Kind = odbxfs.OdooConvert
		op.SHA1, op.Size, op.Mimetype, op.MTime = w.o.SHA1, w.o.Size, w.o.Mimetype, w.o.MTime
		if w.o.Type != odbxfs.Binary {
			op.SHA1, op.Size, op.Mimetype = w.p.SHA1, w.p.Size, w.p.Mimetype
		}
		op.URL, err = x.link(ctx, *w.d)
	default: // TaskSettle, TaskForget
		op.Kind, op.Expect = odbxfs.OdooSettlePair, nil
	}
	if err != nil {
		return op, sum, err
	}
	if w.p == nil && w.Pair == nil && w.Kind == odbxfs.TaskOdooRestore {
		return op, sum, nil // a copy that never had a file of its own
	}
	p := x.agreed(verdict{work: w, oNow: w.o, dNow: w.d, sha1: sum.sha1}, op.URL)
	op.Pair = &p
	return op, sum, nil
}

// createFile: a file of Dropbox becomes a link, or a binary where the client
// makes no links.
func (x *executor) createFile(ctx context.Context, w work, op *odbxfs.OdooOp) (fetched, error) {
	op.Kind, op.Expect, op.Ref = odbxfs.OdooCreateFile, nil, odbxfs.OdooRef{}
	op.MTime, op.Size = w.d.Modified, w.d.Size
	if x.cfg.Convert != odbxfs.ConvertDefault || x.cfg.Links == "" {
		return x.fetchInto(ctx, w, op)
	}
	link, err := x.link(ctx, *w.d)
	op.URL = link
	return fetched{}, err
}

// updateFile: Dropbox's new content, as bytes of a binary, or as the pair and
// hints of a link. The link's checksum is computed too: without it nobody who
// has the old bytes in a cache would see that there are others.
func (x *executor) updateFile(ctx context.Context, w work, op *odbxfs.OdooOp) (fetched, error) {
	sum, err := x.fetchInto(ctx, w, op)
	if err != nil {
		return sum, err
	}
	op.Kind = odbxfs.OdooWriteContent
	if w.o.Type == odbxfs.Link {
		op.Kind, op.Content = odbxfs.OdooHint, nil
		op.URL, op.Mimetype = w.o.URL, w.o.Mimetype
	}
	return sum, nil
}

// fetched is what a download turned out to be.
type fetched struct {
	id   odbxfs.ContentID
	sha1 odbxfs.SHA1
}

// fetchInto brings the Dropbox file's bytes into the store, compared with their
// content_hash, and gives them to the op.
func (x *executor) fetchInto(ctx context.Context, w work, op *odbxfs.OdooOp) (fetched, error) {
	d, removed := w.d, false
	if d == nil {
		d = w.from
	}
	if d == nil && w.Kind == odbxfs.TaskOdooRestore {
		d, removed = removedFile(w), true
	}
	if d == nil {
		return fetched{}, &odbxfs.Error{Op: "fetch", Item: w.Name, Kind: odbxfs.KindMissing, Err: errors.New("its file in Dropbox is not known")}
	}
	got, err := content.Fetch(ctx, x.store.Contents(), content.Wanted{
		Size: d.Size, ContentHash: d.ContentHash, SHA1: knownSHA1(w, d),
	}, func(ctx context.Context) (io.ReadCloser, error) {
		return x.db.Content(ctx, d.ID, d.Rev, 0, -1)
	})
	if removed && odbxfs.IsKind(err, odbxfs.KindMissing) {
		// It waits for a person: planned anew, the document would go as well.
		return fetched{}, &odbxfs.Error{Op: "fetch", Item: w.Name, Kind: odbxfs.KindUnsupported,
			Err: fmt.Errorf("its file is neither in Dropbox nor in Dropbox's trash: %w", err)}
	}
	if err != nil {
		return fetched{}, err
	}
	op.SHA1, op.Size, op.MTime = got.SHA1, d.Size, d.Modified
	op.Content = storeOpener(x.store.Contents(), got.ID)
	if d.Size == 0 {
		op.Content = openEmpty
	}
	return fetched{got.ID, got.SHA1}, nil
}

// removedFile is the revision that a link's pair agreed on, of a file that is no
// longer there: Dropbox gives the bytes of a revision by its rev, for as long as
// its trash keeps the file.
func removedFile(w work) *odbxfs.DropboxNode {
	p := first(w.p, w.Pair)
	if p == nil || w.o == nil || p.Dropbox == "" || p.Rev == "" {
		return nil
	}
	return &odbxfs.DropboxNode{ID: p.Dropbox, Rev: p.Rev, Kind: odbxfs.File, Size: p.Size, ContentHash: p.ContentHash, Modified: w.o.MTime}
}

// knownSHA1 is what the bytes must have, where the pair is of this content.
func knownSHA1(w work, d *odbxfs.DropboxNode) odbxfs.SHA1 {
	for _, p := range []*odbxfs.Pair{w.p, w.source} {
		if p != nil && p.ContentHash == d.ContentHash {
			return p.SHA1
		}
	}
	return ""
}

// link gives the address that the attachment gets: a shared link by policy, or
// under "none" the file's place on Dropbox's own pages.
func (x *executor) link(ctx context.Context, d odbxfs.DropboxNode) (string, error) {
	if x.cfg.Links != odbxfs.LinkNone {
		return x.db.Link(ctx, d.ID, x.cfg.Links)
	}
	return x.opt.page(x.home, d), nil
}

// judgeOdoo turns Odoo's answer into a verdict.
func (x *executor) judgeOdoo(w work, op odbxfs.OdooOp, res odbxfs.OdooResult) verdict {
	v := verdict{work: w, oNow: res.Node, dNow: w.d, pNow: res.Pair, side: toOdoo, err: res.Err}
	switch res.Outcome {
	case odbxfs.Done:
		if w.Kind == odbxfs.TaskOdooDelete {
			v.oNow, v.gone = nil, true
		}
		return x.completed(v, op)
	case odbxfs.Retained:
		v.dNow = nil
		if res.Soon {
			v.end, v.soon = endRetry, true
			v.err = errors.New(res.Reason)
			return v
		}
		if v.pNow == nil && w.p != nil {
			p := *w.p
			p.Retained = res.Reason
			v.url = op.URL // it was fit to be one when it was asked about
			v.pNow, v.open = &p, true
		}
		return v
	case odbxfs.Changed, odbxfs.Gone:
		if w.Kind == odbxfs.TaskOdooRestore && w.o == nil && op.Pair != nil {
			// Removed, or somebody's own now: it needs no bytes of ours.
			v.oNow, v.pNow, v.open, v.err, v.moot = nil, op.Pair, true, nil, true
			return v
		}
		v.end, v.dNow = endReplan, nil
		v.gone = res.Outcome == odbxfs.Gone
		return v
	default:
		f := fail(w, toOdoo, res.Err)
		if res.Outcome == odbxfs.Refused && f.end == endReplan {
			f.end = endRetry
		}
		return f
	}
}

// completed fills in what a done write leaves open: the node of a write that
// changes none, and the pair where an earlier call had written it.
func (x *executor) completed(v verdict, op odbxfs.OdooOp) verdict {
	if v.oNow == nil && !v.gone {
		v.oNow = v.o
	}
	if v.pNow == nil && op.Pair != nil {
		p := x.agreed(v, op.URL)
		v.pNow, v.open = &p, true
	}
	if v.pNow != nil && v.pNow.Odoo.IsZero() && v.oNow != nil {
		v.pNow.Odoo = v.oNow.Ref
	}
	return v
}
