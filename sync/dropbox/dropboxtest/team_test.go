package dropboxtest

import (
	"fmt"
	"strings"
	"testing"
)

// as is the same server for another account, with paths that begin at root (a
// Dropbox-API-Path-Root header, or nothing).
type as struct {
	*account
	root string
}

func (a as) rpc(route string, arg any) reply {
	a.t.Helper()
	header := map[string]string{"Content-Type": "application/json"}
	if a.root != "" {
		header["Dropbox-API-Path-Root"] = a.root
	}
	return a.do(a.request(route, strings.NewReader(jsonOf(arg)), header))
}

// paths lists everything that it sees.
func (a as) paths() []string {
	a.t.Helper()
	var list []string
	page := a.must(a.rpc("files/list_folder", obj{"path": "", "recursive": true}))
	for _, e := range page["entries"].([]any) {
		list = append(list, e.(obj)["path_display"].(string))
	}
	return list
}

// newTeam is a team of two: Jane, who is its first account, and John.
func newTeam(t *testing.T) (jane, john as) {
	t.Helper()
	a := newAccount(t, Options{Team: &Team{Members: []Account{{}}}})
	second := a.srv.members[1]
	return as{account: a}, as{account: &account{t: t, srv: a.srv, tok: a.srv.TokenOf(second.ID)}}
}

const teamRoot = `{".tag":"root","root":"88000001"}`

func TestATeamsMembersShareTheRootAndHaveHomes(t *testing.T) {
	jane, john := newTeam(t)
	jane.put("/mine.txt", "jane's")
	john.put("/mine.txt", "john's")
	equal(t, "Jane's home", jane.paths(), []string{"/mine.txt"})
	equal(t, "John's bytes", john.get("/mine.txt", nil).text, "john's")
	jane.root, john.root = teamRoot, teamRoot
	jane.must(jane.rpc("files/create_folder_v2", obj{"path": "/Sales"}))
	equal(t, "the root, as Jane sees it", jane.paths(), []string{"/Jane Doe", "/Jane Doe/mine.txt", "/Sales"})
	equal(t, "the root, as John sees it", john.paths(), []string{"/John Roe", "/John Roe/mine.txt", "/Sales"})
	equal(t, "another's home", john.rpc("files/get_metadata", obj{"path": "/Jane Doe/mine.txt"}), "409 path/not_found")
	equal(t, "another's file by its id", john.rpc("files/get_metadata", obj{"path": jane.must(jane.rpc("files/get_metadata", obj{"path": "/Jane Doe/mine.txt"}))["id"]}), "409 path/not_found")
	equal(t, "a home is not deleted", jane.rpc("files/delete_v2", obj{"path": "/Jane Doe"}), "409 path_write/no_write_permission")
}

func TestPathsBeginWhereThePathRootSays(t *testing.T) {
	jane, _ := newTeam(t)
	m := jane.put("/d/f.txt", "x")
	for root, path := range map[string]string{
		"":                "/d/f.txt",
		`{".tag":"home"}`: "/d/f.txt",
		teamRoot:          "/Jane Doe/d/f.txt",
		`{".tag":"namespace_id","namespace_id":"70721710"}`: "/d/f.txt",
	} {
		jane.root = root
		got := jane.must(jane.rpc("files/get_metadata", obj{"path": path}))
		equal(t, root+": path", fmt.Sprint(got["path_display"], got["path_lower"]), path+strings.ToLower(path))
		equal(t, root+": id and rev", fmt.Sprint(got["id"], got["rev"]), fmt.Sprint(m["id"], m["rev"]))
	}
	equal(t, "the rev ends with the home's namespace", strings.HasSuffix(m["rev"].(string), fmt.Sprintf("%08x", 70721710)), true)
	jane.root = ""
	equal(t, "by namespace", jane.rpc("files/get_metadata", obj{"path": "ns:70721710/d/f.txt"}), "ok")
	equal(t, "by another's namespace", jane.rpc("files/get_metadata", obj{"path": "ns:70721711/d"}), "409 path/not_found")
	for root, want := range map[string]string{
		`{".tag":"root","root":"70721710"}`:                 "422 invalid_root/team",
		`{".tag":"namespace_id","namespace_id":"70721711"}`: "422 no_permission",
		`{`: `400 HTTP header "Dropbox-API-Path-Root": could not decode input as JSON`,
	} {
		jane.root = root
		equal(t, root, jane.rpc("files/list_folder", obj{"path": ""}), want)
	}
}

