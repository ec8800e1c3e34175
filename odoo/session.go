package odoo

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"

	"odbxfs"
)

// sessionTransport speaks JSON to the routes of the web client.
type sessionTransport struct {
	e             *endpoint
	login, secret string

	mu    sync.Mutex // held while signing in again
	epoch int        // guarded by mu: grows with every login
	uid   int64      // guarded by mu: of the last login, on any transport; 0 before
	// refused is what Odoo said when it took the secret no more: the calls that
	// ran meanwhile are not to send it once more each. Guarded by mu.
	refused error
}

func (t *sessionTransport) kind() Transport { return Session }

// signInSession opens a session; its cookie stays in e's jar.
func signInSession(ctx context.Context, e *endpoint, login, secret string, lastUID int64) (*sessionTransport, account, error) {
	t := &sessionTransport{e: e, login: login, secret: secret, uid: lastUID}
	t.mu.Lock()
	defer t.mu.Unlock()
	acc, err := t.authenticateLocked(ctx)
	if err != nil {
		return nil, acc, err
	}
	return t, acc, nil
}

// authenticateLocked signs in. 14 answers a wrong password with HTTP 500, which
// would be tried again, and lock everybody out: XML-RPC tells it from a broken
// server.
func (t *sessionTransport) authenticateLocked(ctx context.Context) (account, error) {
	acc, err := t.authenticate(ctx)
	if errors.Is(err, errInternal) {
		if _, _, xerr := signInXML(ctx, t.e, t.login, t.secret, t.uid); xerr != nil {
			return acc, xerr
		}
	}
	if err == nil {
		t.uid = acc.uid
	}
	return acc, err
}

func (t *sessionTransport) authenticate(ctx context.Context) (account, error) {
	const op = "sign in"
	var acc account
	v, err := jsonRPC(ctx, t.e, op, "/web/session/authenticate", nil, map[string]any{"db": t.e.database, "login": t.login, "password": t.secret})
	if err != nil {
		return acc, err
	}
	var info struct {
		UID     int64  `odoo:"uid"`
		DB      string `odoo:"db"`
		Version string `odoo:"server_version"`
		Info    any    `odoo:"server_version_info"`
		Limit   int64  `odoo:"max_file_upload_size"`
	}
	if err := decode(v, &info); err != nil {
		return acc, answerError(op, err)
	}
	if info.UID <= 0 {
		// With a second factor the password opens half a session, without uid.
		return acc, credentialsError(op, errors.New("the password alone opens no session (two-factor login?): use an API key"))
	}
	return account{uid: info.UID, version: parseVersion(info.Info, info.Version), limit: info.Limit}, nil
}

func (t *sessionTransport) call(ctx context.Context, c *call) (any, error) {
	before := t.current()
	v, err := t.callOnce(ctx, c)
	if !isSessionExpired(err) {
		return v, err
	}
	// Odoo answers "expired" before it runs anything, so asking again is safe.
	if err := t.again(ctx, before); err != nil {
		return nil, err
	}
	return t.callOnce(ctx, c)
}

func (t *sessionTransport) callOnce(ctx context.Context, c *call) (any, error) {
	args, kw := c.args, c.kw
	if args == nil {
		args = []any{}
	}
	if kw == nil {
		kw = map[string]any{}
	}
	return jsonRPC(ctx, t.e, c.op(), "/web/dataset/call_kw/"+c.model+"/"+c.method, c.content,
		map[string]any{"model": c.model, "method": c.method, "args": args, "kwargs": kw})
}

func (t *sessionTransport) current() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.epoch
}

// again signs in anew unless somebody did since epoch before, or was refused.
func (t *sessionTransport) again(ctx context.Context, before int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.epoch != before {
		return nil
	}
	if t.refused != nil {
		return t.refused
	}
	if _, err := t.authenticateLocked(ctx); err != nil {
		if odbxfs.IsKind(err, odbxfs.KindCredentials) {
			t.refused = err
		}
		return err
	}
	t.epoch++
	return nil
}

// jsonRPC makes one call in the envelope of JSON-RPC 2.0.
func jsonRPC(ctx context.Context, e *endpoint, op, path string, content *blob, params map[string]any) (any, error) {
	f, err := encodeFrame(content, func() ([]byte, error) {
		return json.Marshal(map[string]any{"jsonrpc": "2.0", "method": "call", "id": 1, "params": params})
	})
	if err != nil {
		return nil, argumentError(op, err)
	}
	a, err := e.roundTrip(ctx, op, httpRequest{method: http.MethodPost, path: path, contentType: "application/json", body: f})
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK || !a.isJSON() {
		return nil, httpError(op, a)
	}
	v, err := parseJSON(a.body)
	if err != nil {
		return nil, answerError(op, err)
	}
	envelope, ok := v.(map[string]any)
	if !ok {
		return nil, answerError(op, errors.New("no JSON-RPC envelope"))
	}
	if fault, ok := envelope["error"].(map[string]any); ok {
		return nil, jsonFault(op, fault)
	}
	return envelope["result"], nil
}

// isSessionExpired reports whether the session is gone, as opposed to refused.
// A server with several databases does not even find the route then.
func isSessionExpired(err error) bool {
	return odbxfs.IsKind(err, odbxfs.KindReset) || errors.Is(err, errNoSuchRoute)
}
