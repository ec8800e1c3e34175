package plan

import (
	"maps"
	"slices"

	"odbxfs"
)

// All gives every node below the root that any of the trees has, sorted: what a
// full pass (reverse, or a comparison from nothing) is run on.
func All(odoo odbxfs.Reader[odbxfs.OdooNode], dropbox odbxfs.Reader[odbxfs.DropboxNode], synced odbxfs.Reader[odbxfs.Pair]) []odbxfs.NodeID {
	seen := map[odbxfs.NodeID]bool{odbxfs.RootNode: true}
	queue := []odbxfs.NodeID{odbxfs.RootNode}
	for len(queue) > 0 {
		folder := queue[0]
		queue = queue[1:]
		for _, list := range [][]odbxfs.NodeID{odoo.Children(folder), dropbox.Children(folder), synced.Children(folder)} {
			for _, id := range list {
				if !seen[id] {
					seen[id] = true
					queue = append(queue, id)
				}
			}
		}
	}
	delete(seen, odbxfs.RootNode)
	return slices.Sorted(maps.Keys(seen))
}
