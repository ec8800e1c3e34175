package cache

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"odbxfs"
)

// richStore has something in every keyspace that outlives a start.
func richStore(t *testing.T, dir string) *Store {
	t.Helper()
	s := diskStore(t, dir)
	folder := world(t, s, subfolder(10, "sub", order), document(7, "a", odbxfs.FolderRef(10)), document(8, "twin", order), document(9, "twin", order))
	sub := lookup(t, s, folder, "sub").Node
	write(t, s, sub, "new", "unsent")
	kept := write(t, s, sub, "pinned", "kept")
	fetch(t, s, lookup(t, s, folder, "twin").Node, "twin")
	update(t, s, func(tx *Tx) error {
		if err := tx.SetDropboxRoot(1, "/Odoo"); err != nil {
			return err
		}
		if _, err := tx.PutDropbox(odbxfs.DropboxNode{Client: 1, ID: "id:9", Path: "/Odoo/x", Name: "x", Kind: odbxfs.File}); err != nil {
			return err
		}
		if _, err := tx.PutPair(odbxfs.Pair{Client: 1, Kind: odbxfs.File, Odoo: odbxfs.AttachmentRef(8), OdooParent: order, OdooName: "twin", MountName: "twin", Dropbox: "id:9", Row: 1, Version: 1}); err != nil {
			return err
		}
		if _, err := tx.AddTasks([]odbxfs.Task{{Kind: odbxfs.TaskDropboxMkdir, Node: sub}}); err != nil {
			return err
		}
		if err := tx.SetMeta("mark", []byte("7")); err != nil {
			return err
		}
		if err := tx.PinContent(kept.Content, "until seen"); err != nil {
			return err
		}
		return tx.AppendLog(odbxfs.LogLine{What: "something"})
	})
	return s
}

// stored gives a store's keys and values as they are.
func stored(t *testing.T, s *Store) (all []item) {
	t.Helper()
	err := s.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			v, err := it.Item().ValueCopy(nil)
			if err != nil {
				return err
			}
			all = append(all, item{key: it.Item().KeyCopy(nil), val: v})
		}
		return nil
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d keys: %v", len(all), err)
	}
	return all
}

func overwrite(t *testing.T, s *Store, key, val []byte) {
	t.Helper()
	if err := s.db.Update(func(txn *badger.Txn) error { return txn.Set(key, val) }); err != nil {
		t.Fatal(err)
	}
}

// damaged gives what could have become of a value.
func damaged(val []byte) map[string][]byte {
	out := map[string][]byte{"empty": {}, "longer": append(bytes.Clone(val), 0xff)}
	if len(val) > 1 {
		out["cut in half"] = val[:len(val)/2]
		out["its first byte is another"] = append([]byte{val[0] ^ 0x55}, val[1:]...)
		flip := bytes.Clone(val)
		flip[len(val)/2] ^= 0xff
		out["a byte in it is another"] = flip
	}
	return out
}

var errEnough = errors.New("not to be committed")

// readAll reads a store by all its ways, and does what counts something up.
func readAll(s *Store) error {
	err := s.Update(func(tx *Tx) error {
		for id := range odbxfs.NodeID(20) {
			_, _, e1 := tx.Inode(id)
			_, _, e2 := tx.OdooNode(id)
			_, _, e3 := tx.DropboxNode(id)
			_, _, e4 := tx.Pair(id)
			_, e5 := tx.ReadDir(id, "", 0)
			_, e6 := tx.TasksOf(id)
			_, e7 := tx.PathOf(id)
			var missing *MountError
			if errors.As(e7, &missing) {
				e7 = nil
			}
			if err := errors.Join(e1, e2, e3, e4, e5, e6, e7); err != nil {
				return err
			}
			tx.Odoo().Children(id)
		}
		_, e1 := tx.Intents()
		e2 := tx.Tasks(func(odbxfs.Task) bool { return true })
		_, e3 := tx.Log(0, 0)
		_, e4 := tx.OdooCounts()
		_, e5 := tx.Dirty(0)
		_, _, e6 := tx.OdooByRef(order)
		_, _, e7 := tx.PairByDropbox("id:9")
		_, _, e8 := tx.DropboxByPath(1, "/Odoo/x")
		_, e9 := tx.NewNode()
		_, e10 := tx.newKey()
		_, e11 := tx.claimants(odbxfs.RootNode, "Sales")
		if err := errors.Join(e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11, tx.Err()); err != nil {
			return err
		}
		return errEnough
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func TestADamagedValueIsSaidToBeAndNothingElseHappens(t *testing.T) {
	s := richStore(t, t.TempDir())
	if err := readAll(s); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, it := range stored(t, s) {
		for how, val := range damaged(it.val) {
			overwrite(t, s, it.key, val)
			if err := readAll(s); err != nil {
				found++
				if !errors.Is(err, ErrCorrupt) {
					t.Errorf("%q, %s: %v, want ErrCorrupt", it.key, how, err)
				}
			}
		}
		overwrite(t, s, it.key, it.val)
	}
	if found < 100 {
		t.Fatalf("only %d damages were seen", found)
	}
	if err := readAll(s); err != nil {
		t.Fatalf("with all as it was: %v", err)
	}
}

func TestADamagedStoreOpensOrSaysSo(t *testing.T) {
	seen := map[string]bool{}
	master := richStore(t, t.TempDir())
	for _, it := range stored(t, master) {
		space := string(it.key[:2])
		if seen[space] || len(it.val) == 0 {
			continue
		}
		seen[space] = true
		t.Run(fmt.Sprintf("%q", space), func(t *testing.T) {
			overwrite(t, master, it.key, it.val[:len(it.val)/2])
			dir := crash(t, master)
			overwrite(t, master, it.key, it.val)
			s, err := Open(t.Context(), childOptions(dir))
			if err == nil {
				err = s.Close()
			}
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Errorf("%v, want ErrCorrupt", err)
			}
		})
	}
	if len(seen) < 15 {
		t.Fatalf("only %d keyspaces have values", len(seen))
	}
}

func TestAStoreOfANewerProgramIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	s := diskStore(t, dir)
	write(t, s, odbxfs.RootNode, "a", "x")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = diskStore(t, dir) // what was made here is opened again
	overwrite(t, s, keyText(kCounter, formatKey), u64(nil, format+1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := Open(t.Context(), childOptions(dir)); !errors.Is(err, ErrFormat) {
			t.Fatalf("opening it: %v, want ErrFormat", err)
		}
	}
}

func TestAStoreWithoutAFormatIsOfTheFirst(t *testing.T) {
	s := diskStore(t, t.TempDir())
	write(t, s, odbxfs.RootNode, "a", "x")
	if err := s.db.Update(func(txn *badger.Txn) error { return txn.Delete(keyText(kCounter, formatKey)) }); err != nil {
		t.Fatal(err)
	}
	wantNames(t, diskStore(t, crash(t, s)), odbxfs.RootNode, "a")
}
