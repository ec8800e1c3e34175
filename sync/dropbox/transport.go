package dropbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	gosync "sync"
	"sync/atomic"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/common"

	"odbxfs"
)

// A flag is set once and never cleared.
type flag struct{ b atomic.Bool }

func (f *flag) set()        { f.b.Store(true) }
func (f *flag) isSet() bool { return f.b.Load() }

// maxErrorBody bounds what is read of an answer that is no success.
const maxErrorBody = 1 << 20

// renewBefore is how long before its end an access token is renewed. They live
// for 4 hours (oauth2/token, expires_in 14400).
const renewBefore = 5 * time.Minute

// authTransport signs each request, makes its argument header safe, and turns
// every answer that is no success into an *odbxfs.Error.
type authTransport struct {
	cfg Config

	mu      gosync.Mutex // guards the rest
	access  string
	expires time.Time // zero: never
	refused string    // the secret that was refused last
	reason  error
}

// RoundTrip implements http.RoundTripper. Against its letter it gives an error
// for an answer that is one: nobody above it may see an unclassified failure.
func (t *authTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	req = req.Clone(ctx)
	if arg := req.Header.Get("Dropbox-API-Arg"); arg != "" {
		req.Header.Set("Dropbox-API-Arg", headerSafe(arg))
	}
	route := strings.TrimPrefix(req.URL.Path, "/2/")
	var token string
	if route != "files/list_folder/longpoll" { // needs none, and one would only leak there
		var err error
		if token, err = t.token(ctx); err != nil {
			return nil, errors.Join(err, closeBody(req))
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := t.cfg.HTTP.RoundTrip(req)
	if err != nil {
		return nil, unreachable(route, err)
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent {
		return resp, nil
	}
	body, readErr := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	failed := classify(route, resp.StatusCode, resp.Header, body)
	if closeErr := resp.Body.Close(); readErr != nil || closeErr != nil {
		return nil, unreachable(route, errors.Join(readErr, closeErr))
	}
	if resp.StatusCode == http.StatusUnauthorized {
		return nil, t.refuse(token, failed)
	}
	return nil, failed
}

func closeBody(req *http.Request) error {
	if req.Body == nil {
		return nil
	}
	return req.Body.Close()
}

// token gives a valid access token, renewing it when it is about to end.
func (t *authTransport) token(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.access != "" && (t.expires.IsZero() || t.cfg.Now().Before(t.expires.Add(-renewBefore))) {
		return t.access, nil
	}
	secret, err := t.cfg.Secret(ctx)
	if err != nil {
		return "", &odbxfs.Error{Op: "sign in to Dropbox", Kind: odbxfs.KindSettings, Err: err}
	}
	if secret == t.refused {
		return "", &odbxfs.Error{Op: "sign in to Dropbox", Kind: odbxfs.KindCredentials, Err: t.reason}
	}
	if t.cfg.AppKey == "" {
		t.access, t.expires = secret, time.Time{}
		return t.access, nil
	}
	if err := t.renewLocked(ctx, secret); err != nil {
		if odbxfs.IsKind(err, odbxfs.KindCredentials) {
			t.refused, t.reason = secret, err
		}
		return "", err
	}
	return t.access, nil
}

// renewLocked asks for an access token: oauth2/token, grant_type=refresh_token.
// The refresh token stays the same.
func (t *authTransport) renewLocked(ctx context.Context, refresh string) error {
	const op = "renew Dropbox's access token"
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {t.cfg.AppKey}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.cfg.API+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return &odbxfs.Error{Op: op, Kind: odbxfs.KindInvalid, Err: err}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := t.cfg.HTTP.RoundTrip(req)
	if err != nil {
		return unreachable(op, err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return unreachable(op, err)
	}
	if resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusUnauthorized {
		return &odbxfs.Error{Op: op, Kind: odbxfs.KindCredentials, Err: oauthReason(body)}
	}
	if resp.StatusCode != http.StatusOK {
		return classify(op, resp.StatusCode, resp.Header, body)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.AccessToken == "" {
		return &odbxfs.Error{Op: op, Kind: odbxfs.KindUnavailable, Err: errors.New("the answer has no access token")}
	}
	t.access, t.expires = answer.AccessToken, t.cfg.Now().Add(time.Duration(answer.ExpiresIn)*time.Second)
	return nil
}

func oauthReason(body []byte) error {
	var answer struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error == "" {
		return errors.New("the refresh token was refused")
	}
	return fmt.Errorf("%s: %s", answer.Error, answer.Description)
}

// refuse notes that Dropbox no longer takes this token. An expired one is
// renewed with the next call; a refused one waits for another secret.
func (t *authTransport) refuse(token string, failed *odbxfs.Error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.access != token {
		failed.Kind = odbxfs.KindUnavailable // another call has renewed it already
		return failed
	}
	t.access = ""
	var answer *apiError
	renewable := t.cfg.AppKey != "" && errors.As(failed, &answer) && answer.has("expired_access_token")
	if renewable {
		failed.Kind = odbxfs.KindUnavailable
		return failed
	}
	t.refused, t.reason = token, failed.Err
	return failed
}

// headerSafe writes everything that is not printable ASCII as \uXXXX, in
// surrogate pairs beyond the first plane, as the API asks of JSON in a header.
func headerSafe(arg string) string {
	safe := true
	for i := range len(arg) {
		safe = safe && arg[i] < 0x7f
	}
	if safe {
		return arg
	}
	var b strings.Builder
	for _, r := range arg {
		switch {
		case r < 0x7f:
			b.WriteByte(byte(r))
		case r <= 0xffff || r == utf8.RuneError:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
}

// retryAfter reads the header, in seconds.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}

func rootNamespace(info common.IsRootInfo) string {
	switch r := info.(type) {
	case *common.UserRootInfo:
		return r.RootNamespaceId
	case *common.TeamRootInfo:
		return r.RootNamespaceId
	case *common.RootInfo:
		return r.RootNamespaceId
	}
	return ""
}
