package cache

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// What a caller of the store decides by.
var (
	// ErrLocked: another process has the store open.
	ErrLocked = errors.New("the store is in use by another process")
	// ErrNoParent: a node was put whose parent the tree does not have (yet).
	ErrNoParent = errors.New("the parent is not in the tree")
	// ErrTwoThings: two nodes that are in one tree can't become one. Nothing of
	// that call was written, and the transaction may go on.
	ErrTwoThings = errors.New("two things of one side can't be one")
	// ErrTooBig: a record is larger than the store takes.
	ErrTooBig = errors.New("too much for one record of the store")
	// ErrNoContent: the store has no such content (any more).
	ErrNoContent = errors.New("no such content in the store")
	// ErrNotWhole: a content is needed whole, and parts of it are not here.
	ErrNotWhole = errors.New("parts of the content are not in the store")
	// ErrCorrupt: a stored record or content is not what was stored.
	ErrCorrupt = errors.New("the store's data is damaged")
	// ErrFull: the store's disk has no room but what the store needs for itself.
	// It is ENOSPC, too.
	ErrFull = fmt.Errorf("the disk of the store is full: %w", unix.ENOSPC)
	// ErrTorn: a large commit failed half way; opening the store again ends it.
	ErrTorn = errors.New("a commit to the store failed half way; it is completed at the next start")
	// ErrFormat: the store was made by a newer program; nothing of it was changed.
	ErrFormat = errors.New("the store is of a newer odbxfs")
	// ErrStuck: the disk of the store did not take what was to be written in time.
	ErrStuck = errors.New("the disk of the store does not answer; what was acknowledged is in its logs, for the next start")
	// ErrClosed: the store, content or writer was closed before.
	ErrClosed = errors.New("closed")
)

// MountErrorKind says why a mutation of the mount is refused. Each stands for
// one errno, which package fs knows.
type MountErrorKind uint8

// The reasons. MountErrorKinds lists them.
const (
	MountNotFound     MountErrorKind = iota + 1 // ENOENT
	MountExists                                 // EEXIST
	MountNotEmpty                               // ENOTEMPTY
	MountNotAllowed                             // EPERM: the folder's role forbids it
	MountNotDir                                 // ENOTDIR
	MountIsDir                                  // EISDIR
	MountNameTooLong                            // ENAMETOOLONG: over 255 bytes
	MountInvalid                                // EINVAL: no name, or a folder into itself, or unknown flags
	MountNeedsContent                           // no errno: see [Tx.Rename]
	mountErrorKindEnd
)

var mountErrorNames = [mountErrorKindEnd]string{
	MountNotFound: "not found", MountExists: "exists already", MountNotEmpty: "not empty",
	MountNotAllowed: "not allowed on this folder", MountNotDir: "not a folder", MountIsDir: "is a folder",
	MountNameTooLong: "name too long", MountInvalid: "not possible", MountNeedsContent: "its bytes must be fetched first",
}

// String says it in words.
func (k MountErrorKind) String() string {
	if k > 0 && k < mountErrorKindEnd {
		return mountErrorNames[k]
	}
	return fmt.Sprintf("MountErrorKind(%d)", uint8(k))
}

// MountErrorKinds returns every kind, for tests of tables that must be total.
func MountErrorKinds() []MountErrorKind {
	var all []MountErrorKind
	for k := MountNotFound; k < mountErrorKindEnd; k++ {
		all = append(all, k)
	}
	return all
}

// MountError is a mutation of the mount that the tree's rules refuse. The
// transaction it was made in has written nothing for it and may go on.
type MountError struct {
	Op   string // as "rename"
	Name string // the entry it is about
	Kind MountErrorKind
}

// Error implements error.
func (e *MountError) Error() string { return fmt.Sprintf("%s %q: %s", e.Op, e.Name, e.Kind) }
