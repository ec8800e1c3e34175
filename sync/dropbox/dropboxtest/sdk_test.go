package dropboxtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/async"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/sharing"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/users"
)

// TestGoSDK lets the SDK that the product stands on read our answers: what it
// can't decode would be a wrong shape here.
func TestGoSDK(t *testing.T) {
	a, base := started(t, Options{})
	cfg := dropbox.Config{Token: a.tok, URLGenerator: func(_, namespace, route string) string {
		return base + "/2/" + namespace + "/" + route
	}}
	ctx, dbx := t.Context(), files.NewContext(cfg)
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	who, err := users.NewContext(cfg).GetCurrentAccountContext(ctx)
	check("account", err)
	equal(t, "account", who.AccountId, a.srv.Account().ID)

	_, err = dbx.CreateFolderV2Context(ctx, files.NewCreateFolderArg("/Odoo"))
	check("create_folder", err)
	up := files.NewUploadArg("/Odoo/ä 😀.txt")
	up.Mode = &files.WriteMode{Tagged: dropbox.Tagged{Tag: files.WriteModeAdd}}
	one, err := dbx.UploadContext(ctx, up, strings.NewReader("one"))
	check("upload", err)
	equal(t, "name", one.Name, "ä 😀.txt")
	_, err = dbx.UploadContext(ctx, up, strings.NewReader("two"))
	apiErr, ok := errors.AsType[files.UploadAPIError](err)
	if !ok || apiErr.EndpointError.Path == nil || apiErr.EndpointError.Path.Reason.Conflict == nil {
		t.Fatalf("conflict: %#v", err)
	}
	equal(t, "conflict", apiErr.EndpointError.Path.Reason.Conflict.Tag, "file")

	starts, err := dbx.UploadSessionStartBatchContext(ctx, files.NewUploadSessionStartBatchArg(2))
	check("start_batch", err)
	var appends []*files.UploadSessionAppendBatchArgEntry
	var commits []*files.UploadSessionFinishArg
	for i, id := range starts.SessionIds {
		e := files.NewUploadSessionAppendBatchArgEntry(files.NewUploadSessionCursor(id, 0), 3)
		e.Close = true
		appends = append(appends, e)
		commits = append(commits, files.NewUploadSessionFinishArg(files.NewUploadSessionCursor(id, 3), files.NewCommitInfo(fmt.Sprintf("/Odoo/b%d", i))))
	}
	appended, err := dbx.UploadSessionAppendBatchContext(ctx, files.NewUploadSessionAppendBatchArg(appends), bytes.NewReader([]byte("abcdef")))
	check("append_batch", err)
	equal(t, "appended", fmt.Sprint(appended.Entries[0].Tag, appended.Entries[1].Tag), "successsuccess")
	done, err := dbx.UploadSessionFinishBatchV2Context(ctx, files.NewUploadSessionFinishBatchArg(commits))
	check("finish_batch_v2", err)
	equal(t, "committed", done.Entries[1].Success.PathDisplay, "/Odoo/b1")

	list, err := dbx.ListFolderContext(ctx, &files.ListFolderArg{Path: "/Odoo", Recursive: true, Limit: 2000, IncludeMountedFolders: true})
	check("list_folder", err)
	equal(t, "entries", len(list.Entries), 4)
	moved, err := dbx.MoveV2Context(ctx, files.NewRelocationArg(one.Id, "/Odoo/n/c.txt"))
	check("move", err)
	equal(t, "moved id", moved.Metadata.(*files.FileMetadata).Id, one.Id)
	job, err := dbx.DeleteBatchContext(ctx, files.NewDeleteBatchArg([]*files.DeleteArg{files.NewDeleteArg("/Odoo/b0"), files.NewDeleteArg("/none")}))
	check("delete_batch", err)
	for range 3 {
		status, err := dbx.DeleteBatchCheckContext(ctx, async.NewPollArg(job.AsyncJobId))
		check("delete_batch/check", err)
		if status.Tag == "complete" {
			equal(t, "deleted", status.Complete.Entries[1].Failure.PathLookup.Tag, "not_found")
		}
	}
	delta, err := dbx.ListFolderContinueContext(ctx, files.NewListFolderContinueArg(list.Cursor))
	check("continue", err)
	var kinds []string
	for _, e := range delta.Entries {
		kinds = append(kinds, fmt.Sprintf("%T", e))
	}
	equal(t, "delta", strings.Join(kinds, " "), "*files.FolderMetadata *files.DeletedMetadata *files.FileMetadata *files.DeletedMetadata")
	meta, body, err := dbx.DownloadContext(ctx, files.NewDownloadArg(one.Id))
	check("download", err)
	defer body.Close()
	b, err := io.ReadAll(body)
	check("read", err)
	equal(t, "downloaded", fmt.Sprintf("%s %s", meta.Name, b), "c.txt one")
	link, err := sharing.NewContext(cfg).CreateSharedLinkWithSettingsContext(ctx, sharing.NewCreateSharedLinkWithSettingsArg(one.Id))
	check("link", err)
	if l, ok := link.(*sharing.FileLinkMetadata); !ok || l.LinkPermissions.EffectiveAudience.Tag != "public" {
		t.Errorf("link: %#v", link)
	}
	sharesFolders(t, a, cfg)
	rows, err := ReadEndpoints("../../../docs/dropbox-endpoints.md")
	check("table of endpoints", err)
	equal(t, "routes that the table says are called, and are not", Uncalled(rows, "Go SDK", a.srv.Counts()), []string{})
}
