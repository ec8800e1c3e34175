package scenario

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// inTheMount: what programs do in the mount is right in mount, Odoo and Dropbox.
var inTheMount = []scenario{
	{name: "mkdir, mv of files and folders across records, mv over a file", run: movesInMount},
	{name: "rsync of 500 files twice moves nothing the second time", run: rsyncTwice},
	{name: "cp -r, append, vim keep what they should", run: editors},
	{name: "rm -r below the guard", run: removeFew},
}

func movesInMount(t *testing.T, w *World) {
	id, name := w.order(t)
	otherID, other := w.order(t)
	from, to := w.in("Sales Orders", name), w.in("Sales Orders", other)
	sh(t, from, `mkdir sub && echo one > sub/one.txt && echo two > two.txt`)
	one := w.one(t, "sale.order", id, "one.txt", isLink)
	two := w.one(t, "sale.order", id, "two.txt", isLink)
	sh(t, from, `mv two.txt "$1/renamed two.txt" && mv sub "$1/moved sub"`, to)
	if d := w.one(t, "sale.order", otherID, "renamed two.txt", isLink); d.ID != two.ID {
		t.Errorf("a moved file: attachment %d became %d", two.ID, d.ID)
	}
	if d := w.one(t, "sale.order", otherID, "one.txt", isLink); d.ID != one.ID {
		t.Errorf("a file in a moved folder: attachment %d became %d", one.ID, d.ID)
	}
	w.eventually(t, "in Dropbox", func() error {
		return errors.Join(holds(w.box2("Sales Orders", other, "renamed two.txt"), "two\n"), holds(w.box2("Sales Orders", other, "moved sub", "one.txt"), "one\n"),
			gone(w.box2("Sales Orders", name, "sub")))
	})
	sh(t, to, `echo newer > tmp && mv tmp "renamed two.txt"`)
	w.eventually(t, "the new content in Dropbox", func() error { return holds(w.box2("Sales Orders", other, "renamed two.txt"), "newer\n") })
	if d := w.one(t, "sale.order", otherID, "renamed two.txt", isLink); d.ID != two.ID {
		t.Errorf("moved over: attachment %d became %d", two.ID, d.ID)
	}
	w.agree(t)
}

func rsyncTwice(t *testing.T, w *World) {
	id, name := w.order(t)
	src := t.TempDir()
	for i := range 500 {
		must(t, os.WriteFile(fmt.Sprintf("%s/f%03d.txt", src, i), []byte(strings.Repeat("x", i)), 0o644))
	}
	to := w.in("Sales Orders", name)
	sh(t, src, `rsync -a ./ "$1/"`, to)
	if out := sh(t, src, `rsync -ai --exclude Contracts ./ "$1/"`, to); strings.Contains(out, ">f") {
		t.Errorf("the second run moved files:\n%s", clip(out))
	}
	w.eventually(t, "500 links", func() error {
		links := 0
		for _, d := range w.odoo.documents(t, "sale.order", id) {
			if d.Type == "url" {
				links++
			}
		}
		if links != 500-1 && links != 500 {
			return fmt.Errorf("%d links", links)
		}
		return nil
	})
	if out := sh(t, src, `rsync -ai ./ "$1/"`, to); strings.Contains(out, ">f") {
		t.Errorf("after everything became links it moved files:\n%s", clip(out))
	}
	w.agree(t)
}

func editors(t *testing.T, w *World) {
	id, name := w.order(t)
	_, other := w.order(t)
	dir := w.in("Sales Orders", name)
	sh(t, dir, `echo first > note.txt`)
	note := w.one(t, "sale.order", id, "note.txt", isLink)
	sh(t, dir, `echo second >> note.txt`)
	w.eventually(t, "appended in Dropbox", func() error { return holds(w.box2("Sales Orders", name, "note.txt"), "first\nsecond\n") })
	sh(t, dir, `vim -u NONE -es -c 'normal Gothird' -c wq note.txt </dev/null`)
	w.eventually(t, "vim's save in Dropbox", func() error { return holds(w.box2("Sales Orders", name, "note.txt"), "first\nsecond\nthird\n") })
	if d := w.one(t, "sale.order", id, "note.txt", isLink); d.ID != note.ID {
		t.Errorf("vim's save: attachment %d became %d", note.ID, d.ID)
	}
	sh(t, dir, `sed -i s/first/FIRST/ note.txt && mkdir -p tree/sub && cp note.txt tree/sub/ && cp -r tree "$1/"`, w.in("Sales Orders", other))
	w.eventually(t, "the copied tree in Dropbox", func() error {
		return holds(w.box2("Sales Orders", other, "tree", "sub", "note.txt"), "FIRST\nsecond\nthird\n")
	})
	if d := w.one(t, "sale.order", id, "note.txt", func(d document) error {
		if d.Checksum == sum("FIRST\nsecond\nthird\n") {
			return isLink(d)
		}
		for _, d := range w.odoo.documents(t, "sale.order", id) {
			if d.Checksum == sum("FIRST\nsecond\nthird\n") && d.ID == note.ID {
				return nil
			}
		}
		return fmt.Errorf("not yet: %+v", d)
	}); d.ID == 0 {
		t.Error("no document")
	}
	w.agree(t)
}

func removeFew(t *testing.T, w *World) {
	id, name := w.order(t)
	dir := w.in("Sales Orders", name)
	sh(t, dir, `mkdir -p d/e && for i in 1 2 3 4 5; do echo $i > d/e/$i.txt; done`)
	w.one(t, "sale.order", id, "5.txt", isLink)
	w.agree(t)
	sh(t, dir, `rm -r d`)
	w.eventually(t, "gone in Odoo and Dropbox", func() error {
		return errors.Join(none(w.odoo.documents(t, "sale.order", id)), gone(w.box2("Sales Orders", name, "d")))
	})
}
