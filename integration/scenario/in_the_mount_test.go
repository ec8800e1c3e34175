package scenario

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// inTheMount: what programs do in the mount is right in mount, Odoo and Dropbox.
var inTheMount = []scenario{
	{name: "mkdir, mv of files and folders across records, mv over a file", run: movesInMount},
	{name: "two folders and two files change names", run: swapsInMount},
	{name: "rsync of 500 files twice moves nothing the second time", run: rsyncTwice},
	{name: "cp -r, append, vim keep what they should", run: editors},
	{name: "programs' own files stay in the mount", run: temporaries},
	{name: "rm -r below the guard", run: removeFew},
	{name: "rm -r above the guard is held and hidden", run: removeMany},
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

// swapsInMount: names that change places through a third, again and again, end
// plain, whatever of it was seen on the way.
func swapsInMount(t *testing.T, w *World) {
	id, name := w.order(t)
	sh(t, w.in("Sales Orders", name), `mkdir a b && echo a > a/f.txt && echo b > b/f.txt && echo x > x.txt && echo y > y.txt`)
	x, y := w.one(t, "sale.order", id, "x.txt", isLink), w.one(t, "sale.order", id, "y.txt", isLink)
	at := func(parts ...string) string { return w.box2(append([]string{"Sales Orders", name}, parts...)...) }
	w.eventually(t, "in Dropbox", func() error { return errors.Join(holds(at("a", "f.txt"), "a\n"), holds(at("b", "f.txt"), "b\n")) })
	for range 3 {
		sh(t, w.in("Sales Orders", name), `mv a t && mv b a && mv t b && mv x.txt t.txt && mv y.txt x.txt && mv t.txt y.txt`)
	}
	w.eventually(t, "swapped in Dropbox, under plain names", func() error {
		return errors.Join(holds(at("a", "f.txt"), "b\n"), holds(at("b", "f.txt"), "a\n"), holds(at("x.txt"), "y\n"), holds(at("y.txt"), "x\n"))
	})
	if d := w.one(t, "sale.order", id, "y.txt", isLink); d.ID != x.ID {
		t.Errorf("x.txt became y.txt, and attachment %d became %d", x.ID, d.ID)
	}
	if d := w.one(t, "sale.order", id, "x.txt", isLink); d.ID != y.ID {
		t.Errorf("y.txt became x.txt, and attachment %d became %d", y.ID, d.ID)
	}
	w.agree(t)
	list, err := os.ReadDir(at())
	must(t, err)
	for _, e := range list {
		if strings.Contains(e.Name(), " (") || strings.HasPrefix(e.Name(), ".odbxfs-") {
			t.Errorf("there is %q in Dropbox", e.Name())
		}
	}
}

func rsyncTwice(t *testing.T, w *World) {
	id, name := w.order(t)
	src := t.TempDir()
	for i := range 500 {
		must(t, os.WriteFile(fmt.Sprintf("%s/f%03d.txt", src, i), []byte(strings.Repeat("x", i)), 0o644))
	}
	to := w.in("Sales Orders", name)
	start, asked := time.Now(), w.asks(t)
	rsync := func() string { return sh(t, src, `rsync -ai ./ "$1/"`, to) }
	if out := rsync(); strings.Count(out, ">f") != 500 {
		t.Errorf("the first run moved %d files", strings.Count(out, ">f"))
	}
	t.Logf("rsync took %.1f s", time.Since(start).Seconds())
	if out := rsync(); strings.Contains(out, ">f") {
		t.Errorf("the second run moved files:\n%s", clip(out))
	}
	w.within(t, manyWait, "500 links", func() error { return links(w.odoo.documents(t, "sale.order", id), 500) })
	t.Logf("all were links after %.1f s, %s", time.Since(start).Seconds(), asked.perFile(w.asks(t), 500))
	if out := rsync(); strings.Contains(out, ">f") {
		t.Errorf("after everything became links it moved files:\n%s", clip(out))
	}
	w.agree(t)
}

// asks counts the requests to the servers so far, looks and long-polls included.
type asks struct{ odoo, dropbox int }

func (w *World) asks(t *testing.T) asks {
	t.Helper()
	return asks{w.odoo.calls(t), len(w.box.Requests())}
}

// perFile says how many requests there were since, for each of n files.
func (a asks) perFile(now asks, n int) string {
	return fmt.Sprintf("%.2f Odoo calls and %.2f requests to Dropbox a file", float64(now.odoo-a.odoo)/float64(n), float64(now.dropbox-a.dropbox)/float64(n))
}

// links wants so many links, and nothing else. An empty file has no bytes that
// a link could save, so it may be either.
func links(all []document, want int) error {
	n := 0
	for _, d := range all {
		if d.Type == "url" || d.Checksum == sum("") {
			n++
		}
	}
	if n != want || len(all) != want {
		return fmt.Errorf("%d links among %d documents, want %d", n, len(all), want)
	}
	return nil
}

func editors(t *testing.T, w *World) {
	id, name := w.order(t)
	otherID, other := w.order(t)
	dir := w.in("Sales Orders", name)
	sh(t, dir, `echo first > note.txt`)
	note := w.one(t, "sale.order", id, "note.txt", isLink)
	same := func(what, content string) {
		t.Helper()
		w.eventually(t, what+" in Dropbox", func() error { return holds(w.box2("Sales Orders", name, "note.txt"), content) })
		d := w.one(t, "sale.order", id, "note.txt", func(d document) error {
			if d.Checksum != sum(content) {
				return fmt.Errorf("not yet: %+v", d)
			}
			return isLink(d)
		})
		if d.ID != note.ID {
			t.Errorf("%s: attachment %d became %d", what, note.ID, d.ID)
		}
		must(t, holds(filepath.Join(dir, "note.txt"), content))
	}
	sh(t, dir, `echo second >> note.txt`)
	same("appended", "first\nsecond\n")
	sh(t, dir, `vim -u NONE -es -c 'normal Gothird' -c wq note.txt </dev/null`)
	same("vim's save", "first\nsecond\nthird\n")
	sh(t, dir, `vim -u NONE -es --cmd 'set backup backupcopy=no' -c 'normal Gofourth' -c wq note.txt </dev/null; rm -f note.txt~`)
	same("vim's save by renaming", "first\nsecond\nthird\nfourth\n")
	sh(t, dir, `sed -i s/first/FIRST/ note.txt`)
	w.eventually(t, "sed's save in Dropbox", func() error {
		return holds(w.box2("Sales Orders", name, "note.txt"), "FIRST\nsecond\nthird\nfourth\n")
	})
	sh(t, dir, `mkdir -p tree/sub && cp note.txt tree/copy.txt && echo deep > tree/sub/deep.txt && cp -r tree "$1/"`, w.in("Sales Orders", other))
	for _, of := range []int64{id, otherID} {
		w.one(t, "sale.order", of, "copy.txt", isLink)
		w.one(t, "sale.order", of, "deep.txt", isLink)
	}
	for _, of := range []string{name, other} {
		w.eventually(t, "the tree in Dropbox", func() error {
			return errors.Join(holds(w.box2("Sales Orders", of, "tree", "copy.txt"), "FIRST\nsecond\nthird\nfourth\n"),
				holds(w.box2("Sales Orders", of, "tree", "sub", "deep.txt"), "deep\n"))
		})
	}
	w.agree(t)
}

// temporaries: locks, swap files and the like are not sent, and what gets a
// document's name is.
func temporaries(t *testing.T, w *World) {
	id, name := w.order(t)
	dir := w.in("Sales Orders", name)
	sh(t, dir, `echo me > '.~lock.offer.odt#' && echo me > '~$offer.docx' && echo swap > .offer.txt.swp && echo new > .goutputstream-A1 && echo text > offer.txt`)
	offer := w.one(t, "sale.order", id, "offer.txt", isLink)
	if docs := w.odoo.documents(t, "sale.order", id); len(docs) != 1 {
		t.Errorf("Odoo has %+v", docs)
	}
	must(t, holds(filepath.Join(dir, ".offer.txt.swp"), "swap\n"))
	sh(t, dir, `mv .goutputstream-A1 offer.txt && mv '~$offer.docx' letter.docx && rm '.~lock.offer.odt#' .offer.txt.swp`)
	w.one(t, "sale.order", id, "letter.docx", isLink)
	w.eventually(t, "the new content in Dropbox", func() error { return holds(w.box2("Sales Orders", name, "offer.txt"), "new\n") })
	if d := w.one(t, "sale.order", id, "offer.txt", isLink); d.ID != offer.ID {
		t.Errorf("renamed over: attachment %d became %d", offer.ID, d.ID)
	}
	if docs := w.odoo.documents(t, "sale.order", id); len(docs) != 2 {
		t.Errorf("Odoo has %+v", docs)
	}
	w.agree(t)
}

func removeFew(t *testing.T, w *World) {
	id, name := w.order(t)
	dir := w.in("Sales Orders", name)
	// The guard counts shares too, and with them what other scenarios removed a
	// moment ago: so there is enough that stays.
	const stay = 60
	sh(t, dir, fmt.Sprintf(`mkdir -p d/e stay && for i in 1 2 3 4 5; do echo $i > d/e/$i.txt; done; for i in $(seq %d); do echo $i > stay/$i.txt; done`, stay))
	w.within(t, manyWait, "all are links", func() error { return links(w.odoo.documents(t, "sale.order", id), stay+5) })
	w.agree(t)
	sh(t, dir, `rm -r d`)
	w.eventually(t, "gone in Odoo and Dropbox", func() error {
		return errors.Join(links(w.odoo.documents(t, "sale.order", id), stay), gone(w.box2("Sales Orders", name, "d")))
	})
	w.agree(t)
}

// many is more than the guard lets go without a person.
const many = 210

// filled makes an order with a folder of many files, all of them in Dropbox.
func (w *World) filled(t *testing.T) (id int64, name string) {
	t.Helper()
	id, name = w.order(t)
	sh(t, w.in("Sales Orders", name), fmt.Sprintf(`mkdir d && for i in $(seq %d); do echo $i > d/$i.txt; done`, many))
	w.within(t, manyWait, "all are links", func() error { return links(w.odoo.documents(t, "sale.order", id), many) })
	w.agree(t)
	return id, name
}

// waits wants deletions held in a process, told by its status, and gives their
// number.
func (w *World) waits(t *testing.T, of string, want ...int) (held int) {
	t.Helper()
	w.eventually(t, fmt.Sprintf("status of %s tells of %v held deletions", of, want), func() error {
		out, code := w.odbxfs(t, "status", "--of", of)
		_, rest, _ := strings.Cut(out, "\n") // the first line tells of the queue
		for line := range strings.Lines(rest) {
			if n, found := strings.CutSuffix(strings.TrimSpace(line), " held, waits for `odbxfs approve` or `odbxfs restore`:"); found {
				held, _ = strconv.Atoi(n) // 0 is not wanted
			}
		}
		if !slices.Contains(want, held) || code != exitPerson {
			return fmt.Errorf("code %d: %s", code, out)
		}
		return nil
	})
	return held
}

// exitPerson is the exit code for what waits for a person.
const exitPerson = 5

// mounting is the process that has the mount.
func (w *World) mounting() string { return w.commands()[len(w.commands())-1] }

func removeMany(t *testing.T, w *World) {
	defer func() {
		for _, of := range w.commands() {
			if t.Failed() { // what it left held would fail those that follow
				w.odbxfs(t, "approve", "--of", of)
			}
		}
	}()
	id, name := w.filled(t)
	dir, of := w.in("Sales Orders", name), w.mounting()
	held := func() {
		t.Helper()
		sh(t, dir, `rm -r d`)
		must(t, gone(filepath.Join(dir, "d")))
		w.waits(t, of, many+1)
		must(t, gone(filepath.Join(dir, "d")))
		must(t, links(w.odoo.documents(t, "sale.order", id), many))
		must(t, holds(w.box2("Sales Orders", name, "d", "7.txt"), "7\n"))
	}
	held()
	if out, code := w.odbxfs(t, "restore", "--of", of); code != 0 || !strings.Contains(out, fmt.Sprintf("%d things are back", many+1)) {
		t.Fatalf("restore: %d %s", code, out)
	}
	w.eventually(t, "it shows again", func() error { return holds(filepath.Join(dir, "d", "7.txt"), "7\n") })
	w.agree(t)
	must(t, links(w.odoo.documents(t, "sale.order", id), many))

	held()
	approve := func(of string, held int) {
		t.Helper()
		if out, code := w.odbxfs(t, "approve", "--of", of); code != 0 || !strings.Contains(out, fmt.Sprintf("%d deletions go on", held)) {
			t.Fatalf("approve: %d %s", code, out)
		}
	}
	approve(of, many+1)
	w.within(t, manyWait, "gone in Odoo", func() error { return none(w.odoo.documents(t, "sale.order", id)) })
	if w.wiring != "run" {
		// The sync sees so many deletions in Odoo: it asks on its own. The folder
		// is among them, or waits for what is in it.
		held := w.waits(t, "sync", many, many+1)
		must(t, holds(w.box2("Sales Orders", name, "d", "7.txt"), "7\n"))
		approve("sync", held)
	}
	w.within(t, manyWait, "gone in Dropbox", func() error { return gone(w.box2("Sales Orders", name, "d")) })
	w.agree(t)
}
