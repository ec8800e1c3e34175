package scenario

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// failures: programs that are killed, servers that are away, logins that are
// refused, a store that is lost, the way back.
var failures = []scenario{
	{name: "kill -9 inside the upload to Odoo", run: killedIn(insideOdooUpload), stage: stopped, always: []string{"19/run"}},
	{name: "kill -9 inside the upload to Dropbox", run: killedIn(insideUpload), stage: stopped, always: []string{"14/apart"}},
	{name: "kill -9 between upload and convert", run: killedIn(beforeConvert), stage: stopped, always: []string{"14/apart"}},
	{name: "kill -9 between convert and settle", run: killedIn(afterConvert), stage: stopped, always: []string{"19/run"}},
	{name: "Odoo down while files are copied in", run: odooDown, stage: stopped, always: []string{"14/apart"}},
	{name: "Dropbox's token revoked, and given anew", run: tokenRevoked, stage: stopped, always: []string{"14/apart"}},
	{name: "a wrong password is said, and not sent again", run: wrongPassword, stage: stopped, always: []string{"19/run"}},
	{name: "the store deleted while nothing is unsent", run: storeLost, stage: stopped, always: []string{"19/run"}},
	{name: "20,000 attachments cost an idle minute nothing", run: idleMinute, alone: true, always: []string{}},
	{name: "reset brings every byte back, and Dropbox's copies stay", run: resetKeeps, stage: fresh, always: []string{"19/run"}},
	{name: "reset with --remove-remote puts the copies into the trash", run: resetRemoves, stage: fresh, always: []string{"14/apart"}},
	{name: "setup twice changes nothing, and --remove leaves no trace", run: setupAndRemove, stage: stopped},
}

// soak says that there is time for whole minutes and many rounds.
func soak() bool { return os.Getenv("ODBXFS_SOAK") != "" }

// status is what the program says of one of its processes.
func (w *World) status(t *testing.T, of string) string {
	t.Helper()
	out, _ := w.odbxfs(t, "status", "--of", of)
	return out
}

// says waits until the status of a process has all these words.
func (w *World) says(t *testing.T, of string, words ...string) {
	t.Helper()
	w.eventually(t, "the status of "+of+" says why", func() error { return w.saysNow(t, of, words...) })
}

func (w *World) saysNow(t *testing.T, of string, words ...string) error {
	t.Helper()
	out := w.status(t, of)
	for _, word := range words {
		if !strings.Contains(out, word) {
			return fmt.Errorf("no %q in: %s", word, out)
		}
	}
	return nil
}

func odooDown(t *testing.T, w *World) {
	w.up(t)
	id, name := w.order(t)
	w.odoo.stop(t)
	away := time.Now()
	dir := w.in("Sales Orders", name)
	sh(t, dir, `for i in 1 2 3; do echo $i > $i.txt; done; cat 1.txt 2.txt 3.txt`)
	for _, of := range w.commands() {
		w.says(t, of, "Odoo does not answer", "not reachable")
	}
	if soak() {
		time.Sleep(time.Minute - time.Since(away)) // what is promised is a minute
	}
	w.odoo.start(t)
	w.within(t, 2*wait, "it goes on by itself", func() error { // it asks once a minute at the latest
		if docs := w.odoo.documents(t, "sale.order", id); len(docs) != 3 {
			return fmt.Errorf("%d documents of 3", len(docs))
		}
		return nil
	})
	for _, n := range []string{"1", "2", "3"} {
		w.one(t, "sale.order", id, n+".txt", func(d document) error {
			if d.Checksum != sum(n+"\n") {
				return fmt.Errorf("other bytes: %+v", d)
			}
			return isLink(d)
		})
	}
	w.agree(t)
}

func tokenRevoked(t *testing.T, w *World) {
	w.up(t)
	id, name := w.order(t)
	w.box.RevokeToken()
	must(t, os.WriteFile(w.in("Sales Orders", name, "a.txt"), []byte("a"), 0o644))
	w.one(t, "sale.order", id, "a.txt", func(d document) error { return binaryOf(d, "a") })
	w.says(t, w.commands()[0], "login refused")
	w.box.Grant("another-token")
	w.secret(t, "token", "another-token")
	w.one(t, "sale.order", id, "a.txt", isLink)
	w.agree(t)
}

// setPassword gives a user another password.
func (w *World) setPassword(t *testing.T, login, password string) {
	t.Helper()
	id := w.first(t, "res.users", [][]any{{"login", "=", login}})
	must(t, w.odoo.call(t.Context(), "res.users", "write", []any{[]int64{id}, map[string]any{"password": password}}, nil, nil))
}

// login is that of one of the program's processes: its name, the source of its
// password, and the password.
func (w *World) login(of string) (login, source, password string) {
	if of == "mount" {
		return "demo", "mount", "demo"
	}
	return technicalLogin, "sync", technicalPassword
}

