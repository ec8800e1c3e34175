package fs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"odbxfs"
)

func TestTwoProcessesAppendAndNoLineIsLost(t *testing.T) {
	w := newWorld(t)
	w.sh(`: >log
for p in one two; do (i=0; while [ $i -lt 200 ]; do echo "$p $i" >>log; i=$((i+1)); done) & done; wait`)
	lines := strings.Fields(strings.ReplaceAll(w.bytes("log"), " ", "-"))
	seen := map[string]bool{}
	for _, l := range lines {
		seen[l] = true
	}
	for i := range 200 {
		for _, p := range []string{"one", "two"} {
			if !seen[fmt.Sprint(p, "-", i)] {
				t.Fatalf("%s's line %d of %d is lost", p, i, len(lines))
			}
		}
	}
	if len(lines) != 400 {
		t.Errorf("%d lines, want 400", len(lines))
	}
}

// A folder that changes while it is read: what was there all the time comes
// exactly once, whatever is removed and made before and behind the reader.
func TestAFolderIsReadWhileItChanges(t *testing.T) {
	w := newWorld(t)
	const n = 1500
	w.remote(func(tx Tx) error {
		for i := range n {
			if _, err := tx.Create(odbxfs.RootNode, fmt.Sprintf("f%05d", i), 0); err != nil {
				return err
			}
		}
		return nil
	})
	dir, err := os.Open(w.mnt)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	seen := map[string]int{}
	for round := 0; ; round++ {
		names, err := dir.Readdirnames(100)
		for _, name := range names {
			seen[name]++
		}
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		w.remote(func(tx Tx) error {
			if _, err := tx.Unlink(odbxfs.RootNode, fmt.Sprintf("f%05d", 2*round)); err != nil {
				return err
			}
			_, err := tx.Create(odbxfs.RootNode, "e"+strconv.Itoa(round), 0)
			return err
		})
	}
	for i := range n {
		name := fmt.Sprintf("f%05d", i)
		if i%2 == 1 && seen[name] != 1 {
			t.Errorf("%s came %d times", name, seen[name])
		}
	}
	if _, err := dir.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	again, err := dir.Readdirnames(-1)
	if err != nil || len(again) != n {
		t.Errorf("from the start again: %d names, %v", len(again), err)
	}
}

// What was removed beside the mount is gone by its name and by its folder, and
// stays for who has it open; what is made then under the same name is another.
func TestWhatIsRemovedBesideTheMount(t *testing.T) {
	w := newWorld(t, onFake(newFakeStore(time.Now)))
	w.sh("mkdir d; echo old >d/f")
	f, err := os.Open(filepath.Join(w.mnt, "d/f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := w.mustInode("d").Node
	w.remote(func(tx Tx) error {
		if _, err := tx.Unlink(d, "f"); err != nil {
			return err
		}
		return tx.Rmdir(odbxfs.RootNode, "d")
	})
	gone := func(path string) func() bool {
		return func() bool {
			_, err := os.Lstat(filepath.Join(w.mnt, path))
			return errors.Is(err, syscall.ENOENT)
		}
	}
	eventually(t, "the file is gone", gone("d/f"))
	eventually(t, "the folder is gone", gone("d"))
	b, err := io.ReadAll(f)
	if err != nil || string(b) != "old\n" {
		t.Errorf("who has it open reads %q, %v", b, err)
	}
	w.sh("mkdir d; echo new >d/f")
	if got := w.sh("cat d/f"); got != "new" {
		t.Errorf("the new one holds %q", got)
	}
}

func TestANameThatWasMissingComesBesideTheMount(t *testing.T) {
	w := newWorld(t, onFake(newFakeStore(time.Now)))
	if out := w.sh("cat later 2>/dev/null || cat later 2>/dev/null || echo missing"); out != "missing" {
		t.Fatalf("it says %q", out)
	}
	w.remoteFile("later", "here")
	eventually(t, "the file is there", w.prints("cat later", "here"))
}

func TestStatFsTellsOfTheDiskThatTakesTheBytes(t *testing.T) {
	disk := t.TempDir()
	w := newWorld(t, func(o *Options) { o.ContentDir = disk })
	var want, got unix.Statfs_t
	if err := errors.Join(unix.Statfs(disk, &want), unix.Statfs(w.mnt, &got)); err != nil {
		t.Fatal(err)
	}
	if a, b := got.Blocks*uint64(got.Frsize), want.Blocks*uint64(want.Frsize); a != b {
		t.Errorf("its size is %d, the disk's %d", a, b)
	}
	if got.Bavail == 0 || got.Bavail > got.Blocks || got.Namelen != nameMax {
		t.Errorf("it says %+v", got)
	}
	if err := unix.Statfs(newWorld(t).mnt, &got); err != nil || got.Bavail == 0 {
		t.Errorf("without a disk it says %+v, %v", got, err)
	}
}
