package sync

import (
	"context"
	"testing"

	"odbxfs"
)

// pairing is a file on both sides with its pair, as a task finds it.
func pairing() (odbxfs.OdooNode, odbxfs.DropboxNode, odbxfs.Pair) {
	o := odbxfs.OdooNode{Node: 7, Ref: odbxfs.AttachmentRef(70), ParentRef: order1, Kind: odbxfs.File, Type: odbxfs.Binary,
		Name: "a.pdf", SHA1: "sha-new", Size: 3, Mimetype: "application/pdf"}
	d := odbxfs.DropboxNode{Node: 7, ID: "id:7", Kind: odbxfs.File, Name: "a.pdf", Rev: "r2", ContentHash: "hash-new", Size: 3}
	p := odbxfs.Pair{Node: 7, Row: 5, Version: 2, Client: 1, Kind: odbxfs.File, Odoo: o.Ref, OdooParent: order1, OdooName: "old.pdf",
		Dropbox: d.ID, DropboxParent: "id:dir", DropboxName: "old.pdf", MountName: "old.pdf",
		SHA1: "sha-old", ContentHash: "hash-old", Size: 1, Rev: "r1"}
	return o, d, p
}

// Each kind of task agrees on what it has brought together, and on nothing else:
// the rest is still to be planned for.
func TestWhatATaskAgreesOn(t *testing.T) {
	type facts struct{ name, content, link, tomb bool }
	for _, c := range []struct {
		kind odbxfs.TaskKind
		pass odbxfs.Pass
		url  string
		want facts
	}{
		{odbxfs.TaskDropboxMove, odbxfs.Direct, "", facts{name: true}},
		{odbxfs.TaskDropboxMove, odbxfs.Backward, "", facts{}},
		{odbxfs.TaskOdooMove, odbxfs.Backward, "", facts{name: true}},
		{odbxfs.TaskDropboxUpload, odbxfs.Direct, "", facts{content: true}},
		{odbxfs.TaskOdooUpdate, odbxfs.Backward, "", facts{content: true}},
		{odbxfs.TaskOdooConvert, odbxfs.Direct, "https://link", facts{link: true}},
		{odbxfs.TaskSettle, odbxfs.Direct, "", facts{name: true, content: true}},
		{odbxfs.TaskOdooCreate, odbxfs.Backward, "https://link", facts{name: true, content: true, link: true}},
		{odbxfs.TaskForget, odbxfs.Backward, "", facts{tomb: true}},
		{odbxfs.TaskDropboxDelete, odbxfs.Direct, "", facts{tomb: true}},
		{odbxfs.TaskOdooDelete, odbxfs.Backward, "", facts{tomb: true}},
		{odbxfs.TaskOdooRestore, odbxfs.Reverse, "", facts{content: true, tomb: true}},
	} {
		x := &executor{cfg: odbxfs.CloudClient{ID: 1}}
		o, d, p := pairing()
		w := work{Task: odbxfs.Task{Kind: c.kind, Pass: c.pass, Node: 7, Client: 1, Name: o.Name, Dropbox: &d, Odoo: &o, Pair: &p},
			o: &o, d: &d, p: &p, dir: "id:dir", parent: order1}
		got := x.agreed(verdict{work: w}, c.url)
		is := facts{name: got.OdooName == "a.pdf" && got.DropboxName == "a.pdf", content: got.ContentHash == "hash-new", link: got.URL != "", tomb: got.Gone}
		if is != c.want {
			t.Errorf("%s %s agrees on %+v, want %+v", c.pass, c.kind, is, c.want)
		}
		if got.Row != p.Row || got.Version != p.Version || got.Odoo != o.Ref || got.Dropbox != d.ID {
			t.Errorf("%s: another pair: %+v", c.kind, got)
		}
	}
}

func TestAnAgreementTellsWhatWasReallySent(t *testing.T) {
	x := &executor{cfg: odbxfs.CloudClient{ID: 1}}
	o, d, p := pairing()
	w := work{Task: odbxfs.Task{Kind: odbxfs.TaskDropboxUpload, Pass: odbxfs.Direct, Node: 7, Odoo: &o, Dropbox: &d, Pair: &p}, o: &o, d: &d, p: &p}
	if got := x.agreed(verdict{work: w, sha1: "sha-sent"}, ""); got.SHA1 != "sha-sent" {
		t.Errorf("the pair tells of %s", got.SHA1)
	}
	if got := x.agreed(verdict{work: w}, ""); got.SHA1 != "sha-new" {
		t.Errorf("the pair tells of %s", got.SHA1)
	}
}

// The row of a copy says neither checksum nor type: its original's pair does, if
// the bytes are those.
func TestACopysPairHasItsOriginalsChecksum(t *testing.T) {
	x := &executor{cfg: odbxfs.CloudClient{ID: 1}}
	for _, same := range []bool{true, false} {
		o, d, source := pairing()
		o.Type, o.SHA1, o.Mimetype = odbxfs.Copy, "", ""
		source.SHA1, source.Mimetype = "sha-source", "text/plain"
		if same {
			source.ContentHash = d.ContentHash
		}
		w := work{Task: odbxfs.Task{Kind: odbxfs.TaskDropboxUpload, Node: 7, Odoo: &o}, o: &o, d: &d, source: &source}
		got := x.agreed(verdict{work: w}, "")
		if (got.SHA1 == "sha-source") != same || (got.Mimetype == "text/plain") != same {
			t.Errorf("same bytes %v: %+v", same, got)
		}
	}
}

