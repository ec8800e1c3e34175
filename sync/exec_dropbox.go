package sync

import (
	"context"
	"errors"
	"fmt"
	"io"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/sync/content"
)

// executor carries out batches. It has what they need and nothing of the
// engine's state, so that it may run in any goroutine.
type executor struct {
	opt   *Options // read only
	cfg   odbxfs.CloudClient
	db    Dropbox
	home  string // where the account's paths begin, see [odbxfs.DropboxAccount]
	store *cache.Store
}

// toDropbox carries out a batch of one kind on Dropbox, and settles the pairs
// of what was done in Odoo.
func (x *executor) toDropbox(ctx context.Context, batch []work) []verdict {
	if batch[0].Kind == odbxfs.TaskDropboxUnlink {
		return x.unlink(ctx, batch)
	}
	s := newSorter(len(batch))
	sent := make([]*sentBytes, len(batch))
	s.each(func(i int) *verdict { return x.revise(ctx, batch[i]) })
	if batch[0].Kind == odbxfs.TaskDropboxDelete {
		x.keepLinked(ctx, batch, s)
	}
	if len(s.open) == 0 {
		return x.settlePairs(ctx, s.out)
	}
	x.readAhead(ctx, batch, s.open)
	ops := make([]odbxfs.DropboxOp, len(s.open))
	for k, i := range s.open {
		ops[k], sent[i] = x.dropboxOp(batch[i])
	}
	results, err := x.db.Apply(ctx, ops)
	if err == nil && len(results) != len(ops) {
		err = &odbxfs.Error{Op: "write to Dropbox", Kind: odbxfs.KindUnavailable,
			Err: fmt.Errorf("%d answers to %d writes", len(results), len(ops))}
	}
	if err != nil {
		s.each(func(i int) *verdict { v := failAll(batch[i:i+1], toDropbox, err)[0]; return &v })
		return x.settlePairs(ctx, s.out)
	}
	k := -1
	s.each(func(i int) *verdict {
		k++
		v := x.judgeDropbox(ctx, batch[i], results[k], sent[i])
		return &v
	})
	return x.settlePairs(ctx, s.out)
}

// revise looks at a task whose trees are no longer what was planned on. Nil:
// all is as it was. An upload whose bytes are there already was done before,
// and only its answer was lost; everything else is planned anew, with the pair
// as Odoo has it.
func (x *executor) revise(ctx context.Context, w work) *verdict {
	if !w.stale {
		return nil
	}
	v := verdict{work: w, end: endReplan}
	if w.uploadFound() {
		return x.adopt(v)
	}
	if w.Kind == odbxfs.TaskDropboxUpload && w.uploadedBefore() {
		sent := x.bytesOf(w)
		if hash, err := sent.hash(ctx); err == nil && hash == w.d.ContentHash {
			v.end, v.dNow, v.sha1 = endDone, w.d, sent.sha1()
			v = x.agree(v)
			return &v
		}
	}
	if w.p != nil && w.p.Row != 0 {
		p, err := x.freshPair(ctx, w.p.Row)
		if err != nil {
			f := fail(w, toOdoo, err)
			return &f
		}
		v.pNow = p
	}
	return &v
}

// uploadFound reports whether Dropbox has what a stale upload noted before it
// was sent.
func (w *work) uploadFound() bool {
	return w.found != nil && w.Odoo != nil && w.note.ContentHash != "" && w.found.ContentHash == w.note.ContentHash
}

// adopt settles an upload that was carried out, although Odoo's side changed
// since, or is gone. The pair tells what was sent, from where and to where, so
// that the next plan sees what either side did since, and not a file of someone
// else.
func (x *executor) adopt(v verdict) *verdict {
	v.end, v.inode = endDone, odbxfs.Inode{} // which shows another name by now
	if p := v.p; p != nil && !p.Gone && p.Dropbox == v.found.ID && p.ContentHash == v.found.ContentHash {
		v.dNow = v.found
		return &v // its pair was written, too
	}
	o, d := *first(v.o, v.Odoo), *v.found
	o.Name, o.ParentRef = v.Odoo.Name, v.Odoo.ParentRef
	if v.Dropbox == nil {
		d.Name = v.Name
	}
	v.oNow, v.dNow, v.sha1 = &o, &d, v.note.SHA1
	v = x.agree(v)
	v.dNow = v.found
	return &v
}

// uploadedBefore reports whether Dropbox's side of a stale upload looks as the
// upload would have left it: the same file under a newer rev, and Odoo as it
// was.
func (w *work) uploadedBefore() bool {
	return w.o != nil && w.Odoo != nil && w.d != nil && w.Dropbox != nil &&
		sameBytes(*w.o, *w.Odoo) && w.d.ID == w.Dropbox.ID && w.d.Rev != w.Dropbox.Rev
}

