package dropboxtest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// open gets a page as someone without a session, redirects followed, over a
// real connection with a Host header that names another host.
func open(t *testing.T, url string) (status int, body string, header http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "www.dropbox.com"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

func (a *account) share(path string, settings any) obj {
	a.t.Helper()
	arg := obj{"path": path}
	if settings != nil {
		arg["settings"] = settings
	}
	return a.must(a.rpc("sharing/create_shared_link_with_settings", arg))
}

func started(t *testing.T, o Options) (*account, string) {
	t.Helper()
	a := newAccount(t, o)
	base, err := a.srv.Start()
	if err != nil {
		t.Fatal(err)
	}
	return a, base
}

func TestASharedLinkOpens(t *testing.T) {
	a, base := started(t, Options{})
	a.put("/d/ä b.pdf", "bytes")
	url := a.share("/d/ä b.pdf", nil)["url"].(string)
	if !strings.HasPrefix(url, base+"/scl/fi/") || !strings.HasSuffix(url, "&dl=0") || !strings.Contains(url, "?rlkey=") {
		t.Fatalf("url %q", url)
	}
	as := func(dl string) string { return strings.Replace(url, "dl=0", dl, 1) }
	status, body, header := open(t, url)
	equal(t, "dl=0 is a page", fmt.Sprintf("%d %v %s", status, strings.Contains(body, "<html>"), header.Get("Content-Type")), "200 true text/html; charset=utf-8")
	for dl, disposition := range map[string]string{"dl=1": "attachment", "raw=1": "inline"} {
		status, body, header = open(t, as(dl))
		equal(t, dl, fmt.Sprint(status, body), "200bytes")
		equal(t, dl+" disposition", strings.HasPrefix(header.Get("Content-Disposition"), disposition), true)
	}
	a.must(a.rpc("files/move_v2", `{"from_path":"/d/ä b.pdf","to_path":"/elsewhere.pdf"}`))
	_, body, _ = open(t, as("dl=1"))
	equal(t, "after a move", body, "bytes")
	a.put("/elsewhere.pdf", "new bytes")
	_, body, _ = open(t, as("dl=1"))
	equal(t, "after an edit", body, "new bytes")
	status, _, _ = open(t, strings.Replace(as("dl=1"), "rlkey=", "rlkey=x", 1))
	equal(t, "with a wrong rlkey", status, 404)
	a.must(a.rpc("sharing/revoke_shared_link", obj{"url": url}))
	status, _, _ = open(t, as("dl=1"))
	equal(t, "revoked", status, 404)
	equal(t, "revoked twice", a.rpc("sharing/revoke_shared_link", obj{"url": url}), "409 shared_link_not_found")
	equal(t, "logged", a.srv.Counts()["scl/fi"], 7)
}

func TestPagesThatNeedALogin(t *testing.T) {
	a, base := started(t, Options{})
	a.put("/Odoo/a.txt", "secret")
	status, body, header := open(t, base+"/home/Odoo/a.txt")
	equal(t, "sign-in page", fmt.Sprintf("%d %v %s", status, strings.Contains(body, "login_email"), header.Get("Content-Type")), "200 true text/html; charset=utf-8")
	if strings.Contains(body, "secret") {
		t.Error("the page shows the file")
	}
	status, _, _ = open(t, base+"/nothing")
	equal(t, "unknown page", status, 404)
}

func TestLinksByAccountKind(t *testing.T) {
	team, expiry, password := obj{"audience": "team"}, obj{"expires": "2099-01-01T00:00:00Z"}, obj{"require_password": true, "link_password": "pw"}
	for _, c := range []struct {
		kind     AccountKind
		settings any
		want     string // visibility, or the error
	}{
		{Basic, nil, "public"}, {Basic, obj{"audience": "public"}, "public"}, {Basic, obj{"requested_visibility": "public"}, "public"},
		{Basic, team, "409 settings_error/not_authorized"}, {Basic, expiry, "409 settings_error/not_authorized"}, {Basic, password, "409 settings_error/not_authorized"},
		{Pro, expiry, "public"}, {Pro, password, "password"}, {Pro, team, "409 settings_error/not_authorized"},
		{Business, team, "team_only"}, {Business, expiry, "public"}, {Business, obj{"requested_visibility": "team_only"}, "team_only"},
		{Pro, obj{"expires": "2001-01-01T00:00:00Z"}, "409 settings_error/invalid_settings"},
		{Pro, obj{"require_password": true}, "409 settings_error/invalid_settings"},
	} {
		a := newAccount(t, Options{Account: Account{Kind: c.kind}})
		a.put("/f", "x")
		r := a.rpc("sharing/create_shared_link_with_settings", obj{"path": "/f", "settings": c.settings})
		got := r.String()
		if got == "ok" {
			got = tags(r.json["link_permissions"].(obj)["resolved_visibility"])
		}
		equal(t, fmt.Sprint(c.kind, " asks ", jsonOf(c.settings)), got, c.want)
	}
	silent := newAccount(t, Options{Behaviour: Behaviour{SilentTeamAudience: true}})
	silent.put("/f", "x")
	equal(t, "silently public", tags(silent.share("/f", team)["link_permissions"].(obj)["effective_audience"]), "public")
	byPolicy := newAccount(t, Options{Account: Account{Kind: Business}, Behaviour: Behaviour{DefaultAudience: "team"}})
	byPolicy.put("/f", "x")
	equal(t, "a team's policy", tags(byPolicy.share("/f", nil)["link_permissions"].(obj)["effective_audience"]), "team")
}

func TestWhoOpensARestrictedLink(t *testing.T) {
	clock := &fakeClock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	a, _ := started(t, Options{Account: Account{Kind: Business}, Now: clock.Now})
	for path, c := range map[string]struct {
		settings obj
		shows    string
	}{
		"/team":     {obj{"audience": "team"}, "login_email"},
		"/password": {obj{"require_password": true, "link_password": "pw"}, "Password required"},
		"/later":    {obj{"expires": "2026-01-02T00:00:00Z"}, "the bytes"},
		"/nodl":     {obj{"allow_download": false}, "embedded-app"},
	} {
		a.put(path, "the bytes")
		url := strings.Replace(a.share(path, c.settings)["url"].(string), "dl=0", "dl=1", 1)
		_, body, _ := open(t, url)
		equal(t, path, strings.Contains(body, c.shows), true)
		if path == "/later" {
			clock.now = clock.now.Add(25 * time.Hour)
			a.tok = a.srv.Token()
			status, _, _ := open(t, url)
			equal(t, "expired", status, 404)
			equal(t, "expired, by the API", a.rpc("sharing/get_shared_link_metadata", obj{"url": url}), "409 shared_link_access_denied")
			clock.now = clock.now.Add(-25 * time.Hour)
		}
	}
}

func TestModifyAndListLinks(t *testing.T) {
	a := newAccount(t, Options{Account: Account{Kind: Business}})
	a.put("/d/f", "x")
	file, folder := a.share("/d/f", nil)["url"], a.share("/d", nil)["url"]
	bare := a.rpc("sharing/create_shared_link_with_settings", obj{"path": "/d/f", "settings": obj{"audience": "public"}})
	equal(t, "again, with settings", bare, "409 shared_link_already_exists")
	full := a.rpc("sharing/create_shared_link_with_settings", obj{"path": "/d/f"})
	equal(t, "again, without", full, "409 shared_link_already_exists/metadata/file")
	changed := a.must(a.rpc("sharing/modify_shared_link_settings", obj{"url": file, "settings": obj{"audience": "team", "expires": "2099-01-01T00:00:00Z"}}))
	equal(t, "changed", fmt.Sprintf("%s %s", tags(changed["link_permissions"].(obj)["resolved_visibility"]), changed["expires"]), "team_only 2099-01-01T00:00:00Z")
	changed = a.must(a.rpc("sharing/modify_shared_link_settings", obj{"url": file, "settings": obj{}, "remove_expiration": true}))
	equal(t, "expiry removed", changed["expires"], nil)
	urls := func(arg obj) (list []any) {
		for _, l := range a.must(a.rpc("sharing/list_shared_links", arg))["links"].([]any) {
			list = append(list, l.(obj)["url"])
		}
		return list
	}
	equal(t, "direct only", urls(obj{"path": "/d/f", "direct_only": true}), []any{file})
	equal(t, "with those above", len(urls(obj{"path": "/d/f"})), 2)
	for i := range 120 {
		a.put(fmt.Sprintf("/many/%d", i), "x")
		a.share(fmt.Sprintf("/many/%d", i), nil)
	}
	page := a.must(a.rpc("sharing/list_shared_links", obj{}))
	equal(t, "first page", fmt.Sprint(len(page["links"].([]any)), page["has_more"]), "100 true")
	page = a.must(a.rpc("sharing/list_shared_links", obj{"cursor": page["cursor"]}))
	equal(t, "second page", fmt.Sprint(len(page["links"].([]any)), page["has_more"]), "22 false")
	equal(t, "metadata", a.must(a.rpc("sharing/get_shared_link_metadata", obj{"url": folder}))[".tag"], "folder")
	a.must(a.rpc("files/delete_v2", `{"path":"/d"}`))
	equal(t, "of what is deleted", a.rpc("sharing/get_shared_link_metadata", obj{"url": folder}), "409 shared_link_not_found")
}

func TestTemporaryLink(t *testing.T) {
	clock := &fakeClock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	a, _ := started(t, Options{Now: clock.Now})
	a.put("/f.txt", "bytes")
	link := a.must(a.rpc("files/get_temporary_link", `{"path":"/f.txt"}`))["link"].(string)
	_, body, _ := open(t, link)
	equal(t, "bytes", body, "bytes")
	status, _, _ := open(t, link+"x")
	equal(t, "forged", status, 404)
	clock.now = clock.now.Add(4 * time.Hour)
	status, _, _ = open(t, link)
	equal(t, "after 4 hours", status, 410)
}
