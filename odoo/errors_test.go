package odoo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kolo/xmlrpc"

	"odbxfs"
)

// A fixture is an answer of a real server, as testdata/faults/CASE.TRANSPORT.VERSION.txt:
// status, content type, an empty line, the body.
type fixture struct {
	file                string
	what, wire, version string
	answer
}

func fixtures(tb testing.TB) []fixture {
	tb.Helper()
	files, err := filepath.Glob("testdata/faults/*.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var all []fixture
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		head, body, found := bytes.Cut(b, []byte("\n\n"))
		status, contentType, two := strings.Cut(string(head), "\n")
		code, err := strconv.Atoi(status)
		parts := strings.Split(strings.TrimSuffix(filepath.Base(name), ".txt"), ".")
		if !found || !two || err != nil || len(parts) != 3 {
			tb.Fatalf("%s: not a fixture", name)
		}
		all = append(all, fixture{file: name, what: parts[0], wire: parts[1], version: parts[2],
			answer: answer{status: code, header: http.Header{"Content-Type": {contentType}}, body: body}})
	}
	if len(all) < 100 {
		tb.Fatalf("%d fixtures: some are gone", len(all))
	}
	return all
}

// decode reads a fixture's answer as the transport does.
func (f fixture) decode(op string) (any, error) {
	switch f.wire {
	case "xmlrpc":
		v, err := decodeXML(f.body)
		if fault, ok := errors.AsType[xmlrpc.FaultError](err); ok {
			return nil, xmlFault(op, fault.Code, fault.String)
		}
		return v, err
	case "session":
		if f.status != http.StatusOK || !f.isJSON() {
			return nil, httpError(op, &f.answer)
		}
		v, err := parseJSON(f.body)
		if err != nil {
			return nil, err
		}
		if fault, ok := v.(map[string]any)["error"].(map[string]any); ok {
			return nil, jsonFault(op, fault)
		}
		return v.(map[string]any)["result"], nil
	case "json2":
		if !f.isJSON() {
			return nil, httpError(op, &f.answer)
		}
		v, err := parseJSON(f.body)
		if err == nil && f.status != http.StatusOK {
			err = json2Fault(op, f.status, f.header, v)
		}
		return v, err
	}
	return nil, httpError(op, &f.answer)
}

// Each fixture's kind, where all transports and versions agree, and the
// exceptions by "case.transport.version" or "case.transport".
var kindOfCase = map[string]odbxfs.ErrorKind{
	"access-action":              odbxfs.KindAccess,
	"access-create":              odbxfs.KindAccess,
	"access-model":               odbxfs.KindAccess,
	"private-method":             odbxfs.KindAccess,
	"unlink-missing":             odbxfs.KindMissing,
	"write-missing":              odbxfs.KindMissing,
	"unknown-field-read":         odbxfs.KindInvalid,
	"unknown-field-create":       odbxfs.KindInvalid,
	"unknown-field-domain":       odbxfs.KindInvalid,
	"required-missing":           odbxfs.KindInvalid,
	"unique":                     odbxfs.KindInvalid,
	"user-error":                 odbxfs.KindInvalid,
	"wrong-selection":            odbxfs.KindInvalid,
	"bad-arguments":              odbxfs.KindInvalid,
	"broken-json":                odbxfs.KindInvalid,
	"unknown-model":              odbxfs.KindUnknownModel,
	"unknown-model.xmlrpc":       odbxfs.KindInvalid, // a UserError like any other: the transport asks once more
	"unknown-method":             odbxfs.KindUnsupported,
	"serialization":              odbxfs.KindChanged,
	"lock":                       odbxfs.KindChanged,
	"disk-full":                  odbxfs.KindFull,
	"nul":                        odbxfs.KindName,
	"none.xmlrpc":                odbxfs.KindUnsupported,
	"wrong-password":             odbxfs.KindCredentials,
	"wrong-password.session.14":  odbxfs.KindUnavailable, // HTTP 500 and a page
	"wrong-database":             odbxfs.KindForeign,
	"wrong-database.session.14":  odbxfs.KindUnavailable, // the same page
	"session-expired":            odbxfs.KindUnavailable, // with several databases: no such route; see isSessionExpired
	"session-expired.session.19": odbxfs.KindForeign,
	"no-route.http.14":           odbxfs.KindUnavailable,
	"no-route.http.19":           odbxfs.KindForeign,
}

// noError are the fixtures that are no error.
var noError = []string{"write-missing.xmlrpc.14", "write-missing.session.14", "none.session.14", "none.session.19", "none.json2.19"}

func TestEveryFaultOfRealServersHasItsKind(t *testing.T) {
	opOf := map[string]string{"unknown-model": "no.model.search", "unknown-method": "res.partner.nonesuch", "bad-arguments": "ir.attachment.write"}
	for _, f := range fixtures(t) {
		id := f.what + "." + f.wire + "." + f.version
		op := opOf[f.what]
		if op == "" {
			op = "ir.attachment.any"
		}
		_, err := f.decode(op)
		if slices.Contains(noError, id) {
			if err != nil {
				t.Errorf("%s: want no error, got %v", id, err)
			}
			continue
		}
		want, ok := kindOfCase[id]
		if !ok {
			want, ok = kindOfCase[f.what+"."+f.wire]
		}
		if !ok {
			want, ok = kindOfCase[f.what]
		}
		if !ok {
			t.Errorf("%s: no kind in the table", id)
			continue
		}
		if err == nil || odbxfs.KindOf(err) != want {
			t.Errorf("%s: want %q, got %q: %v", id, want, odbxfs.KindOf(err), err)
		}
		if err != nil && (strings.Contains(err.Error(), "Traceback") || strings.Contains(err.Error(), "env.cr.execute")) {
			t.Errorf("%s: a traceback or an action's code in %q", id, err)
		}
	}
}

