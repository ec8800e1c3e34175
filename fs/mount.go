package fs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// maxWrite is the largest request that kernels take without a raised
// max_pages_limit: eight times fewer of them than with 128 KiB.
const maxWrite = 1 << 20

// typeName is the type of our mounts, after "fuse.".
const typeName = "odbxfs"

// Options say what is mounted where.
type Options struct {
	Dir    string // the mount point, an existing folder
	Store  Store
	Opener Opener
	Access Access // nil: whoever may enter the mount may write

	UID, GID   uint32 // the owner of all there is
	AllowOther bool   // let other users of the machine in

	// Backups are endings of backups' names, see DefaultBackups; nil: none.
	Backups []string
	// ContentDir is where bytes lie until they are sent: its free space is what
	// df says. Empty: df says a terabyte.
	ContentDir string

	Now    func() time.Time // the clock, for mtimes of what is written
	FsName string           // the first column of df; empty: odbxfs
	Debug  bool             // log every request
	Log    *slog.Logger
}

// Server is a mount.
type Server struct {
	fs     *FS
	server *fuse.Server
	dir    string
	device uint64        // of what is mounted
	close  func()        // ends notifications; may be called again
	ended  chan struct{} // closed when the kernel has let go
}

// Mount mounts and returns when it answers. ctx is the life of its waits for
// remotes, not of the mount: that ends by [Server.Unmount] or umount(8). A dead
// mount that a killed process left at the place is removed first.
func Mount(ctx context.Context, opt Options) (*Server, error) {
	if err := removeDead(ctx, opt.Dir); err != nil {
		return nil, fmt.Errorf("mount point %s: %w", opt.Dir, err)
	}
	f := newFS(ctx, opt)
	server, err := f.newServer()
	if err != nil {
		return nil, fmt.Errorf("mount at %s: %w", opt.Dir, err)
	}
	s := &Server{fs: f, server: server, dir: opt.Dir, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		server.Serve()
	}()
	if err := server.WaitMount(); err != nil {
		return nil, errors.Join(fmt.Errorf("mount at %s: %w", opt.Dir, err), server.Unmount())
	}
	s.close = f.startNotify()
	if s.device, err = deviceOf(opt.Dir); err != nil {
		return nil, errors.Join(fmt.Errorf("mount at %s: %w", opt.Dir, err), server.Unmount())
	}
	return s, nil
}

// newServer mounts, and sees to it that no child inherits the kernel's end:
// go-fuse 2.12.1 opens it without O_CLOEXEC, and a mount whose process was
// killed lives on, answering nobody, as long as a child of it holds the
// descriptor. As root nothing is executed for the mount, so forks can wait.
func (f *FS) newServer() (*fuse.Server, error) {
	if os.Geteuid() == 0 {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
	}
	server, err := fuse.NewServer(f, f.opt.Dir, f.mountOptions())
	if err != nil {
		return nil, err
	}
	if err := closeOnExec("/dev/fuse"); err != nil {
		return nil, errors.Join(err, server.Unmount())
	}
	return server, nil
}

// closeOnExec marks all descriptors of a device.
func closeOnExec(device string) error {
	const dir = "/proc/self/fd"
	fds, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range fds {
		// One that was closed meanwhile, as that of ReadDir, has no link.
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err != nil || to != device {
			continue
		}
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			return err
		}
		syscall.CloseOnExec(fd)
	}
	return nil
}

func (f *FS) mountOptions() *fuse.MountOptions {
	name := f.opt.FsName
	if name == "" {
		name = "odbxfs"
	}
	return &fuse.MountOptions{
		AllowOther: f.opt.AllowOther,
		Options:    []string{"default_permissions"},
		MaxWrite:   maxWrite,
		FsName:     name,
		Name:       typeName,
		// Others than root need fusermount3.
		DirectMountStrict: os.Geteuid() == 0,
		// Reads in the background can't be interrupted: the process of a
		// program that was killed stays until the remote answers, and so does
		// an rm of the file.
		SyncRead: true,
		// Answering xattrs at all makes ls -l 12 times slower: it asks for
		// three of each file until it hears ENOSYS once.
		DisableXAttrs: true,
		PanicHandler: func(p any) fuse.Status {
			f.log.Error("a request failed by a bug", "panic", p, "stack", string(debug.Stack()))
			return fuse.EIO
		},
		Debug:  f.opt.Debug,
		Logger: slog.NewLogLogger(f.log.Handler(), slog.LevelDebug),
	}
}

