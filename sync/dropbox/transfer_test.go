package dropbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/sync/dropbox"
	"odbxfs/sync/dropbox/dropboxtest"
)

// A meddler stands between a client and its server.
type meddler struct {
	next http.RoundTripper
	// before answers a request itself, or lets it pass (nil).
	before func(*http.Request) *http.Response
	// after changes an answer.
	after func(*http.Response)
}

func (m meddler) RoundTrip(req *http.Request) (*http.Response, error) {
	if m.before != nil {
		if resp := m.before(req); resp != nil {
			_, err := io.Copy(io.Discard, req.Body)
			return resp, errors.Join(err, req.Body.Close())
		}
	}
	resp, err := m.next.RoundTrip(req)
	if err == nil && m.after != nil {
		m.after(resp)
	}
	return resp, err
}

func says(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
}

func isRoute(req *http.Request, route string) bool {
	return strings.HasSuffix(req.URL.Path, "/2/"+route)
}

// with makes another client on the world's account.
func (w world) with(change func(*dropbox.Config)) world {
	cfg := dropbox.Config{Secret: func(context.Context) (string, error) { return "secret-token", nil }, HTTP: w.srv.Transport(),
		Now: time.Now, Sleep: func(context.Context, time.Duration) error { return nil }}
	change(&cfg)
	w.Client = dropbox.New(cfg)
	return w
}

func (w world) meddled(m meddler) world {
	return w.with(func(c *dropbox.Config) { m.next = c.HTTP; c.HTTP = m })
}

// numbers is a content in which each place has its own bytes.
func numbers(size int64) []byte {
	data := make([]byte, size+8)
	for i := int64(0); i < size; i += 8 {
		copy(data[i:], fmt.Sprintf("%08x", i/8))
	}
	return data[:size]
}

func putBytes(path string, data []byte) odbxfs.DropboxOp {
	op := put(path, "")
	op.Size, op.Key = int64(len(data)), fmt.Sprintf("%d bytes", len(data))
	op.Content = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	return op
}

func TestFilesOfEverySizeArriveAndComeBack(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	for _, size := range []int64{0, 1, 4<<20 - 1, 4 << 20, 4<<20 + 1, 8<<20 - 1, 8 << 20, 8<<20 + 1, 16 << 20, 20<<20 + 17} {
		data := numbers(size)
		n := w.must(putBytes(fmt.Sprintf("/Odoo/%d", size), data))
		if n.Size != size || w.read(n, 0, -1) != string(data) {
			t.Errorf("%d bytes: what came back is not what went in", size)
		}
		if size > 1000 && w.read(n, size-1000, 500) != string(data[size-1000:size-500]) {
			t.Errorf("%d bytes: a part is not the part", size)
		}
	}
	for _, r := range w.srv.Requests() {
		if r.Bytes > 25<<20 {
			t.Errorf("%s had %d bytes", r.Route, r.Bytes)
		}
	}
}

// zeros is a sparse content: nobody holds it in memory.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestAFileAboveTheLimitOfOneRequest(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{State: t.TempDir()})
	const size = 150<<20 + 1
	op := put("/Odoo/large", "")
	op.Size = size
	op.Content = func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeros{}, size)), nil
	}
	if n := w.must(op); n.Size != size {
		t.Errorf("got %+v", n)
	}
}

func TestOneFileOfABatchFailsAlone(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	w.must(put("/Odoo/taken", "other"))
	broken := put("/Odoo/broken", "x")
	broken.Content = func(context.Context) (io.ReadCloser, error) { return nil, errors.New("the disk is gone") }
	short, long := put("/Odoo/short", "x"), put("/Odoo/long", "xyz")
	short.Size, long.Size = 2, 2
	wrong := put("/Odoo/wrong", "x")
	wrong.ContentHash = "0000"
	ops := []odbxfs.DropboxOp{put("/Odoo/a", "a"), put("/Odoo/taken", "mine"), broken, put("/Odoo/desktop.ini", "d"), short, long, wrong, put("/Odoo/b", "b")}
	want := []odbxfs.Outcome{odbxfs.Done, odbxfs.Changed, odbxfs.Failed, odbxfs.Refused, odbxfs.Changed, odbxfs.Changed, odbxfs.Failed, odbxfs.Done}
	for i, res := range w.apply(ops...) {
		if res.Outcome != want[i] {
			t.Errorf("%s: outcome %d, want %d, %v", ops[i].Path, res.Outcome, want[i], res.Err)
		}
	}
	if got, _ := w.list(); strings.Join(got, " ") != "a b taken" {
		t.Errorf("got %q", got)
	}
}