func TestExpiredSessionsAreKnown(t *testing.T) {
	for _, f := range fixtures(t) {
		if f.wire != "session" {
			continue
		}
		_, err := f.decode("res.users.read")
		if got, want := isSessionExpired(err), f.what == "session-expired"; got != want {
			t.Errorf("%s: expired %v, want %v (%v)", f.file, got, want, err)
		}
	}
	err := jsonFault("x.y", map[string]any{"code": int64(100), "message": "Odoo Session Expired", "data": map[string]any{"name": "odoo.http.SessionExpiredException"}})
	if !isSessionExpired(err) {
		t.Errorf("code 100: %v", err)
	}
}

func TestFaultsInOtherWords(t *testing.T) {
	for _, c := range []struct {
		what string
		err  error
		kind odbxfs.ErrorKind
	}{
		{"missing, in French", xmlFault("m.f", 2, "L'enregistrement n'existe pas.\n(Enregistrement: ir.attachment(5, 6), Utilisateur: 2)"), odbxfs.KindMissing},
		{"a unique index of ours", xmlFault("m.f", 2, `duplicate key value violates unique constraint "x" DETAIL: Key (x_uid)=(u1) already exists.`), odbxfs.KindExists},
		{"login cooldown", jsonFault("sign in", map[string]any{"data": map[string]any{"name": "odoo.exceptions.AccessDenied", "message": "Too many login failures, please wait a bit before trying again."}}), odbxfs.KindRateLimited},
		{"no memory", xmlFault("m.f", 1, "Traceback (most recent call last):\n  File \"x\", line 1\nMemoryError"), odbxfs.KindTooLarge},
		{"out of recursion", xmlFault("m.f", 1, "Traceback:\nRecursionError: maximum recursion depth exceeded"), odbxfs.KindUnknown},
		{"int too big for XML-RPC", xmlFault("m.f", 1, "Traceback:\nOverflowError: int exceeds XML-RPC limits"), odbxfs.KindUnsupported},
		{"no traceback at all", xmlFault("m.f", 1, "what\nis this"), odbxfs.KindUnknown},
		{"empty fault", xmlFault("m.f", 0, ""), odbxfs.KindUnknown},
		{"an empty JSON error", jsonFault("m.f", map[string]any{}), odbxfs.KindUnknown},
		{"JSON-2 status without a body", json2Fault("m.f", 413, http.Header{}, nil), odbxfs.KindTooLarge},
		{"too large", statusError("m.f", 413, http.Header{}, "<html>"), odbxfs.KindTooLarge},
		{"bad gateway", statusError("m.f", 502, http.Header{}, "<html>"), odbxfs.KindUnavailable},
		{"login page", statusError("m.f", 200, http.Header{"Content-Type": {"text/html"}}, "<html>"), odbxfs.KindUnavailable},
		{"redirect", statusError("m.f", 301, http.Header{"Location": {"https://other"}}, ""), odbxfs.KindUnavailable},
	} {
		if got := odbxfs.KindOf(c.err); got != c.kind {
			t.Errorf("%s: want %q, got %q", c.what, c.kind, got)
		}
		if c.err.Error() == "" {
			t.Errorf("%s: says nothing", c.what)
		}
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	for value, want := range map[string]time.Duration{"7": 7 * time.Second, "": 30 * time.Second, "Wed, 21 Oct 2015 07:28:00 GMT": 30 * time.Second, "-1": 30 * time.Second} {
		err := statusError("m.f", 429, http.Header{"Retry-After": {value}}, "")
		e, ok := errors.AsType[*odbxfs.Error](err)
		if !ok || e.Kind != odbxfs.KindRateLimited || e.RetryAfter != want {
			t.Errorf("Retry-After %q: got %v", value, err)
		}
	}
}

func TestNoCodeOfAnActionInMessages(t *testing.T) {
	err := xmlFault("ir.actions.server.run", 1, "Traceback:\nValueError: <class 'KeyError'>: \"'x'\" while evaluating\n\"secret = 1\"")
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	long := xmlFault("m.f", 2, strings.Repeat("ü", 4000))
	if len(long.Error()) > 2*maxMessage {
		t.Errorf("message of %d bytes", len(long.Error()))
	}
}

func TestAnAddressWithTheWrongSchemeIsExplained(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	plain, secure := httptest.NewServer(answer), httptest.NewUnstartedServer(answer)
	defer plain.Close()
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for _, c := range []struct {
		what, url string
		kind      odbxfs.ErrorKind
		want      string
	}{
		{"https where http is spoken", strings.Replace(plain.URL, "http:", "https:", 1), odbxfs.KindSettings, "write http:// in odoo.url"},
		{"http where https is spoken", strings.Replace(secure.URL, "https:", "http:", 1), odbxfs.KindUnavailable, "speaks https"},
		{"a certificate of an unknown authority", secure.URL, odbxfs.KindUnavailable, "update-ca-certificates"},
	} {
		t.Run(c.what, func(t *testing.T) {
			client, err := New(Config{URL: c.url, Database: "d", Login: "u", Now: time.Now, Secret: func(context.Context) (string, error) { return "s", nil }})
			if err != nil {
				t.Fatal(err)
			}
			if err := client.SignIn(t.Context()); !odbxfs.IsKind(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
