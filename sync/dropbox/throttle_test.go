package dropbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	gosync "sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func newThrottle(limit *atomic.Int64) *throttle {
	return &throttle{limit: limit.Load, now: time.Now, sleep: func(ctx context.Context, d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
}

func drain(ctx context.Context, th *throttle, n int) error {
	got, err := io.Copy(io.Discard, th.reader(ctx, io.NopCloser(bytes.NewReader(make([]byte, n)))))
	if err == nil && got != int64(n) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func TestBandwidthIsKeptAndCanChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var limit atomic.Int64
		th := newThrottle(&limit)
		took := func(n int) time.Duration {
			start := time.Now()
			if err := drain(t.Context(), th, n); err != nil {
				t.Fatal(err)
			}
			return time.Since(start)
		}
		if d := took(10 << 20); d != 0 {
			t.Errorf("without a limit 10 MiB took %s", d)
		}
		limit.Store(1 << 20)
		if d := took(10 << 20); d != 10*time.Second {
			t.Errorf("10 MiB at 1 MiB/s took %s", d)
		}
		time.Sleep(time.Hour) // what was not used is not saved up
		if d := took(1 << 20); d != time.Second {
			t.Errorf("after an idle hour 1 MiB took %s", d)
		}
		start := time.Now()
		var all gosync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := drain(t.Context(), th, 1<<20); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if d := time.Since(start); d != 4*time.Second {
			t.Errorf("four readers of 1 MiB took %s together", d)
		}
		go func() {
			time.Sleep(5 * time.Second)
			limit.Store(0)
		}()
		if d := took(100 << 20); d < 5*time.Second || d > 6*time.Second {
			t.Errorf("a limit that was lifted after 5 s: %s", d)
		}
	})
}

func TestAThrottledReadEndsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var limit atomic.Int64
		limit.Store(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := drain(ctx, newThrottle(&limit), 1000); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
