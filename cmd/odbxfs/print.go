package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"odbxfs"
	"odbxfs/cmd/odbxfs/daemon"
	"odbxfs/sync"
)

// shown is how many items of a list are printed; the JSON form has all.
const shown = 20

// printStatus writes a state for a person who reads it at now. That of a daemon
// that runs no more is told as past, with its age.
func printStatus(w io.Writer, s sync.Status, now time.Time) {
	var b strings.Builder
	odoo := "Odoo answers"
	switch {
	case s.Past:
		odoo = "no daemon runs on this store"
	case s.Time.IsZero():
		odoo = "no daemon ever ran on this store"
	case s.OdooSilent:
		odoo = "Odoo has not answered yet"
	case !s.OdooOK:
		odoo = "Odoo does not answer"
	}
	fmt.Fprintf(&b, "%s; %d tasks and %d changes of the mount are under way\n", odoo, s.Queued, s.Intents)
	if s.Dirty > 0 && !s.Time.IsZero() {
		fmt.Fprintf(&b, "changed, and yet to be compared: %d\n", s.Dirty)
	}
	if s.Past {
		answered := "Odoo answered"
		if !s.OdooOK {
			answered = "Odoo did not answer"
		}
		fmt.Fprintf(&b, "the last one, %s ago (%s): %s\n", age(now.Sub(s.Time)), s.Time.Local().Format("2006-01-02 15:04:05"), answered)
	}
	for _, c := range s.Clients {
		fmt.Fprintf(&b, "cloud client %s: %s\n", c.Name, stateOf(c))
		switch c.Kind { //nolint:exhaustive // the others say all in their message
		case odbxfs.KindCredentials:
			fmt.Fprintf(&b, "  sign in anew: odbxfs login dropbox --client %q\n", c.Name)
		case odbxfs.KindSettings:
			fmt.Fprintf(&b, "  mend its section of the config; where no login is kept yet: odbxfs login dropbox --client %q\n", c.Name)
		}
	}
	for _, line := range s.Waiting {
		fmt.Fprintf(&b, "waiting: %s\n", printable(line))
	}
	printItems(&b, "held, waits for `odbxfs approve` or `odbxfs restore`", s.Held)
	printItems(&b, "could not be opened", s.Refused)
	printItems(&b, "parked, see why and then `odbxfs retry`", s.Parked)
	// A closed pipe is the reader's choice.
	_, _ = io.WriteString(w, b.String())
}

// stateOf is a client's state and what there is to say about it.
func stateOf(c sync.ClientStatus) string {
	state := c.State
	if state == "" {
		state = "starting"
	}
	if c.Message != "" {
		state += ": " + printable(c.Message)
	}
	return state
}

// age tells a time in one unit, as a person would.
func age(d time.Duration) string {
	for _, unit := range []struct {
		is   time.Duration
		name string
	}{{24 * time.Hour, "days"}, {time.Hour, "hours"}, {time.Minute, "minutes"}} {
		if d >= 2*unit.is {
			return fmt.Sprintf("%d %s", d/unit.is, unit.name)
		}
	}
	return fmt.Sprintf("%d seconds", max(d, 0)/time.Second)
}

func printItems(b *strings.Builder, title string, items []sync.Item) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, "%d %s:\n", len(items), title)
	for _, it := range items[:min(len(items), shown)] {
		fmt.Fprintf(b, "  %s  %s", it.What, printable(it.Path))
		if it.Reason != "" {
			fmt.Fprintf(b, ": %s", printable(it.Reason))
		}
		b.WriteByte('\n')
	}
	if rest := len(items) - shown; rest > 0 {
		fmt.Fprintf(b, "  and %d more (status --json has all)\n", rest)
	}
}

// printable takes terminal escapes and other control characters out of names
// that come from elsewhere.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '�'
		}
		return r
	}, s)
}

// printPlanned shows what a dry run would do, a line a task, then how many of
// each kind.
func (a *app) printPlanned(tasks []daemon.PlannedTask) error {
	var b strings.Builder
	counts := map[string]int{}
	for _, t := range tasks {
		counts[t.What]++
		fmt.Fprintf(&b, "%-15s %s: %s\n", t.What, printable(t.Path), t.Why)
	}
	fmt.Fprintf(&b, "%d tasks would be done", len(tasks))
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, ", %d %s", counts[what], what)
	}
	_, err := fmt.Fprintln(a.stdout, b.String())
	return err
}

func (a *app) printReset(r sync.ResetReport) error {
	fmt.Fprintf(a.stdout, "%d links are binary attachments in Odoo again\n", r.Restored)
	if r.Removed > 0 {
		fmt.Fprintf(a.stdout, "%d files and folders went to Dropbox's trash\n", r.Removed)
	}
	if r.Remote > 0 {
		fmt.Fprintf(a.stdout, "%d files and folders stay in Dropbox\n", r.Remote)
	}
	if r.Revoked > 0 {
		fmt.Fprintf(a.stdout, "%d shared links were revoked\n", r.Revoked)
	}
	if r.Shared > 0 {
		fmt.Fprintf(a.stdout, "%d shared links stay: documents outside of the folders lead there\n", r.Shared)
	}
	fmt.Fprintln(a.stdout, "the cloud client is paused: take the pause away on its form in Odoo to mirror it anew")
	var b strings.Builder
	printItems(&b, "could not be brought back", r.Parked)
	fmt.Fprint(a.stdout, b.String())
	if r.Links > 0 || len(r.Parked) > 0 {
		return personError{fmt.Errorf("%d links are left", r.Links)}
	}
	return nil
}

// printJSON is what --json asks for.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
