package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"odbxfs"
)

// writeForEver writes one file after the other, and says each that was
// acknowledged.
func writeForEver(ctx context.Context, dir string, _ []string) error {
	s, err := Open(ctx, childOptions(dir))
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if err := writeNumbered(ctx, s, n, 4000+8*n); err != nil {
			return err
		}
		fmt.Println(numbered(n))
	}
}

func TestKillLeavesEverythingThatWasAcknowledged(t *testing.T) {
	dir := t.TempDir()
	var acked []string // what it said before it died counts too
	untilKilled(t, func(name string) bool {
		acked = append(acked, name)
		if len(acked) == 10 {
			if _, err := Open(t.Context(), Options{Dir: dir, Now: time.Now}); !errors.Is(err, ErrLocked) {
				t.Errorf("a second process got %v, want ErrLocked", err)
			}
		}
		return len(acked) == 150
	}, "write", dir)
	if len(acked) < 150 {
		t.Fatalf("only %d files were written", len(acked))
	}
	s := diskStore(t, dir)
	if p := s.Problems(); len(p) != 0 {
		t.Fatalf("problems: %v", p)
	}
	sent := map[odbxfs.NodeID]odbxfs.Intent{}
	for _, i := range intents(t, s) {
		sent[i.Node] = i
	}
	for n, name := range acked {
		i := lookup(t, s, odbxfs.RootNode, name)
		want := strings.Repeat(fmt.Sprintf("%08d", n), (4000+8*n)/8)
		if in := sent[i.Node]; in.ContentSHA1 != sha(want) || read(t, s, i.Node) != want {
			t.Fatalf("%s: %+v", name, in)
		}
	}
}

