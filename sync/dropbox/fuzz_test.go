package dropbox

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"odbxfs"
)

// seeded adds seeds, of which there must be some.
func seeded(f *testing.F, seeds ...string) {
	f.Helper()
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add([]byte(s))
	}
}

const fileEntry = `{".tag": "file", "name": "a", "path_lower": "/a", "path_display": "/a", "id": "id:a", "client_modified": "2026-01-01T00:00:00Z",
	"server_modified": "2026-01-01T00:00:00Z", "rev": "0123456789", "size": 1, "is_downloadable": true, "content_hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}`

// classified reports whether a failure is one of ours, or none.
func classified(err error) bool { return err == nil || asError(err) != nil }

func FuzzChanges(f *testing.F) {
	seeded(f, `{"entries": [`+fileEntry+`], "cursor": "c", "has_more": false}`, `{"entries": [{".tag": "deleted", "name": "a", "path_display": "/a"}, {".tag": "folder", "name": "b", "id": "id:b"}], "cursor": "c"}`,
		`{"entries": [{".tag": "sunspot"}, null, 5], "cursor": "c"}`, `{"entries": null}`, `null`, `[]`, `{`, ``)
	f.Fuzz(func(t *testing.T, body []byte) {
		page, err := (&script{answers: []answer{{status: 200, body: string(body)}}}).client(Config{}).Changes(t.Context(), "/Odoo", "")
		if !classified(err) || err != nil && len(page.Changes) > 0 {
			t.Errorf("got %+v, %v", page, err)
		}
	})
}

func FuzzMetadata(f *testing.F) {
	seeded(f, fileEntry, `{".tag": "folder", "name": "b", "id": "id:b"}`, `{".tag": "deleted", "name": "a"}`, `{}`, `null`, `"x"`)
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := (&script{answers: []answer{{status: 200, body: string(body)}}}).client(Config{}).metadata(t.Context(), "/a"); !classified(err) {
			t.Errorf("got %v", err)
		}
	})
}

func opsOf(kind odbxfs.DropboxOpKind) []odbxfs.DropboxOp {
	content := func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }
	return []odbxfs.DropboxOp{{Kind: kind, ID: "id:a", Rev: "0123456789", Path: "/a", Content: content, Size: 1},
		{Kind: kind, ID: "id:b", Rev: "0123456789", Path: "/b", Content: content, Size: 1}}
}

// Each answer to a batch may be anything: none of them ends in a panic, in
// results that do not fit the ops, or in something done that nobody confirmed.
func FuzzBatches(f *testing.F) {
	seeded(f, `{".tag": "complete", "entries": [{".tag": "success", "metadata": {"name": "a", "id": "id:a"}}, {".tag": "failure", "failure": {".tag": "path", "path": {".tag": "conflict", "conflict": {".tag": "file"}}}}]}`,
		`{".tag": "async_job_id", "async_job_id": "dbjid:x"}`, `{".tag": "complete", "entries": []}`, `{".tag": "failed"}`, `{".tag": "in_progress"}`,
		`{"session_ids": ["a", "b"]}`, `{"entries": [{".tag": "success"}, null]}`, `{".tag": "complete", "entries": [{".tag": "success", "success": `+fileEntry+`}, {}]}`, `null`, ``)
	f.Fuzz(func(t *testing.T, body []byte) {
		for kind := odbxfs.DropboxMakeFolder; kind <= odbxfs.DropboxRemove; kind++ {
			s := &script{}
			for range 4 {
				s.answers = append(s.answers, answer{status: 200, body: string(body)})
			}
			c := s.client(Config{})
			c.cfg.Sleep = func(context.Context, time.Duration) error { return nil }
			ops := opsOf(kind)
			results, err := c.Apply(t.Context(), ops)
			if err != nil || len(results) != len(ops) {
				t.Fatalf("kind %d: %d results, %v", kind, len(results), err)
			}
			for _, res := range results {
				if res.Outcome == 0 || res.Outcome != odbxfs.Done && res.Err == nil {
					t.Errorf("kind %d: %+v", kind, res)
				}
				if kind == odbxfs.DropboxUpload && res.Outcome == odbxfs.Done && (res.Node == nil || res.Node.ContentHash != odbxfs.ContentHash(hashOf([]byte("x")))) {
					t.Errorf("done, and other bytes are there: %+v", res.Node)
				}
			}
		}
	})
}

func FuzzGrant(f *testing.F) {
	seeded(f, `{"access_token": "a", "refresh_token": "r", "scope": "account_info.read", "account_id": "dbid:a"}`, `{"refresh_token": ""}`, `{}`, `null`, `x`)
	f.Fuzz(func(t *testing.T, body []byte) {
		l := &Login{scopes: baseScopes}
		if g, err := l.grant(body); !classified(err) || (err == nil) != (g.RefreshToken != "") {
			t.Errorf("got %+v, %v", g, err)
		}
		if err := oauthReason(body); err == nil || err.Error() == "" {
			t.Errorf("a refusal without words: %v", err)
		}
	})
}

func FuzzLinks(f *testing.F) {
	seeded(f, `{"links": [{".tag": "file", "url": "https://www.dropbox.com/scl/fi/x/a?rlkey=y", "name": "a", "link_permissions": {"can_revoke": true}}], "has_more": false}`,
		`{".tag": "folder", "url": "https://x/"}`, `{"links": [null, {".tag": "x"}], "has_more": true, "cursor": "c"}`, `null`, ``)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, status := range []int{200, 409} {
			s := &script{answers: []answer{{status: status, body: string(body)}, {status: 200, body: string(body)}}}
			if url, err := s.client(Config{}).Link(t.Context(), "id:a", odbxfs.LinkPublic); !classified(err) {
				t.Errorf("got %q, %v", url, err)
			}
		}
	})
}
