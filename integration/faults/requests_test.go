package faults

import (
	"testing"
	"testing/synctest"
	"time"

	"odbxfs"
	"odbxfs/sync/dropbox/dropboxtest"
)

// Small files share their requests, from Odoo's rows to Dropbox's commits: ten
// thousand take at most sixty.
func TestManyFilesTakeFewRequests(t *testing.T) {
	n, most := 2000, 27
	if soak() {
		n, most = 10_000, 60
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dropboxtest.Options{Costs: dropboxtest.MeasuredCosts(1)}, odbxfs.ConvertNone)
		defer w.close()
		w.start()
		if err := w.rest(time.Hour); err != nil {
			t.Fatal(err)
		}
		before, start := w.writes(), time.Now()
		w.createInOdoo(many("S00001", "one of many", n)...)
		if err := w.rest(time.Hour); err != nil {
			t.Fatal(err)
		}
		requests := w.writes() - before
		t.Logf("%d files took %d requests, %s", n, requests, time.Since(start))
		if requests > most {
			t.Errorf("%d requests, want %d at most: %v", requests, most, w.box.Counts())
		}
	})
}
