package dropbox_test

import (
	"strings"
	"testing"

	"odbxfs"
	"odbxfs/sync/dropbox/dropboxtest"
)

// A file that was written a moment ago may not be found by the next call. It is
// not gone for that.
func TestAFileThatIsNotFoundYetIsNotGone(t *testing.T) {
	for _, kind := range []odbxfs.DropboxOpKind{odbxfs.DropboxMove, odbxfs.DropboxCopy} {
		w := newWorld(t, dropboxtest.Options{})
		a, b := w.must(put("/a", "a")), w.must(put("/b", "b"))
		ops := []odbxfs.DropboxOp{{Kind: kind, ID: a.ID, Path: "/c"}, {Kind: kind, ID: b.ID, Path: "/d"}}
		w.srv.Inject(dropboxtest.Fault{Route: "files/*_batch_v2", Kind: dropboxtest.PartialBatch, Tags: []string{"relocation_error", "from_lookup", "not_found"}})
		got := w.apply(ops...)
		if got[0].Outcome != odbxfs.Done || got[1].Outcome != odbxfs.Failed || !odbxfs.IsKind(got[1].Err, odbxfs.KindUnavailable) {
			t.Errorf("%v: %+v", kind, got)
		}
		if again := w.apply(ops[1]); again[0].Outcome != odbxfs.Done {
			t.Errorf("%v, again: %+v", kind, again)
		}
	}
}

func TestAFileThatIsGoneIsSaidToBe(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{})
	a, b := w.must(put("/a", "a")), w.must(put("/b", "b"))
	w.apply(remove(a), remove(b))
	for _, kind := range []odbxfs.DropboxOpKind{odbxfs.DropboxMove, odbxfs.DropboxCopy} {
		for _, got := range w.apply(odbxfs.DropboxOp{Kind: kind, ID: a.ID, Path: "/c"}, odbxfs.DropboxOp{Kind: kind, ID: b.ID, Path: "/d"}) {
			if got.Outcome != odbxfs.Gone {
				t.Errorf("%v: %+v", kind, got)
			}
		}
	}
}

// The network may send a request twice: the second finds the sessions closed by
// the first.
func TestBytesThatTheNetworkSendsTwiceArriveOnce(t *testing.T) {
	for _, text := range []string{"small", strings.Repeat("large", 2<<20)} {
		w := newWorld(t, dropboxtest.Options{})
		w.srv.Inject(dropboxtest.Fault{Kind: dropboxtest.Doubled, Times: -1})
		for _, got := range w.apply(put("/a", text), put("/b", text+"!")) {
			if got.Outcome != odbxfs.Done {
				t.Errorf("%d bytes: %+v", len(text), got)
			}
		}
		if n := w.must(put("/a", text)); n.Size != int64(len(text)) {
			t.Errorf("%d bytes are there of %d", n.Size, len(text))
		}
	}
}
