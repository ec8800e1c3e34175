package odoo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"odbxfs"
)

// A script answers requests in process, by path.
type script func(r *http.Request) (status int, contentType, body string)

func (s script) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
	}
	status, contentType, body := s(r)
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
}

const (
	signedIn = `{"jsonrpc":"2.0","id":1,"result":{"uid":7,"server_version":"19.0","server_version_info":[19,0,0,"final",0,""],"max_file_upload_size":134217728}}`
	expired  = `{"jsonrpc":"2.0","id":1,"error":{"code":100,"message":"Odoo Session Expired","data":{"name":"odoo.http.SessionExpiredException","message":"Session expired"}}}`
	denied   = `{"jsonrpc":"2.0","id":1,"error":{"code":0,"message":"Odoo Server Error","data":{"name":"odoo.exceptions.AccessDenied","message":"Access Denied"}}}`
	seven    = `{"jsonrpc":"2.0","id":1,"result":7}`
)

func scripted(t *testing.T, rt http.RoundTripper, secret func() string) *Client {
	t.Helper()
	c, err := New(Config{URL: "http://odoo.test/", Database: "d", Login: "u", HTTP: rt, Now: time.Now,
		Secret: func(context.Context) (string, error) { return secret(), nil }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fixed(s string) func() string { return func() string { return s } }

// A password that is changed while calls are under way: their sessions end, and
// each of them would sign in anew.
func TestCallsWhoseSessionsEndTogetherSendTheSecretOnce(t *testing.T) {
	const calls = 5
	var logins atomic.Int32
	var underWay sync.WaitGroup
	underWay.Add(calls)
	c := scripted(t, script(func(r *http.Request) (int, string, string) {
		switch {
		case !strings.HasSuffix(r.URL.Path, "/authenticate"):
			underWay.Done()
			underWay.Wait()
			return 200, "application/json", expired
		case logins.Add(1) == 1:
			return 200, "application/json", signedIn
		default:
			return 200, "application/json", denied
		}
	}), fixed("old"))
	if err := c.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, calls)
	for range calls {
		go func() { errs <- c.Call(t.Context(), "res.users", "search_count", nil, nil, nil) }()
	}
	for range calls {
		if err := <-errs; !odbxfs.IsKind(err, odbxfs.KindCredentials) {
			t.Errorf("got %v", err)
		}
	}
	if n := logins.Load(); n != 2 {
		t.Errorf("%d logins, want the first and one that is refused", n)
	}
}

func TestRefusedSecretsAreNotSentAgain(t *testing.T) {
	secret, logins := "old", 0
	c := scripted(t, script(func(r *http.Request) (int, string, string) {
		logins++
		if secret == "new" {
			return 200, "application/json", signedIn
		}
		return 200, "application/json", denied
	}), func() string { return secret })
	for range 5 {
		if err := c.SignIn(t.Context()); !odbxfs.IsKind(err, odbxfs.KindCredentials) {
			t.Fatalf("got %v", err)
		}
	}
	if logins != 1 {
		t.Errorf("sent %d times", logins)
	}
	secret = "new"
	if err := c.SignIn(t.Context()); err != nil || c.UID() != 7 || c.Transport() != Session || c.Version() != 19 || c.MaxContent() != contentLimit(134217728) {
		t.Errorf("%v: uid %d, %s, %d", err, c.UID(), c.Transport(), c.Version())
	}
}

func TestPasswordChangedWhileSignedIn(t *testing.T) {
	var dead atomic.Bool
	var logins atomic.Int64
	c := scripted(t, script(func(r *http.Request) (int, string, string) {
		switch login := strings.HasSuffix(r.URL.Path, "authenticate"); {
		case login && dead.Load():
			logins.Add(1)
			return 200, "application/json", denied
		case login:
			return 200, "application/json", signedIn
		case dead.Load():
			return 200, "application/json", expired
		}
		return 200, "application/json", seven
	}), fixed("p"))
	var n int
	if err := c.Call(t.Context(), "m", "f", nil, nil, &n); err != nil || n != 7 {
		t.Fatal(n, err)
	}
	dead.Store(true)
	for range 4 {
		if err := c.Call(t.Context(), "m", "f", nil, nil, &n); !odbxfs.IsKind(err, odbxfs.KindCredentials) {
			t.Errorf("got %v", err)
		}
	}
	if logins.Load() != 1 {
		t.Errorf("refused password sent %d times", logins.Load())
	}
}

func TestManyCallsRenewASessionOnce(t *testing.T) {
	var logins, alive atomic.Int64
	c := scripted(t, script(func(r *http.Request) (int, string, string) {
		if strings.HasSuffix(r.URL.Path, "authenticate") {
			alive.Store(logins.Add(1))
			return 200, "application/json", signedIn
		}
		if alive.Load() == 1 { // the first session is one that is forgotten at once
			return 200, "application/json", expired
		}
		return 200, "application/json", seven
	}), fixed("p"))
	if err := c.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			var n int
			if err := c.Call(t.Context(), "m", "f", nil, nil, &n); err != nil || n != 7 {
				t.Errorf("%d, %v", n, err)
			}
		})
	}
	wg.Wait()
	if logins.Load() != 2 {
		t.Errorf("%d logins", logins.Load())
	}
}

