package sync

import (
	"odbxfs"
	"odbxfs/cache"
)

// onlyRelated leaves of w what belongs to what is held: what lies in a held
// folder, and folders out of which something held is to go.
func (w *waiting) onlyRelated(tx *cache.Tx, held map[odbxfs.NodeID]bool) error {
	above := map[odbxfs.NodeID]bool{}
	for id := range held {
		if _, err := climb(tx, id, func(up odbxfs.NodeID) bool { above[up] = true; return false }); err != nil {
			return err
		}
	}
	related := func(id odbxfs.NodeID) (bool, error) {
		if above[id] {
			return true, nil
		}
		return climb(tx, id, func(up odbxfs.NodeID) bool { return held[up] })
	}
	var tasks []odbxfs.Task
	for _, t := range w.tasks {
		yes, err := related(t.Node)
		if err != nil {
			return err
		}
		if yes {
			tasks = append(tasks, t)
		}
	}
	var intents []odbxfs.NodeID
	for _, id := range w.intents {
		yes, err := related(id)
		if err != nil {
			return err
		}
		if yes {
			intents = append(intents, id)
		}
	}
	w.tasks, w.intents = tasks, intents
	return nil
}

// climb gives the folders above a node to fn, as Odoo has them, or where Odoo
// has the node no more, Dropbox, until fn says true.
func climb(tx *cache.Tx, id odbxfs.NodeID, fn func(odbxfs.NodeID) bool) (bool, error) {
	for id != odbxfs.RootNode && id != 0 {
		o, inOdoo, err := tx.OdooNode(id)
		if err != nil {
			return false, err
		}
		up := o.Parent
		if !inOdoo {
			d, _, err := tx.DropboxNode(id)
			if err != nil {
				return false, err
			}
			up = d.Parent
		}
		if up != 0 && fn(up) {
			return true, nil
		}
		id = up
	}
	return false, nil
}