// freshPair reads one row of pairs as it is now; nil when it is gone.
func (x *executor) freshPair(ctx context.Context, row int64) (*odbxfs.Pair, error) {
	page, err := x.opt.Ledger.Pairs(ctx, x.cfg.ID, row-1, 1)
	if err != nil || len(page) == 0 || page[0].Row != row {
		return nil, err
	}
	return &page[0], nil
}

// dropboxOp is the write of a task, with what its bytes turn out to be.
func (x *executor) dropboxOp(w work) (odbxfs.DropboxOp, *sentBytes) {
	op := odbxfs.DropboxOp{Path: w.path}
	if w.d != nil {
		op.ID, op.Rev = w.d.ID, w.d.Rev
	}
	switch w.Kind {
	case odbxfs.TaskDropboxMkdir:
		op.Kind = odbxfs.DropboxMakeFolder
	case odbxfs.TaskDropboxMove:
		op.Kind = odbxfs.DropboxMove
	case odbxfs.TaskDropboxKeep:
		op.Kind = odbxfs.DropboxCopy
	case odbxfs.TaskDropboxDelete:
		op.Kind = odbxfs.DropboxRemove
	default: // TaskDropboxUpload
		if w.copyOf != "" {
			return odbxfs.DropboxOp{Kind: odbxfs.DropboxCopy, ID: w.copyOf, Path: w.path}, nil
		}
		sent := x.bytesOf(w)
		sent.note = func(n sentNote) error {
			return x.store.Update(func(tx *cache.Tx) error { return setMeta(tx, metaSent(w.Seq), n) })
		}
		op.Kind, op.Content, op.Size, op.Modified = odbxfs.DropboxUpload, sent.open, w.o.Size, w.o.MTime
		op.Key = string(w.o.SHA1)
		if w.d != nil {
			op.Path = w.d.Path
		}
		return op, sent
	}
	return op, nil
}

// judgeDropbox turns Dropbox's answer into a verdict.
func (x *executor) judgeDropbox(ctx context.Context, w work, res odbxfs.DropboxResult, sent *sentBytes) verdict {
	v := verdict{work: w, dNow: res.Node}
	switch res.Outcome {
	case odbxfs.Done:
	case odbxfs.Gone:
		if w.copyOf != "" && w.Kind == odbxfs.TaskDropboxUpload {
			return fail(w, toDropbox, &odbxfs.Error{Op: "copy in Dropbox", Item: w.path, Kind: odbxfs.KindUnsupported,
				Err: errors.New("the file that it leads to is no longer in Dropbox: restore it there, then retry")})
		}
		if w.Kind != odbxfs.TaskDropboxDelete {
			// Only Dropbox's feed says that something is gone: a call may meet a
			// server that has not heard of the file yet.
			v.end = endReplan
			return v
		}
	case odbxfs.Changed:
		v.end = endReplan
		return v
	case odbxfs.Refused:
		f := fail(w, toDropbox, res.Err)
		if f.end == endReplan {
			f.end = endRetry // it says "never": only a person can help
		}
		return f
	default:
		return fail(w, toDropbox, res.Err)
	}
	switch w.Kind {
	case odbxfs.TaskDropboxDelete:
		v.dNow, v.gone = nil, true
		return x.agree(v)
	case odbxfs.TaskDropboxKeep:
		v.copy, v.dNow = res.Node, nil
		return v
	default: // what was written is there now
	}
	if v.dNow == nil {
		return fail(w, toDropbox, &odbxfs.Error{Op: "write to Dropbox", Item: w.path, Kind: odbxfs.KindUnknown,
			Err: errors.New("done, but it does not say what is there now")})
	}
	if other := x.ownedBy(w, v.dNow.ID); other != nil {
		return *other
	}
	v.dNow.Client = x.cfg.ID
	if sent != nil {
		if v = x.verify(ctx, v, sent); v.end != endDone {
			return v
		}
	}
	return x.agree(v)
}

