package odoo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"
)

// An endpoint is one server as one user reaches it: it sends requests and reads
// answers whole, bounded in time and size. Safe for concurrent use.
type endpoint struct {
	base      string
	database  string
	timeout   time.Duration
	maxAnswer int64
	http      *http.Client
}

func newEndpoint(c Config) (*endpoint, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &endpoint{base: c.URL, database: c.Database, timeout: c.Timeout, maxAnswer: c.MaxAnswer, http: &http.Client{
		Transport: c.HTTP,
		Jar:       jar, // 19 rotates the session cookie: every Set-Cookie counts
		// A redirect would carry credentials elsewhere, and turns a refusal
		// into a login page with status 200.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// answer is a whole HTTP answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// isJSON reports whether the answer claims to be JSON.
func (a *answer) isJSON() bool {
	return strings.HasPrefix(strings.TrimSpace(a.header.Get("Content-Type")), "application/json")
}

// isXML reports whether the answer claims to be XML.
func (a *answer) isXML() bool {
	t := strings.TrimSpace(a.header.Get("Content-Type"))
	return strings.HasPrefix(t, "text/xml") || strings.HasPrefix(t, "application/xml")
}

// request is one HTTP request of ours.
type httpRequest struct {
	method, path, contentType string
	header                    http.Header
	body                      frame
}

// roundTrip sends the request and reads the answer. Its errors are *odbxfs.Error.
func (e *endpoint) roundTrip(ctx context.Context, op string, r httpRequest) (*answer, error) {
	limit := e.timeout + time.Duration(r.body.length()/slowest)*time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	res, err := e.send(ctx, r)
	if err != nil {
		return nil, transportError(op, err)
	}
	defer func() { _ = res.Body.Close() }() // read to its end or of no more interest
	body, err := readBounded(res.Body, e.maxAnswer)
	if err != nil {
		return nil, transportError(op, err)
	}
	return &answer{status: res.StatusCode, header: res.Header, body: body}, nil
}

// send sends the request and leaves the answer's body to the caller.
func (e *endpoint) send(ctx context.Context, r httpRequest) (*http.Response, error) {
	var body io.ReadCloser
	if r.method == http.MethodPost {
		b, err := r.body.open(ctx)
		if err != nil {
			return nil, err
		}
		body = &stickyBody{ReadCloser: b}
	}
	req, err := http.NewRequestWithContext(ctx, r.method, e.base+r.path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.ContentLength = r.body.length()
	}
	for k, v := range r.header {
		req.Header[k] = v
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	req.Header.Set("User-Agent", "odbxfs")
	res, err := e.http.Do(req)
	if s, ok := body.(*stickyBody); ok && err != nil && s.failed() != nil {
		return nil, s.failed()
	}
	return res, err
}

// stickyBody keeps why the body could not be read, which net/http reports as a
// torn connection.
type stickyBody struct {
	io.ReadCloser
	err errBox
}

func (s *stickyBody) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err.set(err)
	}
	return n, err
}

func (s *stickyBody) failed() error { return s.err.get() }

// readBounded reads all of r unless that is more than limit bytes.
func readBounded(r io.Reader, limit int64) ([]byte, error) {
	var buf bytes.Buffer
	n, err := buf.ReadFrom(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("answer cut off: %w", err)
	}
	if n > limit {
		return nil, fmt.Errorf("%w: over %d bytes", errHugeAnswer, limit)
	}
	return buf.Bytes(), nil
}
