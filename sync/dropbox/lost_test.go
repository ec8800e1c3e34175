package dropbox_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/sync/dropbox/dropboxtest"
)

// A write that meets something in its place looks what it is. When that look
// fails, nobody knows: it is to be tried again, and is neither done nor refused.
func TestAConflictThatCannotBeLookedAtIsTriedAgain(t *testing.T) {
	for what, op := range map[string]func(w world) odbxfs.DropboxOp{
		"a folder": func(world) odbxfs.DropboxOp { return mkdir("/taken") },
		"a move":   func(w world) odbxfs.DropboxOp { return move(w.must(put("/a", "a")), "/taken") },
		"a copy": func(w world) odbxfs.DropboxOp {
			return odbxfs.DropboxOp{Kind: odbxfs.DropboxCopy, ID: w.must(put("/a", "a")).ID, Path: "/taken"}
		},
		"a move of what is gone": func(w world) odbxfs.DropboxOp {
			n := w.must(put("/a", "a"))
			w.apply(remove(n))
			return move(n, "/b")
		},
	} {
		w := newWorld(t, dropboxtest.Options{})
		w.must(put("/taken", "other"))
		o := op(w)
		w.srv.Inject(dropboxtest.Fault{Route: "files/get_metadata", Kind: dropboxtest.BadGateway})
		if got := w.apply(o)[0]; got.Outcome != odbxfs.Failed || !odbxfs.IsKind(got.Err, odbxfs.KindUnavailable) {
			t.Errorf("%s: %+v", what, got)
		}
		if got := w.apply(o)[0]; got.Outcome == odbxfs.Done || got.Outcome == odbxfs.Failed {
			t.Errorf("%s, asked again: %+v", what, got)
		}
	}
}

// A name changes its case by way of another name. When the second half fails, it
// is found and finished by the next attempt.
func TestAChangeOfCaseThatStopsHalfway(t *testing.T) {
	for call := 2; call <= 3; call++ { // the first move is refused, the others are the two halves
		w := newWorld(t, dropboxtest.Options{})
		n := w.must(put("/dir/a.txt", "a"))
		w.srv.Inject(dropboxtest.Fault{Route: "files/move_v2", Kind: dropboxtest.ServerError, Call: call})
		if got := w.apply(move(n, "/dir/A.txt"))[0]; got.Outcome != odbxfs.Failed {
			t.Errorf("move %d: %+v", call, got)
		}
		got := w.apply(move(n, "/dir/A.txt"))[0]
		if got.Outcome != odbxfs.Done || got.Node.ID != n.ID || got.Node.Name != "A.txt" {
			t.Errorf("move %d, again: %+v", call, got)
		}
	}
}

// A folder cannot go into itself: what was planned no longer holds.
func TestAFolderThatIsToGoIntoItselfIsPlannedAnew(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	n := w.must(mkdir("/dir"))
	if got := w.apply(move(n, "/dir/in/dir"))[0]; got.Outcome != odbxfs.Changed {
		t.Errorf("%+v", got)
	}
}

// Whatever list_folder/continue complains of, the listing begins anew; whatever
// else happens to it does not.
func TestACursorThatLeadsNowhereIsAReset(t *testing.T) {
	for _, c := range []struct {
		fault dropboxtest.Fault
		want  odbxfs.ErrorKind
	}{
		{dropboxtest.Fault{Kind: dropboxtest.ResetCursor}, odbxfs.KindReset},
		{dropboxtest.Fault{Kind: dropboxtest.Refused, Tags: []string{"path", "not_found"}}, odbxfs.KindReset},
		{dropboxtest.Fault{Kind: dropboxtest.Refused, Tags: []string{"path", "not_folder"}}, odbxfs.KindReset},
		{dropboxtest.Fault{Kind: dropboxtest.RateLimitedText}, odbxfs.KindRateLimited},
		{dropboxtest.Fault{Kind: dropboxtest.Truncate}, odbxfs.KindUnavailable},
	} {
		w := newWorld(t, dropboxtest.Options{})
		w.must(mkdir("/Odoo"))
		_, cursor := w.list()
		c.fault.Route = "files/list_folder/continue"
		w.srv.Inject(c.fault)
		if _, err := w.Changes(t.Context(), "/Odoo", cursor); !odbxfs.IsKind(err, c.want) {
			t.Errorf("%s %v: %v", c.fault.Kind, c.fault.Tags, err)
		}
	}
}

// A file keeps its date, in whole seconds, small or large.
func TestAFileKeepsItsDate(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	when := time.Date(2020, 2, 3, 4, 5, 6, 700, time.FixedZone("CET", 3600))
	for _, text := range []string{"small", strings.Repeat("large", 2<<20)} {
		o := put("/"+text[:5], text)
		o.Modified = when
		if n := w.must(o); !n.Modified.Equal(when.Truncate(time.Second)) {
			t.Errorf("%d bytes are of %s", len(text), n.Modified)
		}
	}
}

// Content that ends too soon, is too long or cannot be read is never sent as if
// it were whole.
func TestAContentThatIsNotWhatWasSaidIsNotSent(t *testing.T) {
	failed := &odbxfs.Error{Op: "read", Kind: odbxfs.KindUnavailable}
	for what, c := range map[string]struct {
		content odbxfs.Opener
		kind    odbxfs.ErrorKind
	}{
		"shorter": {func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }, odbxfs.KindChanged},
		"longer": {func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(strings.Repeat("x", 21<<20))), nil
		}, odbxfs.KindChanged},
		"not to be opened": {func(context.Context) (io.ReadCloser, error) { return nil, failed }, odbxfs.KindUnavailable},
		"not to be read": {func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("x"), broken{failed})), nil
		}, odbxfs.KindUnavailable},
		"not to be closed": {func(context.Context) (io.ReadCloser, error) { return unclosable{failed}, nil }, odbxfs.KindUnavailable},
	} {
		for _, size := range []int64{10, 20 << 20} {
			if what == "not to be closed" && size > 10 {
				continue // its reader is of ten bytes
			}
			w := newWorld(t, dropboxtest.Options{})
			got := w.apply(odbxfs.DropboxOp{Kind: odbxfs.DropboxUpload, Path: "/f", Size: size, Content: c.content})[0]
			if got.Outcome == odbxfs.Done || !odbxfs.IsKind(got.Err, c.kind) {
				t.Errorf("%s, %d bytes: %+v", what, size, got)
			}
			if all, err := w.Changes(t.Context(), "", ""); err != nil || len(all.Changes) != 0 {
				t.Errorf("%s, %d bytes: %+v are there, %v", what, size, all.Changes, err)
			}
		}
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

type unclosable struct{ err error }

func (u unclosable) Read(p []byte) (int, error) { return copy(p, "0123456789"), io.EOF }
func (u unclosable) Close() error               { return u.err }

// A download ends with whoever asked for it, and does not go on by itself.
func TestADownloadEndsWithItsCaller(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	n := w.must(put("/f", strings.Repeat("x", 1<<20)))
	w.srv.Inject(dropboxtest.Fault{Route: "files/download", Kind: dropboxtest.Truncate, Bytes: 1000, Times: -1})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := w.Content(ctx, n.ID, n.Rev, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// An upload whose answer names other bytes is no upload.
func TestAnAnswerWithOtherBytesIsNoUpload(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	o := put("/f", "what is sent")
	o.ContentHash = odbxfs.ContentHash(strings.Repeat("0", 64))
	if got := w.apply(o)[0]; got.Outcome == odbxfs.Done || !odbxfs.IsKind(got.Err, odbxfs.KindCorrupt) {
		t.Errorf("%+v", got)
	}
}
