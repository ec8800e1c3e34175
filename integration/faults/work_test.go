package faults

import (
	"fmt"
	"strings"
	"time"
)

// text is the content of a file; no two are the same.
func text(name string, i int) string {
	return fmt.Sprintf("%s of %d\n%s", name, i, strings.Repeat("x", i*37%3000))
}

// many names n files of an order and their contents.
func many(order, name string, n int) []file {
	all := make([]file, n)
	for i := range all {
		all[i] = file{fmt.Sprintf("%s/%s %04d.txt", order, name, i), text(name, i)}
	}
	return all
}

func (w *world) putAll(files []file) {
	w.t.Helper()
	for _, f := range files {
		w.putInBox(f.path, f.text)
	}
}

// before is what is on both sides when the fault comes: a half of n files.
func (w *world) before(n int) (fromOdoo, fromBox []file) {
	w.t.Helper()
	fromOdoo, fromBox = many("S00001", "old of Odoo", n/4), many("S00002", "old of Dropbox", n/4)
	w.createInOdoo(fromOdoo...)
	w.putAll(fromBox)
	if err := w.rest(time.Hour); err != nil {
		w.t.Fatalf("before the fault: %v", err)
	}
	return fromOdoo, fromBox
}

// during is what people do while something goes wrong: the other half of the n
// files comes, from both sides, and an eighth of the old ones are each edited,
// renamed, moved or deleted, on either side.
func (w *world) during(n int, f fault, fromOdoo, fromBox []file) {
	w.t.Helper()
	w.createInOdoo(many("S00001", "new of Odoo", n/8)...)
	if f.large {
		w.createInOdoo(file{"S00005/large.bin", strings.Repeat("large ", 2<<20)}) // two parts
	}
	for range 2 {
		w.createInOdoo(many(w.newOrder(), "first", 1)...)
	}
	w.putAll(many("S00002/Drawings", "new of Dropbox", n/8))
	time.Sleep(2 * time.Second)
	if f.restart {
		w.stop()
		w.start()
	}
	few := max(n/32, 1)
	for i, f := range fromBox[:few] {
		w.putInBox(f.path, text("edited in Dropbox", i))
	}
	for _, f := range fromBox[few : 2*few] {
		w.moveInBox(f.path, strings.Replace(f.path, "S00002/", "S00003/", 1))
	}
	for _, f := range fromBox[2*few : 3*few] {
		w.moveInBox(f.path, strings.Replace(f.path, "old", "renamed", 1))
	}
	for _, f := range fromBox[3*few : 4*few] {
		w.deleteInBox(f.path)
	}
	for i, f := range fromOdoo[:few] {
		w.editInOdoo(f.path, text("edited in Odoo", i))
	}
	for i, f := range fromOdoo[few : 2*few] {
		w.renameInOdoo(f.path, fmt.Sprintf("renamed in Odoo %d.txt", i))
	}
	for _, f := range fromOdoo[2*few : 3*few] {
		w.deleteInOdoo(f.path)
	}
	time.Sleep(3 * time.Second)
	w.moveInBox("S00002/Drawings", "S00002/Plans")
	w.createInOdoo(many("S00004", "later of Odoo", n/8)...)
	w.putAll(many("S00001", "later of Dropbox", n/8))
}
