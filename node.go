package odbxfs

import "time"

// NodeKind tells files from folders.
type NodeKind uint8

// The two kinds of nodes. The numbers are stored: append only.
const (
	Folder NodeKind = iota + 1
	File
)

// FolderRole says what a folder stands for in Odoo, and so what may be done to
// it. A file has RoleNone.
type FolderRole uint8

// The roles of folders. The numbers are stored: append only.
const (
	RoleNone      FolderRole = iota
	RoleRoot                 // the mount's root, Dropbox's root folder of a client
	RoleRule                 // made by a folder rule; renamed and removed in Odoo only
	RoleRecord               // stands for one Odoo record; renamed and removed in Odoo only
	RoleSubfolder            // inside a record folder, made by hand
	RoleDefault              // inside a record folder, made by its rule: comes back when removed
	RoleFree                 // made by hand, tied to no record of Odoo's own
)

// DocumentType is what an attachment is to the engine.
type DocumentType uint8

// The types of documents. The numbers are stored: append only.
const (
	// Binary: its bytes are in Odoo.
	Binary DocumentType = iota + 1
	// Link: a url attachment that is paired with a Dropbox file.
	Link
	// Copy: an unpaired url attachment whose url is one of ours (Odoo copies
	// attachments itself). It gets a Dropbox file of its own.
	Copy
	// Foreign: any other url, or a type that we don't know. Shown as a small
	// read-only file, never fetched, never mirrored.
	Foreign
)

// OdooNode is a node of the Odoo tree: what Odoo said last.
type OdooNode struct {
	Node      NodeID // zero until the store has given it one
	Ref       OdooRef
	Parent    NodeID  // the store's id of ParentRef; zero until the store has resolved it
	ParentRef OdooRef // as Odoo says it
	Kind      NodeKind
	Role      FolderRole // of folders
	Name      string     // as Odoo has it; anything, the empty name included
	Client    ClientID   // the cloud client that holds it

	// Of files only:
	Type     DocumentType
	SHA1     SHA1      // of a link: as the converting action wrote it
	Size     int64     // bytes
	Mimetype string    // the true one, a link's too
	URL      string    // of links, copies and foreign rows
	MTime    time.Time // the hint if there is one, else write_date; UTC
	Writable bool      // whether the asking user may write it; true where nobody asked
}

// DropboxNode is a node of the Dropbox tree: what Dropbox said last.
type DropboxNode struct {
	Node        NodeID // zero until the store has given it one
	ID          DropboxID
	Parent      NodeID // zero until the store has resolved it
	Client      ClientID
	Kind        NodeKind
	Name        string // as displayed, with its case
	Path        string // display path from the account's root, leading slash
	Rev         Rev    // of files
	ContentHash ContentHash
	Size        int64     // bytes
	Modified    time.Time // client_modified, whole seconds, UTC
	CloudOnly   bool      // has no bytes to download (Paper, Google documents)
}

// Pair is a node of the synced tree: what both sides last agreed on. Its home
// is Odoo (a row of x_odbxfs_pair); the store has a copy with its own node ids.
type Pair struct {
	Node    NodeID // zero until the store has given it one
	Parent  NodeID // the parent's node, one for both sides; zero until resolved
	Row     int64  // the row in Odoo; zero until written there
	Version int64  // grows with every write of the row; the precondition of the next one
	Client  ClientID
	Kind    NodeKind

	Odoo       OdooRef
	OdooParent OdooRef
	OdooName   string

	Dropbox       DropboxID
	DropboxParent DropboxID
	DropboxName   string

	MountName string // stored once both sides are settled; unique in its parent

	// Of files only:
	SHA1        SHA1
	ContentHash ContentHash
	Size        int64
	Mimetype    string
	Rev         Rev
	URL         string // set once the attachment is a link
	Retained    string // why Odoo keeps the bytes, as the converting action said; "" when it may be converted

	Gone bool // a tombstone: its attachment or folder was removed on purpose
}

// Converted reports whether the pair's attachment is a link.
func (p Pair) Converted() bool { return p.URL != "" }

// FileState is how far a file of the mount has come on its way to Odoo.
type FileState uint8

// The states of a file in the mount. The numbers are stored: append only.
const (
	StateClean  FileState = iota // as Odoo has it
	StateLocal                   // durable here, its intent waits
	StateParked                  // its intent can't be carried out; Inode.Reason says why
)

// Inode is what the mount shows of a node, and its one dentry: the Odoo tree
// with this store's intents applied.
type Inode struct {
	Node   NodeID
	Parent NodeID
	Name   string // the mount name: valid for POSIX, unique in Parent
	Kind   NodeKind
	Role   FolderRole
	Size   int64
	MTime  time.Time
	CTime  time.Time

	Odoo     OdooRef // zero until Odoo has it
	Type     DocumentType
	URL      string    // shown as the content of a foreign document
	SHA1     SHA1      // of the bytes shown; empty while they are being written
	Content  ContentID // the bytes here, whole or in part; empty when none
	ReadOnly bool
	State    FileState
	Reason   string // why it is parked or held
	Hidden   bool   // removed here, but its deletion is held: not listed, not lost
}

// Intent is what someone did through the mount, durable, not yet in Odoo: "make
// Odoo's side of this node as the inode is". There is at most one for a node;
// later work on the node replaces it under a new Seq.
type Intent struct {
	Node NodeID
	Seq  uint64 // order of the last change; an intent may be dropped only with the Seq that was carried out
	Key  string // names the create in Odoo, so that a repeated one is found
	Gone bool   // the node was removed; Was is what is to be removed

	Was         OdooNode  // what Odoo had when the first change was made; zero for a new node
	Content     ContentID // new bytes to send; empty when only the place changes
	ContentSHA1 SHA1
	ContentSize int64

	Held     bool // a deletion that waits for a person
	Attempts int
	NotUntil time.Time // do not try before; zero: at once
	Reason   string    // why it is parked; empty: it is not
}

// Reader is a read-only snapshot of one tree. Implementations are used by one
// goroutine at a time. An unreadable store shows in the snapshot's own error,
// which whoever made it asks for after use.
type Reader[N any] interface {
	// Node gives the node, and false when this tree has none of that id.
	Node(id NodeID) (N, bool)
	// Children gives the ids of the nodes in a folder, in ascending order.
	Children(parent NodeID) []NodeID
}
