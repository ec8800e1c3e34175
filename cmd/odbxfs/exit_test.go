package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/cmd/odbxfs/config"
	"odbxfs/odoo/provision"
	"odbxfs/sync"
)

func TestExitCodes(t *testing.T) {
	of := func(k odbxfs.ErrorKind) error { return &odbxfs.Error{Op: "do", Kind: k} }
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"done", nil, exitOK},
		{"stopped by Ctrl-C", fmt.Errorf("while syncing: %w", context.Canceled), exitOK},
		{"unforeseen", errors.New("x"), exitError},
		{"a wrong argument", usageError{errors.New("x")}, exitUsage},
		{"no settings", config.ErrMissing, exitUsage},
		{"no answer", of(odbxfs.KindUnavailable), exitUnreachable},
		{"asked to wait", of(odbxfs.KindRateLimited), exitUnreachable},
		{"a refused login", fmt.Errorf("sync: %w", of(odbxfs.KindCredentials)), exitLogin},
		{"something waits", personError{errors.New("x")}, exitPerson},
		{"a locked store", openError(cache.ErrLocked), exitLocked},
		{"another database", of(odbxfs.KindForeign), exitRefused},
		{"links are left in Odoo", fmt.Errorf("%w (2 pairs)", provision.ErrLinksLeft), exitRefused},
		{"documents in free folders", fmt.Errorf("%w (1)", provision.ErrPlacesUsed), exitRefused},
		{"a secret that cannot be read", fmt.Errorf("sync: %w", of(odbxfs.KindSettings)), exitUsage},
		{"a full disk", fmt.Errorf("store: %w", cache.ErrFull), exitDisk},
		{"a disk that is stuck", fmt.Errorf("closing: %w", cache.ErrStuck), exitDisk},
		{"a newer program's store", fmt.Errorf("open: %w", cache.ErrFormat), exitRefused},
		{"two errors", errors.Join(personError{errors.New("x")}, of(odbxfs.KindUnavailable)), exitPerson},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := exitCode(c.err); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

// Scripts rest on the codes; so all stand in the help and in the README, in the
// same words.
func TestTheExitCodesAreWrittenDown(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	help := exitHelp()
	for code, meaning := range exitMeanings {
		if line := fmt.Sprintf("\n  %d  %s", code, meaning); meaning == "" || !strings.Contains(help, line) {
			t.Errorf("%d is not in the help", code)
		}
		if line := fmt.Sprintf("\n| %d | %s |\n", code, meaning); !strings.Contains(string(readme), line) {
			t.Errorf("the README has no line %q", line)
		}
	}
}

func TestEachErrorHasAHint(t *testing.T) {
	errs := map[string]error{
		"usage": usageError{errors.New("x")}, "locked": cache.ErrLocked, "held by a daemon": openError(cache.ErrLocked),
		"waits": personError{errors.New("x")}, "unforeseen": errors.New("x"),
	}
	for _, k := range odbxfs.ErrorKinds() {
		if hints[k] == "" {
			t.Errorf("%s has none", k)
		}
		errs[k.String()] = &odbxfs.Error{Op: "do", Kind: k}
	}
	errs["a path"] = fmt.Errorf("make the folder: %w", &os.PathError{Op: "mkdir", Path: "/x", Err: os.ErrPermission})
	if got := hintFor(errs["a path"]); !strings.Contains(got, "the path") {
		t.Errorf("what this machine refuses: %q", got)
	}
	for _, k := range known {
		errs[k.err.Error()] = fmt.Errorf("mount: %w", k.err)
	}
	for name, err := range errs {
		var b bytes.Buffer
		report(&b, err)
		message, hint, ok := strings.Cut(b.String(), "\nhint: ")
		if !ok || !strings.HasPrefix(message, "odbxfs: ") || len(hint) < 10 || !strings.HasSuffix(hint, "\n") {
			t.Errorf("%s: %q", name, b.String())
		}
	}
	var b bytes.Buffer
	if report(&b, nil); b.Len() > 0 {
		t.Errorf("no error: %q", b.String())
	}
}

func TestARemotesWordsCannotSteerTheTerminal(t *testing.T) {
	var b bytes.Buffer
	report(&b, errors.New("one\x1b]0;x\a\ntwo"))
	if !strings.HasPrefix(b.String(), "odbxfs: one\ufffd]0;x\ufffd\ntwo\nhint: ") {
		t.Errorf("got %q", b.String())
	}
}

