package sync

import (
	"errors"
	"testing"

	"odbxfs"
)

// The verdict on an error: of the item, or of the remote as a whole.
func TestWhatAnErrorMeansForATask(t *testing.T) {
	for _, c := range []struct {
		kind     odbxfs.ErrorKind
		attempts int
		want     end
	}{
		{odbxfs.KindUnavailable, 0, endWait},
		{odbxfs.KindRateLimited, 50, endWait},
		{odbxfs.KindCredentials, 0, endWait},
		{odbxfs.KindFull, 0, endWait},
		{odbxfs.KindChanged, 0, endReplan},
		{odbxfs.KindExists, maxAttempts, endRetry}, // which parks it
		{odbxfs.KindInvalid, 0, endRetry},
		{odbxfs.KindCorrupt, 0, endRetry},
	} {
		w := work{Task: odbxfs.Task{Attempts: c.attempts}}
		if v := fail(w, toOdoo, &odbxfs.Error{Kind: c.kind}); v.end != c.want || v.side != toOdoo || v.err == nil {
			t.Errorf("%s after %d: %+v", c.kind, c.attempts, v)
		}
	}
}

// An error about no op in particular is the remote's: nobody is to blame.
func TestAnErrorOfAWholeBatchIsNoItems(t *testing.T) {
	for _, v := range failAll(make([]work, 3), toDropbox, errors.New("what was that")) {
		if v.end != endWait || v.side != toDropbox {
			t.Errorf("verdict %+v", v)
		}
	}
	for _, v := range failAll(make([]work, 2), toDropbox, &odbxfs.Error{Kind: odbxfs.KindInvalid}) {
		if v.end != endRetry {
			t.Errorf("verdict %+v", v)
		}
	}
}

func TestASorterKeepsThePlaces(t *testing.T) {
	s := newSorter(6)
	s.each(func(i int) *verdict {
		if i%2 == 0 {
			return &verdict{end: endReplan}
		}
		return nil
	})
	if len(s.open) != 3 {
		t.Fatalf("open are %v", s.open)
	}
	s.each(func(i int) *verdict { return &verdict{end: end(i) % 3} })
	for i, v := range s.out {
		want := end(i) % 3
		if i%2 == 0 {
			want = endReplan
		}
		if v.end != want {
			t.Errorf("place %d has %d, want %d", i, v.end, want)
		}
	}
	if len(s.open) != 0 {
		t.Errorf("open are %v", s.open)
	}
}
