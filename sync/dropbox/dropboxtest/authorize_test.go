package dropboxtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// browse opens the sign-in page as a browser that follows nothing.
func browse(t *testing.T, s *Server, q url.Values) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://www.dropbox.com/oauth2/authorize?"+q.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, s, req)
}

func send(t *testing.T, s *Server, req *http.Request) *http.Response {
	t.Helper()
	resp, err := s.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	})
	return resp
}

// redeem sends a form to the token endpoint and gives the answer's fields.
func redeem(t *testing.T, s *Server, form url.Values) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.dropboxapi.com/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer map[string]any
	if err := json.NewDecoder(send(t, s, req).Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func signInServer(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestASignInWithPKCE(t *testing.T) {
	s := signInServer(t, Options{AppScopes: "files.content.read sharing.write"})
	const verifier = "a-verifier-of-at-least-43-characters-as-the-rfc-has-it"
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{"client_id": {"app"}, "response_type": {"code"}, "token_access_type": {"offline"}, "state": {"s 1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
		"redirect_uri": {"http://localhost:53683/"}, "scope": {"files.content.read files.content.write"}}
	code := func() string {
		resp := browse(t, s, q)
		to, err := resp.Location()
		if err != nil || resp.StatusCode != http.StatusFound || to.Query().Get("state") != "s 1" {
			t.Fatalf("got %d to %v, %v", resp.StatusCode, to, err)
		}
		return to.Query().Get("code")
	}
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {"app"}, "redirect_uri": q["redirect_uri"], "code_verifier": {verifier}}
	form.Set("code", code())
	got := redeem(t, s, form)
	if got["scope"] != "files.content.read" || got["refresh_token"] == nil || got["access_token"] == nil {
		t.Errorf("got %v", got)
	}
	if again := redeem(t, s, form); again["error"] != "invalid_grant" {
		t.Errorf("a code twice: %v", again)
	}
	for field, wrong := range map[string]string{"code_verifier": "another", "redirect_uri": ""} {
		bad := url.Values{}
		for k, v := range form {
			bad[k] = v
		}
		bad.Set("code", code())
		bad.Set(field, wrong)
		if got := redeem(t, s, bad); got["error"] != "invalid_grant" {
			t.Errorf("a wrong %s: %v", field, got)
		}
	}
}

func TestTheSignInPageRefuses(t *testing.T) {
	s := signInServer(t, Options{Redirects: []string{"http://localhost:53683/"}})
	good := url.Values{"client_id": {"app"}, "response_type": {"code"}, "redirect_uri": {"http://localhost:53683/"}}
	for _, c := range []struct{ field, value, want string }{
		{"client_id", "", "Missing client_id"},
		{"response_type", "token", "response_type"},
		{"redirect_uri", "http://localhost:1/", "redirect_uri"},
		{"redirect_uri", "http://example.com/", "redirect_uri"},
		{"code_challenge", "x", "code_challenge_method"},
	} {
		q := url.Values{}
		for k, v := range good {
			q[k] = v
		}
		q.Set(c.field, c.value)
		resp := browse(t, s, q)
		page, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(page), c.want) {
			t.Errorf("%s=%q: %d %s, %v", c.field, c.value, resp.StatusCode, page, err)
		}
	}
}

func TestASignInWithoutRedirectShowsTheCodeAndOneThatIsDeniedSaysSo(t *testing.T) {
	s := signInServer(t, Options{})
	q := url.Values{"client_id": {"app"}, "response_type": {"code"}}
	page, err := io.ReadAll(browse(t, s, q).Body)
	if err != nil || !strings.Contains(string(page), `value="code-`) {
		t.Errorf("got %s, %v", page, err)
	}
	s.Deny(true)
	q.Set("redirect_uri", "http://127.0.0.1:9/")
	to, err := browse(t, s, q).Location()
	if err != nil || to.Query().Get("error") != "access_denied" || to.Query().Has("code") {
		t.Errorf("got %v, %v", to, err)
	}
}
