package dropboxtest

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// picture is a PNG of a size.
func picture(w, h int) string {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, w, h))); err != nil {
		panic(err)
	}
	return b.String()
}

// fetch calls a route of the download style.
func (a *account) fetch(route string, arg any) reply {
	a.t.Helper()
	return a.do(a.request(route, http.NoBody, map[string]string{"Dropbox-API-Arg": headerSafe(jsonOf(arg))}))
}

func TestDocumentsOfEditorsOnTheWeb(t *testing.T) {
	a := newAccount(t, Options{})
	a.put("/plain.txt", "x")
	for path, kind := range map[string]Cloud{"/n/notes.paper": Exportable, "/n/sheet.gsheet": Exportable, "/n/form.gdoc": Locked} {
		if err := a.srv.PutCloudFile(path, "the text", kind); err != nil {
			t.Fatal(err)
		}
	}
	sheet := a.meta("/n/sheet.gsheet")
	equal(t, "downloadable", sheet["is_downloadable"], false)
	equal(t, "export_info", sheet["export_info"], obj{"export_as": "xlsx", "export_options": []any{"xlsx", "pdf", "csv"}})
	equal(t, "of one that is locked", a.meta("/n/form.gdoc")["export_info"], obj{})
	for _, c := range []struct {
		what string
		got  reply
		want string
	}{
		{"download", a.get("/n/sheet.gsheet", nil), "409 unsupported_file"},
		{"a temporary link", a.rpc("files/get_temporary_link", `{"path":"/n/sheet.gsheet"}`), "409 unsupported_file"},
		{"export", a.fetch("files/export", obj{"path": "/n/sheet.gsheet"}), "ok"},
		{"export in a form that it has", a.fetch("files/export", obj{"path": "/n/sheet.gsheet", "export_format": "csv"}), "ok"},
		{"export in another", a.fetch("files/export", obj{"path": "/n/sheet.gsheet", "export_format": "docx"}), "409 invalid_export_format"},
		{"export of a locked one", a.fetch("files/export", obj{"path": "/n/form.gdoc"}), "409 non_exportable"},
		{"export of a plain file", a.fetch("files/export", obj{"path": "/plain.txt"}), "409 non_exportable"},
		{"export of nothing", a.fetch("files/export", obj{"path": "/none"}), "409 path/not_found"},
	} {
		equal(t, c.what, c.got, c.want)
	}
	meta := resultOf(t, a.fetch("files/export", obj{"path": "/n/notes.paper", "export_format": "markdown"}))
	equal(t, "export_metadata", fmt.Sprint(meta["export_metadata"].(obj)["name"], meta["export_metadata"].(obj)["paper_revision"]), "notes.md1")
	equal(t, "file_metadata", meta["file_metadata"].(obj)["name"], "notes.paper")
	plain := a.must(a.rpc("files/list_folder", `{"path":"","recursive":true,"include_non_downloadable_files":false}`))
	list, cur := a.entries(plain)
	equal(t, "listed without them", list, []string{"folder /n", "file /plain.txt"})
	if err := a.srv.PutCloudFile("/more.paper", "", Exportable); err != nil {
		t.Fatal(err)
	}
	a.put("/more.txt", "x")
	news, _ := a.news(cur)
	equal(t, "and so is the delta", news, []string{"file /more.txt"})
	a.must(a.rpc("files/move_v2", `{"from_path":"/n/form.gdoc","to_path":"/form.gdoc"}`))
	equal(t, "moved, it is what it was", a.meta("/form.gdoc")["is_downloadable"], false)
}

func TestPaperIsWrittenAndRewritten(t *testing.T) {
	a := newAccount(t, Options{})
	create := func(path string) reply {
		return a.send("files/paper/create", obj{"path": path, "import_format": "markdown"}, "# one\n")
	}
	made := a.must(create("/d/doc.paper"))
	equal(t, "made", fmt.Sprint(made["result_path"], made["paper_revision"]), "/d/doc.paper1")
	equal(t, "a name that is taken", a.must(create("/d/doc.paper"))["result_path"], "/d/doc (1).paper")
	equal(t, "another extension", create("/d/doc.txt"), "409 invalid_file_extension")
	update := func(policy string, revision any) reply {
		return a.send("files/paper/update", obj{"path": "/d/doc.paper", "import_format": "markdown", "doc_update_policy": policy, "paper_revision": revision}, "two\n")
	}
	equal(t, "of an old revision", update("update", 7), "409 revision_mismatch")
	equal(t, "of the current one", a.must(update("update", 1))["paper_revision"], 2)
	equal(t, "appended", a.must(update("append", nil))["paper_revision"], 3)
	text := a.fetch("files/export", obj{"path": "/d/doc.paper", "export_format": "markdown"}).text
	equal(t, "text", strings.HasSuffix(text, "two\ntwo\n"), true)
	a.put("/plain.txt", "x")
	equal(t, "what is no Paper", a.send("files/paper/update", obj{"path": "/plain.txt", "import_format": "html", "doc_update_policy": "overwrite"}, "x"), "409 path/unsupported_content_type")
}

