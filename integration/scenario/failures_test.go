package scenario

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// failures: servers that are away, a store that is lost, the way back.
var failures = []scenario{
	{name: "Odoo down while files are copied in", run: odooDown, alone: true},
	{name: "Dropbox's token revoked, and given anew", run: tokenRevoked, alone: true},
	{name: "the store deleted while nothing is unsent", run: storeLost, alone: true},
	{name: "reset brings every byte back, and setup --remove leaves no trace", run: resetAll, alone: true},
}

func odooDown(t *testing.T, w *World) {
	w.up(t)
	id, name := w.order(t)
	w.odoo.stop(t)
	dir := w.in("Sales Orders", name)
	sh(t, dir, `for i in 1 2 3; do echo $i > $i.txt; done; cat 1.txt 2.txt 3.txt`)
	w.eventually(t, "status says why nothing moves", func() error {
		out, _ := w.odbxfs(t, "status", "--of", w.commands()[len(w.commands())-1])
		if !strings.Contains(out, "Odoo") || !strings.Contains(out, "not") {
			return fmt.Errorf("status: %s", out)
		}
		return nil
	})
	w.odoo.start(t)
	for _, n := range []string{"1", "2", "3"} {
		w.one(t, "sale.order", id, n+".txt", isLink)
	}
	w.agree(t)
}

func tokenRevoked(t *testing.T, w *World) {
	w.up(t)
	id, name := w.order(t)
	w.box.RevokeToken()
	must(t, os.WriteFile(w.in("Sales Orders", name, "a.txt"), []byte("a"), 0o644))
	w.one(t, "sale.order", id, "a.txt", func(d document) error { return binaryOf(d, "a") })
	w.eventually(t, "status says that the login is refused", func() error {
		out, _ := w.odbxfs(t, "status", "--of", w.commands()[0])
		if !strings.Contains(out, "login refused") {
			return fmt.Errorf("status: %s", out)
		}
		return nil
	})
	w.box.Grant("another-token")
	must(t, os.WriteFile(w.dir+"/token", []byte("another-token"), 0o600))
	w.one(t, "sale.order", id, "a.txt", isLink)
	w.agree(t)
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
	before := w.odoo.documents(t, "sale.order", id)
	w.down(t)
	must(t, os.RemoveAll(w.state))
	w.box.ForgetRequests()
	w.up(t)
	w.idle(t)
	w.quiet(t)
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
	w.eventually(t, "nothing is under way", func() error {
		out, code := w.odbxfs(t, "status", "--of", w.commands()[0])
		if code != 0 || !strings.Contains(out, "0 tasks and 0 changes") || !strings.Contains(out, "connected") {
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

func resetAll(t *testing.T, w *World) {
	w.up(t)
	id, name := w.order(t)
	contents := map[string]string{"a.pdf": pdf, "b.txt": "b", "empty.txt": "", "p.png": picture(30, 30)}
	for file, content := range contents {
		must(t, os.WriteFile(w.in("Sales Orders", name, file), []byte(content), 0o644))
	}
	for file := range contents {
		if file != "p.png" {
			w.one(t, "sale.order", id, file, isLink)
		}
	}
	w.agree(t)
	if out, code := w.odbxfs(t, "setup", "--remove", "--login", "admin", "--password-command", "echo admin"); code == 0 {
		t.Errorf("setup --remove with links left: %s", out)
	}
	w.down(t)
	out, code := w.odbxfs(t, "reset", "--of", w.commands()[0])
	if code != 0 || !strings.Contains(out, "3 links are binary") {
		t.Errorf("reset (%d): %s", code, out)
	}
	for file, content := range contents {
		d := w.one(t, "sale.order", id, file, func(d document) error { return binaryOf(d, content) })
		if d.URL != "" {
			t.Errorf("a url is left on %+v", d)
		}
		must(t, holds(w.box2("Sales Orders", name, file), content))
	}
	if out, code := w.odbxfs(t, "setup", "--remove", "--login", "admin", "--password-command", "echo admin"); code != 0 {
		t.Errorf("setup --remove (%d): %s", code, out)
	}
}
