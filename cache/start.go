package cache

import (
	"context"
	"crypto/sha1"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"odbxfs"
)

// Problem is an intent that can't be carried out because its bytes are not
// what they were when it was made. It is parked, never sent.
type Problem struct {
	Node   odbxfs.NodeID
	Path   string // in the mount
	Reason string
}

// Problems lists the intents that were found damaged when the store was opened.
func (s *Store) Problems() []Problem { return s.problems }

// cleanMark says that the store was closed well; storeID is its name.
const (
	cleanMark = "clean"
	storeID   = "id"
	formatKey = "format"
)

// format is the version of what is stored, raised whenever an older program
// would misread it. A store without the mark is of version 1, whose queue had
// no lanes.
const format = 2

// start brings a store that was just opened into a state that holds together:
// its root, its contents, and intents whose bytes are really there.
func (s *Store) start(ctx context.Context) error {
	if err := s.checkFormat(); err != nil {
		return err
	}
	if err := s.replay(); err != nil {
		return fmt.Errorf("completing a commit: %w", err)
	}
	if err := s.contents.load(); err != nil {
		return fmt.Errorf("reading contents: %w", err)
	}
	s.at(pointSwept)
	clean := false
	err := s.update(func(tx *Tx) error {
		var err error
		if clean, err = tx.has(keyText(kCounter, cleanMark)); err != nil {
			return err
		}
		if err := tx.del(keyText(kCounter, cleanMark)); err != nil {
			return err
		}
		if err := tx.identifyStore(); err != nil {
			return err
		}
		return tx.begin()
	})
	if err != nil {
		return err
	}
	s.at(pointStarted)
	if err := s.upgrade(); err != nil {
		return fmt.Errorf("upgrading the store: %w", err)
	}
	if err := s.update(func(tx *Tx) error { return tx.tidyContents() }); err != nil {
		return err
	}
	s.at(pointTidied)
	err = s.update(func(tx *Tx) error { return tx.checkIntents(ctx, clean) })
	s.at(pointChecked)
	return err
}

// checkFormat refuses a store of a newer program before a byte of it is changed.
func (s *Store) checkFormat() error {
	tx := s.newTx(false)
	defer tx.snap.Discard()
	b, ok, err := tx.raw(keyText(kCounter, formatKey))
	if err != nil || !ok {
		return err
	}
	n, err := number(b)
	if err == nil && n > format {
		err = fmt.Errorf("%s has format %d, this program knows %d: %w", s.opt.Dir, n, format, ErrFormat)
	}
	return err
}

func (tx *Tx) identifyStore() error {
	b, ok, err := tx.raw(keyText(kCounter, storeID))
	if err != nil {
		return err
	}
	tx.s.id = string(b)
	if ok {
		return nil
	}
	if err := tx.setRaw(keyText(kCounter, formatKey), u64(nil, format)); err != nil {
		return err
	}
	if tx.s.id = tx.s.opt.ID; tx.s.id == "" {
		if tx.s.id, err = newID(); err != nil {
			return err
		}
	}
	return tx.setRaw(keyText(kCounter, storeID), []byte(tx.s.id))
}

// upgrade makes a store of format 1 one of today's: its tasks get their entries
// in the indexes. Broken off, it begins anew.
func (s *Store) upgrade() error {
	for after := []byte(nil); ; {
		done := false
		err := s.update(func(tx *Tx) error {
			b, ok, err := tx.raw(keyText(kCounter, formatKey))
			if err != nil {
				return err
			}
			if ok {
				n, err := number(b)
				if done = n == format; err != nil || done {
					return err
				}
			}
			page, err := tx.list([]byte(kTask), after, taskPage, true)
			for _, e := range page {
				t, err := decode[odbxfs.Task](e.val)
				if err != nil {
					return err
				}
				if err := tx.indexTask(t); err != nil {
					return err
				}
				after = e.key
			}
			if err == nil && len(page) < taskPage {
				done, err = true, tx.setRaw(keyText(kCounter, formatKey), u64(nil, format))
			}
			return err
		})
		if err != nil || done {
			return err
		}
	}
}

// begin makes the root, and forgets what only the last run's kernel knew.
func (tx *Tx) begin() error {
	for _, space := range []string{kAlias, kEnded} {
		items, err := tx.list([]byte(space), nil, 0, false)
		if err != nil {
			return err
		}
		for _, e := range items {
			if err := tx.del(e.key); err != nil {
				return err
			}
		}
	}
	if ok, err := tx.has(keyNode(kOdoo, odbxfs.RootNode)); err != nil || ok {
		return err
	}
	_, err := tx.PutOdoo(odbxfs.OdooNode{
		Ref: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRoot, Writable: true,
	})
	return err
}

