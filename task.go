package odbxfs

import "time"

// Pass is a comparison of trees that makes tasks.
type Pass uint8

// The passes, in the order in which they go first. The numbers are stored.
const (
	Reverse  Pass = iota + 1 // Dropbox to Odoo, before a client is let go
	Direct                   // Odoo to Dropbox
	Backward                 // Dropbox to Odoo
)

// String names the pass as logs do.
func (p Pass) String() string {
	switch p {
	case Reverse:
		return "reverse"
	case Direct:
		return "direct"
	case Backward:
		return "backward"
	}
	return "none"
}

// TaskKind is one idempotent change to one remote.
type TaskKind uint8

// The kinds of tasks. The numbers are stored: append only.
const (
	// TaskDropboxMkdir makes the folder Name in Parent and pairs it. A folder
	// that is there already and paired with nothing is adopted.
	TaskDropboxMkdir TaskKind = iota + 1
	// TaskDropboxUpload sends the Odoo node's bytes: as a new file Name in
	// Parent when Dropbox is nil, else as a new rev of that file.
	TaskDropboxUpload
	// TaskDropboxMove moves or renames by id to Name in Parent. Of pass Backward
	// it is a step aside that both sides have not agreed on: the pair stays as it
	// is, and a later task of the node settles it.
	TaskDropboxMove
	// TaskDropboxDelete removes a file (of this rev) or an empty folder, and
	// makes the pair a tombstone.
	TaskDropboxDelete
	// TaskDropboxKeep copies the Dropbox file beside itself as Name (a
	// conflicted copy), before Odoo's bytes take its place.
	TaskDropboxKeep
	// TaskOdooConvert turns the binary into a link, by law 1.
	TaskOdooConvert
	// TaskOdooMkdir makes the subfolder or free folder Name in Parent and pairs it.
	TaskOdooMkdir
	// TaskOdooCreate makes an attachment Name in Parent of the Dropbox file, and pairs it.
	TaskOdooCreate
	// TaskOdooUpdate gives the attachment the Dropbox file's content: of a link
	// its pair and hints, of a binary its bytes.
	TaskOdooUpdate
	// TaskOdooMove moves or renames the attachment or folder to Name in Parent.
	TaskOdooMove
	// TaskOdooDelete removes the attachment or the empty folder, and makes the
	// pair a tombstone.
	TaskOdooDelete
	// TaskOdooRestore brings a link's bytes back and drops the pair (reverse).
	TaskOdooRestore
	// TaskSettle writes the pair and nothing else: both sides agree already.
	TaskSettle
	// TaskForget makes the pair a tombstone: both sides are gone.
	TaskForget
	// TaskDropboxUnlink revokes the shared link Pair.URL, unless a document in
	// Odoo still leads there.
	TaskDropboxUnlink
	taskKindEnd
)

var taskKindNames = [taskKindEnd]string{
	TaskDropboxMkdir: "dropbox-mkdir", TaskDropboxUpload: "dropbox-upload", TaskDropboxMove: "dropbox-move",
	TaskDropboxDelete: "dropbox-delete", TaskDropboxKeep: "dropbox-keep",
	TaskOdooConvert: "odoo-convert", TaskOdooMkdir: "odoo-mkdir", TaskOdooCreate: "odoo-create",
	TaskOdooUpdate: "odoo-update", TaskOdooMove: "odoo-move", TaskOdooDelete: "odoo-delete",
	TaskOdooRestore: "odoo-restore", TaskSettle: "settle", TaskForget: "forget",
	TaskDropboxUnlink: "dropbox-unlink",
}

// String names the kind as logs do.
func (k TaskKind) String() string {
	if k > 0 && k < taskKindEnd {
		return taskKindNames[k]
	}
	return "none"
}

// Deletes reports whether the task removes something that a person made: what
// the guard of deletions counts.
func (k TaskKind) Deletes() bool { return k == TaskDropboxDelete || k == TaskOdooDelete }

// OnDropbox reports whether Dropbox is the remote that the task writes to first;
// else it is Odoo.
func (k TaskKind) OnDropbox() bool {
	switch k {
	case TaskDropboxMkdir, TaskDropboxUpload, TaskDropboxMove, TaskDropboxDelete, TaskDropboxKeep, TaskDropboxUnlink:
		return true
	default:
		return false
	}
}

