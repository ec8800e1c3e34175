package sync

import (
	"maps"
	"path"
	"slices"
	"strings"

	"odbxfs"
	"odbxfs/cache"
)

// early has entries that came before the folder in which they lie, by its folded
// path. Dropbox gives a new folder and what it holds in any order, on any page.
type early map[string][]odbxfs.DropboxChange

// copied gives early entries that can be added to while these stay.
func (w early) copied() early {
	out := early{}
	for dir, list := range w {
		out[dir] = slices.Clone(list)
	}
	return out
}

// add keeps an entry for later.
func (w early) add(ch odbxfs.DropboxChange) {
	dir := odbxfs.FoldPath(path.Dir(ch.Path))
	w[dir] = append(w[dir], ch)
}

// take gives what waits for a folder, which is there now.
func (w early) take(dir string) []odbxfs.DropboxChange {
	dir = odbxfs.FoldPath(dir)
	list := w[dir]
	delete(w, dir)
	return list
}

// forget drops what was removed with a path.
func (w early) forget(gone string) {
	gone = odbxfs.FoldPath(gone)
	maps.DeleteFunc(w, func(dir string, _ []odbxfs.DropboxChange) bool {
		return dir == gone || strings.HasPrefix(dir, gone+"/")
	})
	dir := path.Dir(gone)
	w[dir] = slices.DeleteFunc(w[dir], func(ch odbxfs.DropboxChange) bool { return odbxfs.FoldPath(ch.Path) == gone })
	if len(w[dir]) == 0 {
		delete(w, dir)
	}
}

// putChanges takes entries over in their order; what came too early follows its
// folder. It adds to waiting what still has none.
func (e *Engine) putChanges(tx *cache.Tx, c *client, changes []odbxfs.DropboxChange, waiting early) error {
	for _, ch := range changes {
		if ch.Deleted {
			waiting.forget(ch.Path)
		}
		tooEarly, err := e.putChange(tx, c, ch)
		if err != nil {
			return err
		}
		if tooEarly {
			waiting.add(ch)
			continue
		}
		if ch.Deleted || ch.Node.Kind != odbxfs.Folder {
			continue
		}
		if err := e.putChanges(tx, c, waiting.take(ch.Path), waiting); err != nil {
			return err
		}
	}
	return nil
}
