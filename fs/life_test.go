package fs

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// slowOpener answers reads when the test says so.
type slowOpener struct {
	asked     chan struct{} // gets one for each read
	cancelled chan struct{} // gets one for each that was interrupted
	release   chan struct{}
	size      int64
}

func (o *slowOpener) OpenRead(context.Context, odbxfs.NodeID) (Content, error) { return o, nil }
func (o *slowOpener) Size() int64                                              { return o.size }
func (o *slowOpener) Close() error                                             { return nil }
func (o *slowOpener) ReadAt(ctx context.Context, p []byte, _ int64) (int, error) {
	o.asked <- struct{}{}
	select {
	case <-o.release:
		return copy(p, "late"), nil
	case <-ctx.Done():
		o.cancelled <- struct{}{}
		return 0, ctx.Err()
	}
}

func TestAReadThatWaitsCanBeInterrupted(t *testing.T) {
	slow := &slowOpener{
		asked: make(chan struct{}, 100), cancelled: make(chan struct{}, 100),
		release: make(chan struct{}), size: 4,
	}
	w := newWorld(t, onFake(newFakeStore(time.Now)), func(o *Options) { o.Opener = slow })
	w.remoteFile("a", "late")
	file := filepath.Join(w.mnt, "a")
	interrupt := func(program string, args ...string) {
		t.Helper()
		cmd := exec.Command(program, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-slow.asked
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = cmd.Wait() // that a signal ended it is no news
		}()
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Errorf("%s did not end", program)
		}
	}
	interrupt("dd", "if="+file, "of=/dev/null", "iflag=direct", "bs=4096")
	<-slow.cancelled
	interrupt("cat", file)
	close(slow.release)
	// The file can be moved and removed, and others written.
	w.sh("echo 1 >b; mv a c; rm c; cat b")
}

func TestAPanicCostsOneRequest(t *testing.T) {
	broken := panicOpener{}
	quiet := slog.New(slog.DiscardHandler)
	w := newWorld(t, onFake(newFakeStore(time.Now)), func(o *Options) { o.Opener, o.Log = broken, quiet })
	w.remoteFile("a", "x")
	if out, err := w.try("cat a"); err == nil || !strings.Contains(out, "Input/output error") {
		t.Errorf("cat said %q, %v", out, err)
	}
	if out := w.sh("echo 1 >b; stat -c %s b; ls"); out != "2\na\nb" {
		t.Errorf("afterwards: %q", out)
	}
}

type panicOpener struct{}

func (panicOpener) OpenRead(context.Context, odbxfs.NodeID) (Content, error) {
	panic("as the test wants")
}

// refusing is an Access and an Opener that say no.
type refusing struct{ nodes atomic.Int64 }

func (r *refusing) MayWrite(context.Context, odbxfs.NodeID) error {
	r.nodes.Add(1)
	return &odbxfs.Error{Op: "check", Kind: odbxfs.KindAccess}
}

func TestWithoutRightsProgramsFailAtOnce(t *testing.T) {
	no := &refusing{}
	w := newWorld(t, func(o *Options) { o.Access, o.Log = no, slog.New(slog.DiscardHandler) })
	w.remoteFile("a", "x")
	w.remote(func(tx Tx) error { _, err := tx.Mkdir(odbxfs.RootNode, "d"); return err })
	for _, script := range []string{"echo 1 >b", "echo 1 >a", "echo 1 >>a", "rm -f a", "mv a b", "mkdir e", "rmdir d", "truncate -s 0 a"} {
		out, err := w.try(script)
		if err == nil || !strings.Contains(out, "Permission denied") {
			t.Errorf("%s: %v %s", script, err, out)
		}
	}
	if out := w.sh("cat a; ls"); out != "xa\nd" {
		t.Errorf("afterwards %q", out)
	}
}

// A file that Odoo cannot keep is refused while it is written, however it is made.
func TestAFileThatOdooCannotKeepIsRefused(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Log = slog.New(slog.DiscardHandler) })
	w.remoteFile("a", "x")
	for _, script := range []string{
		"truncate -s 2147483648 a", "truncate -s 5T a", "printf yz | dd of=a bs=2 seek=2147483646 oflag=seek_bytes conv=notrunc",
		"printf y | dd of=a bs=1 seek=9223372036854775806 conv=notrunc", "fallocate -l 3G a", "truncate -s 5T new",
	} {
		if out, err := w.try(script); err == nil || !strings.Contains(out, "File too large") {
			t.Errorf("%s: %v %s", script, err, out)
		}
	}
	if out := w.sh("cat a; stat -c %s a"); out != "x1" {
		t.Errorf("afterwards %q", out)
	}
}

func TestAForeignDocumentShowsItsAddress(t *testing.T) {
	fake := newFakeStore(time.Now)
	w := newWorld(t, onFake(fake), func(o *Options) { o.Log = slog.New(slog.DiscardHandler) })
	ino := w.remoteFile("a", "")
	fake.mu.Lock()
	ino.Type, ino.URL = odbxfs.Foreign, "https://example.org/x"
	fake.nodes[ino.Node] = ino
	fake.mu.Unlock()
	if out := w.sh("cat a; stat -c %s a"); out != "https://example.org/x\n22" {
		t.Errorf("it shows %q", out)
	}
	if out, err := w.try("echo x >a"); err == nil || !strings.Contains(out, "Permission denied") {
		t.Errorf("writing it said %q, %v", out, err)
	}
}

