package scenario

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// told is what the present scenario can tell of itself when it fails.
type told struct {
	said      map[string]*buffer // what the processes of each command said so far
	from      map[string]int     // where the present scenario begins in it
	since     time.Time          // the scenario's begin
	explained bool               // once is enough
}

// begins says that another scenario begins on the world.
func (d *told) begins(at time.Time) {
	d.since, d.explained, d.from = at, false, map[string]int{}
	for name, b := range d.said {
		d.from[name] = len(b.String())
	}
}

// explain prints, after the failure's own lines, what may tell why: briefly,
// because CI shows the end of its output alone. The lines carry no place in the
// source, so that the digest of integration/test.sh takes failures only.
func (w *World) explain(t *testing.T) {
	t.Helper()
	if w.explained {
		return
	}
	w.explained = true
	out := t.Output()
	for _, name := range slices.Sorted(maps.Keys(w.said)) {
		tell(out, name+" said", worthReading(w.said[name].String()[w.from[name]:], 25))
		if w.procs[name] != nil {
			status, _ := w.odbxfs(t, "status", "--of", name)
			tell(out, "status of "+name, clipLines(status, "", 15))
		}
	}
	var asked []string
	for _, r := range w.box.Requests() {
		if r.Time.After(w.since) && !strings.Contains(r.Route, "longpoll") {
			asked = append(asked, fmt.Sprintf("%s %s %s %d %s %s", r.Time.Format("15:04:05.000"), r.Route, r.Item, r.Status, r.Fault, r.Note))
		}
	}
	tell(out, "Dropbox was asked", lastLines(strings.Join(asked, "\n"), 15))
	tell(out, "the sync log", w.syncLog(t, 10))
}

// tell prints a heading and a text, no line of which is long.
func tell(out io.Writer, heading, text string) {
	lines := strings.Split(cmp.Or(strings.TrimSpace(text), "(nothing)"), "\n")
	for i, l := range lines {
		if len(l) > 400 {
			lines[i] = l[:400] + "..."
		}
	}
	_, _ = fmt.Fprintf(out, "-- %s:\n%s\n", heading, strings.Join(lines, "\n")) // the test's own output does not fail
}

// worthReading gives at most n lines of a process's output: those of a panic,
// else the last warnings and errors.
func worthReading(said string, n int) string {
	for _, end := range []string{"\npanic: ", "\nfatal error: "} {
		if strings.Contains(said, end) {
			return clipLines(said, end, n)
		}
	}
	lines := slices.DeleteFunc(strings.Split(said, "\n"), func(l string) bool {
		return strings.Contains(l, "level=DEBUG") || strings.Contains(l, "level=INFO")
	})
	return lastLines(strings.Join(lines, "\n"), n)
}

// syncLog gives the last n lines of the sync log as Odoo has it.
func (w *World) syncLog(t *testing.T, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	var rows []map[string]any
	fields := []string{"x_what", "x_name", "x_ref", "x_why", "x_state", "x_error"}
	err := w.odoo.call(ctx, "x_odbxfs_log", "search_read", []any{[]any{}, fields}, map[string]any{"order": "id desc", "limit": n}, &rows)
	if err != nil {
		return "not to be had: " + err.Error()
	}
	var b strings.Builder
	for _, r := range slices.Backward(rows) {
		for _, f := range fields {
			fmt.Fprintf(&b, "%v | ", r[f])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// clipLines gives at most n lines from the one that has the mark on.
func clipLines(s, mark string, n int) string {
	lines := strings.Split(s[max(0, strings.Index(s, mark)):], "\n")
	return strings.Join(lines[:min(n, len(lines))], "\n")
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
