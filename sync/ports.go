package sync

import (
	"context"
	"io"
	"time"

	"odbxfs"
)

// Odoo is what the engine needs of Odoo, whichever user signs in. All methods
// may be called at the same time from several goroutines. Errors are
// [odbxfs.Error]s; KindCredentials and KindForeign are final until a person has
// done something, KindUnavailable says that the fate of a write is not known.
type Odoo interface {
	// Changes looks once at what is new or changed since mark ("" lists
	// everything). It writes nothing that a repeated call would write twice.
	// Its cost follows what changed.
	Changes(ctx context.Context, mark string) (odbxfs.OdooChanges, error)

	// Refs gives every ref of one scope, in any order. It is asked when a count
	// differs from the store's.
	Refs(ctx context.Context, scope odbxfs.OdooScope) ([]odbxfs.OdooRef, error)

	// Nodes gives the named things as they are now, parents before children;
	// those that do not exist (or may not be read) are left out.
	Nodes(ctx context.Context, refs []odbxfs.OdooRef) ([]odbxfs.OdooNode, error)

	// Apply carries out writes in their order and answers each, in that order.
	// Each op is one transaction, durable in Odoo when its result says Done.
	// The error is not nil only when the fate of no op is known; the whole
	// batch may then be sent again: creates find their Key, compare-and-sets
	// answer Changed with what is there.
	Apply(ctx context.Context, ops []odbxfs.OdooOp) ([]odbxfs.OdooResult, error)

	// Content gives bytes of a binary document from offset; length < 0 means to
	// the end. KindUnsupported for a link. Whoever calls it closes the reader.
	Content(ctx context.Context, ref odbxfs.OdooRef, offset, length int64) (io.ReadCloser, error)
}

// OdooLedger is what only the syncing technical user has: pairs, logs and
// leases, which live in Odoo. All methods may be called concurrently and again.
type OdooLedger interface {
	// Pairs gives the rows of one cloud client with Row > afterRow, by Row, at
	// most limit. Refs and Dropbox ids are set; Node and Parent are zero.
	Pairs(ctx context.Context, client odbxfs.ClientID, afterRow int64, limit int) ([]odbxfs.Pair, error)

	// Log writes lines; a line with a Task replaces the earlier one of that
	// task, so it may be repeated.
	Log(ctx context.Context, lines []odbxfs.LogLine) error

	// Lease takes or renews the right to be the one writer of a client. The
	// error is KindAccess while another holder has it. until is by the clock of
	// whoever calls: the implementation turns Odoo's remaining time into it.
	Lease(ctx context.Context, client odbxfs.ClientID, holder string, ttl time.Duration) (epoch int64, until time.Time, err error)

	// Release gives the lease back, so that another holder need not wait for its
	// end. KindAccess: another has it, and keeps it.
	Release(ctx context.Context, client odbxfs.ClientID, holder string) error

	// Links gives the documents that are links and are one of refs, or lead to
	// one of urls, with their addresses: those in no folder of ours, too. It is
	// asked before a Dropbox file or a shared link goes.
	Links(ctx context.Context, refs []odbxfs.OdooRef, urls []string) (map[odbxfs.OdooRef]string, error)

	// SetClientState writes what an administrator sees on the client's form. With
	// [StateReset] it also pauses the client.
	SetClientState(ctx context.Context, client odbxfs.ClientID, state, message string) error
}

// Dropbox is what the engine needs of one Dropbox account. All methods may be
// called at the same time from several goroutines. Errors are [odbxfs.Error]s.
type Dropbox interface {
	// Account tells whose account it is.
	Account(ctx context.Context) (odbxfs.DropboxAccount, error)

	// Changes gives one page below root: all that is there with cursor "", else
	// what changed since. KindReset: list anew with "". KindMissing: no such
	// root.
	Changes(ctx context.Context, root, cursor string) (odbxfs.DropboxPage, error)

	// Wait returns when there are changes after cursor, or none for about half
	// a minute. It obeys the back-off that Dropbox asks for before it returns.
	Wait(ctx context.Context, cursor string) (changed bool, err error)

	// Apply carries out writes and answers each, in the order of the ops. Every
	// op may be sent again: one that finds its work done answers Done. The
	// error is not nil only when the fate of no op is known.
	Apply(ctx context.Context, ops []odbxfs.DropboxOp) ([]odbxfs.DropboxResult, error)

	// Content gives bytes of one revision of a file from offset; length < 0
	// means to the end. Whoever calls it closes the reader.
	Content(ctx context.Context, id odbxfs.DropboxID, rev odbxfs.Rev, offset, length int64) (io.ReadCloser, error)

	// Link gives the file's link by policy; one that exists already is used.
	Link(ctx context.Context, id odbxfs.DropboxID, policy odbxfs.LinkPolicy) (url string, err error)

	// Unlink revokes a link; one that is gone is no error.
	Unlink(ctx context.Context, url string) error
}
