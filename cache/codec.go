package cache

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"odbxfs"
)

// maxRecord keeps every value inside the tables: Badger puts longer ones into
// its value log, whose files are not synced when they are rotated out.
const maxRecord = 256 << 10

// codec holds the two modes: deterministic out, strict in.
var codec = mustCodec()

type codecModes struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func mustCodec() codecModes {
	opt := cbor.CoreDetEncOptions()
	opt.Time = cbor.TimeRFC3339NanoUTC
	enc, err := opt.EncMode()
	if err != nil {
		panic(err) // the options above are constants
	}
	dec, err := cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 8, UTF8: cbor.UTF8DecodeInvalid}.DecMode()
	if err != nil {
		panic(err) // the options above are constants
	}
	return codecModes{enc: enc, dec: dec}
}

// encode makes a record's bytes after checking it.
func encode(v any) ([]byte, error) {
	if err := valid(v); err != nil {
		return nil, fmt.Errorf("storing %T: %w", v, err)
	}
	b, err := codec.enc.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("storing %T: %w", v, err)
	}
	if len(b) > maxRecord {
		return nil, fmt.Errorf("storing %T: %d bytes: %w", v, len(b), ErrTooBig)
	}
	return b, nil
}

// decode reads what encode made, and checks it.
func decode[T any](b []byte) (T, error) {
	var v, none T
	if err := codec.dec.Unmarshal(b, &v); err != nil {
		return none, fmt.Errorf("%w: reading %T: %w", ErrCorrupt, v, err)
	}
	if err := valid(v); err != nil {
		return none, fmt.Errorf("%w: reading %T: %w", ErrCorrupt, v, err)
	}
	return v, nil
}

// odooRec is an Odoo node and the model its documents hang on.
type odooRec struct {
	N     odbxfs.OdooNode `cbor:"1,keyasint"`
	Model string          `cbor:"2,keyasint,omitzero"`
}

// countRec is the count and sum of ids of one scope.
type countRec struct {
	Count int64 `cbor:"1,keyasint"`
	Sum   int64 `cbor:"2,keyasint"`
}

// inodeRec is an inode with what the projection remembers of it.
type inodeRec struct {
	I     odbxfs.Inode `cbor:"1,keyasint"`
	Plain string       `cbor:"2,keyasint,omitzero"` // the name it claims in I.Parent; empty: its name was typed here
	Src   string       `cbor:"3,keyasint,omitzero"` // which content of Odoo's it showed last
	Typed bool         `cbor:"4,keyasint,omitzero"` // the mtime was set here
	Fixed bool         `cbor:"5,keyasint,omitzero"` // Plain is stored in its pair
}

// contentRec is what is known of a content file.
type contentRec struct {
	Size   int64       `cbor:"1,keyasint,omitzero"`
	SHA1   odbxfs.SHA1 `cbor:"2,keyasint,omitzero"`
	Whole  bool        `cbor:"3,keyasint,omitzero"`
	Ranges []Range     `cbor:"4,keyasint,omitempty"`
}

// nodeList is a short list of nodes.
type nodeList []odbxfs.NodeID

type invalid string

func (e invalid) Error() string { return string(e) }

// valid is the gate of every stored record, on write and on read.
func valid(v any) error {
	switch r := v.(type) {
	case odooRec:
		return validOdoo(r.N)
	case odbxfs.DropboxNode:
		return validDropbox(r)
	case odbxfs.Pair:
		return validPair(r)
	case inodeRec:
		return validInode(r.I)
	case odbxfs.Inode:
		return validInode(r)
	case odbxfs.Intent:
		return validIntent(r)
	case odbxfs.Task:
		return validTask(r)
	case contentRec:
		return validContent(r)
	case odbxfs.LogLine, countRec, nodeList, taskMarks:
		return nil // any value of these is one
	}
	return invalid(fmt.Sprintf("%T is not a record of the store", v))
}

func validKind(k odbxfs.NodeKind) bool { return k == odbxfs.Folder || k == odbxfs.File }

