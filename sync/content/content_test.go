package content

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	gosync "sync"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

func TestHasherAgreesWithTheDefinitions(t *testing.T) {
	for _, size := range []int{0, 1, hashBlock - 1, hashBlock, hashBlock + 1, 2*hashBlock + 5} {
		b := bytes.Repeat([]byte{'x'}, size)
		h := NewHasher()
		for rest := b; len(rest) > 0; {
			n := min(len(rest), 1000003)
			if _, err := h.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			h.ContentHash() // asking in between must not disturb
			rest = rest[n:]
		}
		outer := sha256.New()
		for rest := b; len(rest) > 0; {
			n := min(len(rest), hashBlock)
			sum := sha256.Sum256(rest[:n])
			outer.Write(sum[:])
			rest = rest[n:]
		}
		if want := hex.EncodeToString(outer.Sum(nil)); string(h.ContentHash()) != want {
			t.Errorf("%d bytes: content hash %s, want %s", size, h.ContentHash(), want)
		}
		sum := sha1.Sum(b)
		if string(h.SHA1()) != hex.EncodeToString(sum[:]) || h.Size() != int64(size) {
			t.Errorf("%d bytes: sha1 %s, size %d", size, h.SHA1(), h.Size())
		}
	}
}

// remote is Odoo and Dropbox at once, for bytes.
type remote struct {
	mu    gosync.Mutex
	bytes []byte
	err   error
	calls int
}