// Places reports whether the task puts something where it is not yet, as Name in
// Parent: it makes it, or moves it there.
func (t Task) Places() bool {
	switch t.Kind {
	case TaskDropboxMkdir, TaskDropboxMove, TaskOdooMkdir, TaskOdooCreate, TaskOdooMove:
		return true
	case TaskDropboxUpload:
		return t.Dropbox == nil
	default:
		return false
	}
}

// Task is one planned change of one node on one remote. What the planner saw
// travels with it and is its precondition.
type Task struct {
	Seq    uint64   `cbor:"1,keyasint,omitzero"` // the place in the queue; zero until queued
	Key    string   `cbor:"2,keyasint,omitzero"` // names its creates in Odoo; made when it is queued, kept over retries
	Kind   TaskKind `cbor:"3,keyasint,omitzero"`
	Pass   Pass     `cbor:"4,keyasint,omitzero"`
	Node   NodeID   `cbor:"5,keyasint,omitzero"`
	Client ClientID `cbor:"6,keyasint,omitzero"`
	Why    string   `cbor:"7,keyasint,omitzero"` // the planner's rule, a short phrase as "changed in Odoo"

	Odoo    *OdooNode    `cbor:"8,keyasint,omitzero"`  // what the planner saw in Odoo; nil: nothing
	Dropbox *DropboxNode `cbor:"9,keyasint,omitzero"`  // what the planner saw in Dropbox; nil: nothing
	Pair    *Pair        `cbor:"10,keyasint,omitzero"` // what was agreed; nil: nothing

	Parent NodeID `cbor:"11,keyasint,omitzero"` // where the node is to be, on the side that changes
	Name   string `cbor:"12,keyasint,omitzero"` // and how it is to be called there

	Held     bool      `cbor:"13,keyasint,omitzero"` // a deletion that waits for a person
	Attempts int       `cbor:"14,keyasint,omitzero"`
	NotUntil time.Time `cbor:"15,keyasint,omitzero"` // do not try before; zero: at once
	Reason   string    `cbor:"16,keyasint,omitzero"` // why it is parked; empty: it is not
}

// Change is a change of the synced tree that needs no remote, or an
// instruction to the store about identity.
type Change struct {
	// Merge says that node From (known on one side only) is the same thing as
	// node Into: the store moves its side's node over and drops From.
	From, Into NodeID
}

// LinkPolicy says which links a cloud client makes. There is no default: a
// person chooses.
type LinkPolicy string

// The link policies.
const (
	LinkPublic   LinkPolicy = "public"
	LinkTeamOnly LinkPolicy = "team_only"
	LinkNone     LinkPolicy = "none"
)

// ConvertPolicy says which attachments of a client become links.
type ConvertPolicy string

// The conversion policies.
const (
	ConvertDefault ConvertPolicy = "default" // all but what Odoo reads again
	ConvertNone    ConvertPolicy = "none"    // mirror only
)

// CloudClient is one connection to one Dropbox account, as Odoo's
// configuration has it. No secret is in it.
type CloudClient struct {
	ID      ClientID
	Name    string
	Root    string // the folder in Dropbox, as "/Odoo"
	Links   LinkPolicy
	Convert ConvertPolicy
	Paused  bool
}

// LogLine is one line of the sync log. The line of a planned task is written
// with its batch and closed when the task is settled: same Task, later state.
type LogLine struct {
	Time   time.Time `cbor:"1,keyasint,omitzero"`
	Client ClientID  `cbor:"2,keyasint,omitzero"`
	Pass   Pass      `cbor:"3,keyasint,omitzero"`
	Task   string    `cbor:"4,keyasint,omitzero"` // the task's Key; empty for lines of no task
	State  string    `cbor:"5,keyasint,omitzero"` // planned, done, failed, parked, held, note; dropped: there was nothing to do, the task's line goes
	What   string    `cbor:"6,keyasint,omitzero"` // the task's kind
	Item   string    `cbor:"7,keyasint,omitzero"` // the path in the tree
	Ref    OdooRef   `cbor:"8,keyasint,omitzero"`
	ID     DropboxID `cbor:"9,keyasint,omitzero"`
	Why    string    `cbor:"10,keyasint,omitzero"`
	Error  string    `cbor:"11,keyasint,omitzero"`
}
