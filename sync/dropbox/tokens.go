package dropbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	gosync "sync"
	"time"

	"odbxfs"
)

// renewBefore is how long before its end an access token is renewed. They live
// for 4 hours (oauth2/token, expires_in 14400).
const renewBefore = 5 * time.Minute

// maxLife is the longest that an access token is believed to live, in seconds.
const maxLife = 24 * 60 * 60

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
			t.refused, t.reason = secret, asError(err).Err
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
	body, err := askToken(ctx, t.cfg.HTTP, t.cfg.API, op, form)
	if err != nil {
		return err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.AccessToken == "" {
		return &odbxfs.Error{Op: op, Kind: odbxfs.KindUnavailable, Err: errors.New("the answer has no access token")}
	}
	life := time.Duration(min(max(answer.ExpiresIn, 0), maxLife)) * time.Second
	t.access, t.expires = answer.AccessToken, t.cfg.Now().Add(life)
	return nil
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
