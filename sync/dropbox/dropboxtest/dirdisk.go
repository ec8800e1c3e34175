package dropboxtest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// dirDisk keeps Options.Dir equal with the tree. All its fields but the
// channels are guarded by the server's lock.
type dirDisk struct {
	s    *Server
	root string
	tmp  string

	fd      int // of inotify; File.Fd would make it blocking
	inotify *os.File
	handed  atomic.Int64     // bytes of events read from inotify
	byWatch map[int32]string // watch -> folder id; the root is ""
	watches map[string]int32
	dirty   map[string]bool    // folders in which something happened
	busy    map[spot]time.Time // files open for writing, and their last event
	closed  bool
	failed  error               // why the last look at the directory broke off; nil when it did not
	stopped chan struct{}       // closed when the loops have ended
	events  chan []inotifyEvent // closed by the reader
}

// spot is a name in a folder.
type spot struct{ folder, name string }

func openDirDisk(s *Server) (*dirDisk, error) {
	root, err := filepath.Abs(s.opt.Dir)
	if err != nil {
		return nil, err
	}
	state, err := filepath.Abs(s.opt.State)
	if err != nil {
		return nil, err
	}
	if state == root || strings.HasPrefix(state, root+"/") {
		return nil, fmt.Errorf("open directory: the state %s must lie outside %s", state, root)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("open directory: %w", err)
	}
	d := &dirDisk{s: s, root: root, tmp: filepath.Join(state, "tmp"), byWatch: map[int32]string{}, watches: map[string]int32{},
		dirty: map[string]bool{}, busy: map[spot]time.Time{}, stopped: make(chan struct{}), events: make(chan []inotifyEvent)}
	if a, b, err := sameDevice(root, d.tmp); err != nil || a != b {
		return nil, errors.Join(err, fmt.Errorf("open directory: %s and %s must be on one file system", root, state))
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch directory: %w", err)
	}
	d.fd = fd
	d.inotify = os.NewFile(uintptr(fd), "inotify")
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := d.settleAll(); err != nil {
		return nil, errors.Join(err, d.inotify.Close())
	}
	go d.read()
	go d.loop()
	return d, nil
}

func sameDevice(a, b string) (x, y uint64, err error) {
	ia, _, err := look(a)
	if err != nil {
		return 0, 0, err
	}
	ib, _, err := look(b)
	if err != nil {
		return 0, 0, err
	}
	return ia.Dev, ib.Dev, nil
}

// look asks who stands at a path. mode is that of stat(2).
func look(path string) (id *ident, mode uint16, err error) {
	var st unix.Statx_t
	const want = unix.STATX_BASIC_STATS | unix.STATX_BTIME
	if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, want, &st); err != nil {
		return nil, 0, &fs.PathError{Op: "statx", Path: path, Err: err}
	}
	ns := func(t unix.StatxTimestamp) int64 { return t.Sec*1e9 + int64(t.Nsec) }
	id = &ident{Dev: unix.Mkdev(st.Dev_major, st.Dev_minor), Inode: st.Ino, Birth: ns(st.Btime)}
	if st.Mode&unix.S_IFMT == unix.S_IFREG {
		id.Size, id.Mod, id.Change = int64(st.Size), ns(st.Mtime), ns(st.Ctime)
	}
	return id, st.Mode & unix.S_IFMT, nil
}

func (d *dirDisk) path(n *node) string { return d.root + n.display() }

func (d *dirDisk) join(parent *node, name string) string { return d.path(parent) + "/" + name }

// expect checks that n stands in the directory as the tree knows it.
func (d *dirDisk) expect(n *node) error {
	id, _, err := look(d.path(n))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return errStale
	case err != nil:
		return err
	case n.ident == nil || n.folder() && id.key() != n.ident.key() || !n.folder() && *id != *n.ident:
		return errStale
	}
	return nil
}

// diskError sorts what a change of the directory failed with.
func diskError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENAMETOOLONG):
		return fail("malformed_path") // longer than the disk takes; Dropbox has such a limit too
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ENOTEMPTY):
		return errStale
	}
	return err
}

func (d *dirDisk) mkdir(parent *node, name string) (*ident, error) {
	p := d.join(parent, name)
	if err := diskError(os.Mkdir(p, 0o755)); err != nil {
		return nil, err
	}
	id, _, err := look(p)
	return id, diskError(err)
}

// adopt watches a folder that the API made. What a person put there meanwhile
// is found by looking once.
func (d *dirDisk) adopt(n *node) error {
	d.dirty[n.id] = true
	return d.watch(n)
}

func (d *dirDisk) write(over, parent *node, name string, c content) (*ident, error) {
	if over != nil {
		if err := d.expect(over); err != nil {
			return nil, err
		}
	}
	temp, err := d.export(c)
	if err != nil {
		return nil, err
	}
	target, flags := d.join(parent, name), uint(unix.RENAME_NOREPLACE)
	if over != nil {
		target, flags = d.path(over), 0
	}
	if err := unix.Renameat2(unix.AT_FDCWD, temp, unix.AT_FDCWD, target, flags); err != nil {
		return nil, errors.Join(diskError(err), os.Remove(temp))
	}
	id, _, err := look(target)
	return id, diskError(err)
}

// export writes a content to a file beside the directory, with its time.
func (d *dirDisk) export(c content) (string, error) {
	in, err := d.s.store.open(c.hash)
	if err != nil {
		return "", err
	}
	out, err := os.CreateTemp(d.tmp, "out-")
	if err != nil {
		return "", errors.Join(err, in.Close())
	}
	_, err = io.Copy(out, in)
	err = errors.Join(err, out.Chmod(0o644), out.Close(), in.Close(), os.Chtimes(out.Name(), c.client, c.client))
	return out.Name(), err
}

func (d *dirDisk) move(n, parent *node, name string) (*ident, error) {
	if err := d.expect(n); err != nil {
		return nil, err
	}
	target := d.join(parent, name)
	if err := unix.Renameat2(unix.AT_FDCWD, d.path(n), unix.AT_FDCWD, target, unix.RENAME_NOREPLACE); err != nil {
		return nil, diskError(err)
	}
	id, _, err := look(target) // a rename changes ctime
	return id, diskError(err)
}

// remove deletes what the tree knows of n. Everything is looked at first, so
// that nothing is gone when something unknown is found.
func (d *dirDisk) remove(n *node) error {
	var stale error
	n.walk(func(c *node) {
		if stale == nil {
			stale = d.expect(c)
		}
		if stale == nil && c.folder() {
			stale = d.onlyKnown(c)
		}
	})
	if stale != nil {
		return stale
	}
	n.walk(func(c *node) {
		if c.folder() {
			d.unwatch(c.id)
		}
	})
	return diskError(os.RemoveAll(d.path(n)))
}

// onlyKnown checks that a folder holds nothing that the account should have.
func (d *dirDisk) onlyKnown(n *node) error {
	list, err := os.ReadDir(d.path(n))
	if err != nil {
		return diskError(err)
	}
	for _, e := range list {
		plain := e.Type().IsRegular() || e.IsDir()
		if n.children[fold(e.Name())] == nil && plain && !d.s.opt.Behaviour.ignoredOnDisk(e.Name()) {
			return errStale
		}
	}
	return nil
}

func (d *dirDisk) close() error {
	d.s.mu.Lock()
	d.closed = true
	err := errors.Join(d.failed, d.inotify.Close())
	d.s.mu.Unlock()
	<-d.stopped
	return err
}
