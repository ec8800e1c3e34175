package dropboxtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

const tokenLife = 4 * time.Hour

// authState knows the tokens.
type authState struct {
	opt *Options

	mu      sync.Mutex
	count   int
	access  map[string]time.Time // when it ends; zero: never
	refresh map[string]bool
	codes   map[string]grant // what a person has allowed
	denied  bool             // what a person will not allow
}

func (a *authState) init(o *Options) {
	a.opt, a.access, a.refresh = o, map[string]time.Time{}, map[string]bool{}
	a.codes = map[string]grant{}
	if o.Token != "" {
		a.access[o.Token] = time.Time{}
	}
	if o.RefreshToken != "" {
		a.refresh[o.RefreshToken] = true
	}
}

// Token gives a new access token; it lives four hours on the server's clock.
func (s *Server) Token() string {
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	return s.auth.issue()
}

// Refresh gives a new refresh token; it lives until it is revoked.
func (s *Server) Refresh() string {
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	return s.auth.issueRefresh()
}

// Code gives what a person pastes after allowing the app: it can be exchanged
// once, for an access token and, when offline, a refresh token. No verifier is
// asked for.
func (s *Server) Code(offline bool) string {
	return s.auth.issueCode(grant{offline: offline, scope: allScopes})
}

// Grant makes an access token valid for ever, as after a new sign-in.
func (s *Server) Grant(token string) {
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	s.auth.access[token] = time.Time{}
}

// RevokeToken ends every token, refresh tokens too, as when a person removes
// the app from the account. Later Token, Refresh and Grant work again.
func (s *Server) RevokeToken() {
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	clear(s.auth.access)
	clear(s.auth.refresh)
}

// ExpireTokens ends every access token; refresh tokens stay.
func (s *Server) ExpireTokens() {
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	for t := range s.auth.access {
		s.auth.access[t] = s.auth.opt.Now().Add(-time.Second)
	}
}

func (a *authState) issueRefresh() string {
	a.count++
	token := fmt.Sprintf("refresh-%d", a.count)
	a.refresh[token] = true
	return token
}

func (a *authState) issue() string {
	a.count++
	token := fmt.Sprintf("sl.local-%d", a.count)
	a.access[token] = a.opt.Now().Add(tokenLife)
	return token
}

var tokenForm = regexp.MustCompile(`\A[A-Za-z0-9_.~+/=-]+\z`)

// check answers as Dropbox does to each kind of bad token.
func (a *authState) check(r *http.Request) error {
	header := r.Header.Get("Authorization")
	if header == "" {
		if q := r.URL.Query().Get("authorization"); q != "" {
			header = q
		} else {
			return badCall("Must provide HTTP header \"Authorization\" or URL parameter \"authorization\".")
		}
	}
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || token == "" {
		return badCall("Invalid authorization value in HTTP header \"Authorization\": %q.  Expecting \"Bearer <oauth2-access-token>\".", header)
	}
	if !tokenForm.MatchString(token) {
		return badCall("The given OAuth 2 access token is malformed.")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	ends, known := a.access[token]
	switch {
	case !known:
		return authError("invalid_access_token")
	case !ends.IsZero() && !a.opt.Now().Before(ends):
		return authError("expired_access_token")
	}
	return nil
}

// oauthToken is POST /oauth2/token with grant_type=refresh_token.
func (s *Server) oauthToken(c *call) (any, error) {
	if err := c.r.ParseForm(); err != nil {
		return nil, oauthError("invalid_request", "could not parse form")
	}
	client, _, basic := c.r.BasicAuth()
	if !basic {
		client = c.r.PostForm.Get("client_id")
	}
	if client == "" {
		return nil, oauthError("invalid_client", "missing client_id")
	}
	answer, err := s.auth.grant(c.r.PostForm)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	// Recorded: the answer is JSON under this type.
	c.w.Header().Set("Content-Type", "text/javascript")
	c.write(http.StatusOK, b)
	return answered{}, nil
}

// grant answers a form of the token endpoint.
func (a *authState) grant(form url.Values) (map[string]any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch form.Get("grant_type") {
	case "refresh_token":
		if !a.refresh[form.Get("refresh_token")] {
			return nil, oauthError("invalid_grant", "refresh token is invalid or revoked")
		}
		return map[string]any{"token_type": "bearer", "access_token": a.issue(), "expires_in": int(tokenLife / time.Second)}, nil
	case "authorization_code":
		g, err := a.redeemLocked(form)
		if err != nil {
			return nil, err
		}
		answer := map[string]any{"uid": "44076342", "access_token": a.issue(), "expires_in": int(tokenLife / time.Second),
			"token_type": "bearer", "scope": g.scope, "account_id": a.opt.Account.ID}
		if g.offline {
			answer["refresh_token"] = a.issueRefresh()
		}
		return answer, nil
	}
	return nil, oauthError("unsupported_grant_type", "grant_type \""+form.Get("grant_type")+"\" is not served")
}

const allScopes = "account_info.read files.content.read files.content.write files.metadata.read files.metadata.write sharing.read sharing.write"

func oauthError(kind, text string) error {
	return &apiError{status: http.StatusBadRequest, body: map[string]any{"error": kind, "error_description": text}}
}

// tokenRevoke ends the calling token and all refresh tokens of the app.
func tokenRevoke(c *call, _ *void) (any, error) {
	c.s.RevokeToken()
	return nil, nil
}

// checkPathRoot looks at Dropbox-API-Path-Root: this account has one namespace.
func (s *Server) checkPathRoot(r *http.Request) error {
	header := r.Header.Get("Dropbox-API-Path-Root")
	if header == "" {
		return nil
	}
	var root struct {
		Tag       string `json:".tag"`
		Root      string `json:"root"`
		Namespace string `json:"namespace_id"`
	}
	if err := json.Unmarshal([]byte(header), &root); err != nil {
		return badCall(`HTTP header "Dropbox-API-Path-Root": could not decode input as JSON`)
	}
	ns := s.opt.Account.NamespaceID
	switch {
	case root.Tag == "home", root.Tag == "root" && root.Root == ns, root.Tag == "namespace_id" && root.Namespace == ns:
		return nil
	case root.Tag == "root":
		return &apiError{status: http.StatusUnprocessableEntity, body: map[string]any{"error_summary": "invalid_root/..",
			"error": map[string]any{".tag": "invalid_root", "invalid_root": s.rootInfo()}}}
	}
	return &apiError{status: http.StatusUnprocessableEntity, body: map[string]any{
		"error_summary": "no_permission/..", "error": tag("no_permission")}}
}
