package cache

import (
	"fmt"
	"testing"

	"odbxfs"
)

func TestOpenIntentsComeInOrderAndAsFarAsWanted(t *testing.T) {
	s := memStore(t)
	dir := world(t, s)
	const all = 2*intentPage + 3
	update(t, s, func(tx *Tx) error {
		for i := range all {
			if _, err := tx.Mkdir(dir, fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	})
	for _, want := range []int{1, intentPage, intentPage + 1, all} {
		last, seen := uint64(0), 0
		view(t, s, func(tx *Tx) error {
			return tx.OpenIntents(func(i odbxfs.Intent) bool {
				if i.Seq <= last {
					t.Errorf("%d comes after %d", i.Seq, last)
				}
				last, seen = i.Seq, seen+1
				return seen < want
			})
		})
		if seen != want {
			t.Errorf("%d were read, want %d", seen, want)
		}
	}
}

// A store of before the lists of open intents and of removals gets them when it
// is opened: neither is one forgotten, nor a removal past the guard.
func TestAnOlderStoreGetsItsListsOfIntents(t *testing.T) {
	path := t.TempDir()
	s := diskStore(t, path)
	dir := world(t, s, document(7, "old", order))
	write(t, s, dir, "a", "x")
	update(t, s, func(tx *Tx) error { _, err := tx.Unlink(dir, "old"); return err })
	update(t, s, func(tx *Tx) error {
		for _, i := range intentsIn(t, tx) {
			for _, space := range []string{kIntentOpen, kIntentGone} {
				if err := tx.del(keySeq(space, i.Seq)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	view(t, diskStore(t, path), checkHolds)
}

func intentsIn(t *testing.T, tx *Tx) []odbxfs.Intent {
	t.Helper()
	list, err := tx.Intents()
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v %v, want two intents", list, err)
	}
	return list
}
