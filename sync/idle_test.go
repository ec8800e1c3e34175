package sync

import (
	"testing"
	"time"
)

func TestAnIdleMinuteLooksSixTimes(t *testing.T) {
	r := newRig(t, 1, func(o *Options) { o.Interval = 10 * time.Second })
	r.settle()
	looks, leases := r.odoo.calls["changes"], r.odoo.calls["lease"]
	for end := r.clock.Add(time.Minute); ; {
		for r.run() {
		}
		at := r.engine.Wake()
		if at.IsZero() || at.After(end) {
			break
		}
		if at.After(r.clock) {
			r.clock = at
		}
		r.step(Event{})
	}
	if n := r.odoo.calls["changes"] - looks; n < 5 || n > 7 {
		t.Errorf("%d looks in an idle minute, want about one each 10 s", n)
	}
	if n := r.odoo.calls["lease"] - leases; n < 2 || n > 4 {
		t.Errorf("%d renewals of the lease in a minute, want about one each 20 s", n)
	}
}
