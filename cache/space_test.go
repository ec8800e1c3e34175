package cache

import (
	"errors"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"odbxfs"
)

// reserve of a disk of 1000 MiB is a quarter of it.
const reserve = 1000 << 20 / 4

// tightStore is a store on a disk of 1000 MiB whose free bytes the test sets.
func tightStore(t *testing.T) (*Store, *atomic.Int64) {
	t.Helper()
	free := &atomic.Int64{}
	free.Store(900 << 20)
	o := testOptions()
	o.Dir, o.After = t.TempDir(), func(time.Duration) <-chan time.Time { return nil }
	o.free = func() (int64, int64, error) { return free.Load(), 1000 << 20, nil }
	return openStore(t, o), free
}

func TestWritesAreRefusedBeforeTheDiskIsFull(t *testing.T) {
	s, free := tightStore(t)
	w, err := s.Contents().NewWriter(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Discard()
	for _, c := range []struct {
		what string
		free int64
		want error
	}{
		{"room for all", reserve + 10, nil},
		{"room for part of it", reserve + 9, ErrFull},
		{"the reserve is begun", reserve * 3 / 4, ErrFull},
		{"a person made room", 900 << 20, nil},
	} {
		free.Store(c.free)
		n, err := w.WriteAt([]byte("0123456789"), 0)
		if !errors.Is(err, c.want) || (err == nil) != (n == 10) {
			t.Errorf("%s: wrote %d, %v", c.what, n, err)
		}
	}
	free.Store(0)
	if _, err := w.WriteAt([]byte("x"), 0); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a program would not see ENOSPC of %v", err)
	}
	free.Store(900 << 20) // for the end of the store
}

func TestTransactionsGoOnInTheReserveAndEndBeforeTheDiskDoes(t *testing.T) {
	s, free := tightStore(t)
	put := func(id int64, name string) error {
		return s.Update(func(tx *Tx) error {
			_, err := tx.PutOdoo(document(id, name, odbxfs.RootRef()))
			return err
		})
	}
	own := func() error { return s.update(func(tx *Tx) error { return tx.SetMeta("own", nil) }) }
	putOdoo(t, s, document(7, "a", odbxfs.RootRef()))
	half := int64(1000<<20) / 8
	for _, c := range []struct {
		what     string
		free     int64
		put, own error
	}{
		{"half of the reserve", half, nil, nil},
		{"less than half of it", half - 1, ErrFull, nil},
		{"room for the logs", logsOf(t, s) + ownRoom, ErrFull, nil},
		{"less than that", logsOf(t, s) + ownRoom - 1, ErrFull, ErrFull},
		{"nothing", 0, ErrFull, ErrFull},
		{"a person made room", half, nil, nil},
	} {
		free.Store(c.free)
		if err := put(8, c.what); !errors.Is(err, c.put) {
			t.Errorf("%s: a transaction got %v, want %v", c.what, err, c.put)
		}
		if err := own(); !errors.Is(err, c.own) {
			t.Errorf("%s: one of the store's own got %v, want %v", c.what, err, c.own)
		}
	}
}

func logsOf(t *testing.T, s *Store) int64 {
	t.Helper()
	n, err := bytesOfLogs(filepath.Join(s.opt.Dir, dbDir))
	if err != nil || n == 0 {
		t.Fatalf("the logs take %d bytes: %v", n, err)
	}
	return n
}

func TestWhatCanBeHadAgainMakesRoomForWhatIsNew(t *testing.T) {
	s, free := tightStore(t)
	putOdoo(t, s, document(7, "a", odbxfs.RootRef()))
	node := lookup(t, s, odbxfs.RootNode, "a").Node
	old := seal(t, s, "fetched before")
	update(t, s, func(tx *Tx) error { return tx.SetContent(node, old.ID) })
	s.opt.free = func() (int64, int64, error) {
		if _, evictable := s.Contents().Usage(); evictable == 0 {
			return free.Load(), 1000 << 20, nil
		}
		return reserve, 1000 << 20, nil
	}
	w, err := s.Contents().NewWriter(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Discard()
	if _, err := w.WriteAt([]byte("new"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Contents().Reader(old.ID); !errors.Is(err, ErrNoContent) {
		t.Fatalf("what was fetched is still here: %v", err)
	}
}
