package cache

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"odbxfs"
)

// clock is a clock that moves by itself, one second a look.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(time.Second)
	return c.t
}

func newClock() *clock { return &clock{t: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func testOptions() Options {
	return Options{Now: newClock().now, ID: "t", memTable: 1 << 20}
}

// memStore is a store in memory.
func memStore(t *testing.T) *Store {
	t.Helper()
	o := testOptions()
	o.InMemory, o.Dir = true, t.TempDir()
	return openStore(t, o)
}

// diskStore is a store on disk that syncs when it is told to.
func diskStore(t *testing.T, dir string) *Store {
	t.Helper()
	o := testOptions()
	o.Dir, o.After = dir, func(time.Duration) <-chan time.Time { return nil }
	return openStore(t, o)
}

func openStore(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func update(t *testing.T, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.Update(fn); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.View(fn); err != nil {
		t.Fatal(err)
	}
}

// Odoo's side of a tiny world: a rule for sale orders, and one order.
const model = "sale.order"

func rule(id int64, name string) odbxfs.OdooNode {
	return odbxfs.OdooNode{Ref: odbxfs.RuleRef(id), ParentRef: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRule, Name: name, Client: 1, Writable: true}
}

func record(id int64, name string) odbxfs.OdooNode {
	return odbxfs.OdooNode{Ref: odbxfs.RecordRef(model, id), ParentRef: odbxfs.RuleRef(1), Kind: odbxfs.Folder, Role: odbxfs.RoleRecord, Name: name, Client: 1, Writable: true}
}

func subfolder(id int64, name string, in odbxfs.OdooRef) odbxfs.OdooNode {
	return odbxfs.OdooNode{Ref: odbxfs.FolderRef(id), ParentRef: in, Kind: odbxfs.Folder, Role: odbxfs.RoleSubfolder, Name: name, Client: 1, Writable: true}
}

func document(id int64, name string, in odbxfs.OdooRef) odbxfs.OdooNode {
	return odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(id), ParentRef: in, Kind: odbxfs.File, Name: name, Client: 1,
		Type: odbxfs.Binary, SHA1: sha(name), Size: int64(len(name)), MTime: time.Date(2025, 5, 5, 5, 5, 5, 0, time.UTC), Writable: true}
}

// sha is the checksum of a text.
func sha(text string) odbxfs.SHA1 { return shaOf([]byte(text)) }

var order = odbxfs.RecordRef(model, 1)

// world puts a rule and an order, and then nodes, and gives the order's node.
func world(t *testing.T, s *Store, nodes ...odbxfs.OdooNode) (id odbxfs.NodeID) {
	t.Helper()
	putOdoo(t, s, append([]odbxfs.OdooNode{rule(1, "Sales"), record(1, "S1")}, nodes...)...)
	view(t, s, func(tx *Tx) (err error) {
		id, _, err = tx.OdooByRef(order)
		return err
	})
	return id
}

func putOdoo(t *testing.T, s *Store, nodes ...odbxfs.OdooNode) {
	t.Helper()
	update(t, s, func(tx *Tx) error {
		for _, n := range nodes {
			if _, err := tx.PutOdoo(n); err != nil {
				return err
			}
		}
		return nil
	})
}

func byRef(t *testing.T, s *Store, ref odbxfs.OdooRef) (id odbxfs.NodeID) {
	t.Helper()
	view(t, s, func(tx *Tx) (err error) {
		id, _, err = tx.OdooByRef(ref)
		return err
	})
	return id
}

// list gives a folder's names, joined.
func names(t *testing.T, s *Store, folder odbxfs.NodeID) string {
	t.Helper()
	var out []string
	view(t, s, func(tx *Tx) error {
		list, err := tx.ReadDir(folder, "", 0)
		for _, i := range list {
			out = append(out, i.Name)
		}
		return err
	})
	return strings.Join(out, ", ")
}

func wantNames(t *testing.T, s *Store, folder odbxfs.NodeID, want string) {
	t.Helper()
	if got := names(t, s, folder); got != want {
		t.Fatalf("the folder has %q, want %q", got, want)
	}
}

// writer has written and sealed a text; its caller discards it.
func writer(t *testing.T, s *Store, text string) (*Writer, Sealed) {
	t.Helper()
	w, err := s.Contents().NewWriter(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteAt([]byte(text), 0); err != nil {
		t.Fatal(err)
	}
	sealed, err := w.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return w, sealed
}

// seal makes a content of a text.
func seal(t *testing.T, s *Store, text string) Sealed {
	t.Helper()
	w, sealed := writer(t, s, text)
	t.Cleanup(func() {
		if err := w.Discard(); err != nil {
			t.Error(err)
		}
	})
	return sealed
}

// write makes or overwrites a file as a program does: create, write, close.
func write(t *testing.T, s *Store, folder odbxfs.NodeID, name, text string) (i odbxfs.Inode) {
	t.Helper()
	w, sealed := writer(t, s, text)
	update(t, s, func(tx *Tx) error {
		var ok bool
		var err error
		if i, ok, err = tx.Lookup(folder, name); err != nil {
			return err
		}
		if !ok {
			if i, err = tx.Create(folder, name, 0o644); err != nil {
				return err
			}
		}
		i, err = tx.CommitContent(i.Node, sealed)
		return err
	})
	if err := w.Discard(); err != nil {
		t.Fatal(err)
	}
	return i
}

// read gives the bytes of a node that are in the store.
func read(t *testing.T, s *Store, id odbxfs.NodeID) string {
	t.Helper()
	var i odbxfs.Inode
	view(t, s, func(tx *Tx) (err error) {
		i, _, err = tx.Inode(id)
		return err
	})
	r, err := s.Contents().Reader(i.Content)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := make([]byte, r.Size())
	if _, err := r.ReadAt(b, 0); err != nil && r.Size() > 0 {
		t.Fatal(err)
	}
	return string(b)
}

func lookup(t *testing.T, s *Store, folder odbxfs.NodeID, name string) (i odbxfs.Inode) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		var ok bool
		var err error
		if i, ok, err = tx.Lookup(folder, name); err == nil && !ok {
			t.Fatalf("no %q there", name)
		}
		return err
	})
	return i
}

func intents(t *testing.T, s *Store) (list []odbxfs.Intent) {
	t.Helper()
	view(t, s, func(tx *Tx) (err error) {
		list, err = tx.Intents()
		return err
	})
	return list
}

func wantRefusal(t *testing.T, err error, kind MountErrorKind) {
	t.Helper()
	var me *MountError
	if !errors.As(err, &me) || me.Kind != kind {
		t.Fatalf("got %v, want a refusal: %s", err, kind)
	}
}
