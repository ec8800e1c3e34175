package dropbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"odbxfs"
)

// A script answers requests in turn, and keeps them.
type script struct {
	answers []answer
	got     []*http.Request
	bodies  []string
}

type answer struct {
	status int
	body   string
	header http.Header
	err    error
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		data, err := io.ReadAll(req.Body)
		if err := errors.Join(err, req.Body.Close()); err != nil {
			return nil, err
		}
		body = string(data)
	}
	s.got, s.bodies = append(s.got, req), append(s.bodies, body)
	if len(s.answers) == 0 {
		return nil, errors.New("the script has ended")
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	if a.err != nil {
		return nil, a.err
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)), Request: req, ContentLength: -1}, nil
}

const personal = `{"account_id": "dbid:a", "name": {}, "email": "a@b.c", "account_type": {".tag": "basic"},
	"root_info": {".tag": "user", "root_namespace_id": "77", "home_namespace_id": "77"}}`

const teamMember = `{"account_id": "dbid:b", "name": {}, "email": "a@b.c", "account_type": {".tag": "business"},
	"root_info": {".tag": "team", "root_namespace_id": "7", "home_namespace_id": "9", "home_path": "/Anna"}}`

const space = `{"used": 1, "allocation": {".tag": "individual", "allocated": 2}}`

func (s *script) client(cfg Config) *Client {
	cfg.HTTP = s
	if cfg.Secret == nil {
		cfg.Secret = func(context.Context) (string, error) { return "token", nil }
	}
	cfg.Now = func() time.Time { return time.Unix(1000, 0) }
	cfg.Sleep = func(context.Context, time.Duration) error { return errors.New("nobody sleeps here") }
	return New(cfg)
}