func validOdoo(n odbxfs.OdooNode) error {
	switch {
	case n.Node == 0:
		return invalid("an Odoo node without id")
	case n.Ref.IsZero():
		return invalid("an Odoo node without reference")
	case !validKind(n.Kind):
		return invalid("an Odoo node that is neither folder nor file")
	case (n.Parent == 0) != (n.Node == odbxfs.RootNode):
		return invalid("an Odoo node without parent")
	case n.Parent == n.Node:
		return invalid("an Odoo node that is its own parent")
	case (n.Kind == odbxfs.File) != (n.Ref.Kind == odbxfs.RefAttachment):
		return invalid("a file that is no attachment, or the reverse")
	case n.Kind == odbxfs.File && (n.Type < odbxfs.Binary || n.Type > odbxfs.Foreign):
		return invalid("a document of no type")
	case n.Size < 0:
		return invalid("a negative size")
	}
	return nil
}

func validDropbox(n odbxfs.DropboxNode) error {
	switch {
	case n.Node == 0:
		return invalid("a Dropbox node without id")
	case n.Node != odbxfs.RootNode && (n.ID == "" || n.Parent == 0 || n.Parent == n.Node):
		return invalid("a Dropbox node without Dropbox's id or without parent")
	case !validKind(n.Kind):
		return invalid("a Dropbox node that is neither folder nor file")
	case n.Size < 0:
		return invalid("a negative size")
	}
	return nil
}

func validPair(p odbxfs.Pair) error {
	switch {
	case p.Node == 0:
		return invalid("a pair without node")
	case p.Odoo.IsZero() && p.Dropbox == "":
		return invalid("a pair of nothing")
	case !validKind(p.Kind):
		return invalid("a pair that is neither folder nor file")
	}
	return nil
}

func validInode(i odbxfs.Inode) error {
	switch {
	case i.Node == 0 || i.Parent == 0:
		return invalid("an inode without id or parent")
	case !validKind(i.Kind):
		return invalid("an inode that is neither folder nor file")
	case i.Node != odbxfs.RootNode && nameError(i.Name) != 0:
		return invalid("an inode whose name no file system has")
	case i.Size < 0:
		return invalid("a negative size")
	case i.Content != "" && !validContentID(i.Content):
		return invalid("an inode whose content has no name of ours")
	}
	return nil
}

func validIntent(i odbxfs.Intent) error {
	switch {
	case i.Node == 0 || i.Seq == 0 || i.Key == "":
		return invalid("an intent without node, place or key")
	case i.Held && !i.Gone:
		return invalid("a held intent that deletes nothing")
	case i.Content != "" && !validContentID(i.Content):
		return invalid("an intent whose content has no name of ours")
	case i.ContentSize < 0:
		return invalid("a negative size")
	}
	return nil
}

func validTask(t odbxfs.Task) error {
	switch {
	case t.Seq == 0 || t.Key == "":
		return invalid("a task without place or key")
	case t.Kind == 0:
		return invalid("a task of no kind")
	case t.Held && !t.Kind.Deletes():
		return invalid("a held task that deletes nothing")
	}
	return nil
}

func validContent(c contentRec) error {
	if c.Size < 0 {
		return invalid("a negative size")
	}
	end := int64(0)
	for i, r := range c.Ranges {
		if r.Len <= 0 || r.Off < end || (i > 0 && r.Off == end) || r.Off+r.Len > c.Size {
			return invalid("ranges that overlap, touch or leave the content")
		}
		end = r.Off + r.Len
	}
	return nil
}

// validContentID tells the names that newIDLocked gives, which become paths.
func validContentID(id odbxfs.ContentID) bool {
	if len(id) != 16 {
		return false
	}
	for _, c := range id {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// nameError gives why no entry can have this name, or 0.
func nameError(name string) MountErrorKind {
	if name == "" || name == "." || name == ".." {
		return MountInvalid
	}
	if len(name) > 255 {
		return MountNameTooLong
	}
	for i := range len(name) {
		if name[i] == '/' || name[i] == 0 {
			return MountInvalid
		}
	}
	return 0
}
