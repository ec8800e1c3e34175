package cache

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"golang.org/x/sys/unix"
	"odbxfs"
)

var errReadOnly = errors.New("writing in a View")

// The folders of a store's directory.
const (
	dbDir      = "db"
	contentDir = "content"
	workDir    = "work" // in contentDir: working copies, swept at each start
	lockFile   = "lock"
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
	// After is the timer of the background sync and of Close's patience, as
	// time.After. When nil there are none: each Update syncs before it returns,
	// slow, but safe, and Close waits for the disk without end.
	After func(time.Duration) <-chan time.Time
	// ContentLimit is how many bytes of contents are kept that could be had
	// again; 0 is no limit. The background sync looks after it, and
	// [Contents.Evict].
	ContentLimit int64
	// KeepMTimes keeps an mtime that was set here for as long as the content is
	// the same, whatever Odoo says: for plain mode, where Odoo has no place for it.
	KeepMTimes bool
	// NoFolders refuses new folders: for plain mode, where Odoo has none to be
	// made.
	NoFolders bool
	// ID begins the keys made here and must be unlike any other store's; only
	// for a new store. Empty: random.
	ID string
	// Log gets what is worth a line; nil: nothing is said.
	Log *slog.Logger

	// memTable is the size of Badger's tables in memory; tests make it small.
	memTable int64
	// free gives the room on the disk and its size; tests make it small.
	free func() (free, total int64, err error)
	// at hears of each point, see points.go; tests end the process there.
	at func(point string)
	// fsync syncs a file or folder; tests look at what it reaches.
	fsync func(path string) error
}

// Store is an open store. Its methods may be called concurrently.
type Store struct {
	// Fixed after Open.
	opt      Options
	log      *slog.Logger
	db       *badger.DB
	id       string
	lock     *os.File
	temp     string // to be removed at the end; empty: nothing
	contents *Contents
	hub      *hub
	problems []Problem
	ctx      context.Context // the life of the background sync, ended by Close
	stop     context.CancelFunc
	done     sync.WaitGroup

	writing sync.Mutex   // one Update at a time
	views   sync.RWMutex // no View begins between the parts of a commit
	torn    atomic.Bool  // such a commit failed between them: the next start ends it
	syncing sync.Mutex   // one Sync at a time

	commits atomic.Uint64 // Updates that wrote something
	synced  atomic.Uint64 // commits when the last Sync began
	closed  atomic.Bool
}

// Open opens or makes the store in opt.Dir. It fails with [ErrLocked] while
// another process, or this one, has it.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if opt.Now == nil {
		return nil, errors.New("opening the store: Options.Now is needed")
	}
	if opt.Dir == "" && !opt.InMemory {
		return nil, errors.New("opening the store: Options.Dir is needed")
	}
	s := &Store{opt: opt, log: opt.Log, hub: newHub()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.opt.fsync == nil {
		s.opt.fsync = fsync
	}
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("opening the store: %w", errors.Join(err, s.inTime(s.release)))
	}
	s.done.Go(s.hub.run)
	if opt.After != nil {
		s.done.Go(s.background)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if s.opt.Dir == "" {
		if s.temp, err = os.MkdirTemp("", "odbxfs-content-"); err != nil {
			return err
		}
		s.opt.Dir = s.temp
	}
	if err := os.MkdirAll(filepath.Join(s.opt.Dir, contentDir, workDir), 0o700); err != nil {
		return err
	}
	if s.lock, err = lock(filepath.Join(s.opt.Dir, lockFile)); err != nil {
		return err
	}
	if err := removeEmptyLogs(filepath.Join(s.opt.Dir, dbDir)); err != nil {
		return err
	}
	if err := s.roomForLogs(); err != nil {
		return err
	}
	size, err := s.tableSize()
	if err != nil {
		return err
	}
	db, err := badger.Open(s.badgerOptions(size))
	if err != nil {
		return err // what comes with it is not whole, and closing it panics
	}
	s.db = db
	s.at(pointOpened)
	s.contents = &Contents{
		s: s, dir: filepath.Join(s.opt.Dir, contentDir),
		all:    map[odbxfs.ContentID]*entry{},
		bySHA1: map[odbxfs.SHA1]odbxfs.ContentID{},
		dirty:  map[odbxfs.ContentID]*entry{},
	}
	return s.start(ctx)
}

// lock takes the store for this process.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close() // it was only opened for the lock
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w", filepath.Dir(path), ErrLocked)
		}
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return f, nil
}

// badgerOptions: no value log (maxRecord), no compression and so no block
// cache: records are small, and reads go to the page cache. There is one writer,
// so Badger needs to look for no conflicts. Three tables of level 0 are compacted,
// not five, so that it needs no more room than there is (reserved).
func (s *Store) badgerOptions(size int64) badger.Options {
	o := badger.DefaultOptions(filepath.Join(s.opt.Dir, dbDir))
	if s.opt.InMemory {
		o = badger.DefaultOptions("").WithInMemory(true)
	}
	return o.WithLogger(badgerLog{s.log}).WithMetricsEnabled(false).WithDetectConflicts(false).
		WithCompression(options.None).WithBlockCacheSize(0).
		WithMemTableSize(size).WithNumMemtables(3).WithNumCompactors(2).WithNumLevelZeroTables(3).
		WithValueThreshold(min(1<<20, size*15/100-1)).WithValueLogFileSize(1 << 20).
		WithSyncWrites(false)
}

