package sync

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/sync/plan"
)

// TestSimulation runs random histories of people on both sides and in the
// mount, with lost calls, lost and doubled answers, rate limits, forgotten
// cursors, a lost store and crashes between any two steps. Afterwards both sides
// agree, no bytes are lost, and another round does nothing. A seed that fails
// replays exactly.
func TestSimulation(t *testing.T) {
	histories := uint64(60)
	if n, err := strconv.ParseUint(os.Getenv("SIM"), 10, 64); err == nil {
		histories = n // make soak asks for more
	}
	for seed := range histories {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			h := newHistory(t, seed)
			h.live(40)
			h.end()
		})
	}
}

// TestASeedReplays: the same seed gives the same trace.
func TestASeedReplays(t *testing.T) {
	var traces [2]string
	for i := range traces {
		h := newHistory(t, 3)
		h.live(25)
		h.end()
		traces[i] = strings.Join(h.trace, "\n")
	}
	if traces[0] != traces[1] {
		t.Fatal("the same seed gave two traces")
	}
}

type history struct {
	*rig
	words   int
	removed map[string]bool        // contents that a person removed or replaced on purpose
	wrote   map[odbxfs.SHA1]string // contents that were ever there
}

func newHistory(t *testing.T, seed uint64) *history {
	t.Helper()
	// Never asked, but deletions rest.
	r := newRig(t, seed, func(o *Options) { o.Guard = plan.GuardPolicy{Most: 1 << 30, Share: 1 << 20} })
	h := &history{rig: r, removed: map[string]bool{}, wrote: map[odbxfs.SHA1]string{}}
	r.calm()
	r.double = func() bool { return h.rnd.IntN(25) == 0 }
	return h
}

// bytes are never the same twice, so that each can be followed.
func (h *history) text() []byte {
	h.words++
	s := fmt.Sprintf("text %d", h.words)
	h.wrote[sha1Of([]byte(s))] = s
	return []byte(s)
}

func (h *history) live(steps int) {
	h.t.Helper()
	for range steps {
		switch k := h.rnd.IntN(30); {
		case k < 9:
			h.odooPerson()
		case k < 18:
			h.dropboxPerson()
		case k < 24:
			h.mountPerson()
		case k < 27:
			h.trouble()
		case k < 28:
			h.note("CRASH")
			h.crash()
		case k < 29:
			h.note("CURSOR FORGOTTEN")
			h.dropbox.resets = true
		default:
			h.forget()
		}
		for range h.rnd.IntN(12) {
			if !h.run() {
				if at := h.engine.Wake(); at.After(h.clock) {
					h.clock = at
				}
				h.step(Event{})
			}
		}
	}
}

func (h *history) note(what string) { h.trace = append(h.trace, what) }

// forget loses the store, unless something of the mount is nowhere else.
func (h *history) forget() {
	s, err := h.engine.Status()
	if err != nil {
		h.t.Fatal(err)
	}
	if s.Intents+len(s.Parked)+len(s.Held) > 0 {
		return
	}
	h.note("STORE LOST")
	h.loseStore()
}

// trouble makes the next calls fail, before or after they are carried out, or
// Dropbox ask for a pause.
func (h *history) trouble() {
	left := 1 + h.rnd.IntN(3)
	kind := h.rnd.IntN(3)
	fail := func(call string) error {
		if left == 0 || kind == 2 && !strings.HasPrefix(call, "dropbox ") {
			return nil
		}
		left--
		h.note("LOST " + call)
		if kind == 2 {
			return &odbxfs.Error{Op: call, Kind: odbxfs.KindRateLimited, RetryAfter: time.Duration(h.rnd.IntN(10)) * time.Second}
		}
		return unavailable(call)
	}
	if kind == 1 {
		h.faults.after, h.faults.before = fail, nil
	} else {
		h.faults.before, h.faults.after = fail, nil
	}
}

func (h *history) did(format string, args ...any) {
	h.note("PERSON " + fmt.Sprintf(format, args...))
	h.step(Event{})
}

// ends notes that a person removes or replaces these bytes.
func (h *history) ends(b []byte) { h.removed[string(b)] = true }

// end comes to rest without faults and judges by the servers' state alone.
func (h *history) end() {
	h.t.Helper()
	h.double = nil
	h.settle()
	h.clock = h.clock.Add(time.Hour)
	h.settle()
	h.sameTrees()
	h.quiet()
	live := map[string]bool{}
	for _, b := range h.dropbox.bytes {
		live[string(b)] = true
	}
	var lost []string
	for _, text := range h.wrote {
		if !live[text] && !h.removed[text] {
			lost = append(lost, text)
		}
	}
	if slices.Sort(lost); len(lost) > 0 {
		h.t.Fatalf("%q are lost\n%s\n%s", lost, strings.Join(h.last(200), "\n"), h.dump())
	}
}

// suffix is what tells two apart that would have one name.
var suffix = regexp.MustCompile(` \(\d+(-\d+)?\)`)

// sameTrees compares both sides as Odoo allows: two of one folder may have one
// name there, and then have suffixes in Dropbox.
func (h *history) sameTrees() {
	h.t.Helper()
	plain := func(lines []string) []string {
		var out []string
		for _, l := range lines {
			if strings.HasSuffix(l, " = ") {
				continue // a copy whose only file a person removed: parked
			}
			out = append(out, odbxfs.FoldName(suffix.ReplaceAllString(l, "")))
		}
		slices.Sort(out)
		return out
	}
	odoo, dropbox := h.tree(), h.dropbox.paths()
	temporary := slices.ContainsFunc(dropbox, func(p string) bool { return strings.Contains(path.Base(p), ".odbxfs-") })
	if temporary || !slices.Equal(plain(odoo), plain(dropbox)) {
		s, err := h.engine.Status()
		h.t.Fatalf("the sides differ\nodoo:\n  %s\ndropbox:\n  %s\nstatus %+v %v\n%s", strings.Join(odoo, "\n  "),
			strings.Join(dropbox, "\n  "), s, err, strings.Join(h.last(200), "\n")+"\n"+h.dump())
	}
}
