package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"odbxfs"
)

// Links fetches the bytes behind public Dropbox links: plain GETs, without
// any credentials. It may be used by many goroutines.
type Links struct {
	client *http.Client
	hosts  []string
}

// maxRedirects is how many hops a download link may take; Dropbox uses two
// (www to the content host).
const maxRedirects = 5

// NewLinks gives a fetcher of links whose host (with its port, if it has one)
// is one of hosts, as "www.dropbox.com". A host that begins with a dot stands
// for all below it: downloads are served from "...dl.dropboxusercontent.com".
// transport may be nil for the default one.
func NewLinks(transport http.RoundTripper, hosts []string) *Links {
	l := &Links{hosts: slices.Clone(hosts)}
	l.client = &http.Client{
		Transport: transport,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) >= maxRedirects {
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			if !l.allowed(req.URL) {
				return fmt.Errorf("leads to %s, which is not one of Dropbox's hosts", req.URL.Host)
			}
			return nil
		},
	}
	return l
}

// Allowed reports whether raw is a link that this fetcher would ask for: a web
// address on one of its hosts that is a shared link. A "home" address is not:
// it opens for its owner's browser only.
func (l *Links) Allowed(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || !l.allowed(u) {
		return false
	}
	return !strings.HasPrefix(u.Path, "/home/") && u.Path != "/home"
}

func (l *Links) allowed(u *url.URL) bool {
	if u.Scheme != "https" && u.Scheme != "http" {
		return false
	}
	return slices.ContainsFunc(l.hosts, func(h string) bool {
		if strings.HasPrefix(h, ".") {
			return strings.HasSuffix(strings.ToLower(u.Host), strings.ToLower(h))
		}
		return strings.EqualFold(u.Host, h)
	})
}

// downloadURL is the link with dl=1: the bytes instead of Dropbox's page.
func downloadURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Del("raw")
	q.Set("dl", "1")
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Open gives the bytes [offset, offset+length) behind the link; length < 0
// means to the end. Errors are [odbxfs.Error]s: KindAccess when the link does
// not open for everybody, KindMissing when it is gone.
func (l *Links) Open(ctx context.Context, raw string, offset, length int64) (io.ReadCloser, error) {
	fail := func(k odbxfs.ErrorKind, err error) error {
		return &odbxfs.Error{Op: "open public link", Kind: k, Err: err}
	}
	if !l.Allowed(raw) {
		return nil, fail(odbxfs.KindAccess, fmt.Errorf("the address is no public link of Dropbox"))
	}
	if length == 0 {
		return io.NopCloser(strings.NewReader("")), nil
	}
	target, err := downloadURL(raw)
	if err != nil {
		return nil, fail(odbxfs.KindInvalid, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, fail(odbxfs.KindInvalid, err)
	}
	if offset > 0 || length > 0 {
		req.Header.Set("Range", rangeHeader(offset, length))
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return nil, fail(odbxfs.KindUnavailable, err)
	}
	if err := l.refusal(resp); err != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	body := resp.Body
	if resp.StatusCode == http.StatusOK && offset > 0 {
		// The server ignored the range: skip to it.
		if _, err := io.CopyN(io.Discard, body, offset); err != nil {
			return nil, fail(odbxfs.KindUnavailable, errors.Join(err, body.Close()))
		}
	}
	if length < 0 {
		return body, nil
	}
	return limited{io.LimitReader(body, length), body}, nil
}

// refusal decodes a status that is no success, in this one place.
func (l *Links) refusal(resp *http.Response) error {
	e := &odbxfs.Error{Op: "open public link", Err: fmt.Errorf("HTTP %d", resp.StatusCode)}
	switch c := resp.StatusCode; {
	case c == http.StatusOK || c == http.StatusPartialContent:
		// A page instead of bytes is a sign-in form or "this link expired".
		ct, disp := resp.Header.Get("Content-Type"), resp.Header.Get("Content-Disposition")
		if strings.HasPrefix(ct, "text/html") && !strings.HasPrefix(disp, "attachment") {
			e.Kind, e.Err = odbxfs.KindAccess, fmt.Errorf("the link opens a page instead of the file")
			return e
		}
		return nil
	case c == http.StatusTooManyRequests:
		e.Kind = odbxfs.KindRateLimited
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
			e.RetryAfter = time.Duration(s) * time.Second
		}
	case c == http.StatusNotFound || c == http.StatusGone:
		e.Kind = odbxfs.KindMissing
	case c == http.StatusUnauthorized || c == http.StatusForbidden:
		e.Kind = odbxfs.KindAccess
	case c >= 500:
		e.Kind = odbxfs.KindUnavailable
	case c == http.StatusRequestedRangeNotSatisfiable:
		e.Kind = odbxfs.KindChanged
	default:
		e.Kind = odbxfs.KindUnknown
	}
	return e
}

func rangeHeader(offset, length int64) string {
	if length < 0 {
		return fmt.Sprintf("bytes=%d-", offset)
	}
	return fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)
}

// limited reads no more than its reader gives, and closes the body under it.
type limited struct {
	io.Reader
	io.Closer
}
