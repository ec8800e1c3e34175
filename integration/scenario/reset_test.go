package scenario

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// administrator are the options of setup with its login.
var administrator = []string{"--login", "admin", "--password-command", "echo admin"}

// ours are the documents that are links of ours.
func (w *World) ours(t *testing.T) []document {
	t.Helper()
	return slices.DeleteFunc(w.odoo.documents(t, "", 0), func(d document) bool {
		return d.Type != "url" || !strings.HasPrefix(d.URL, w.box.URL())
	})
}

// resetNow resets the stopped client, and gives what is said. All links of ours
// must be their bytes again afterwards.
func (w *World) resetNow(t *testing.T, args ...string) string {
	t.Helper()
	links := w.ours(t)
	out, code := w.odbxfs(t, append([]string{"reset", "--of", w.commands()[0]}, args...)...)
	if want := fmt.Sprintf("%d links are binary attachments in Odoo again", len(links)); code != 0 || !strings.Contains(out, want) {
		t.Errorf("reset (%d), want %q in: %s", code, want, out)
	}
	if left := w.ours(t); len(left) > 0 {
		t.Errorf("%d links are left, the first is %+v", len(left), left[0])
	}
	now, wrong := map[int64]document{}, 0
	for _, d := range w.odoo.documents(t, "", 0) {
		now[d.ID] = d
	}
	for _, was := range links {
		d := now[was.ID]
		// A link that was made of a Dropbox file may never have had a checksum.
		if d.Type != "binary" || d.URL != "" || was.Checksum != "" && d.Checksum != was.Checksum || d.Size > 0 && !w.odoo.stored(t, d.Checksum) {
			if wrong++; wrong <= 5 {
				t.Errorf("%+v is now %+v", was, d)
			}
		}
	}
	if n := w.odoo.count(t, "x_odbxfs_pair", "x_gone", false); n > 0 {
		t.Errorf("%d pairs are left", n)
	}
	return out
}

// someLinks copies files of several kinds in, and waits until all but the
// picture are links.
func (w *World) someLinks(t *testing.T) (order string, id int64, contents map[string]string) {
	t.Helper()
	id, order = w.order(t)
	contents = map[string]string{"a.pdf": pdf, "b.txt": "b", "empty.txt": "", "p.png": picture(30, 30), "page.htm": "<b>Käse</b>"}
	for file, content := range contents {
		must(t, os.WriteFile(w.in("Sales Orders", order, file), []byte(content), 0o644))
	}
	for file := range contents {
		if file != "p.png" {
			w.one(t, "sale.order", id, file, isLink)
		}
	}
	w.agree(t)
	w.idle(t)
	return order, id, contents
}

func (w *World) allBinary(t *testing.T, id int64, contents map[string]string) {
	t.Helper()
	for file, content := range contents {
		d := w.one(t, "sale.order", id, file, func(d document) error { return binaryOf(d, content) })
		if d.URL != "" {
			t.Errorf("a url is left on %+v", d)
		}
	}
}

func resetKeeps(t *testing.T, w *World) {
	w.up(t)
	_, id, contents := w.someLinks(t)
	w.down(t)
	inBox, err := tree(w.drop)
	must(t, err)
	out := w.resetNow(t)
	if want := fmt.Sprintf("%d files and folders stay in Dropbox", len(inBox)); !strings.Contains(out, want) || strings.Contains(out, "trash") {
		t.Errorf("reset says %q, want %q in it", out, want)
	}
	w.allBinary(t, id, contents)
	after, err := tree(w.drop)
	must(t, err)
	must(t, sameTree(inBox, after))

	// A daemon that starts again leaves it alone, until a person takes the pause
	// away; then it is mirrored anew, with what lies in Dropbox.
	w.up(t)
	w.allBinary(t, id, contents)
	w.box.ForgetRequests()
	w.mirrorAnew(t)
	for file := range contents {
		if file != "p.png" {
			w.one(t, "sale.order", id, file, isLink)
		}
	}
	w.idle(t)
	for route, n := range w.box.Counts() {
		if strings.Contains(route, "upload") {
			t.Errorf("%d requests %s: all was there", n, route)
		}
	}
	w.agree(t)
	w.down(t)
	w.resetNow(t)
	w.mirrorAnew(t)
}

