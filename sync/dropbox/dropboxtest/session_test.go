package dropboxtest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func (a *account) session(arg string, data string) string {
	a.t.Helper()
	return a.must(a.send("files/upload_session/start", arg, data))["session_id"].(string)
}

func cur(id string, offset int) obj { return obj{"session_id": id, "offset": offset} }

func TestSequentialSession(t *testing.T) {
	a := newAccount(t, Options{})
	id := a.session("{}", "123456789")
	wrong := a.send("files/upload_session/append_v2", obj{"cursor": cur(id, 42)}, "x")
	equal(t, "wrong offset", wrong, "409 incorrect_offset")
	equal(t, "the right one is told", wrong.json["error"].(obj)["correct_offset"], 9)
	r := a.send("files/upload_session/append_v2", obj{"cursor": cur(id, 9), "close": true}, "abc")
	equal(t, "append gives null", fmt.Sprintf("%d %s", r.status, r.text), "200 null")
	equal(t, "append to a closed one", a.send("files/upload_session/append_v2", obj{"cursor": cur(id, 12)}, "x"), "409 closed")
	bad := a.send("files/upload_session/finish", obj{"cursor": cur(id, 11), "commit": obj{"path": "/f"}}, "")
	equal(t, "finish at a wrong offset", bad, "409 lookup_failed/incorrect_offset")
	a.must(a.send("files/upload_session/finish", obj{"cursor": cur(id, 12), "commit": obj{"path": "/f"}}, ""))
	equal(t, "bytes", a.get("/f", nil).text, "123456789abc")
}

func TestFinishWithDataAppendsItEvenWhenItFails(t *testing.T) {
	a := newAccount(t, Options{})
	a.mkdir("/taken")
	id := a.session("{}", "one")
	equal(t, "commit onto a folder", a.send("files/upload_session/finish", obj{"cursor": cur(id, 3), "commit": obj{"path": "/taken"}}, "two"), "409 path/conflict/folder")
	a.must(a.send("files/upload_session/finish", obj{"cursor": cur(id, 6), "commit": obj{"path": "/free"}}, ""))
	equal(t, "bytes", a.get("/free", nil).text, "onetwo")
}

