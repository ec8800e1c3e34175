package sync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/sync/content"
)

// Odoo and Dropbox name contents by different hashes. Where both sides have a
// file at one place and never agreed on it, someone must look: what was agreed
// once says it for nothing, what is in the store is read here, and only what is
// nowhere else is read from Odoo.

// notComparable stands for the content hash of a checksum that could not be
// found out: equal to none.
const notComparable odbxfs.ContentHash = "-"

// doubt is a file of Odoo whose content hash is asked for.
type doubt struct {
	odoo    odbxfs.OdooNode
	dropbox odbxfs.DropboxNode
}

// doubts are those of one plan, one for each checksum.
type doubts struct{ open map[odbxfs.SHA1]doubt }

func (d *doubts) add(o odbxfs.OdooNode, n odbxfs.DropboxNode) {
	d.open[o.SHA1] = doubt{o, n}
}

// resolve finds out the content hashes of doubts: from pairs at once, else in
// an effect. Afterwards planning goes on.
func (e *Engine) resolve(tx *cache.Tx, c *client, d doubts) error {
	var ask []doubt
	for _, sha1 := range slices.Sorted(maps.Keys(d.open)) {
		hash, err := agreedHash(tx, d.open[sha1])
		if err != nil {
			return err
		}
		if hash == "" {
			ask = append(ask, d.open[sha1])
			continue
		}
		e.same[sha1] = hash
	}
	e.planOn(len(ask) < len(d.open))
	lane := c.lane("compare")
	if len(ask) == 0 || !e.free(lane) {
		return nil
	}
	if !c.writing.ready(e.opt.Now()) {
		e.wakeAt(c.writing.notUntil)
		e.planDue = true
		return nil
	}
	e.emit(lane, fmt.Sprintf("odoo: compare %d contents", len(ask)), func(ctx context.Context) func() error {
		found, err := e.hashes(ctx, ask)
		return func() error {
			e.planDue = true
			maps.Copy(e.same, found)
			if err != nil {
				c.writing.failed(e.opt.Now(), err, e.opt.Random())
			}
			return nil
		}
	})
	return nil
}

// agreedHash finds the content hash in the pairs of either side, tombstones
// included.
func agreedHash(tx *cache.Tx, d doubt) (odbxfs.ContentHash, error) {
	ids := []odbxfs.NodeID{d.odoo.Node}
	for _, find := range []func() (odbxfs.NodeID, bool, error){
		func() (odbxfs.NodeID, bool, error) { return tx.PairByOdoo(d.odoo.Ref) },
		func() (odbxfs.NodeID, bool, error) { return tx.PairByDropbox(d.dropbox.ID) },
	} {
		id, known, err := find()
		if err != nil {
			return "", err
		}
		if known {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		p, ok, err := tx.Pair(id)
		if err != nil {
			return "", err
		}
		if ok && p.SHA1 == d.odoo.SHA1 && p.ContentHash != "" {
			return p.ContentHash, nil
		}
	}
	return "", nil
}

// hashes reads the contents of doubts. An error is a remote's as a whole; what
// was found before it counts.
func (e *Engine) hashes(ctx context.Context, ask []doubt) (map[odbxfs.SHA1]odbxfs.ContentHash, error) {
	found := map[odbxfs.SHA1]odbxfs.ContentHash{}
	for _, d := range ask {
		sha1, hash, err := e.hashOf(ctx, d.odoo)
		switch {
		case err != nil && (ctx.Err() != nil || fateOf(odbxfs.KindOf(err), 0) == fateRemote):
			return found, err
		case err != nil, sha1 != d.odoo.SHA1:
			// It can't be read, or was changed since: the next look says how.
			found[d.odoo.SHA1] = notComparable
		default:
			found[sha1] = hash
		}
	}
	return found, nil
}

func (e *Engine) hashOf(ctx context.Context, o odbxfs.OdooNode) (odbxfs.SHA1, odbxfs.ContentHash, error) {
	r, err := e.bytesOf(ctx, o)
	if err != nil {
		return "", "", err
	}
	sha1, hash, _, err := content.HashAll(r)
	return sha1, hash, errors.Join(err, r.Close())
}

// bytesOf opens a binary's bytes: the store's, else Odoo's.
func (e *Engine) bytesOf(ctx context.Context, o odbxfs.OdooNode) (io.ReadCloser, error) {
	if id, here := e.store.Contents().BySHA1(o.SHA1); here {
		if r, err := storeOpener(e.store.Contents(), id)(ctx); err == nil {
			return r, nil
		}
	}
	return e.opt.Odoo.Content(ctx, o.Ref, 0, -1)
}
