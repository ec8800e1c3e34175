package ports

import (
	"testing"
	"time"

	"odbxfs"
	"odbxfs/odoo"
)

func pairVersions(b *bench) {
	t := b.t
	n := b.put(t, b.user, b.partner(t, "Paired"), "p.txt", []byte("p"))
	p := pairFor(b, n, "id:versions")
	settle := func(p odbxfs.Pair) odbxfs.OdooOp {
		return odbxfs.OdooOp{Kind: odbxfs.OdooSettlePair, Ref: p.Odoo, Pair: &p}
	}
	first := b.apply(t, b.engine, odbxfs.Done, settle(p)).Pair
	if again := b.apply(t, b.engine, odbxfs.Done, settle(p)).Pair; *again != *first || first.Version != 1 || first.Row == 0 {
		t.Errorf("%+v, then %+v", first, again)
	}
	other := p
	other.Rev = "other"
	b.apply(t, b.engine, odbxfs.Changed, settle(other)) // a second pair of one document
	next := *first
	next.Rev = "2"
	second := b.apply(t, b.engine, odbxfs.Done, settle(next)).Pair
	if again := b.apply(t, b.engine, odbxfs.Done, settle(next)).Pair; *again != *second || second.Version != 2 {
		t.Errorf("%+v, then %+v", second, again)
	}
	stale := *first
	stale.Rev = "3"
	b.apply(t, b.engine, odbxfs.Changed, settle(stale))
	all := b.allPairs(t)
	if got := all[second.Row]; got != *second {
		t.Errorf("listed %+v, want %+v", got, *second)
	}
}

// allPairs reads the client's pairs in small pages.
func (b *bench) allPairs(t *testing.T) map[int64]odbxfs.Pair {
	t.Helper()
	all := map[int64]odbxfs.Pair{}
	for after := int64(0); ; {
		page, err := b.engine.Pairs(b.ctx, b.client, after, 2)
		b.must(t, err)
		for _, p := range page {
			if p.Row <= after {
				t.Fatalf("row %d after %d", p.Row, after)
			}
			after = p.Row
			all[p.Row] = p
		}
		if len(page) < 2 {
			return all
		}
	}
}

func tombstones(b *bench) {
	t := b.t
	n := b.put(t, b.user, b.partner(t, "Grave"), "g.txt", []byte("g"))
	p := pairFor(b, n, "id:grave")
	p = *b.apply(t, b.engine, odbxfs.Done, odbxfs.OdooOp{Kind: odbxfs.OdooSettlePair, Ref: n.Ref, Pair: &p}).Pair
	dead := p
	dead.Gone = true
	op := remove(n)
	op.Pair = &dead
	res := b.apply(t, b.engine, odbxfs.Done, op)
	if res.Pair == nil || !res.Pair.Gone {
		t.Errorf("pair %+v", res.Pair)
	}
	if again := b.apply(t, b.engine, odbxfs.Gone, op); again.Pair == nil || *again.Pair != *res.Pair {
		t.Errorf("the repeated one: %+v", again.Pair)
	}
	if !b.allPairs(t)[p.Row].Gone {
		t.Error("the tombstone is not listed")
	}
}

func leases(b *bench) {
	t := b.t
	id, err := b.admin.Create(b.ctx, "x_odbxfs_client", map[string]any{"x_name": "Leased", "x_root": "/L", "x_links": "none"})
	b.must(t, err)
	defer func() { b.must(t, b.admin.Unlink(b.ctx, "x_odbxfs_client", []int64{id})) }()
	client := odbxfs.ClientID(id)
	other := odoo.NewEngine(b.connect(t, technical))
	one, until, err := b.engine.Lease(b.ctx, client, "one", time.Minute)
	b.must(t, err)
	if left := time.Until(until); left <= 0 || left > time.Minute {
		t.Errorf("lasts %s", left)
	}
	again, _, err := b.engine.Lease(b.ctx, client, "one", 2*time.Second)
	b.must(t, err)
	if again != one {
		t.Errorf("renewed under epoch %d, had %d", again, one)
	}
	_, _, err = other.Lease(b.ctx, client, "two", time.Minute)
	wantKind(t, err, odbxfs.KindAccess)
	var two int64
	WaitFor(t, "the lease lapses", func() bool {
		two, _, err = other.Lease(b.ctx, client, "two", time.Minute)
		return err == nil
	})
	if two <= one {
		t.Errorf("taken over under epoch %d, was %d", two, one)
	}
	pair := odbxfs.Pair{Client: client, Kind: odbxfs.Folder, Odoo: odbxfs.RootRef(), Dropbox: "id:l"}
	op := odbxfs.OdooOp{Kind: odbxfs.OdooSettlePair, Pair: &pair}
	_, err = b.engine.Apply(b.ctx, []odbxfs.OdooOp{op})
	wantKind(t, err, odbxfs.KindAccess)
	b.apply(t, other, odbxfs.Done, op)
	b.must(t, other.Release(b.ctx, client, "two"))
	wantKind(t, b.apply(t, other, odbxfs.Refused, op).Err, odbxfs.KindAccess)
	_, _, err = b.engine.Lease(b.ctx, client, "one", time.Minute)
	b.must(t, err)
}

func logLines(b *bench) {
	t := b.t
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	task, noTask := b.own("task-1"), b.own("no task")
	line := odbxfs.LogLine{Time: at, Client: b.client, Pass: odbxfs.Direct, Task: task, State: "planned", What: "dropbox-upload", Item: "Contacts/X/a.txt", Ref: odbxfs.AttachmentRef(7), Why: "new in Odoo"}
	closed := line
	closed.Time, closed.State, closed.ID = at.Add(time.Minute), "done", "id:x"
	note := odbxfs.LogLine{Time: at, State: "note", Item: noTask}
	b.must(t, b.engine.Log(b.ctx, []odbxfs.LogLine{line, note}))
	b.must(t, b.engine.Log(b.ctx, []odbxfs.LogLine{closed, note}))
	if n := b.count(t, "x_odbxfs_log", Where{"x_task": task}); n != 1 {
		t.Errorf("%d lines of one task", n)
	}
	want := map[string]any{"x_state": "done", "x_pass": "direct", "x_time": closed.Time, "x_dropbox": "id:x", "x_ref": "att:7", "x_name": "Contacts/X/a.txt"}
	row := b.row(t, "x_odbxfs_log", b.id(t, "x_odbxfs_log", Where{"x_task": task}))
	for field, v := range want {
		if row[field] != v {
			t.Errorf("%s is %v, want %v", field, row[field], v)
		}
	}
	if n := b.count(t, "x_odbxfs_log", Where{"x_name": noTask}); n != 2 {
		t.Errorf("%d notes, want 2", n)
	}
	b.must(t, b.engine.Log(b.ctx, []odbxfs.LogLine{{Time: at, Task: task, State: "dropped"}, {Time: at, Task: "never there", State: "dropped"}}))
	if n := b.count(t, "x_odbxfs_log", Where{"x_task": task}); n != 0 {
		t.Errorf("%d lines of a task that was none", n)
	}
}

func clientState(b *bench) {
	t := b.t
	b.must(t, b.engine.SetClientState(b.ctx, b.client, "working", "all well"))
	if r := b.row(t, "x_odbxfs_client", int64(b.client)); r["x_state"] != "working" || r["x_message"] != "all well" {
		t.Errorf("%v", r)
	}
	wantKind(t, b.engine.SetClientState(b.ctx, 99_999, "x", ""), odbxfs.KindMissing)
}