func TestARootsDeltaHidesAnothersHome(t *testing.T) {
	jane, john := newTeam(t)
	john.root = teamRoot
	page := john.must(john.rpc("files/list_folder", obj{"path": "", "recursive": true}))
	jane.put("/secret.txt", "x")
	john.put("/own.txt", "x")
	news := john.must(john.rpc("files/list_folder/continue", obj{"cursor": page["cursor"]}))
	list, _ := john.entries(news)
	equal(t, "what John hears", list, []string{"file /John Roe/own.txt"})
	john.root = ""
	equal(t, "with another path root", john.rpc("files/list_folder/continue", obj{"cursor": page["cursor"]}), "409 reset")
	equal(t, "by another account", jane.rpc("files/list_folder/continue", obj{"cursor": page["cursor"]}), "409 reset")
}

func TestAccountsOfATeam(t *testing.T) {
	jane, john := newTeam(t)
	who := john.must(john.rpc("users/get_current_account", "null"))
	equal(t, "name", who["name"].(obj)["display_name"], "John Roe")
	equal(t, "root_info", who["root_info"], obj{".tag": "team", "root_namespace_id": "88000001", "home_namespace_id": "70721711", "home_path": "/John Roe"})
	ids := []any{jane.srv.members[0].ID, john.srv.members[1].ID}
	list := jane.rpc("users/get_account_batch", obj{"account_ids": ids})
	equal(t, "two accounts", strings.Count(list.text, `"is_teammate":true`), 2)
	equal(t, "one", jane.must(jane.rpc("users/get_account", obj{"account_id": ids[1]}))["email"], "john@example.com")
	unknown := jane.rpc("users/get_account_batch", obj{"account_ids": []string{"dbid:AABOLtA1rT6rRK4vajKZrWqLZ7wVnV863x9"}})
	equal(t, "an unknown one", unknown, "409 no_account")
	equal(t, "is named", unknown.json["error"].(obj)["no_account"], "dbid:AABOLtA1rT6rRK4vajKZrWqLZ7wVnV863x9")
	equal(t, "features", strings.Count(jane.rpc("users/features/get_values", `{"features":["team_shared_dropbox",{".tag":"file_locking"},"new"]}`).text, "true"), 2)
}

func TestATeamsTokenActsAsAMember(t *testing.T) {
	jane, john := newTeam(t)
	john.put("/f", "john's")
	jane.tok = jane.srv.TokenOf("")
	for member, want := range map[string]string{
		"":                           "400 This API function operates on a single Dropbox account, but the OAuth 2 access token you provided is for an entire Dropbox Business team.",
		"dbmid:nobody":               "401 invalid_select_user",
		john.srv.members[1].memberID: "ok",
	} {
		req := jane.request("files/get_metadata", strings.NewReader(`{"path":"/f"}`), map[string]string{"Content-Type": "application/json"})
		if member != "" {
			req.Header.Set("Dropbox-API-Select-User", member)
		}
		if got := jane.do(req).String(); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s, want %s", member, got, want)
		}
	}
}

