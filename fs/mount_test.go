package fs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/posixtest"

	"odbxfs"
)

// TestMain fails the run when a test leaves a mount behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := mounts(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "mounts left behind:", left)
		code = 1
	}
	os.Exit(code)
}

// mounts lists the mount points of this process's tests.
func mounts() (all []string) {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return []string{err.Error()}
	}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, fsName()+" ") {
			all = append(all, strings.Fields(line)[1])
		}
	}
	return all
}

// fsName names the mounts of this process.
func fsName() string { return fmt.Sprintf("odbxfs-test-%d", os.Getpid()) }

// world is a mount over a store, and what a test needs around it.
type world struct {
	t     *testing.T
	mnt   string
	store testStore
	srv   *Server
	skew  atomic.Int64 // the mount's clock is so many ns fast
}

func newWorld(t *testing.T, with ...func(*Options)) *world {
	t.Helper()
	var store testStore = newRealStore(t)
	w := &world{t: t, store: store, mnt: filepath.Join(t.TempDir(), "mnt")}
	if err := os.Mkdir(w.mnt, 0o700); err != nil {
		t.Fatal(err)
	}
	level := slog.LevelError
	if testing.Verbose() {
		level = slog.LevelWarn
	}
	opt := Options{
		Dir: w.mnt, Store: store, Opener: store, Now: func() time.Time { return time.Now().Add(time.Duration(w.skew.Load())) }, FsName: fsName(),
		Backups: DefaultBackups(), Debug: os.Getenv("FUSE_DEBUG") != "",
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: level})),
	}
	for _, fn := range with {
		fn(&opt)
	}
	srv, err := Mount(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	w.srv = srv
	if fake, ok := opt.Store.(testStore); ok {
		w.store = fake
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := srv.Unmount(ctx); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return w
}

// sh runs a shell command in the mount, as another process, and gives its output.
func (w *world) sh(script string) string {
	w.t.Helper()
	out, err := w.try(script)
	if err != nil {
		w.t.Fatalf("%s\n%v\n%s", script, err, out)
	}
	return out
}

func (w *world) try(script string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-ec", "cd \"$MNT\"\n"+script)
	cmd.Env = append(os.Environ(), "MNT="+w.mnt, "HOME="+w.t.TempDir(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// inode gives what the store has at a path below the mount.
func (w *world) inode(path string) (odbxfs.Inode, bool) {
	var at odbxfs.Inode
	err := w.store.View(func(tx Tx) (err error) {
		at = odbxfs.Inode{Node: odbxfs.RootNode}
		for name := range strings.SplitSeq(path, "/") {
			if at, err = lookupIn(tx, at.Node, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, syscall.ENOENT) {
		w.t.Fatal(err)
	}
	return at, err == nil
}

func (w *world) mustInode(path string) odbxfs.Inode {
	w.t.Helper()
	ino, ok := w.inode(path)
	if !ok {
		w.t.Fatalf("%s is not in the store", path)
	}
	return ino
}

// bytes gives the store's bytes of a path.
func (w *world) bytes(path string) string {
	w.t.Helper()
	ino := w.mustInode(path)
	b, err := w.store.read(ino.Content)
	if err != nil {
		w.t.Fatalf("content of %s: %v", path, err)
	}
	return b
}

// eventually polls until ok, for what reaches the kernel a moment later.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within a minute", what)
}

// notPOSIX has the conformance tests that the mount does not pass, with why.
var notPOSIX = map[string]string{
	"FileBasic":           "wants its mode 0755 back: Odoo has no modes",
	"Link":                "hard links: an attachment is on one record",
	"LinkUnlinkRename":    "hard links",
	"SymlinkReadlink":     "symbolic links: Odoo has none",
	"SetattrSymlink":      "symbolic links",
	"OpenSymlinkRace":     "symbolic links",
	"RenameOpenDir":       "wants the mode 0700 of its folder back, and skips",
	"Tmpfile":             "skips: O_TMPFILE is not offered, programs then make a file with a name",
	"XAttr":               "extended attributes: answering them costs ls -l 12x, and it skips",
	"FcntlFlockLocksFile": "wants two locks of one process to conflict, which they do on no kernel file system (tmpfs fails it too)",
	"XAttrLarge":          "extended attributes, and it skips",
}

func TestPOSIX(t *testing.T) {
	for name := range notPOSIX {
		if posixtest.All[name] == nil {
			t.Errorf("%s is excluded, but there is no such test", name)
		}
	}
	for name, fn := range posixtest.All {
		if notPOSIX[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) { fn(t, newWorld(t).mnt) })
	}
}