func TestEachCallHasItsHeaders(t *testing.T) {
	s := &script{answers: []answer{{status: 200, body: teamMember}, {status: 200, body: space}, {status: 409, body: `{"error": {".tag": "path", "path": {".tag": "not_found"}}}`}, {status: 200, body: `{"changes": true}`}}}
	c := s.client(Config{SelectUser: "dbmid:x", UserAgent: "odbxfs/1"})
	if _, err := c.Account(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := c.metadata(t.Context(), "/ä"); err != nil || n != nil {
		t.Fatalf("got %+v, %v", n, err)
	}
	if _, err := c.Wait(t.Context(), "cursor"); err != nil {
		t.Fatal(err)
	}
	call, poll := s.got[2], s.got[3]
	for name, want := range map[string]string{"User-Agent": "odbxfs/1", "Dropbox-API-Select-User": "dbmid:x", "Authorization": "Bearer token",
		"Dropbox-API-Path-Root": `{".tag": "namespace_id", "namespace_id": "9"}`} {
		if got := call.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if got := poll.Header.Get(name); name != "User-Agent" && got != "" {
			t.Errorf("a long-poll, which needs no login, carries %s", name)
		}
	}
	if s.got[0].Header.Get("Dropbox-API-Path-Root") != "" {
		t.Error("a root is named before the account is known")
	}
}

func TestTheRootThatPathsCountFrom(t *testing.T) {
	for _, c := range []struct {
		name, account string
		team          bool
		want          string
	}{
		{"a personal account", personal, false, `{".tag": "root", "root": "77"}`},
		{"a member's own folder", teamMember, false, `{".tag": "namespace_id", "namespace_id": "9"}`},
		{"the team's space", teamMember, true, `{".tag": "root", "root": "7"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: []answer{{status: 200, body: c.account}, {status: 200, body: space}}}
			if _, err := s.client(Config{TeamSpace: c.team}).Account(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := s.got[1].Header.Get("Dropbox-API-Path-Root"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestARetiredAPIIsToldAsSuch(t *testing.T) {
	for _, a := range []answer{
		{status: 400, body: `{"error": "v1_retired"}`},
		{status: 400, body: `Error in call to API function "files/upload_session/finish_batch": This function has been retired.`},
		{status: 410, body: ``},
	} {
		_, err := (&script{answers: []answer{a}}).client(Config{}).Account(t.Context())
		if !odbxfs.IsKind(err, odbxfs.KindRetired) || !strings.Contains(err.Error(), "please update") {
			t.Errorf("%d %q: %v", a.status, a.body, err)
		}
	}
}

func TestAfterALimitNothingIsSentUntilItsEnd(t *testing.T) {
	s := &script{answers: []answer{{status: 429, body: `{"error": {"reason": {".tag": "too_many_requests"}, "retry_after": 15}}`}}}
	c := s.client(Config{})
	for range 3 {
		if _, err := c.Account(t.Context()); !odbxfs.IsKind(err, odbxfs.KindRateLimited) || asError(err).RetryAfter != 15*time.Second {
			t.Errorf("got %v", err)
		}
	}
	if len(s.got) != 1 {
		t.Errorf("%d requests while Dropbox had asked to wait", len(s.got))
	}
}

func TestAnExpiredTokenIsRenewedWithinTheCall(t *testing.T) {
	const expired = `{"error": {".tag": "expired_access_token"}}`
	token := func(name string) answer {
		return answer{status: 200, body: `{"access_token": "` + name + `", "expires_in": 14400}`}
	}
	s := &script{answers: []answer{token("one"), {status: 401, body: expired}, token("two"), {status: 409, body: `{"error": {".tag": "path", "path": {".tag": "not_found"}}}`}}}
	c := s.client(Config{AppKey: "app"})
	if n, err := c.metadata(t.Context(), "/a"); err != nil || n != nil {
		t.Fatalf("got %+v, %v", n, err)
	}
	if s.bodies[1] != s.bodies[3] || !strings.Contains(s.bodies[3], `"/a"`) || s.got[3].Header.Get("Authorization") != "Bearer two" {
		t.Errorf("the call was not repeated as it was: %q", s.bodies)
	}
	s.answers = []answer{{status: 401, body: expired}, {status: 400, body: `{"error": "invalid_grant", "error_description": "refresh token is invalid or revoked"}`}}
	for range 3 {
		_, err := c.metadata(t.Context(), "/a")
		if !odbxfs.IsKind(err, odbxfs.KindCredentials) || !strings.Contains(err.Error(), "invalid or revoked") {
			t.Errorf("got %v", err)
		}
	}
	if len(s.got) != 6 {
		t.Errorf("%d requests; a refused refresh token was sent again", len(s.got))
	}
}

func TestWhatTheTokenEndpointCanAnswer(t *testing.T) {
	for _, c := range []struct {
		name string
		a    answer
		want odbxfs.ErrorKind
		text string
	}{
		{"a revoked refresh token", answer{status: 400, body: `{"error": "invalid_grant", "error_description": "refresh token is invalid or revoked"}`}, odbxfs.KindCredentials, "revoked"},
		{"an app that is none", answer{status: 401, body: `{"error": "invalid_client"}`}, odbxfs.KindCredentials, "invalid_client"},
		{"a 400 without words", answer{status: 400, body: `<html>`}, odbxfs.KindCredentials, "without a reason"},
		{"an answer without a token", answer{status: 200, body: `{}`}, odbxfs.KindUnavailable, "no access token"},
		{"no JSON", answer{status: 200, body: `sorry`}, odbxfs.KindUnavailable, "no access token"},
		{"overload", answer{status: 503, body: ``}, odbxfs.KindUnavailable, "Service Unavailable"},
		{"a limit", answer{status: 429, body: ``, header: http.Header{"Retry-After": {"9"}}}, odbxfs.KindRateLimited, "9s"},
		{"a torn connection", answer{err: io.ErrUnexpectedEOF}, odbxfs.KindUnavailable, "EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := (&script{answers: []answer{c.a}}).client(Config{AppKey: "app"}).Account(t.Context())
			if !odbxfs.IsKind(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %s with %q", err, c.want, c.text)
			}
		})
	}
}

func TestALoginWhoseSourceFailsIsASettingHere(t *testing.T) {
	c := (&script{}).client(Config{Secret: func(context.Context) (string, error) { return "", errors.New("no such file") }})
	if _, err := c.Account(t.Context()); !odbxfs.IsKind(err, odbxfs.KindSettings) || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
}

func TestPatienceHasItsEnd(t *testing.T) {
	for _, c := range []struct {
		name         string
		wait         time.Duration
		limits       int // how often in a row
		slept, tries int
	}{
		{"one limit", time.Second, 1, 1, 2},
		{"too many in a row", time.Second, 99, patienceTries - 1, patienceTries},
		{"one that is too long", 5 * time.Minute, 99, 0, 1},
		{"none", 0, 0, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			slept, tries := 0, 0
			cl := New(Config{Now: time.Now, Sleep: func(_ context.Context, d time.Duration) error {
				if d != c.wait {
					t.Errorf("slept %s, asked for %s", d, c.wait)
				}
				slept++
				return nil
			}})
			err := cl.patiently(t.Context(), func() error {
				if tries++; tries <= c.limits {
					return limitedBy("too_many_requests", c.wait)
				}
				return nil
			})
			if slept != c.slept || tries != c.tries || (err == nil) != (c.limits < tries) {
				t.Errorf("slept %d times, tried %d times: %v", slept, tries, err)
			}
		})
	}
}
