package cache

import (
	"fmt"
	"slices"

	"odbxfs"
)

// References to contents. Owners beginning with "n" are inodes, which can do
// without; "i" are intents and "k" are pins, which keep their content.

// moveRef takes an owner's reference from one content to another; either may
// be none.
func (tx *Tx) moveRef(from, to odbxfs.ContentID, owner string) error {
	if from == to {
		return nil
	}
	if from != "" {
		tx.touched[from] = struct{}{}
		if err := tx.del(keyContentRef(from, owner)); err != nil {
			return err
		}
	}
	if to == "" {
		return nil
	}
	tx.touched[to] = struct{}{}
	if owner[0] == 'i' {
		if err := tx.keepWhole(to); err != nil {
			return err
		}
	}
	return tx.setRaw(keyContentRef(to, owner), nil)
}

// keepWhole stores that a content is whole before an intent refers to it: what
// was fetched and renamed over a file may be known to be whole in memory only,
// and what has no record goes at the next start. Whether its bytes outlived a
// power loss is looked at then, since an intent has it.
func (tx *Tx) keepWhole(id odbxfs.ContentID) error {
	sha1, size, whole := tx.s.contents.whole(id)
	if !whole {
		return nil
	}
	rec := contentRec{Size: size, SHA1: sha1, Whole: true}
	key := keyText(kContent, string(id))
	if same, err := tx.same(key, rec); err != nil || same {
		return err
	}
	return tx.set(key, rec)
}

// PinContent keeps a content until the same owner unpins it: bytes that have to
// stay until they were seen elsewhere.
func (tx *Tx) PinContent(id odbxfs.ContentID, owner string) error {
	if _, ok := tx.s.contents.known(id); !ok {
		return fmt.Errorf("content %q: %w", id, ErrNoContent)
	}
	return tx.moveRef("", id, "k"+owner)
}

// UnpinContent takes back PinContent.
func (tx *Tx) UnpinContent(id odbxfs.ContentID, owner string) error {
	return tx.moveRef(id, "", "k"+owner)
}

// knowContent stores the record of a sealed content.
func (tx *Tx) knowContent(s Sealed) error {
	if _, ok := tx.s.contents.known(s.ID); !ok {
		return fmt.Errorf("content %q: %w", s.ID, ErrNoContent)
	}
	tx.touched[s.ID] = struct{}{}
	return tx.set(keyText(kContent, string(s.ID)), contentRec{Size: s.Size, SHA1: s.SHA1, Whole: true})
}

// owners gives who refers to a content.
func (tx *Tx) owners(id odbxfs.ContentID) ([]string, error) {
	prefix := keyContentRef(id, "")
	items, err := tx.list(prefix, nil, 0, false)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(items))
	for i, e := range items {
		out[i] = string(e.key[len(prefix):])
	}
	return out, nil
}

// refChange is what a commit means for one content.
type refChange struct {
	id           odbxfs.ContentID
	owners, pins int
	remove       bool // its record is deleted in this transaction
	stored       bool // it has a record
}

// settleContents decides, before the commit, what becomes of the contents whose
// references changed: what nothing refers to goes, unless it is open.
func (tx *Tx) settleContents() ([]refChange, error) {
	c := tx.s.contents
	for _, id := range c.takeStale() {
		if err := tx.del(keyText(kContent, string(id))); err != nil {
			return nil, err
		}
	}
	ids := make([]odbxfs.ContentID, 0, len(tx.touched))
	for id := range tx.touched {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var out []refChange
	for _, id := range ids {
		owners, err := tx.owners(id)
		if err != nil {
			return nil, err
		}
		ch := refChange{id: id, owners: len(owners)}
		for _, o := range owners {
			if o[0] != 'n' {
				ch.pins++
			}
		}
		if e, ok := c.known(id); ok && len(owners) == 0 && e.open == 0 {
			ch.remove = true
			if err := tx.del(keyText(kContent, string(id))); err != nil {
				return nil, err
			}
		}
		if ch.stored, err = tx.has(keyText(kContent, string(id))); err != nil {
			return nil, err
		}
		out = append(out, ch)
	}
	return out, nil
}

// committed brings the contents in line with a commit.
func (c *Contents) committed(changes []refChange) {
	for _, ch := range changes {
		c.mu.Lock()
		e := c.all[ch.id]
		if e == nil {
			c.mu.Unlock()
			continue
		}
		e.pins, e.owned = ch.pins, ch.owners > 0
		e.stored = e.stored && !ch.remove || ch.stored
		e.doomed = ch.owners == 0
		remove := e.doomed && e.open == 0
		switch {
		case e.doomed && c.bySHA1[e.sha1] == e.id:
			delete(c.bySHA1, e.sha1)
		case !e.doomed && e.whole:
			c.bySHA1[e.sha1] = e.id
		}
		if remove && !ch.remove && e.stored {
			c.stale = append(c.stale, e.id) // closed since it was looked at
		}
		c.mu.Unlock()
		if remove {
			c.removeFile(ch.id)
		}
	}
}

func (c *Contents) takeStale() []odbxfs.ContentID {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := c.stale
	c.stale = nil
	return ids
}

// known gives a copy of what is known of a content.
func (c *Contents) known(id odbxfs.ContentID) (entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.all[id]
	if e == nil {
		return entry{}, false
	}
	return *e, true
}

// evict takes contents away from the inodes that show them. What has been
// opened or pinned meanwhile stays.
func (tx *Tx) evict(ids []odbxfs.ContentID) error {
	for _, id := range ids {
		if e, ok := tx.s.contents.known(id); !ok || e.open > 0 || e.pins > 0 {
			continue
		}
		owners, err := tx.owners(id)
		if err != nil {
			return err
		}
		tx.touched[id] = struct{}{}
		for _, o := range owners {
			r, ok, err := tx.inode(lastID([]byte(o)))
			if err != nil {
				return err
			}
			if !ok || r.I.Content != id {
				if err := tx.del(keyContentRef(id, o)); err != nil {
					return err
				}
				continue
			}
			r.I.Content = ""
			if err := tx.putInode(r); err != nil {
				return err
			}
		}
	}
	return nil
}
