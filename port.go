package odbxfs

import (
	"context"
	"io"
	"time"
)

// What the engine says to Odoo and Dropbox, and what it hears. The interfaces
// themselves stand with the engine (package sync); these are their words, here
// because the clients (packages odoo and sync/dropbox) know only this package.

// Opener opens content for one read from its start. It may be called again for
// a retry; each reader is closed by whoever opened it.
type Opener func(ctx context.Context) (io.ReadCloser, error)

// OdooScope is a set of things in Odoo that is counted as a whole: the rules,
// the folders, the records of one model, or the documents on one model.
type OdooScope struct {
	Kind  RefKind // RefRule, RefFolder, RefRecord or RefAttachment
	Model string  // of records and attachments
}

// OdooCount is the fingerprint of a scope: equal count and equal sum of ids
// mean the same set.
type OdooCount struct {
	Scope OdooScope
	Count int64
	Sum   int64
}

// OdooChanges is one look at Odoo.
type OdooChanges struct {
	// Mark is given to the next look; opaque, exact: nothing that commits late
	// is missed. Rows may come again.
	Mark string
	// Nodes are new or changed since the mark; parents come before children.
	// With an empty mark: everything.
	Nodes []OdooNode
	// Counts has every scope there is, so that what is gone shows.
	Counts []OdooCount
	// Clients are the cloud clients as configured now.
	Clients []CloudClient
	// Database is the uuid of Odoo's database.
	Database string
}

// OdooOpKind is one kind of write to Odoo.
type OdooOpKind uint8

// The writes. Each is checked and carried out in one transaction of Odoo.
const (
	// OdooCreateFile makes an attachment Name in Parent: a binary of Content,
	// or, with URL set, a link (Pair then says of which Dropbox file). Key is
	// looked up first.
	OdooCreateFile OdooOpKind = iota + 1
	// OdooWriteContent gives Ref new bytes.
	OdooWriteContent
	// OdooRelocate renames and moves Ref (file or folder) to Name in Parent.
	OdooRelocate
	// OdooRemove unlinks the attachment, or the folder if it is empty.
	OdooRemove
	// OdooMakeFolder makes a subfolder or free folder Name in Parent. Key is
	// looked up first.
	OdooMakeFolder
	// OdooConvert turns Ref into a link to URL. The row and reference rules are
	// checked in the same transaction; a row that Odoo reads again is Retained.
	OdooConvert
	// OdooMayConvert asks whether [OdooConvert] would turn Ref into a link, and
	// writes nothing: Done, or what the conversion itself would answer.
	OdooMayConvert
	// OdooRestore turns the link Ref into a binary of Content again.
	OdooRestore
	// OdooSettlePair writes Pair and nothing else.
	OdooSettlePair
	// OdooHint writes MTime (and SHA1, Size, Mimetype of a link) and nothing else.
	OdooHint
)

// OdooOp is one write. Where Pair is set it is written in the same
// transaction: the settling of the task.
type OdooOp struct {
	Kind OdooOpKind
	Key  string // idempotency key of creates
	Ref  OdooRef
	// Expect is the precondition: content (SHA1; of a link URL) and place
	// (Name, ParentRef) of Ref as last seen; nil for creates and for settling.
	Expect *OdooNode

	Parent OdooRef
	Name   string

	Content  Opener // of OdooCreateFile without URL, OdooWriteContent, OdooRestore
	SHA1     SHA1
	Size     int64
	Mimetype string
	MTime    time.Time // zero: leave
	URL      string

	Pair *Pair
}

// Outcome is what became of a write.
type Outcome uint8

// The outcomes.
const (
	Done     Outcome = iota + 1
	Changed          // the precondition did not hold; Node is what is there
	Gone             // Ref is not there any more
	Retained         // conversion: Odoo reads it again; Reason says why
	Refused          // will never be accepted; Err says why
	Failed           // not carried out this time; Err has its kind
)

// OdooResult answers one [OdooOp], in the order of the ops.
type OdooResult struct {
	Outcome Outcome
	Node    *OdooNode // as it is after the call; nil when gone or unknown
	Pair    *Pair     // as written, with Row and Version; nil where none was given
	Reason  string    // of Retained
	Soon    bool      // of Retained: may pass by itself (an unsent mail)
	Err     error     // of Refused and Failed, with its kind
}

// DropboxChange is one entry of Dropbox's change feed. Of something deleted
// only the path is known; it takes along all that lies below it.
type DropboxChange struct {
	Deleted bool
	Path    string // display path, leading slash; compared by FoldPath
	Node    DropboxNode
}

// DropboxPage is one page of the change feed. Its entries and its cursor are
// stored in one transaction.
type DropboxPage struct {
	Changes []DropboxChange
	Cursor  string
	More    bool
}

// DropboxOpKind is one kind of write to Dropbox.
type DropboxOpKind uint8

// The writes.
const (
	DropboxMakeFolder DropboxOpKind = iota + 1 // Path
	DropboxUpload                              // Content to Path; with ID and Rev: a new rev of that file
	DropboxMove                                // ID to Path
	DropboxCopy                                // ID to Path, under a new id
	DropboxRemove                              // ID of Rev; a folder only if empty
)

// DropboxOp is one write to Dropbox. All are idempotent: a repeated one that
// finds its work done answers Done.
type DropboxOp struct {
	Kind DropboxOpKind
	ID   DropboxID
	Rev  Rev    // precondition of uploads over and removals of a file
	Path string // absolute, as displayed

	Content     Opener
	Size        int64
	ContentHash ContentHash // of Content if known; else computed on the way
	// Key names the bytes: where it is the same as of an upload that broke off,
	// that one goes on. Empty: it is not known, and an upload begins anew.
	Key      string
	Modified time.Time
}

// DropboxResult answers one [DropboxOp], in the order of the ops.
type DropboxResult struct {
	Outcome Outcome
	Node    *DropboxNode // as it is after the call
	Err     error        // of Changed, Refused and Failed, with its kind
}

// DropboxAccount tells whose account it is.
type DropboxAccount struct {
	ID            string // dbid:...
	RootNamespace string
	Email         string
	Kind          string // basic, pro or business
	// Home is where paths begin, in the space that Dropbox's own site shows: the
	// member's folder in a team's space, as "/Jane Doe"; else "".
	Home        string
	Used, Quota int64 // bytes
}
