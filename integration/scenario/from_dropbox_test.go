package scenario

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fromDropbox: what people do in Dropbox follows in Odoo and in the mount.
var fromDropbox = []scenario{
	// First: of what follows the guard of deletions then sees a small share, though
	// it counts what other scenarios removed within the last minute.
	{name: "200 files copied into Dropbox", run: manyInDropbox},
	{name: "added, edited, renamed, moved and deleted in Dropbox", run: lifeInDropbox},
	{name: "a mirrored picture edited in Dropbox", run: editPicture},
	{name: "a folder tree copied into Dropbox", run: treeInDropbox},
	{name: "a record's folder deleted in Dropbox comes back empty", run: recordFolderDeleted},
	{name: "a mass deletion in Dropbox is held and restored", run: massDeletionRestored, always: []string{"14/apart"}},
	{name: "changed on both sides between two passes", run: conflict, stage: stopped},
}

func isLink(d document) error {
	if d.Type != "url" {
		return fmt.Errorf("no link: %+v", d)
	}
	return nil
}

func lifeInDropbox(t *testing.T, w *World) {
	id, name := w.order(t)
	otherID, other := w.order(t)
	file := w.box2("Sales Orders", name, "new.txt")
	must(t, os.WriteFile(file, []byte("one"), 0o644))
	first := w.one(t, "sale.order", id, "new.txt", isLink)
	w.eventually(t, "shows in the mount", func() error { return holds(w.in("Sales Orders", name, "new.txt"), "one") })

	must(t, os.WriteFile(file, []byte("two, longer"), 0o644))
	w.eventually(t, "the new content shows", func() error { return holds(w.in("Sales Orders", name, "new.txt"), "two, longer") })
	w.one(t, "sale.order", id, "new.txt", func(d document) error {
		if d.ID != first.ID || d.Checksum != sum("two, longer") {
			return fmt.Errorf("edited: %+v", d)
		}
		return isLink(d)
	})

	sh(t, w.drop, `mv "$1" "$2"`, file, w.box2("Sales Orders", name, "renamed.txt"))
	if d := w.one(t, "sale.order", id, "renamed.txt", isLink); d.ID != first.ID {
		t.Errorf("renamed: attachment %d became %d", first.ID, d.ID)
	}
	sh(t, w.drop, `mv "$1" "$2"`, w.box2("Sales Orders", name, "renamed.txt"), w.box2("Sales Orders", other)+"/")
	if d := w.one(t, "sale.order", otherID, "renamed.txt", isLink); d.ID != first.ID {
		t.Errorf("moved: attachment %d became %d", first.ID, d.ID)
	}
	w.eventually(t, "moved in the mount", func() error { return holds(w.in("Sales Orders", other, "renamed.txt"), "two, longer") })

	must(t, os.Remove(w.box2("Sales Orders", other, "renamed.txt")))
	w.eventually(t, "gone in Odoo", func() error { return none(w.odoo.documents(t, "sale.order", otherID)) })
	w.eventually(t, "gone in the mount", func() error { return gone(w.in("Sales Orders", other, "renamed.txt")) })
}

func none(all []document) error {
	if len(all) > 0 {
		return fmt.Errorf("still there: %+v", all)
	}
	return nil
}

func editPicture(t *testing.T, w *World) {
	id, name := w.order(t)
	before, after := picture(40, 30), picture(2600, 2000)
	must(t, os.WriteFile(w.in("Sales Orders", name, "p.png"), []byte(before), 0o644))
	file := w.box2("Sales Orders", name, "p.png")
	w.eventually(t, "mirrored", func() error { return holds(file, before) })
	w.one(t, "sale.order", id, "p.png", func(d document) error { return binaryOf(d, before) })
	must(t, os.WriteFile(file, []byte(after), 0o644))
	w.one(t, "sale.order", id, "p.png", func(d document) error { return binaryOf(d, after) })
	w.eventually(t, "in the mount", func() error { return holds(w.in("Sales Orders", name, "p.png"), after) })
}