func TestASessionThatIsAlwaysExpiredIsNoLoop(t *testing.T) {
	calls := 0
	c := scripted(t, script(func(r *http.Request) (int, string, string) {
		calls++
		if strings.HasSuffix(r.URL.Path, "authenticate") {
			return 200, "application/json", signedIn
		}
		return 200, "application/json", expired
	}), fixed("p"))
	if err := c.Call(t.Context(), "m", "f", nil, nil, nil); !odbxfs.IsKind(err, odbxfs.KindReset) || calls != 4 {
		t.Errorf("%d requests, %v", calls, err)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for what, a := range map[string]struct {
		status     int
		kind, body string
		want       odbxfs.ErrorKind
	}{
		"empty":           {200, "application/json", "", odbxfs.KindUnavailable},
		"cut off":         {200, "application/json", `{"result": [1,`, odbxfs.KindUnavailable},
		"a page":          {200, "text/html", "<html>", odbxfs.KindUnavailable},
		"a list":          {200, "application/json", "[]", odbxfs.KindUnavailable},
		"another type":    {200, "application/json", `{"result": "x"}`, odbxfs.KindUnavailable},
		"huge":            {200, "application/json", `{"result": "` + strings.Repeat("x", 2000) + `"}`, odbxfs.KindTooLarge},
		"bad gateway":     {502, "text/html", "<html>", odbxfs.KindUnavailable},
		"too large":       {413, "text/html", "<html>", odbxfs.KindTooLarge},
		"asked to wait":   {429, "text/plain", "", odbxfs.KindRateLimited},
		"redirect":        {302, "text/html", "", odbxfs.KindUnavailable},
		"a teapot":        {418, "text/html", "", odbxfs.KindUnavailable},
		"proxy's refusal": {403, "text/html", "", odbxfs.KindUnavailable},
	} {
		c := scripted(t, script(func(r *http.Request) (int, string, string) {
			if strings.HasSuffix(r.URL.Path, "authenticate") {
				return 200, "application/json", signedIn
			}
			return a.status, a.kind, a.body
		}), fixed("p"))
		c.cfg.MaxAnswer = 1000
		var n int
		if err := c.Call(t.Context(), "m", "f", nil, nil, &n); odbxfs.KindOf(err) != a.want || err == nil {
			t.Errorf("%s: got %v", what, err)
		}
	}
}

func TestRedirectsCarryNothingElsewhere(t *testing.T) {
	c := scripted(t, roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "odoo.test" {
			t.Errorf("asked %s", r.URL.Host)
		}
		return &http.Response{StatusCode: 307, Header: http.Header{"Location": {"http://evil.test/"}}, Body: http.NoBody, Request: r}, nil
	}), fixed("p"))
	if err := c.SignIn(t.Context()); !odbxfs.IsKind(err, odbxfs.KindUnavailable) || !strings.Contains(fmt.Sprint(err), "evil.test") {
		t.Errorf("got %v", err)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// stuck gives a body that never comes to an end.
type stuck struct{ ctx context.Context }

func (s stuck) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }
func (s stuck) Close() error             { return nil }