// load reads the records of all contents, and sweeps files that have none:
// working copies, and what was never committed.
func (c *Contents) load() error {
	tx := c.s.newTx(false)
	defer tx.snap.Discard()
	items, err := tx.list([]byte(kContent), nil, 0, true)
	if err != nil {
		return err
	}
	for _, it := range items {
		id := odbxfs.ContentID(it.key[2:])
		if !validContentID(id) {
			return fmt.Errorf("%w: a content called %q", ErrCorrupt, id)
		}
		rec, err := decode[contentRec](it.val)
		if err != nil {
			return err
		}
		if n, err := strconv.ParseUint(string(id), 16, 64); err == nil {
			c.nextID = max(c.nextID, n)
		}
		info, err := os.Stat(c.path(id))
		if err != nil || info.Size() != rec.Size {
			c.stale = append(c.stale, id)
			continue
		}
		e := &entry{id: id, size: rec.Size, sha1: rec.SHA1, whole: rec.Whole, ranges: rec.Ranges, stored: true, used: info.ModTime()}
		c.all[id] = e
		if e.whole {
			c.bySHA1[e.sha1] = id
		}
	}
	c.s.at(pointLoaded)
	return c.sweep()
}

func (c *Contents) sweep() error {
	return filepath.WalkDir(c.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		id := odbxfs.ContentID(d.Name())
		if e := c.all[id]; e != nil && c.path(id) == path {
			return nil
		}
		if n, err := strconv.ParseUint(d.Name(), 16, 64); err == nil && filepath.Base(filepath.Dir(path)) != workDir {
			c.nextID = max(c.nextID, n)
		}
		return os.Remove(path)
	})
}

// tidyContents drops references to contents that are not here, and contents
// that nothing refers to.
func (tx *Tx) tidyContents() error {
	c := tx.s.contents
	for id := range c.all {
		tx.touched[id] = struct{}{}
	}
	refs, err := tx.list([]byte(kContentRef), nil, 0, false)
	if err != nil {
		return err
	}
	for _, it := range refs {
		id, owner, _ := strings.Cut(string(it.key[len(kContentRef):]), "\x00")
		if _, ok := c.all[odbxfs.ContentID(id)]; ok || owner == "" || owner[0] != 'n' {
			continue // what is wrong with an intent's is reported
		}
		r, ok, err := tx.inode(lastID([]byte(owner)))
		if err != nil {
			return err
		}
		if !ok || r.I.Content != odbxfs.ContentID(id) {
			if err := tx.del(it.key); err != nil {
				return err
			}
			continue
		}
		r.I.Content = ""
		if err := tx.putInode(r); err != nil {
			return err
		}
	}
	return nil
}

// checkIntents parks intents whose content is missing, short or another, and
// takes back files that were being written and never closed. After an unclean
// end every byte is looked at.
func (tx *Tx) checkIntents(ctx context.Context, clean bool) error {
	intents, err := tx.Intents()
	if err != nil {
		return err
	}
	for _, i := range intents {
		if err := tx.listIntent(i); err != nil { // a store of before these lists
			return err
		}
		r, ok, err := tx.inode(i.Node)
		if err != nil {
			return err
		}
		if ok && !i.Gone && r.I.Kind == odbxfs.File && r.I.SHA1 == "" && i.Content == "" {
			if err := tx.takeBack(i, r); err != nil {
				return err
			}
			continue
		}
		reason := ""
		if i.Content != "" {
			if reason, err = tx.s.contents.damage(ctx, i, clean); err != nil {
				return err
			}
		}
		if reason != "" {
			if err := tx.parkDamaged(i, reason); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeBack undoes what was never closed: a new file goes, one that Odoo has is
// as Odoo has it.
func (tx *Tx) takeBack(i odbxfs.Intent, r inodeRec) error {
	n, inOdoo, err := tx.OdooNode(i.Node)
	if err != nil {
		return err
	}
	if inOdoo && n.SHA1 == "" {
		return nil // a link of unknown checksum that was moved
	}
	if i.Attempts > 0 && !inOdoo {
		return nil // a create that Odoo may have
	}
	if err := tx.clearIntent(i); err != nil {
		return err
	}
	if inOdoo {
		return tx.project(i.Node)
	}
	tx.s.log.Warn("a file that was being written when the program ended is gone", "name", r.I.Name)
	return tx.dropInode(r)
}

// damage says what is wrong with an intent's content, "" if nothing.
func (c *Contents) damage(ctx context.Context, i odbxfs.Intent, clean bool) (string, error) {
	e, ok := c.known(i.Content)
	switch {
	case !ok:
		return "its bytes are no longer in the store", nil
	case e.size != i.ContentSize:
		return fmt.Sprintf("%d of its %d bytes are in the store", e.size, i.ContentSize), nil
	case clean:
		return "", nil
	}
	f, err := os.Open(c.path(i.Content))
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was only read from
	h := sha1.New()
	if err := hashFile(ctx, h, f, 0, e.size); err != nil {
		return "", err
	}
	if sumOf(h) != i.ContentSHA1 {
		return "its bytes in the store are not those that were written", nil
	}
	return "", nil
}

func (tx *Tx) parkDamaged(i odbxfs.Intent, reason string) error {
	path, err := tx.PathOf(i.Node)
	if err != nil {
		path = fmt.Sprintf("node %d", i.Node) // removed meanwhile: it has no path
	}
	tx.s.problems = append(tx.s.problems, Problem{Node: i.Node, Path: path, Reason: reason})
	tx.s.log.Error("what was written here can't be sent", "path", path, "reason", reason)
	i.Reason = reason
	return tx.PutIntent(i)
}
