package cache

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"odbxfs"
)

// Options say where a store lives and how it behaves. Now is always needed.
type Options struct {
	// Dir holds everything; made if missing, mode 0700. With InMemory it holds
	// the contents only and may be empty: then they are in a temporary folder.
	Dir string
	// InMemory keeps trees, intents and queue in memory, for tests and the demo.
	InMemory bool
	// Now is the clock: mtimes of what is done here, and who was used last.
	Now func() time.Time
	// After is the timer of the background sync, as time.After. When nil there
	// is none, and each Update syncs before it returns: slow, but safe.
	After func(time.Duration) <-chan time.Time
	// ContentLimit is how many bytes of contents are kept that could be had
	// again; 0 is no limit.
	ContentLimit int64
	// KeepMTimes keeps an mtime that was set here for as long as the content is
	// the same, whatever Odoo says: for plain mode, where Odoo has no place for it.
	KeepMTimes bool
	// ID begins the keys made here and must be unlike any other store's; only
	// for a new store. Empty: random.
	ID string
	// Log gets what is worth a line; nil: nothing is said.
	Log *slog.Logger
}

// Store is an open store. Its methods may be called concurrently.
type Store struct {
	contents *Contents
}

// Problem is an intent that can't be carried out because its bytes are not
// what they were when it was made. It is parked, never sent.
type Problem struct {
	Node   odbxfs.NodeID
	Path   string // in the mount
	Reason string
}

var errNotYet = errors.New("not built yet")

// Open opens or makes the store in opt.Dir. It fails with [ErrLocked] while
// another process has it.
func Open(ctx context.Context, opt Options) (*Store, error) { return nil, errNotYet }

// Close syncs and closes.
func (s *Store) Close() error { return errNotYet }

// View calls fn with a read-only snapshot.
func (s *Store) View(fn func(*Tx) error) error { return errNotYet }

// Update calls fn in a transaction of its own and commits unless fn fails.
// There is one Update at a time; fn must be quick, do no I/O elsewhere, and
// start no other Update.
func (s *Store) Update(fn func(*Tx) error) error { return errNotYet }

// Sync returns when everything that was committed and sealed before is on disk.
func (s *Store) Sync(ctx context.Context) error { return errNotYet }

// Subscribe calls fn after each commit with its events, from one goroutine, in
// order of commits, with no lock held. After cancel no new call starts.
func (s *Store) Subscribe(fn func([]Event)) (cancel func()) { return func() {} }

// Contents gives the store's file contents.
func (s *Store) Contents() *Contents { return s.contents }

// Problems lists the intents that were found damaged when the store was opened.
func (s *Store) Problems() []Problem { return nil }

// ID names this store among all stores; it begins every key made here.
func (s *Store) ID() string { return "" }
