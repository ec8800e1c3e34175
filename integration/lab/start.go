package lab

import (
	"context"
	"io"
	"strings"
	"time"
)

// TB is what Start needs of *testing.T, so that this package does not link
// package testing.
type TB interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// buildLimit bounds a Start that has to build first. Bare takes 3 minutes on 2
// cores with a near mirror.
const buildLimit = 20 * time.Minute

// closeLimit bounds the end of a server.
const closeLimit = time.Minute

// Start gives a test a real Odoo server of its own, version 14 or 19, with demo
// data. It ends with the test. The test fails, and never skips, when the lab
// cannot be had. Call it from the test's own goroutine; [Open] can be called from
// any. When the test failed, the end of Odoo's log is in its output.
func Start(tb TB, version int) *Server {
	tb.Helper()
	return StartWith(tb, Options{Version: version})
}

// StartWith is Start with options.
func StartWith(tb TB, o Options) *Server {
	tb.Helper()
	if o.Name == "" {
		o.Name = tb.Name()
	}
	if o.Progress == nil {
		o.Progress = tbWriter{tb}
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildLimit)
	defer cancel()
	s, err := Open(ctx, o)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	tb.Cleanup(func() {
		if f, ok := tb.(interface{ Failed() bool }); ok && f.Failed() {
			tb.Logf("the end of the log of Odoo %d:\n%s", s.Version, tail(s.LogPath(), 20))
		}
		ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			tb.Fatalf("%v", err)
		}
	})
	return s
}

// tbWriter passes progress lines on to a test's log.
type tbWriter struct{ tb TB }

var _ io.Writer = tbWriter{}

// Write implements io.Writer, a line a call.
func (w tbWriter) Write(b []byte) (int, error) {
	w.tb.Logf("%s", strings.TrimRight(string(b), "\n"))
	return len(b), nil
}
