package dropbox

import (
	"context"
	"errors"
	"strings"
	gosync "sync"
	"sync/atomic"
	"time"

	"odbxfs"
)

// Limits is what the servers of Dropbox take at present, by account and by
// namespace. Clients of one process share one, so that two cloud clients on one
// account keep to its limits together. The zero value is ready.
type Limits struct {
	mu         gosync.Mutex
	accounts   map[string]*limiter
	namespaces map[string]*limiter
}

func (l *Limits) of(account, namespace string) limitsOf {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.accounts == nil {
		l.accounts, l.namespaces = map[string]*limiter{}, map[string]*limiter{}
	}
	get := func(m map[string]*limiter, key string) *limiter {
		if m[key] == nil {
			m[key] = newLimiter()
		}
		return m[key]
	}
	return limitsOf{account: get(l.accounts, account), writes: get(l.namespaces, namespace)}
}

// limitsOf are the limits that one client keeps to.
type limitsOf struct {
	account *limiter // of all calls
	writes  *limiter // of those that take the namespace's lock
}

// limits are a client's: its own until its account is known, then the shared.
type limits struct {
	now func() time.Time
	cur atomic.Pointer[limitsOf]
}

func newLimits(now func() time.Time) *limits {
	l := &limits{now: now}
	l.cur.Store(&limitsOf{account: newLimiter(), writes: newLimiter()})
	return l
}

// committing are the routes that take the namespace's write lock.
var committing = []string{"files/upload_session/finish", "files/create_folder", "files/delete", "files/move", "files/copy"}

func commits(route string) bool {
	if route == "files/upload" {
		return true
	}
	if strings.Contains(route, "/check") {
		return false
	}
	for _, prefix := range committing {
		if strings.HasPrefix(route, prefix) {
			return true
		}
	}
	return false
}

// admit gives the error of a call that is not to be sent yet: one that is
// refused counts against the limit too.
func (l *limits) admit(route string) error {
	now, cur := l.now(), l.cur.Load()
	wait := cur.account.wait(now)
	if commits(route) {
		wait = max(wait, cur.writes.wait(now))
	}
	if wait == 0 {
		return nil
	}
	return &odbxfs.Error{Op: route, Kind: odbxfs.KindRateLimited, RetryAfter: wait, Err: errors.New("Dropbox asked to wait before")}
}

// note learns from how a call ended.
func (l *limits) note(route string, err error) {
	now, cur := l.now(), l.cur.Load()
	e := asError(err)
	switch {
	case err == nil:
		cur.account.note(now, outcome{})
	case e == nil: // cancelled: it tells nothing
	case e.Kind == odbxfs.KindRateLimited && (tagged(err, "too_many_write_operations") || commits(route) && !tagged(err, "too_many_requests") && e.RetryAfter <= lockWait):
		cur.writes.note(now, outcome{limited: true, wait: e.RetryAfter})
	case e.Kind == odbxfs.KindRateLimited:
		cur.account.note(now, outcome{limited: true, wait: e.RetryAfter})
	case e.Kind == odbxfs.KindUnavailable:
		cur.account.note(now, outcome{failed: true})
	}
}

// transfer does one transfer of data when there is room for it.
func (l *limits) transfer(ctx context.Context, do func() error) error {
	account := l.cur.Load().account
	if err := account.enter(ctx); err != nil {
		return err
	}
	defer account.leave()
	return do()
}

// limiter is the pace of one account or namespace.
type limiter struct {
	mu    gosync.Mutex // guards the rest
	p     pace
	busy  int
	freed chan struct{} // closed, and made anew, when there may be room
}

func newLimiter() *limiter {
	return &limiter{p: pace{width: widthStart}, freed: make(chan struct{})}
}

func (l *limiter) wait(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.p.wait(now)
}

func (l *limiter) note(now time.Time, o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.p = l.p.next(now, o)
	l.wakeLocked()
}

// enter waits for room among the transfers.
func (l *limiter) enter(ctx context.Context) error {
	for {
		l.mu.Lock()
		if l.busy < int(l.p.width) {
			l.busy++
			l.mu.Unlock()
			return nil
		}
		freed := l.freed
		l.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *limiter) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
	l.wakeLocked()
}

func (l *limiter) wakeLocked() {
	close(l.freed)
	l.freed = make(chan struct{})
}
