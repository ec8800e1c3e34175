package dropbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/sync/dropbox"
	"odbxfs/sync/dropbox/dropboxtest"
)

// A world is a client on an empty account.
type world struct {
	*dropbox.Client
	srv *dropboxtest.Server
	t   *testing.T
}

func newWorld(t *testing.T, opt dropboxtest.Options) world {
	t.Helper()
	opt.Token = "secret-token"
	srv, err := dropboxtest.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return world{Client: newClient(srv, func(context.Context) (string, error) { return "secret-token", nil }, ""), srv: srv, t: t}
}

func newClient(srv *dropboxtest.Server, secret func(context.Context) (string, error), appKey string) *dropbox.Client {
	return dropbox.New(dropbox.Config{Secret: secret, AppKey: appKey, HTTP: srv.Transport(), Now: time.Now, Sleep: sleep})
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w world) apply(ops ...odbxfs.DropboxOp) []odbxfs.DropboxResult {
	w.t.Helper()
	res, err := w.Apply(w.t.Context(), ops)
	if err != nil || len(res) != len(ops) {
		w.t.Fatalf("got %d results for %d ops, %v", len(res), len(ops), err)
	}
	return res
}

// must applies ops that have to succeed.
func must(t *testing.T, cl *dropbox.Client, ops ...odbxfs.DropboxOp) {
	t.Helper()
	results, err := cl.Apply(t.Context(), ops)
	if err != nil {
		t.Fatal(err)
	}
	for i, res := range results {
		if res.Outcome != odbxfs.Done {
			t.Fatalf("%s: outcome %d, %v", ops[i].Path, res.Outcome, res.Err)
		}
	}
}

// must applies one op that has to succeed.
func (w world) must(op odbxfs.DropboxOp) *odbxfs.DropboxNode {
	w.t.Helper()
	res := w.apply(op)[0]
	if res.Outcome != odbxfs.Done {
		w.t.Fatalf("%s: outcome %d, %v", op.Path, res.Outcome, res.Err)
	}
	return res.Node
}

// list gives the paths below /Odoo, sorted, and the cursor.
func (w world) list() ([]string, string) {
	w.t.Helper()
	var paths []string
	for cursor := ""; ; {
		p, err := w.Changes(w.t.Context(), "/Odoo", cursor)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range p.Changes {
			if c.Path != "/Odoo" {
				paths = append(paths, strings.TrimPrefix(c.Path, "/Odoo/"))
			}
		}
		if cursor = p.Cursor; !p.More {
			slices.Sort(paths)
			return paths, cursor
		}
	}
}

func (w world) read(n *odbxfs.DropboxNode, offset, length int64) string {
	w.t.Helper()
	r, err := w.Content(w.t.Context(), n.ID, n.Rev, offset, length)
	if err != nil {
		w.t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

func opener(data string) odbxfs.Opener {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(data)), nil }
}

func put(path, data string) odbxfs.DropboxOp {
	return odbxfs.DropboxOp{Kind: odbxfs.DropboxUpload, Path: path, Content: opener(data), Size: int64(len(data))}
}

func over(n *odbxfs.DropboxNode, data string) odbxfs.DropboxOp {
	op := put(n.Path, data)
	op.ID, op.Rev = n.ID, n.Rev
	return op
}

func mkdir(path string) odbxfs.DropboxOp {
	return odbxfs.DropboxOp{Kind: odbxfs.DropboxMakeFolder, Path: path}
}

func move(n *odbxfs.DropboxNode, path string) odbxfs.DropboxOp {
	return odbxfs.DropboxOp{Kind: odbxfs.DropboxMove, ID: n.ID, Path: path}
}

func remove(n *odbxfs.DropboxNode) odbxfs.DropboxOp {
	return odbxfs.DropboxOp{Kind: odbxfs.DropboxRemove, ID: n.ID, Rev: n.Rev}
}

