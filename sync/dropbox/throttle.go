package dropbox

import (
	"context"
	"io"
	gosync "sync"
	"time"
)

// throttleStep is the most that one read takes under a limit, so that a low
// limit is met in small steps and not in bursts.
const throttleStep = 16 << 10

// throttle holds the bytes of one direction to a limit, which may change at any
// time. All readers share it.
type throttle struct {
	limit func() int64 // bytes a second now; 0 or less: none
	now   func() time.Time
	sleep func(ctx context.Context, d time.Duration) error

	mu   gosync.Mutex // guards next
	next time.Time    // when the bytes taken so far are paid for
}

// reader passes r on at the limit.
func (t *throttle) reader(ctx context.Context, r io.ReadCloser) io.ReadCloser {
	return &throttled{ReadCloser: r, t: t, ctx: ctx}
}

type throttled struct {
	io.ReadCloser
	t   *throttle
	ctx context.Context //nolint:containedctx // a reader has no other way to its request's end
}

// Read implements io.Reader.
func (r *throttled) Read(p []byte) (int, error) {
	limit := r.t.limit()
	if limit <= 0 {
		return r.ReadCloser.Read(p)
	}
	n, err := r.ReadCloser.Read(p[:min(len(p), throttleStep)])
	if wait := r.t.pay(n, limit); wait > 0 {
		if sleepErr := r.t.sleep(r.ctx, wait); sleepErr != nil {
			return n, sleepErr
		}
	}
	return n, err
}

// pay takes n bytes from the limit and says how long to wait for them.
func (t *throttle) pay(n int, limit int64) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if t.next.Before(now) {
		t.next = now
	}
	t.next = t.next.Add(time.Duration(float64(n) / float64(limit) * float64(time.Second)))
	return t.next.Sub(now)
}
