package dropboxtest

import (
	"fmt"
	"testing"
	"time"
)

// The specification: a cursor may expire, and then a listing begins anew.
func TestCursorsExpire(t *testing.T) {
	clock := &fakeClock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	a := newAccount(t, Options{Now: clock.Now, Token: "for-ever", Behaviour: Behaviour{CursorAge: time.Hour}})
	a.tok = "for-ever"
	_, old := a.list("")
	clock.now = clock.now.Add(59 * time.Minute)
	_, renewed := a.news(old)
	clock.now = clock.now.Add(2 * time.Minute)
	equal(t, "the old one", a.rpc("files/list_folder/continue", obj{"cursor": old}), "409 reset")
	equal(t, "long-polled", a.rpc("files/list_folder/longpoll", obj{"cursor": old}), "409 reset")
	equal(t, "the one it was renewed by", a.rpc("files/list_folder/continue", obj{"cursor": renewed}), "ok")
}

// The specification's rules for applying entries: whoever meets a file makes
// the folders that it needs.
func TestChildrenMayComeBeforeTheirFolder(t *testing.T) {
	a := newAccount(t, Options{Behaviour: Behaviour{ChildrenFirst: true}})
	_, cur := a.list("")
	a.put("/d/f", "x")
	news, _ := a.news(cur)
	equal(t, "delta", news, []string{"file /d/f", "folder /d"})
}

// LookupError.restricted_content: the metadata stays, the bytes do not come.
func TestRestrictedContent(t *testing.T) {
	a := newAccount(t, Options{})
	m := a.put("/f.docx", "x")
	a.srv.Restrict(m["id"].(string))
	equal(t, "metadata", a.meta("/f.docx")["id"], m["id"])
	const want = "409 path/restricted_content"
	equal(t, "download", a.get("/f.docx", nil), want)
	equal(t, "by its rev", a.get("rev:"+m["rev"].(string), nil), want)
	equal(t, "a temporary link", a.rpc("files/get_temporary_link", obj{"path": "/f.docx"}), want)
	equal(t, "a preview", a.fetch("files/get_preview", obj{"path": "/f.docx"}), want)
}

// Limits by the documentation of each route.
func TestLimitsOfArguments(t *testing.T) {
	a := newAccount(t, Options{})
	many := func(n int, entry any) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = entry
		}
		return list
	}
	finish := obj{"cursor": cur("x", 0), "commit": obj{"path": "/x"}}
	for _, c := range []struct {
		limit, route string
		arg          any
		ok           bool
	}{
		{"1,000 sessions", "files/upload_session/start_batch", obj{"num_sessions": 1000}, true},
		{"1,001 sessions", "files/upload_session/start_batch", obj{"num_sessions": 1001}, false},
		{"no session", "files/upload_session/start_batch", obj{"num_sessions": 0}, false},
		{"1,000 commits", "files/upload_session/finish_batch_v2", obj{"entries": many(1000, finish)}, true},
		{"1,001 commits", "files/upload_session/finish_batch_v2", obj{"entries": many(1001, finish)}, false},
		{"1,001 deletions", "files/delete_batch", obj{"entries": many(1001, obj{"path": "/x"})}, false},
		{"1,001 moves", "files/move_batch_v2", obj{"entries": many(1001, obj{"from_path": "/x", "to_path": "/y"})}, false},
		{"no move", "files/move_batch_v2", obj{"entries": []any{}}, false},
		{"10,001 folders", "files/create_folder_batch", obj{"paths": many(10_001, "/x")}, false},
		{"a page of 2,000", "files/list_folder", obj{"path": "", "limit": 2000}, true},
		{"a page of 2,001", "files/list_folder", obj{"path": "", "limit": 2001}, false},
		{"a page of none", "files/list_folder", obj{"path": "", "limit": 0}, false},
		{"101 revisions", "files/list_revisions", obj{"path": "/x", "limit": 101}, false},
		{"301 accounts", "users/get_account_batch", obj{"account_ids": many(301, a.srv.Account().ID)}, false},
	} {
		r := a.rpc(c.route, c.arg)
		equal(t, c.limit, fmt.Sprint(r.status), map[bool]string{true: "200", false: "400"}[c.ok])
	}
}
