package sync

import (
	"context"

	"odbxfs"
)

// agreed is the pair that holds when the verdict's task is done.
func (x *executor) agreed(v verdict, url string) odbxfs.Pair {
	p := odbxfs.Pair{Kind: odbxfs.Folder}
	if v.p != nil {
		p = *v.p
	} else if v.Pair != nil {
		p = *v.Pair
	}
	p.Node, p.Client = v.Node, x.cfg.ID
	switch v.Kind {
	case odbxfs.TaskForget, odbxfs.TaskDropboxDelete, odbxfs.TaskOdooDelete, odbxfs.TaskOdooRestore:
		p.Gone, p.URL = true, ""
		if v.Kind == odbxfs.TaskOdooRestore && v.d != nil {
			agreeContent(&p, v, nil, v.d) // Odoo has the bytes of this revision, and the file has nothing of its own
		}
		if v.Kind == odbxfs.TaskForget && v.Pair != nil {
			p.Rev = v.Pair.Rev // of none where a person wants what is left
		}
		return p
	default:
	}
	if v.Kind == odbxfs.TaskDropboxMove && v.Pass == odbxfs.Backward {
		return p // out of the way, for a task that is still to come: nothing is agreed yet, and a tombstone stays one
	}
	if v.Kind == odbxfs.TaskOdooMove && url == "" {
		url = p.URL // a move says nothing of the content: bytes that took the link's place show as new
	}
	fresh := v.p == nil || v.p.Gone
	o, d := first(v.oNow, v.o), first(v.dNow, v.d)
	p.Gone, p.URL = false, url
	if url == "" && o != nil && o.Type == odbxfs.Link {
		p.URL = o.URL // a link that the task did not make stays one
	}
	switch v.Kind {
	case odbxfs.TaskDropboxMove, odbxfs.TaskOdooMove:
		agreePlace(&p, v, o, d)
		if d != nil && d.ContentHash == p.ContentHash {
			p.Rev = d.Rev // a move makes a new rev of the same bytes
		}
	case odbxfs.TaskDropboxUpload, odbxfs.TaskOdooUpdate:
		agreeContent(&p, v, o, d)
		if fresh || v.Dropbox == nil {
			agreePlace(&p, v, o, d)
		}
	case odbxfs.TaskOdooConvert:
	default:
		agreeContent(&p, v, o, d)
		agreePlace(&p, v, o, d)
	}
	return p
}

// first gives what is there now, else what was there before.
func first[N any](now, before *N) *N {
	if now != nil {
		return now
	}
	return before
}

// agreePlace notes names and folders of both sides.
func agreePlace(p *odbxfs.Pair, v verdict, o *odbxfs.OdooNode, d *odbxfs.DropboxNode) {
	renamed := false
	if o != nil {
		p.Odoo, p.OdooParent, p.OdooName = o.Ref, o.ParentRef, o.Name
	}
	if needsParent(v.Kind) {
		renamed = o == nil || o.Name != v.Name || o.ParentRef != v.parent
		p.OdooParent, p.OdooName = v.parent, v.Name
		if o == nil {
			p.Odoo = odbxfs.OdooRef{} // Odoo gives the number, and writes it into the row
		}
	}
	if d != nil {
		p.Kind = d.Kind
		p.Dropbox, p.DropboxParent, p.DropboxName = d.ID, v.dir, d.Name
	}
	p.MountName = ""
	if !renamed && v.inode.State == odbxfs.StateClean {
		// The name that the mount shows is unique in its folder; from now on it
		// is the same for everybody.
		p.MountName = v.inode.Name
	}
}

