package sync

import (
	"context"
	"strings"
	"testing"

	"odbxfs"
)

// Each task is one write, with what it expects and the pair that then holds.
func TestTheWriteOfATaskOnOdoo(t *testing.T) {
	r, x := ledgerRig(t)
	file := r.dropboxFile(dir1+"/a.pdf", "bytes")
	for _, c := range []struct {
		kind    odbxfs.TaskKind
		typ     odbxfs.DocumentType
		want    odbxfs.OdooOpKind
		expects bool // the row as it was seen
		link    bool // gives an address
		bytes   bool // brings bytes
	}{
		{odbxfs.TaskOdooMkdir, 0, odbxfs.OdooMakeFolder, true, false, false},
		{odbxfs.TaskOdooMove, odbxfs.Binary, odbxfs.OdooRelocate, true, false, false},
		{odbxfs.TaskOdooDelete, odbxfs.Binary, odbxfs.OdooRemove, true, false, false},
		{odbxfs.TaskOdooCreate, odbxfs.Binary, odbxfs.OdooCreateFile, false, true, false},
		{odbxfs.TaskOdooUpdate, odbxfs.Binary, odbxfs.OdooWriteContent, true, false, true},
		{odbxfs.TaskOdooUpdate, odbxfs.Link, odbxfs.OdooHint, true, true, false},
		{odbxfs.TaskOdooRestore, odbxfs.Link, odbxfs.OdooRestore, true, false, true},
		{odbxfs.TaskOdooConvert, odbxfs.Binary, odbxfs.OdooConvert, true, true, false},
		{odbxfs.TaskSettle, odbxfs.Binary, odbxfs.OdooSettlePair, false, false, false},
		{odbxfs.TaskForget, odbxfs.Binary, odbxfs.OdooSettlePair, false, false, false},
	} {
		o, _, p := pairing()
		o.Type, p.Rev, p.Dropbox = c.typ, file.Rev, file.ID
		if c.typ == odbxfs.Link {
			o.URL = "https://www.dropbox.com/scl/fi/1?dl=0"
		}
		w := work{Task: odbxfs.Task{Kind: c.kind, Key: "key", Node: 7, Name: "name", Pair: &p, Odoo: &o, Dropbox: &file}, o: &o, d: &file, p: &p, parent: order2}
		op, _, err := x.odooOp(context.Background(), w)
		if err != nil {
			t.Errorf("%s: %v", c.kind, err)
			continue
		}
		if op.Kind != c.want || (op.Expect != nil) != c.expects || (op.URL != "") != c.link || (op.Content != nil) != c.bytes {
			t.Errorf("%s of type %d: %+v", c.kind, c.typ, op)
		}
		if op.Key != "key" || op.Pair == nil || op.Pair.Row != p.Row {
			t.Errorf("%s: key %q, pair %+v", c.kind, op.Key, op.Pair)
		}
		if c.bytes {
			if b, err := bodyOf(context.Background(), op.Content); err != nil || string(b) != "bytes" || op.SHA1 != sha1Of(b) {
				t.Errorf("%s: %q, %v", c.kind, b, err)
			}
		}
	}
}

// dropboxFile puts a file where nobody but the test sees it.
func (r *rig) dropboxFile(path, text string) odbxfs.DropboxNode {
	r.dropbox.mu.Lock()
	defer r.dropbox.mu.Unlock()
	return r.dropbox.put(odbxfs.DropboxNode{Node: 7, Kind: odbxfs.File, Path: path}, []byte(text))
}

// Bytes that are not those of the rev that was planned on are not written.
func TestAFileThatChangedSinceItWasPlannedIsNotFetched(t *testing.T) {
	r, x := ledgerRig(t)
	seen := r.dropboxFile(dir1+"/a.pdf", "bytes")
	r.dropbox.personWrites(dir1+"/a.pdf", []byte("others"))
	o, _, p := pairing()
	w := work{Task: odbxfs.Task{Kind: odbxfs.TaskOdooUpdate, Node: 7, Pair: &p}, o: &o, d: &seen, p: &p}
	if _, _, err := x.odooOp(context.Background(), w); err == nil {
		t.Error("it was fetched")
	} else if v := fail(w, toDropbox, err); v.end != endReplan {
		t.Errorf("verdict %+v", v)
	}
}

