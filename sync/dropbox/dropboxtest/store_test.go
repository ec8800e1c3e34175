package dropboxtest

import (
	"errors"
	"strings"
	"testing"
)

// brokenStore takes no more records.
type brokenStore struct{ store }

func (brokenStore) append(...record) error { return errors.New("disk full") }

func TestNothingIsAcknowledgedThatWouldNotSurvive(t *testing.T) {
	srv, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := &account{t: t, srv: srv, tok: srv.Token()}
	a.put("/before", "x")
	srv.tree.store = brokenStore{srv.store}
	if got := a.send("files/upload", `{"path":"/after"}`, "x").String(); got != "500" {
		t.Errorf("upload without a store: %s", got)
	}
	if log := srv.Requests(); !strings.Contains(log[len(log)-1].Note, "disk full") {
		t.Errorf("the log does not say why: %+v", log[len(log)-1])
	}
	if err := srv.Close(); err == nil {
		t.Error("Close must tell that the state is not whole")
	}
}

func TestContentsAreKeptOnceAndReadAgain(t *testing.T) {
	stores := map[string]func() store{
		"memory": func() store { return newMemStore() },
		"files": func() store {
			o := Options{}
			o.setDefaults()
			s, err := openFileStore(t.TempDir(), o.After)
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	}
	for name, make := range stores {
		t.Run(name, func(t *testing.T) {
			s := make()
			for range 2 {
				sp, err := s.spool()
				if err != nil {
					t.Fatal(err)
				}
				_, err = sp.WriteAt([]byte("world"), 5)
				_, err2 := sp.WriteAt([]byte("hello"), 0)
				if err := errors.Join(err, err2, s.keep(sp, "hash"), sp.discard()); err != nil {
					t.Fatal(err)
				}
			}
			r, err := s.open("hash")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			b := new(strings.Builder)
			h, n, err := ContentHash(readTee{r, b})
			if err != nil || n != 10 || h == "" || b.String() != "helloworld" {
				t.Errorf("read %q, %d, %v", b, n, err)
			}
			if _, err := s.open("other"); err == nil {
				t.Error("a content that was never kept opens")
			}
			if err := s.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

type readTee struct {
	from interface{ Read([]byte) (int, error) }
	to   *strings.Builder
}

func (r readTee) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.to.Write(p[:n])
	return n, err
}