func many(n int) []odbxfs.DropboxOp {
	ops := make([]odbxfs.DropboxOp, n)
	for i := range ops {
		ops[i] = put(fmt.Sprintf("/Odoo/%04d", i), fmt.Sprint(i))
	}
	return ops
}

// The wire form of append_batch is known from the specification only.
func TestWithoutAppendBatchEachFileHasItsRequest(t *testing.T) {
	for name, answer := range map[string]func() *http.Response{
		"an unknown route":          func() *http.Response { return says(400, `Unknown API function: "files/upload_session/append_batch"`) },
		"another form":              func() *http.Response { return says(400, `Error in call to API function "x": unknown field 'entries'`) },
		"an answer that fits not":   func() *http.Response { return says(200, `{"entries": []}`) },
		"an answer without entries": func() *http.Response { return says(200, `{}`) },
		"a closed endpoint": func() *http.Response {
			return says(403, `{"error": {".tag": "invalid_account_type", "invalid_account_type": {".tag": "endpoint"}}}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dropboxtest.Options{})
			var asked atomic.Int64
			w = w.meddled(meddler{before: func(req *http.Request) *http.Response {
				if isRoute(req, "files/upload_session/append_batch") {
					asked.Add(1)
					return answer()
				}
				return nil
			}})
			for range 2 {
				must(t, w.Client, many(30)...)
			}
			if counts := w.srv.Counts(); asked.Load() != 1 || counts["files/upload_session/start"] != 60 || counts["files/upload_session/finish_batch_v2"] != 2 {
				t.Errorf("append_batch was asked %d times; %v", asked.Load(), counts)
			}
		})
	}
}

func TestAGroupThatIsTooLargeForTheHeaderIsParted(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{Behaviour: dropboxtest.Behaviour{MaxHeader: 8 << 10}})
	must(t, w.Client, many(1500)...)
	if got, _ := w.list(); len(got) != 1500 {
		t.Errorf("%d files", len(got))
	}
	w.srv.ForgetRequests()
	must(t, w.Client, many(100)...)
	for _, r := range w.srv.Requests() {
		if r.Status != http.StatusOK {
			t.Errorf("the limit was not learned: %s answered %d", r.Route, r.Status)
		}
	}
}

func TestTenThousandSmallFilesTakeFewRequests(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	must(t, w.Client, many(10_000)...)
	if n := len(w.srv.Requests()); n > 60 {
		t.Errorf("%d requests: %v", n, w.srv.Counts())
	} else {
		t.Logf("%d requests for 10,000 files", n)
	}
}

func TestOneEntryThatAppendBatchRefuses(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	w = w.meddled(meddler{before: func(req *http.Request) *http.Response {
		if isRoute(req, "files/upload_session/append_batch") {
			return says(200, `{"entries": [{".tag": "success"}, {".tag": "failure", "failure": {".tag": "not_found"}}, {".tag": "failure", "failure": {".tag": "too_large"}}]}`)
		}
		if isRoute(req, "files/upload_session/finish_batch_v2") {
			return says(200, `{"entries": [{".tag": "failure", "failure": {".tag": "too_many_shared_folder_targets"}}]}`)
		}
		return nil
	}})
	res := w.apply(many(3)...)
	if res[0].Outcome != odbxfs.Done {
		t.Errorf("too many shared folders for a batch: %d, %v", res[0].Outcome, res[0].Err)
	}
	if !odbxfs.IsKind(res[1].Err, odbxfs.KindReset) || res[2].Outcome != odbxfs.Refused {
		t.Errorf("got %v, %v", res[1].Err, res[2].Err)
	}
}

func TestATransferWaitsAsLongAsItIsAskedTo(t *testing.T) {
	const upload = "files/upload_session/"
	for _, c := range []struct {
		route string
		ops   []odbxfs.DropboxOp
	}{
		{"files/upload", many(1)}, {upload + "start_batch", many(3)}, {upload + "append_batch", many(3)}, {upload + "finish_batch_v2", many(3)},
		{upload + "start", []odbxfs.DropboxOp{putBytes("/Odoo/big", numbers(9<<20))}},
		{upload + "append_v2", []odbxfs.DropboxOp{putBytes("/Odoo/big", numbers(20<<20))}},
		{upload + "finish", []odbxfs.DropboxOp{putBytes("/Odoo/big", numbers(9<<20))}},
	} {
		t.Run(c.route, func(t *testing.T) {
			w := newWorld(t, dropboxtest.Options{Faults: []dropboxtest.Fault{{Route: c.route, Kind: dropboxtest.RateLimited, RetryAfter: 7 * time.Second, Times: 2}}})
			now := time.Unix(1000, 0)
			var passed atomic.Int64
			w = w.with(func(cfg *dropbox.Config) {
				cfg.Now = func() time.Time { return now.Add(time.Duration(passed.Load())) }
				cfg.Sleep = func(_ context.Context, d time.Duration) error { passed.Add(int64(d)); return nil }
			})
			must(t, w.Client, c.ops...)
			if got := time.Duration(passed.Load()); got < 14*time.Second || got > 28*time.Second {
				t.Errorf("waited %s, asked for 7 s twice", got)
			}
		})
	}
}

func TestALargeFileSurvivesWhatHappensOnTheWay(t *testing.T) {
	const upload = "files/upload_session/"
	data := numbers(40<<20 + 5)
	for _, c := range []struct {
		route string
		kind  dropboxtest.FaultKind
		call  int
		tries int
	}{
		{upload + "append_v2", dropboxtest.DropBefore, 2, 1},
		{upload + "append_v2", dropboxtest.DropAfter, 2, 1},
		{upload + "append_v2", dropboxtest.DropAfter, 6, 1}, // the one that closes the session
		{upload + "append_v2", dropboxtest.ServerError, 3, 1},
		{upload + "append_v2", dropboxtest.Truncate, 1, 1},
		{upload + "start", dropboxtest.DropAfter, 1, 2},
		{upload + "finish", dropboxtest.DropBefore, 1, 2},
		{upload + "finish", dropboxtest.DropAfter, 1, 2},
	} {
		t.Run(fmt.Sprintf("%s %s %d", c.route, c.kind, c.call), func(t *testing.T) {
			w := newWorld(t, dropboxtest.Options{Behaviour: dropboxtest.Behaviour{RefuseFinishedSession: true},
				Faults: []dropboxtest.Fault{{Route: c.route, Kind: c.kind, Call: c.call}}})
			w = w.with(func(cfg *dropbox.Config) { cfg.Resume = t.TempDir() })
			op := putBytes("/Odoo/big", data)
			res := w.apply(op)[0]
			tries := 1
			for ; res.Outcome != odbxfs.Done && tries < 4; tries++ {
				if !odbxfs.IsKind(res.Err, odbxfs.KindUnavailable) {
					t.Fatalf("got %d, %v", res.Outcome, res.Err)
				}
				res = w.apply(op)[0]
			}
			if tries != c.tries || res.Node == nil || w.read(res.Node, 30<<20, 100) != string(data[30<<20:30<<20+100]) {
				t.Errorf("done after %d tries, %v", tries, res.Err)
			}
			if got, _ := w.list(); len(got) != 1 {
				t.Errorf("got %q", got)
			}
			sent := int64(0)
			for _, r := range w.srv.Requests() {
				sent += r.Bytes
			}
			if sent > int64(len(data))+24<<20 {
				t.Errorf("%d bytes were sent for %d", sent, len(data))
			}
		})
	}
}

func TestALargeUploadGoesOnAfterACrash(t *testing.T) {
	data := numbers(80 << 20)
	now := time.Unix(1_000_000, 0)
	for _, c := range []struct {
		name string
		wait time.Duration
		anew bool
	}{
		{"soon", time.Minute, false},
		{"when both have forgotten the session", 8 * 24 * time.Hour, true},
		{"when only Dropbox has forgotten it", 5 * 24 * time.Hour, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var later atomic.Int64
			clock := func() time.Time { return now.Add(time.Duration(later.Load())) }
			w := newWorld(t, dropboxtest.Options{Now: clock, Behaviour: dropboxtest.Behaviour{SessionAge: 4 * 24 * time.Hour},
				Faults: []dropboxtest.Fault{{Route: "files/upload_session/append_v2", Kind: dropboxtest.DropBefore, Call: 6, Times: 50}}})
			dir := t.TempDir()
			client := func() world {
				return w.with(func(cfg *dropbox.Config) {
					cfg.Resume = dir
					cfg.Now = clock
				})
			}
			op := putBytes("/Odoo/big", data)
			if res := client().apply(op)[0]; res.Outcome != odbxfs.Failed {
				t.Fatalf("got %d, %v", res.Outcome, res.Err)
			}
			w.srv.ClearFaults()
			w.srv.ForgetRequests()
			later.Store(int64(c.wait))
			n := client().must(op)
			if w.read(n, 70<<20, 64) != string(data[70<<20:70<<20+64]) {
				t.Error("what came back is not what went in")
			}
			if counts := w.srv.Counts(); (counts["files/upload_session/start"] > 0) != c.anew {
				t.Errorf("a new session: %v", counts)
			}
		})
	}
}

func TestBytesThatAreDamagedOnTheWayAreRefused(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	w = w.meddled(meddler{before: func(req *http.Request) *http.Response {
		if !strings.Contains(req.URL.Path, "list_folder") && req.Header.Get("Content-Type") == "application/octet-stream" && req.ContentLength > 0 {
			req.Body = struct {
				io.Reader
				io.Closer
			}{io.LimitReader(zeros{}, req.ContentLength), req.Body}
		}
		return nil
	}})
	for name, ops := range map[string][]odbxfs.DropboxOp{"one": many(1), "a batch": many(3), "a large one": {putBytes("/Odoo/big", numbers(9<<20))}} {
		for _, res := range w.apply(ops...) {
			if res.Outcome != odbxfs.Failed || !odbxfs.IsKind(res.Err, odbxfs.KindCorrupt) {
				t.Errorf("%s: %d, %v", name, res.Outcome, res.Err)
			}
		}
	}
	if _, err := w.Changes(t.Context(), "/Odoo", ""); !odbxfs.IsKind(err, odbxfs.KindMissing) {
		t.Errorf("something is there: %v", err)
	}
}

func TestADownloadThatBreaksOffGoesOn(t *testing.T) {
	data := numbers(1 << 20)
	for _, c := range []struct {
		name  string
		fault dropboxtest.Fault
	}{
		{"once", dropboxtest.Fault{Kind: dropboxtest.Truncate, Bytes: 1000}},
		{"again and again, a little further each time", dropboxtest.Fault{Kind: dropboxtest.Truncate, Bytes: 200_000, Times: 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, dropboxtest.Options{})
			n := w.must(putBytes("/Odoo/a", data))
			c.fault.Route = "files/download"
			w.srv.Inject(c.fault)
			if got := w.read(n, 0, -1); got != string(data) {
				t.Errorf("%d bytes came, of other content", len(got))
			}
		})
	}
	w := newWorld(t, dropboxtest.Options{})
	n := w.must(putBytes("/Odoo/a", data))
	w.srv.Inject(dropboxtest.Fault{Route: "files/download", Kind: dropboxtest.Truncate, Bytes: 1000}, dropboxtest.Fault{Route: "files/download", Kind: dropboxtest.ServerError, Call: 2, Times: -1})
	r, err := w.Content(t.Context(), n.ID, n.Rev, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.ReadAll(r); !odbxfs.IsKind(err, odbxfs.KindUnavailable) {
		t.Errorf("a download that can't go on: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestADownloadIsVerified(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	n := w.must(putBytes("/Odoo/a", numbers(10_000)))
	other := w.meddled(meddler{after: func(resp *http.Response) {
		if isRoute(resp.Request, "files/download") {
			resp.Body = struct {
				io.Reader
				io.Closer
			}{io.LimitReader(zeros{}, 10_000), resp.Body}
		}
	}})
	r, err := other.Content(t.Context(), n.ID, n.Rev, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(r)
	if err = errors.Join(err, r.Close()); !odbxfs.IsKind(err, odbxfs.KindCorrupt) {
		t.Errorf("other bytes: %v", err)
	}
	whole := w.meddled(meddler{after: func(resp *http.Response) { resp.StatusCode = http.StatusOK }})
	if _, err := whole.Content(t.Context(), n.ID, n.Rev, 5000, 10); !odbxfs.IsKind(err, odbxfs.KindCorrupt) {
		t.Errorf("the beginning was given for a part: %v", err)
	}
	if r, err := w.Content(t.Context(), n.ID, n.Rev, 9_990, 100); err != nil {
		t.Error(err)
	} else if data, err := io.ReadAll(r); err != nil || len(data) != 10 {
		t.Errorf("a part that reaches beyond the end: %d bytes, %v", len(data), err)
	}
	if r, err := w.Content(t.Context(), n.ID, n.Rev, 5, 0); err != nil {
		t.Error(err)
	} else if data, err := io.ReadAll(r); err != nil || len(data) != 0 {
		t.Errorf("no bytes: %d, %v", len(data), err)
	}
	if _, err := w.Content(t.Context(), "id:none", "", 0, -1); !odbxfs.IsKind(err, odbxfs.KindMissing) {
		t.Errorf("a file that is gone: %v", err)
	}
}