// TestASyncReachesTablesThatWereRotatedOut crashes the machine, so to speak,
// while a table that was rotated out is not in the tree's files yet. What is
// on disk then is modelled as: of Badger's logs what our Sync synced, at the
// moment it did; of its other files, which Badger syncs itself before it
// removes a log, what is there. (What the disk does with bytes that nobody
// synced is modelled by their absence.)
func TestASyncReachesTablesThatWereRotatedOut(t *testing.T) {
	s := diskStore(t, t.TempDir())
	db := filepath.Join(s.opt.Dir, dbDir)
	// Badger can't make the table's file at first, and tries again a second later.
	obstacle := filepath.Join(db, "000001.sst")
	if err := os.WriteFile(obstacle, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	written := writeUntilRotation(t, s, db)
	image, logs := syncIntoImage(t, db)
	if len(logs) != 2 {
		t.Fatalf("%d tables in memory, want 2", len(logs))
	}
	if lost := lostIn(t, image, written); lost != 0 {
		t.Fatalf("%d of %d synced commits were lost", lost, written)
	}
	// The same with what Badger's own Sync reaches: the newest log only.
	if err := os.Remove(filepath.Join(image, dbDir, logs[0])); err != nil {
		t.Fatal(err)
	}
	if lostIn(t, image, written) == 0 {
		t.Fatal("nothing was lost without the older log: this test shows nothing")
	}
}

// writeUntilRotation commits numbered keys until there are two logs.
func writeUntilRotation(t *testing.T, s *Store, db string) (n int) {
	t.Helper()
	blob := make([]byte, 8<<10)
	if _, err := rand.Read(blob); err != nil {
		t.Fatal(err)
	}
	for range 10000 {
		n++
		update(t, s, func(tx *Tx) error { return tx.SetMeta(fmt.Sprintf("m%06d", n), blob) })
		logs, err := filepath.Glob(filepath.Join(db, "*"+logSuffix))
		if err != nil {
			t.Fatal(err)
		}
		if len(logs) >= 2 {
			return n
		}
	}
	t.Fatal("no rotation")
	return n
}

// syncIntoImage syncs as Sync does and copies what it syncs.
func syncIntoImage(t *testing.T, db string) (image string, logs []string) {
	t.Helper()
	image = t.TempDir()
	to := filepath.Join(image, dbDir)
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	err := syncLogs(db, func(path string) error {
		if err := fsync(path); err != nil || path == db {
			return err
		}
		if err := copyFile(path, filepath.Join(to, filepath.Base(path))); err != nil {
			return err
		}
		logs = append(logs, filepath.Base(path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// The manifest first: a table file that it does not name yet is ignored.
	for _, pattern := range []string{"MANIFEST", "KEYREGISTRY", "*.sst", "*.vlog", "DISCARD"} {
		files, err := filepath.Glob(filepath.Join(db, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := copyFile(f, filepath.Join(to, filepath.Base(f))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return image, logs
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

// lostIn opens a copy of an image and counts the missing keys.
func lostIn(t *testing.T, image string, n int) (lost int) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(image)); err != nil {
		t.Fatal(err)
	}
	o := testOptions()
	o.Dir, o.After = dir, func(time.Duration) <-chan time.Time { return nil }
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		for k := range n {
			b, err := tx.Meta(fmt.Sprintf("m%06d", k+1))
			if err != nil {
				return err
			}
			if b == nil {
				lost++
			}
		}
		return nil
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return lost
}

func TestDamagedContentIsReportedAndNotSent(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(path string) error
		reason string
	}{
		{"missing", os.Remove, "no longer in the store"},
		{"short", func(p string) error { return os.Truncate(p, 3) }, "no longer in the store"},
		{"other bytes of the same length", func(p string) error { return os.WriteFile(p, []byte("HELLO"), 0o600) }, "not those that were written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := diskStore(t, dir)
			i := write(t, s, odbxfs.RootNode, "a", "hello")
			good := write(t, s, odbxfs.RootNode, "b", "fine")
			if err := s.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := c.damage(s.contents.path(i.Content)); err != nil {
				t.Fatal(err)
			}
			crashed := crash(t, s)
			s = diskStore(t, crashed)
			p := s.Problems()
			if len(p) != 1 || p[0].Node != i.Node || p[0].Path != "/a" || !strings.Contains(p[0].Reason, c.reason) {
				t.Fatalf("problems: %+v", p)
			}
			for _, in := range intents(t, s) {
				if (in.Reason != "") != (in.Node == i.Node) {
					t.Errorf("the intent is %+v", in)
				}
			}
			if now := lookup(t, s, odbxfs.RootNode, "a"); now.State != odbxfs.StateParked {
				t.Errorf("the file is %+v", now)
			}
			if read(t, s, good.Node) != "fine" {
				t.Error("the other file suffered")
			}
		})
	}
}

func TestAnEmptyLogDoesNotKeepTheStoreShut(t *testing.T) {
	s := diskStore(t, t.TempDir())
	write(t, s, odbxfs.RootNode, "a", "x")
	dir := crash(t, s)
	if err := os.WriteFile(filepath.Join(dir, dbDir, "00099"+logSuffix), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s = diskStore(t, dir)
	wantNames(t, s, odbxfs.RootNode, "a")
}

// crash copies a store's files as they are, without closing it, and but for
// some of Badger's.
func crash(t *testing.T, s *Store, without ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	err := os.CopyFS(dir, os.DirFS(s.opt.Dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, name := range without {
		if err := os.Remove(filepath.Join(dir, dbDir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAFileThatWasNeverClosedIsTakenBack(t *testing.T) {
	s := diskStore(t, t.TempDir())
	putOdoo(t, s, func() odbxfs.OdooNode { d := document(7, "old", odbxfs.RootRef()); return d }())
	update(t, s, func(tx *Tx) error {
		if _, err := tx.Create(odbxfs.RootNode, "fresh", 0); err != nil {
			return err
		}
		if _, err := tx.Create(odbxfs.RootNode, "tmp", 0); err != nil {
			return err
		}
		// Renamed over a file while it is still open.
		return tx.Rename(odbxfs.RootNode, "tmp", odbxfs.RootNode, "old", 0)
	})
	s = diskStore(t, crash(t, s))
	wantNames(t, s, odbxfs.RootNode, "old")
	if i := lookup(t, s, odbxfs.RootNode, "old"); i.SHA1 != sha("old") || i.State != odbxfs.StateClean {
		t.Fatalf("the file is %+v", i)
	}
	if l := intents(t, s); len(l) != 0 {
		t.Fatalf("left: %+v", l)
	}
}

func TestContentsThatNobodyHasAreSwept(t *testing.T) {
	s := diskStore(t, t.TempDir())
	keep := write(t, s, odbxfs.RootNode, "a", "keep me")
	seal(t, s, "never committed")
	if _, err := s.Contents().New(10, ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = diskStore(t, crash(t, s))
	if total, _ := s.Contents().Usage(); total != 7 || read(t, s, keep.Node) != "keep me" {
		t.Fatalf("%d bytes are here, want 7", total)
	}
	next := write(t, s, odbxfs.RootNode, "b", "x")
	if next.Content == keep.Content {
		t.Fatal("a content id was used again")
	}
}