func binaryOf(d document, content string) error {
	if d.Type != "binary" || d.Checksum != sum(content) || d.Size != int64(len(content)) {
		return fmt.Errorf("want a binary of these bytes: %+v", d)
	}
	return nil
}

func treeInDropbox(t *testing.T, w *World) {
	id, name := w.order(t)
	src := t.TempDir()
	sh(t, src, `mkdir -p top/sub/deep && echo a > top/a.txt && echo b > top/sub/b.txt && echo c > top/sub/deep/c.txt`)
	free := "Free of " + name
	sh(t, src, `cp -r top "$1" && mkdir "$2" && cp -r top "$2"`, w.box2("Sales Orders", name)+"/", w.box2(free))
	for _, file := range []string{"a.txt", "b.txt", "c.txt"} {
		w.one(t, "sale.order", id, file, isLink)
	}
	for _, under := range []string{filepath.Join("Sales Orders", name), free} {
		w.eventually(t, "the tree shows in the mount under "+under, func() error {
			return holds(w.in(under, "top", "sub", "deep", "c.txt"), "c\n")
		})
	}
	if n := w.odoo.count(t, "x_odbxfs_folder", "x_res_id", id); n != 4 { // top, sub, deep, and the default one
		t.Errorf("%d subfolders of the order", n)
	}
	root := w.first(t, "x_odbxfs_place", [][]any{})
	for file, content := range map[string]string{"a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n"} {
		d := w.one(t, "x_odbxfs_place", root, file, isLink) // of no record of Odoo's own
		opens(t, d.URL, content)
	}
	w.agree(t)
	sh(t, w.drop, `rm -r "$1"`, w.box2(free))
	w.eventually(t, "gone in the mount", func() error { return gone(w.in(free)) })
	w.eventually(t, "gone in Odoo", func() error { return none(w.odoo.documents(t, "x_odbxfs_place", root)) })
}

func manyInDropbox(t *testing.T, w *World) {
	const n = 200
	id, name := w.order(t)
	src := t.TempDir()
	for i := range n {
		must(t, os.WriteFile(filepath.Join(src, fileName(i)), []byte(fileContent(i)), 0o644))
	}
	start, asked := time.Now(), w.asks(t)
	sh(t, src, `cp *.txt "$1"`, w.box2("Sales Orders", name)+"/")
	w.within(t, manyWait, "all are links", func() error { return links(w.odoo.documents(t, "sale.order", id), n) })
	t.Logf("all were links after %.1f s, %s", time.Since(start).Seconds(), asked.perFile(w.asks(t), n))
	w.within(t, manyWait, "all show in the mount", func() error {
		return errors.Join(holds(w.in("Sales Orders", name, fileName(0)), fileContent(0)), holds(w.in("Sales Orders", name, fileName(n-1)), fileContent(n-1)))
	})
}

func recordFolderDeleted(t *testing.T, w *World) {
	id, name := w.order(t)
	must(t, os.WriteFile(w.in("Sales Orders", name, "a.txt"), []byte("a"), 0o644))
	must(t, os.WriteFile(w.in("Sales Orders", name, "Contracts", "b.txt"), []byte("b"), 0o644))
	w.one(t, "sale.order", id, "a.txt", isLink)
	w.one(t, "sale.order", id, "b.txt", isLink)
	w.eventually(t, "mirrored", func() error { return holds(w.box2("Sales Orders", name, "Contracts", "b.txt"), "b") })
	before := w.orderRow(t, id)
	sh(t, w.drop, `rm -r "$1"`, w.box2("Sales Orders", name))
	w.eventually(t, "the attachments are gone", func() error { return none(w.odoo.documents(t, "sale.order", id)) })
	w.eventually(t, "the folder is back with its default subfolder", func() error {
		_, err := os.Stat(w.box2("Sales Orders", name, "Contracts"))
		return err
	})
	left, err := os.ReadDir(w.box2("Sales Orders", name))
	must(t, err)
	if len(left) != 1 {
		t.Errorf("the folder that came back is not empty: %v", left)
	}
	w.eventually(t, "the mount shows the folder, empty", func() error {
		got, err := tree(w.in("Sales Orders", name))
		if err == nil && (len(got) != 1 || got["Contracts"] != "(folder)") {
			err = fmt.Errorf("it holds %v", got)
		}
		return err
	})
	if after := w.orderRow(t, id); after != before {
		t.Errorf("the order was %s, is %s", before, after)
	}
}

