package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"pgregory.net/rapid"
)

// machine does at random what people and an engine do to a store, beside a
// model that is two maps: the mount's files by path, and the folders.
type machine struct {
	s     *Store
	opt   Options
	files map[string]string // path -> bytes
	dirs  map[string]bool
	odoo  int64 // last id given out
	n     int
}

func newMachine(t *rapid.T, dir string) *machine {
	m := &machine{files: map[string]string{}, dirs: map[string]bool{"/": true}}
	m.opt = testOptions()
	m.opt.Dir, m.opt.After = dir, func(time.Duration) <-chan time.Time { return nil }
	m.open(t)
	return m
}

func (m *machine) open(t *rapid.T) {
	var err error
	if m.s, err = Open(context.Background(), m.opt); err != nil {
		t.Fatal(err)
	}
	if p := m.s.Problems(); len(p) != 0 {
		t.Fatalf("problems: %v", p)
	}
}

func (m *machine) close(t *rapid.T) {
	if err := m.s.Close(); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) update(t *rapid.T, fn func(*Tx) error) {
	if err := m.s.Update(fn); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) anyDir(t *rapid.T, label string) string {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(m.dirs))).Draw(t, label)
}

func anyName(t *rapid.T, label string) string {
	return rapid.SampledFrom([]string{"a", "b", "c", "a.txt"}).Draw(t, label)
}

func (m *machine) at(t *rapid.T, p string) (id odbxfs.NodeID) {
	if err := m.s.View(func(tx *Tx) (err error) { id, err = tx.Resolve(p); return err }); err != nil {
		t.Fatalf("%s: %v", p, err)
	}
	return id
}

