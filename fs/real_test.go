package fs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// testStore is a store and what tests ask of it.
type testStore interface {
	Store
	Opener
	// seal makes a content; done is to be called once it is committed.
	seal(b []byte) (s cache.Sealed, done func() error, err error)
	read(odbxfs.ContentID) (string, error)
	commits() int // of content, by anybody
}

// realStore is the real store, in memory but for the contents.
type realStore struct {
	Store
	cache *cache.Store

	mu sync.Mutex
	n  int // guarded by mu
}

func newRealStore(t *testing.T) *realStore {
	t.Helper()
	s, err := cache.Open(t.Context(), cache.Options{
		Dir: t.TempDir(), InMemory: true, Now: time.Now, After: time.After,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return &realStore{Store: OnCache(s), cache: s}
}

func (s *realStore) Update(fn func(Tx) error) error {
	n := 0
	err := s.Store.Update(func(tx Tx) error {
		n = 0
		return fn(countingTx{tx, &n})
	})
	if err == nil {
		s.mu.Lock()
		s.n += n
		s.mu.Unlock()
	}
	return err
}

func (s *realStore) commits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// countingTx counts commits of content.
type countingTx struct {
	Tx
	n *int
}

func (t countingTx) CommitContent(id odbxfs.NodeID, sealed cache.Sealed) (odbxfs.Inode, error) {
	*t.n++
	return t.Tx.CommitContent(id, sealed)
}

func (s *realStore) seal(b []byte) (cache.Sealed, func() error, error) {
	w, err := s.NewWriter(context.Background(), "")
	if err != nil {
		return cache.Sealed{}, nil, err
	}
	if _, err := w.WriteAt(b, 0); err != nil {
		return cache.Sealed{}, nil, err
	}
	sealed, err := w.Seal(context.Background())
	return sealed, w.Discard, err
}

func (s *realStore) read(id odbxfs.ContentID) (string, error) {
	if id == "" {
		return "", nil
	}
	c, err := s.cache.Contents().Reader(id)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	return string(b), errors.Join(err, c.Close())
}

func (s *realStore) OpenRead(_ context.Context, n odbxfs.NodeID) (Content, error) {
	var ino odbxfs.Inode
	err := s.View(func(tx Tx) (err error) {
		ino, _, err = tx.Inode(n)
		return err
	})
	if err != nil {
		return nil, err
	}
	c, err := s.cache.Contents().Reader(ino.Content)
	if err != nil {
		return nil, err
	}
	return openContent{c}, nil
}

// openContent is a content of the store as a Content.
type openContent struct{ *cache.Content }

func (c openContent) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	return c.Content.ReadAt(p, off)
}

// The fake keeps to the same contract.

func (s *fakeStore) read(id odbxfs.ContentID) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(bytes.Clone(s.contents[id])), nil
}