// wrongPassword: each process's password is changed in Odoo while it runs. It
// is refused once, and not sent again, until its source has the new one.
func wrongPassword(t *testing.T, w *World) {
	w.counted = true
	w.writeConfig(t)
	defer func() {
		w.counted = false
		w.writeConfig(t)
		for _, of := range w.commands() {
			login, source, password := w.login(of)
			w.setPassword(t, login, password)
			w.secret(t, source, password)
		}
	}()
	w.up(t)
	id, name := w.order(t)
	before := map[string]int{}
	for _, of := range w.commands() {
		login, _, _ := w.login(of)
		before[login] = w.odoo.refused(t, login)
		w.setPassword(t, login, "another-"+technicalPassword)
	}
	must(t, os.WriteFile(w.in("Sales Orders", name, "a.txt"), []byte("a"), 0o644))
	for _, of := range w.commands() {
		w.eventually(t, "the status of "+of+" says why", func() error {
			w.odoo.endSessions(t) // again: a request that was under way writes its own anew
			return w.saysNow(t, of, "login refused")
		})
	}
	asked := map[string]int{}
	for _, of := range w.commands() {
		_, source, _ := w.login(of)
		asked[of] = w.asked(t, source)
	}
	for _, of := range w.commands() {
		login, source, _ := w.login(of)
		w.eventually(t, "the source of "+of+" is asked for another password", func() error {
			if n := w.asked(t, source); n == asked[of] {
				return fmt.Errorf("asked %d times", n)
			}
			return nil
		})
		// The web session's refusal is asked about once more over XML-RPC on 14.
		if n := w.odoo.refused(t, login) - before[login]; n < 1 || n > 2 {
			t.Errorf("the password of %s was refused %d times", login, n)
		}
		w.secret(t, source, "another-"+technicalPassword)
	}
	w.one(t, "sale.order", id, "a.txt", isLink)
	w.down(t)
	for _, of := range w.commands() {
		w.refusedAtStart(t, of)
	}
}

// refusedAtStart: a process that starts with a wrong password says so and ends.
func (w *World) refusedAtStart(t *testing.T, of string) {
	t.Helper()
	login, source, _ := w.login(of)
	before := w.odoo.refused(t, login)
	w.secret(t, source, "no password at all")
	out, code := w.odbxfs(t, of)
	if code != 4 || !strings.Contains(out, "login refused") || !strings.Contains(out, "hint:") {
		t.Errorf("%s with a wrong password ended with %d: %s", of, code, out)
	}
	if n := w.odoo.refused(t, login) - before; n < 1 || n > 2 {
		t.Errorf("%s was refused %d times", login, n)
	}
}

func storeLost(t *testing.T, w *World) {
	w.up(t)
	id, name := w.order(t)
	for i := range 5 {
		must(t, os.WriteFile(w.in("Sales Orders", name, fmt.Sprintf("%d.txt", i)), []byte("x"+fmt.Sprint(i)), 0o644))
	}
	must(t, os.WriteFile(w.in("Sales Orders", name, "p.png"), []byte(picture(20, 20)), 0o644))
	for i := range 5 {
		w.one(t, "sale.order", id, fmt.Sprintf("%d.txt", i), isLink)
	}
	w.agree(t)
	w.idle(t)
	before := w.odoo.documents(t, "sale.order", id)
	w.down(t)
	must(t, os.RemoveAll(w.state))
	w.box.ForgetRequests()
	w.up(t)
	w.idle(t)
	w.quiet(t)
	w.idle(t)
	for route, n := range w.box.Counts() {
		for _, moves := range []string{"upload", "download", "copy", "move", "delete", "create_folder"} {
			if strings.Contains(route, moves) {
				t.Errorf("%d requests %s", n, route)
			}
		}
	}
	after := w.odoo.documents(t, "sale.order", id)
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("documents before %+v\nafter %+v", before, after)
	}
	w.agree(t)
}

// idle waits until the syncer's status has nothing under way.
func (w *World) idle(t *testing.T) {
	t.Helper()
	w.within(t, 3*wait, "nothing is under way", func() error {
		out, code := w.odbxfs(t, "status", "--of", w.commands()[0])
		if code != 0 || !strings.Contains(out, "0 tasks and 0 changes") || strings.Contains(out, "yet to be compared") || !strings.Contains(out, "connected") {
			return fmt.Errorf("status (%d): %s", code, out)
		}
		return nil
	})
}

// quiet waits for a few checks of Odoo to pass: what would come by itself has come.
func (w *World) quiet(t *testing.T) {
	t.Helper()
	start := w.odoo.calls(t)
	w.eventually(t, "some checks pass", func() error {
		if n := w.odoo.calls(t) - start; n < 6 {
			return fmt.Errorf("%d calls so far", n)
		}
		return nil
	})
}
