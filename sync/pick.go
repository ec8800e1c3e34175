package sync

import (
	"errors"
	"slices"
	"strings"

	"odbxfs"
)

// Pick finds the nodes of what a person named by paths, among the things that
// status lists: a path means the thing itself and what is below it. They are not
// looked up in the tree: what is held there shows no more. A path that means
// nothing is an error of [odbxfs.KindMissing]; without paths it gives none.
func Pick(items []Item, paths []string) ([]odbxfs.NodeID, error) {
	var ids []odbxfs.NodeID
	for _, p := range paths {
		p = strings.Trim(p, "/")
		found := false
		for _, it := range items {
			at := strings.Trim(it.Path, "/")
			if at != p && !strings.HasPrefix(at, p+"/") {
				continue
			}
			found = true
			if !slices.Contains(ids, it.Node) {
				ids = append(ids, it.Node)
			}
		}
		if !found {
			return nil, &odbxfs.Error{Op: "find", Item: p, Kind: odbxfs.KindMissing, Err: errors.New("`odbxfs status` lists nothing of that kind there")}
		}
	}
	return ids, nil
}
