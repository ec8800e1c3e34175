package dropboxtest

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestMeasuredCostsInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		costs := MeasuredCosts(1)
		a := newAccount(t, Options{Costs: costs})
		took := func(do func()) time.Duration {
			start := time.Now()
			do()
			return time.Since(start)
		}
		between := func(what string, got, from, to time.Duration) {
			t.Helper()
			if got < from || got > to {
				t.Errorf("%s took %v, want %v to %v", what, got, from, to)
			}
		}
		// Recorded: 560 to 1200 ms for an upload with its lock, 100 to 130 for a listing.
		between("an upload", took(func() { a.put("/f", "x") }), 560*time.Millisecond, 1200*time.Millisecond)
		between("a listing", took(func() { a.list("") }), 100*time.Millisecond, 131*time.Millisecond)
		mega := strings.Repeat("x", 12_500_000)
		between("a second of the line", took(func() { a.send("files/upload_session/start", "{}", mega) }), 1300*time.Millisecond, 1600*time.Millisecond)
	})
}

func TestTheSameSeedCostsTheSame(t *testing.T) {
	draw := func(seed uint64) (list []time.Duration) {
		costs, m := MeasuredCosts(seed), newMeter()
		for range 20 {
			list = append(list, m.latency(&costs, "files/upload"), m.latency(&costs, "sharing/list_shared_links"))
		}
		return list
	}
	equal(t, "seed 1 again", draw(1), fmt.Sprint(draw(1)))
	if fmt.Sprint(draw(1)) == fmt.Sprint(draw(2)) {
		t.Error("another seed gives the same latencies")
	}
	for _, d := range draw(1) {
		if d < 150*time.Millisecond || d >= 560*time.Millisecond {
			t.Errorf("a latency of %v", d)
		}
	}
}

// Reported: whole batches come back with too_many_write_operations in each
// entry when the namespace is busy; other writes get a 429.
func TestABatchThatMeetsABusyNamespaceSaysItPerEntry(t *testing.T) {
	clock := &fakeClock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	after := func(time.Duration) <-chan time.Time {
		c := make(chan time.Time, 1)
		c <- clock.now
		return c
	}
	a := newAccount(t, Options{Now: clock.Now, After: after, Costs: Costs{Lock: WriteLock{Hold: time.Second, MaxWait: time.Millisecond}}})
	id := a.session(`{"close":true}`, "x")
	a.put("/busy", "x")
	commit := obj{"entries": []obj{{"cursor": cur(id, 1), "commit": obj{"path": "/f"}}}}
	done := a.must(a.rpc("files/upload_session/finish_batch_v2", commit))["entries"].([]any)
	equal(t, "entries", batchTags(done), "failure:too_many_write_operations")
	equal(t, "another write", a.rpc("files/delete_v2", `{"path":"/busy"}`).status, 429)
	clock.now = clock.now.Add(2 * time.Second)
	done = a.must(a.rpc("files/upload_session/finish_batch_v2", commit))["entries"].([]any)
	equal(t, "later", batchTags(done), "success")
}

func TestNamespacesAreLockedApart(t *testing.T) {
	m, now := newMeter(), time.Unix(1000, 0)
	_, first := m.queue("1", now, time.Second, 0)
	_, other := m.queue("2", now, time.Second, 0)
	_, same := m.queue("1", now, time.Second, 0)
	equal(t, "free", fmt.Sprint(first, other, same), "true true false")
}

func TestATokensBudget(t *testing.T) {
	clock := &fakeClock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	a := newAccount(t, Options{Now: clock.Now, Costs: Costs{Rate: 1, Burst: 3, RetryAfter: 15 * time.Second}})
	ask := func() reply { return a.rpc("users/get_current_account", "null") }
	for range 3 {
		equal(t, "within", ask(), "ok")
	}
	r := ask()
	equal(t, "beyond", r.status, 429)
	equal(t, "told in header and body", fmt.Sprint(r.header.Get("Retry-After"), r.json["error"].(obj)["retry_after"]), "1515")
	clock.now = clock.now.Add(15 * time.Second)
	equal(t, "after the wait", ask(), "ok")
	other := *a
	other.tok = a.srv.Token()
	for range 3 {
		ask()
	}
	equal(t, "another token has its own", other.rpc("users/get_current_account", "null"), "ok")
}
