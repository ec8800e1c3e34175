package dropbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"odbxfs"
)

// A flag is set once and never cleared.
type flag struct{ b atomic.Bool }

func (f *flag) set()        { f.b.Store(true) }
func (f *flag) isSet() bool { return f.b.Load() }

// maxErrorBody bounds what is read of an answer that is no success.
const maxErrorBody = 1 << 20

// longpollRoute needs no token, and one would only leak there.
const longpollRoute = "files/list_folder/longpoll"

// transport signs each request, makes its argument header safe, keeps to the
// limits, and turns every answer that is no success into an *odbxfs.Error.
type transport struct {
	cfg    Config
	tokens *tokens
	lim    *limits
	up     *throttle
	down   *throttle
	root   atomic.Pointer[string] // Dropbox-API-Path-Root; nil: the account's home
}

// RoundTrip implements http.RoundTripper. Against its letter it gives an error
// for an answer that is one: nobody above it may see an unclassified failure.
// A request that met the end of its access token is sent again with a new one:
// Dropbox did nothing with it.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	route := strings.TrimPrefix(req.URL.Path, "/2/")
	if route == longpollRoute {
		return t.send(t.dress(req), route)
	}
	if err := t.lim.admit(route); err != nil {
		return nil, errors.Join(err, closeBody(req))
	}
	if err := keepBody(req); err != nil {
		return nil, err
	}
	resp, token, err := t.signed(req, route)
	if token == "" || !mayRepeat(req, err) {
		return resp, t.refusal(token, err)
	}
	if err = t.tokens.refuse(token, asError(err)); !odbxfs.IsKind(err, odbxfs.KindUnavailable) {
		return nil, err
	}
	again := req.Clone(req.Context())
	if req.GetBody != nil {
		body, bodyErr := req.GetBody()
		if bodyErr != nil {
			return nil, err
		}
		again.Body = body
	}
	resp, token, err = t.signed(again, route)
	return resp, t.refusal(token, err)
}

// refusal notes the token of a call that was refused; other ends pass.
func (t *transport) refusal(token string, err error) error {
	if token != "" && unauthorized(err) {
		return t.tokens.refuse(token, asError(err))
	}
	return err
}

// mayRepeat reports whether err is of a refused token, and the request can be
// sent once more.
func mayRepeat(req *http.Request, err error) bool {
	return unauthorized(err) && (req.Body == nil || req.GetBody != nil)
}

func unauthorized(err error) bool {
	answer, answered := errors.AsType[*apiError](err)
	return answered && answer.status == http.StatusUnauthorized
}

// signed sends a request with the token that is valid now, which it gives too.
func (t *transport) signed(req *http.Request, route string) (*http.Response, string, error) {
	token, err := t.tokens.token(req.Context())
	if err != nil {
		return nil, "", errors.Join(err, closeBody(req))
	}
	req = t.dress(req)
	req.Header.Set("Authorization", "Bearer "+token)
	if t.cfg.SelectUser != "" {
		req.Header.Set("Dropbox-API-Select-User", t.cfg.SelectUser)
	}
	if root := t.root.Load(); root != nil {
		req.Header.Set("Dropbox-API-Path-Root", *root)
	}
	resp, err := t.send(req, route)
	t.lim.note(route, err)
	return resp, token, err
}

// dress makes a copy of a request with the headers that all have.
func (t *transport) dress(req *http.Request) *http.Request {
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", t.cfg.UserAgent)
	if arg := req.Header.Get("Dropbox-API-Arg"); arg != "" {
		req.Header.Set("Dropbox-API-Arg", headerSafe(arg))
	}
	return req
}

// send sends a request and classifies its end.
func (t *transport) send(req *http.Request, route string) (*http.Response, error) {
	if req.Body != nil {
		req.Body = t.up.reader(req.Context(), req.Body)
	}
	resp, err := t.cfg.HTTP.RoundTrip(req)
	if err != nil {
		return nil, unreachable(route, err)
	}
	if resp.StatusCode == http.StatusOK && strings.HasPrefix(req.Header.Get("Range"), "bytes=") && !strings.HasPrefix(req.Header.Get("Range"), "bytes=0-") {
		// A proxy that knows no ranges: these are the bytes of the beginning.
		return nil, errors.Join(&odbxfs.Error{Op: route, Kind: odbxfs.KindCorrupt, Err: errors.New("a part was asked for, the whole came")}, resp.Body.Close())
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent {
		resp.Body = t.down.reader(req.Context(), resp.Body)
		if route == "files/download" && resp.Header.Get("Dropbox-API-Result") == "" {
			// Somebody else's page. The SDK would leave its body open.
			return nil, errors.Join(oddAnswer(route), resp.Body.Close())
		}
		if err := notNull(route, resp); err != nil {
			return nil, err
		}
		return resp, nil
	}
	body, readErr := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	failed := classify(route, resp.StatusCode, resp.Header, body)
	if closeErr := resp.Body.Close(); readErr != nil || closeErr != nil {
		return nil, unreachable(route, errors.Join(readErr, closeErr))
	}
	return nil, failed
}

// void are the routes whose answer is null.
var void = []string{"auth/token/revoke", "sharing/revoke_shared_link", "files/upload_session/append_v2"}

// notNull gives an error for a success that says nothing where something is to
// be said: the SDK makes a nil result of it. It closes the body then.
func notNull(route string, resp *http.Response) error {
	if resp.Header.Get("Dropbox-API-Result") != "" || slices.Contains(void, route) {
		return nil
	}
	head := make([]byte, 16)
	n, err := io.ReadFull(resp.Body, head)
	if strings.HasPrefix(strings.TrimSpace(string(head[:n])), "null") {
		return errors.Join(oddAnswer(route), resp.Body.Close())
	}
	rest := resp.Body
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return errors.Join(unreachable(route, err), rest.Close())
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head[:n]), rest), rest}
	return nil
}

// keepBody makes a call's argument repeatable. Data is so already, where its
// sender gave a reader that can be had anew.
func keepBody(req *http.Request) error {
	if req.Body == nil || req.GetBody != nil || req.Header.Get("Content-Type") != "application/json" {
		return nil
	}
	data, err := io.ReadAll(req.Body)
	if err = errors.Join(err, req.Body.Close()); err != nil {
		return &odbxfs.Error{Op: "send to Dropbox", Kind: odbxfs.KindUnavailable, Err: err}
	}
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	req.Body, _ = req.GetBody() // it never fails
	return nil
}

func closeBody(req *http.Request) error {
	if req.Body == nil {
		return nil
	}
	return req.Body.Close()
}

// patience bounds what a transfer waits by itself: a longer wait goes to the
// caller, who has other things to do.
const (
	patienceTries = 4
	patienceWait  = time.Minute
)

// patiently does a step of a longer work, again after the wait when Dropbox
// asks for one.
func (c *Client) patiently(ctx context.Context, do func() error) error {
	for tries := 1; ; tries++ {
		err := do()
		e := asError(err)
		if e == nil || e.Kind != odbxfs.KindRateLimited || tries == patienceTries || e.RetryAfter > patienceWait {
			return err
		}
		if err := c.cfg.Sleep(ctx, e.RetryAfter); err != nil {
			return err
		}
	}
}
