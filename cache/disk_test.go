package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"odbxfs"
)

// smallDisk is the size of the disk that these tests fill: large enough for the
// smallest tables, small enough to be filled in a moment.
const smallDisk = 160 << 20

// TestAFullDisk fills a disk, by the store up to its reserve and by somebody else
// to the last byte; then the store is closed or killed, opened in vain, and opened
// again once there is room. On a file system of this size where the machine
// lets us have one, and always on one whose bytes are counted.
func TestAFullDisk(t *testing.T) {
	for _, end := range []string{"closed", "killed"} {
		for _, kind := range []string{"tmpfs", "counted"} {
			t.Run(end+" on a disk that is "+kind, func(t *testing.T) {
				cmd := childCommand(t.Context(), "disk", t.TempDir(), kind, end)
				if kind == "tmpfs" {
					cmd.SysProcAttr = ownMounts()
				}
				out, err := cmd.Output()
				if kind == "tmpfs" && errors.Is(err, syscall.EPERM) {
					t.Log("this machine lets nobody mount; the counted disk has to do")
					return
				}
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			})
		}
	}
}

// ownMounts lets a process mount without anybody seeing it, and without root.
func ownMounts() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: gid, Size: 1}}
	}
	return attr
}

// workOnSmallDisk is the whole test, each stage in a process of its own.
func workOnSmallDisk(ctx context.Context, dir string, words []string) error {
	kind, end := words[0], words[1]
	if kind == "tmpfs" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return err
		}
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", smallDisk)); err != nil {
			return err
		}
	}
	for _, stage := range []string{"fill-" + end, "refused", "again"} {
		out, err := childCommand(ctx, "stage", dir, kind, stage).Output()
		killed := stage == "fill-killed" && err != nil && strings.Contains(string(out), "killed")
		if err != nil && !killed {
			return fmt.Errorf("stage %s: %w\n%s", stage, err, out)
		}
		if stage == "refused" {
			if err := os.Remove(filepath.Join(dir, othersFile)); err != nil {
				return err
			}
		}
	}
	return nil
}

// othersFile is what somebody else fills the disk with.
const othersFile = "film.mkv"

// diskStage does one stage on the disk.
func diskStage(ctx context.Context, dir string, words []string) error {
	o := childOptions(filepath.Join(dir, "store"))
	o.memTable = 0
	if words[0] == "counted" {
		o.free = func() (int64, int64, error) { used, err := countUsed(dir); return smallDisk - used, smallDisk, err }
	}
	o.After = func(time.Duration) <-chan time.Time { return time.After(20 * time.Second) }
	s, err := Open(ctx, o)
	if words[1] == "refused" {
		if !errors.Is(err, ErrFull) {
			return fmt.Errorf("on the full disk the store opened with %w, want ErrFull", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if words[1] == "again" {
		return readAllAgain(ctx, s)
	}
	if err := fillDisk(ctx, s, dir, words[0]); err != nil {
		return err
	}
	if words[1] == "fill-killed" {
		fmt.Println("killed")
		return unix.Kill(os.Getpid(), unix.SIGKILL)
	}
	if err := s.Close(); !errors.Is(err, ErrFull) {
		return fmt.Errorf("closing on a full disk: %w, want ErrFull", err)
	}
	return nil
}

// fillDisk writes until the store takes no more, and then fills what it left.
func fillDisk(ctx context.Context, s *Store, dir, kind string) error {
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = writeNumbered(ctx, s, n, 1<<20)
	}
	if !errors.Is(err, unix.ENOSPC) || n < 50 {
		return fmt.Errorf("the disk took %d files, then: %w", n, err)
	}
	if free, _, ferr := s.free(); ferr != nil || free < smallDisk/4 {
		return fmt.Errorf("contents left %d bytes free: %w", free, ferr)
	}
	// The reserve still takes records: what is deleted, moved, settled.
	if err := s.Update(func(tx *Tx) error { return tx.SetMeta("reserve", []byte("works")) }); err != nil {
		return err
	}
	if err := fillRest(s, filepath.Join(dir, othersFile), kind); err != nil {
		return err
	}
	if err := s.Update(func(tx *Tx) error { return tx.SetMeta("full", nil) }); !errors.Is(err, ErrFull) {
		return fmt.Errorf("a transaction on a full disk got %w, want ErrFull", err)
	}
	return s.Sync(ctx)
}

// fillRest takes all that the disk has left.
func fillRest(s *Store, path, kind string) error {
	free, _, err := s.free()
	if err != nil {
		return err
	}
	if kind == "counted" {
		return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, free))
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, unix.ENOSPC) {
		return err
	}
	return f.Close()
}