func TestThumbnailsAndPreviews(t *testing.T) {
	a := newAccount(t, Options{})
	a.put("/p.png", picture(300, 150))
	a.put("/bad.png", "no picture")
	a.put("/t.txt", "text")
	a.put("/t.docx", "text")
	small := a.fetch("files/get_thumbnail_v2", obj{"resource": obj{".tag": "path", "path": "/p.png"}, "format": "png", "size": "w128h128"})
	img, _, err := image.Decode(strings.NewReader(small.text))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "size", img.Bounds(), "(0,0)-(128,64)")
	equal(t, "metadata", resultOf(t, small)["file_metadata"].(obj)["name"], "p.png")
	link := a.share("/p.png", nil)["url"]
	through := a.fetch("files/get_thumbnail_v2", obj{"resource": obj{".tag": "link", "url": link, "link": obj{"url": link}}})
	equal(t, "through a link", resultOf(t, through)["link_metadata"].(obj)["url"], link)
	for path, want := range map[string]string{"/bad.png": "409 conversion_error", "/t.txt": "409 unsupported_extension", "/none.png": "409 path/not_found"} {
		equal(t, path, a.fetch("files/get_thumbnail_v2", obj{"resource": obj{".tag": "path", "path": path}}), want)
		equal(t, path+" in the older form", a.fetch("files/get_thumbnail", obj{"path": path}), want)
	}
	many := make([]obj, 26)
	for i := range many {
		many[i] = obj{"path": "/p.png"}
	}
	equal(t, "26 at once", a.rpc("files/get_thumbnail_batch", obj{"entries": many}), "409 too_many_files")
	equal(t, "a preview", strings.HasPrefix(a.fetch("files/get_preview", obj{"path": "/t.docx"}).text, "%PDF"), true)
	equal(t, "a preview of a picture", a.fetch("files/get_preview", obj{"path": "/p.png"}), "409 unsupported_extension")
}

