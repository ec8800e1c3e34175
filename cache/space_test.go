package cache

import (
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"odbxfs"
)

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
		{"room for all", reserved + 10, nil},
		{"room for part of it", reserved + 9, ErrFull},
		{"the reserve is begun", reserved / 2, ErrFull},
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
	putOdoo(t, s, document(7, "a", odbxfs.RootRef()))
	free.Store(reserved / 2)
	if err := put(8, "b"); err != nil {
		t.Fatal(err)
	}
	free.Store(reserved/recordShare - 1)
	if err := put(9, "c"); !errors.Is(err, ErrFull) {
		t.Fatalf("a transaction on a full disk: %v", err)
	}
	free.Store(0)
	if err := s.update(func(*Tx) error { return nil }); !errors.Is(err, ErrFull) {
		t.Fatalf("the store's own transaction with nothing left: %v", err)
	}
	free.Store(reserved)
	if err := put(9, "c"); err != nil {
		t.Fatal(err)
	}
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
		return reserved, 1000 << 20, nil
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