// countUsed sums what lies in a folder: blocks of the store, whole sizes of others.
func countUsed(dir string) (sum int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		var st unix.Stat_t
		if err := unix.Stat(path, &st); errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		if d.Name() == othersFile {
			sum += st.Size
		} else {
			sum += st.Blocks * 512
		}
		return nil
	})
	return sum, err
}

func numbered(n int) string { return fmt.Sprintf("f%05d", n) }

// writeNumbered writes the n-th file as a program does.
func writeNumbered(ctx context.Context, s *Store, n, size int) (err error) {
	w, err := s.Contents().NewWriter(ctx, "", 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Discard()) }()
	text := []byte(strings.Repeat(fmt.Sprintf("%08d", n), size/8))
	if _, err := w.WriteAt(text, 0); err != nil {
		return err
	}
	sealed, err := w.Seal(ctx)
	if err != nil {
		return err
	}
	return s.Update(func(tx *Tx) error {
		i, ok, err := tx.Lookup(odbxfs.RootNode, numbered(n))
		if err == nil && !ok {
			i, err = tx.Create(odbxfs.RootNode, numbered(n), 0)
		}
		if err != nil {
			return err
		}
		_, err = tx.CommitContent(i.Node, sealed)
		return err
	})
}

// readAllAgain wants every file of before, whole, and that the next one is taken
// once others have gone.
func readAllAgain(ctx context.Context, s *Store) error {
	if p := s.Problems(); len(p) != 0 {
		return fmt.Errorf("problems: %v", p)
	}
	var files []odbxfs.Inode
	err := s.View(func(tx *Tx) (err error) {
		if b, err := tx.Meta("reserve"); err != nil || string(b) != "works" {
			return fmt.Errorf("what was committed in the reserve is %q: %w", b, err)
		}
		files, err = tx.ReadDir(odbxfs.RootNode, "", 0)
		return err
	})
	if err != nil || len(files) < 50 {
		return fmt.Errorf("%d files: %w", len(files), err)
	}
	for _, i := range files {
		b, err := os.ReadFile(s.contents.path(i.Content))
		if err != nil || shaOf(b) != i.SHA1 || int64(len(b)) != i.Size {
			return fmt.Errorf("%s has %d of %d bytes: %w", i.Name, len(b), i.Size, err)
		}
	}
	for _, i := range files[:10] {
		if err := s.Update(func(tx *Tx) error { _, err := tx.Unlink(odbxfs.RootNode, i.Name); return err }); err != nil {
			return err
		}
	}
	if err := writeNumbered(ctx, s, 9999, 1<<20); err != nil {
		return fmt.Errorf("writing once there was room: %w", err)
	}
	return s.Close()
}

// TestADiskThatIsGoneEndsTheClose: Badger tries without end to write a table
// where it can't make the file.
func TestADiskThatIsGoneEndsTheClose(t *testing.T) {
	o := testOptions()
	patience := make(chan time.Time)
	o.Dir, o.After = t.TempDir(), func(d time.Duration) <-chan time.Time {
		if d == closeWithin {
			return patience
		}
		return nil
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	i := write(t, s, odbxfs.RootNode, "a", "acknowledged")
	obstacle := filepath.Join(o.Dir, dbDir, "000001.sst")
	if err := os.WriteFile(obstacle, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	closing := make(chan error, 1)
	go func() { closing <- s.Close() }()
	patience <- time.Time{} // Close waits by now
	if err := <-closing; !errors.Is(err, ErrStuck) {
		t.Fatalf("closing: %v, want ErrStuck", err)
	}
	if _, err := Open(t.Context(), o); !errors.Is(err, ErrLocked) {
		t.Errorf("opening it beside what still hangs: %v, want ErrLocked", err)
	}
	after := diskStore(t, crash(t, s, filepath.Base(obstacle)))
	if read(t, after, i.Node) != "acknowledged" || len(after.Problems()) != 0 {
		t.Errorf("lost: %v", after.Problems())
	}
}