// What a look into Dropbox can't find is said, not written as empty.
func TestAMissingFileIsNoEmptyOne(t *testing.T) {
	_, x := ledgerRig(t)
	o, _, p := pairing()
	w := work{Task: odbxfs.Task{Kind: odbxfs.TaskOdooRestore, Node: 7, Name: "a.pdf", Pair: &p}, o: &o, p: &p}
	if _, _, err := x.odooOp(context.Background(), w); !odbxfs.IsKind(err, odbxfs.KindUnsupported) || !strings.Contains(err.Error(), "a.pdf") {
		t.Errorf("got %v", err)
	} else if v := fail(w, toDropbox, err); v.end != endRetry || fateOf(odbxfs.KindUnsupported, 0) != fatePark {
		t.Errorf("it is not parked: %+v", v)
	}
}

func TestEachPolicyHasItsAddress(t *testing.T) {
	r, x := ledgerRig(t)
	file := r.dropboxFile(dir1+"/a b.pdf", "bytes")
	for policy, want := range map[odbxfs.LinkPolicy]string{
		odbxfs.LinkPublic: "https://www.dropbox.com/scl/fi/", odbxfs.LinkTeamOnly: "https://www.dropbox.com/scl/fi/",
		odbxfs.LinkNone: "https://www.dropbox.com/home/Odoo/Sales%20Orders/S00001/a%20b.pdf",
	} {
		x.cfg.Links = policy
		if url, err := x.link(context.Background(), file); err != nil || !strings.HasPrefix(url, want) {
			t.Errorf("%s: %q, %v", policy, url, err)
		}
	}
	if n := r.dropbox.calls["link"]; n != 2 {
		t.Errorf("%d links were made", n)
	}
	x.home, x.cfg.Links = "/Jane Doe", odbxfs.LinkNone
	if url, err := x.link(context.Background(), file); err != nil || !strings.HasPrefix(url, "https://www.dropbox.com/home/Jane%20Doe/Odoo/") {
		t.Errorf("in a team's space: %q, %v", url, err)
	}
}

// Odoo's answers, as verdicts.
func TestWhatOdoosAnswerMeans(t *testing.T) {
	_, x := ledgerRig(t)
	o, d, p := pairing()
	bad := &odbxfs.Error{Kind: odbxfs.KindInvalid}
	for _, c := range []struct {
		what   string
		res    odbxfs.OdooResult
		end    end
		soon   bool
		gone   bool
		noPair bool
	}{
		{"done", odbxfs.OdooResult{Outcome: odbxfs.Done, Node: &o}, endDone, false, false, false},
		{"kept for good", odbxfs.OdooResult{Outcome: odbxfs.Retained, Reason: "a picture"}, endDone, false, false, false},
		{"kept for now", odbxfs.OdooResult{Outcome: odbxfs.Retained, Reason: "an unsent mail", Soon: true}, endRetry, true, false, true},
		{"changed", odbxfs.OdooResult{Outcome: odbxfs.Changed, Node: &o}, endReplan, false, false, true},
		{"gone", odbxfs.OdooResult{Outcome: odbxfs.Gone}, endReplan, false, true, true},
		{"refused", odbxfs.OdooResult{Outcome: odbxfs.Refused, Err: bad}, endRetry, false, false, true},
		{"refused for what may never change", odbxfs.OdooResult{Outcome: odbxfs.Refused, Err: &odbxfs.Error{Kind: odbxfs.KindMissing}}, endRetry, false, false, true},
		{"failed", odbxfs.OdooResult{Outcome: odbxfs.Failed, Err: &odbxfs.Error{Kind: odbxfs.KindUnavailable}}, endWait, false, false, true},
	} {
		w := work{Task: odbxfs.Task{Kind: odbxfs.TaskOdooConvert, Node: 7, Pair: &p}, o: &o, d: &d, p: &p}
		v := x.judgeOdoo(w, odbxfs.OdooOp{Kind: odbxfs.OdooConvert, Pair: &p, URL: "https://x"}, c.res)
		if v.end != c.end || v.soon != c.soon || v.gone != c.gone || (v.pNow == nil) != c.noPair {
			t.Errorf("%s: %+v", c.what, v)
		}
		if c.res.Reason == "a picture" && v.pNow.Retained != "a picture" {
			t.Errorf("the pair tells %q", v.pNow.Retained)
		}
	}
}
