package odbxfs

import "time"

// MaxFileSize is the size in bytes of the largest file that Odoo can keep:
// ir.attachment's file_size is a 32-bit column (measured on Odoo 14 and 19).
const MaxFileSize = 1<<31 - 1

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
	Node      NodeID     `cbor:"1,keyasint,omitzero"` // zero until the store has given it one
	Ref       OdooRef    `cbor:"2,keyasint,omitzero"`
	Parent    NodeID     `cbor:"3,keyasint,omitzero"` // the store's id of ParentRef; zero until the store has resolved it
	ParentRef OdooRef    `cbor:"4,keyasint,omitzero"` // as Odoo says it
	Kind      NodeKind   `cbor:"5,keyasint,omitzero"`
	Role      FolderRole `cbor:"6,keyasint,omitzero"` // of folders
	Name      string     `cbor:"7,keyasint,omitzero"` // as Odoo has it; anything, the empty name included
	Client    ClientID   `cbor:"8,keyasint,omitzero"` // the cloud client that holds it

	// Of files only:
	Type     DocumentType `cbor:"9,keyasint,omitzero"`
	SHA1     SHA1         `cbor:"10,keyasint,omitzero"` // of a link: as the converting action wrote it
	Size     int64        `cbor:"11,keyasint,omitzero"` // bytes
	Mimetype string       `cbor:"12,keyasint,omitzero"` // the true one, a link's too
	URL      string       `cbor:"13,keyasint,omitzero"` // of links, copies and foreign rows
	MTime    time.Time    `cbor:"14,keyasint,omitzero"` // the hint if there is one, else write_date; UTC
	Writable bool         `cbor:"15,keyasint,omitzero"` // whether the asking user may write it; true where nobody asked
}

// DropboxNode is a node of the Dropbox tree: what Dropbox said last.
type DropboxNode struct {
	Node        NodeID      `cbor:"1,keyasint,omitzero"` // zero until the store has given it one
	ID          DropboxID   `cbor:"2,keyasint,omitzero"`
	Parent      NodeID      `cbor:"3,keyasint,omitzero"` // zero until the store has resolved it
	Client      ClientID    `cbor:"4,keyasint,omitzero"`
	Kind        NodeKind    `cbor:"5,keyasint,omitzero"`
	Name        string      `cbor:"6,keyasint,omitzero"` // as displayed, with its case
	Path        string      `cbor:"7,keyasint,omitzero"` // display path from the account's root, leading slash
	Rev         Rev         `cbor:"8,keyasint,omitzero"` // of files
	ContentHash ContentHash `cbor:"9,keyasint,omitzero"`
	Size        int64       `cbor:"10,keyasint,omitzero"` // bytes
	Modified    time.Time   `cbor:"11,keyasint,omitzero"` // client_modified, whole seconds, UTC
	CloudOnly   bool        `cbor:"12,keyasint,omitzero"` // has no bytes to download (Paper, Google documents)
}

