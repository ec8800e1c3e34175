package dropboxtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each case is one call on an account that holds /a.txt ("one"), /dir/b.txt
// ("two") and the folder /empty; the answer is told as reply.String does.
func TestEachRuleInOneCall(t *testing.T) {
	rev := func(a *account) string { return a.meta("/a.txt")["rev"].(string) }
	for _, c := range []struct {
		rule, route string
		arg         func(*account) any
		data        string
		want        string
	}{
		{"a new file is written", "files/upload", is(`{"path":"/new.txt"}`), "x", "ok"},
		{"missing parents are made", "files/upload", is(`{"path":"/x/y/z.txt"}`), "x", "ok"},
		{"add on other bytes is a conflict", "files/upload", is(`{"path":"/a.txt"}`), "x", "409 path/conflict/file"},
		{"add on the same bytes is nothing", "files/upload", is(`{"path":"/a.txt"}`), "one", "ok"},
		{"unless strict", "files/upload", is(`{"path":"/a.txt","strict_conflict":true}`), "one", "409 path/conflict/file"},
		{"case does not make a name another", "files/upload", is(`{"path":"/A.TXT"}`), "x", "409 path/conflict/file"},
		{"a folder is in the way", "files/upload", is(`{"path":"/dir","mode":"overwrite"}`), "x", "409 path/conflict/folder"},
		{"a file is not a parent", "files/upload", is(`{"path":"/a.txt/b"}`), "x", "409 path/conflict/file_ancestor"},
		{"update of the current rev", "files/upload", func(a *account) any {
			return obj{"path": "/a.txt", "mode": obj{".tag": "update", "update": rev(a)}}
		}, "x", "ok"},
		{"update of an old rev", "files/upload", is(`{"path":"/a.txt","mode":{".tag":"update","update":"123456789"}}`), "x", "409 path/conflict/file"},
		{"update of what is gone is written", "files/upload", is(`{"path":"/gone.txt","mode":{".tag":"update","update":"123456789"}}`), "x", "ok"},
		{"unless strict too", "files/upload", is(`{"path":"/gone.txt","strict_conflict":true,"mode":{".tag":"update","update":"123456789"}}`), "x", "409 path/conflict/file"},
		{"a wrong content_hash is refused", "files/upload", is(`{"path":"/h","content_hash":"00"}`), "x", "409 content_hash_mismatch"},
		{"a reserved name is refused", "files/upload", is(`{"path":"/Thumbs.DB"}`), "x", "409 path/disallowed_name"},
		{"a backslash is malformed", "files/create_folder_v2", is(`{"path":"/arizona\\baby"}`), "", "409 path/malformed_path"},
		{"a trailing space is malformed", "files/create_folder_v2", is(`{"path":"/DeepSkyStacker /x"}`), "", "409 path/malformed_path"},
		{"dot dot is malformed", "files/copy_v2", is(`{"from_path":"/../x","to_path":"/b"}`), "", "409 from_lookup/malformed_path"},
		{"a double slash is malformed", "files/get_metadata", is(`{"path":"/a//b"}`), "", "409 path/malformed_path"},
		{"255 UTF-16 units fit", "files/create_folder_v2", is(`{"path":"/` + strings.Repeat("e", 255) + `"}`), "", "ok"},
		{"256 do not", "files/create_folder_v2", is(`{"path":"/` + strings.Repeat("e", 256) + `"}`), "", "409 path/malformed_path"},
		{"an emoji is a name", "files/create_folder_v2", is(`{"path":"/😀"}`), "", "ok"},
		{"control characters are accepted", "files/create_folder_v2", is(`{"path":"/a\u0001\tb:*?"}`), "", "ok"},
		{"a folder exists already", "files/create_folder_v2", is(`{"path":"/DIR"}`), "", "409 path/conflict/folder"},
		{"a file stands there", "files/create_folder_v2", is(`{"path":"/a.txt"}`), "", "409 path/conflict/file"},
		{"the root has no metadata", "files/get_metadata", is(`{"path":""}`), "", "400 request body: path: The root folder is unsupported."},
		{"the root is an empty string", "files/list_folder", is(`{"path":"/"}`), "", `400 request body: path: Specify the root folder as an empty string rather than as "/".`},
		{"a path starts with a slash", "files/get_metadata", is(`{"path":"a"}`), "", `400 request body: path: 'a' did not match pattern '(/(.|[\r\n])*|id:.*)|(rev:[0-9a-f]{9,})|(ns:[0-9]+(/.*)?)'`},
		{"unknown fields are refused", "files/list_folder", is(`{"path":"","cursor":"x"}`), "", "400 request body: unknown field 'cursor'"},
		{"missing fields are refused", "files/move_v2", is(`{"from_path":"/a.txt"}`), "", "400 request body: missing required field 'to_path'"},
		{"JSON must be JSON", "files/list_folder", is(`{`), "", "400 request body: could not decode input as JSON"},
		{"a fraction of a second is refused", "files/upload", is(`{"path":"/t","client_modified":"2020-01-02T03:04:05.5Z"}`), "x", `400 HTTP header "Dropbox-API-Arg": time data`},
		{"an unknown route", "files/x", is(`{}`), "", `400 Unknown API function: "files/x"`},
		{"list wants a folder", "files/list_folder", is(`{"path":"/a.txt"}`), "", "409 path/not_folder"},
		{"list of nothing", "files/list_folder", is(`{"path":"/none"}`), "", "409 path/not_found"},
		{"delete of nothing", "files/delete_v2", is(`{"path":"/none"}`), "", "409 path_lookup/not_found"},
		{"delete with an old rev", "files/delete_v2", is(`{"path":"/a.txt","parent_rev":"123456789"}`), "", "409 path_write/conflict/file"},
		{"delete with the rev", "files/delete_v2", func(a *account) any { return obj{"path": "/a.txt", "parent_rev": rev(a)} }, "", "ok"},
		{"delete by id", "files/delete_v2", func(a *account) any { return obj{"path": a.id("/a.txt")} }, "", "ok"},
		{"move of nothing", "files/move_v2", is(`{"from_path":"/none","to_path":"/b"}`), "", "409 from_lookup/not_found"},
		{"move onto a file", "files/move_v2", is(`{"from_path":"/a.txt","to_path":"/dir/b.txt"}`), "", "409 to/conflict/file"},
		{"move onto a folder", "files/move_v2", is(`{"from_path":"/a.txt","to_path":"/dir"}`), "", "409 to/conflict/folder"},
		{"move with autorename", "files/move_v2", is(`{"from_path":"/a.txt","to_path":"/dir/b.txt","autorename":true}`), "", "ok"},
		{"move by id into new folders", "files/move_v2", func(a *account) any {
			return obj{"from_path": a.id("/a.txt"), "to_path": "/n/m/a.txt"}
		}, "", "ok"},
		{"a folder does not go into itself", "files/move_v2", is(`{"from_path":"/dir","to_path":"/dir/sub/dir"}`), "", "409 cant_move_folder_into_itself"},
		{"a case-only move is a conflict", "files/move_v2", is(`{"from_path":"/a.txt","to_path":"/A.txt"}`), "", "409 to/conflict/file"},
		{"an unknown session", "files/upload_session/append_v2", is(`{"cursor":{"session_id":"x","offset":0}}`), "x", "409 not_found"},
		{"finish of an unknown session", "files/upload_session/finish", is(`{"cursor":{"session_id":"x","offset":0},"commit":{"path":"/x"}}`), "", "409 lookup_failed/not_found"},
		{"a concurrent session starts empty", "files/upload_session/start", is(`{"session_type":"concurrent"}`), "x", "409 concurrent_session_data_not_allowed"},
		{"an unknown job", "files/delete_batch/check", is(`{"async_job_id":"dbjid:x"}`), "", "409 invalid_async_job_id"},
		{"a garbage cursor", "files/list_folder/longpoll", is(`{"cursor":"I believe in the blerch","timeout":30}`), "", "400 request body: cursor: unsupported cursor type"},
		{"revisions of nothing", "files/list_revisions", is(`{"path":"/none"}`), "", "409 path/not_found"},
		{"an unknown revision", "files/restore", is(`{"path":"/a.txt","rev":"123456789"}`), "", "409 invalid_revision"},
		{"a temporary link to nothing", "files/get_temporary_link", is(`{"path":"/none"}`), "", "409 path/not_found"},
		{"a temporary link to a folder", "files/get_temporary_link", is(`{"path":"/dir"}`), "", "409 path/not_file"},
		{"a link to nothing", "sharing/create_shared_link_with_settings", is(`{"path":"/none"}`), "", "409 path/not_found"},
		{"a basic account can't set an expiry", "sharing/create_shared_link_with_settings", is(`{"path":"/a.txt","settings":{"expires":"2099-01-01T00:00:00Z"}}`), "", "409 settings_error/not_authorized"},
		{"nor a team audience", "sharing/create_shared_link_with_settings", is(`{"path":"/a.txt","settings":{"audience":"team"}}`), "", "409 settings_error/not_authorized"},
		{"a URL that is no link", "sharing/revoke_shared_link", is(`{"url":"https://www.dropbox.com/al0w4/f.docx?dl=0"}`), "", "409 shared_link_malformed"},
		{"a link that is not there", "sharing/revoke_shared_link", is(`{"url":"https://www.dropbox.com/sh/t0ebp/AAA?dl=0"}`), "", "409 shared_link_not_found"},
		{"features", "users/features/get_values", is(`{"features":["file_locking"]}`), "", "ok"},
		{"check/user", "check/user", is(`{"query":"hi"}`), "", "ok"},
		{"space usage takes null", "users/get_space_usage", is(`null`), "", "ok"},
		{"permanently_delete is for teams", "files/permanently_delete", is(`{"path":"/a.txt"}`), "", "400 Your API app is not allowed to call this function."},
	} {
		t.Run(c.rule, func(t *testing.T) {
			a := newAccount(t, Options{})
			a.put("/a.txt", "one")
			a.put("/dir/b.txt", "two")
			a.mkdir("/empty")
			call := a.rpc
			if endpoints[c.route].style == upload {
				call = func(route string, arg any) reply { return a.send(route, arg, c.data) }
			}
			if got := call(c.route, c.arg(a)).String(); !strings.HasPrefix(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func is(s string) func(*account) any { return func(*account) any { return s } }

func TestIdenticalUploadKeepsRevAndTimes(t *testing.T) {
	clock := &fakeClock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	a := newAccount(t, Options{Now: clock.Now})
	first := a.put("/a", "x")
	clock.now = clock.now.Add(time.Hour)
	for _, mode := range []any{"add", "overwrite", obj{".tag": "update", "update": first["rev"]}} {
		again := a.must(a.send("files/upload", obj{"path": "/a", "mode": mode, "client_modified": "2001-01-01T00:00:00Z"}, "x"))
		equal(t, fmt.Sprint("answer in mode ", mode), jsonOf(again), jsonOf(first))
	}
}

func TestRevHasJournalIDAndNamespace(t *testing.T) {
	at := time.UnixMicro(1645969412872375)
	a := newAccount(t, Options{Now: func() time.Time { return at }})
	// Recorded: rev 5d9001e2a58b7043720ae of an upload at that microsecond, in
	// the namespace 70721710.
	equal(t, "rev", a.put("/duck.txt", "Quack!")["rev"], "5d9001e2a58b7043720ae")
}

func TestMoveKeepsIDGivesRev(t *testing.T) {
	a := newAccount(t, Options{})
	was := a.put("/d/a.txt", "x")
	a.must(a.rpc("files/move_v2", obj{"from_path": "/d", "to_path": "/e"}))
	now := a.meta("/e/a.txt")
	equal(t, "id", now["id"], was["id"])
	equal(t, "content_hash", now["content_hash"], was["content_hash"])
	if now["rev"] == was["rev"] {
		t.Error("a move must give a new rev")
	}
	a.must(a.rpc("files/copy_v2", obj{"from_path": "/e", "to_path": "/f"}))
	if a.id("/f/a.txt") == was["id"] || a.id("/f/a.txt") == "" {
		t.Error("a copy must have an id of its own")
	}
}

func TestAutorenameNames(t *testing.T) {
	a := newAccount(t, Options{})
	a.put("/f.txt", "1")
	name := func(r reply) any { return a.must(r)["name"] }
	equal(t, "add", name(a.send("files/upload", `{"path":"/f.txt","autorename":true}`, "2")), "f (1).txt")
	equal(t, "add again", name(a.send("files/upload", `{"path":"/f.txt","autorename":true}`, "3")), "f (2).txt")
	equal(t, "update", name(a.send("files/upload", `{"path":"/f.txt","autorename":true,"mode":{".tag":"update","update":"123456789"}}`, "4")), "f (conflicted copy).txt")
}

func TestNamesAreNFCAndFolded(t *testing.T) {
	a := newAccount(t, Options{})
	equal(t, "stored name", a.put("/Cafe\u0301.txt", "x")["name"], "Caf\u00e9.txt")
	if a.meta("/CAF\u00c9.TXT") == nil {
		t.Error("lookup must fold case")
	}
	if a.meta("/Cafe\u0301.txt") != nil {
		t.Error("lookup by an NFD path must not find it")
	}
	for in, want := range map[string]string{"ΣΣΣ": "σσσ", "Ꙋ": "Ꙋ", "ÄÖ": "äö", "𐐀": "𐐀"} {
		equal(t, "fold "+in, fold(in), want)
	}
}

func TestDeltaGivesTheStateAgain(t *testing.T) {
	a := newAccount(t, Options{})
	a.put("/Odoo/a.txt", "1")
	a.put("/Odoo/d/b.txt", "2")
	a.put("/other.txt", "3")
	first, cur := a.list("/odoo")
	equal(t, "listing", first, []string{"folder /Odoo", "file /Odoo/a.txt", "folder /Odoo/d", "file /Odoo/d/b.txt"})
	for _, step := range []struct {
		what string
		do   func()
		want []string
	}{
		{"nothing", func() {}, nil},
		{"outside", func() { a.put("/other.txt", "4") }, nil},
		{"edit", func() { a.put("/Odoo/a.txt", "5") }, []string{"file /Odoo/a.txt"}},
		{"two edits are one entry", func() { a.put("/Odoo/a.txt", "6"); a.put("/Odoo/a.txt", "7") }, []string{"file /Odoo/a.txt"}},
		{"folder move", func() { a.must(a.rpc("files/move_v2", obj{"from_path": "/Odoo/d", "to_path": "/Odoo/e"})) },
			[]string{"deleted /Odoo/d", "folder /Odoo/e", "file /Odoo/e/b.txt"}},
		{"delete and make again", func() {
			a.must(a.rpc("files/delete_v2", obj{"path": "/Odoo/e"}))
			a.mkdir("/Odoo/e")
		}, []string{"deleted /Odoo/e", "folder /Odoo/e"}},
		{"made and deleted between", func() {
			a.put("/Odoo/t/x", "1")
			a.must(a.rpc("files/delete_v2", obj{"path": "/Odoo/t"}))
		}, []string{"deleted /Odoo/t"}},
	} {
		step.do()
		var news []string
		news, cur = a.news(cur)
		equal(t, step.what, news, step.want)
	}
	a.must(a.rpc("files/delete_v2", obj{"path": "/Odoo"}))
	equal(t, "listed folder gone", a.rpc("files/list_folder/continue", obj{"cursor": cur}), "409 path/not_found")
}

func TestPagesAndReset(t *testing.T) {
	a := newAccount(t, Options{PageSize: 3})
	var want []string
	for i := range 10 {
		a.put(fmt.Sprintf("/f%d", i), "x")
		want = append(want, fmt.Sprintf("file /f%d", i))
	}
	page := a.must(a.rpc("files/list_folder", obj{"path": "", "limit": 2000}))
	equal(t, "entries of a page", len(page["entries"].([]any)), 3)
	a.put("/f0", "changed") // between two pages
	got, cur := a.entries(page)
	equal(t, "listing", got, want)
	news, _ := a.news(cur)
	equal(t, "what changed meanwhile comes again", news, []string{"file /f0"})
	a.srv.ResetCursors()
	equal(t, "after a reset", a.rpc("files/list_folder/continue", obj{"cursor": cur}), "409 reset")
	equal(t, "longpoll too", a.rpc("files/list_folder/longpoll", obj{"cursor": cur}), "409 reset")
}

func TestSwitchesOfListing(t *testing.T) {
	a := newAccount(t, Options{Behaviour: Behaviour{EmptyFirstPage: true, RepeatEntries: true, DeletedChildren: true, OmitListedFolder: true}})
	a.put("/d/a", "x")
	page := a.must(a.rpc("files/list_folder", obj{"path": "/d", "recursive": true}))
	equal(t, "first page", page["entries"], []any{})
	got, cur := a.entries(page)
	equal(t, "entries", got, []string{"file /d/a", "file /d/a"})
	a.must(a.rpc("files/delete_v2", obj{"path": "/d"}))
	a.mkdir("/d")
	got, _ = a.news(cur)
	equal(t, "children of a deleted folder", slices.Contains(got, "deleted /d/a"), true)
}

func TestLongpollWakes(t *testing.T) {
	a := newAccount(t, Options{})
	a.mkdir("/in")
	_, cur := a.list("/in")
	woken := make(chan reply, 1)
	go func() { woken <- a.rpc("files/list_folder/longpoll", obj{"cursor": cur, "timeout": 30}) }()
	a.put("/elsewhere", "x")
	select {
	case r := <-woken:
		t.Fatalf("woken by a change elsewhere: %v %s", r, r.text)
	case <-time.After(50 * time.Millisecond):
	}
	a.put("/in/x", "x")
	select {
	case r := <-woken:
		equal(t, "answer", r.json, obj{"changes": true})
	case <-time.After(time.Minute):
		t.Fatal("not woken")
	}
}

func TestLongpollEndsByTheClock(t *testing.T) {
	fire := make(chan time.Time, 1)
	fire <- time.Time{}
	a := newAccount(t, Options{After: func(time.Duration) <-chan time.Time { return fire }, Behaviour: Behaviour{LongpollBackoff: time.Minute}})
	_, cur := a.list("")
	equal(t, "answer", a.must(a.rpc("files/list_folder/longpoll", obj{"cursor": cur})), obj{"changes": false, "backoff": 60})
}

func TestDownload(t *testing.T) {
	a := newAccount(t, Options{})
	first := a.put("/ü😀.txt", "Hello Dropbox!")
	a.put("/ü😀.txt", "second")
	for _, path := range []string{"/ü😀.txt", first["id"].(string)} {
		equal(t, "bytes by "+path, a.get(path, nil).text, "second")
	}
	old := a.get("rev:"+first["rev"].(string), nil)
	equal(t, "bytes by rev", old.text, "Hello Dropbox!")
	equal(t, "content_hash", resultOf(t, old)["content_hash"], "16dff8700700b9aa627e24bbf832940c084b41ade5c5d6fe5417963a547ed9c2")
	equal(t, "ETag", old.header.Get("ETag"), `W/"`+first["rev"].(string)+`"`)
	part := a.get("/ü😀.txt", map[string]string{"Range": "bytes=1-2"})
	equal(t, "range", fmt.Sprint(part.status, part.text, part.header.Get("Content-Range")), "206ec"+"bytes 1-2/6")
	equal(t, "nothing", a.get("/none", nil), "409 path/not_found")
	equal(t, "folder", a.get("/"+"ü😀.txt/x", nil), "409 path/not_found")
	cond := a.get("/ü😀.txt", map[string]string{"If-None-Match": a.get("/ü😀.txt", nil).header.Get("ETag")})
	equal(t, "If-None-Match", cond.status, 304)
}

func resultOf(t *testing.T, r reply) (m obj) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.header.Get("Dropbox-Api-Result")), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRevisionsAndRestore(t *testing.T) {
	a := newAccount(t, Options{})
	one := a.put("/f.txt", "1")
	a.put("/f.txt", "2")
	a.must(a.rpc("files/delete_v2", `{"path":"/f.txt"}`))
	list := a.must(a.rpc("files/list_revisions", `{"path":"/f.txt","limit":10}`))
	equal(t, "is_deleted", list["is_deleted"], true)
	equal(t, "revisions", len(list["entries"].([]any)), 2)
	equal(t, "deleted metadata", a.must(a.rpc("files/get_metadata", `{"path":"/f.txt","include_deleted":true}`))[".tag"], "deleted")
	back := a.must(a.rpc("files/restore", obj{"path": "/f.txt", "rev": one["rev"]}))
	equal(t, "id", back["id"], one["id"])
	equal(t, "bytes", a.get("/f.txt", nil).text, "1")
	a.must(a.rpc("files/move_v2", `{"from_path":"/f.txt","to_path":"/g.txt"}`))
	byID := a.must(a.rpc("files/list_revisions", `{"path":"/g.txt","mode":"id"}`))
	equal(t, "revisions by id follow the move", len(byID["entries"].([]any)), 4)
}

func TestContentHashVectors(t *testing.T) {
	for _, v := range []struct{ data, want string }{
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"hello world", "bc62d4b80d9e36da29c16c5d4d9f11731f36052c72401a76c23c0fb5a9b74423"},
		{"Hello Dropbox!", "16dff8700700b9aa627e24bbf832940c084b41ade5c5d6fe5417963a547ed9c2"},
		{strings.Repeat("\x00", 4<<20), "c7e946d101855255d919ef0c70718633adf77d3dfb3adeeecf5d0cb4e951be58"},
		{strings.Repeat("\x00", 4<<20+1), "14a4d47f23a30177885d9820122f17d2d3a55fe63f7f5c27b95f689e0b2accd6"},
		{strings.Repeat("\x00", 8<<20), "03ae066c707c588592d9e27aa2444ca98423e0999024f1ceaa11a153790b37de"},
	} {
		got, n, err := ContentHash(strings.NewReader(v.data))
		if got != v.want || n != int64(len(v.data)) || err != nil {
			t.Errorf("%d bytes: %s, %v; want %s", n, got, err, v.want)
		}
	}
}

func TestTokens(t *testing.T) {
	clock := &fakeClock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	a := newAccount(t, Options{Now: clock.Now, RefreshToken: "r"})
	ask := func() string { return a.rpc("users/get_current_account", "null").String() }
	equal(t, "good", ask(), "ok")
	clock.now = clock.now.Add(4 * time.Hour)
	equal(t, "after four hours", ask(), "401 expired_access_token")
	refresh := func() reply {
		req := a.request("x", strings.NewReader("grant_type=refresh_token&refresh_token=r&client_id=k"), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
		req.URL.Path = "/oauth2/token"
		return a.do(req)
	}
	fresh := a.must(refresh())
	a.tok = fresh["access_token"].(string)
	equal(t, "refreshed", fmt.Sprint(ask(), fresh["expires_in"], fresh["refresh_token"]), "ok14400 <nil>")
	a.must(a.rpc("auth/token/revoke", "null"))
	equal(t, "revoked", ask(), "401 invalid_access_token")
	equal(t, "refresh after", refresh().text, `{"error":"invalid_grant","error_description":"refresh token is invalid or revoked"}`)
	a.srv.Grant(a.tok)
	equal(t, "granted again", ask(), "ok")
	a.tok = "ä"
	equal(t, "malformed", ask(), "400 The given OAuth 2 access token is malformed.")
	req := a.request("users/get_current_account", strings.NewReader("null"), map[string]string{"Content-Type": "application/json", "Authorization": "Bearer"})
	equal(t, "no token", a.do(req), `400 Invalid authorization value in HTTP header "Authorization": "Bearer".  Expecting "Bearer <oauth2-access-token>".`)
}

func TestPathRoot(t *testing.T) {
	a := newAccount(t, Options{})
	for root, want := range map[string]string{
		`{".tag":"home"}`:                                   "ok",
		`{".tag":"root","root":"70721710"}`:                 "ok",
		`{".tag":"namespace_id","namespace_id":"70721710"}`: "ok",
		`{".tag":"root","root":"7"}`:                        "422 invalid_root/user",
		`{".tag":"namespace_id","namespace_id":"9"}`:        "422 no_permission",
	} {
		req := a.request("files/list_folder", strings.NewReader(`{"path":""}`), map[string]string{"Content-Type": "application/json", "Dropbox-API-Path-Root": root})
		equal(t, root, a.do(req), want)
	}
}

func TestStrictHeaderAndRawUTF8(t *testing.T) {
	for strict, want := range map[bool]string{false: "ok", true: `400 HTTP header "Dropbox-API-Arg": could not decode input as JSON`} {
		a := newAccount(t, Options{Behaviour: Behaviour{StrictHeader: strict}})
		req := a.request("files/upload", strings.NewReader("x"), map[string]string{
			"Content-Type": "application/octet-stream", "Dropbox-API-Arg": `{"path":"/ü.txt"}`})
		equal(t, fmt.Sprint("strict ", strict), a.do(req), want)
	}
}

func TestQuota(t *testing.T) {
	a := newAccount(t, Options{Account: Account{Allocated: 5}})
	a.put("/a", "1234")
	equal(t, "too much", a.send("files/upload", `{"path":"/b"}`, "12"), "409 path/insufficient_space")
	usage := a.must(a.rpc("users/get_space_usage", "null"))
	equal(t, "used", usage["used"], 4)
}

func TestBothBatchesAndTooMany(t *testing.T) {
	a := newAccount(t, Options{Behaviour: Behaviour{MaxItems: 2}})
	a.put("/a", "1")
	a.put("/d/b", "2")
	a.put("/d/c", "3")
	equal(t, "folder with too many items", a.rpc("files/delete_v2", `{"path":"/d"}`), "409 too_many_files")
	done := a.job("files/delete_batch/check", a.rpc("files/delete_batch", `{"entries":[{"path":"/a"},{"path":"/none"},{"path":"/d/b","parent_rev":"123456789"}]}`))
	equal(t, "delete_batch", batchTags(done), "success failure:path_lookup/not_found failure:path_write/conflict/file")
	done = a.job("files/move_batch/check_v2", a.rpc("files/move_batch_v2", `{"entries":[{"from_path":"/d/b","to_path":"/b"},{"from_path":"/none","to_path":"/n"}]}`))
	equal(t, "move_batch", batchTags(done), "success failure:relocation_error/from_lookup/not_found")
	done = a.job("files/copy_batch/check_v2", a.rpc("files/copy_batch_v2", `{"entries":[{"from_path":"/b","to_path":"/d/c"}]}`))
	equal(t, "copy_batch", batchTags(done), "failure:relocation_error/to/conflict/file")
	made := a.must(a.rpc("files/create_folder_batch", `{"paths":["/x","/X","/d"],"autorename":false}`))
	equal(t, "create_folder_batch", batchTags(made["entries"].([]any)), "success success failure:path/conflict/folder")
	done = a.job("files/create_folder_batch/check", a.rpc("files/create_folder_batch", `{"paths":["/y"],"force_async":true}`))
	equal(t, "forced job", batchTags(done), "success")
}

func batchTags(entries []any) string {
	var list []string
	for _, e := range entries {
		m := e.(obj)
		s := m[".tag"].(string)
		if f := tags(m["failure"]); f != "" {
			s += ":" + f
		}
		list = append(list, s)
	}
	return strings.Join(list, " ")
}

func TestRequestsAreLogged(t *testing.T) {
	a := newAccount(t, Options{})
	a.put("/a", "xyz")
	a.rpc("files/delete_v2", `{"path":"/none"}`)
	log := a.srv.Requests()
	equal(t, "log", fmt.Sprint(log[0].Route, log[0].Item, log[0].Status, log[0].Bytes, log[1].Route, log[1].Status),
		fmt.Sprint("files/upload", "/a", http.StatusOK, 3, "files/delete_v2", http.StatusConflict))
	equal(t, "counts", a.srv.Counts(), map[string]int{"files/upload": 1, "files/delete_v2": 1})
	a.srv.ForgetRequests()
	equal(t, "forgotten", len(a.srv.Requests()), 0)
}
