package cache

import (
	"time"

	"odbxfs"
)

// Tx is a transaction, valid inside the callback it was handed to and used by
// one goroutine.
type Tx struct{}

// Err gives the first error that a Reader of this transaction met.
func (tx *Tx) Err() error { return errNotYet }

// NewNode gives a node id that was never used before.
func (tx *Tx) NewNode() (odbxfs.NodeID, error) { return 0, errNotYet }

// Odoo gives the Odoo tree.
func (tx *Tx) Odoo() odbxfs.Reader[odbxfs.OdooNode] { return nil }

// Dropbox gives the Dropbox tree.
func (tx *Tx) Dropbox() odbxfs.Reader[odbxfs.DropboxNode] { return nil }

// Synced gives the synced tree.
func (tx *Tx) Synced() odbxfs.Reader[odbxfs.Pair] { return nil }

func (tx *Tx) OdooNode(id odbxfs.NodeID) (odbxfs.OdooNode, bool, error) {
	return odbxfs.OdooNode{}, false, errNotYet
}
func (tx *Tx) OdooByRef(ref odbxfs.OdooRef) (odbxfs.NodeID, bool, error) { return 0, false, errNotYet }
func (tx *Tx) PutOdoo(n odbxfs.OdooNode) (odbxfs.OdooNode, error)        { return n, errNotYet }
func (tx *Tx) DropOdoo(id odbxfs.NodeID) error                           { return errNotYet }
func (tx *Tx) OdooCounts() ([]odbxfs.OdooCount, error)                   { return nil, errNotYet }

// OdooRefs gives all refs of one scope, ascending by id.
func (tx *Tx) OdooRefs(scope odbxfs.OdooScope) ([]odbxfs.OdooRef, error) { return nil, errNotYet }

func (tx *Tx) DropboxNode(id odbxfs.NodeID) (odbxfs.DropboxNode, bool, error) {
	return odbxfs.DropboxNode{}, false, errNotYet
}
func (tx *Tx) DropboxByID(client odbxfs.ClientID, id odbxfs.DropboxID) (odbxfs.NodeID, bool, error) {
	return 0, false, errNotYet
}
func (tx *Tx) DropboxByPath(client odbxfs.ClientID, path string) (odbxfs.NodeID, bool, error) {
	return 0, false, errNotYet
}
func (tx *Tx) PutDropbox(n odbxfs.DropboxNode) (odbxfs.DropboxNode, error) { return n, errNotYet }
func (tx *Tx) DropDropbox(id odbxfs.NodeID) error                          { return errNotYet }
func (tx *Tx) SetDropboxRoot(client odbxfs.ClientID, path string) error    { return errNotYet }
func (tx *Tx) DropboxRoot(client odbxfs.ClientID) (path string, ok bool, e error) {
	return "", false, errNotYet
}

func (tx *Tx) Pair(id odbxfs.NodeID) (odbxfs.Pair, bool, error) {
	return odbxfs.Pair{}, false, errNotYet
}
func (tx *Tx) PairByOdoo(ref odbxfs.OdooRef) (odbxfs.NodeID, bool, error) {
	return 0, false, errNotYet
}
func (tx *Tx) PairByDropbox(id odbxfs.DropboxID) (odbxfs.NodeID, bool, error) {
	return 0, false, errNotYet
}
func (tx *Tx) PutPair(p odbxfs.Pair) (odbxfs.Pair, error) { return p, errNotYet }
func (tx *Tx) DropPair(id odbxfs.NodeID) error            { return errNotYet }
func (tx *Tx) Merge(from, into odbxfs.NodeID) error       { return errNotYet }

func (tx *Tx) Dirty(limit int) ([]odbxfs.NodeID, error) { return nil, errNotYet }
func (tx *Tx) MarkDirty(id odbxfs.NodeID) error         { return errNotYet }
func (tx *Tx) ClearDirty(ids []odbxfs.NodeID) error     { return errNotYet }