func TestAMissingRootIsToldAndNotMade(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	if _, err := w.Changes(t.Context(), "/Odoo", ""); !odbxfs.IsKind(err, odbxfs.KindMissing) {
		t.Errorf("got %v", err)
	}
	w.must(mkdir("/Odoo"))
	if got, cursor := w.list(); len(got) != 0 || cursor == "" {
		t.Errorf("got %q, cursor %q", got, cursor)
	}
}

func TestSmallFilesShareTheirRequests(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault []dropboxtest.Fault
		most  int
	}{
		{"with append_batch", nil, 3 * 3},
		{"with a lost reply that is asked again", []dropboxtest.Fault{{Route: "files/upload_session/append_batch", Kind: dropboxtest.DropBefore}}, 3 * 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, dropboxtest.Options{Faults: c.fault})
			var ops []odbxfs.DropboxOp
			for i := range 500 {
				ops = append(ops, put(fmt.Sprintf("/Odoo/d/ä%03d.txt", i), strings.Repeat("x", i)))
			}
			var again []odbxfs.DropboxOp
			for i, res := range w.apply(ops...) {
				if res.Outcome == odbxfs.Failed && odbxfs.IsKind(res.Err, odbxfs.KindUnavailable) && c.fault != nil {
					again = append(again, ops[i])
				} else if res.Outcome != odbxfs.Done {
					t.Fatalf("file %d: %v", i, res.Err)
				}
			}
			if n := len(w.srv.Requests()); n > c.most {
				t.Errorf("%d requests for 500 files", n)
			}
			if c.fault != nil {
				for i, res := range w.apply(again...) {
					if res.Outcome != odbxfs.Done {
						t.Fatalf("file %d again: %v", i, res.Err)
					}
				}
			}
			if got, _ := w.list(); len(got) != 501 {
				t.Errorf("%d items, want 500 files and a folder", len(got))
			}
		})
	}
}

