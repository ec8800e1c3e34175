package dropbox_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/sync/dropbox"
	"odbxfs/sync/dropbox/dropboxtest"
)

func beginLogin(t *testing.T, srv *dropboxtest.Server, cfg dropbox.LoginConfig) *dropbox.Login {
	t.Helper()
	cfg.AppKey, cfg.HTTP = "app-key", srv.Transport()
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	l, err := dropbox.NewLogin(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// allow opens the sign-in page as a person's browser, which follows nothing,
// and gives where it is sent, or the code that it shows.
func allow(t *testing.T, srv *dropboxtest.Server, page string) (to *url.URL, code string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if to, err := resp.Location(); err == nil {
		return to, ""
	}
	if m := regexp.MustCompile(`value="([^"]+)"`).FindSubmatch(body); m != nil {
		return nil, string(m[1])
	}
	t.Fatalf("the page says %s", body)
	return nil, ""
}

func TestSigningInWithAPastedCode(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	l := beginLogin(t, w.srv, dropbox.LoginConfig{})
	_, code := allow(t, w.srv, l.URL())
	grant, err := l.Redeem(t.Context(), " "+code+"\n")
	if err != nil || grant.AccountID != w.srv.Account().ID {
		t.Fatalf("got %+v, %v", grant, err)
	}
	cl := newClient(w.srv, func(context.Context) (string, error) { return grant.RefreshToken, nil }, "app-key")
	must(t, cl, put("/Odoo/a", "a"))
	if _, err := l.Redeem(t.Context(), code); !odbxfs.IsKind(err, odbxfs.KindCredentials) {
		t.Errorf("a code twice: %v", err)
	}
	other := beginLogin(t, w.srv, dropbox.LoginConfig{})
	_, code = allow(t, w.srv, l.URL())
	if _, err := other.Redeem(t.Context(), code); !odbxfs.IsKind(err, odbxfs.KindCredentials) {
		t.Errorf("a code that somebody else was given: %v", err)
	}

	if err := cl.Revoke(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := cl.Account(t.Context()); !odbxfs.IsKind(err, odbxfs.KindCredentials) {
		t.Errorf("after the login was revoked: %v", err)
	}
	if err := cl.Revoke(t.Context()); !odbxfs.IsKind(err, odbxfs.KindCredentials) {
		t.Errorf("revoking what is revoked: %v", err)
	}
}

func TestSigningInByTheBrowser(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	redirect := "http://" + listener.Addr().String() + "/"
	l := beginLogin(t, w.srv, dropbox.LoginConfig{Redirect: redirect})
	type end struct {
		code string
		err  error
	}
	ends := make(chan end, 1)
	go func() {
		code, err := l.Receive(t.Context(), listener)
		ends <- end{code, err}
	}()
	visit := func(where string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, where, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(page)
	}
	// Whoever else is on this machine can't end or take over the sign-in.
	for _, wrong := range []string{"", "favicon.ico", "?code=mine", "?code=mine&state=guessed", "?error=access_denied"} {
		if status, _ := visit(redirect + wrong); status != http.StatusBadRequest {
			t.Errorf("%q: %d", wrong, status)
		}
	}
	to, _ := allow(t, w.srv, l.URL())
	if status, page := visit(to.String()); status != http.StatusOK || !strings.Contains(page, "signed in") {
		t.Errorf("the browser sees %d %s", status, page)
	}
	got := <-ends
	if got.err != nil {
		t.Fatal(got.err)
	}
	if _, err := l.Redeem(t.Context(), got.code); err != nil {
		t.Error(err)
	}
}

// receive ends a sign-in by visiting one address.
func TestASignInThatIsNotAllowedOrGivenUp(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	listen := func() (net.Listener, string) {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l, "http://" + l.Addr().String() + "/"
	}
	listener, redirect := listen()
	l := beginLogin(t, w.srv, dropbox.LoginConfig{Redirect: redirect})
	w.srv.Deny(true)
	to, _ := allow(t, w.srv, l.URL())
	go func() {
		req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, to.String(), nil)
		if err != nil {
			return // Receive then ends with its context
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}()
	if _, err := l.Receive(t.Context(), listener); !odbxfs.IsKind(err, odbxfs.KindCredentials) || !strings.Contains(err.Error(), "access_denied") {
		t.Errorf("got %v", err)
	}
	listener, redirect = listen()
	l = beginLogin(t, w.srv, dropbox.LoginConfig{Redirect: redirect})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := l.Receive(ctx, listener); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestTheLeastScopesAreAskedForAndChecked(t *testing.T) {
	const base = "account_info.read files.metadata.read files.content.read files.content.write"
	for _, c := range []struct {
		name, app string
		noLinks   bool
		missing   string
	}{
		{"all that is needed", base + " sharing.read sharing.write files.metadata.write", false, ""},
		{"none for links", base, true, ""},
		{"links without their scopes", base, false, "sharing.read, sharing.write"},
		{"read only", "account_info.read files.metadata.read files.content.read", true, "files.content.write"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, dropboxtest.Options{AppScopes: c.app})
			l := beginLogin(t, w.srv, dropbox.LoginConfig{NoLinks: c.noLinks})
			page, err := url.Parse(l.URL())
			if err != nil {
				t.Fatal(err)
			}
			if asked := page.Query().Get("scope"); strings.Contains(asked, "metadata.write") || strings.Contains(asked, "sharing") == c.noLinks {
				t.Errorf("it asks for %s", asked)
			}
			_, code := allow(t, w.srv, l.URL())
			_, err = l.Redeem(t.Context(), code)
			if c.missing == "" && err != nil || c.missing != "" && (!odbxfs.IsKind(err, odbxfs.KindCredentials) || !strings.Contains(err.Error(), c.missing)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestASignInTellsNobodyItsSecrets(t *testing.T) {
	random := bytes.Repeat([]byte("secret!!"), 6)
	w := newWorld(t, dropboxtest.Options{})
	l := beginLogin(t, w.srv, dropbox.LoginConfig{Random: bytes.NewReader(random), Redirect: "http://localhost:1/"})
	q, err := url.Parse(l.URL())
	if err != nil {
		t.Fatal(err)
	}
	if q.Query().Get("code_challenge") == "" || strings.Contains(l.URL(), "c2VjcmV0ISFzZWNyZXQhIXNlY3JldCEhc2VjcmV0ISE") {
		t.Errorf("the verifier stands in the address: %s", l.URL())
	}
	if _, err := dropbox.NewLogin(dropbox.LoginConfig{Random: bytes.NewReader(nil)}); err == nil {
		t.Error("without randomness there is no sign-in")
	}
}

func TestWhatTheSignInCanMeet(t *testing.T) {
	for _, c := range []struct {
		fault dropboxtest.FaultKind
		want  odbxfs.ErrorKind
	}{
		{dropboxtest.ServerError, odbxfs.KindUnavailable},
		{dropboxtest.DropAfter, odbxfs.KindUnavailable},
		{dropboxtest.Truncate, odbxfs.KindUnavailable},
		{dropboxtest.RateLimited, odbxfs.KindRateLimited},
	} {
		w := newWorld(t, dropboxtest.Options{Faults: []dropboxtest.Fault{{Route: "oauth2/token", Kind: c.fault}}})
		l := beginLogin(t, w.srv, dropbox.LoginConfig{})
		_, code := allow(t, w.srv, l.URL())
		_, err := l.Redeem(t.Context(), code)
		if !odbxfs.IsKind(err, c.want) || strings.Contains(err.Error(), code) {
			t.Errorf("%s: %v", c.fault, err)
		}
	}
}
