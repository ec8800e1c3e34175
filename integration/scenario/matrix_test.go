package scenario

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A scenario is one promise.
type scenario struct {
	name string
	run  func(t *testing.T, w *World)
	// alone says that it needs a world of its own.
	alone bool
	stage stage
	// always lists the columns with a real server in which it runs in every
	// matrix, nil for all: what stops and starts servers, waits, or has files by
	// the thousand, is left to the whole matrix in the others.
	always []string
}

// A stage is the state of the column's world in which a scenario begins.
type stage uint8

const (
	running   stage = iota // set up, the column's processes at work
	stopped                // set up, no process at work: it starts and ends them itself
	untouched              // before setup, no process at work
	fresh                  // as stopped, and before there are documents by the thousand
)

// scenarios in their order; those of one stage follow each other on one world.
func scenarios() []scenario {
	return slices.Concat(untouchedOdoo, toOdoo, fromDropbox, fromOdoo, inTheMount, failures)
}

// whole says that every cell is wanted. A column with a real server takes some
// minutes; so `make test` has each version and each wiring once.
func whole() bool { return soak() || os.Getenv("MATRIX") == "whole" }

// columns are those of the matrix, the slowest first: they run side by side.
func columns() []column {
	if !whole() {
		return []column{{"19", "run"}, {"14", "apart"}, {"memory", "run"}, {"memory", "apart"}}
	}
	var all []column
	for _, odoo := range []string{"19", "14", "memory"} {
		for _, wiring := range []string{"run", "apart"} {
			all = append(all, column{odoo, wiring})
		}
	}
	return all
}

// has says that the scenario runs in the column now.
func (c column) has(s scenario) bool {
	return whole() || c.odoo == "memory" || s.always == nil || slices.Contains(s.always, c.String())
}

// cells collects what became of each scenario in each column.
type cells struct {
	mu  sync.Mutex
	got map[string]string // "scenario column" -> seconds, or FAILED
}

func (c *cells) put(s scenario, col column, how string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got[s.name+" "+col.String()] = how
}

// has reports whether the scenario was run in any column.
func (c *cells) has(s scenario) bool {
	return slices.ContainsFunc(columns(), func(col column) bool { return c.got[s.name+" "+col.String()] != "" })
}

// TestMatrix runs every scenario in every column, and ends with the matrix.
func TestMatrix(t *testing.T) {
	c := &cells{got: map[string]string{}}
	t.Cleanup(func() { c.report(t) })
	for _, col := range columns() {
		t.Run(col.String(), func(t *testing.T) {
			t.Parallel()
			w := newServers(t, col)
			c.stage(t, untouched, w)
			w.setup(t)
			c.stage(t, fresh, w)
			c.stage(t, running, w)
			w.down(t)
			c.stage(t, stopped, w)
			for _, s := range scenarios() {
				if s.alone && col.has(s) {
					t.Run(s.name, func(t *testing.T) { c.runIn(t, s, newWorld(t, col)) })
				}
			}
		})
	}
}

// stage runs the scenarios of one stage on the column's world.
func (c *cells) stage(t *testing.T, at stage, w *World) {
	t.Helper()
	for _, s := range scenarios() {
		if s.alone || s.stage != at || !w.has(s) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			if at == running && len(w.procs) == 0 {
				w.up(t)
			}
			if at != running {
				defer w.down(t)
			}
			c.runIn(t, s, w)
		})
	}
}

func (c *cells) runIn(t *testing.T, s scenario, w *World) {
	t.Helper()
	start := time.Now()
	w.begins(start)
	defer func() {
		if t.Failed() {
			w.explain(t)
		}
		how := fmt.Sprintf("%.1f s", time.Since(start).Seconds())
		if t.Failed() {
			how = "FAILED"
		}
		c.put(s, w.column, how)
	}()
	s.run(t, w)
}

// report prints the matrix; a cell that nothing was put into fails.
func (c *cells) report(t *testing.T) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%-66s", "scenario")
	for _, col := range columns() {
		fmt.Fprintf(&b, " %-13s", col)
	}
	some := flag.Lookup("test.run").Value.String() != "" // of the scenarios were asked for
	for _, s := range scenarios() {
		if some && !c.has(s) {
			continue
		}
		fmt.Fprintf(&b, "\n%-66s", s.name)
		for _, col := range columns() {
			how := c.got[s.name+" "+col.String()]
			if how == "" {
				how = "EMPTY"
			}
			if how == "EMPTY" && !col.has(s) {
				how = "whole"
			}
			if how == "EMPTY" && !some {
				t.Errorf("nothing was shown for %q in %s", s.name, col)
			}
			fmt.Fprintf(&b, " %-13s", how)
		}
	}
	tell(t.Output(), "the matrix", b.String())
	// go test drops what a passing test says: whoever wants it names a file.
	if path := os.Getenv("MATRIX_FILE"); path != "" {
		if err := os.WriteFile(path, []byte(b.String()+"\n"), 0o600); err != nil {
			t.Errorf("leave the matrix: %v", err)
		}
	}
}
