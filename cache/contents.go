package cache

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"odbxfs"
)

// Contents are the bytes of files, in plain files of the store. Its methods
// may be called concurrently, but not inside a callback of View or Update.
type Contents struct {
	s   *Store
	dir string

	mu     sync.Mutex
	all    map[odbxfs.ContentID]*entry
	bySHA1 map[odbxfs.SHA1]odbxfs.ContentID
	dirty  map[odbxfs.ContentID]*entry // whose file or record is not on disk yet
	stale  []odbxfs.ContentID          // whose file is gone and whose record is not
	nextID uint64
	nextWk uint64
}

// entry is what is known of one content. Guarded by Contents.mu, but for the
// file's own bytes.
type entry struct {
	id     odbxfs.ContentID
	size   int64
	sha1   odbxfs.SHA1 // expected, or of the whole
	whole  bool
	ranges []Range
	stored bool // has a record
	owned  bool // somebody refers to it
	pins   int  // references that forbid its removal
	doomed bool // nothing refers to it; removed at the last close

	open int
	file *os.File // while open
	used time.Time
}

func (e *entry) bytes() int64 {
	if e.whole {
		return e.size
	}
	return sumRanges(e.ranges)
}

// Sealed names bytes that will not change any more.
type Sealed struct {
	ID   odbxfs.ContentID
	SHA1 odbxfs.SHA1
	Size int64
}

func ownerInode(id odbxfs.NodeID) string  { return string(u64([]byte{'n'}, uint64(id))) }
func ownerIntent(id odbxfs.NodeID) string { return string(u64([]byte{'i'}, uint64(id))) }

func (c *Contents) path(id odbxfs.ContentID) string {
	return filepath.Join(c.dir, string(id[len(id)-2:]), string(id))
}

func (c *Contents) newIDLocked() odbxfs.ContentID {
	c.nextID++
	return odbxfs.ContentID(fmt.Sprintf("%016x", c.nextID))
}

// New makes a content of size bytes, none of which is here yet; sha1 is what it
// will have, or empty. Give it to a node by [Tx.SetContent]: what nothing
// refers to is gone when the store is opened again.
func (c *Contents) New(size int64, sha1 odbxfs.SHA1) (odbxfs.ContentID, error) {
	c.mu.Lock()
	id := c.newIDLocked()
	c.mu.Unlock()
	path := c.path(id)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("making content %s: %w", id, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("making content %s: %w", id, err)
	}
	err = f.Truncate(size)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return "", fmt.Errorf("making content %s: %w", id, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &entry{id: id, size: size, sha1: sha1, used: c.s.opt.Now()}
	c.all[id], c.dirty[id] = e, e
	c.s.at(pointMade)
	return id, nil
}

// BySHA1 finds a whole content with these bytes.
func (c *Contents) BySHA1(sha1 odbxfs.SHA1) (odbxfs.ContentID, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, ok := c.bySHA1[sha1]
	return id, ok
}

// whole gives checksum and size of a content that is whole.
func (c *Contents) whole(id odbxfs.ContentID) (odbxfs.SHA1, int64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.all[id]
	if e == nil || !e.whole {
		return "", 0, false
	}
	return e.sha1, e.size, true
}

// Usage gives the bytes here, and those of them that could be had again.
func (c *Contents) Usage() (total, evictable int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.all {
		total += e.bytes()
		if e.pins == 0 {
			evictable += e.bytes()
		}
	}
	return total, evictable
}

// evictBatch bounds one transaction of Evict.
const evictBatch = 200

// Evict removes what was used longest ago until the limit is kept, and room on
// the disk: never what is open, nor what an intent or a pin refers to.
func (c *Contents) Evict(ctx context.Context) error {
	over, err := c.s.shortage(0, 1)
	if err != nil {
		return err
	}
	if limit := c.s.opt.ContentLimit; limit > 0 {
		_, evictable := c.Usage()
		over = max(over, evictable-limit)
	}
	return c.evict(ctx, over)
}

// evict removes at least so many bytes, or all there are. It works on a full
// disk, too.
func (c *Contents) evict(ctx context.Context, over int64) error {
	for over > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		victims, bytes := c.oldest(over)
		if len(victims) == 0 {
			return nil
		}
		if err := c.s.update(func(tx *Tx) error { return tx.evict(victims) }); err != nil {
			return err
		}
		over -= bytes
	}
	return nil
}

// oldest gives what to remove next, and how many bytes that frees.
func (c *Contents) oldest(over int64) (ids []odbxfs.ContentID, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []*entry
	for _, e := range c.all {
		if e.pins == 0 && e.open == 0 {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *entry) int { return a.used.Compare(b.used) })
	for _, e := range list {
		if bytes >= over || len(ids) == evictBatch {
			break
		}
		bytes += e.bytes()
		ids = append(ids, e.id)
	}
	return ids, bytes
}

// removeFile forgets a content whose record is gone.
func (c *Contents) removeFile(id odbxfs.ContentID) {
	c.mu.Lock()
	e := c.all[id]
	if e == nil {
		c.mu.Unlock()
		return
	}
	c.forgetLocked(e)
	c.mu.Unlock()
	c.s.at(pointDoomed)
	if err := os.Remove(c.path(id)); err != nil {
		c.s.log.Warn("a content that is no longer needed could not be removed; the next start does it", "content", id, "error", err)
	}
}

func (c *Contents) forgetLocked(e *entry) {
	delete(c.all, e.id)
	delete(c.dirty, e.id)
	if c.bySHA1[e.sha1] == e.id {
		delete(c.bySHA1, e.sha1)
	}
}

// Reader opens a content for reading and filling; [ErrNoContent] when it is not
// (any more) here. An open content is not removed. Close it.
func (c *Contents) Reader(id odbxfs.ContentID) (*Content, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.all[id]
	if e == nil {
		return nil, fmt.Errorf("content %q: %w", id, ErrNoContent)
	}
	if e.open == 0 {
		f, err := os.OpenFile(c.path(id), os.O_RDWR, 0)
		if err != nil {
			return nil, fmt.Errorf("opening content %s: %w", id, err)
		}
		e.file = f
	}
	e.open++
	e.used = c.s.opt.Now()
	return &Content{c: c, e: e}, nil
}

// release is the end of one Reader.
func (c *Contents) release(e *entry) error {
	c.mu.Lock()
	e.open--
	if e.open > 0 {
		c.mu.Unlock()
		return nil
	}
	f, used := e.file, e.used
	e.file = nil
	doomed := e.doomed
	if doomed {
		c.forgetLocked(e)
		if e.stored {
			c.stale = append(c.stale, e.id)
		}
	}
	c.mu.Unlock()
	err := f.Close()
	if doomed {
		if rerr := os.Remove(c.path(e.id)); err == nil {
			err = rerr
		}
		return err
	}
	// Only the order of eviction after a restart hangs on it.
	_ = os.Chtimes(c.path(e.id), used, used)
	return err
}
