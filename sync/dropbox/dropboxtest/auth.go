package dropboxtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const tokenLife = 4 * time.Hour

// pass is what a token is good for.
type pass struct {
	who    string // account id; empty: a whole team, as one of its members
	scope  string // parted by spaces
	family int    // of one authorization: what is revoked together
}

// access is an access token.
type access struct {
	pass
	ends time.Time // zero: never
}

// authState knows the tokens.
type authState struct {
	opt *Options

	mu      sync.Mutex
	count   int
	access  map[string]access
	refresh map[string]pass
	codes   map[string]grant // what a person has allowed
	denied  bool             // what a person will not allow
}

func (a *authState) init(o *Options) {
	a.opt, a.access, a.refresh = o, map[string]access{}, map[string]pass{}
	a.codes = map[string]grant{}
	if o.Token != "" {
		a.access[o.Token] = access{pass: a.first()}
	}
	if o.RefreshToken != "" {
		a.refresh[o.RefreshToken] = a.first()
	}
}

// first is a new authorization of all scopes by the first account.
func (a *authState) first() pass {
	a.count++
	return pass{who: a.opt.Account.ID, scope: allScopes, family: a.count}
}

// Token gives a new access token of the first account for all scopes; it lives
// four hours on the server's clock.
func (s *Server) Token() string { return s.TokenOf(s.opt.Account.ID) }

// TokenOf gives a new access token of an account, for the named scopes, or for
// all where none is named. An empty id makes it a whole team's, which needs the
// header Dropbox-API-Select-User.
func (s *Server) TokenOf(accountID string, scopes ...string) string {
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	p := s.auth.first()
	p.who = accountID
	if len(scopes) > 0 {
		p.scope = strings.Join(scopes, " ")
	}
	return s.auth.issue(p)
}

// Refresh gives a new refresh token; it lives until it is revoked.
func (s *Server) Refresh() string {
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	return s.auth.issueRefresh(s.auth.first())
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
	s.auth.access[token] = access{pass: s.auth.first()}
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
	for t, a := range s.auth.access {
		a.ends = s.auth.opt.Now().Add(-time.Second)
		s.auth.access[t] = a
	}
}

func (a *authState) issueRefresh(p pass) string {
	a.count++
	token := fmt.Sprintf("refresh-%s-%d", a.opt.Account.NamespaceID, a.count)
	a.refresh[token] = p
	return token
}

func (a *authState) issue(p pass) string {
	a.count++
	token := fmt.Sprintf("sl.%s-%d", a.opt.Account.NamespaceID, a.count)
	a.access[token] = access{p, a.opt.Now().Add(tokenLife)}
	return token
}

var tokenForm = regexp.MustCompile(`\A[A-Za-z0-9_.~+/=-]+\z`)

// bearer gives the request's access token, or what Dropbox answers to each kind
// of bad one.
func bearer(r *http.Request) (string, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		header = r.URL.Query().Get("authorization")
		if header == "" {
			return "", badCall("Must provide HTTP header \"Authorization\" or URL parameter \"authorization\".")
		}
	}
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || token == "" {
		return "", badCall("Invalid authorization value in HTTP header \"Authorization\": %q.  Expecting \"Bearer <oauth2-access-token>\".", header)
	}
	if !tokenForm.MatchString(token) {
		return "", badCall("The given OAuth 2 access token is malformed.")
	}
	return token, nil
}

// check gives what the request's token is good for. scope is what its route
// wants; empty: nothing.
func (a *authState) check(r *http.Request, scope string) (pass, error) {
	token, err := bearer(r)
	if err != nil {
		return pass{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t, known := a.access[token]
	switch {
	case !known:
		return pass{}, authError("invalid_access_token")
	case !t.ends.IsZero() && !a.opt.Now().Before(t.ends):
		return pass{}, authError("expired_access_token")
	case scope != "" && !slices.Contains(strings.Fields(t.scope), scope):
		e := authError("missing_scope")
		e.body = map[string]any{"error_summary": "missing_scope/..",
			"error": map[string]any{".tag": "missing_scope", "required_scope": scope}}
		return pass{}, e
	}
	return t.pass, nil
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
		p, known := a.refresh[form.Get("refresh_token")]
		if !known {
			return nil, oauthError("invalid_grant", "refresh token is invalid or revoked")
		}
		return map[string]any{"token_type": "bearer", "access_token": a.issue(p), "expires_in": int(tokenLife / time.Second)}, nil
	case "authorization_code":
		g, err := a.redeemLocked(form)
		if err != nil {
			return nil, err
		}
		p := a.first()
		p.scope = g.scope
		if g.who != "" {
			p.who = g.who
		}
		answer := map[string]any{"uid": "44076342", "access_token": a.issue(p), "expires_in": int(tokenLife / time.Second),
			"token_type": "bearer", "scope": g.scope, "account_id": p.who}
		if g.offline {
			answer["refresh_token"] = a.issueRefresh(p)
		}
		return answer, nil
	}
	return nil, oauthError("unsupported_grant_type", "grant_type \""+form.Get("grant_type")+"\" is not served")
}

const allScopes = "account_info.read files.content.read files.content.write files.metadata.read files.metadata.write sharing.read sharing.write"

func oauthError(kind, text string) error {
	return &apiError{status: http.StatusBadRequest, body: map[string]any{"error": kind, "error_description": text}}
}

// tokenRevoke ends the calling token, the refresh token that it came from, and
// all other access tokens of that.
func tokenRevoke(c *call, _ *void) (any, error) {
	a := &c.s.auth
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.access, func(_ string, t access) bool { return t.family == c.pass.family })
	maps.DeleteFunc(a.refresh, func(_ string, p pass) bool { return p.family == c.pass.family })
	return nil, nil
}