// startNotify begins to tell the kernel of the store's events.
func (f *FS) startNotify() (stop func()) {
	unsubscribe := f.store.Subscribe(f.events.put)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		f.notify(end)
	}()
	var once sync.Once
	return func() {
		once.Do(func() {
			unsubscribe()
			close(end)
		})
		<-ended
	}
}

// Wait returns when the mount has ended, by whomever, and all that was written
// is committed.
func (s *Server) Wait() {
	<-s.ended
	s.close()
}

// copiesGrace is how long the end of a mount that is out of the tree is waited
// for: what comes after it is the kernel's own tidying, unless another mount
// namespace has a copy.
const copiesGrace = 2 * time.Second

// copiesNamed is how many programs that have a copy are named.
const copiesNamed = 5

// Unmount ends the mount. While programs have files open it tries again until
// ctx ends, and then detaches the mount: it is gone from the tree, and ends
// when they close. A copy of the mount in another mount namespace (as of a
// container that was started meanwhile) is not waited for: it ends with this
// process.
func (s *Server) Unmount(ctx context.Context) error {
	for {
		select {
		case <-s.ended:
			s.close()
			return nil
		default:
		}
		err := s.unmountOnce(ctx)
		if err == nil {
			s.close()
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("files are open below %s: %w", s.dir, err), detachMount(context.WithoutCancel(ctx), s.dir))
		}
	}
}

// unmountOnce tries to unmount, and waits for the kernel to let go.
func (s *Server) unmountOnce(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.server.Unmount() }()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), copiesGrace)
	defer cancel()
	select {
	case err := <-done:
		return err
	case <-grace.Done():
	}
	if device, err := deviceOf(s.dir); err == nil && device == s.device {
		return <-done // still in the tree: it is busy
	}
	if others := copiesOf("/proc", s.device); len(others) > 0 {
		s.fs.log.Warn("unmounted; programs in a container or sandbox that was started meanwhile still see the folder, until this program ends",
			"dir", s.dir, "programs", len(others), "as", others[:min(len(others), copiesNamed)])
	}
	return nil
}

// deviceOf gives the device that a folder is on.
func deviceOf(dir string) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return 0, fmt.Errorf("stat %s: %w", dir, err)
	}
	return st.Dev, nil
}

// removeDead unmounts what a process that was killed left behind. stat does not
// tell: the kernel answers it for an hour from what it knows. statfs is asked of
// the file system each time.
func removeDead(ctx context.Context, dir string) error {
	var s unix.Statfs_t
	err := unix.Statfs(dir, &s)
	if !errors.Is(err, syscall.ENOTCONN) {
		return err
	}
	return detachMount(ctx, dir)
}

// detachMount takes a mount out of the tree, whoever uses it.
func detachMount(ctx context.Context, dir string) error {
	if os.Geteuid() == 0 {
		return unix.Unmount(dir, unix.MNT_DETACH)
	}
	out, err := exec.CommandContext(ctx, "fusermount3", "-u", "-z", dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("fusermount3: %w: %s", err, out)
	}
	return nil
}

// StatFs implements df, and the free-space checks of file managers.
func (f *FS) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	const block = 4096
	*out = fuse.StatfsOut{
		Bsize: block, Frsize: block, NameLen: nameMax,
		Blocks: 1 << 40 / block, Bfree: 1 << 40 / block, Bavail: 1 << 40 / block,
		Files: 1 << 30, Ffree: 1 << 30,
	}
	if f.opt.ContentDir == "" {
		return fuse.OK
	}
	var s unix.Statfs_t
	if err := unix.Statfs(f.opt.ContentDir, &s); err != nil {
		return f.status("statfs", err)
	}
	unit := uint64(s.Frsize)
	out.Blocks, out.Bfree, out.Bavail = s.Blocks*unit/block, s.Bfree*unit/block, s.Bavail*unit/block
	return fuse.OK
}