func (tx *Tx) Inode(id odbxfs.NodeID) (odbxfs.Inode, bool, error) {
	return odbxfs.Inode{}, false, errNotYet
}
func (tx *Tx) Lookup(parent odbxfs.NodeID, name string) (odbxfs.Inode, bool, error) {
	return odbxfs.Inode{}, false, errNotYet
}
func (tx *Tx) ReadDir(parent odbxfs.NodeID, afterName string, limit int) ([]odbxfs.Inode, error) {
	return nil, errNotYet
}
func (tx *Tx) PathOf(id odbxfs.NodeID) (string, error)               { return "", errNotYet }
func (tx *Tx) Resolve(path string) (odbxfs.NodeID, error)            { return 0, errNotYet }
func (tx *Tx) SetMTime(id odbxfs.NodeID, t time.Time) error          { return errNotYet }
func (tx *Tx) SetContent(id odbxfs.NodeID, c odbxfs.ContentID) error { return errNotYet }

func (tx *Tx) Create(parent odbxfs.NodeID, name string, mode uint32) (odbxfs.Inode, error) {
	return odbxfs.Inode{}, errNotYet
}
func (tx *Tx) Mkdir(parent odbxfs.NodeID, name string) (odbxfs.Inode, error) {
	return odbxfs.Inode{}, errNotYet
}
func (tx *Tx) Unlink(parent odbxfs.NodeID, name string) (odbxfs.Inode, error) {
	return odbxfs.Inode{}, errNotYet
}
func (tx *Tx) Rmdir(parent odbxfs.NodeID, name string) error { return errNotYet }

// RenameNoReplace is renameat2's flag of this name; Rename refuses others.
const RenameNoReplace = 1

// Rename moves the entry. Over a file it is new content of that file: the
// target's node lives on, the source's ends, and the source's id leads to the
// target from then on. That needs the source's bytes: where they are not whole
// in the store it fails with [MountNeedsContent]; fetch them, [Tx.SetContent],
// and call again.
func (tx *Tx) Rename(oldParent odbxfs.NodeID, oldName string, newParent odbxfs.NodeID, newName string, flags uint32) error {
	return errNotYet
}
func (tx *Tx) CommitContent(id odbxfs.NodeID, sealed Sealed) (odbxfs.Inode, error) {
	return odbxfs.Inode{}, errNotYet
}

func (tx *Tx) Intents(limit int) ([]odbxfs.Intent, error) { return nil, errNotYet }
func (tx *Tx) Intent(id odbxfs.NodeID) (odbxfs.Intent, bool, error) {
	return odbxfs.Intent{}, false, errNotYet
}
func (tx *Tx) DropIntent(id odbxfs.NodeID, seq uint64) error        { return errNotYet }
func (tx *Tx) PutIntent(i odbxfs.Intent) error                      { return errNotYet }
func (tx *Tx) HoldIntents(ids []odbxfs.NodeID, reason string) error { return errNotYet }
func (tx *Tx) ReleaseIntents(ids []odbxfs.NodeID) error             { return errNotYet }
func (tx *Tx) RestoreHeld(id odbxfs.NodeID) error                   { return errNotYet }

func (tx *Tx) AddTasks(tasks []odbxfs.Task) ([]odbxfs.Task, error) { return nil, errNotYet }
func (tx *Tx) Tasks(fn func(odbxfs.Task) bool) error               { return errNotYet }
func (tx *Tx) PutTask(t odbxfs.Task) error                         { return errNotYet }
func (tx *Tx) DropTask(seq uint64) error                           { return errNotYet }
func (tx *Tx) TasksOf(id odbxfs.NodeID) ([]odbxfs.Task, error)     { return nil, errNotYet }

// LogEntry is a line of the log with its place in it.
type LogEntry struct {
	Seq uint64
	odbxfs.LogLine
}

func (tx *Tx) AppendLog(l odbxfs.LogLine) error                     { return errNotYet }
func (tx *Tx) Log(after uint64, limit int) ([]LogEntry, error)      { return nil, errNotYet }
func (tx *Tx) Meta(key string) ([]byte, error)                      { return nil, errNotYet }
func (tx *Tx) SetMeta(key string, v []byte) error                   { return errNotYet }
func (tx *Tx) PinContent(id odbxfs.ContentID, owner string) error   { return errNotYet }
func (tx *Tx) UnpinContent(id odbxfs.ContentID, owner string) error { return errNotYet }
