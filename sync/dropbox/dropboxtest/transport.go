package dropboxtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// ErrDropped is what a request through Transport fails with when the server
// drops the connection.
var ErrDropped = errors.New("connection dropped by the Dropbox emulator")

// Transport gives a RoundTripper that calls the server in process, whatever
// the request's host: no sockets, so it works under a fake clock.
func (s *Server) Transport() http.RoundTripper { return inProcess{h: s} }

// Bystander is Transport for someone beside the client that is tested: its
// requests meet no fault, cost nothing, and are not in the log.
func (s *Server) Bystander() http.RoundTripper { return inProcess{h: s, aside: true} }

type inProcess struct {
	h     http.Handler
	aside bool
}

// asideKey marks the context of a Bystander's request.
type asideKey struct{}

func aside(ctx context.Context) bool { return ctx.Value(asideKey{}) != nil }

// RoundTrip implements http.RoundTripper. It returns when the header is there;
// the body streams.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if t.aside {
		ctx = context.WithValue(ctx, asideKey{}, true)
	}
	in := r.Clone(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RequestURI = in.URL.RequestURI()
	pr, pw := io.Pipe()
	w := &pipeWriter{header: http.Header{}, body: pw, ready: make(chan struct{})}
	go func() {
		err := w.run(t.h, in)
		if r.Body != nil {
			err = errors.Join(err, r.Body.Close())
		}
		w.WriteHeader(http.StatusOK)
		pw.CloseWithError(err) // it always gives nil
	}()
	select {
	case <-w.ready:
	case <-r.Context().Done():
		return nil, errors.Join(r.Context().Err(), pr.Close())
	}
	if w.failed != nil {
		return nil, w.failed
	}
	resp := &http.Response{StatusCode: w.status, Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.sent, Body: pr, Request: r, ContentLength: -1}
	if _, err := fmt.Sscan(w.sent.Get("Content-Length"), &resp.ContentLength); err != nil {
		resp.ContentLength = -1
	}
	return resp, nil
}

// pipeWriter is a ResponseWriter into a pipe.
type pipeWriter struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	ready  chan struct{} // closed when the fields below are set
	sent   http.Header
	status int
	failed error
}

// run calls the handler; a torn connection is an error of the request or,
// once the header is out, of its body.
func (w *pipeWriter) run(h http.Handler, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler { //nolint:errorlint // a panic's value is compared, as net/http does
				panic(p)
			}
			err = fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, ErrDropped)
			w.once.Do(func() {
				w.failed = err
				close(w.ready)
			})
		}
	}()
	h.ServeHTTP(w, r)
	return nil
}

// Header implements http.ResponseWriter.
func (w *pipeWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.ready)
	})
}

// Write implements http.ResponseWriter.
func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}
