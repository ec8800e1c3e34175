package dropbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/sync/dropbox"
	"odbxfs/sync/dropbox/dropboxtest"
)

// A commit waits for its turn, and no longer than its caller does.
func TestACommitThatWaitsForItsTurnEndsWithItsCaller(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	w.srv.Inject(dropboxtest.Fault{Route: "files/upload_session/finish_batch_v2", Kind: dropboxtest.Delay, Wait: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	ends := make(chan error, 2)
	for i := range 2 {
		go func() {
			_, err := w.Apply(ctx, []odbxfs.DropboxOp{put(fmt.Sprintf("/a%d", i), "a"), put(fmt.Sprintf("/b%d", i), "b")})
			ends <- err
		}()
	}
	poll(t, func() bool { return w.srv.Counts()["files/upload_session/append_batch"] == 2 })
	cancel()
	for range 2 {
		if err := <-ends; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}

// poll waits for what must come.
func poll(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come to pass")
		}
	}
}

// A download that breaks goes on where it was; one that breaks again and again
// without a byte is given up, as a server that is not there.
func TestADownloadThatBreaks(t *testing.T) {
	text := strings.Repeat("0123456789", 10_000)
	for _, c := range []struct {
		what  string
		fault dropboxtest.Fault
		kind  odbxfs.ErrorKind
		asked int
	}{
		{"once, inside", dropboxtest.Fault{Kind: dropboxtest.Truncate, Bytes: 1000}, 0, 2},
		{"three times, inside", dropboxtest.Fault{Kind: dropboxtest.Truncate, Bytes: 1000, Times: 3}, 0, 4},
		{"with a page of somebody else's", dropboxtest.Fault{Kind: dropboxtest.Portal}, odbxfs.KindUnavailable, 1},
		{"since it is gone", dropboxtest.Fault{Kind: dropboxtest.Refused, Tags: []string{"path", "not_found"}}, odbxfs.KindMissing, 1},
		{"since it is restricted", dropboxtest.Fault{Kind: dropboxtest.Refused, Tags: []string{"path", "restricted_content"}}, odbxfs.KindAccess, 1},
	} {
		w := newWorld(t, dropboxtest.Options{})
		n := w.must(put("/f", text))
		c.fault.Route = "files/download"
		w.srv.Inject(c.fault)
		got, err := readAll(t.Context(), w.Client, n)
		if c.kind == 0 && (err != nil || got != text) || c.kind != 0 && !odbxfs.IsKind(err, c.kind) {
			t.Errorf("%s: %d bytes, %v", c.what, len(got), err)
		}
		poll(t, func() bool { return w.srv.Counts()["files/download"] >= c.asked })
		if asked := w.srv.Counts()["files/download"]; asked != c.asked {
			t.Errorf("%s: asked %d times, want %d", c.what, asked, c.asked)
		}
	}
}

func readAll(ctx context.Context, cl *dropbox.Client, n *odbxfs.DropboxNode) (string, error) {
	r, err := cl.Content(ctx, n.ID, n.Rev, 0, -1)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	_, err = io.Copy(&b, r)
	return b.String(), errors.Join(err, r.Close())
}

// What a batch answers for its job is told as what it is.
func TestWhatBecomesOfAJob(t *testing.T) {
	for _, c := range []struct {
		what  string
		fault dropboxtest.Fault
		kind  odbxfs.ErrorKind
	}{
		{"it is forgotten", dropboxtest.Fault{Kind: dropboxtest.JobsLost}, odbxfs.KindUnavailable},
		{"it does not end", dropboxtest.Fault{Kind: dropboxtest.JobStuck, Times: -1}, odbxfs.KindUnavailable},
		{"it answers nothing", dropboxtest.Fault{Kind: dropboxtest.Nothing}, odbxfs.KindUnavailable},
		{"it answers with a page", dropboxtest.Fault{Kind: dropboxtest.Portal}, odbxfs.KindUnavailable},
		{"the login ended", dropboxtest.Fault{Kind: dropboxtest.TokenRevoked}, odbxfs.KindCredentials},
	} {
		for _, verb := range []string{"move", "copy", "remove"} {
			now := time.Now()
			w := newWorld(t, dropboxtest.Options{})
			a, b := w.must(put("/a", "a")), w.must(put("/b", "b"))
			c.fault.Route = "files/*/check*"
			w.srv.Inject(c.fault)
			hasty := w.with(func(cfg *dropbox.Config) { // an hour passes with each look at the job
				cfg.Now = func() time.Time { now = now.Add(time.Hour); return now }
			})
			ops := map[string][]odbxfs.DropboxOp{"move": {move(a, "/c"), move(b, "/d")}, "remove": {remove(a), remove(b)},
				"copy": {{Kind: odbxfs.DropboxCopy, ID: a.ID, Path: "/c"}, {Kind: odbxfs.DropboxCopy, ID: b.ID, Path: "/d"}}}[verb]
			for _, got := range hasty.apply(ops...) {
				if got.Outcome != odbxfs.Failed || !odbxfs.IsKind(got.Err, c.kind) {
					t.Errorf("%s, %s: %+v", verb, c.what, got)
				}
			}
			w.srv.ClearFaults()
			if c.kind == odbxfs.KindCredentials {
				continue
			}
			for _, got := range w.apply(ops...) { // it was done all the same
				if got.Outcome != odbxfs.Done && verb != "copy" {
					t.Errorf("%s again, %s: %+v", verb, c.what, got)
				}
			}
		}
	}
}

// A long-poll rests as long as Dropbox asks, a forgotten cursor is told, and what
// does not answer is not taken for quiet.
func TestWhatALongPollCanEndWith(t *testing.T) {
	var slept time.Duration
	w := newWorld(t, dropboxtest.Options{Behaviour: dropboxtest.Behaviour{LongpollBackoff: 90 * time.Second}})
	w.must(mkdir("/Odoo"))
	_, cursor := w.list()
	w.must(put("/Odoo/a", "a"))
	w = w.with(func(cfg *dropbox.Config) {
		cfg.Sleep = func(_ context.Context, d time.Duration) error { slept += d; return nil }
	})
	if changed, err := w.Wait(t.Context(), cursor); !changed || err != nil || slept != 90*time.Second {
		t.Errorf("changed %t, %v, rested %s", changed, err, slept)
	}
	for kind, want := range map[dropboxtest.FaultKind]odbxfs.ErrorKind{
		dropboxtest.ResetCursor: odbxfs.KindReset, dropboxtest.ServerError: odbxfs.KindUnavailable, dropboxtest.DropBefore: odbxfs.KindUnavailable,
		dropboxtest.Portal: odbxfs.KindUnavailable, dropboxtest.RateLimited: odbxfs.KindRateLimited,
	} {
		w.srv.Inject(dropboxtest.Fault{Route: "files/list_folder/longpoll", Kind: kind})
		if _, err := w.Wait(t.Context(), cursor); !odbxfs.IsKind(err, want) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	stopped := errors.New("stopped")
	w = w.with(func(cfg *dropbox.Config) { cfg.Sleep = func(context.Context, time.Duration) error { return stopped } })
	if changed, err := w.Wait(t.Context(), cursor); !changed || !errors.Is(err, stopped) {
		t.Errorf("ended while it rests: %t, %v", changed, err)
	}
}

// A link that Dropbox says is there, and lists not, is asked for again later. One
// that is made while the answer is lost is found.
func TestALinkThatIsThereAlready(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	n := w.must(put("/a", "a"))
	first, err := w.Link(t.Context(), n.ID, odbxfs.LinkPublic)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.Link(t.Context(), n.ID, odbxfs.LinkPublic); err != nil || dropbox.LinkKey(again) != dropbox.LinkKey(first) {
		t.Errorf("%s, then %s, %v", first, again, err)
	}
	hidden := w.meddled(meddler{next: w.srv.Transport(), before: func(req *http.Request) *http.Response {
		if isRoute(req, "sharing/list_shared_links") {
			return says(http.StatusOK, `{"links":[],"has_more":false}`)
		}
		return nil
	}})
	if _, err := hidden.Link(t.Context(), n.ID, odbxfs.LinkPublic); !odbxfs.IsKind(err, odbxfs.KindUnavailable) {
		t.Errorf("none is listed: %v", err)
	}
	for tag, want := range map[string]odbxfs.ErrorKind{"shared_link_not_found": 0, "shared_link_access_denied": odbxfs.KindAccess, "shared_link_malformed": odbxfs.KindInvalid} {
		w.srv.Inject(dropboxtest.Fault{Route: "sharing/revoke_shared_link", Kind: dropboxtest.Refused, Tags: []string{tag}})
		if err := w.Unlink(t.Context(), first); want == 0 && err != nil || want != 0 && !odbxfs.IsKind(err, want) {
			t.Errorf("revoke, %s: %v", tag, err)
		}
	}
}