func (r *remote) read(off, n int64) (io.ReadCloser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.err != nil {
		return nil, r.err
	}
	b := r.bytes[off:]
	if n >= 0 {
		b = b[:n]
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

type odooBytes struct{ *remote }

func (o odooBytes) Content(_ context.Context, ref odbxfs.OdooRef, off, n int64) (io.ReadCloser, error) {
	if ref.IsZero() {
		return nil, &odbxfs.Error{Op: "read", Kind: odbxfs.KindMissing}
	}
	return o.read(off, n)
}

type dropboxBytes struct{ *remote }

func (d dropboxBytes) Content(_ context.Context, _ odbxfs.DropboxID, _ odbxfs.Rev, off, n int64) (io.ReadCloser, error) {
	return d.read(off, n)
}

// bench is a store with one document, and its sources.
type bench struct {
	t             *testing.T
	store         *cache.Store
	odoo, dropbox *remote
	opt           Options
	doc           odbxfs.OdooNode
}

func newBench(t *testing.T, doc odbxfs.OdooNode) *bench {
	t.Helper()
	b := &bench{t: t, odoo: &remote{}, dropbox: &remote{}}
	store, err := cache.Open(context.Background(), cache.Options{Dir: t.TempDir(), InMemory: true, Now: time.Now, ID: "t"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	b.store = store
	b.opt = Options{Store: store, Odoo: odooBytes{b.odoo}}
	doc.Ref, doc.ParentRef, doc.Kind, doc.Name, doc.Client = odbxfs.AttachmentRef(7), odbxfs.RootRef(), odbxfs.File, "f.pdf", 1
	if err := store.Update(func(tx *cache.Tx) error {
		if _, err := tx.PutOdoo(odbxfs.OdooNode{Ref: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRoot}); err != nil {
			return err
		}
		b.doc, err = tx.PutOdoo(doc)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) pair() {
	b.t.Helper()
	if err := b.store.Update(func(tx *cache.Tx) error {
		_, err := tx.PutPair(odbxfs.Pair{Client: 1, Kind: odbxfs.File, Odoo: b.doc.Ref, OdooParent: odbxfs.RootRef(), OdooName: b.doc.Name,
			Dropbox: "id:1", Rev: "r1", SHA1: b.doc.SHA1, Size: b.doc.Size, URL: b.doc.URL, Row: 1, Version: 1})
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) read(o *Opener) (string, error) {
	r, err := o.Stream(context.Background(), b.doc.Node)
	if err != nil {
		return "", err
	}
	all, err := io.ReadAll(r)
	return string(all), errors.Join(err, r.Close())
}

func binary(b []byte) odbxfs.OdooNode {
	return odbxfs.OdooNode{Type: odbxfs.Binary, Size: int64(len(b)), SHA1: sha1Of(b)}
}

func link(b []byte, url string) odbxfs.OdooNode {
	return odbxfs.OdooNode{Type: odbxfs.Link, Size: int64(len(b)), SHA1: sha1Of(b), URL: url}
}

func sha1Of(b []byte) odbxfs.SHA1 {
	s := sha1.Sum(b)
	return odbxfs.SHA1(hex.EncodeToString(s[:]))
}

func TestBinaryComesFromOdooOnce(t *testing.T) {
	b := newBench(t, binary([]byte("hello")))
	b.odoo.bytes = []byte("hello")
	o := NewOpener(b.opt)
	for range 3 {
		if got, err := b.read(o); got != "hello" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if b.odoo.calls != 1 {
		t.Errorf("Odoo was asked %d times", b.odoo.calls)
	}
}

func TestManyReadersCauseOneFetch(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	b := newBench(t, binary(text))
	b.odoo.bytes = text
	o := NewOpener(b.opt)
	var group gosync.WaitGroup
	for range 8 {
		group.Go(func() {
			if got, err := b.read(o); got != string(text) || err != nil {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	group.Wait()
	if b.odoo.calls != 1 {
		t.Errorf("Odoo was asked %d times", b.odoo.calls)
	}
}

func TestOtherBytesThanOdooSaysAreCorrupt(t *testing.T) {
	b := newBench(t, binary([]byte("hello")))
	b.odoo.bytes = []byte("jello")
	if got, err := b.read(NewOpener(b.opt)); !odbxfs.IsKind(err, odbxfs.KindCorrupt) {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestForeignShowsItsURLAndAsksNobody(t *testing.T) {
	b := newBench(t, odbxfs.OdooNode{Type: odbxfs.Foreign, URL: "https://example.com/x"})
	got, err := b.read(NewOpener(b.opt))
	if err != nil || !strings.Contains(got, "https://example.com/x") || b.odoo.calls != 0 {
		t.Fatalf("%q, %v, %d calls", got, err, b.odoo.calls)
	}
}

func TestALinkPrefersTheOwnLogin(t *testing.T) {
	b := newBench(t, link([]byte("bytes"), "https://www.dropbox.com/scl/fi/1?dl=0"))
	b.pair()
	b.dropbox.bytes = []byte("bytes")
	b.opt.Dropbox = func(odbxfs.ClientID) DropboxBytes { return dropboxBytes{b.dropbox} }
	if got, err := b.read(NewOpener(b.opt)); got != "bytes" || err != nil || b.odoo.calls != 0 {
		t.Fatalf("%q, %v", got, err)
	}
}

// site is a Dropbox website that gives bytes for dl=1, and a page else.
func site(t *testing.T, b []byte) (*httptest.Server, *Links) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "":
			t.Error("credentials were sent to a public link")
		case r.URL.Path == "/away":
			http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusFound)
		case r.URL.Path == "/private":
			http.Error(w, "sign in", http.StatusForbidden)
		case r.URL.Query().Get("dl") != "1":
			_, _ = io.WriteString(w, "<html>a page</html>") // the client under test tells what it got
		default:
			w.Header().Set("Content-Type", "application/octet-stream")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
		}
	}))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return s, NewLinks(nil, []string{u.Host})
}

func TestALinkWithoutLoginComesFromItsPublicAddress(t *testing.T) {
	s, links := site(t, []byte("bytes"))
	b := newBench(t, link([]byte("bytes"), s.URL+"/scl/fi/1?rlkey=k&dl=0"))
	b.pair()
	b.opt.Links = links
	b.dropbox.err = &odbxfs.Error{Kind: odbxfs.KindCredentials}
	b.opt.Dropbox = func(odbxfs.ClientID) DropboxBytes { return dropboxBytes{b.dropbox} }
	if got, err := b.read(NewOpener(b.opt)); got != "bytes" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
}

// movedError is Odoo's answer when a binary has become a link that the store does
// not know yet.
type movedError string

func (m movedError) Error() string    { return "it is a link" }
func (m movedError) LinkedTo() string { return string(m) }

// Between a conversion and the next look at Odoo the store takes a link for a
// binary: its bytes are the same, and the file opens all the same.
func TestABinaryThatHasJustBecomeALinkOpens(t *testing.T) {
	s, links := site(t, []byte("bytes"))
	b := newBench(t, binary([]byte("bytes")))
	b.opt.Links = links
	b.odoo.err = &odbxfs.Error{Kind: odbxfs.KindUnsupported, Err: movedError(s.URL + "/scl/fi/1?rlkey=k&dl=0")}
	if got, err := b.read(NewOpener(b.opt)); got != "bytes" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	b = newBench(t, binary([]byte("other")))
	b.opt.Links = links
	b.odoo.err = &odbxfs.Error{Kind: odbxfs.KindUnsupported, Err: movedError(s.URL + "/scl/fi/1?rlkey=k&dl=0")}
	if got, err := b.read(NewOpener(b.opt)); !odbxfs.IsKind(err, odbxfs.KindCorrupt) {
		t.Errorf("bytes that are not those of the binary: %q, %v", got, err)
	}
	b = newBench(t, binary([]byte("bytes")))
	b.opt.Links = links
	b.odoo.err = &odbxfs.Error{Kind: odbxfs.KindUnsupported, Err: movedError("https://example.com/f.pdf")}
	if got, err := b.read(NewOpener(b.opt)); !odbxfs.IsKind(err, odbxfs.KindAccess) {
		t.Errorf("a link to anywhere: %q, %v", got, err)
	}
}

func TestALinkThatOpensFromNowhereFailsWhenItIsOpened(t *testing.T) {
	s, links := site(t, nil)
	for _, u := range []string{s.URL + "/private", s.URL + "/away", s.URL + "/home/Odoo/f.pdf", "https://example.com/f.pdf"} {
		b := newBench(t, link([]byte("bytes"), u))
		b.opt.Links = links
		_, err := NewOpener(b.opt).OpenRead(context.Background(), b.doc.Node)
		if u == s.URL+"/away" {
			if err == nil {
				t.Errorf("%s opens", u)
			}
			continue
		}
		if !odbxfs.IsKind(err, odbxfs.KindAccess) {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func TestLinksGivesRanges(t *testing.T) {
	s, links := site(t, []byte("0123456789"))
	for _, c := range []struct {
		off, n int64
		want   string
	}{{0, -1, "0123456789"}, {3, 4, "3456"}, {8, -1, "89"}, {0, 0, ""}} {
		r, err := links.Open(context.Background(), s.URL+"/f?dl=0", c.off, c.n)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); string(got) != c.want || err != nil {
			t.Errorf("%d+%d: %q, %v", c.off, c.n, got, err)
		}
	}
}

func TestFetchComparesWhatItGets(t *testing.T) {
	b := newBench(t, binary([]byte("x")))
	text := []byte("some bytes")
	h := NewHasher()
	if _, err := h.Write(text); err != nil {
		t.Fatal(err)
	}
	open := func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	want := Wanted{Size: int64(len(text)), ContentHash: h.ContentHash()}
	got, err := Fetch(context.Background(), b.store.Contents(), want, open)
	if err != nil || got.SHA1 != sha1Of(text) {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, bad := range map[string]Wanted{
		"another hash": {Size: want.Size, ContentHash: "0"},
		"a size":       {Size: want.Size + 1},
		"another sha1": {Size: want.Size, SHA1: "0123456789012345678901234567890123456789"},
	} {
		if _, err := Fetch(context.Background(), b.store.Contents(), bad, open); !odbxfs.IsKind(err, odbxfs.KindCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	never := func(context.Context) (io.ReadCloser, error) { return nil, errors.New("asked again") }
	if _, err := Fetch(context.Background(), b.store.Contents(), Wanted{Size: want.Size, SHA1: got.SHA1}, never); err != nil {
		t.Errorf("what is here was fetched again: %v", err)
	}
}
