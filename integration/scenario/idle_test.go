package scenario

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// flood is how many attachments are put in at once.
const flood = 20000

// idleMinute: with 20,000 attachments put in past Odoo. With ODBXFS_SOAK they
// are binaries, each of which goes to Dropbox and becomes a link, and the
// minute is a whole one; else they are urls of others, and the minute is a
// third of one, with a third of the calls.
func idleMinute(t *testing.T, w *World) {
	w.up(t)
	id, name := w.order(t)
	like := w.seed(t, id)
	window, allowed := 20*time.Second, 20/3
	if soak() {
		window, allowed = time.Minute, 20
	}
	urls := func() int { return w.odoo.count(t, "ir.attachment", "type", "url") }
	before := urls()
	w.odoo.flood(t, like, flood)
	w.up(t)
	start := time.Now()
	w.within(t, 10*time.Minute, "all show in the mount", func() error {
		entries, err := os.ReadDir(w.in("Sales Orders", name))
		if err == nil && len(entries) < flood+1 {
			err = fmt.Errorf("%d entries", len(entries))
		}
		return err
	})
	t.Logf("%d attachments show after %.1f s", flood, time.Since(start).Seconds())
	w.within(t, 40*time.Minute, "all are links", func() error {
		if n := urls() - before; n < flood {
			return fmt.Errorf("%d of %d", n, flood)
		}
		return nil
	})
	w.idle(t)
	must(t, links(w.odoo.documents(t, "sale.order", id), flood+1))
	t.Logf("they are at rest after %.1f s", time.Since(start).Seconds())
	w.down(t)

	w.poll = "" // as often as by default
	w.writeConfig(t)
	w.up(t)
	w.within(t, 5*time.Minute, "a restart comes to rest", func() error { return w.restedFor(t, 12*time.Second) })
	w.box.ForgetRequests()
	calls := w.odoo.calls(t)
	// The promise is about a span of time in which nothing happens: there is
	// nothing to wait for but its end.
	time.Sleep(window)
	idle := w.odoo.calls(t) - calls
	t.Logf("%d Odoo calls in %s", idle, window)
	if idle > allowed || idle == 0 {
		t.Errorf("%d Odoo calls in an idle time of %s, want 1 to %d", idle, window, allowed)
	}
	for route, n := range w.box.Counts() {
		if !strings.HasSuffix(route, "longpoll") {
			t.Errorf("%d requests %s in an idle time", n, route)
		}
	}
	w.oneChange(t, id)
}

// seed is the document that the flood is like.
func (w *World) seed(t *testing.T, id int64) document {
	t.Helper()
	vals := map[string]any{"name": "seed.txt", "res_model": "sale.order", "res_id": id, "type": "url", "url": "https://example.com/seed"}
	if soak() {
		vals = map[string]any{"name": "seed.txt", "res_model": "sale.order", "res_id": id, "datas": "c2VlZA=="}
	}
	w.down(t) // as it is before it becomes a link
	var made int64
	must(t, w.odoo.call(t.Context(), "ir.attachment", "create", []any{vals}, nil, &made))
	docs := w.odoo.documents(t, "sale.order", id)
	if len(docs) != 1 || docs[0].ID != made {
		t.Fatalf("documents %+v, want %d alone", docs, made)
	}
	return docs[0]
}

// restedFor tells whether Odoo's calls come in the rhythm of looks alone: at most
// four in the given time, which it waits for.
func (w *World) restedFor(t *testing.T, span time.Duration) error {
	t.Helper()
	calls := w.odoo.calls(t)
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	<-ctx.Done()
	if n := w.odoo.calls(t) - calls; n > 4 {
		return fmt.Errorf("%d calls in %s", n, span)
	}
	return nil
}

// oneChange: a new attachment goes all its way with at most 20 calls beyond
// those of an idle time.
func (w *World) oneChange(t *testing.T, id int64) {
	t.Helper()
	calls, start := w.odoo.calls(t), time.Now()
	var made int64
	must(t, w.odoo.call(t.Context(), "ir.attachment", "create", []any{map[string]any{"name": "one.txt", "res_model": "sale.order", "res_id": id, "datas": "b25l"}}, nil, &made))
	w.within(t, 3*wait, "it is a link", func() error {
		for _, d := range w.odoo.documents(t, "sale.order", id) {
			if d.ID == made {
				return isLink(d)
			}
		}
		return fmt.Errorf("document %d is gone", made)
	})
	w.idle(t)
	took := time.Since(start)
	idle := int(took.Minutes()*20) + 1
	const ofTheTest = 1
	more := w.odoo.calls(t) - calls - ofTheTest
	t.Logf("one change: %d Odoo calls in %.1f s", more, took.Seconds())
	if more > 20+idle {
		t.Errorf("one change took %d Odoo calls in %s, want at most 20 and %d of the idle time", more, took, idle)
	}
}
