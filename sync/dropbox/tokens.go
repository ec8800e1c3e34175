package dropbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	gosync "sync"
	"time"

	"odbxfs"
)

// renewBefore is how long before its end an access token is renewed. They live
// for 4 hours (oauth2/token, expires_in 14400).
const renewBefore = 5 * time.Minute

// tokens keeps the access token of one login.
type tokens struct {
	cfg Config

	mu      gosync.Mutex // guards the rest
	access  string
	expires time.Time // zero: never
	refused string    // the secret that was refused last
	reason  error
}

// token gives a valid access token, renewing it when it is about to end.
func (t *tokens) token(ctx context.Context) (string, error) {
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
func (t *tokens) renewLocked(ctx context.Context, refresh string) error {
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

// refuse notes that Dropbox no longer takes this token. Of one that can be
// renewed the error says KindUnavailable: the call may be sent again. A refused
// one waits for another secret.
func (t *tokens) refuse(token string, failed *odbxfs.Error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.access != token {
		failed.Kind = odbxfs.KindUnavailable // another call has renewed it already
		return failed
	}
	t.access = ""
	if t.cfg.AppKey != "" && tagged(failed, "expired_access_token") {
		failed.Kind = odbxfs.KindUnavailable
		return failed
	}
	t.refused, t.reason = token, failed.Err
	return failed
}
