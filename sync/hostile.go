package sync

import (
	"odbxfs"
	"odbxfs/cache"
)

// What a remote says that makes no sense: one bad row or entry is passed over,
// with a line in the daemon's log, and all others go on.

// orphans counts the looks that brought a row whose folder is not there.
type orphans map[odbxfs.OdooRef]orphan

type orphan struct {
	looks int
	last  uint64 // the step at which the last of them began
}

// orphanLooks is how many looks wait for a row's folder: one that was made after
// the rows were read is in the next.
const orphanLooks = 3

// again counts a look, and gives how many there were.
func (o *orphans) again(r odbxfs.OdooRef, look uint64) int {
	if *o == nil {
		*o = orphans{}
	}
	n := (*o)[r]
	if n.last != look {
		n.looks, n.last = n.looks+1, look
	}
	(*o)[r] = n
	return n.looks
}

// maxDepth ends walks up a tree. No path is that deep.
const maxDepth = 1 << 12

// faultOf says what is wrong with a row of Odoo; "" when it can be in the tree.
func faultOf(tx *cache.Tx, n odbxfs.OdooNode) string {
	switch {
	case n.Kind != odbxfs.File && n.Kind != odbxfs.Folder:
		return "it is neither a file nor a folder"
	case n.Ref.IsZero():
		return "it has no reference"
	case (n.Kind == odbxfs.File) != (n.Ref.Kind == odbxfs.RefAttachment):
		return "it is a file that is no attachment, or the reverse"
	case n.Kind == odbxfs.File && (n.Type < odbxfs.Binary || n.Type > odbxfs.Foreign):
		return "it is a document of no type"
	case n.Size < 0:
		return "its size is below zero"
	case n.Kind == odbxfs.File:
		return ""
	}
	up, tree := n.ParentRef, tx.Odoo()
	for range maxDepth {
		if up == n.Ref {
			return "it lies in itself"
		}
		id, known, err := tx.OdooByRef(up)
		if err != nil || !known || id == odbxfs.RootNode {
			return "" // a store that fails says so when the row is put
		}
		at, _ := tree.Node(id)
		up = at.ParentRef
	}
	return "its folders lie in each other"
}

// nonsense says what is wrong with an entry of Dropbox; "" when it can be in the
// tree.
func nonsense(n odbxfs.DropboxNode) string {
	switch {
	case n.Kind != odbxfs.File && n.Kind != odbxfs.Folder:
		return "it is neither a file nor a folder"
	case n.ID == "":
		return "it has no id"
	case n.Size < 0:
		return "its size is below zero"
	}
	return ""
}