// hiding is a store whose contents are not here: only the Opener has them.
type hiding struct{ *fakeStore }

func (h hiding) NewWriter(ctx context.Context, base odbxfs.ContentID) (Writer, error) {
	if base != "" {
		return nil, cache.ErrNotWhole
	}
	return h.fakeStore.NewWriter(ctx, base)
}

func TestWritingIntoAFileFetchesItFirst(t *testing.T) {
	fake := newFakeStore(time.Now)
	w := newWorld(t, onFake(fake), func(o *Options) { o.Store = hiding{fake} })
	w.remoteFile("a", "0123456789")
	w.sh("echo x >>a; printf y | dd of=a bs=1 seek=3 conv=notrunc status=none; truncate -s 11 a")
	if got := w.bytes("a"); got != "012y456789x" {
		t.Errorf("it holds %q", got)
	}
	w.remoteFile("b", "0123456789")
	w.sh("printf 1 >b; truncate -s 0 b; printf 2 >b")
	if got := w.bytes("b"); got != "2" {
		t.Errorf("it holds %q", got)
	}
}

func TestAWriterWinsOverAChangeBesideIt(t *testing.T) {
	w := newWorld(t)
	w.sh("echo old >a")
	sig := t.TempDir()
	done := make(chan error, 1)
	go func() {
		_, err := w.try(`SIG=` + sig + ` python3 -c '
import os, time
f = open("a", "ab", 0); f.write(b"mine\n"); sig = os.environ["SIG"]
open(sig + "/ready", "w")
while not os.path.exists(sig + "/go"): time.sleep(0.01)
f.close()'`)
		done <- err
	}()
	eventually(t, "the writer is ready", func() bool { _, err := os.Stat(sig + "/ready"); return err == nil })
	w.remoteFile("a", "theirs")
	if err := os.WriteFile(sig+"/go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := w.bytes("a"); got != "old\nmine\n" {
		t.Errorf("it holds %q", got)
	}
}

func TestUnmountWaitsThenDetachesAndKeepsWhatWasWritten(t *testing.T) {
	w := newWorld(t)
	sig := t.TempDir()
	done := make(chan error, 1)
	go func() {
		_, err := w.try("exec 3>a; echo written >&3; cd /; echo >" + sig + "/ready; while ! test -e " + sig + "/go; do sleep 0.01; done")
		done <- err
	}()
	eventually(t, "the writer is ready", func() bool { _, err := os.Stat(sig + "/ready"); return err == nil })
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := w.srv.Unmount(ctx); err == nil {
		t.Error("unmounted under an open file")
	}
	if _, err := os.Stat(filepath.Join(w.mnt, "a")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still in the tree: %v", err)
	}
	if err := os.WriteFile(sig+"/go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.srv.Wait()
	if got := w.bytes("a"); got != "written\n" {
		t.Errorf("it holds %q", got)
	}
}

// A container that starts meanwhile has a copy of the mount: the daemon's end
// does not wait for the container's.
func TestUnmountDoesNotWaitForCopiesInOtherNamespaces(t *testing.T) {
	w := newWorld(t)
	other := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", "echo there; read end || true")
	if os.Geteuid() != 0 {
		other.Args = append([]string{"unshare", "--user", "--map-root-user"}, other.Args[1:]...)
	}
	end, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(said, make([]byte, len("there"))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.srv.Unmount(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("unmount: %v, %v", err, ctx.Err())
	}
	if _, err := os.ReadDir(w.mnt); err != nil {
		t.Errorf("the mount point: %v", err)
	}
	if err := errors.Join(end.Close(), other.Wait()); err != nil {
		t.Error(err)
	}
	w.srv.Wait()
}

func TestNoChildHoldsTheMount(t *testing.T) {
	w := newWorld(t)
	if out := w.sh("ls -l /proc/self/fd | grep fuse || true"); out != "" {
		t.Errorf("inherited: %s", out)
	}
}

// A mount that a killed process left behind is removed by the next one.
func TestADeadMountIsReplaced(t *testing.T) {
	if dir := os.Getenv("FS_TEST_DIE_AT"); dir != "" {
		store := newFakeStore(time.Now)
		_, err := Mount(context.Background(), Options{
			Dir: dir, Store: store, Opener: store, Now: time.Now,
			FsName: os.Getenv("FS_TEST_NAME"), Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	var dead string
	w := newWorld(t, func(o *Options) {
		dead = o.Dir
		cmd := exec.Command(os.Args[0], "-test.run=^TestADeadMountIsReplaced$")
		cmd.Env = append(os.Environ(), "FS_TEST_DIE_AT="+dead, "FS_TEST_NAME="+fsName())
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Fatalf("it did not die: %s", out)
		}
		eventually(t, "the mount is dead", func() bool {
			var s syscall.Statfs_t
			return errors.Is(syscall.Statfs(dead, &s), syscall.ENOTCONN)
		})
	})
	w.sh("echo 1 >a; cat a")
}
