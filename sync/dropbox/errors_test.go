package dropbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"odbxfs"
)

func TestTheArgumentHeaderIsSafe(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"path":"/a"}`, `{"path":"/a"}`},
		{`{"path":"/ä"}`, `{"path":"/\u00e4"}`},
		{"{\"path\":\"/\x7f\"}", `{"path":"/\u007f"}`},
		{`{"path":"/😀"}`, `{"path":"/\ud83d\ude00"}`},
	} {
		got := headerSafe(c.in)
		var before, after map[string]string
		if err := json.Unmarshal([]byte(got), &after); err != nil || json.Unmarshal([]byte(c.in), &before) != nil || before["path"] != after["path"] {
			t.Errorf("%s reads back as %v, %v", c.in, after, err)
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.in, got, c.want)
		}
	}
}

// The bodies are those of the recordings, of the specification's examples and
// of the edge.
func TestAnswersAreClassified(t *testing.T) {
	header := http.Header{"Retry-After": {"7"}, "X-Dropbox-Request-Id": {"abc"}}
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   odbxfs.ErrorKind
		tags   string
		wait   time.Duration
	}{
		{"a lookup that finds nothing", 409, `{"error_summary": "path/not_found/..", "error": {".tag": "path", "path": {".tag": "not_found"}}}`, odbxfs.KindMissing, "path/not_found", 0},
		{"a flattened upload error", 409, `{"error_summary": "path/conflict/file/..", "error": {".tag": "path", "reason": {".tag": "conflict", "conflict": {".tag": "file"}}, "upload_session_id": "x"}}`, odbxfs.KindExists, "path/conflict/file", 0},
		{"a name with a backslash", 409, `{"error_summary": "path/malformed_path/", "error": {".tag": "path", "path": {".tag": "malformed_path"}}}`, odbxfs.KindName, "path/malformed_path", 0},
		{"the namespace lock", 429, `{"error_summary": "too_many_write_operations/..", "error": {"reason": {".tag": "too_many_write_operations"}}}`, odbxfs.KindRateLimited, "too_many_write_operations", 7 * time.Second},
		{"a rate limit as text", 429, `too many requests`, odbxfs.KindRateLimited, "", 7 * time.Second},
		{"an expired token", 401, `{"error_summary": "expired_access_token/", "error": {".tag": "expired_access_token"}}`, odbxfs.KindCredentials, "expired_access_token", 0},
		{"a malformed token", 401, `The given OAuth 2 access token is malformed.`, odbxfs.KindCredentials, "", 0},
		{"a missing scope", 401, `{"error": {".tag": "missing_scope", "required_scope": "files.content.write"}}`, odbxfs.KindCredentials, "missing_scope", 0},
		{"a lost root", 422, `{"error_summary": "invalid_root/..", "error": {".tag": "invalid_root", "invalid_root": {".tag": "user"}}}`, odbxfs.KindForeign, "invalid_root/user", 0},
		{"a garbage cursor", 400, `Error in call to API function "files/list_folder/continue": request body: cursor: unsupported cursor type`, odbxfs.KindReset, "", 0},
		{"a path that fits no pattern", 400, `Error in call to API function "files/upload": path: 'a' did not match pattern '(/(.|[\r\n])*)'`, odbxfs.KindName, "", 0},
		{"a function that is none", 400, `Unknown API function: "files/x"`, odbxfs.KindUnsupported, "", 0},
		{"an argument that is none", 400, `could not decode input as JSON`, odbxfs.KindInvalid, "", 0},
		{"a forbidden endpoint", 403, `{"error": {".tag": "invalid_account_type", "invalid_account_type": {".tag": "endpoint"}}}`, odbxfs.KindUnsupported, "invalid_account_type/endpoint", 0},
		{"a full account", 409, `{"error": {".tag": "path", "reason": {".tag": "insufficient_space"}}}`, odbxfs.KindFull, "path/insufficient_space", 0},
		{"a torn gateway", 502, `<html>bad gateway</html>`, odbxfs.KindUnavailable, "", 0},
		{"an overloaded server", 503, ``, odbxfs.KindUnavailable, "", 7 * time.Second},
		{"a limit with its seconds in the body", 429, `{"error": {"reason": {".tag": "too_many_requests"}, "retry_after": 300}}`, odbxfs.KindRateLimited, "too_many_requests", 300 * time.Second},
		{"a lost session", 409, `{"error": {".tag": "lookup_failed", "lookup_failed": {".tag": "not_found"}}}`, odbxfs.KindReset, "lookup_failed/not_found", 0},
		{"an offset that is behind", 409, `{"error": {".tag": "incorrect_offset", "correct_offset": 9}}`, odbxfs.KindReset, "incorrect_offset", 0},
		{"a root that may not be seen", 422, `{"error": {".tag": "no_permission"}}`, odbxfs.KindForeign, "no_permission", 0},
		{"a header that is too long", 431, ``, odbxfs.KindTooLarge, "", 0},
		{"a request that is too long", 413, `<html>`, odbxfs.KindTooLarge, "", 0},
		{"the edge's own refusal", 400, `<html><body><h1>400 Bad request</h1></body></html>`, odbxfs.KindTooLarge, "", 0},
		{"a full team folder", 409, `{"error": {".tag": "path", "reason": {".tag": "team_folder_insufficient_space"}}}`, odbxfs.KindFull, "path/team_folder_insufficient_space", 0},
		{"a locked file", 409, `{"error": {".tag": "path", "path": {".tag": "locked"}}}`, odbxfs.KindAccess, "path/locked", 0},
		{"a forbidden call without words", 403, ``, odbxfs.KindAccess, "", 0},
		{"a tag of tomorrow", 409, `{"error": {".tag": "sunspots"}}`, odbxfs.KindUnknown, "sunspots", 0},
		{"garbage", 409, `{"error": [1, {"`, odbxfs.KindUnknown, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := classify("files/x", c.status, header, []byte(c.body))
			got, ok := errors.AsType[*apiError](e)
			if !ok {
				t.Fatalf("no answer of the API is in %v", e)
			}
			if e.Kind != c.want || strings.Join(got.tags, "/") != c.tags || e.RetryAfter != c.wait || e.RequestID != "abc" {
				t.Errorf("got %v, tags %q, wait %s", e.Kind, got.tags, e.RetryAfter)
			}
			if got.Error() == "" {
				t.Error("no text at all")
			}
		})
	}
}

