package cache

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"pgregory.net/rapid"
)

func TestRangesAgreeWithABitmap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const size = 64
		var list []Range
		var have [size]bool
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			off := rapid.Int64Range(0, size-1).Draw(t, "off")
			r := Range{Off: off, Len: rapid.Int64Range(0, size-off).Draw(t, "len")}
			list = addRange(list, r)
			for i := r.Off; i < r.end(); i++ {
				have[i] = true
			}
			if err := validContent(contentRec{Size: size, Ranges: list}); err != nil {
				t.Fatalf("%v: %v", list, err)
			}
		}
		lacks := missing(list, Range{Off: 0, Len: size})
		got := [size]bool{}
		for i := range got {
			got[i] = true
		}
		for _, r := range lacks {
			for i := r.Off; i < r.end(); i++ {
				got[i] = false
			}
		}
		if got != have {
			t.Fatalf("%v lacks %v", list, lacks)
		}
	})
}

func TestAContentIsFilledInPiecesAndVerified(t *testing.T) {
	s := diskStore(t, t.TempDir())
	putOdoo(t, s, document(7, "a", odbxfs.RootRef()))
	node := lookup(t, s, odbxfs.RootNode, "a").Node
	text := "0123456789"
	c, err := s.Contents().New(10, sha(text))
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error { return tx.SetContent(node, c) })
	r, err := s.Contents().Reader(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Fill(4, strings.NewReader(text[4:8])); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadAt(make([]byte, 4), 2); !errors.Is(err, ErrNotWhole) {
		t.Fatalf("a gap was read: %v", err)
	}
	b := make([]byte, 4)
	if _, err := r.ReadAt(b, 4); err != nil || string(b) != text[4:8] {
		t.Fatalf("%q %v", b, err)
	}
	if _, err := r.MarkWhole(t.Context(), ""); !errors.Is(err, ErrNotWhole) {
		t.Fatal(err)
	}
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What was synced is still here after a crash, and nothing else is said to be.
	if _, err := r.Fill(0, strings.NewReader("01")); err != nil {
		t.Fatal(err)
	}
	after := diskStore(t, crash(t, s))
	r2, err := after.Contents().Reader(c)
	if err != nil {
		t.Fatal(err)
	}
	defer r2.Close()
	if gaps := r2.Missing(0, 100); len(gaps) != 2 || gaps[0] != (Range{0, 4}) || gaps[1] != (Range{8, 2}) {
		t.Fatalf("missing %v", gaps)
	}
	if _, err := r.Fill(0, strings.NewReader(text+"more than it takes")); err != nil {
		t.Fatal(err)
	}
	if got, err := r.MarkWhole(t.Context(), ""); err != nil || got != sha(text) {
		t.Fatal(got, err)
	}
	if id, ok := s.Contents().BySHA1(sha(text)); !ok || id != c {
		t.Fatal("not in the index")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOtherBytesThanPromisedAreThrownAway(t *testing.T) {
	s := memStore(t)
	c, err := s.Contents().New(3, sha("abc"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Contents().Reader(c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Fill(0, strings.NewReader("xyz")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.MarkWhole(t.Context(), ""); !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	if r.Whole() || len(r.Missing(0, 3)) != 1 {
		t.Fatal("they are still there")
	}
}

// TestAWriterAgreesWithABuffer writes at random, seals at random, and compares
// all that was ever sealed in the end: sealed bytes do not change.
func TestAWriterAgreesWithABuffer(t *testing.T) {
	s := memStore(t)
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		w, err := s.Contents().NewWriter(ctx, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Discard()
		var buf []byte
		sealed := map[odbxfs.ContentID][]byte{}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"write", "append", "truncate", "seal"}).Draw(t, "do") {
			case "write":
				off := rapid.IntRange(0, len(buf)+10).Draw(t, "off")
				p := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "p")
				buf = writeBuf(buf, p, off)
				if _, err := w.WriteAt(p, int64(off)); err != nil {
					t.Fatal(err)
				}
			case "append":
				p := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "p")
				if _, err := w.WriteAt(p, int64(len(buf))); err != nil {
					t.Fatal(err)
				}
				buf = append(buf, p...)
			case "truncate":
				n := rapid.IntRange(0, len(buf)+10).Draw(t, "n")
				buf = writeBuf(buf, nil, n)[:n]
				if err := w.Truncate(int64(n)); err != nil {
					t.Fatal(err)
				}
			case "seal":
				got, err := w.Seal(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if got.SHA1 != shaOf(buf) || got.Size != int64(len(buf)) {
					t.Fatalf("sealed %+v of %d bytes", got, len(buf))
				}
				if err := s.Update(func(tx *Tx) error {
					if err := tx.knowContent(got); err != nil {
						return err
					}
					return tx.PinContent(got.ID, "test")
				}); err != nil {
					t.Fatal(err)
				}
				sealed[got.ID] = bytes.Clone(buf)
			}
			if w.Size() != int64(len(buf)) {
				t.Fatalf("size %d, want %d", w.Size(), len(buf))
			}
		}
		got := make([]byte, len(buf))
		if n, err := w.ReadAt(got, 0); (err != nil && !errors.Is(err, io.EOF)) || n != len(buf) || !bytes.Equal(got, buf) {
			t.Fatalf("read %d %v", n, err)
		}
		for id, want := range sealed {
			b, err := os.ReadFile(s.contents.path(id))
			if err != nil || !bytes.Equal(b, want) {
				t.Fatalf("content %s changed after it was sealed: %v", id, err)
			}
		}
	})
}

func writeBuf(buf, p []byte, off int) []byte {
	for len(buf) < off+len(p) {
		buf = append(buf, 0)
	}
	copy(buf[off:], p)
	return buf
}

func TestAWriterStartsFromItsBase(t *testing.T) {
	s := memStore(t)
	i := write(t, s, odbxfs.RootNode, "a", "hello world")
	w, err := s.Contents().NewWriter(t.Context(), i.Content, -1)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := w.Seal(t.Context()); err != nil || same.ID != i.Content {
		t.Fatalf("unchanged, but sealed as %+v %v", same, err)
	}
	if _, err := w.WriteAt([]byte("HELLO"), 0); err != nil {
		t.Fatal(err)
	}
	sealed, err := w.Seal(t.Context())
	if err != nil || sealed.SHA1 != sha("HELLO world") || read(t, s, i.Node) != "hello world" {
		t.Fatal(sealed, err)
	}
	if err := w.Discard(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Contents().Reader(sealed.ID); !errors.Is(err, ErrNoContent) {
		t.Fatalf("what nobody committed is still there: %v", err)
	}
}

func TestTheLimitTakesWhatWasUsedLongestAgo(t *testing.T) {
	o := testOptions()
	o.InMemory, o.Dir, o.ContentLimit = true, t.TempDir(), 25
	s := openStore(t, o)
	putOdoo(t, s, document(1, "0123456789", odbxfs.RootRef()), document(2, "abcdefghij", odbxfs.RootRef()), document(3, "ABCDEFGHIJ", odbxfs.RootRef()))
	ids := map[string]odbxfs.ContentID{}
	for _, name := range []string{"0123456789", "abcdefghij", "ABCDEFGHIJ"} {
		ids[name] = fetch(t, s, lookup(t, s, odbxfs.RootNode, name).Node, name)
	}
	unsent := write(t, s, odbxfs.RootNode, "unsent", strings.Repeat("x", 100))
	held, err := s.Contents().Reader(ids["0123456789"]) // used last, and open
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := s.Contents().Evict(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i := lookup(t, s, odbxfs.RootNode, "abcdefghij"); i.Content != "" || i.SHA1 != sha("abcdefghij") {
		t.Fatalf("the oldest is still here: %+v", i)
	}
	for _, name := range []string{"0123456789", "ABCDEFGHIJ"} {
		if i := lookup(t, s, odbxfs.RootNode, name); read(t, s, i.Node) != name {
			t.Fatalf("%s is gone", name)
		}
	}
	if len(read(t, s, unsent.Node)) != 100 {
		t.Fatal("unsent bytes are gone")
	}
	if _, evictable := s.Contents().Usage(); evictable != 20 {
		t.Fatalf("%d bytes can be had again, want 20", evictable)
	}
}

func TestPinsKeepAContent(t *testing.T) {
	s := memStore(t)
	i := write(t, s, odbxfs.RootNode, "a", "bytes")
	update(t, s, func(tx *Tx) error { return tx.PinContent(i.Content, "until seen") })
	update(t, s, func(tx *Tx) error { _, err := tx.Unlink(odbxfs.RootNode, "a"); return err })
	r, err := s.Contents().Reader(i.Content)
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error { return tx.UnpinContent(i.Content, "until seen") })
	b := make([]byte, 5)
	if _, err := r.ReadAt(b, 0); err != nil || string(b) != "bytes" {
		t.Fatalf("an open content went: %q %v", b, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Contents().Reader(i.Content); !errors.Is(err, ErrNoContent) {
		t.Fatalf("it is still there: %v", err)
	}
}

func TestTheBackgroundSyncs(t *testing.T) {
	o := testOptions()
	tick := make(chan time.Time)
	o.Dir, o.After = t.TempDir(), func(time.Duration) <-chan time.Time { return tick }
	s := openStore(t, o)
	write(t, s, odbxfs.RootNode, "a", "x")
	tick <- time.Time{}
	tick <- time.Time{} // taken when the first is through
	s.contents.mu.Lock()
	defer s.contents.mu.Unlock()
	if s.synced.Load() != s.commits.Load() || len(s.contents.dirty) != 0 {
		t.Fatal("something was not synced")
	}
}

// Fetched for a rename over a file, and let go of by who fetched them: the mount
// does so when a document whose bytes are elsewhere is moved over another.
func TestBytesFetchedForARenameOutliveTheirWriter(t *testing.T) {
	s := diskStore(t, t.TempDir())
	putOdoo(t, s, document(1, "far", odbxfs.RootRef()), document(2, "old", odbxfs.RootRef()))
	target := lookup(t, s, odbxfs.RootNode, "old")
	w, sealed := writer(t, s, "far")
	update(t, s, func(tx *Tx) error {
		far, _, err := tx.Lookup(odbxfs.RootNode, "far")
		if err != nil {
			return err
		}
		return tx.SetContent(far.Node, sealed.ID)
	})
	update(t, s, func(tx *Tx) error { return tx.Rename(odbxfs.RootNode, "far", odbxfs.RootNode, "old", 0) })
	if err := w.Discard(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, target.Node); got != "far" {
		t.Fatalf("it holds %q", got)
	}
	s = diskStore(t, crash(t, s))
	if p := s.Problems(); len(p) != 0 || read(t, s, target.Node) != "far" {
		t.Fatalf("after a kill: %v", p)
	}
}

func TestWhatNobodyTookGoesWithItsWriter(t *testing.T) {
	s := memStore(t)
	w, first := writer(t, s, "first")
	if _, err := w.WriteAt([]byte("other"), 0); err != nil {
		t.Fatal(err)
	}
	second, err := w.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Sealed{first, second} {
		if c == second {
			if err := w.Discard(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Contents().Reader(c.ID); !errors.Is(err, ErrNoContent) {
			t.Errorf("content %s is still there: %v", c.ID, err)
		}
	}
}