func (m *machine) write(t *rapid.T) {
	dir, name := m.anyDir(t, "dir"), anyName(t, "name")
	p := path.Join(dir, name)
	if m.dirs[p] {
		return
	}
	m.n++
	text := fmt.Sprintf("bytes %d", m.n)
	w, err := m.s.Contents().NewWriter(context.Background(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteAt([]byte(text), 0); err != nil {
		t.Fatal(err)
	}
	sealed, err := w.Seal(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	parent := m.at(t, dir)
	m.update(t, func(tx *Tx) error {
		i, ok, err := tx.Lookup(parent, name)
		if err != nil {
			return err
		}
		if !ok {
			if i, err = tx.Create(parent, name, 0); err != nil {
				return err
			}
		}
		_, err = tx.CommitContent(i.Node, sealed)
		return err
	})
	if err := w.Discard(); err != nil {
		t.Fatal(err)
	}
	m.files[p] = text
}

func (m *machine) taken(p string) bool { _, f := m.files[p]; return f || m.dirs[p] }

func (m *machine) empty(dir string) bool {
	for p := range maps.Keys(m.dirs) {
		if strings.HasPrefix(p, dir+"/") {
			return false
		}
	}
	for p := range m.files {
		if strings.HasPrefix(p, dir+"/") {
			return false
		}
	}
	return true
}

func (m *machine) mkdir(t *rapid.T) {
	dir, name := m.anyDir(t, "dir"), anyName(t, "name")
	parent := m.at(t, dir)
	err := m.s.Update(func(tx *Tx) error { _, err := tx.Mkdir(parent, name); return err })
	p := path.Join(dir, name)
	if m.taken(p) {
		m.refused(t, err, MountExists)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	m.dirs[p] = true
}

func (m *machine) refused(t *rapid.T, err error, kinds ...MountErrorKind) {
	var me *MountError
	if !errors.As(err, &me) || !slices.Contains(kinds, me.Kind) {
		t.Fatalf("got %v, want a refusal: %v", err, kinds)
	}
}

func (m *machine) remove(t *rapid.T) {
	dir, name := m.anyDir(t, "dir"), anyName(t, "name")
	p, parent := path.Join(dir, name), m.at(t, dir)
	if m.dirs[p] {
		err := m.s.Update(func(tx *Tx) error { return tx.Rmdir(parent, name) })
		if !m.empty(p) {
			m.refused(t, err, MountNotEmpty)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		delete(m.dirs, p)
		return
	}
	err := m.s.Update(func(tx *Tx) error { _, err := tx.Unlink(parent, name); return err })
	if _, ok := m.files[p]; !ok {
		m.refused(t, err, MountNotFound)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	delete(m.files, p)
}

func (m *machine) rename(t *rapid.T) {
	from := path.Join(m.anyDir(t, "from"), anyName(t, "name"))
	to := path.Join(m.anyDir(t, "to"), anyName(t, "newname"))
	a, b := m.at(t, path.Dir(from)), m.at(t, path.Dir(to))
	var target odbxfs.NodeID
	if _, ok := m.files[to]; ok {
		target = m.at(t, to)
	}
	err := m.s.Update(func(tx *Tx) error { return tx.Rename(a, path.Base(from), b, path.Base(to), 0) })
	switch {
	case !m.taken(from):
		m.refused(t, err, MountNotFound)
		return
	case m.dirs[from] && (to == from || strings.HasPrefix(to, from+"/")):
		if to != from {
			m.refused(t, err, MountInvalid)
		}
		return
	case m.dirs[from] && m.dirs[to] && !m.empty(to):
		m.refused(t, err, MountNotEmpty)
		return
	case m.taken(to) && m.dirs[from] != m.dirs[to]:
		m.refused(t, err, MountNotDir, MountIsDir, MountNotEmpty)
		return
	case err != nil:
		t.Fatal(err)
	}
	if target != 0 && from != to && m.at(t, to) != target {
		t.Fatalf("%s lost its identity to %s", to, from)
	}
	m.moveModel(from, to)
}

func (m *machine) moveModel(from, to string) {
	if text, ok := m.files[from]; ok {
		delete(m.files, from)
		m.files[to] = text
		return
	}
	for p, text := range maps.Clone(m.files) {
		if rest, ok := strings.CutPrefix(p, from+"/"); ok {
			delete(m.files, p)
			m.files[to+"/"+rest] = text
		}
	}
	for p := range maps.Clone(m.dirs) {
		if rest, ok := strings.CutPrefix(p+"/", from+"/"); ok {
			delete(m.dirs, p)
			m.dirs[strings.TrimSuffix(to+"/"+rest, "/")] = true
		}
	}
}

// settle carries intents out as an engine would, up to some of them.
func (m *machine) settle(t *rapid.T, most int) {
	for _, gone := range []bool{false, true} {
		for progress := true; progress && most > 0; {
			progress = false
			var list []odbxfs.Intent
			if err := m.s.View(func(tx *Tx) (err error) { list, err = tx.Intents(); return err }); err != nil {
				t.Fatal(err)
			}
			for _, i := range list {
				if most > 0 && i.Gone == gone && m.settleOne(t, i) {
					most--
					progress = true
				}
			}
		}
	}
}

func (m *machine) settleOne(t *rapid.T, i odbxfs.Intent) (done bool) {
	m.update(t, func(tx *Tx) error {
		if i.Gone {
			kids := tx.Odoo().Children(i.Node)
			if len(kids) > 0 {
				return nil // Odoo would refuse: something in it is still to be moved
			}
			done = true
			if err := tx.DropOdoo(i.Node); err != nil {
				return err
			}
			return tx.DropIntent(i.Node, i.Seq)
		}
		ino, ok, err := tx.Inode(i.Node)
		if err != nil || !ok {
			return fmt.Errorf("an intent of nothing: %+v %w", i, err)
		}
		parent, ok, err := tx.OdooNode(ino.Parent)
		if err != nil || !ok {
			return err
		}
		n := i.Was
		if n.Ref.IsZero() {
			m.odoo++
			n = odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(m.odoo), Type: odbxfs.Binary, Writable: true}
			if ino.Kind == odbxfs.Folder {
				n = odbxfs.OdooNode{Ref: odbxfs.FolderRef(m.odoo), Role: ino.Role, Writable: true}
			}
		}
		n.Node, n.ParentRef, n.Name, n.Kind = i.Node, parent.Ref, ino.Name, ino.Kind
		n.SHA1, n.Size, n.MTime = ino.SHA1, ino.Size, ino.MTime
		if _, err := tx.PutOdoo(n); err != nil {
			return err
		}
		done = true
		return tx.DropIntent(i.Node, i.Seq)
	})
	return done
}

// check compares the mount with the model, and the store with itself.
func (m *machine) check(t *rapid.T) {
	files, dirs := map[string]string{}, map[string]bool{"/": true}
	err := m.s.View(func(tx *Tx) error {
		var walk func(dir string, id odbxfs.NodeID) error
		walk = func(dir string, id odbxfs.NodeID) error {
			list, err := tx.ReadDir(id, "", 0)
			if err != nil {
				return err
			}
			for _, i := range list {
				again, ok, err := tx.Inode(i.Node)
				if err != nil || !ok || again != i {
					return fmt.Errorf("entry %+v and inode %+v differ: %w", i, again, err)
				}
				p := path.Join(dir, i.Name)
				if got, err := tx.PathOf(i.Node); err != nil || got != p {
					return fmt.Errorf("%s is said to be %s: %w", p, got, err)
				}
				if i.Kind == odbxfs.Folder {
					dirs[p] = true
					if err := walk(p, i.Node); err != nil {
						return err
					}
					continue
				}
				b, err := os.ReadFile(m.s.contents.path(i.Content))
				if err != nil || shaOf(b) != i.SHA1 || int64(len(b)) != i.Size {
					return fmt.Errorf("%s: %d bytes, inode %+v: %w", p, len(b), i, err)
				}
				files[p] = string(b)
			}
			return nil
		}
		if err := walk("/", odbxfs.RootNode); err != nil {
			return err
		}
		return checkCounts(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(files, m.files) || !maps.Equal(dirs, m.dirs) {
		t.Fatalf("the mount has %v %v, the model %v %v", files, dirs, m.files, m.dirs)
	}
}

// checkCounts counts the Odoo tree again.
func checkCounts(tx *Tx) error {
	want := map[odbxfs.OdooScope]odbxfs.OdooCount{}
	var walk func(id odbxfs.NodeID) error
	walk = func(id odbxfs.NodeID) error {
		for _, k := range tx.Odoo().Children(id) {
			r, ok, err := load[odooRec](tx, keyNode(kOdoo, k))
			if err != nil || !ok {
				return fmt.Errorf("a child that is not there: %w", err)
			}
			c := want[scopeOf(r)]
			c.Scope = scopeOf(r)
			c.Count++
			c.Sum += r.N.Ref.ID
			want[scopeOf(r)] = c
			if err := walk(k); err != nil {
				return err
			}
		}
		return tx.Err()
	}
	if err := walk(odbxfs.RootNode); err != nil {
		return err
	}
	got, err := tx.OdooCounts()
	if err != nil || len(got) != len(want) {
		return fmt.Errorf("counts %v, want %v: %w", got, want, err)
	}
	for _, c := range got {
		if want[c.Scope] != c {
			return fmt.Errorf("count %v, want %v", c, want[c.Scope])
		}
	}
	return nil
}

func TestTheMountAgreesWithAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "odbxfs-model-") //nolint:usetesting // t.TempDir would keep all of a thousand runs until the end
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		m := newMachine(t, dir)
		defer func() { m.close(t) }()
		ops := map[string]func(){
			"write": func() { m.write(t) }, "mkdir": func() { m.mkdir(t) }, "remove": func() { m.remove(t) },
			"rename": func() { m.rename(t) }, "settle": func() { m.settle(t, rapid.IntRange(1, 4).Draw(t, "most")) },
			"reopen": func() { m.close(t); m.open(t) },
		}
		deck := []string{"write", "write", "write", "mkdir", "mkdir", "remove", "remove", "rename", "rename", "rename", "settle", "settle", "reopen"}
		for range rapid.IntRange(5, 30).Draw(t, "steps") {
			ops[rapid.SampledFrom(deck).Draw(t, "do")]()
			m.check(t)
		}
		m.settle(t, 1000)
		m.check(t)
		if err := m.s.View(func(tx *Tx) error {
			if list, err := tx.Intents(); err != nil || len(list) != 0 {
				return fmt.Errorf("left to do: %+v %w", list, err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}
