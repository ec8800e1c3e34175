package scenario

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A killing is an instant on the wire at which the program ends.
type killing struct {
	when    instant
	matches func(path string, body []byte) bool
}

// batch is how many files are copied in while the program is killed, and armed
// how batch of them are acknowledged before it may be.
const batch, armed = 200, 60

var (
	insideOdooUpload = killing{inside, func(_ string, body []byte) bool { return bytes.Contains(body, []byte(`"kind":"create"`)) }}
	insideUpload     = killing{inside, func(path string, body []byte) bool {
		return strings.HasSuffix(path, "/append_batch") || strings.HasSuffix(path, "/files/upload") || strings.HasSuffix(path, "/append_v2")
	}}
	beforeConvert = killing{before, hasConvert}
	afterConvert  = killing{after, hasConvert}
)

func hasConvert(_ string, body []byte) bool { return bytes.Contains(body, []byte(`"kind":"convert"`)) }

// killedIn makes the scenario of one instant.
func killedIn(k killing) func(*testing.T, *World) {
	return func(t *testing.T, w *World) {
		rounds := 1
		if soak() {
			rounds = 5
		}
		for range rounds {
			w.up(t)
			w.killedOnce(t, k)
			w.down(t)
		}
	}
}

// copying writes files until all are there or the mount is gone.
type copying struct {
	acknowledged atomic.Int64 // files whose close succeeded: all up to it
	ended        chan struct{}
}

func fileName(i int) string    { return fmt.Sprintf("file %03d.txt", i) }
func fileContent(i int) string { return fmt.Sprintf("content of file %d\n", i) }

func copyMany(dir string) *copying {
	c := &copying{ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		for i := range batch {
			if err := os.WriteFile(dir+"/"+fileName(i), []byte(fileContent(i)), 0o644); err != nil {
				return // the program was killed
			}
			c.acknowledged.Add(1)
		}
	}()
	return c
}

// killedOnce copies 200 files in, has the program killed at the instant, starts
// it again, copies what was not acknowledged, and looks at both sides.
func (w *World) killedOnce(t *testing.T, k killing) {
	t.Helper()
	id, name := w.order(t)
	dir := w.in("Sales Orders", name)
	var files *copying
	ready := make(chan struct{})
	procs := w.procs
	tr := &trap{when: k.when, sprung: make(chan hit, 1),
		matches: func(path string, body []byte) bool {
			<-ready
			return files.acknowledged.Load() >= armed && k.matches(path, body)
		},
		spring: func() {
			for _, p := range procs {
				_ = p.cmd.Process.Kill() // one that has ended already is as good
				<-p.ended
			}
		}}
	w.wire.set(tr)
	files = copyMany(dir)
	close(ready)
	select {
	case h := <-tr.sprung:
		must(t, h.right(k.when))
		t.Logf("%s was hit after %d of %d bytes, answer %d", h.path, h.sent, h.size, h.code)
	case <-time.After(2 * wait):
		t.Fatalf("the instant did not come: %d files are acknowledged", files.acknowledged.Load())
	}
	<-files.ended
	for name, p := range procs {
		if st, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || st.Signal() != syscall.SIGKILL {
			t.Errorf("%s was not killed: %s", name, p.cmd.ProcessState)
		}
	}
	w.kill(t)
	kept := int(files.acknowledged.Load())
	t.Logf("killed when %d files were acknowledged", kept)

	w.up(t)
	for i := range kept {
		must(t, holds(dir+"/"+fileName(i), fileContent(i)))
	}
	for i := kept; i < batch; i++ {
		must(t, os.WriteFile(dir+"/"+fileName(i), []byte(fileContent(i)), 0o644))
	}
	w.within(t, 4*wait, "all files are links, once each", func() error { return w.allLinks(t, id) })
	w.agree(t)
	w.idle(t)
	w.quiet(t)
	must(t, w.allLinks(t, id))
	inBox, err := tree(w.box2("Sales Orders", name))
	must(t, err)
	delete(inBox, "Contracts")
	for i := range batch {
		if inBox[fileName(i)] != fileContent(i) {
			t.Errorf("%s in Dropbox holds %q", fileName(i), inBox[fileName(i)])
		}
		delete(inBox, fileName(i))
	}
	if len(inBox) > 0 {
		t.Errorf("Dropbox has more than was copied in: %v", inBox)
	}
}

// allLinks reports what keeps the order's documents from being exactly the
// files that were copied in, each a link.
func (w *World) allLinks(t *testing.T, id int64) error {
	t.Helper()
	docs := w.odoo.documents(t, "sale.order", id)
	seen := map[string]document{}
	for _, d := range docs {
		if old, twice := seen[d.Name]; twice {
			return fmt.Errorf("%s is there twice: %+v and %+v", d.Name, old, d)
		}
		seen[d.Name] = d
	}
	for i := range batch {
		d, ok := seen[fileName(i)]
		if !ok {
			return fmt.Errorf("%s is not in Odoo, which has %d documents", fileName(i), len(docs))
		}
		if err := isLink(d); err != nil {
			return err
		}
		if d.Checksum != sum(fileContent(i)) {
			return fmt.Errorf("other bytes: %+v", d)
		}
	}
	if len(docs) != batch {
		return fmt.Errorf("%d documents for %d files", len(docs), batch)
	}
	return nil
}