// Pair is a node of the synced tree: what both sides last agreed on. Its home
// is Odoo (a row of x_odbxfs_pair); the store has a copy with its own node ids.
type Pair struct {
	Node    NodeID   `cbor:"1,keyasint,omitzero"` // zero until the store has given it one
	Parent  NodeID   `cbor:"2,keyasint,omitzero"` // the parent's node, one for both sides; zero until resolved
	Row     int64    `cbor:"3,keyasint,omitzero"` // the row in Odoo; zero until written there
	Version int64    `cbor:"4,keyasint,omitzero"` // grows with every write of the row; the precondition of the next one
	Client  ClientID `cbor:"5,keyasint,omitzero"`
	Kind    NodeKind `cbor:"6,keyasint,omitzero"`

	Odoo       OdooRef `cbor:"7,keyasint,omitzero"`
	OdooParent OdooRef `cbor:"8,keyasint,omitzero"`
	OdooName   string  `cbor:"9,keyasint,omitzero"`

	Dropbox       DropboxID `cbor:"10,keyasint,omitzero"`
	DropboxParent DropboxID `cbor:"11,keyasint,omitzero"`
	DropboxName   string    `cbor:"12,keyasint,omitzero"`

	MountName string `cbor:"13,keyasint,omitzero"` // stored once both sides are settled; unique in its parent

	// Of files only:
	SHA1        SHA1        `cbor:"14,keyasint,omitzero"`
	ContentHash ContentHash `cbor:"15,keyasint,omitzero"`
	Size        int64       `cbor:"16,keyasint,omitzero"`
	Mimetype    string      `cbor:"17,keyasint,omitzero"`
	Rev         Rev         `cbor:"18,keyasint,omitzero"`
	URL         string      `cbor:"19,keyasint,omitzero"` // set once the attachment is a link
	Retained    string      `cbor:"20,keyasint,omitzero"` // why Odoo keeps the bytes, as the converting action said; "" when it may be converted

	Gone bool `cbor:"21,keyasint,omitzero"` // a tombstone: its attachment or folder was removed on purpose
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
	Node   NodeID     `cbor:"1,keyasint,omitzero"`
	Parent NodeID     `cbor:"2,keyasint,omitzero"`
	Name   string     `cbor:"3,keyasint,omitzero"` // the mount name: valid for POSIX, unique in Parent
	Kind   NodeKind   `cbor:"4,keyasint,omitzero"`
	Role   FolderRole `cbor:"5,keyasint,omitzero"`
	Size   int64      `cbor:"6,keyasint,omitzero"`
	MTime  time.Time  `cbor:"7,keyasint,omitzero"`
	CTime  time.Time  `cbor:"8,keyasint,omitzero"`

	Odoo     OdooRef      `cbor:"9,keyasint,omitzero"` // zero until Odoo has it
	Type     DocumentType `cbor:"10,keyasint,omitzero"`
	URL      string       `cbor:"11,keyasint,omitzero"` // shown as the content of a foreign document
	SHA1     SHA1         `cbor:"12,keyasint,omitzero"` // of the bytes shown; empty while they are being written
	Content  ContentID    `cbor:"13,keyasint,omitzero"` // the bytes here, whole or in part; empty when none
	ReadOnly bool         `cbor:"14,keyasint,omitzero"`
	State    FileState    `cbor:"15,keyasint,omitzero"`
	Reason   string       `cbor:"16,keyasint,omitzero"` // why it is parked or held
	Hidden   bool         `cbor:"17,keyasint,omitzero"` // removed here, but its deletion is held: not listed, not lost
}

// Intent is what someone did through the mount, durable, not yet in Odoo: "make
// Odoo's side of this node as the inode is". There is at most one for a node;
// later work on the node replaces it under a new Seq.
type Intent struct {
	Node NodeID `cbor:"1,keyasint,omitzero"`
	Seq  uint64 `cbor:"2,keyasint,omitzero"` // order of the last change; an intent may be dropped only with the Seq that was carried out
	Key  string `cbor:"3,keyasint,omitzero"` // names the create in Odoo, so that a repeated one is found
	Gone bool   `cbor:"4,keyasint,omitzero"` // the node was removed; Was is what is to be removed

	Was         OdooNode  `cbor:"5,keyasint,omitzero"` // what Odoo had when the first change was made; zero for a new node
	Content     ContentID `cbor:"6,keyasint,omitzero"` // new bytes to send; empty when only the place changes
	ContentSHA1 SHA1      `cbor:"7,keyasint,omitzero"`
	ContentSize int64     `cbor:"8,keyasint,omitzero"`

	Held     bool      `cbor:"9,keyasint,omitzero"` // a deletion that waits for a person
	Attempts int       `cbor:"10,keyasint,omitzero"`
	NotUntil time.Time `cbor:"11,keyasint,omitzero"` // do not try before; zero: at once
	Reason   string    `cbor:"12,keyasint,omitzero"` // why it is parked; empty: it is not

	// Sent has the bytes of the last attempt, noted before it. Odoo may have them
	// though its answer was lost: then they are ours, and nobody else's change.
	Sent SHA1 `cbor:"13,keyasint,omitzero"`
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
