package cache

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"odbxfs"
)

func TestRecordsThatMakeNoSenseAreNotStored(t *testing.T) {
	dir := odbxfs.Inode{Node: 2, Parent: 1, Name: "a", Kind: odbxfs.Folder}
	for name, bad := range map[string]any{
		"an Odoo node of nothing":       odooRec{},
		"a file that is a folder":       odooRec{N: odbxfs.OdooNode{Node: 2, Parent: 1, Ref: odbxfs.FolderRef(1), Kind: odbxfs.File, Type: odbxfs.Binary}},
		"a document of no type":         odooRec{N: odbxfs.OdooNode{Node: 2, Parent: 1, Ref: odbxfs.AttachmentRef(1), Kind: odbxfs.File}},
		"a folder in itself":            odooRec{N: odbxfs.OdooNode{Node: 2, Parent: 2, Ref: odbxfs.FolderRef(1), Kind: odbxfs.Folder}},
		"a Dropbox node without id":     odbxfs.DropboxNode{Node: 2, Parent: 1, Kind: odbxfs.File},
		"a pair of nothing":             odbxfs.Pair{Node: 2, Kind: odbxfs.File},
		"an inode called ..":            func() odbxfs.Inode { i := dir; i.Name = ".."; return i }(),
		"an inode with a slash":         func() odbxfs.Inode { i := dir; i.Name = "a/b"; return i }(),
		"an intent without key":         odbxfs.Intent{Node: 2, Seq: 1},
		"a held intent that keeps":      odbxfs.Intent{Node: 2, Seq: 1, Key: "k", Held: true},
		"a task of no kind":             odbxfs.Task{Seq: 1, Key: "k"},
		"a held upload":                 odbxfs.Task{Seq: 1, Key: "k", Kind: odbxfs.TaskDropboxUpload, Held: true},
		"ranges that touch":             contentRec{Size: 9, Ranges: []Range{{0, 2}, {2, 2}}},
		"a range behind the end":        contentRec{Size: 9, Ranges: []Range{{8, 2}}},
		"something that is no record":   42,
		"a pointer to what is a record": &odbxfs.Intent{},
	} {
		if _, err := encode(bad); err == nil {
			t.Errorf("stored: %s", name)
		}
	}
}

