package odoo

import (
	"context"
	"errors"
	"net/http"

	"github.com/kolo/xmlrpc"
)

// xmlTransport speaks XML-RPC, the base that 14 to 19 have. Each call carries
// the secret, and Odoo hashes it anew each time.
type xmlTransport struct {
	e      *endpoint
	uid    int64
	secret string
}

func (t *xmlTransport) kind() Transport { return XMLRPC }

// signInXML asks for the version and the user's id.
func signInXML(ctx context.Context, e *endpoint, login, secret string, lastUID int64) (transport, account, error) {
	var acc account
	about, err := xmlCall(ctx, e, "version", "/xmlrpc/2/common", nil, "version")
	if err != nil {
		return nil, acc, err
	}
	if m, ok := about.(map[string]any); ok {
		name, _ := m["server_version"].(string) // absent: the name stays empty
		acc.version = parseVersion(m["server_version_info"], name)
	}
	v, err := xmlCall(ctx, e, "sign in", "/xmlrpc/2/common", nil, "authenticate", e.database, login, secret, map[string]any{})
	if err != nil {
		return nil, acc, err
	}
	t := &xmlTransport{e: e, secret: secret}
	if uid, ok := v.(int64); ok && uid > 0 {
		t.uid = uid
	} else if t.uid, err = t.refusedOrCooling(ctx, lastUID); err != nil {
		return nil, acc, err
	}
	acc.uid = t.uid
	return t, acc, nil
}

// refusedOrCooling says why authenticate answered False. On 14 it does so
// during the login cooldown too, whatever the password, and anybody behind the
// same address can cause that. A call with the uid of an earlier login is not
// subject to it, so one is tried; without a uid there is no way to tell.
func (t *xmlTransport) refusedOrCooling(ctx context.Context, lastUID int64) (int64, error) {
	if lastUID == 0 {
		return 0, credentialsError("sign in", errors.New("wrong login, password or API key (or, on Odoo 14, ten wrong passwords from this address within a minute)"))
	}
	t.uid = lastUID
	_, err := t.call(ctx, &call{model: "res.users", method: "context_get"})
	return lastUID, err
}

func (t *xmlTransport) call(ctx context.Context, c *call) (any, error) {
	kw := c.kw
	if kw == nil {
		kw = map[string]any{}
	}
	args := c.args
	if args == nil {
		args = []any{}
	}
	v, err := xmlCall(ctx, t.e, c.op(), "/xmlrpc/2/object", c.content, "execute_kw", t.e.database, t.uid, t.secret, c.model, c.method, args, kw)
	if err != nil {
		return nil, t.unknownModel(ctx, c, err)
	}
	return v, nil
}

// unknownModel finds out whether the model is what is missing. Over XML-RPC
// that is a UserError like any other, in the user's language; no method of an
// existing model can tell. fields_get of an existing model never is one.
func (t *xmlTransport) unknownModel(ctx context.Context, c *call, err error) error {
	if c.method == "fields_get" || !mayBeUnknownModel(err, c.model) {
		return err
	}
	probe := []any{t.e.database, t.uid, t.secret, c.model, "fields_get", []any{[]any{"id"}}, map[string]any{"attributes": []any{"type"}}}
	if _, perr := xmlCall(ctx, t.e, c.op(), "/xmlrpc/2/object", nil, "execute_kw", probe...); mayBeUnknownModel(perr, c.model) {
		return asUnknownModel(err)
	}
	return err
}

// xmlCall makes one XML-RPC call.
func xmlCall(ctx context.Context, e *endpoint, op, path string, content *blob, method string, params ...any) (any, error) {
	f, err := encodeFrame(content, func() ([]byte, error) {
		return encodeXML(method, append([]any(nil), params...)...)
	})
	if err != nil {
		return nil, argumentError(op, err)
	}
	a, err := e.roundTrip(ctx, op, httpRequest{method: http.MethodPost, path: path, contentType: "text/xml", body: f})
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK || !a.isXML() {
		return nil, httpError(op, a)
	}
	v, err := decodeXML(a.body)
	if fault, ok := errors.AsType[xmlrpc.FaultError](err); ok {
		return nil, xmlFault(op, fault.Code, fault.String)
	}
	if err != nil {
		return nil, answerError(op, err)
	}
	return v, nil
}