// orderRow is what a sale order says of itself, write_date included.
func (w *World) orderRow(t *testing.T, id int64) string {
	t.Helper()
	var rows []map[string]any
	must(t, w.odoo.call(t.Context(), "sale.order", "read", []any{[]int64{id}, []string{"name", "state", "partner_id", "user_id", "write_date"}}, nil, &rows))
	return fmt.Sprint(rows)
}

func conflict(t *testing.T, w *World) {
	w.up(t)
	id, name := w.order(t)
	must(t, os.WriteFile(w.in("Sales Orders", name, "c.txt"), []byte("common"), 0o644))
	d := w.one(t, "sale.order", id, "c.txt", isLink)
	w.eventually(t, "mirrored", func() error { return holds(w.box2("Sales Orders", name, "c.txt"), "common") })
	w.agree(t)
	w.down(t)
	must(t, os.WriteFile(w.box2("Sales Orders", name, "c.txt"), []byte("of Dropbox"), 0o644))
	must(t, w.box.Settle())
	must(t, w.odoo.call(t.Context(), "ir.attachment", "write", []any{[]int64{d.ID}, map[string]any{
		"type": "binary", "url": false, "raw": "of Odoo", "mimetype": "text/plain"}}, nil, nil))
	w.up(t)
	w.eventually(t, "Odoo's bytes hold the name in Dropbox", func() error { return holds(w.box2("Sales Orders", name, "c.txt"), "of Odoo") })
	w.eventually(t, "Odoo's bytes hold the name in the mount", func() error { return holds(w.in("Sales Orders", name, "c.txt"), "of Odoo") })
	w.eventually(t, "Dropbox's stand beside it", func() error { return holds(w.in("Sales Orders", name, "c (conflicted copy).txt"), "of Dropbox") })
	w.one(t, "sale.order", id, "c (conflicted copy).txt", isLink)
	if got := w.one(t, "sale.order", id, "c.txt", isLink); got.ID != d.ID || got.Checksum != sum("of Odoo") {
		t.Errorf("the document that held the name: %+v, was %d", got, d.ID)
	}
	w.agree(t)
	w.eventually(t, "one log line tells of the conflict", func() error {
		if n := w.odoo.count(t, "x_odbxfs_log", "x_why", "changed on both sides: Odoo's holds the name"); n != 1 {
			return fmt.Errorf("%d lines do", n)
		}
		return nil
	})
}

// massDeletionRestored: somebody removes a whole folder in Dropbox. Nothing of it
// goes in Odoo; restored, the bytes come out of Dropbox's trash.
func massDeletionRestored(t *testing.T, w *World) {
	syncing := w.commands()[0]
	defer func() {
		if t.Failed() { // what it left held would fail those that follow
			w.odbxfs(t, "approve", "--of", syncing)
		}
	}()
	id, name := w.filled(t)
	folder := w.box2("Sales Orders", name, "d")
	must(t, os.RemoveAll(folder))
	w.waits(t, syncing, many, many+1) // the folder is among them, or waits for what is in it
	must(t, links(w.odoo.documents(t, "sale.order", id), many))
	if out, code := w.odbxfs(t, "restore", "--of", syncing); code != 0 || !strings.Contains(out, " things are back") {
		t.Fatalf("restore: %d %s", code, out)
	}
	for _, n := range []int{1, 7, many} {
		file, text := fmt.Sprintf("%d.txt", n), fmt.Sprintf("%d\n", n)
		w.within(t, manyWait, file+" is in Dropbox again", func() error { return holds(filepath.Join(folder, file), text) })
	}
	w.within(t, manyWait, "all are links again", func() error { return links(w.odoo.documents(t, "sale.order", id), many) })
	w.agree(t)
}
