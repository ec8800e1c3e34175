package daemon

import (
	"context"
	"errors"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/fs"
)

func TestWhatCanNotBeOpenedIsToldUntilItOpens(t *testing.T) {
	store, err := cache.Open(t.Context(), cache.Options{InMemory: true, Now: time.Now, After: time.After})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var file odbxfs.NodeID
	if err := store.Update(func(tx *cache.Tx) error {
		if _, err := tx.PutOdoo(odbxfs.OdooNode{Ref: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRoot}); err != nil {
			return err
		}
		n, err := tx.PutOdoo(odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(7), ParentRef: odbxfs.RootRef(), Kind: odbxfs.File,
			Name: "a.pdf", Type: odbxfs.Link, URL: "https://www.dropbox.com/home/a.pdf"})
		file = n.Node
		return err
	}); err != nil {
		t.Fatal(err)
	}
	answer := error(&odbxfs.Error{Op: "open", Kind: odbxfs.KindAccess, Err: errors.New("its link is not public")})
	o := &opens{from: func(context.Context, odbxfs.NodeID) (fs.Content, error) { return nil, answer }}
	told := func() int {
		t.Helper()
		if _, err := o.OpenRead(t.Context(), file); !errors.Is(err, answer) {
			t.Fatalf("open answers %v", err)
		}
		items, err := o.list(store)
		if err != nil {
			t.Fatal(err)
		}
		if len(items) == 1 && (items[0].Path != "/a.pdf" || items[0].Reason != answer.Error()) {
			t.Errorf("told as %+v", items[0])
		}
		return len(items)
	}
	if n := told(); n != 1 {
		t.Errorf("%d refusals told after one", n)
	}
	answer = nil
	if n := told(); n != 0 {
		t.Errorf("%d refusals told after it opened", n)
	}
}
