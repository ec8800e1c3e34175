package faults

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func soak() bool { return os.Getenv("ODBXFS_SOAK") != "" }

// whole says that every case is wanted, with a hundred files.
func whole() bool { return soak() || os.Getenv("FAULTS") == "whole" }

// TestFaults runs the table.
func TestFaults(t *testing.T) {
	n := 100
	if soak() {
		n = 1000
	}
	for _, f := range faults() {
		if !f.ci && !whole() {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f.run(t, n) })
		})
	}
}

// run lets n files go both ways while the fault strikes.
func (f fault) run(t *testing.T, n int) {
	w := newWorld(t, f.account, f.convert)
	defer w.close()
	w.start()
	fromOdoo, fromBox := w.before(n)
	start, asked := time.Now(), w.asked()
	w.box.Inject(f.calls...)
	if f.strike != nil {
		f.strike(w)
	}
	w.during(n, f, fromOdoo, fromBox)
	if f.mend != nil {
		time.Sleep(f.after)
		f.mend(w)
	}
	if err := w.rest(2 * time.Hour); err != nil {
		t.Fatalf("after %s: %v", time.Since(start), err)
	}
	took, requests := time.Since(start), float64(w.asked()-asked)/float64(n)
	t.Logf("%s, %.2f requests a file, %d met the fault", took, requests, w.hits())
	if len(f.calls) > 0 && w.hits() == 0 {
		t.Error("nothing met the fault")
	}
	if most := max(f.most, usual); requests > most {
		t.Errorf("%.2f requests for each file, want %.2f at most: %v", requests, most, w.box.Counts())
	}
	w.calm()
}

// calm fails if anything is still written once both sides are as they should be.
func (w *world) calm() {
	w.t.Helper()
	w.box.ClearFaults()
	before := w.writes()
	time.Sleep(10 * time.Minute)
	if err := w.rest(time.Minute); err != nil {
		w.t.Errorf("ten minutes later: %v", err)
	}
	if after := w.writes(); after != before {
		w.t.Errorf("%d writes to Dropbox after all was done: %s", after-before, strings.Join(w.last(12), "\n"))
	}
}