// agreeContent notes the bytes that both sides have.
func agreeContent(p *odbxfs.Pair, v verdict, o *odbxfs.OdooNode, d *odbxfs.DropboxNode) {
	if d == nil || d.Kind != odbxfs.File {
		return
	}
	p.Kind = odbxfs.File
	p.ContentHash, p.Size, p.Rev = d.ContentHash, d.Size, d.Rev
	p.SHA1 = ""
	if o != nil {
		p.SHA1, p.Mimetype = o.SHA1, o.Mimetype
	}
	if s := v.source; s != nil && s.ContentHash == d.ContentHash {
		p.SHA1, p.Mimetype = s.SHA1, s.Mimetype // the row of a copy says neither
	}
	if v.sha1 != "" && (o == nil || v.Kind == odbxfs.TaskOdooUpdate || v.Kind == odbxfs.TaskDropboxUpload) {
		p.SHA1 = v.sha1
	}
}

// settlePairs writes the pairs that are still open to Odoo. A task whose pair
// can't be written now is not done: it is tried again, and finds its work done.
func (x *executor) settlePairs(ctx context.Context, verdicts []verdict) []verdict {
	ids := map[odbxfs.NodeID]odbxfs.DropboxID{}
	for _, v := range verdicts {
		if v.dNow != nil && v.end == endDone {
			ids[v.Node] = v.dNow.ID
		}
	}
	var open []*verdict
	var ops []odbxfs.OdooOp
	for i := range verdicts {
		v := &verdicts[i]
		if v.end != endDone || !v.open {
			continue
		}
		if id, ok := ids[v.Parent]; ok && v.Kind == odbxfs.TaskDropboxMkdir {
			v.pNow.DropboxParent = id // both folders were made by this batch
		}
		open = append(open, v)
		ops = append(ops, settleOp(v))
	}
	if len(ops) == 0 {
		return verdicts
	}
	results, err := applyOdoo(ctx, x.opt.Odoo, ops)
	for k, v := range open {
		if err != nil {
			*v = fail(v.work, toOdoo, err)
			v.end = endWait
			continue
		}
		x.settledPair(ctx, v, results[k])
	}
	return verdicts
}

func settleOp(v *verdict) odbxfs.OdooOp {
	return odbxfs.OdooOp{Kind: odbxfs.OdooSettlePair, Key: v.Key, Ref: v.pNow.Odoo, Pair: v.pNow}
}

// settledPair takes the answer to a pair's write. "Changed" means that a write
// of ours was not heard of: we hold the lease, so nobody else writes. Then the
// row is read and written once more.
func (x *executor) settledPair(ctx context.Context, v *verdict, res odbxfs.OdooResult) {
	if res.Outcome == odbxfs.Changed {
		now := res.Pair
		if now == nil && v.pNow.Row != 0 {
			var err error
			if now, err = x.freshPair(ctx, v.pNow.Row); err != nil {
				*v = fail(v.work, toOdoo, err)
				return
			}
		}
		if now == nil {
			*v = verdict{work: v.work, end: endReplan}
			return
		}
		v.pNow.Row, v.pNow.Version = now.Row, now.Version
		again, err := applyOdoo(ctx, x.opt.Odoo, []odbxfs.OdooOp{settleOp(v)})
		if err != nil {
			*v = fail(v.work, toOdoo, err)
			return
		}
		res = again[0]
	}
	switch res.Outcome {
	case odbxfs.Done:
		if res.Pair != nil {
			node := v.pNow.Node
			v.pNow = res.Pair
			v.pNow.Node = node
		}
		v.open = false
	case odbxfs.Changed, odbxfs.Gone:
		*v = verdict{work: v.work, end: endReplan, pNow: res.Pair}
	default:
		*v = fail(v.work, toOdoo, res.Err)
	}
}

// refresh reads the pairs of tasks on Odoo whose precondition failed: their
// write may have been done by a call whose answer was lost, and then the row
// says so.
func (x *executor) refresh(ctx context.Context, verdicts []verdict) []verdict {
	for i := range verdicts {
		v := &verdicts[i]
		if v.end != endReplan || v.pNow != nil || v.p == nil || v.p.Row == 0 {
			continue
		}
		p, err := x.freshPair(ctx, v.p.Row)
		if err != nil {
			*v = fail(v.work, toOdoo, err)
			continue
		}
		v.pNow = p
	}
	return verdicts
}
