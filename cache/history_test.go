package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"odbxfs"
)

// A history is what people and an engine do to a store, made of a seed alone, so
// that the process that did it can die, and another can tell what must be there.

// deed is one step of a history.
type deed struct {
	do   string
	a, b string // names in the root
	text string // of a write; of a rename what a has
}

func (d deed) String() string { return fmt.Sprintf("%s %s %s, %d bytes", d.do, d.a, d.b, len(d.text)) }

// shown is what the mount shows after some deeds: bytes by name.
type shown map[string]string

// deeds makes a history of n steps and what is shown before and after each.
// What Odoo has is in it by name, too: doc0 ... doc3.
func deeds(seed uint64, n int) (list []deed, states []shown) {
	r := rand.New(rand.NewPCG(seed, 1))
	now := shown{}
	for i := range 4 {
		now[odooName(i)] = odooText(i)
	}
	states = append(states, maps.Clone(now))
	kinds := []string{"write", "write", "write", "write", "rename", "rename", "remove", "settle", "fetch", "evict", "sync", "pin"}
	for k := range n {
		d := deed{do: kinds[r.IntN(len(kinds))], a: aName(r), b: aName(r), text: strings.Repeat(fmt.Sprintf("%d.%d,", seed, k), 1+r.IntN(3000))}
		_, there := now[d.a]
		switch {
		case d.do == "fetch":
			d.a = odooName(r.IntN(4))
		case (d.do == "rename" || d.do == "remove") && (!there || d.a == d.b):
			d.do = "write"
		}
		switch d.do {
		case "write":
			now[d.a] = d.text
		case "rename":
			d.text = now[d.a]
			now[d.b] = d.text
			delete(now, d.a)
		case "remove":
			delete(now, d.a)
		}
		list = append(list, d)
		states = append(states, maps.Clone(now))
	}
	return list, states
}

func aName(r *rand.Rand) string { return string(rune('a' + r.IntN(6))) }
func odooName(i int) string     { return fmt.Sprintf("doc%d", i) }
func odooText(i int) string     { return strings.Repeat(odooName(i), 5000) }
func odooDoc(i int) odbxfs.OdooNode {
	n := document(int64(1000+i), odooName(i), odbxfs.RootRef())
	n.SHA1, n.Size = sha(odooText(i)), int64(len(odooText(i)))
	return n
}