// The name that the mount shows is everybody's from now on, unless the mount is
// about to change it.
func TestTheMountsNameIsKeptWhenNothingIsUnderWay(t *testing.T) {
	x := &executor{cfg: odbxfs.CloudClient{ID: 1}}
	for state, want := range map[odbxfs.FileState]string{odbxfs.StateClean: "shown", odbxfs.StateLocal: ""} {
		o, d, _ := pairing()
		w := work{Task: odbxfs.Task{Kind: odbxfs.TaskSettle, Node: 7, Name: o.Name, Odoo: &o, Dropbox: &d}, o: &o, d: &d,
			inode: odbxfs.Inode{Name: "shown", State: state}}
		if got := x.agreed(verdict{work: w}, ""); got.MountName != want {
			t.Errorf("state %v: %q", state, got.MountName)
		}
	}
}

// ledgerRig is an executor on the fakes, without an engine around it.
func ledgerRig(t *testing.T) (*rig, *executor) {
	t.Helper()
	r := newRig(t, 1)
	r.calm()
	return r, &executor{opt: &r.engine.opt, cfg: r.odoo.client, db: r.dropbox, store: r.store}
}

// A pair whose write was done before, and its answer lost, is written once more
// on the version that Odoo has: who holds the lease is the only writer.
func TestAPairWhoseAnswerWasLostIsWrittenAgain(t *testing.T) {
	r, x := ledgerRig(t)
	_, _, p := pairing()
	p.Row, p.Version = 0, 0
	first := *r.odoo.putPair(p)
	now := first
	now.SHA1 = "written, and never heard of"
	r.odoo.putPair(now)
	first.SHA1 = "to be written"
	v := verdict{work: work{Task: odbxfs.Task{Kind: odbxfs.TaskSettle, Node: 7, Key: "k"}}, pNow: &first, open: true}
	out := x.settlePairs(context.Background(), []verdict{v})
	if out[0].end != endDone || out[0].open || r.odoo.pairs[first.Row].SHA1 != "to be written" {
		t.Errorf("verdict %+v, the row is %+v", out[0], r.odoo.pairs[first.Row])
	}
	if out[0].pNow.Version != r.odoo.pairs[first.Row].Version {
		t.Errorf("version %d, Odoo has %d", out[0].pNow.Version, r.odoo.pairs[first.Row].Version)
	}
}

func TestAPairThatIsGoneFromOdooIsPlannedAnew(t *testing.T) {
	_, x := ledgerRig(t)
	_, _, p := pairing()
	p.Row = 4711
	v := verdict{work: work{Task: odbxfs.Task{Kind: odbxfs.TaskSettle, Node: 7}}, pNow: &p, open: true}
	if out := x.settlePairs(context.Background(), []verdict{v}); out[0].end != endReplan {
		t.Errorf("verdict %+v", out[0])
	}
}

// A task is not done before its pair is in Odoo: while that can't be written it
// waits, whatever it did to Dropbox.
func TestATaskWaitsUntilItsPairIsWritten(t *testing.T) {
	r, x := ledgerRig(t)
	r.faults.before = unavailable
	_, _, p := pairing()
	task := work{Task: odbxfs.Task{Kind: odbxfs.TaskDropboxUpload, Node: 7}}
	out := x.settlePairs(context.Background(), []verdict{
		{work: task, pNow: &p, open: true},
		{work: task, end: endReplan},
		{work: task, pNow: &p}, // Odoo has it
	})
	if out[0].end != endWait || out[0].side != toOdoo || out[1].end != endReplan || out[2].end != endDone {
		t.Errorf("verdicts %v %v %v", out[0].end, out[1].end, out[2].end)
	}
}

func TestFoldersOfOneBatchKnowTheirParent(t *testing.T) {
	r, x := ledgerRig(t)
	folder := func(node, parent odbxfs.NodeID, id odbxfs.DropboxID) verdict {
		return verdict{work: work{Task: odbxfs.Task{Kind: odbxfs.TaskDropboxMkdir, Node: node, Parent: parent}}, open: true,
			dNow: &odbxfs.DropboxNode{ID: id}, pNow: &odbxfs.Pair{Client: 1, Kind: odbxfs.Folder, Odoo: odbxfs.FolderRef(int64(node)), Dropbox: id}}
	}
	out := x.settlePairs(context.Background(), []verdict{folder(50, 3, "id:outer"), folder(51, 50, "id:inner")})
	if row := r.odoo.pairs[out[1].pNow.Row]; row.DropboxParent != "id:outer" {
		t.Errorf("the inner one lies in %q", row.DropboxParent)
	}
}