func TestOnlyItsOwnerChangesALink(t *testing.T) {
	jane, john := newTeam(t)
	jane.root, john.root = teamRoot, teamRoot
	jane.must(jane.rpc("files/create_folder_v2", obj{"path": "/Sales"}))
	link := jane.must(jane.rpc("sharing/create_shared_link_with_settings", obj{"path": "/Sales"}))
	// Recorded: revoke_shared_link/access_denied.
	equal(t, "revoked by another", john.rpc("sharing/revoke_shared_link", obj{"url": link["url"]}), "409 shared_link_access_denied")
	equal(t, "changed by another", john.rpc("sharing/modify_shared_link_settings", obj{"url": link["url"], "settings": obj{}}), "409 shared_link_access_denied")
	equal(t, "read by another", john.rpc("sharing/get_shared_link_metadata", obj{"url": link["url"]}), "ok")
	equal(t, "another has a link of his own", john.rpc("sharing/create_shared_link_with_settings", obj{"path": "/Sales"}), "ok")
	equal(t, "each lists the own", len(john.must(john.rpc("sharing/list_shared_links", obj{}))["links"].([]any)), 1)
	equal(t, "revoked by its owner", jane.rpc("sharing/revoke_shared_link", obj{"url": link["url"]}), "ok")
}

func TestAnAppFolderIsItsAppsRoot(t *testing.T) {
	a := newAccount(t, Options{AppFolder: "odbxfs"})
	m := a.put("/f.txt", "x")
	equal(t, "path", m["path_display"], "/f.txt")
	list, cur := a.list("")
	equal(t, "listing", list, []string{"file /f.txt"})
	a.put("/g.txt", "x")
	news, _ := a.news(cur)
	equal(t, "delta", news, []string{"file /g.txt"})
	equal(t, "there is nothing above", a.rpc("files/get_metadata", obj{"path": "/Apps"}), "409 path/not_found")
	in := as{account: a, root: `{".tag":"root","root":"70721710"}`}
	equal(t, "nor by path root", in.rpc("files/list_folder", obj{"path": ""}), "422 invalid_root/user")
}

func TestScopes(t *testing.T) {
	a := newAccount(t, Options{})
	a.put("/f", "x")
	a.tok = a.srv.TokenOf(a.srv.Account().ID, "files.metadata.read", "sharing.read")
	for route, missing := range map[string]string{
		"files/get_metadata": "", "sharing/list_shared_links": "",
		"files/delete_v2": "files.content.write", "files/get_temporary_link": "files.content.read",
		"sharing/create_shared_link_with_settings": "sharing.write", "users/get_current_account": "account_info.read",
	} {
		r := a.rpc(route, obj{"path": "/f"})
		if missing == "" {
			equal(t, route, r, "ok")
			continue
		}
		equal(t, route, r, "401 missing_scope")
		equal(t, route+" wants", r.json["error"].(obj)["required_scope"], missing)
	}
}

func TestRevokingATokenEndsItsFamily(t *testing.T) {
	a := newAccount(t, Options{RefreshToken: "r"})
	other := a.srv.Token()
	form := func(grant string) reply {
		req := a.request("x", strings.NewReader(grant+"&client_id=k"), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
		req.URL.Path = "/oauth2/token"
		return a.do(req)
	}
	var tokens []string
	for range 2 {
		tokens = append(tokens, a.must(form("grant_type=refresh_token&refresh_token=r"))["access_token"].(string))
	}
	a.tok = tokens[0]
	a.must(a.rpc("auth/token/revoke", "null"))
	for _, c := range []struct{ name, tok, want string }{
		{"the revoked one", tokens[0], "401 invalid_access_token"},
		{"one of the same refresh token", tokens[1], "401 invalid_access_token"},
		{"one of another sign-in", other, "ok"},
	} {
		a.tok = c.tok
		equal(t, c.name, a.rpc("users/get_current_account", "null"), c.want)
	}
	equal(t, "the refresh token", form("grant_type=refresh_token&refresh_token=r").text, `{"error":"invalid_grant","error_description":"refresh token is invalid or revoked"}`)
}
