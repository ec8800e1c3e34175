package odbxfs

import (
	"fmt"
	"strconv"
	"strings"
)

// NodeID names a node in the store: it is the inode number that the kernel
// sees, and the same thing has the same NodeID in all three trees. It is never
// used again for something else, and means nothing outside its store.
type NodeID uint64

// RootNode is the root of every tree.
const RootNode NodeID = 1

// ClientID is the row of a cloud client in Odoo. Zero is no client: such a
// folder is mounted, but not mirrored.
type ClientID int64

// SHA1 is a SHA-1 in 40 lower-case hex digits, as ir.attachment.checksum has
// it; empty means unknown. The SHA-1 of no bytes is [EmptySHA1].
type SHA1 string

// EmptySHA1 is the checksum of an empty file.
const EmptySHA1 SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

// ContentHash is Dropbox's hash of a file: SHA-256 over the SHA-256 of each
// block of 4 MiB, in 64 lower-case hex digits; empty means unknown.
type ContentHash string

// DropboxID is Dropbox's id of a file or folder ("id:..."). It outlives moves.
type DropboxID string

// Rev is Dropbox's revision of a file. A move makes a new one too, so a new rev
// alone is no new content.
type Rev string

// ContentID names one version of a file's bytes in the store; it means nothing
// outside the store. Empty means none.
type ContentID string

// RefKind is the kind of thing that an [OdooRef] names.
type RefKind uint8

// What an OdooRef can name. The numbers are stored: append only.
const (
	RefNone       RefKind = iota
	RefRoot               // the root folder; its documents hang on the root's place
	RefRule               // a rule folder: a row of x_odbxfs_rule; its own documents hang on the rule's place
	RefRecord             // a record folder: Model and ID of the record
	RefFolder             // a subfolder or free folder: a row of x_odbxfs_folder
	RefAttachment         // a document: a row of ir.attachment
)

// PlaceModel is our own model in Odoo whose records stand for the root, rule and
// free folders: documents that are in no record's folder hang on them.
const PlaceModel = "x_odbxfs_place"

// OdooRef names a thing in Odoo: the identity of a node on that side. It is
// comparable and may be a map key.
type OdooRef struct {
	Kind  RefKind `cbor:"1,keyasint,omitzero"`
	Model string  `cbor:"2,keyasint,omitzero"` // of a record only
	ID    int64   `cbor:"3,keyasint,omitzero"`
}

// IsZero reports whether r names nothing.
func (r OdooRef) IsZero() bool { return r.Kind == RefNone }

// AttachmentRef names an attachment.
func AttachmentRef(id int64) OdooRef { return OdooRef{Kind: RefAttachment, ID: id} }

// FolderRef names a subfolder or free folder.
func FolderRef(id int64) OdooRef { return OdooRef{Kind: RefFolder, ID: id} }

// RecordRef names a record's folder.
func RecordRef(model string, id int64) OdooRef {
	return OdooRef{Kind: RefRecord, Model: model, ID: id}
}

// RuleRef names a rule's folder.
func RuleRef(id int64) OdooRef { return OdooRef{Kind: RefRule, ID: id} }

// RootRef names the root folder.
func RootRef() OdooRef { return OdooRef{Kind: RefRoot} }

// String is the form that the wire to our server actions, the store's keys and
// logs use: "root", "rule:3", "rec:sale.order:12", "dir:45", "att:678", and ""
// for the zero ref. [ParseOdooRef] reads it back.
func (r OdooRef) String() string {
	switch r.Kind {
	case RefNone:
		return ""
	case RefRoot:
		return "root"
	case RefRule:
		return "rule:" + strconv.FormatInt(r.ID, 10)
	case RefRecord:
		return "rec:" + r.Model + ":" + strconv.FormatInt(r.ID, 10)
	case RefFolder:
		return "dir:" + strconv.FormatInt(r.ID, 10)
	case RefAttachment:
		return "att:" + strconv.FormatInt(r.ID, 10)
	}
	return fmt.Sprintf("ref(%d):%s:%d", r.Kind, r.Model, r.ID)
}

// ParseOdooRef reads what [OdooRef.String] wrote. Anything else is an error.
func ParseOdooRef(s string) (OdooRef, error) {
	bad := fmt.Errorf("%q is not a reference into Odoo", s)
	switch s {
	case "":
		return OdooRef{}, nil
	case "root":
		return RootRef(), nil
	}
	kind, rest, found := strings.Cut(s, ":")
	if !found {
		return OdooRef{}, bad
	}
	var r OdooRef
	switch kind {
	case "rule":
		r.Kind = RefRule
	case "dir":
		r.Kind = RefFolder
	case "att":
		r.Kind = RefAttachment
	case "rec":
		r.Kind = RefRecord
		if r.Model, rest, found = strings.Cut(rest, ":"); !found || r.Model == "" {
			return OdooRef{}, bad
		}
	default:
		return OdooRef{}, bad
	}
	id, err := strconv.ParseInt(rest, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != rest {
		return OdooRef{}, bad
	}
	r.ID = id
	return r, nil
}
