package access

import (
	"context"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// asker counts the questions and answers as it was told.
type asker struct {
	asked []odbxfs.OdooRef
	err   error
}

func (a *asker) MayWrite(_ context.Context, ref odbxfs.OdooRef) error {
	a.asked = append(a.asked, ref)
	return a.err
}

// world is a store with a record folder, and a file made in it here.
func world(t *testing.T, a *asker, now *time.Time) (r *Rights, folder, file odbxfs.NodeID) {
	t.Helper()
	clock := func() time.Time { return *now }
	s, err := cache.Open(t.Context(), cache.Options{InMemory: true, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	err = s.Update(func(tx *cache.Tx) error {
		for _, n := range []odbxfs.OdooNode{
			{Ref: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRoot},
			{Ref: odbxfs.RuleRef(1), ParentRef: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRule, Name: "Orders"},
			{Ref: odbxfs.RecordRef("sale.order", 7), ParentRef: odbxfs.RuleRef(1), Kind: odbxfs.Folder, Role: odbxfs.RoleRecord, Name: "S7"},
		} {
			put, err := tx.PutOdoo(n)
			if err != nil {
				return err
			}
			folder = put.Node
		}
		in, err := tx.Create(folder, "new.txt", 0o644)
		file = in.Node
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return New(s, a, clock), folder, file
}

func TestAnAnswerIsKeptForHalfAMinute(t *testing.T) {
	now := time.Unix(1e9, 0)
	a := &asker{err: &odbxfs.Error{Kind: odbxfs.KindAccess}}
	r, folder, _ := world(t, a, &now)
	for range 3 {
		if err := r.MayWrite(t.Context(), folder); !odbxfs.IsKind(err, odbxfs.KindAccess) {
			t.Errorf("got %v", err)
		}
	}
	if len(a.asked) != 1 || a.asked[0] != odbxfs.RecordRef("sale.order", 7) {
		t.Errorf("asked %v", a.asked)
	}
	now, a.err = now.Add(keep), nil
	if err := r.MayWrite(t.Context(), folder); err != nil || len(a.asked) != 2 {
		t.Errorf("after the answer grew old: %v, asked %v", err, a.asked)
	}
}

func TestWhatOdooDoesNotHaveYetIsAskedOfItsFolder(t *testing.T) {
	now := time.Unix(1e9, 0)
	a := &asker{}
	r, _, file := world(t, a, &now)
	if err := r.MayWrite(t.Context(), file); err != nil || len(a.asked) != 1 || a.asked[0] != odbxfs.RecordRef("sale.order", 7) {
		t.Errorf("got %v, asked %v", err, a.asked)
	}
}

func TestWhenOdooDoesNotAnswerTheLastWordHolds(t *testing.T) {
	now := time.Unix(1e9, 0)
	a := &asker{err: &odbxfs.Error{Kind: odbxfs.KindUnavailable}}
	r, folder, _ := world(t, a, &now)
	if err := r.MayWrite(t.Context(), folder); err != nil {
		t.Errorf("never asked before: %v", err)
	}
	if err := r.MayWrite(t.Context(), folder); err != nil || len(a.asked) != 1 {
		t.Errorf("asked again at once: %v, %v", err, a.asked)
	}
	now, a.err = now.Add(silence), &odbxfs.Error{Kind: odbxfs.KindAccess}
	if err := r.MayWrite(t.Context(), folder); !odbxfs.IsKind(err, odbxfs.KindAccess) {
		t.Errorf("got %v", err)
	}
	now, a.err = now.Add(time.Hour), &odbxfs.Error{Kind: odbxfs.KindUnavailable}
	if err := r.MayWrite(t.Context(), folder); !odbxfs.IsKind(err, odbxfs.KindAccess) {
		t.Errorf("the last word was no: %v", err)
	}
}
