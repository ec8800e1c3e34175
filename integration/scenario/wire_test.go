package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// wire is what the program speaks through: a reverse proxy before each server,
// which recognises a request and ends the program at that instant.
type wire struct {
	odoo, box *httptest.Server

	mu   sync.Mutex
	trap *trap // nil: everything passes; guarded by mu
}

// An instant is a place in the life of a request.
type instant uint8

const (
	inside instant = iota // half of its body went on
	before                // the program has sent it, the server does not get it
	after                 // the server has done it, the program does not hear of it
)

// trap waits for one request, and springs once.
type trap struct {
	when    instant
	matches func(path string, body []byte) bool
	spring  func() // ends the program before it returns
	sprung  chan hit
}

// hit tells how a trap sprang.
type hit struct {
	path string // of the request
	sent int    // bytes of its body that the server was given
	size int    // bytes that it has
	code int    // the server's answer; 0: it gave none
}

// right reports what keeps the hit from being one of the instant.
func (h hit) right(when instant) error {
	switch {
	case when == inside && h.sent > 0 && h.sent < h.size && h.code == 0,
		when == before && h.sent == 0 && h.code == 0,
		when == after && h.sent == h.size && h.code == http.StatusOK:
		return nil
	}
	return fmt.Errorf("the request was hit at another instant: %+v", h)
}

func newWire(t *testing.T, odooURL, boxURL string) *wire {
	t.Helper()
	w := &wire{}
	w.odoo, w.box = w.serve(t, odooURL), w.serve(t, boxURL)
	return w
}

func (w *wire) serve(t *testing.T, target string) *httptest.Server {
	t.Helper()
	to, err := url.Parse(target)
	must(t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		FlushInterval: -1,
		// A server that is away, and a request that was cut, are a torn
		// connection to the program.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.pass(proxy, rw, r) }))
	srv.Config.ErrorLog = nil
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// set lays a trap; nil takes it away.
func (w *wire) set(t *trap) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trap = t
}

// take gives the trap to the one request that springs it.
func (w *wire) take(path string, body []byte) *trap {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.trap
	if t == nil || !t.matches(path, body) {
		return nil
	}
	w.trap = nil
	return t
}

func (w *wire) pass(proxy http.Handler, rw http.ResponseWriter, r *http.Request) {
	// Whole, with or without a trap: while a server still answers, Go's proxy may
	// find the end of a body that is read piece by piece closed under it, and cut
	// the answer off (net/http's server closes it at the first byte of the answer).
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the program is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	t := w.take(r.URL.Path, body)
	if t == nil {
		proxy.ServeHTTP(rw, r)
		return
	}
	h := hit{path: r.URL.Path, size: len(body)}
	switch t.when {
	case inside:
		h.sent = len(body) / 2
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:h.sent]), cut(func() {
			t.spring()
			t.sprung <- h
		})))
		proxy.ServeHTTP(rw, r)
	case before:
		t.spring()
		t.sprung <- h
	case after:
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, r)
		h.sent, h.code = len(body), answer.Code
		t.spring()
		t.sprung <- h
	}
	panic(http.ErrAbortHandler)
}

// cut is the end of a request that is torn: it springs the trap when its reader
// comes to it, once.
func cut(spring func()) io.Reader {
	once := sync.OnceFunc(spring)
	return readerFunc(func([]byte) (int, error) {
		once()
		return 0, errors.New("the program was killed")
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
