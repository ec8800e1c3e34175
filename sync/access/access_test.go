package access

import (
	"context"
	"runtime"
	gosync "sync"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// asker counts the questions and answers as it was told.
type asker struct {
	err  error
	hang chan struct{} // not nil: it answers when this is closed

	mu    gosync.Mutex
	asked []odbxfs.OdooRef // guarded by mu
}

func (a *asker) MayWrite(ctx context.Context, ref odbxfs.OdooRef) error {
	a.mu.Lock()
	a.asked = append(a.asked, ref)
	hang := a.hang
	a.mu.Unlock()
	if hang == nil {
		return a.err
	}
	select {
	case <-hang:
		return a.err
	case <-ctx.Done():
		return &odbxfs.Error{Kind: odbxfs.KindUnavailable, Err: ctx.Err()}
	}
}

// questions gives how often it was asked.
func (a *asker) questions() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asked)
}

// never is a wait that does not end.
func never(time.Duration) <-chan time.Time { return nil }

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
	r = New(t.Context(), s, a, clock, never)
	t.Cleanup(r.Close)
	return r, folder, file
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
	if err := r.MayWrite(t.Context(), folder); err != nil || a.questions() != 1 {
		t.Errorf("asked again at once: %v, %d", err, a.questions())
	}
	now, a.err = now.Add(patience), &odbxfs.Error{Kind: odbxfs.KindAccess}
	if err := r.MayWrite(t.Context(), folder); err != nil {
		t.Errorf("it waited for the answer of a silent server: %v", err)
	}
	r.asked.Wait()
	if err := r.MayWrite(t.Context(), folder); !odbxfs.IsKind(err, odbxfs.KindAccess) {
		t.Errorf("got %v", err)
	}
	now, a.err = now.Add(time.Hour), &odbxfs.Error{Kind: odbxfs.KindUnavailable}
	if err := r.MayWrite(t.Context(), folder); !odbxfs.IsKind(err, odbxfs.KindAccess) {
		t.Errorf("the last word was no: %v", err)
	}
}

// A server that hangs costs one program its patience, and not each of a
// thousand files.
func TestAServerThatHangsIsWaitedForOnce(t *testing.T) {
	now := time.Unix(1e9, 0)
	a := &asker{hang: make(chan struct{})}
	r, folder, _ := world(t, a, &now)
	waited := 0
	r.after = func(d time.Duration) <-chan time.Time {
		if d != patience {
			t.Errorf("it waits %s", d)
		}
		waited++
		for a.questions() == 0 {
			runtime.Gosched() // the question is on its way
		}
		c := make(chan time.Time, 1)
		c <- now
		return c
	}
	others := make([]odbxfs.NodeID, 20)
	if err := r.store.Update(func(tx *cache.Tx) error {
		for i := range others {
			put, err := tx.PutOdoo(odbxfs.OdooNode{Ref: odbxfs.RecordRef("sale.order", int64(100+i)), ParentRef: odbxfs.RuleRef(1),
				Kind: odbxfs.Folder, Role: odbxfs.RoleRecord, Name: "S"})
			if err != nil {
				return err
			}
			others[i] = put.Node
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, node := range append([]odbxfs.NodeID{folder}, others...) {
		if err := r.MayWrite(t.Context(), node); err != nil {
			t.Errorf("got %v", err)
		}
		now = now.Add(patience) // time enough to ask again
	}
	if waited != 1 || a.questions() != 1 {
		t.Errorf("waited %d times, asked %d times", waited, a.questions())
	}
	a.err = &odbxfs.Error{Kind: odbxfs.KindAccess}
	close(a.hang) // it is back: its answer counts though nobody waited for it
	r.asked.Wait()
	if err := r.MayWrite(t.Context(), folder); !odbxfs.IsKind(err, odbxfs.KindAccess) {
		t.Errorf("the late answer: %v", err)
	}
	r.after = never
	if err := r.MayWrite(t.Context(), others[0]); !odbxfs.IsKind(err, odbxfs.KindAccess) {
		t.Errorf("waited for again: %v", err)
	}
}

// A program that is interrupted says nothing about Odoo.
func TestAnInterruptedProgramLeavesTheServerInPeace(t *testing.T) {
	now := time.Unix(1e9, 0)
	a := &asker{hang: make(chan struct{})}
	r, folder, _ := world(t, a, &now)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.MayWrite(ctx, folder); err != nil {
		t.Errorf("got %v", err)
	}
	r.mu.Lock()
	silent := r.silent
	r.mu.Unlock()
	if silent {
		t.Error("Odoo is taken for silent")
	}
	r.Close() // waits for the question, which ends with it
	if a.questions() != 1 {
		t.Errorf("asked %d times", a.questions())
	}
}
