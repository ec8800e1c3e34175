package dropboxtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// newGroup is two accounts behind one address; calls of either go through it.
func newGroup(t *testing.T) (a, b *account, g *Group) {
	t.Helper()
	var list []*account
	for i := range 2 {
		srv, err := New(Options{Account: Account{ID: fmt.Sprintf("dbid:AABOLtA1rT6rRK4vajKZrWqLZ7wVnV863g%d", i),
			Name: fmt.Sprintf("Person %d", i), NamespaceID: fmt.Sprint(5000 + i)}, RefreshToken: fmt.Sprint("refresh of ", i)})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, &account{t: t, srv: srv, tok: fmt.Sprint("token-of-", i)})
		srv.Grant(list[i].tok)
	}
	g = NewGroup(list[0].srv, list[1].srv)
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, one := range list {
		one.through = g.Transport()
	}
	return list[0], list[1], g
}

func TestEachTokenHasItsAccount(t *testing.T) {
	a, b, _ := newGroup(t)
	a.put("/f", "of a")
	b.put("/f", "of b")
	for i, one := range []*account{a, b} {
		equal(t, "name", one.must(one.rpc("users/get_current_account", "null"))["name"].(obj)["display_name"], fmt.Sprint("Person ", i))
		_, cur := one.list("")
		one.put("/g", "x")
		equal(t, "longpoll", one.must(one.rpc("files/list_folder/longpoll", obj{"cursor": cur})), obj{"changes": true})
		req := one.request("x", strings.NewReader(fmt.Sprintf("grant_type=refresh_token&client_id=k&refresh_token=refresh of %d", i)), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
		req.URL.Path = "/oauth2/token"
		one.tok = one.must(one.do(req))["access_token"].(string)
		equal(t, "refreshed", one.rpc("files/get_metadata", obj{"path": "/g"}), "ok")
	}
	equal(t, "bytes of the first", a.get("/f", nil).text, "of a")
	equal(t, "bytes of the second", b.get("/f", nil).text, "of b")
	a.tok = "nobody's"
	equal(t, "an unknown token", a.rpc("users/get_current_account", "null"), "400 The given OAuth 2 access token is malformed.")
}

func TestALinkOfAnotherAccount(t *testing.T) {
	a, b, g := newGroup(t)
	base, err := g.Start()
	if err != nil {
		t.Fatal(err)
	}
	b.put("/d/f.txt", "the bytes")
	file, folder := b.share("/d/f.txt", nil)["url"], b.share("/d", nil)["url"]
	if !strings.HasPrefix(file.(string), base) {
		t.Errorf("the link %v is not below %s", file, base)
	}
	meta := a.must(a.rpc("sharing/get_shared_link_metadata", obj{"url": file}))
	equal(t, "name, and no path", fmt.Sprint(meta["name"], meta["path_lower"]), "f.txt<nil>")
	equal(t, "path for its owner", b.must(b.rpc("sharing/get_shared_link_metadata", obj{"url": file}))["path_lower"], "/d/f.txt")
	down := func(arg obj) reply {
		req := a.request("sharing/get_shared_link_file", http.NoBody, map[string]string{"Dropbox-API-Arg": jsonOf(arg)})
		return a.do(req)
	}
	got := down(obj{"url": file})
	equal(t, "bytes", got.text, "the bytes")
	equal(t, "metadata beside them", resultOf(t, got)["name"], "f.txt")
	equal(t, "by a path in the folder", down(obj{"url": folder, "path": "/f.txt"}).text, "the bytes")
	equal(t, "a folder", down(obj{"url": folder}), "409 shared_link_is_directory")
	equal(t, "no such link", down(obj{"url": base + "/scl/fi/none/x?rlkey=y"}), "409 shared_link_not_found")
	equal(t, "revoked by another", a.rpc("sharing/revoke_shared_link", obj{"url": file}), "409 shared_link_access_denied")
	equal(t, "changed by another", a.rpc("sharing/modify_shared_link_settings", obj{"url": file, "settings": obj{}}), "409 shared_link_access_denied")
	status, body, _ := open(t, strings.Replace(file.(string), "dl=0", "dl=1", 1))
	equal(t, "opened in a browser", fmt.Sprint(status, body), "200the bytes")
	link := b.must(b.rpc("files/get_temporary_link", obj{"path": "/d/f.txt"}))["link"].(string)
	status, body, _ = open(t, link)
	equal(t, "a temporary link", fmt.Sprint(status, body), "200the bytes")
}

func TestALinkWithPasswordOrWithoutDownloads(t *testing.T) {
	a := newAccount(t, Options{Account: Account{Kind: Business}})
	a.put("/p", "x")
	a.put("/n", "x")
	locked := a.share("/p", obj{"require_password": true, "link_password": "pw"})["url"]
	shown := a.share("/n", obj{"allow_download": false})["url"]
	down := func(arg obj) reply {
		return a.do(a.request("sharing/get_shared_link_file", http.NoBody, map[string]string{"Dropbox-API-Arg": jsonOf(arg)}))
	}
	equal(t, "without the password", down(obj{"url": locked}), "409 shared_link_access_denied")
	equal(t, "with it", down(obj{"url": locked, "link_password": "pw"}), "ok")
	equal(t, "not to be downloaded", down(obj{"url": shown}), "409 shared_link_access_denied")
	equal(t, "metadata without the password", a.rpc("sharing/get_shared_link_metadata", obj{"url": locked}), "409 shared_link_access_denied")
}
