package daemon

import (
	"context"
	"maps"
	"slices"
	gosync "sync"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/fs"
	"odbxfs/sync"
)

// refusalsKept is how many files that could not be opened are remembered.
const refusalsKept = 100

// opens turns content's opener into the mount's, and remembers which files
// could not be opened and why: a program is told no more than EACCES.
type opens struct {
	// from opens a file; fixed.
	from func(ctx context.Context, node odbxfs.NodeID) (fs.Content, error)

	mu      gosync.Mutex
	refused map[odbxfs.NodeID]string // guarded by mu: why the last open failed
}

// OpenRead implements the mount's opener.
func (o *opens) OpenRead(ctx context.Context, node odbxfs.NodeID) (fs.Content, error) {
	c, err := o.from(ctx, node)
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case !odbxfs.IsKind(err, odbxfs.KindAccess):
		delete(o.refused, node)
	case len(o.refused) < refusalsKept || o.refused[node] != "":
		if o.refused == nil {
			o.refused = map[odbxfs.NodeID]string{}
		}
		o.refused[node] = err.Error()
	}
	return c, err
}

// list gives the files that could not be opened, in the order of their ids.
// Those that are gone meanwhile are left out, and forgotten.
func (o *opens) list(store *cache.Store) ([]sync.Item, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var items []sync.Item
	err := store.View(func(tx *cache.Tx) error {
		items = nil
		for _, id := range slices.Sorted(maps.Keys(o.refused)) {
			if _, there, err := tx.Inode(id); err != nil {
				return err
			} else if !there {
				delete(o.refused, id)
				continue
			}
			path, err := tx.PathOf(id)
			if err != nil {
				return err
			}
			items = append(items, sync.Item{Node: id, Path: path, What: "open", Reason: o.refused[id]})
		}
		return nil
	})
	return items, err
}

// status is the engine's, with what only the mount knows.
func (d *Daemon) status() (sync.Status, error) {
	s, err := d.engine.get().Status()
	if err != nil {
		return s, err
	}
	s.Refused, err = d.opens.list(d.store)
	return s, err
}