func TestAFolderAsAnArchive(t *testing.T) {
	a := newAccount(t, Options{Behaviour: Behaviour{MaxItems: 6}})
	a.put("/top/d/ä.txt", "one")
	a.put("/top/two.txt", "two")
	got := a.fetch("files/download_zip", obj{"path": "/top"})
	z, err := zip.NewReader(strings.NewReader(got.text), int64(len(got.text)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	equal(t, "entries", names, []string{"top/", "top/d/", "top/d/ä.txt", "top/two.txt"})
	equal(t, "metadata", resultOf(t, got)["metadata"].(obj)["name"], "top")
	equal(t, "of a file", a.fetch("files/download_zip", obj{"path": "/top/two.txt"}), "409 path/not_folder")
	for i := range 3 {
		a.put(fmt.Sprintf("/top/%d", i), "x")
	}
	equal(t, "of too many", a.fetch("files/download_zip", obj{"path": "/top"}), "409 too_many_files")
}

func TestATemporaryUploadLink(t *testing.T) {
	clock := &fakeClock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	a := newAccount(t, Options{Now: clock.Now})
	post := func(link string, kind string) reply {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, link, strings.NewReader("Hello Dropbox!"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		return a.do(req)
	}
	link := func(path string) string {
		return a.must(a.rpc("files/get_temporary_upload_link", obj{"commit_info": obj{"path": path}, "duration": 60}))["link"].(string)
	}
	const octets = "application/octet-stream"
	one := link("/up.txt")
	equal(t, "another type", post(one, "application/json").status, 400)
	equal(t, "used", post(one, octets).json, obj{"content-hash": "16dff8700700b9aa627e24bbf832940c084b41ade5c5d6fe5417963a547ed9c2"})
	equal(t, "bytes", a.get("/up.txt", nil).text, "Hello Dropbox!")
	equal(t, "used twice", post(one, octets), "410 Temporary upload link has been recently consumed.")
	equal(t, "made up", post(one+"x", octets).status, 409)
	a.mkdir("/taken")
	equal(t, "a commit that cannot be", post(link("/taken"), octets).status, 409)
	late := link("/late.txt")
	clock.now = clock.now.Add(time.Minute)
	equal(t, "too late", post(late, octets).status, 410)
	equal(t, "for too long", a.rpc("files/get_temporary_upload_link", `{"commit_info":{"path":"/x"},"duration":14401}`).status, 400)
}

// world is what save_url can reach.
type world map[string]string

func (w world) RoundTrip(r *http.Request) (*http.Response, error) {
	text, ok := w[r.URL.String()]
	if !ok {
		return nil, errors.New("no such host")
	}
	status := http.StatusOK
	if text == "" {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

func TestSaveURL(t *testing.T) {
	a := newAccount(t, Options{Fetch: world{"https://example.com/a": "bytes", "https://example.com/gone": ""}})
	for url, want := range map[string]string{"https://example.com/a": "complete", "https://example.com/gone": "failed/not_found", "https://example.net/": "failed/download_failed"} {
		id := a.must(a.rpc("files/save_url", obj{"path": "/saved.txt", "url": url}))["async_job_id"]
		equal(t, "first", a.must(a.rpc("files/save_url/check_job_status", obj{"async_job_id": id}))[".tag"], "in_progress")
		equal(t, url, tags(a.must(a.rpc("files/save_url/check_job_status", obj{"async_job_id": id}))), want)
	}
	equal(t, "bytes", a.get("/saved.txt", nil).text, "bytes")
	equal(t, "no address", a.rpc("files/save_url", obj{"path": "/x", "url": "ftp://x"}), "409 invalid_url")
}

func TestSearch(t *testing.T) {
	a := newAccount(t, Options{})
	for i := range 5 {
		a.put(fmt.Sprintf("/d/Invoice %d.pdf", i), "x")
	}
	a.put("/invoice-list.txt", "x")
	find := func(arg obj) (names []string, answer obj) {
		answer = a.must(a.rpc("files/search_v2", arg))
		for _, m := range answer["matches"].([]any) {
			names = append(names, m.(obj)["metadata"].(obj)["metadata"].(obj)["name"].(string))
		}
		return names, answer
	}
	names, _ := find(obj{"query": "invoice"})
	equal(t, "everywhere", len(names), 6)
	names, _ = find(obj{"query": "inv 3"})
	equal(t, "two words", names, []string{"Invoice 3.pdf"})
	names, _ = find(obj{"query": "invoice", "options": obj{"path": "/d", "file_extensions": []string{"txt"}}})
	equal(t, "in a folder, by extension", names, []string{})
	names, page := find(obj{"query": "invoice", "options": obj{"path": "/d", "max_results": 3}})
	equal(t, "a page", fmt.Sprint(len(names), page["has_more"]), "3 true")
	rest := a.must(a.rpc("files/search/continue_v2", obj{"cursor": page["cursor"]}))
	equal(t, "the rest", fmt.Sprint(len(rest["matches"].([]any)), rest["has_more"]), "2 false")
	equal(t, "in nothing", a.rpc("files/search_v2", obj{"query": "x", "options": obj{"path": "/none"}}), "409 path/not_found")
	equal(t, "for nothing", a.rpc("files/search_v2", obj{"query": " "}), "409 invalid_argument")
}

func TestALockKeepsOthersFromWriting(t *testing.T) {
	jane, john := newTeam(t)
	jane.put("/own.txt", "x")
	equal(t, "what is not shared", batchTags(jane.must(jane.rpc("files/lock_file_batch", `{"entries":[{"path":"/own.txt"},{"path":"/none"}]}`))["entries"].([]any)),
		"failure:file_not_shared failure:path_lookup/not_found")
	jane.root, john.root = teamRoot, teamRoot
	jane.must(jane.rpc("files/copy_v2", obj{"from_path": "/Jane Doe/own.txt", "to_path": "/Sales/f.txt"}))
	entries := obj{"entries": []obj{{"path": "/Sales/f.txt"}}}
	each := func(a as, route string) string {
		return batchTags(a.must(a.rpc(route, entries))["entries"].([]any))
	}
	equal(t, "locked", each(jane, "files/lock_file_batch"), "success")
	equal(t, "locked by another", each(john, "files/lock_file_batch"), "failure:lock_conflict")
	equal(t, "unlocked by another", each(john, "files/unlock_file_batch"), "failure:lock_conflict")
	equal(t, "deleted by another", john.rpc("files/delete_v2", obj{"path": "/Sales/f.txt"}), "409 path_write/no_write_permission")
	equal(t, "asked for", strings.Contains(john.rpc("files/get_file_lock_batch", entries).text, "single_user"), true)
	equal(t, "unlocked", each(jane, "files/unlock_file_batch"), "success")
	equal(t, "deleted then", john.rpc("files/delete_v2", obj{"path": "/Sales/f.txt"}), "ok")
}

func TestPermanentlyDeletedIsForgotten(t *testing.T) {
	a := newAccount(t, Options{Account: Account{Kind: Business}})
	a.put("/d/f", "x")
	a.put("/d/g", "x")
	a.must(a.rpc("files/delete_v2", `{"path":"/d/f"}`))
	for _, path := range []string{"/d/f", "/d/g"} {
		equal(t, path, a.rpc("files/permanently_delete", obj{"path": path}), "ok")
		equal(t, path+" as deleted", a.rpc("files/get_metadata", obj{"path": path, "include_deleted": true}), "409 path/not_found")
		equal(t, path+" has revisions", a.rpc("files/list_revisions", obj{"path": path}), "409 path/not_found")
	}
	equal(t, "what never was", a.rpc("files/permanently_delete", `{"path":"/none"}`), "409 path_lookup/not_found")
}