func TestDamagedRecordsAreSaidToBe(t *testing.T) {
	good, err := encode(odbxfs.Intent{Node: 2, Seq: 1, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{nil, good[:len(good)-1], {0xa0}, append([]byte{0xff}, good...)} {
		if _, err := decode[odbxfs.Intent](b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%x: %v", b, err)
		}
	}
}

// recordSeeds has a record of each kind.
func recordSeeds() []any {
	return []any{
		odbxfs.Intent{Node: 2, Seq: 1, Key: "k", Was: document(7, "a", order), NotUntil: newClock().now(), Content: "00000000000000ff"},
		odbxfs.Task{Seq: 1, Key: "k", Kind: odbxfs.TaskSettle, Pair: &odbxfs.Pair{Node: 2}},
		odbxfs.DropboxNode{Node: 2, Parent: 1, ID: "id:1", Kind: odbxfs.File, Size: 9},
		odbxfs.Pair{Node: 2, Kind: odbxfs.File, Dropbox: "id:1", Odoo: odbxfs.AttachmentRef(7)},
		odbxfs.LogLine{What: "x"},
		odooRec{N: func() odbxfs.OdooNode { n := document(7, "a", order); n.Node, n.Parent = 3, 2; return n }(), Model: model},
		countRec{Count: 1, Sum: 2},
		nodeList{1, 2},
		inodeRec{I: odbxfs.Inode{Node: 2, Parent: 1, Name: "a", Kind: odbxfs.File}},
		contentRec{Size: 9, Ranges: []Range{{0, 2}}},
	}
}

// FuzzRecords: what decodes encodes to something that decodes to the same, and
// what does not is ErrCorrupt and no half a record.
func FuzzRecords(f *testing.F) {
	for _, v := range recordSeeds() {
		b, err := encode(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		again[odbxfs.Intent](t, b)
		again[odbxfs.Task](t, b)
		again[odbxfs.DropboxNode](t, b)
		again[odbxfs.Pair](t, b)
		again[odbxfs.LogLine](t, b)
		again[odbxfs.Inode](t, b)
		again[odooRec](t, b)
		again[countRec](t, b)
		again[nodeList](t, b)
		again[inodeRec](t, b)
		again[contentRec](t, b)
	})
}

func again[T any](t *testing.T, b []byte) {
	t.Helper()
	v, err := decode[T](b)
	if err != nil {
		if !errors.Is(err, ErrCorrupt) {
			t.Fatalf("%v, want ErrCorrupt", err)
		}
		if !reflect.ValueOf(&v).Elem().IsZero() {
			t.Fatalf("half a record: %+v", v)
		}
		return
	}
	one, err := encode(v)
	if err != nil {
		t.Fatalf("%+v was read and can't be written: %v", v, err)
	}
	w, err := decode[T](one)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := encode(w); err != nil || !bytes.Equal(one, two) {
		t.Fatalf("%+v is not stable: %v", v, err)
	}
}

func TestTheQueueAndTheLogKeepTheirOrder(t *testing.T) {
	s := memStore(t)
	update(t, s, func(tx *Tx) error {
		tasks, err := tx.AddTasks([]odbxfs.Task{{Kind: odbxfs.TaskDropboxMkdir, Node: 5}, {Kind: odbxfs.TaskDropboxUpload, Node: 6}, {Kind: odbxfs.TaskSettle, Node: 5}})
		if err != nil {
			return err
		}
		tasks[1].Attempts = 3
		if err := tx.PutTask(tasks[1]); err != nil {
			return err
		}
		if err := tx.DropTask(tasks[0].Seq); err != nil {
			return err
		}
		if err := tx.PutTask(tasks[0]); err != nil { // it stays out
			return err
		}
		for _, what := range []string{"one", "two", "three"} {
			if err := tx.AppendLog(odbxfs.LogLine{What: what}); err != nil {
				return err
			}
		}
		return tx.TrimLog(2)
	})
	view(t, s, func(tx *Tx) error {
		var got []odbxfs.Task
		if err := tx.Tasks(func(t odbxfs.Task) bool { got = append(got, t); return true }); err != nil {
			return err
		}
		if len(got) != 2 || got[0].Attempts != 3 || got[1].Kind != odbxfs.TaskSettle || got[0].Key == got[1].Key {
			t.Errorf("the queue: %+v", got)
		}
		if of, err := tx.TasksOf(5); err != nil || len(of) != 1 || of[0].Kind != odbxfs.TaskSettle {
			t.Errorf("of node 5: %+v %v", of, err)
		}
		lines, err := tx.Log(0, 0)
		if err != nil || len(lines) != 2 || lines[0].What != "two" {
			t.Errorf("the log: %+v %v", lines, err)
		}
		rest, err := tx.Log(lines[0].Seq, 5)
		if len(rest) != 1 || rest[0].What != "three" {
			t.Errorf("behind the first: %+v", rest)
		}
		return err
	})
	if err := s.View(func(tx *Tx) error { return tx.SetMeta("k", []byte("v")) }); err == nil {
		t.Error("a View wrote")
	}
}

func TestARecordThatIsTooBigWritesNothing(t *testing.T) {
	s := memStore(t)
	err := s.Update(func(tx *Tx) error {
		if err := tx.MarkDirty(7); err != nil {
			return err
		}
		return tx.SetMeta("big", make([]byte, maxRecord+1))
	})
	if !errors.Is(err, ErrTooBig) {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		if ids, err := tx.Dirty(0); err != nil || slices.Contains(ids, 7) {
			t.Errorf("dirty: %v %v", ids, err)
		}
		return nil
	})
}
