package dropboxtest

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// record is one change of the account. The tree is what replaying all records
// in order gives.
type record struct {
	Op     string `json:"op"` // head, put, del, purge, seen, link, unlink
	Seq    int64  `json:"seq,omitempty"`
	ID     string `json:"id,omitempty"`
	Parent string `json:"parent,omitempty"` // folder id; empty: the root
	Name   string `json:"name,omitempty"`
	Folder bool   `json:"folder,omitempty"`
	Rev    string `json:"rev,omitempty"`
	Hash   string `json:"hash,omitempty"`
	Size   int64  `json:"size,omitempty"`
	// Client and Server are client_modified and server_modified.
	Client time.Time `json:"client,omitzero"`
	Server time.Time `json:"server,omitzero"`
	Ident  *ident    `json:"ident,omitempty"`
	Cloud  Cloud     `json:"cloud,omitempty"` // of a file of an editor on the web
	Space  string    `json:"space,omitempty"` // of a folder that is a namespace
	Owner  string    `json:"owner,omitempty"` // of a member's home
	Link   *link     `json:"link,omitempty"`
}

// store keeps records and contents. Its methods may be called concurrently,
// but append and load are called under the server's lock.
type store interface {
	// spool gives a place to collect bytes of a content not yet known.
	spool() (spool, error)
	// keep makes a spool's bytes the content named hash and ends the spool.
	keep(sp spool, hash string) error
	// open reads a content. The caller closes it.
	open(hash string) (io.ReadSeekCloser, error)
	// load replays all records.
	load(func(record) error) error
	// append adds records; they survive a restart of the process when it returns.
	append(...record) error
	close() error
}

// spool collects bytes in any order.
type spool interface {
	io.WriterAt
	io.ReaderAt
	// discard frees the spool. After keep it does nothing.
	discard() error
}

// memStore forgets everything when it is dropped.
type memStore struct {
	mu    sync.Mutex
	blobs map[string][]byte
}

func newMemStore() *memStore { return &memStore{blobs: map[string][]byte{}} }

// memSpool grows as it is written.
type memSpool struct {
	mu  sync.Mutex
	buf []byte
}

func (m *memSpool) WriteAt(p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if end := int(off) + len(p); end > len(m.buf) {
		m.buf = slices.Grow(m.buf, end-len(m.buf))[:end]
	}
	return copy(m.buf[off:], p), nil
}

func (m *memSpool) ReadAt(p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.NewReader(m.buf).ReadAt(p, off)
}

func (m *memSpool) discard() error { return nil }

func (s *memStore) spool() (spool, error) { return &memSpool{}, nil }

func (s *memStore) keep(sp spool, hash string) error {
	m, ok := sp.(*memSpool)
	if !ok {
		return fmt.Errorf("keep: not a spool of this store: %T", sp)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, have := s.blobs[hash]; !have {
		s.blobs[hash] = slices.Clip(m.buf)
	}
	return nil
}

type nopSeekCloser struct{ *bytes.Reader }

func (nopSeekCloser) Close() error { return nil }

func (s *memStore) open(hash string) (io.ReadSeekCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.blobs[hash]
	if !ok {
		return nil, fmt.Errorf("open content %s: not kept", hash)
	}
	return nopSeekCloser{bytes.NewReader(b)}, nil
}

func (s *memStore) load(func(record) error) error { return nil }
func (s *memStore) append(...record) error        { return nil }
func (s *memStore) close() error                  { return nil }