func TestFinishingTwice(t *testing.T) {
	for refuse, want := range map[bool]string{false: "ok", true: "409 lookup_failed/not_found"} {
		a := newAccount(t, Options{Behaviour: Behaviour{RefuseFinishedSession: refuse}})
		id := a.session("{}", "x")
		finish := func() reply {
			return a.send("files/upload_session/finish", obj{"cursor": cur(id, 1), "commit": obj{"path": "/f"}}, "")
		}
		first := a.must(finish())
		again := finish()
		equal(t, fmt.Sprint("refuse ", refuse), again, want)
		if !refuse {
			equal(t, "the second answer", jsonOf(again.json), jsonOf(first))
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	clock := &fakeClock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	a := newAccount(t, Options{Now: clock.Now, Token: "for-ever"})
	a.tok = "for-ever"
	id := a.session("{}", "x")
	clock.now = clock.now.Add(7*24*time.Hour + time.Second)
	equal(t, "after 7 days", a.send("files/upload_session/append_v2", obj{"cursor": cur(id, 1)}, "y"), "409 not_found")
}

func TestConcurrentSession(t *testing.T) {
	a := newAccount(t, Options{})
	block := func(b string) string { return strings.Repeat(b, blockSize) }
	id := a.session(`{"session_type":"concurrent"}`, "")
	part := func(off int, data string, last bool) reply {
		return a.send("files/upload_session/append_v2", obj{"cursor": cur(id, off), "close": last}, data)
	}
	equal(t, "offset off the grid", part(5, block("a"), false), "409 concurrent_session_invalid_offset")
	equal(t, "size off the grid", part(0, "short", false), "409 concurrent_session_invalid_data_size")
	a.must(part(blockSize, block("b"), false)) // any order
	finish := obj{"cursor": cur(id, 2*blockSize+4), "commit": obj{"path": "/big"}}
	equal(t, "finish of an open one", a.send("files/upload_session/finish", finish, ""), "409 concurrent_session_not_closed")
	a.must(part(2*blockSize, "tail", true))
	equal(t, "finish with a gap", a.send("files/upload_session/finish", finish, ""), "409 concurrent_session_missing_data")
	equal(t, "append after the close", part(0, block("a"), false), "409 closed")
}

func TestConcurrentSessionWhole(t *testing.T) {
	a := newAccount(t, Options{})
	id := a.session(`{"session_type":"concurrent"}`, "")
	for _, off := range []int{blockSize, 0, 2 * blockSize} {
		data, last := strings.Repeat(fmt.Sprint(off/blockSize), blockSize), false
		if off == 2*blockSize {
			data, last = "tail", true
		}
		a.must(a.send("files/upload_session/append_v2", obj{"cursor": cur(id, off), "close": last}, data))
	}
	m := a.must(a.send("files/upload_session/finish", obj{"cursor": cur(id, 2*blockSize+4), "commit": obj{"path": "/big"}}, ""))
	want, _, err := ContentHash(strings.NewReader(strings.Repeat("0", blockSize) + strings.Repeat("1", blockSize) + "tail"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "content_hash", m["content_hash"], want)
}

func TestManySmallFilesInThreeRequests(t *testing.T) {
	a := newAccount(t, Options{})
	const n = 200
	ids := a.must(a.rpc("files/upload_session/start_batch", obj{"num_sessions": n}))["session_ids"].([]any)
	var appends, commits []obj
	var data strings.Builder
	for i, id := range ids {
		text := fmt.Sprintf("content %d", i)
		data.WriteString(text)
		appends = append(appends, obj{"cursor": cur(id.(string), 0), "length": len(text), "close": true})
		commits = append(commits, obj{"cursor": cur(id.(string), len(text)), "commit": obj{"path": fmt.Sprintf("/many/f%d", i)}})
	}
	equal(t, "length that does not fit", a.send("files/upload_session/append_batch", obj{"entries": appends}, "x"), "409 length_mismatch")
	appended := a.must(a.send("files/upload_session/append_batch", obj{"entries": appends}, data.String()))["entries"].([]any)
	equal(t, "appended", strings.Count(batchTags(appended), "success"), n)
	again := a.must(a.send("files/upload_session/append_batch", obj{"entries": appends[:1]}, "content 0"))["entries"].([]any)
	equal(t, "appended twice", batchTags(again), "failure:closed")
	commits = append(commits, obj{"cursor": cur("unknown", 0), "commit": obj{"path": "/x"}},
		obj{"cursor": cur(a.session("{}", "open"), 4), "commit": obj{"path": "/y"}})
	done := a.must(a.rpc("files/upload_session/finish_batch_v2", obj{"entries": commits}))["entries"].([]any)
	equal(t, "committed", strings.Count(batchTags(done), "success"), n)
	equal(t, "failures", batchTags(done[n:]), "failure:lookup_failed/not_found failure:lookup_failed/not_closed")
	equal(t, "flat metadata", done[7].(obj)["path_display"], "/many/f7")
	equal(t, "bytes", a.get("/many/f7", nil).text, "content 7")
	old := a.job("files/upload_session/finish_batch/check", a.rpc("files/upload_session/finish_batch", obj{"entries": commits[:1]}))
	equal(t, "the retired finish_batch", batchTags(old), "success")
}

func TestRequestTooLarge(t *testing.T) {
	a := newAccount(t, Options{Behaviour: Behaviour{MaxRequest: 5, MaxHeader: 60}})
	equal(t, "upload", a.send("files/upload", `{"path":"/f"}`, "123456"), "409 payload_too_large")
	equal(t, "start", a.send("files/upload_session/start", `{}`, "123456"), "409 payload_too_large")
	if got := a.send("files/upload", obj{"path": "/" + strings.Repeat("n", 80)}, "1"); got.status != 400 {
		t.Errorf("a header over the limit: %v", got)
	}
}