// badgerLog lets Badger speak through our logger.
type badgerLog struct{ l *slog.Logger }

func (b badgerLog) Errorf(f string, a ...any)   { b.l.Error("badger", "said", fmt.Sprintf(f, a...)) }
func (b badgerLog) Warningf(f string, a ...any) { b.l.Warn("badger", "said", fmt.Sprintf(f, a...)) }
func (b badgerLog) Infof(f string, a ...any)    { b.l.Debug("badger", "said", fmt.Sprintf(f, a...)) }
func (b badgerLog) Debugf(string, ...any)       {}

// closeWithin is how long a disk may take to let the store be closed: a table
// of 32 MiB and what was written in the last second.
const closeWithin = time.Minute

// Close syncs and closes. Further closes do nothing. When the disk does not
// answer it gives up after a minute with [ErrStuck], and on a full one it leaves
// Badger open and gives [ErrFull]: then the process should end, which keeps the
// store locked until it does. Neither loses what was acknowledged: it is in the
// logs, and the next Open takes it from there.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.inTime(s.close)
}

func (s *Store) close() error {
	// The mark says that all contents are on disk, so they come first.
	err := s.sync()
	s.at(pointClosing)
	if err == nil {
		err = s.update(func(tx *Tx) error { return tx.setRaw(keyText(kCounter, cleanMark), nil) })
	}
	s.at(pointMarked)
	if err == nil {
		err = s.sync()
	}
	s.at(pointReleased)
	if rerr := s.release(); err == nil {
		err = rerr
	}
	return err
}

// inTime runs fn and waits for it no longer than closeWithin. Badger tries
// without end to write a table that the disk does not take.
func (s *Store) inTime(fn func() error) error {
	if s.opt.After == nil {
		return fn()
	}
	done := make(chan error, 1)
	go func() { done <- fn() }()
	select {
	case err := <-done:
		return err
	case <-s.opt.After(closeWithin):
		return fmt.Errorf("closing the store in %s: %w", s.opt.Dir, ErrStuck)
	}
}

func (s *Store) release() error {
	s.stop()
	s.hub.close()
	s.done.Wait()
	if s.db != nil {
		if err := s.roomForLogs(); err != nil {
			return fmt.Errorf("closing the store in %s; nothing is lost, but it can be opened only once there is room: %w", s.opt.Dir, err)
		}
	}
	var err error
	if s.db != nil {
		err = s.db.Close()
	}
	if s.lock != nil {
		if cerr := s.lock.Close(); err == nil {
			err = cerr
		}
	}
	if s.temp != "" {
		if rerr := os.RemoveAll(s.temp); err == nil {
			err = rerr
		}
	}
	return err
}

// View calls fn with a read-only snapshot.
func (s *Store) View(fn func(*Tx) error) error {
	if s.closed.Load() {
		return ErrClosed
	}
	if s.torn.Load() {
		return ErrTorn
	}
	tx := s.newTx(false)
	defer tx.snap.Discard()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.err
}

// Update calls fn in a transaction and commits unless fn fails. There is one
// Update at a time; fn must be quick, do no I/O elsewhere, and call nothing of
// the store but its transaction. What is committed survives the process at
// once, and the machine after the next [Store.Sync]. [ErrFull] when the disk has
// no room left.
func (s *Store) Update(fn func(*Tx) error) error {
	if s.closed.Load() {
		return ErrClosed
	}
	if err := s.roomForRecords(); err != nil {
		return err
	}
	if err := s.update(fn); err != nil {
		return err
	}
	if s.opt.After == nil {
		return s.sync()
	}
	return nil
}

func (s *Store) update(fn func(*Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.torn.Load() {
		return ErrTorn
	}
	tx := s.newTx(true)
	defer tx.snap.Discard()
	if err := fn(tx); err != nil {
		return err
	}
	if tx.err != nil {
		return tx.err
	}
	if len(tx.pend) > 0 {
		if err := s.roomForLogs(); err != nil {
			return err
		}
	}
	changes, err := tx.settleContents()
	if err != nil {
		return err
	}
	s.at(pointBegun)
	if err := tx.commit(); err != nil {
		return err
	}
	s.at(pointLogged)
	if len(tx.pend) > 0 {
		s.commits.Add(1)
	}
	s.contents.committed(changes)
	s.at(pointSettled)
	s.hub.publish(tx.events)
	return nil
}

// Subscribe calls fn after each commit with its events, from one goroutine, in
// order of commits, with no lock held. After cancel no new call starts.
func (s *Store) Subscribe(fn func([]Event)) (cancel func()) { return s.hub.subscribe(fn) }

// Contents gives the store's file contents.
func (s *Store) Contents() *Contents { return s.contents }

// ID names this store among all stores; it begins every key made here.
func (s *Store) ID() string { return s.id }

func newID() (string, error) {
	b := make([]byte, 9)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}
