package sync

import (
	"errors"
	"fmt"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/sync/plan"
)

// The address of a link is what the client's policy gives for its file. Another
// policy, chosen while there are links, gives every link another address or
// another audience; under "none", so does another place of the file.

// metaLinks has the policy by which a client's links were made or are being made
// anew.
func metaLinks(c odbxfs.ClientID) string { return fmt.Sprintf("engine/links/%d", c) }

// metaAnew is set of a link whose address was made under another policy of shared
// links: nothing in the address tells them apart.
func metaAnew(n odbxfs.NodeID) string { return fmt.Sprintf("engine/anew/%d", n) }

// addresses tells the planner about links, for one plan.
type addresses struct {
	tx     *cache.Tx
	opt    *Options
	policy odbxfs.LinkPolicy
	begin  string // where the account's paths begin
	err    error  // of the store
}

// fit reports whether a link has the address that the client's policy gives it.
func (a *addresses) fit(p odbxfs.Pair, d odbxfs.DropboxNode) bool {
	if a.policy == odbxfs.LinkNone {
		return p.URL == a.opt.page(a.begin, d)
	}
	anew, err := a.tx.Meta(metaAnew(p.Node))
	a.err = errors.Join(a.err, err)
	return anew == nil && !a.opt.home(p.URL)
}

// page is a file's address under "none"; begin is where the account's paths begin.
func (o *Options) page(begin string, d odbxfs.DropboxNode) string {
	return odbxfs.HomeURL(o.WebBase, begin+d.Path)
}

// home reports whether an address is a page that asks for a login, no shared link.
func (o *Options) home(url string) bool {
	return odbxfs.IsHomeURL(o.WebBase, url)
}

// followPolicy has the client's links looked at when their policy is another than
// that which they were made by.
func (e *Engine) followPolicy(tx *cache.Tx, c *client) error {
	var was odbxfs.LinkPolicy
	if err := getMeta(tx, metaLinks(c.id), &was); err != nil {
		return err
	}
	if was == c.cfg.Links || c.cfg.Links == "" {
		return nil
	}
	if was != "" {
		shared := was != odbxfs.LinkNone && c.cfg.Links != odbxfs.LinkNone
		if err := markLinks(tx, c, shared, plan.All(tx.Odoo(), tx.Dropbox(), tx.Synced())); err != nil {
			return err
		}
		// What was parked for a link that could not be made may be made now.
		if _, err := unpark(tx, func(t odbxfs.Task) bool {
			return t.Client == c.id && (t.Kind == odbxfs.TaskOdooConvert || t.Kind == odbxfs.TaskOdooCreate)
		}); err != nil {
			return err
		}
		e.log.Info("the link policy is another: all links are made anew", "client", c.cfg.Name, "was", was, "is", c.cfg.Links)
	}
	return setMeta(tx, metaLinks(c.id), c.cfg.Links)
}

// markLinks marks the client's links among ids to be planned for; with anew, also
// to be made anew whatever their address is.
func markLinks(tx *cache.Tx, c *client, anew bool, ids []odbxfs.NodeID) error {
	for _, id := range ids {
		p, paired, err := tx.Pair(id)
		if err != nil {
			return err
		}
		if !paired || p.Client != c.id || p.URL == "" {
			continue
		}
		if anew {
			if err := setMeta(tx, metaAnew(id), true); err != nil {
				return err
			}
		}
		if err := tx.MarkDirty(id); err != nil {
			return err
		}
	}
	return tx.Err()
}

// storeDropbox puts a node into the Dropbox tree. The addresses of what lies below
// a folder follow its path where they name it.
func (e *Engine) storeDropbox(tx *cache.Tx, c *client, n odbxfs.DropboxNode) (odbxfs.DropboxNode, error) {
	if c.cfg.Links != odbxfs.LinkNone || n.Kind != odbxfs.Folder {
		return tx.PutDropbox(n)
	}
	id, _, err := tx.DropboxByID(c.id, n.ID)
	if err != nil {
		return n, err
	}
	was, known, err := tx.DropboxNode(id)
	if err != nil {
		return n, err
	}
	put, err := tx.PutDropbox(n)
	if !known || err != nil || put.Path == was.Path || put.Node == odbxfs.RootNode {
		return put, err
	}
	return put, markLinks(tx, c, false, below(tx.Dropbox(), put.Node))
}

// below gives all nodes below a folder.
func below(dropbox odbxfs.Reader[odbxfs.DropboxNode], folder odbxfs.NodeID) []odbxfs.NodeID {
	ids := dropbox.Children(folder)
	for i := 0; i < len(ids); i++ {
		ids = append(ids, dropbox.Children(ids[i])...)
	}
	return ids
}

// converted ends the shared link that no document has: of what Odoo kept after
// all, or the one that a link had before it became a page. A file has one shared
// link, whose address may differ in what Dropbox adds to it each time; so one is
// not ended for another.
func (e *Engine) converted(tx *cache.Tx, c *client, v *verdict) error {
	if v.pNow == nil || v.pNow.URL != "" && !e.opt.home(v.pNow.URL) {
		return nil
	}
	left := *v.pNow
	left.URL = v.url
	if v.Odoo != nil && v.Odoo.Type == odbxfs.Link {
		left.URL = v.Odoo.URL
	}
	return e.unlinkLater(tx, c, v, &left)
}