// ownedBy gives the verdict on a create that found its work done by what is the
// file or folder of another document. Nil: it is nobody's.
func (x *executor) ownedBy(w work, id odbxfs.DropboxID) *verdict {
	if w.Dropbox != nil || w.o == nil {
		return nil
	}
	var of odbxfs.OdooRef
	err := x.store.View(func(tx *cache.Tx) error {
		node, known, err := tx.PairByDropbox(id)
		if err != nil || !known || node == w.Node {
			return err
		}
		p, _, err := tx.Pair(node)
		if !p.Gone {
			of = p.Odoo
		}
		return err
	})
	v := fail(w, toDropbox, &odbxfs.Error{Op: "write to Dropbox", Item: w.path, Kind: odbxfs.KindExists,
		Err: fmt.Errorf("what is there belongs to %s", of)})
	switch {
	case err != nil:
		v.end, v.err = endRetry, fmt.Errorf("store: whose is %s: %w", w.path, err)
	case of.IsZero() || of == w.o.Ref:
		return nil
	}
	return &v
}

// agree gives a done task of Dropbox its pair, to be written to Odoo.
func (x *executor) agree(v verdict) verdict {
	if v.p == nil && first(v.oNow, v.o) == nil {
		return v // never was paired, and is nowhere now
	}
	if v.p == nil && v.Pair == nil && v.Kind == odbxfs.TaskDropboxMove && v.Pass == odbxfs.Backward {
		return v // out of the way: nothing was agreed, and nothing is
	}
	url := ""
	if v.p != nil {
		url = v.p.URL
	}
	p := x.agreed(v, url)
	v.pNow, v.open = &p, true
	return v
}

// verify is law 1's first condition: what Dropbox says it holds is what was
// read from Odoo. That may be newer than what the task was planned on. The pair
// tells what was really sent, so that the next plan sees Odoo's change, and not
// one of Dropbox.
func (x *executor) verify(ctx context.Context, v verdict, sent *sentBytes) verdict {
	hash, err := sent.hash(ctx)
	if err != nil {
		return fail(v.work, toOdoo, err)
	}
	if hash != v.dNow.ContentHash {
		return fail(v.work, toDropbox, &odbxfs.Error{Op: "upload", Item: v.path, Kind: odbxfs.KindCorrupt,
			Err: fmt.Errorf("sent %s, Dropbox has %s", hash, v.dNow.ContentHash)})
	}
	v.sha1 = sent.sha1()
	return v
}

// bytesOf gives the bytes of the task's node in Odoo.
func (x *executor) bytesOf(w work) *sentBytes {
	if w.ahead != nil {
		return &sentBytes{source: openBytes(w.ahead)}
	}
	return &sentBytes{source: func(ctx context.Context) (io.ReadCloser, error) {
		if id, ok := x.store.Contents().BySHA1(w.o.SHA1); ok && w.o.SHA1 != "" {
			if r, err := storeOpener(x.store.Contents(), id)(ctx); err == nil {
				return r, nil
			}
		}
		if w.o.Type != odbxfs.Binary {
			return x.opt.Content.Stream(ctx, w.Node)
		}
		return x.opt.Odoo.Content(ctx, w.o.Ref, 0, -1)
	}}
}

// sentBytes hashes a content as it is sent. It is used by one goroutine at a
// time.
type sentBytes struct {
	source odbxfs.Opener
	last   *content.Hasher      // of the last read to its end; nil: none yet
	note   func(sentNote) error // told before the reader of the bytes sees their end; nil: nobody
}

// open is the Opener for the client; each read is hashed anew.
func (s *sentBytes) open(ctx context.Context) (io.ReadCloser, error) {
	r, err := s.source(ctx)
	if err != nil {
		return nil, err
	}
	return &hashing{ReadCloser: r, hasher: content.NewHasher(), to: s}, nil
}

// hash gives the content_hash of what was sent; where nothing was (the upload
// found its work done), it reads the bytes for it.
func (s *sentBytes) hash(ctx context.Context) (odbxfs.ContentHash, error) {
	if s.last == nil {
		r, err := s.open(ctx)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(io.Discard, r)
		if err = errors.Join(err, r.Close()); err != nil {
			return "", err
		}
	}
	if s.last == nil {
		return "", &odbxfs.Error{Op: "read", Kind: odbxfs.KindUnavailable, Err: io.ErrUnexpectedEOF}
	}
	return s.last.ContentHash(), nil
}

func (s *sentBytes) sha1() odbxfs.SHA1 { return s.last.SHA1() }

// hashing is a reader that hashes what goes through it, and tells at its end.
type hashing struct {
	io.ReadCloser
	hasher *content.Hasher
	to     *sentBytes
}

// Read implements io.Reader.
func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	h.hasher.Write(p[:n]) //nolint:errcheck // a Hasher never fails
	if errors.Is(err, io.EOF) {
		h.to.last = h.hasher
		if h.to.note != nil {
			if nerr := h.to.note(sentNote{SHA1: h.hasher.SHA1(), ContentHash: h.hasher.ContentHash()}); nerr != nil {
				return n, nerr
			}
		}
	}
	return n, err
}
