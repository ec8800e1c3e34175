package dropbox

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/auth"

	"odbxfs"
)

// The scopes that the product needs, and no others: its account's name and
// room, the tree and its changes, contents both ways, and, unless the links'
// policy is "none", shared links.
var (
	baseScopes = []string{"account_info.read", "files.metadata.read", "files.content.read", "files.content.write"}
	linkScopes = []string{"sharing.read", "sharing.write"}
)

// LoginConfig is what signing in to an account needs.
type LoginConfig struct {
	// AppKey is the app's public key. There is no app secret: PKCE (RFC 7636)
	// stands for it.
	AppKey string
	// API and WWW are base URLs without a trailing slash; empty: Dropbox's own.
	API, WWW string
	// Redirect is where Dropbox sends the browser back to, one of the addresses
	// registered for the app; empty: Dropbox shows a code to be pasted.
	Redirect string
	// NoLinks leaves out the scopes of shared links.
	NoLinks bool
	// HTTP carries the requests; nil is http.DefaultTransport.
	HTTP http.RoundTripper
	// Random gives unpredictable bytes: crypto/rand.Reader.
	Random io.Reader
}

// Login is one person's way through Dropbox's sign-in page. It is used once, by
// one goroutine.
type Login struct {
	cfg      LoginConfig
	scopes   []string
	verifier string
	state    string
}

// Grant is what a person allowed.
type Grant struct {
	// RefreshToken is the secret to keep; it holds until it is revoked.
	RefreshToken string
	AccountID    string // dbid:...
}

// NewLogin begins a sign-in.
func NewLogin(cfg LoginConfig) (*Login, error) {
	if cfg.API == "" {
		cfg.API = "https://api.dropboxapi.com"
	}
	if cfg.WWW == "" {
		cfg.WWW = "https://www.dropbox.com"
	}
	if cfg.HTTP == nil {
		cfg.HTTP = http.DefaultTransport
	}
	random := make([]byte, 48)
	if _, err := io.ReadFull(cfg.Random, random); err != nil {
		return nil, fmt.Errorf("make a secret for the sign-in: %w", err)
	}
	l := &Login{cfg: cfg, scopes: slices.Clone(baseScopes),
		verifier: base64.RawURLEncoding.EncodeToString(random[:32]), state: base64.RawURLEncoding.EncodeToString(random[32:])}
	if !cfg.NoLinks {
		l.scopes = append(l.scopes, linkScopes...)
	}
	return l, nil
}

// URL is the page on which the person allows the app.
func (l *Login) URL() string {
	sum := sha256.Sum256([]byte(l.verifier))
	q := url.Values{"client_id": {l.cfg.AppKey}, "response_type": {"code"}, "token_access_type": {"offline"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
		"scope": {strings.Join(l.scopes, " ")}}
	if l.cfg.Redirect != "" {
		q.Set("redirect_uri", l.cfg.Redirect)
		q.Set("state", l.state)
	}
	return strings.TrimSuffix(l.cfg.WWW, "/") + "/oauth2/authorize?" + q.Encode()
}

const signIn = "sign in to Dropbox"

func loginError(kind odbxfs.ErrorKind, err error) error {
	return &odbxfs.Error{Op: signIn, Kind: kind, Err: err}
}

// code takes the code out of the address that the browser was sent back to. One
// that was not asked for here is refused.
func (l *Login) code(q url.Values) (string, error) {
	switch {
	case subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(l.state)) != 1:
		return "", loginError(odbxfs.KindInvalid, errors.New("the answer is of another sign-in"))
	case q.Get("error") != "":
		return "", loginError(odbxfs.KindCredentials, fmt.Errorf("%s: %s", q.Get("error"), q.Get("error_description")))
	case q.Get("code") == "":
		return "", loginError(odbxfs.KindInvalid, errors.New("the answer has no code"))
	}
	return q.Get("code"), nil
}

// Redeem exchanges the code for a refresh token, and makes sure that it allows
// all that is needed.
func (l *Login) Redeem(ctx context.Context, code string) (Grant, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {strings.TrimSpace(code)},
		"client_id": {l.cfg.AppKey}, "code_verifier": {l.verifier}}
	if l.cfg.Redirect != "" {
		form.Set("redirect_uri", l.cfg.Redirect)
	}
	body, err := askToken(ctx, l.cfg.HTTP, l.cfg.API, signIn, form)
	if err != nil {
		return Grant{}, err
	}
	return l.grant(body)
}

// grant reads the answer to a code.
func (l *Login) grant(body []byte) (Grant, error) {
	var answer struct {
		RefreshToken string `json:"refresh_token"`
		AccountID    string `json:"account_id"`
		Scope        string `json:"scope"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.RefreshToken == "" {
		return Grant{}, loginError(odbxfs.KindUnavailable, errors.New("the answer has no refresh token"))
	}
	var missing []string
	for _, s := range l.scopes {
		if !slices.Contains(strings.Fields(answer.Scope), s) {
			missing = append(missing, s)
		}
	}
	if len(missing) > 0 {
		return Grant{}, loginError(odbxfs.KindCredentials, fmt.Errorf("the app lacks %s: switch that on under Permissions in the App Console, submit, and sign in again", strings.Join(missing, ", ")))
	}
	return Grant{RefreshToken: answer.RefreshToken, AccountID: answer.AccountID}, nil
}

// askToken sends a form to oauth2/token and gives the body of a success.
func askToken(ctx context.Context, rt http.RoundTripper, api, op string, form url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(api, "/")+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, &odbxfs.Error{Op: op, Kind: odbxfs.KindInvalid, Err: err}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return nil, unreachable(op, err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, unreachable(op, err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return body, nil
	case http.StatusBadRequest, http.StatusUnauthorized:
		return nil, &odbxfs.Error{Op: op, Kind: odbxfs.KindCredentials, Err: oauthReason(body)}
	}
	return nil, classify(op, resp.StatusCode, resp.Header, body)
}

func oauthReason(body []byte) error {
	var answer struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error == "" {
		return errors.New("Dropbox refused it without a reason")
	}
	return fmt.Errorf("%s: %s", answer.Error, answer.Description)
}

// Revoke ends the login: the access token in use, and with it the refresh token
// that it came from.
func (c *Client) Revoke(ctx context.Context) error {
	if err := auth.NewContext(c.sdk).TokenRevokeContext(ctx); err != nil {
		return wrap("revoke the login", "", err)
	}
	return nil
}