// mirrorAnew takes the pause of a reset away.
func (w *World) mirrorAnew(t *testing.T) {
	t.Helper()
	w.setClient(t, map[string]any{"x_paused": false})
}

func resetRemoves(t *testing.T, w *World) {
	w.up(t)
	_, id, contents := w.someLinks(t)
	if out, code := w.odbxfs(t, append([]string{"setup", "--remove"}, administrator...)...); code == 0 || !strings.Contains(out, "odbxfs reset") {
		t.Errorf("setup --remove with links left (%d): %s", code, out)
	}
	w.down(t)
	w.resetAll(t)
	w.allBinary(t, id, contents)
	w.mirrorAnew(t)
}

// resetAll resets the stopped client, and Dropbox's copies with it.
func (w *World) resetAll(t *testing.T) {
	t.Helper()
	inBox, err := tree(w.drop)
	must(t, err)
	w.box.ForgetRequests()
	out := w.resetNow(t, "--remove-remote")
	if want := fmt.Sprintf("%d files and folders went to Dropbox's trash", len(inBox)); !strings.Contains(out, want) || strings.Contains(out, "stay") {
		t.Errorf("reset says %q, want %q in it", out, want)
	}
	left, err := tree(w.drop)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if len(left) > 0 {
		t.Errorf("left in Dropbox: %v", left)
	}
	deletes := 0
	for route, n := range w.box.Counts() {
		if strings.Contains(route, "permanently") {
			t.Errorf("%d requests %s: nothing of that is in the trash", n, route)
		}
		if strings.Contains(route, "delete") {
			deletes += n
		}
	}
	if deletes == 0 {
		t.Error("Dropbox's log shows no deletion")
	}
}

// setupAndRemove comes last: Odoo is then as it was before setup. Before it
// everything that the other scenarios left is reset.
func setupAndRemove(t *testing.T, w *World) {
	if left := w.ours(t); len(left) > 0 { // when this scenario runs alone there are none
		w.up(t)
		w.idle(t)
		w.down(t)
		w.resetAll(t)
	}
	was := w.odoo.makeUp(t, true)
	out, code := w.odbxfs(t, append([]string{"setup"}, administrator...)...)
	if code != 0 || !strings.Contains(out, "nothing to do") {
		t.Errorf("a second setup (%d): %s", code, out)
	}
	sameLines(t, "a second setup", was, w.odoo.makeUp(t, true))
	if len(was) <= len(w.before) {
		t.Errorf("setup put nothing in: %d lines, then %d", len(w.before), len(was))
	}
	// Documents in free folders have no place without our models.
	var free []int64
	must(t, w.odoo.call(t.Context(), "ir.attachment", "search", []any{[]any{[]any{"res_model", "=", "x_odbxfs_place"}}}, nil, &free))
	if len(free) > 0 {
		if out, code := w.odbxfs(t, append([]string{"setup", "--remove"}, administrator...)...); code == 0 || !strings.Contains(out, "free folders") {
			t.Errorf("setup --remove with documents in free folders (%d): %s", code, out)
		}
		must(t, w.odoo.call(t.Context(), "ir.attachment", "unlink", []any{free}, nil, nil))
	}
	if out, code := w.odbxfs(t, append([]string{"setup", "--remove"}, administrator...)...); code != 0 {
		t.Fatalf("setup --remove (%d): %s", code, out)
	}
	sameLines(t, "after setup and remove", w.before, w.odoo.makeUp(t, false))
}

// sameLines compares two sorted descriptions.
func sameLines(t *testing.T, what string, before, after []string) {
	t.Helper()
	count := map[string]int{}
	for _, l := range before {
		count[l]--
	}
	for _, l := range after {
		count[l]++
	}
	shown := 0
	for l, n := range count {
		if n != 0 && shown < 20 {
			shown++
			t.Errorf("%s: %+d of %.500s", what, n, l)
		}
	}
}