func TestASessionThatIsNotFoundIsNoMissingFile(t *testing.T) {
	body := []byte(`{"error": {".tag": "not_found"}}`)
	if e := classify("files/upload_session/append_v2", 409, nil, body); e.Kind != odbxfs.KindReset {
		t.Errorf("got %v", e)
	}
	if e := classify("files/get_metadata", 409, nil, body); e.Kind != odbxfs.KindMissing {
		t.Errorf("got %v", e)
	}
}

func TestUnansweredCallsMayHaveBeenCarriedOut(t *testing.T) {
	if err := unreachable("do", io.ErrUnexpectedEOF); !odbxfs.IsKind(err, odbxfs.KindUnavailable) {
		t.Errorf("got %v", err)
	}
	if err := unreachable("do", fmt.Errorf("post: %w", context.Canceled)); !errors.Is(err, context.Canceled) || odbxfs.IsKind(err, odbxfs.KindUnavailable) {
		t.Errorf("a call that we ended: %v", err)
	}
	if err := wrap("do", "/a", context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	inner := &odbxfs.Error{Op: "x", Kind: odbxfs.KindRateLimited, RetryAfter: time.Second, RequestID: "r", Err: io.EOF}
	e := asError(wrap("do", "/a", fmt.Errorf("sdk: %w", inner)))
	if e.Op != "do" || e.Item != "/a" || e.Kind != inner.Kind || e.RetryAfter != time.Second || e.RequestID != "r" {
		t.Errorf("got %+v", e)
	}
}

func FuzzClassify(f *testing.F) {
	seeds := [][]byte{nil, []byte(`{"error": "v1_retired"}`), []byte(`<html>`), []byte(`{"error": {".tag": "path", "path": {".tag": "not_found"}}}`),
		[]byte(`{"error": {"reason": {".tag": "too_many_requests"}, "retry_after": -5}}`), []byte("a\x00b\nc"), []byte(`{"error": {"retry_after": 1e99}}`)}
	for _, body := range seeds {
		for _, status := range []int{400, 401, 403, 409, 410, 422, 429, 500} {
			f.Add(status, body)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := classify("files/x", status, http.Header{"Retry-After": {string(body[:min(len(body), 4)])}}, body)
		if e.RetryAfter < 0 || e.Err == nil || e.Err.Error() == "" && http.StatusText(status) != "" {
			t.Errorf("got %+v", e)
		}
		if status == http.StatusTooManyRequests && (e.Kind != odbxfs.KindRateLimited || e.RetryAfter < lockWait) {
			t.Errorf("a limit without a wait: %+v", e)
		}
		if strings.Contains(e.Error(), "\n") && len(tagsOnly(e)) == 0 {
			t.Errorf("more than a line: %q", e)
		}
	})
}

func tagsOnly(e *odbxfs.Error) []string {
	answer, _ := errors.AsType[*apiError](e)
	return answer.tags
}

func FuzzHeaderSafe(f *testing.F) {
	for _, s := range []string{"", "/a", "/ä", "/😀", "/\x7f", "/\u2028", "/\xff", "a\\b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		arg, err := json.Marshal(map[string]string{"path": name})
		if err != nil {
			t.Fatal(err)
		}
		safe := headerSafe(string(arg))
		var before, after map[string]string
		if json.Unmarshal(arg, &before) != nil || json.Unmarshal([]byte(safe), &after) != nil || before["path"] != after["path"] {
			t.Errorf("%q reads back as %q", before, after)
		}
		for i := range len(safe) {
			if safe[i] < ' ' || safe[i] >= 0x7f {
				t.Errorf("%q is not safe at %d", safe, i)
			}
		}
	})
}

func FuzzTagsOfBody(f *testing.F) {
	f.Add([]byte(`{"error": {".tag": "path", "path": {".tag": "not_found"}}}`))
	f.Add([]byte(`{"error": {"reason": {".tag": "too_many_requests"}, "retry_after": 15}}`))
	f.Add([]byte(`{"error": {".tag": ""}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if tags, wait := tagsOfBody(body); len(tags) > maxDepth || slices.Contains(tags, "") || wait < 0 {
			t.Errorf("got %q, %d", tags, wait)
		}
	})
}