func TestStatusInWords(t *testing.T) {
	many := make([]sync.Item, shown+3)
	for i := range many {
		many[i] = sync.Item{What: "odoo-delete", Path: fmt.Sprintf("Sales Orders/S%05d", i), Reason: "r"}
	}
	now := sync.Status{OdooOK: true}
	now.Time = now.Time.AddDate(2026, 0, 0)
	for _, c := range []struct {
		name string
		give func(*sync.Status)
		want string
	}{
		{"idle", func(*sync.Status) {}, "Odoo answers; 0 tasks"},
		{"Odoo is away", func(s *sync.Status) { s.OdooOK, s.Waiting = false, []string{"Odoo: not reachable"} }, "Odoo does not answer; 0 tasks and 0 changes of the mount are under way\nwaiting: Odoo: not reachable\n"},
		{"not all is planned", func(s *sync.Status) { s.Dirty = 3 }, "under way\nchanged, and yet to be compared: 3\n"},
		{"nobody runs", func(s *sync.Status) { s.Past, s.OdooOK, s.Waiting = true, false, []string{"Odoo: login refused"} }, "no daemon runs on this store; 0 tasks and 0 changes of the mount are under way\nthe last one, 3 hours ago ("},
		{"nobody runs: what it waited for", func(s *sync.Status) { s.Past, s.OdooOK, s.Waiting = true, false, []string{"Odoo: login refused"} }, "): Odoo did not answer\nwaiting: Odoo: login refused\n"},
		{"nobody ever ran", func(s *sync.Status) { s.Time = time.Time{} }, "no daemon ever ran on this store; 0 tasks"},
		{"Odoo hangs at the start", func(s *sync.Status) { s.OdooOK, s.OdooSilent = false, true }, "Odoo has not answered yet; 0 tasks"},
		{"a client", func(s *sync.Status) { s.Clients = []sync.ClientStatus{{Name: "Main", State: sync.StateConnected}} }, "cloud client Main: connected\n"},
		{"a client's login is refused", func(s *sync.Status) {
			s.Clients = []sync.ClientStatus{{Name: "Main", State: sync.StateError, Message: "refused", Kind: odbxfs.KindCredentials}}
		}, "cloud client Main: error: refused\n  sign in anew: odbxfs login dropbox --client \"Main\"\n"},
		{"a client's settings are wrong", func(s *sync.Status) {
			s.Clients = []sync.ClientStatus{{Name: "Main", State: sync.StateError, Message: "no file", Kind: odbxfs.KindSettings}}
		}, "cloud client Main: error: no file\n  mend its section of the config"},
		{"escapes in a remote's words", func(s *sync.Status) { s.Waiting = []string{"Odoo: \x1b[2J"} }, "waiting: Odoo: \ufffd[2J\n"},
		{"parked", func(s *sync.Status) { s.Parked = many[:1] }, "1 parked, see why and then `odbxfs retry`:\n  odoo-delete  Sales Orders/S00000: r\n"},
		{"many are cut", func(s *sync.Status) { s.Held = many }, "  and 3 more (status --json has all)\n"},
		{"escapes of a terminal are taken out", func(s *sync.Status) { s.Parked = []sync.Item{{Path: "a\x1b[31m\nb"}} }, "a\ufffd[31m\ufffdb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := now
			c.give(&s)
			var b bytes.Buffer
			printStatus(&b, s, now.Time.Add(3*time.Hour))
			if !strings.Contains(b.String(), c.want) {
				t.Errorf("got %q, want %q in it", b.String(), c.want)
			}
		})
	}
}

func TestAgesAreToldInOneUnit(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 seconds", 90 * time.Second: "90 seconds", 2 * time.Minute: "2 minutes", 119 * time.Minute: "119 minutes", 3 * time.Hour: "3 hours", 50 * time.Hour: "2 days",
	} {
		if got := age(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestWhatCannotAnswerIsAnError(t *testing.T) {
	answered := sync.Status{OdooOK: true, Clients: []sync.ClientStatus{{Name: "Main", State: sync.StateConnected}, {Name: "Old", State: sync.StatePaused}}}
	if err := unanswered(answered); err != nil {
		t.Error(err)
	}
	if err := unanswered(sync.Status{OdooErr: odbxfs.KindCredentials, Waiting: []string{"Odoo: refused"}}); exitCode(err) != exitLogin {
		t.Error(err)
	}
	answered.Clients[0] = sync.ClientStatus{Name: "Main", State: sync.StateError, Message: "m", Kind: odbxfs.KindUnavailable}
	if err := unanswered(answered); exitCode(err) != exitUnreachable || !strings.Contains(err.Error(), "Main") {
		t.Error(err)
	}
	answered.Clients[0] = sync.ClientStatus{Name: "Main", State: sync.StateConnected, Other: true}
	if err := unanswered(answered); exitCode(err) != exitLocked || !strings.Contains(err.Error(), "Main") {
		t.Errorf("another does the work: %v", err)
	}
}