func TestAStalledDownloadEnds(t *testing.T) {
	c := scripted(t, roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "authenticate") {
			return script(func(*http.Request) (int, string, string) { return 200, "application/json", signedIn }).RoundTrip(r)
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: stuck{r.Context()}, ContentLength: 5, Request: r}, nil
	}), fixed("p"))
	c.cfg.Timeout = 20 * time.Millisecond
	r, _, err := c.Content(t.Context(), 1, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, errStalled) || !odbxfs.IsKind(err, odbxfs.KindUnavailable) {
		t.Errorf("got %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestTooLargeIsSaidBeforeSending(t *testing.T) {
	c := scripted(t, script(func(r *http.Request) (int, string, string) {
		if !strings.HasSuffix(r.URL.Path, "authenticate") {
			t.Errorf("sent to %s", r.URL)
		}
		return 200, "application/json", signedIn
	}), fixed("p"))
	opener := func(context.Context) (io.ReadCloser, error) { return nil, errors.New("must not be opened") }
	for _, size := range []int64{contentLimit(134217728) + 1, 1 << 31, -1} {
		_, err := c.Upload(t.Context(), map[string]any{"name": "x"}, opener, size, "")
		if k := odbxfs.KindOf(err); k != odbxfs.KindTooLarge && size > 0 || err == nil {
			t.Errorf("%d: %v", size, err)
		}
	}
}

func TestConfigsThatCannotWork(t *testing.T) {
	good := Config{URL: "https://odoo.test/prefix/", Database: "d", Login: "u", Now: time.Now, Secret: func(context.Context) (string, error) { return "", nil }}
	if c, err := New(good); err != nil || c.URL() != "https://odoo.test/prefix" || c.Database() != "d" || c.Transport() != Auto || c.MaxContent() != 0 {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(*Config){
		"no scheme":         func(c *Config) { c.URL = "odoo.test" },
		"another scheme":    func(c *Config) { c.URL = "ftp://odoo.test" },
		"a password in it":  func(c *Config) { c.URL = "https://u:hunter2@odoo.test" },
		"a query":           func(c *Config) { c.URL = "https://odoo.test?db=x" },
		"no database":       func(c *Config) { c.Database = "" },
		"no login":          func(c *Config) { c.Login = "" },
		"no secret":         func(c *Config) { c.Secret = nil },
		"no clock":          func(c *Config) { c.Now = nil },
		"unknown transport": func(c *Config) { c.Transport = "carrier pigeon" },
	} {
		bad := good
		spoil(&bad)
		if _, err := New(bad); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestSecretThatCannotBeRead(t *testing.T) {
	c, err := New(Config{URL: "http://odoo.test", Database: "d", Login: "u", Now: time.Now, HTTP: roundTripFunc(func(*http.Request) (*http.Response, error) {
		t.Error("asked the server without a secret")
		return nil, errors.New("no")
	}), Secret: func(context.Context) (string, error) { return "", errors.New("keyring locked") }})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SignIn(t.Context()); !odbxfs.IsKind(err, odbxfs.KindSettings) {
		t.Errorf("got %v", err)
	}
}

// Odoo 14 answers False to every login from an address for a minute after ten
// failures, and HTTP 500 to a session's.
func TestLoginCooldownOf14IsNoRefusal(t *testing.T) {
	var cooling atomic.Bool
	wire := script(func(r *http.Request) (int, string, string) {
		value := "<int>7</int>"
		switch {
		case strings.HasPrefix(r.URL.Path, "/web/") && cooling.Load():
			return 500, "text/html", "<html>"
		case strings.HasSuffix(r.URL.Path, "authenticate"):
			return 200, "application/json", signedIn
		case strings.HasPrefix(r.URL.Path, "/web/"):
			return 200, "application/json", seven
		case strings.HasSuffix(r.URL.Path, "common"): // version and authenticate alike
			value = "<boolean>0</boolean>"
		}
		return 200, "text/xml", "<methodResponse><params><param><value>" + value + "</value></param></params></methodResponse>"
	})
	first := scripted(t, wire, fixed("p"))
	if err := first.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	cooling.Store(true)
	e, err := newEndpoint(first.cfg)
	if err != nil {
		t.Fatal(err)
	}
	tr, acc, err := signIn(t.Context(), e, first.cfg, "p", first.UID())
	if err != nil || acc.uid != 7 || tr.kind() != XMLRPC {
		t.Errorf("with the uid of an earlier login: %v", err)
	}
	if _, _, err := signIn(t.Context(), e, first.cfg, "p", 0); !odbxfs.IsKind(err, odbxfs.KindCredentials) {
		t.Errorf("without one there is no telling: %v", err)
	}
}
