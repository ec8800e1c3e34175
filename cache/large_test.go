package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"odbxfs"
)

// many is far more than the tables of a test take at once.
const many = 20000

// putMany marks many nodes and changes what was there, in one transaction.
func putMany(tx *Tx) error {
	for id := odbxfs.NodeID(10); id < 10+many; id++ {
		if err := tx.MarkDirty(id); err != nil {
			return err
		}
	}
	if err := tx.ClearDirty([]odbxfs.NodeID{2}); err != nil {
		return err
	}
	return tx.SetMeta("after", []byte("yes"))
}

// oneMark leaves one node marked.
func oneMark(t *testing.T, s *Store) {
	t.Helper()
	update(t, s, func(tx *Tx) error {
		if err := tx.MarkDirty(2); err != nil {
			return err
		}
		return tx.ClearDirty([]odbxfs.NodeID{odbxfs.RootNode})
	})
}

// dirtyCount gives the number of marked nodes, and whether the rest of the same
// transaction holds.
func dirtyCount(tx *Tx) (int, bool, error) {
	ids, err := tx.Dirty(0)
	if err != nil {
		return 0, false, err
	}
	after, err := tx.Meta("after")
	return len(ids), string(after) == "yes", err
}

func TestATransactionOfAnySizeIsSeenWhole(t *testing.T) {
	s := memStore(t)
	oneMark(t, s)
	var ended atomic.Bool
	seen := make(chan error, 1)
	go func() {
		for {
			last := ended.Load()
			err := s.View(func(tx *Tx) error {
				n, after, err := dirtyCount(tx)
				if n == many && after || n == 1 && !after {
					return err
				}
				return fmt.Errorf("%d marks, rest %t: half of it", n, after)
			})
			if err != nil || last {
				seen <- err
				return
			}
		}
	}()
	update(t, s, putMany)
	ended.Store(true)
	if err := <-seen; err != nil {
		t.Error(err)
	}
	view(t, s, func(tx *Tx) error {
		if n, after, err := dirtyCount(tx); n != many || !after || err != nil {
			t.Errorf("%d marks, rest %t, %v", n, after, err)
		}
		return noJournal(tx)
	})
}

func noJournal(tx *Tx) error {
	left, err := tx.list([]byte(kJournal), nil, 0, false)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("%d chunks of a journal are left", len(left))
	}
	if marked, merr := tx.has([]byte(kJournalEnd)); merr != nil || marked {
		err = fmt.Errorf("a mark of a journal is left (%w)", merr)
	}
	return err
}

// What a kill leaves at any point of a large commit becomes all of it or nothing
// at the next start: all from when its journal was marked whole.
func TestALargeCommitThatIsCutOff(t *testing.T) {
	for _, c := range []struct {
		point string
		whole bool
	}{
		{pointBegun, false}, {pointChunks, false}, {pointWhole, true}, {pointPart, true},
		{pointParts, true}, {pointUnmarked, true}, {pointLogged, true},
	} {
		t.Run(c.point, func(t *testing.T) {
			dir, clone := t.TempDir(), t.TempDir()
			o := testOptions()
			armed, taken := false, false
			o.Dir, o.at = dir, func(point string) {
				if armed && !taken && point == c.point {
					taken = true
					cloneAtRest(t, filepath.Join(clone, dbDir), filepath.Join(dir, dbDir))
				}
			}
			s := openStore(t, o)
			oneMark(t, s)
			armed = true
			update(t, s, putMany)
			armed = false
			if !taken {
				t.Fatal("the point was not reached")
			}
			view(t, diskStore(t, clone), func(tx *Tx) error {
				n, after, err := dirtyCount(tx)
				if want := map[bool]int{true: many, false: 1}[c.whole]; n != want || after != c.whole || err != nil {
					t.Errorf("%d marks, rest %t, want %d (%v)", n, after, want, err)
				}
				return noJournal(tx)
			})
		})
	}
}

// cloneAtRest copies the database's folder as a kill would leave it. Nobody
// commits meanwhile, but Badger may still turn a log into a table: a copy during
// which files came or went is made anew.
func cloneAtRest(t *testing.T, to, from string) {
	t.Helper()
	for {
		before := listing(t, from)
		err := errors.Join(os.RemoveAll(to), os.CopyFS(to, os.DirFS(from)))
		same := slices.Equal(before, listing(t, from))
		if err == nil && same {
			return
		}
		if same {
			t.Error(err)
			return
		}
	}
}

// listing gives names and sizes of a folder's files.
func listing(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		all = append(all, fmt.Sprint(e.Name(), " ", info.Size()))
	}
	return all
}
