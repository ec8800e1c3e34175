package lab

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const serverLog = `2026-11-23 15:28:57,631 9 INFO lab14-x odoo.modules.loading: Modules loaded.
2026-11-23 15:28:57,809 9 INFO lab14-x werkzeug: 127.0.0.1 - - [23/Nov/2026 15:28:57] "POST /jsonrpc HTTP/1.1" 200 - 21 0.014 0.505
2026-11-23 15:29:08,348 9 INFO None werkzeug: 127.0.0.1 - - [23/Nov/2026 15:29:08] "POST /jsonrpc#res.partner.search_count HTTP/1.1" 200 - 14 0.015 0.914
2026-11-23 15:29:08,349 9 INFO ? werkzeug: 127.0.0.1 - - [23/Nov/2026 15:29:08] "` + "\x1b[33m" + `GET /web/content/7?download=1 HTTP/1.0` + "\x1b[0m" + `" 404 - 3 0.001 0.002
2026-11-23 15:29:09,000 9 ERROR lab14-x odoo.http: Exception during JSON request handling.
Traceback (most recent call last):
  "POST /not/a/request HTTP/1.1" 200 -
`

func TestCallsAreReadFromTheLogsOfBothVersions(t *testing.T) {
	at := func(clock string) time.Time {
		tm, err := time.Parse("2006-01-02 15:04:05,000", "2026-11-23 "+clock)
		if err != nil {
			t.Fatal(err)
		}
		return tm
	}
	want := []Call{
		{at("15:28:57,809"), "POST", "/jsonrpc", 200},
		{at("15:29:08,348"), "POST", "/jsonrpc#res.partner.search_count", 200},
		{at("15:29:08,349"), "GET", "/web/content/7?download=1", 404},
	}
	if got := callsIn(serverLog); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestTheEndOfALogLeavesRequestsOut(t *testing.T) {
	name := filepath.Join(t.TempDir(), "odoo.log")
	if err := os.WriteFile(name, []byte(serverLog), 0o600); err != nil {
		t.Fatal(err)
	}
	want := `2026-11-23 15:29:09,000 9 ERROR lab14-x odoo.http: Exception during JSON request handling.
Traceback (most recent call last):
  "POST /not/a/request HTTP/1.1" 200 -`
	if got := tail(name, 3); got != want {
		t.Errorf("the last 3 lines are\n%s", got)
	}
	if got := tail(name, 4); !strings.HasPrefix(got, "2026-11-23 15:28:57,631 9 INFO lab14-x odoo.modules.loading: Modules loaded.\n") {
		t.Errorf("the last 4 lines are\n%s", got)
	}
}

func TestRPCAnswersAreToldFromErrors(t *testing.T) {
	var n int
	if err := decodeRPC(200, []byte(`{"jsonrpc":"2.0","id":1,"result":7}`), &n); err != nil || n != 7 {
		t.Errorf("a result: %d, %v", n, err)
	}
	err := decodeRPC(200, []byte(`{"error":{"message":"Odoo Server Error","data":{"name":"odoo.exceptions.UserError","message":"no"}}}`), &n)
	if want := (&RPCError{"odoo.exceptions.UserError", "no"}); !reflect.DeepEqual(err, error(want)) {
		t.Errorf("an error: %v", err)
	}
	if err := decodeRPC(500, []byte("<html>"), &n); err == nil {
		t.Error("HTML is taken for an answer")
	}
	if err := decodeRPC(200, []byte(`{"result":"seven"}`), &n); err == nil {
		t.Error("text is taken for a number")
	}
}
