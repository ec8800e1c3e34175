package dropboxtest

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// grant is what a person has allowed on the sign-in page: what its code is good
// for.
type grant struct {
	who       string // account id; empty: the first account's
	offline   bool
	scope     string
	challenge string // of PKCE, S256; empty: none was sent
	redirect  string // must be named again when the code is redeemed
}

func (a *authState) issueCode(g grant) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count++
	code := fmt.Sprintf("code-%s-%d", a.opt.Account.NamespaceID, a.count)
	a.codes[code] = g
	return code
}

// redeemLocked takes a code, once. RFC 7636 section 4.6: the verifier must hash
// to the challenge.
func (a *authState) redeemLocked(form url.Values) (grant, error) {
	g, known := a.codes[form.Get("code")]
	if !known {
		return g, oauthError("invalid_grant", "code doesn't exist or has expired")
	}
	delete(a.codes, form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case g.challenge != "" && base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge:
		return g, oauthError("invalid_grant", "invalid code verifier")
	case g.redirect != form.Get("redirect_uri"):
		return g, oauthError("invalid_grant", "redirect_uri mismatch")
	}
	return g, nil
}

// authorize is the page /oauth2/authorize, on which a person allows the app.
// Whoever asks for it has allowed it: there is no button. Server.Deny makes
// that person say no.
func (s *Server) authorize(c *call) {
	q := c.r.URL.Query()
	redirect := q.Get("redirect_uri")
	if complaint := s.opt.signIn(q); complaint != "" {
		c.writeText(&apiError{status: http.StatusBadRequest, html: true, text: "<html><body>" + complaint + "</body></html>"})
		return
	}
	answer := url.Values{}
	if state := q.Get("state"); state != "" {
		answer.Set("state", state)
	}
	s.auth.mu.Lock()
	denied := s.auth.denied
	s.auth.mu.Unlock()
	if denied {
		answer.Set("error", "access_denied")
		answer.Set("error_description", "The user chose not to give your app access to their Dropbox account.")
	} else {
		answer.Set("code", s.auth.issueCode(grant{offline: q.Get("token_access_type") == "offline", redirect: redirect,
			challenge: q.Get("code_challenge"), scope: s.opt.granted(q.Get("scope"))}))
	}
	if redirect == "" {
		c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		c.write(http.StatusOK, fmt.Appendf(nil, `<html><body>Access code: <input readonly value="%s"></body></html>`, html.EscapeString(answer.Get("code"))))
		return
	}
	c.w.Header().Set("Location", redirect+"?"+answer.Encode())
	c.write(http.StatusFound, nil)
}

// signIn says what is wrong with a sign-in's parameters, as Dropbox's page does;
// "" is nothing. The OAuth guide: a redirect address must be registered exactly,
// http is for this machine only.
func (o *Options) signIn(q url.Values) string {
	redirect := q.Get("redirect_uri")
	u, err := url.Parse(redirect)
	switch {
	case q.Get("client_id") == "":
		return "Missing client_id."
	case q.Get("response_type") != "code":
		return `Invalid response_type: must be "code".`
	case q.Get("code_challenge") != "" && q.Get("code_challenge_method") != "S256":
		return "Invalid code_challenge_method."
	case err != nil, redirect != "" && u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1",
		redirect != "" && len(o.Redirects) > 0 && !slices.Contains(o.Redirects, redirect):
		return "Invalid redirect_uri. It must exactly match one of the redirect URIs you've pre-configured for your app (including the path)."
	}
	return ""
}

// granted gives those of the wanted scopes that the app has; none wanted means
// all of the app.
func (o *Options) granted(wanted string) string {
	app := o.AppScopes
	if app == "" {
		app = allScopes
	}
	if wanted == "" {
		return app
	}
	var got []string
	for _, s := range strings.Fields(wanted) {
		if slices.Contains(strings.Fields(app), s) {
			got = append(got, s)
		}
	}
	return strings.Join(got, " ")
}

// Deny makes the person on the sign-in page say no from now on, or yes again.
func (s *Server) Deny(no bool) {
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	s.auth.denied = no
}
