package dropboxtest

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/async"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/check"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/sharing"
)

// sharesFolders has the Go SDK share folders and list them.
func sharesFolders(t *testing.T, a *account, cfg dropbox.Config) {
	t.Helper()
	ctx, dbx := t.Context(), sharing.NewContext(cfg)
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	one, err := dbx.ShareFolderContext(ctx, sharing.NewShareFolderArg("/Shared one"))
	must("share_folder", err)
	later := sharing.NewShareFolderArg("/Shared two")
	later.ForceAsync = true
	two, err := dbx.ShareFolderContext(ctx, later)
	must("share_folder as a job", err)
	for range 3 {
		status, err := dbx.CheckShareJobStatusContext(ctx, async.NewPollArg(two.AsyncJobId))
		must("check_share_job_status", err)
		if status.Complete != nil {
			equal(t, "shared by a job", status.Complete.Name, "Shared two")
		}
	}
	meta, err := dbx.GetFolderMetadataContext(ctx, sharing.NewGetMetadataArgs(one.Complete.SharedFolderId))
	must("get_folder_metadata", err)
	equal(t, "of a shared folder", meta.PathLower, "/shared one")
	few := sharing.NewListFoldersArgs()
	few.Limit = 1
	page, err := dbx.ListFoldersContext(ctx, few)
	must("list_folders", err)
	next, err := dbx.ListFoldersContinueContext(ctx, sharing.NewListFoldersContinueArg(page.Cursor))
	must("list_folders/continue", err)
	equal(t, "both", page.Entries[0].Name+","+next.Entries[0].Name+","+next.Cursor, "Shared one,Shared two,")
	app := cfg
	app.Token, app.AsMemberID = "", ""
	app.Client = &http.Client{Transport: asApp{}}
	echo, err := check.NewContext(app).AppContext(ctx, &check.EchoArg{Query: "hello"})
	must("check/app", err)
	equal(t, "echo", echo.Result, "hello")
	equal(t, "shown in Dropbox", a.meta("/Shared one")["sharing_info"].(obj)["shared_folder_id"], any(one.Complete.SharedFolderId))
}

// asApp signs requests with an app's key and secret.
type asApp struct{}

func (asApp) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth("key", "secret")
	return http.DefaultTransport.RoundTrip(r)
}

func TestWhatCannotBeShared(t *testing.T) {
	a := newAccount(t, Options{})
	a.put("/file", "x")
	a.mkdir("/a/b/c")
	share := func(path string) string { return a.rpc("sharing/share_folder", obj{"path": path}).String() }
	for _, c := range []struct{ path, want string }{
		{"/a/b", "ok"}, {"/a/b", "409 bad_path/already_shared"}, {"/a/b/c", "409 bad_path/inside_shared_folder"},
		{"/a", "409 bad_path/contains_shared_folder"}, {"/file", "409 bad_path/is_file"}, {"", "409 bad_path/invalid_path"},
		{"id:AAAAAAAAAAAAAAAAAAAAAA", "409 bad_path/invalid_path"}, {"/not there yet", "ok"},
	} {
		equal(t, fmt.Sprintf("%q", c.path), share(c.path), c.want)
	}
	equal(t, "no such", a.rpc("sharing/get_folder_metadata", obj{"shared_folder_id": "1"}).String(), "409 invalid_id")
	equal(t, "a cursor of nobody", a.rpc("sharing/list_folders/continue", obj{"cursor": "x"}).String(), "409 invalid_cursor")
	equal(t, "check/app without a key", a.rpc("check/app", obj{"query": "x"}).status, http.StatusBadRequest)
}
