package odoo

import (
	"context"
	"errors"
	"time"
)

// watch ends a transfer in which nothing moved for a while: a bound on the
// whole would end slow but living ones.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	pause  time.Duration
	timer  *time.Timer
}

var errStalled = errors.New("the server stopped sending")

func newWatch(ctx context.Context, pause time.Duration) *watch {
	ctx, cancel := context.WithCancelCause(ctx)
	return &watch{ctx: ctx, cancel: cancel, pause: pause, timer: time.AfterFunc(pause, func() { cancel(errStalled) })}
}

// alive starts the pause anew.
func (w *watch) alive() { w.timer.Reset(w.pause) }

// stop ends the watch and what still runs under it.
func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// cause gives why the transfer ended, where that was the watch.
func (w *watch) cause(err error) error {
	if errors.Is(context.Cause(w.ctx), errStalled) {
		return errStalled
	}
	return err
}
