package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"odbxfs"
)

// Sync returns when everything that was committed and sealed before is on disk.
//
// Contents go first, then the records that speak of them. Of Badger, whose own
// Sync reaches only the table that is being filled, every log of a table that
// is still in memory is synced: one that was rotated out before may not be in
// the tree's files yet. A log that vanishes meanwhile is in them, since Badger
// syncs the table file and the manifest before it removes the log.
func (s *Store) Sync(ctx context.Context) error {
	if s.closed.Load() {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.sync()
}

func (s *Store) sync() error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	if s.opt.InMemory {
		return nil
	}
	s.at(pointSyncing)
	if err := s.contents.sync(); err != nil {
		return fmt.Errorf("syncing contents: %w", err)
	}
	upTo := s.commits.Load()
	if upTo == s.synced.Load() {
		return nil
	}
	if err := syncLogs(filepath.Join(s.opt.Dir, dbDir), s.opt.fsync); err != nil {
		return fmt.Errorf("syncing the store: %w", err)
	}
	s.at(pointSynced)
	s.synced.Store(upTo)
	return nil
}

// logSuffix ends the names of Badger's logs of tables in memory.
const logSuffix = ".mem"

// syncLogs syncs every log of a table in memory, and their folder.
func syncLogs(dir string, sync func(path string) error) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if !strings.HasSuffix(e.Name(), logSuffix) {
			continue
		}
		err := sync(filepath.Join(dir, e.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return sync(dir)
}

// removeEmptyLogs clears the way for Badger, which refuses to open with a log of
// no bytes. It leaves one when it ends between making a log and sizing it, or
// between emptying and removing one whose table is safe: there is nothing in it.
func removeEmptyLogs(dir string) error {
	logs, err := filepath.Glob(filepath.Join(dir, "*"+logSuffix))
	if err != nil {
		return err
	}
	for _, path := range logs {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() > 0 {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// fsync syncs a file or folder, whatever was written through other
// descriptors and mappings included.
func fsync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// sync writes contents to disk, and then the records of those whose state is
// kept in memory until their bytes are safe.
func (c *Contents) sync() error {
	c.mu.Lock()
	batch := make([]*entry, 0, len(c.dirty))
	recs := make(map[odbxfs.ContentID]contentRec, len(c.dirty))
	for id, e := range c.dirty {
		batch = append(batch, e)
		recs[id] = contentRec{Size: e.size, SHA1: e.sha1, Whole: e.whole, Ranges: e.ranges}
	}
	clear(c.dirty)
	c.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	err := c.syncFiles(batch)
	c.s.at(pointFiles)
	if err == nil {
		err = c.s.update(func(tx *Tx) error { return tx.storeContents(recs) })
	}
	c.s.at(pointRecords)
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range batch {
		if c.all[e.id] == e {
			c.dirty[e.id] = e
		}
	}
	if errors.Is(err, ErrFull) {
		// Sealed contents have had their records since they were committed. What
		// is missing is what was fetched, and can be again: no reason not to sync
		// the rest.
		return nil
	}
	return err
}

func (c *Contents) syncFiles(batch []*entry) error {
	dirs := map[string]bool{c.dir: true}
	for _, e := range batch {
		path := c.path(e.id)
		if err := c.s.opt.fsync(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		dirs[filepath.Dir(path)] = true
	}
	for d := range dirs {
		if err := c.s.opt.fsync(d); err != nil {
			return err
		}
	}
	return nil
}

// storeContents stores the records of contents that are still there. Those of
// sealed contents that nobody committed get none.
func (tx *Tx) storeContents(recs map[odbxfs.ContentID]contentRec) error {
	for id, rec := range recs {
		e, ok := tx.s.contents.known(id)
		if !ok || e.doomed {
			continue
		}
		owners, err := tx.owners(id)
		if err != nil {
			return err
		}
		key := keyText(kContent, string(id))
		if same, err := tx.same(key, rec); err != nil || same || len(owners) == 0 {
			if err != nil {
				return err
			}
			continue
		}
		if err := tx.set(key, rec); err != nil {
			return err
		}
		tx.touched[id] = struct{}{}
	}
	return nil
}

// syncEvery is how long a power loss may reach back.
const syncEvery = time.Second

// background syncs what is dirty and keeps the limit of contents.
func (s *Store) background() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.opt.After(syncEvery):
		}
		if err := s.sync(); err != nil {
			s.log.Error("the store could not be synced; trying again", "error", err)
		}
		if err := s.contents.Evict(s.ctx); err != nil && s.ctx.Err() == nil {
			s.log.Error("contents could not be evicted; trying again", "error", err)
		}
	}
}
