package dropboxtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// account is a server and someone who calls it over HTTP.
type account struct {
	t   *testing.T
	srv *Server
	tok string
	// through is how calls reach it; nil: the server's own Transport.
	through http.RoundTripper
}

type obj = map[string]any

func newAccount(t *testing.T, o Options) *account {
	t.Helper()
	srv, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &account{t: t, srv: srv, tok: srv.Token()}
}

// reply is an answer, decoded as far as it can be.
type reply struct {
	status int
	header http.Header
	text   string
	json   obj
	err    error
}

// tags gives the chain of .tag of an error or union, as "path/conflict/file".
func tags(u any) string {
	m, ok := u.(obj)
	if !ok {
		return ""
	}
	name, _ := m[".tag"].(string)
	for _, key := range []string{name, "reason"} {
		if inner := tags(m[key]); inner != "" {
			return name + "/" + inner
		}
	}
	return name
}

// String tells an answer in one line: "ok", "409 path/not_found", "400 text".
func (r reply) String() string {
	switch {
	case r.err != nil:
		return "dropped"
	case r.status == 200 || r.status == 206:
		return "ok"
	case r.json["error"] != nil && tags(r.json["error"]) != "":
		return fmt.Sprintf("%d %s", r.status, tags(r.json["error"]))
	}
	_, short, _ := strings.Cut(r.text, `": `)
	if short == "" {
		short = r.text
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.status, short))
}

func (a *account) do(req *http.Request) reply {
	a.t.Helper()
	through := a.through
	if through == nil {
		through = a.srv.Transport()
	}
	resp, err := (&http.Client{Transport: through, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}).Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	r := reply{status: resp.StatusCode, header: resp.Header, text: string(b), err: err}
	_ = json.Unmarshal(b, &r.json) // a text answer stays text
	return r
}

func (a *account) request(route string, body io.Reader, header map[string]string) *http.Request {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, "http://api.dropboxapi.com/2/"+route, body)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.tok)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	return req
}

func jsonOf(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// rpc calls a route; arg is JSON text or something to encode.
func (a *account) rpc(route string, arg any) reply {
	a.t.Helper()
	return a.do(a.request(route, strings.NewReader(jsonOf(arg)), map[string]string{"Content-Type": "application/json"}))
}

// send calls a content route with data.
func (a *account) send(route string, arg any, data string) reply {
	a.t.Helper()
	return a.do(a.request(route, strings.NewReader(data), map[string]string{
		"Content-Type": "application/octet-stream", "Dropbox-API-Arg": headerSafe(jsonOf(arg))}))
}

// get downloads.
func (a *account) get(path string, header map[string]string) reply {
	a.t.Helper()
	req := a.request("files/download", bytes.NewReader(nil), header)
	req.Header.Set("Dropbox-API-Arg", headerSafe(jsonOf(obj{"path": path})))
	return a.do(req)
}

// must fails the test unless the call worked.
func (a *account) must(r reply) obj {
	a.t.Helper()
	if r.String() != "ok" {
		a.t.Fatalf("call failed: %v %s %v", r, r.text, r.err)
	}
	return r.json
}

func (a *account) put(path, data string) obj {
	a.t.Helper()
	return a.must(a.send("files/upload", obj{"path": path, "mode": "overwrite"}, data))
}

func (a *account) mkdir(path string) obj {
	a.t.Helper()
	return a.must(a.rpc("files/create_folder_v2", obj{"path": path}))["metadata"].(obj)
}

// meta gives metadata, or nil where nothing is.
func (a *account) meta(path string) obj {
	a.t.Helper()
	if r := a.rpc("files/get_metadata", obj{"path": path}); r.status == 200 {
		return r.json
	}
	return nil
}

func (a *account) id(path string) string {
	a.t.Helper()
	id, _ := a.meta(path)["id"].(string)
	return id
}

// entries runs a cursor dry from an answer of list_folder or continue, and
// tells each entry as "file /a", "folder /b", "deleted /c".
func (a *account) entries(first obj) (list []string, cursor string) {
	a.t.Helper()
	for page := first; ; {
		for _, e := range page["entries"].([]any) {
			m := e.(obj)
			list = append(list, fmt.Sprintf("%s %s", m[".tag"], m["path_display"]))
		}
		cursor = page["cursor"].(string)
		if page["has_more"] != true {
			return list, cursor
		}
		page = a.must(a.rpc("files/list_folder/continue", obj{"cursor": cursor}))
	}
}

func (a *account) list(path string) ([]string, string) {
	a.t.Helper()
	return a.entries(a.must(a.rpc("files/list_folder", obj{"path": path, "recursive": true})))
}

func (a *account) news(cursor string) ([]string, string) {
	a.t.Helper()
	return a.entries(a.must(a.rpc("files/list_folder/continue", obj{"cursor": cursor})))
}

// job polls a batch until it is done.
func (a *account) job(check string, r reply) []any {
	a.t.Helper()
	id := a.must(r)["async_job_id"]
	for range 20 {
		if answer := a.must(a.rpc(check, obj{"async_job_id": id})); answer[".tag"] == "complete" {
			return answer["entries"].([]any)
		}
	}
	a.t.Fatal("job did not end")
	return nil
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

// fakeClock stands still until it is moved.
type fakeClock struct{ now time.Time }

func (c *fakeClock) Now() time.Time { return c.now }