func TestAnUploadWhoseReplyWasLostIsFoundDone(t *testing.T) {
	for _, route := range []string{"files/upload", "files/upload_session/finish_batch_v2"} {
		t.Run(route, func(t *testing.T) {
			w := newWorld(t, dropboxtest.Options{Faults: []dropboxtest.Fault{{Route: route, Kind: dropboxtest.DropAfter}}})
			ops := []odbxfs.DropboxOp{put("/Odoo/a", "one")}
			if route != "files/upload" {
				ops = append(ops, put("/Odoo/b", "two"))
			}
			for _, res := range w.apply(ops...) {
				if res.Outcome != odbxfs.Failed || !odbxfs.IsKind(res.Err, odbxfs.KindUnavailable) {
					t.Fatalf("a lost reply must be told as such: %d, %v", res.Outcome, res.Err)
				}
			}
			for _, res := range w.apply(ops...) {
				if res.Outcome != odbxfs.Done {
					t.Errorf("again: %d, %v", res.Outcome, res.Err)
				}
			}
			if got, _ := w.list(); len(got) != len(ops) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestALargeFileGoesInChunks(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	data := make([]byte, 20<<20+17)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(data); i += 8 {
		copy(data[i:], fmt.Sprintf("%08x", r.Uint32()))
	}
	op := put("/Odoo/big.bin", "")
	op.Size = int64(len(data))
	op.Content = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	n := w.must(op)
	if n.Size != op.Size || w.read(n, 9<<20, 1000) != string(data[9<<20:9<<20+1000]) || w.read(n, op.Size-5, -1) != string(data[op.Size-5:]) {
		t.Error("what came back is not what went in")
	}
	op.Size++
	op.Path = "/Odoo/short.bin"
	if res := w.apply(op)[0]; res.Outcome != odbxfs.Changed {
		t.Errorf("a source that ends early: %d, %v", res.Outcome, res.Err)
	}
}

func TestNewContentNeedsTheKnownRev(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	first := w.must(put("/Odoo/a.txt", "one"))
	second := w.must(over(first, "two"))
	if second.ID != first.ID || second.Rev == first.Rev || w.read(second, 0, -1) != "two" {
		t.Errorf("got %+v after %+v", second, first)
	}
	if res := w.apply(over(first, "three"))[0]; res.Outcome != odbxfs.Changed {
		t.Errorf("an old rev: %d, %v", res.Outcome, res.Err)
	}
	if res := w.apply(put("/Odoo/a.txt", "other"))[0]; res.Outcome != odbxfs.Changed {
		t.Errorf("a taken place: %d, %v", res.Outcome, res.Err)
	}
	if w.read(first, 0, -1) != "one" {
		t.Error("an old revision can't be read any more")
	}
}

func TestFoldersAreMadeOnceAndAdopted(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	a := w.must(mkdir("/Odoo/a"))
	if again := w.must(mkdir("/Odoo/a")); again.ID != a.ID {
		t.Errorf("a second folder: %+v", again)
	}
	w.must(put("/Odoo/file", "x"))
	var ops []odbxfs.DropboxOp
	for i := range 150 {
		ops = append(ops, mkdir(fmt.Sprintf("/Odoo/a/%d", i)))
	}
	ops = append(ops, mkdir("/Odoo/a"), mkdir("/Odoo/file"))
	res := w.apply(ops...)
	for i := range 151 {
		if res[i].Outcome != odbxfs.Done {
			t.Fatalf("%s: %v", ops[i].Path, res[i].Err)
		}
	}
	if res[151].Outcome != odbxfs.Changed {
		t.Errorf("a folder over a file: %d", res[151].Outcome)
	}
}

func TestMoves(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	a, b := w.must(put("/Odoo/a.txt", "a")), w.must(put("/Odoo/b.txt", "b"))
	dir := w.must(mkdir("/Odoo/dir"))
	t.Run("a file keeps its id, and moving it again is done", func(t *testing.T) {
		moved := w.must(move(a, "/Odoo/dir/a.txt"))
		again := w.must(move(a, "/Odoo/dir/a.txt"))
		if moved.ID != a.ID || again.ID != a.ID {
			t.Errorf("got %+v, %+v", moved, again)
		}
	})
	t.Run("a taken place is told", func(t *testing.T) {
		if res := w.apply(move(b, "/Odoo/dir/a.txt"))[0]; res.Outcome != odbxfs.Changed || res.Node == nil || res.Node.ID != a.ID {
			t.Errorf("got %d, %+v", res.Outcome, res.Node)
		}
	})
	t.Run("a change of case alone", func(t *testing.T) {
		if got := w.must(move(b, "/Odoo/B.txt")); got.Name != "B.txt" || got.ID != b.ID {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("a batch, one of it gone", func(t *testing.T) {
		w.must(remove(w.must(move(b, "/Odoo/b.txt"))))
		res := w.apply(move(dir, "/Odoo/dir2"), move(b, "/Odoo/c.txt"))
		if res[0].Outcome != odbxfs.Done || res[1].Outcome != odbxfs.Gone {
			t.Errorf("got %d, %d", res[0].Outcome, res[1].Outcome)
		}
	})
	if got, _ := w.list(); !slices.Equal(got, []string{"dir2", "dir2/a.txt"}) {
		t.Errorf("got %q", got)
	}
}

func TestACopyIsMadeOnce(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	a := w.must(put("/Odoo/a.txt", "a"))
	op := odbxfs.DropboxOp{Kind: odbxfs.DropboxCopy, ID: a.ID, Path: "/Odoo/a (conflicted copy).txt", ContentHash: a.ContentHash}
	first, second := w.must(op), w.must(op)
	if first.ID == a.ID || first.ID != second.ID {
		t.Errorf("got %+v, then %+v", first, second)
	}
	for _, res := range w.apply(op, op) {
		if res.Outcome != odbxfs.Done {
			t.Errorf("as a batch: %v", res.Err)
		}
	}
}

func TestRemovals(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	dir, empty := w.must(mkdir("/Odoo/dir")), w.must(mkdir("/Odoo/empty"))
	a := w.must(put("/Odoo/dir/a", "a"))
	newer := w.must(over(a, "newer"))
	res := w.apply(remove(dir), remove(empty), remove(a))
	if res[0].Outcome != odbxfs.Changed || res[1].Outcome != odbxfs.Done || res[2].Outcome != odbxfs.Changed {
		t.Errorf("a full folder, an empty one, an old rev: %d %d %d", res[0].Outcome, res[1].Outcome, res[2].Outcome)
	}
	res = w.apply(remove(newer), remove(newer), remove(empty))
	for _, r := range res {
		if r.Outcome != odbxfs.Done {
			t.Errorf("removing what is gone is done: %d, %v", r.Outcome, r.Err)
		}
	}
	if got, _ := w.list(); !slices.Equal(got, []string{"dir"}) {
		t.Errorf("got %q", got)
	}
}

func TestChangesFollowTheCursor(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{PageSize: 3})
	w.must(mkdir("/Odoo"))
	_, cursor := w.list()
	a := w.must(put("/Odoo/a", "a"))
	w.must(mkdir("/Odoo/d"))
	w.must(move(a, "/Odoo/d/a"))
	if changed, err := w.Wait(t.Context(), cursor); err != nil || !changed {
		t.Errorf("waiting: %v, %v", changed, err)
	}
	var last odbxfs.DropboxChange
	gone := false
	for more := true; more; {
		p, err := w.Changes(t.Context(), "/Odoo", cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range p.Changes {
			gone = gone || c.Deleted && c.Path == "/Odoo/a"
			if c.Node.ID == a.ID {
				last = c
			}
		}
		cursor, more = p.Cursor, p.More
	}
	if last.Path != "/Odoo/d/a" || last.Node.Name != "a" || last.Node.Size != 1 {
		t.Errorf("the moved file came as %+v (gone from its old place: %t)", last, gone)
	}
	w.srv.ResetCursors()
	if _, err := w.Changes(t.Context(), "/Odoo", cursor); !odbxfs.IsKind(err, odbxfs.KindReset) {
		t.Errorf("an old cursor: %v", err)
	}
}

func TestLinks(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	a := w.must(put("/Odoo/a b%ü.txt", "a"))
	first, err := w.Link(t.Context(), a.ID, odbxfs.LinkPublic)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := w.Link(t.Context(), a.ID, odbxfs.LinkPublic); err != nil || second != first {
		t.Errorf("a second link %q for %q, %v", second, first, err)
	}
	if home, err := w.Link(t.Context(), a.ID, odbxfs.LinkNone); err != nil || !strings.HasSuffix(home, "/home/Odoo/a%20b%25%C3%BC.txt") {
		t.Errorf("without links: %q, %v", home, err)
	}
	other := w.must(put("/Odoo/other.txt", "o"))
	if _, err := w.Link(t.Context(), other.ID, odbxfs.LinkTeamOnly); !odbxfs.IsKind(err, odbxfs.KindUnsupported) {
		t.Errorf("team_only on a basic account: %v", err)
	}
	if _, err := w.Link(t.Context(), a.ID, ""); !odbxfs.IsKind(err, odbxfs.KindInvalid) {
		t.Errorf("no policy: %v", err)
	}
	for range 2 {
		if err := w.Unlink(t.Context(), first); err != nil {
			t.Errorf("revoking: %v", err)
		}
	}
}

func TestAccount(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	w.must(put("/Odoo/a", "12345"))
	got, err := w.Account(t.Context())
	want := w.srv.Account()
	if err != nil || got.ID != want.ID || got.Kind != "basic" || got.RootNamespace != want.NamespaceID || got.Used != 5 || got.Quota != want.Allocated {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestARefusedTokenIsNotSentTwice(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	token := "secret-token"
	cl := newClient(w.srv, func(context.Context) (string, error) { return token, nil }, "")
	if _, err := cl.Account(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.srv.RevokeToken()
	w.srv.ForgetRequests()
	for range 3 {
		_, err := cl.Account(t.Context())
		if !odbxfs.IsKind(err, odbxfs.KindCredentials) {
			t.Fatalf("got %v", err)
		}
		if strings.Contains(err.Error(), token) {
			t.Errorf("the token stands in the error: %v", err)
		}
	}
	if n := len(w.srv.Requests()); n != 1 {
		t.Errorf("%d requests with a refused token", n)
	}
	token = "another"
	w.srv.Grant(token)
	if _, err := cl.Account(t.Context()); err != nil {
		t.Errorf("the source gives another one: %v", err)
	}
}

func TestAnAccessTokenIsRenewed(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	refresh := w.srv.Refresh()
	cl := newClient(w.srv, func(context.Context) (string, error) { return refresh, nil }, "app-key")
	if _, err := cl.Account(t.Context()); err != nil {
		t.Fatal(err)
	}
	must(t, cl, put("/Odoo/a", "a"), put("/Odoo/b", "b"))
	w.srv.ExpireTokens()
	if _, err := cl.Account(t.Context()); err != nil {
		t.Errorf("the call that met the end of the token: %v", err)
	}
	w.srv.ExpireTokens()
	must(t, cl, put("/Odoo/c", "c"), put("/Odoo/d", "d"))
	w.srv.ExpireTokens()
	must(t, cl, put("/Odoo/e", "e"))
	w.srv.RevokeToken()
	if _, err := cl.Account(t.Context()); !odbxfs.IsKind(err, odbxfs.KindCredentials) {
		t.Errorf("after the app was removed: %v", err)
	}
}

func TestErrorsHaveTheirKind(t *testing.T) {
	for _, c := range []struct {
		fault dropboxtest.Fault
		want  odbxfs.ErrorKind
		wait  time.Duration
	}{
		{dropboxtest.Fault{Kind: dropboxtest.RateLimited, RetryAfter: 15 * time.Second}, odbxfs.KindRateLimited, 15 * time.Second},
		{dropboxtest.Fault{Kind: dropboxtest.RateLimitedText, RetryAfter: 300 * time.Second}, odbxfs.KindRateLimited, 300 * time.Second},
		{dropboxtest.Fault{Kind: dropboxtest.TooManyWrites}, odbxfs.KindRateLimited, time.Second},
		{dropboxtest.Fault{Kind: dropboxtest.ServerError}, odbxfs.KindUnavailable, 0},
		{dropboxtest.Fault{Kind: dropboxtest.BadGateway}, odbxfs.KindUnavailable, 0},
		{dropboxtest.Fault{Kind: dropboxtest.DropBefore}, odbxfs.KindUnavailable, 0},
		{dropboxtest.Fault{Kind: dropboxtest.DropAfter}, odbxfs.KindUnavailable, 0},
		{dropboxtest.Fault{Kind: dropboxtest.Truncate}, odbxfs.KindUnavailable, 0},
		{dropboxtest.Fault{Kind: dropboxtest.TokenRevoked}, odbxfs.KindCredentials, 0},
	} {
		t.Run(c.fault.Kind.String(), func(t *testing.T) {
			c.fault.Route = "users/get_current_account"
			w := newWorld(t, dropboxtest.Options{Faults: []dropboxtest.Fault{c.fault}})
			_, err := w.Account(t.Context())
			var e *odbxfs.Error
			if !errors.As(err, &e) || e.Kind != c.want || e.RetryAfter != c.wait {
				t.Errorf("got %v (%+v)", err, e)
			}
		})
	}
}

func TestNamesThatDropboxRefuses(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	for _, name := range []string{"desktop.ini", `back\slash`, "end ", strings.Repeat("x", 256)} {
		if res := w.apply(put("/Odoo/"+name, "x"))[0]; res.Outcome != odbxfs.Refused || !odbxfs.IsKind(res.Err, odbxfs.KindName) {
			t.Errorf("%q: %d, %v", name, res.Outcome, res.Err)
		}
	}
	if n := w.must(put("/Odoo/\U0001F600 ü \u007e.txt", "x")); n.Name != "\U0001F600 ü \u007e.txt" {
		t.Errorf("got %q", n.Name)
	}
}
