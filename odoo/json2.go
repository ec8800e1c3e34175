package odoo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"odbxfs"
)

// json2Transport speaks JSON-2, which Odoo 19 has: an API key as bearer, named
// arguments only, one transaction a call.
type json2Transport struct {
	e   *endpoint
	key string
}

func (t *json2Transport) kind() Transport { return JSON2 }

// databaseHeader picks the database where there is no session [19]. With one it
// must not be sent: the login's session would not be kept.
const databaseHeader = "X-Odoo-Database"

// signInJSON2 checks the key by asking whose it is.
func signInJSON2(ctx context.Context, e *endpoint, key string) (transport, account, error) {
	var acc account
	v, err := askVersion(ctx, e)
	if err != nil {
		return nil, acc, err
	}
	t := &json2Transport{e: e, key: key}
	who, err := t.call(ctx, &call{model: "res.users", method: "context_get"})
	if err != nil {
		return nil, acc, err
	}
	var user struct {
		UID int64 `odoo:"uid"`
	}
	if err := decode(who, &user); err != nil || user.UID <= 0 {
		return nil, acc, answerError("sign in", fmt.Errorf("no user id in the answer: %w", err))
	}
	return t, account{uid: user.UID, version: v}, nil
}

// askVersion reads /json/version, which only servers with JSON-2 have; others
// are KindUnsupported.
func askVersion(ctx context.Context, e *endpoint) (version, error) {
	const op = "ask version"
	a, err := e.roundTrip(ctx, op, httpRequest{method: http.MethodGet, path: "/json/version"})
	if err != nil {
		return version{}, err
	}
	if a.status == http.StatusNotFound {
		return version{}, unsupported(op, "this server has no JSON-2")
	}
	if a.status != http.StatusOK || !a.isJSON() {
		return version{}, httpError(op, a)
	}
	v, err := parseJSON(a.body)
	if err != nil {
		return version{}, answerError(op, err)
	}
	var about struct {
		Info any    `odoo:"version_info"`
		Name string `odoo:"version"`
	}
	if err := decode(v, &about); err != nil {
		return version{}, answerError(op, err)
	}
	return parseVersion(about.Info, about.Name), nil
}

func (t *json2Transport) call(ctx context.Context, c *call) (any, error) {
	named, err := nameArguments(c)
	if err != nil {
		return nil, unsupported(c.op(), err.Error())
	}
	f, err := encodeFrame(c.content, func() ([]byte, error) { return json.Marshal(named) })
	if err != nil {
		return nil, argumentError(c.op(), err)
	}
	a, err := t.e.roundTrip(ctx, c.op(), httpRequest{
		method: http.MethodPost, path: "/json/2/" + c.model + "/" + c.method, contentType: "application/json",
		header: http.Header{"Authorization": {"bearer " + t.key}, databaseHeader: {t.e.database}}, body: f,
	})
	if err != nil {
		return nil, err
	}
	if !a.isJSON() {
		return nil, httpError(c.op(), a)
	}
	v, err := parseJSON(a.body)
	if err != nil {
		return nil, answerError(c.op(), err)
	}
	if a.status != http.StatusOK {
		return nil, json2Fault(c.op(), a.status, a.header, v)
	}
	return v, nil
}

// positional names the arguments of the ORM's methods, in Odoo 19's order; ids
// is the record set. Other methods take keyword arguments, or ids alone.
var positional = map[string][]string{
	"search":               {"domain", "offset", "limit", "order"},
	"search_count":         {"domain", "limit"},
	"search_read":          {"domain", "fields", "offset", "limit", "order"},
	"formatted_read_group": {"domain", "groupby", "aggregates", "having", "offset", "limit", "order"},
	"read":                 {"ids", "fields", "load"},
	"write":                {"ids", "vals"},
	"create":               {"vals_list"},
	"unlink":               {"ids"},
	"copy":                 {"ids", "default"},
	"fields_get":           {"allfields", "attributes"},
	"default_get":          {"fields"},
	"name_search":          {"name", "domain", "operator", "limit"},
	"name_create":          {"name"},
	"has_access":           {"ids", "operation"},
	"run":                  {"ids"},
	"get_param":            {"key", "default"},
	"set_param":            {"key", "value"},
}

// nameArguments turns positional arguments into JSON-2's named ones.
func nameArguments(c *call) (map[string]any, error) {
	named := maps.Clone(c.kw)
	if named == nil {
		named = map[string]any{}
	}
	names, known := positional[c.method]
	if !known {
		names = []string{"ids"}
	}
	if len(c.args) > len(names) {
		return nil, fmt.Errorf("JSON-2 has no positional arguments; name those of %s", c.op())
	}
	for i, a := range c.args {
		if _, twice := named[names[i]]; twice {
			return nil, fmt.Errorf("argument %s of %s given twice", names[i], c.op())
		}
		named[names[i]] = a
	}
	return named, nil
}

// isUnsupported reports whether the server merely lacks what was asked for.
func isUnsupported(err error) bool {
	return odbxfs.IsKind(err, odbxfs.KindUnsupported) || errors.Is(err, errNoSuchRoute)
}