// putOdooDocs puts what Odoo has from the start.
func putOdooDocs(s *Store) error {
	return s.Update(func(tx *Tx) error {
		for i := range 4 {
			if _, err := tx.PutOdoo(odooDoc(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// do does one deed to a store.
func (d deed) in(ctx context.Context, s *Store) error {
	switch d.do {
	case "write":
		return d.write(ctx, s)
	case "rename":
		return d.rename(ctx, s)
	case "remove":
		return s.Update(func(tx *Tx) error { _, err := tx.Unlink(odbxfs.RootNode, d.a); return err })
	case "settle":
		return s.Update(settleAll)
	case "fetch":
		return d.fetch(ctx, s)
	case "evict":
		return s.contents.evict(ctx, 1<<30)
	case "pin":
		return d.pin(s)
	case "sync":
		return s.Sync(ctx)
	}
	return fmt.Errorf("nobody knows how to %s", d.do)
}

// rename fetches the bytes first where they were evicted, as the mount does.
func (d deed) rename(ctx context.Context, s *Store) (err error) {
	move := func(tx *Tx) error { return tx.Rename(odbxfs.RootNode, d.a, odbxfs.RootNode, d.b, 0) }
	err = s.Update(move)
	var refused *MountError
	if !errors.As(err, &refused) || refused.Kind != MountNeedsContent {
		return err
	}
	w, err := s.Contents().NewWriter(ctx, "", 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Discard()) }()
	if _, err := w.WriteAt([]byte(d.text), 0); err != nil {
		return err
	}
	sealed, err := w.Seal(ctx)
	if err != nil {
		return err
	}
	return s.Update(func(tx *Tx) error {
		i, _, err := tx.Lookup(odbxfs.RootNode, d.a)
		if err == nil {
			err = tx.SetContent(i.Node, sealed.ID)
		}
		if err != nil {
			return err
		}
		return move(tx)
	})
}

func (d deed) write(ctx context.Context, s *Store) (err error) {
	w, err := s.Contents().NewWriter(ctx, "", 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Discard()) }()
	half := len(d.text) / 2
	if _, err := w.WriteAt([]byte(d.text[half:]), int64(half)); err != nil {
		return err
	}
	if _, err := w.WriteAt([]byte(d.text[:half]), 0); err != nil {
		return err
	}
	sealed, err := w.Seal(ctx)
	if err != nil {
		return err
	}
	return s.Update(func(tx *Tx) error {
		i, ok, err := tx.Lookup(odbxfs.RootNode, d.a)
		if err == nil && !ok {
			i, err = tx.Create(odbxfs.RootNode, d.a, 0)
		}
		if err == nil {
			_, err = tx.CommitContent(i.Node, sealed)
		}
		return err
	})
}

// fetch brings a document's bytes here, if it is still there.
func (d deed) fetch(ctx context.Context, s *Store) error {
	var n int
	if _, err := fmt.Sscanf(d.a, "doc%d", &n); err != nil {
		return err
	}
	id, err := s.Contents().New(int64(len(odooText(n))), sha(odooText(n)))
	if err != nil {
		return err
	}
	if err := s.Update(func(tx *Tx) error {
		i, ok, err := tx.Lookup(odbxfs.RootNode, d.a)
		if err != nil || !ok {
			return err
		}
		return tx.SetContent(i.Node, id)
	}); err != nil {
		return err
	}
	c, err := s.Contents().Reader(id)
	if errors.Is(err, ErrNoContent) {
		return nil
	} else if err != nil {
		return err
	}
	if _, err := c.Fill(0, strings.NewReader(odooText(n))); err != nil {
		return errors.Join(err, c.Close())
	}
	_, err = c.MarkWhole(ctx, "")
	return errors.Join(err, c.Close())
}

// pin keeps the bytes of a name that are here, or lets go of them.
func (d deed) pin(s *Store) error {
	return s.Update(func(tx *Tx) error {
		i, ok, err := tx.Lookup(odbxfs.RootNode, d.a)
		if err != nil || !ok || i.Content == "" {
			return err
		}
		if len(d.text)%2 == 0 {
			return tx.UnpinContent(i.Content, d.a)
		}
		return tx.PinContent(i.Content, d.a)
	})
}

// settleAll does what an engine does with every intent: Odoo has it now.
func settleAll(tx *Tx) error {
	list, err := tx.Intents()
	if err != nil {
		return err
	}
	for _, in := range list {
		if err := settle(tx, in); err != nil {
			return err
		}
	}
	return nil
}

func settle(tx *Tx, in odbxfs.Intent) error {
	if in.Reason != "" {
		return nil
	}
	if in.Gone {
		if err := tx.DropOdoo(in.Node); err != nil {
			return err
		}
		return tx.DropIntent(in.Node, in.Seq)
	}
	i, ok, err := tx.Inode(in.Node)
	if err != nil || !ok {
		return errors.Join(err, fmt.Errorf("an intent of nothing: %+v", in))
	}
	n := in.Was
	if n.Ref.IsZero() {
		n = odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(int64(in.Node)), Type: odbxfs.Binary, Writable: true}
	}
	n.Node, n.ParentRef, n.Name, n.Kind = in.Node, odbxfs.RootRef(), i.Name, i.Kind
	n.SHA1, n.Size, n.MTime = i.SHA1, i.Size, i.MTime
	if _, err := tx.PutOdoo(n); err != nil {
		return err
	}
	return tx.DropIntent(in.Node, in.Seq)
}

// mount gives what the mount shows: checksums by name.
func mount(t *testing.T, s *Store) map[string]odbxfs.SHA1 {
	t.Helper()
	got := map[string]odbxfs.SHA1{}
	view(t, s, func(tx *Tx) error {
		list, err := tx.ReadDir(odbxfs.RootNode, "", 0)
		for _, i := range list {
			got[i.Name] = i.SHA1
		}
		return err
	})
	return got
}

func (w shown) sums() map[string]odbxfs.SHA1 {
	sums := map[string]odbxfs.SHA1{}
	for name, text := range w {
		sums[name] = sha(text)
	}
	return sums
}

// checkWhole wants a store that holds together: every intent that may be sent
// has its bytes, every content that says it is whole is, nothing lies about that
// nobody refers to, and it still works.
func checkWhole(t *testing.T, s *Store) {
	t.Helper()
	damaged := map[odbxfs.NodeID]bool{}
	for _, p := range s.Problems() {
		damaged[p.Node] = true
	}
	for _, in := range intents(t, s) {
		if in.Reason != "" != damaged[in.Node] {
			t.Fatalf("the intent %+v, and it is among the problems: %v", in, damaged[in.Node])
		}
		if in.Content == "" || damaged[in.Node] {
			continue
		}
		b, err := os.ReadFile(s.contents.path(in.Content))
		if err != nil || shaOf(b) != in.ContentSHA1 || int64(len(b)) != in.ContentSize {
			t.Fatalf("%d bytes of the intent %+v: %v", len(b), in, err)
		}
	}
	checkNoOrphans(t, s)
	if err := (deed{do: "write", a: "after", text: "it goes on"}).in(t.Context(), s); err != nil {
		t.Fatalf("writing afterwards: %v", err)
	}
	if err := s.Sync(t.Context()); err != nil {
		t.Fatalf("syncing afterwards: %v", err)
	}
}

// checkNoOrphans compares the files of contents with who refers to them.
func checkNoOrphans(t *testing.T, s *Store) {
	t.Helper()
	var want, got []string
	view(t, s, func(tx *Tx) error {
		for id := range s.contents.all {
			owners, err := tx.owners(id)
			if err != nil {
				return err
			}
			if len(owners) == 0 {
				t.Errorf("nobody refers to content %s", id)
			}
			want = append(want, string(id))
		}
		return nil
	})
	err := filepath.WalkDir(s.contents.dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got = append(got, d.Name())
		}
		return err
	})
	slices.Sort(want)
	slices.Sort(got)
	if err != nil || !slices.Equal(want, got) {
		t.Fatalf("files of contents %v, known %v: %v", got, want, err)
	}
}
