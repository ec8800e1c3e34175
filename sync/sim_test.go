package sync

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// TestSimulation runs random histories of people on both sides and in the
// mount, with lost calls, lost answers and crashes between any two steps.
// Afterwards both sides agree, no bytes are lost, and another round does
// nothing. A seed that fails replays exactly.
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
	removed map[string]bool // contents that a person removed or replaced on purpose
	wrote   map[string]bool // contents that were ever there
}

func newHistory(t *testing.T, seed uint64) *history {
	t.Helper()
	r := newRig(t, seed, func(o *Options) { o.Guard.Off = true })
	h := &history{rig: r, removed: map[string]bool{}, wrote: map[string]bool{}}
	r.calm()
	return h
}

// bytes are never the same twice, so that each can be followed.
func (h *history) text() []byte {
	h.words++
	s := fmt.Sprintf("text %d", h.words)
	h.wrote[s] = true
	return []byte(s)
}

func (h *history) live(steps int) {
	h.t.Helper()
	for range steps {
		switch k := h.rnd.IntN(10); {
		case k < 3:
			h.odooPerson()
		case k < 6:
			h.dropboxPerson()
		case k < 7:
			h.mountPerson()
		case k < 8:
			h.trouble()
		case k < 9 && h.rnd.IntN(3) == 0:
			h.trace = append(h.trace, "CRASH")
			h.crash()
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

// trouble makes the next calls fail, before or after they are carried out.
func (h *history) trouble() {
	left := 1 + h.rnd.IntN(3)
	late := h.rnd.IntN(2) == 0
	fail := func(call string) error {
		if left == 0 {
			return nil
		}
		left--
		h.trace = append(h.trace, "LOST "+call)
		return unavailable(call)
	}
	if late {
		h.faults.after, h.faults.before = fail, nil
	} else {
		h.faults.before, h.faults.after = fail, nil
	}
}

func (h *history) did(format string, args ...any) {
	h.trace = append(h.trace, "PERSON "+fmt.Sprintf(format, args...))
	h.step(Event{})
}

// pick gives one of the refs that want takes, or the zero ref.
func (h *history) pick(want func(odbxfs.OdooNode) bool) odbxfs.OdooRef {
	var all []odbxfs.OdooRef
	for _, r := range h.odoo.sorted() {
		if want(h.odoo.nodes[r]) {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return odbxfs.OdooRef{}
	}
	return all[h.rnd.IntN(len(all))]
}

func isFile(n odbxfs.OdooNode) bool { return n.Kind == odbxfs.File }
func holdsFiles(n odbxfs.OdooNode) bool {
	return n.Role == odbxfs.RoleRecord || n.Role == odbxfs.RoleSubfolder
}

func (h *history) odooPerson() {
	f, dir := h.pick(isFile), h.pick(holdsFiles)
	switch h.rnd.IntN(6) {
	case 0, 1:
		ref := h.odoo.addFile(dir, h.name(), h.text())
		h.did("odoo: new %s %q in %s", ref, h.odoo.nodes[ref].Name, dir)
	case 2:
		if !f.IsZero() && h.odoo.nodes[f].Type == odbxfs.Binary {
			h.removed[string(h.odoo.bytes[f])] = true
			h.odoo.write(f, h.text())
			h.did("odoo: write %s", f)
		}
	case 3:
		if !f.IsZero() {
			h.odoo.relocate(f, dir, h.name())
			h.did("odoo: move %s to %s %q", f, dir, h.odoo.nodes[f].Name)
		}
	case 4:
		if !f.IsZero() {
			h.endContent(f)
			h.odoo.remove(f)
			h.did("odoo: remove %s", f)
		}
	case 5:
		h.did("odoo: folder %s", h.odoo.addFolder(dir, h.name()))
	}
}

// endContent notes that a person removes what the attachment has.
func (h *history) endContent(f odbxfs.OdooRef) {
	n := h.odoo.nodes[f]
	if n.Type == odbxfs.Binary {
		h.removed[string(h.odoo.bytes[f])] = true
		return
	}
	id := odbxfs.DropboxID("id:" + strings.TrimSuffix(strings.TrimPrefix(n.URL, "https://www.dropbox.com/scl/fi/"), "?dl=0"))
	h.removed[string(h.dropbox.bytes[id])] = true
}

func (h *history) name() string { return string(rune('a'+h.rnd.IntN(6))) + ".txt" }

func (h *history) dropboxPath(kind odbxfs.NodeKind, under string) string {
	var all []string
	for _, id := range h.dropbox.ids() {
		n := h.dropbox.nodes[id]
		if n.Kind == kind && strings.HasPrefix(n.Path, under) {
			all = append(all, n.Path)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return all[h.rnd.IntN(len(all))]
}

func (h *history) dropboxPerson() {
	f, dir := h.dropboxPath(odbxfs.File, "/Odoo/Sales Orders/S"), h.dropboxPath(odbxfs.Folder, "/Odoo/Sales Orders/S")
	switch h.rnd.IntN(6) {
	case 0, 1:
		if dir != "" {
			p := dir + "/" + h.name()
			h.dropboxEnds(p)
			if n, ok := h.dropbox.at(p); ok && n.Kind == odbxfs.Folder {
				return
			}
			h.dropbox.personWrites(p, h.text())
			h.did("dropbox: write %s", p)
		}
	case 2:
		if f != "" {
			h.dropboxEnds(f)
			h.dropbox.personWrites(f, h.text())
			h.did("dropbox: write %s", f)
		}
	case 3:
		if f != "" && dir != "" {
			to := dir + "/" + h.name()
			h.dropbox.personMoves(f, to)
			h.did("dropbox: move %s to %s", f, to)
		}
	case 4:
		if f != "" {
			h.dropboxEnds(f)
			h.dropbox.personRemoves(f)
			h.did("dropbox: remove %s", f)
		}
	case 5:
		if dir != "" {
			h.dropbox.personMakes(dir + "/" + h.name() + ".d")
			h.did("dropbox: folder in %s", dir)
		}
	}
}

func (h *history) dropboxEnds(p string) {
	if n, ok := h.dropbox.at(p); ok {
		h.removed[string(h.dropbox.bytes[n.ID])] = true
	}
}

func (h *history) mountPerson() {
	dir := "Sales Orders/" + []string{"S00001", "S00002", "S00003"}[h.rnd.IntN(3)]
	var list []odbxfs.Inode
	if err := h.store.View(func(tx *cache.Tx) error {
		var err error
		list, err = tx.ReadDir(h.mountDirTx(tx, dir), "", 100)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(i odbxfs.Inode) bool { return i.Kind != odbxfs.File })
	if len(list) == 0 || h.rnd.IntN(2) == 0 {
		name := h.name() + ".m"
		if slices.ContainsFunc(list, func(i odbxfs.Inode) bool { return i.Name == name }) {
			return
		}
		h.mountWrites(dir, name, h.text())
		h.did("mount: write %s/%s", dir, name)
		return
	}
	in := list[h.rnd.IntN(len(list))]
	to := "moved " + h.name()
	h.update(func(tx *cache.Tx) error {
		if _, taken, err := tx.Lookup(in.Parent, to); err != nil || taken {
			return err
		}
		return tx.Rename(in.Parent, in.Name, in.Parent, to, 0)
	})
	h.did("mount: rename %s/%s to %s", dir, in.Name, to)
}

// end comes to rest without faults and judges by the servers' state alone.
func (h *history) end() {
	h.t.Helper()
	h.settle()
	h.clock = h.clock.Add(time.Hour)
	h.settle()
	h.sameTrees()
	h.quiet()
	live := map[string]bool{}
	for _, b := range h.dropbox.bytes {
		live[string(b)] = true
	}
	for _, text := range slices.Sorted(keys(h.wrote)) {
		if !live[text] && !h.removed[text] {
			h.t.Fatalf("%q is lost\n%s\n%s", text, strings.Join(h.last(120), "\n"), h.dump())
		}
	}
}

func keys(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// sameTrees compares both sides as Odoo allows: two attachments of one folder
// may have one name there, and then have suffixes in Dropbox.
func (h *history) sameTrees() {
	h.t.Helper()
	strip := func(lines []string) []string {
		var out []string
		for _, l := range lines {
			dir, text, isFile := strings.Cut(l, " = ")
			if !isFile {
				continue
			}
			at := strings.LastIndex(dir, "/")
			out = append(out, text+" in "+depth(dir[:at]))
		}
		slices.Sort(out)
		return out
	}
	odoo, dropbox := strip(h.tree()), strip(h.dropbox.paths())
	if !slices.Equal(odoo, dropbox) {
		s, err := h.engine.Status()
		h.t.Fatalf("the sides differ\nodoo:\n  %s\ndropbox:\n  %s\nstatus %+v %v\n%s", strings.Join(h.tree(), "\n  "),
			strings.Join(h.dropbox.paths(), "\n  "), s, err, strings.Join(h.last(150), "\n")+"\n"+h.dump())
	}
}

// depth names a folder by its record and how deep it lies in it: its own name
// may have a suffix.
func depth(dir string) string {
	parts := strings.Split(dir, "/")
	return fmt.Sprint(parts[:min(4, len(parts))], len(parts))
}
