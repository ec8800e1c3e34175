package dropbox

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"odbxfs"
)

func TestThePaceGrowsSlowlyAndHalves(t *testing.T) {
	now := time.Unix(1000, 0)
	p := pace{width: 4}
	for range 8 {
		p = p.next(now, outcome{})
	}
	if p.width < 5.5 || p.width > 6 {
		t.Errorf("after 8 good calls from 4: %.2f", p.width)
	}
	for range 1000 {
		p = p.next(now, outcome{})
	}
	if p.width != widthMost {
		t.Errorf("it grows to %.2f, not to %d", p.width, widthMost)
	}
	p = p.next(now, outcome{limited: true, wait: 15 * time.Second})
	if p.width != widthMost/2 || p.wait(now) != 15*time.Second {
		t.Errorf("after a limit: %.2f, wait %s", p.width, p.wait(now))
	}
	for range 5 { // those that were under way
		p = p.next(now.Add(time.Second), outcome{limited: true, wait: time.Second})
	}
	if p.width != widthMost/2 || p.wait(now) != 15*time.Second {
		t.Errorf("calls that met the same limit count again: %.2f, wait %s", p.width, p.wait(now))
	}
	later := now.Add(15 * time.Second)
	if p.wait(later) != 0 || p.wait(later.Add(-time.Second)) != time.Second {
		t.Error("the wait is not kept to the second")
	}
	for range 20 {
		later = later.Add(time.Minute)
		p = p.next(later, outcome{failed: true})
	}
	if p.width != 1 {
		t.Errorf("at least one goes on, not %.2f", p.width)
	}
}

func TestWhichCallsTakeTheNamespacesLock(t *testing.T) {
	for route, want := range map[string]bool{
		"files/upload": true, "files/upload_session/finish": true, "files/upload_session/finish_batch_v2": true,
		"files/move_batch_v2": true, "files/delete_batch": true, "files/create_folder_v2": true, "files/copy_v2": true,
		"files/move_batch/check_v2": false, "files/delete_batch/check": false, "files/upload_session/append_v2": false,
		"files/upload_session/start": false, "files/list_folder": false, "files/download": false, "sharing/create_shared_link_with_settings": false,
	} {
		if commits(route) != want {
			t.Errorf("%s: %v", route, !want)
		}
	}
}

// limitedBy is the error of a 429 with a wait.
func limitedBy(tag string, wait time.Duration) error {
	return &odbxfs.Error{Kind: odbxfs.KindRateLimited, RetryAfter: wait, Err: &apiError{status: http.StatusTooManyRequests, tags: []string{tag}}}
}

func TestALimitStopsWhatItIsOf(t *testing.T) {
	now := time.Unix(1000, 0)
	clock := func() time.Time { return now }
	var shared Limits
	one, two, other := newLimits(clock), newLimits(clock), newLimits(clock)
	for l, of := range map[*limits]limitsOf{one: shared.of("dbid:a", "1"), two: shared.of("dbid:a", "1"), other: shared.of("dbid:b", "2")} {
		l.cur.Store(&of)
	}
	waits := func(l *limits, route string) time.Duration {
		err := l.admit(route)
		if err == nil {
			return 0
		}
		e := asError(err)
		if e == nil || e.Kind != odbxfs.KindRateLimited {
			t.Fatalf("got %v", err)
		}
		return e.RetryAfter
	}
	one.note("files/upload", limitedBy("too_many_write_operations", 3*time.Second))
	if waits(two, "files/move_v2") != 3*time.Second || waits(two, "files/list_folder") != 0 || waits(other, "files/upload") != 0 {
		t.Error("the lock of a namespace stops its writes, of every client, and nothing else")
	}
	one.note("files/list_folder", limitedBy("too_many_requests", 15*time.Second))
	if waits(two, "files/list_folder") != 15*time.Second || waits(two, "files/upload") != 15*time.Second || waits(other, "files/list_folder") != 0 {
		t.Error("too many requests stop all of the account, and no other account")
	}
	now = now.Add(14 * time.Second)
	if waits(one, "files/list_folder") != time.Second {
		t.Error("the wait does not get shorter")
	}
	now = now.Add(time.Second)
	if waits(one, "files/upload") != 0 {
		t.Error("the wait does not end")
	}
	one.note("files/upload", context.Canceled)
	if waits(one, "files/upload") != 0 {
		t.Error("a cancelled call says nothing about the server")
	}
}

func TestTransfersAreAsManyAsThePaceAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(time.Now)
		release := make(chan struct{})
		running := make(chan int, 100)
		done := make(chan error, 100)
		for range 10 {
			go func() {
				done <- l.transfer(t.Context(), func() error { running <- 1; <-release; return nil })
			}()
		}
		synctest.Wait()
		if most := len(running); most != widthStart {
			t.Errorf("%d at a time, want %d", most, widthStart)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { done <- l.transfer(ctx, func() error { return nil }) }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("who waits can be cancelled: %v", err)
		}
		close(release)
		for range 10 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}
