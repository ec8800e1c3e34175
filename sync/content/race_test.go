package content

import (
	"errors"
	"io"
	"strings"
	"testing"

	"odbxfs"
	"odbxfs/cache"
)

// save replaces a file of the store as rsync and LibreOffice do: a new file that
// is renamed over it. Its bytes are nowhere but here.
func (b *bench) save(name, text string) error {
	w, err := b.store.Contents().NewWriter(b.t.Context(), "", 0)
	if err != nil {
		return err
	}
	if _, err := w.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	sealed, err := w.Seal(b.t.Context())
	if err != nil {
		return err
	}
	err = b.store.Update(func(tx *cache.Tx) error {
		i, err := tx.Create(odbxfs.RootNode, ".tmp", 0)
		if err == nil {
			_, err = tx.CommitContent(i.Node, sealed)
		}
		if err == nil {
			err = tx.Rename(odbxfs.RootNode, ".tmp", odbxfs.RootNode, name, 0)
		}
		return err
	})
	return errors.Join(err, w.Discard())
}

// TestAFileThatIsBeingReplacedOpensAlways reads a file whose bytes are here only,
// while it is replaced again and again.
func TestAFileThatIsBeingReplacedOpensAlways(t *testing.T) {
	b := newBench(t, odbxfs.OdooNode{Type: odbxfs.Binary})
	if err := b.save("f", strings.Repeat("0", 1000)); err != nil {
		t.Fatal(err)
	}
	var node odbxfs.NodeID
	if err := b.store.View(func(tx *cache.Tx) error {
		i, _, err := tx.Lookup(odbxfs.RootNode, "f")
		node = i.Node
		return err
	}); err != nil {
		t.Fatal(err)
	}
	o, saved := NewOpener(b.opt), make(chan error, 1)
	go func() {
		for n := range 300 {
			if err := b.save("f", strings.Repeat(string(rune('0'+n%10)), 1000+n)); err != nil {
				saved <- err
				return
			}
		}
		saved <- nil
	}()
	for n, done := 0, false; !done; n++ {
		select {
		case err := <-saved:
			if done = true; err != nil {
				t.Fatal(err)
			}
		default:
		}
		r, err := o.Stream(t.Context(), node)
		if err != nil {
			t.Fatalf("after %d reads: %v", n, err)
		}
		all, err := io.ReadAll(r)
		if err != nil || len(all) < 1000 || strings.Trim(string(all), string(all[:1])) != "" {
			t.Fatalf("after %d reads: %d bytes, %v", n, len(all), err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAFileIsReadByTheNumberItHadBefore: who holds the number of a file that was
// renamed over another, which Odoo has, reads the other's bytes from there.
func TestAFileIsReadByTheNumberItHadBefore(t *testing.T) {
	text := "what Odoo has"
	b := newBench(t, odbxfs.OdooNode{Type: odbxfs.Binary, Writable: true, SHA1: sha1Of([]byte(text)), Size: int64(len(text))})
	b.odoo.bytes = []byte(text)
	if err := b.save("x", text); err != nil {
		t.Fatal(err)
	}
	var before odbxfs.NodeID
	if err := b.store.Update(func(tx *cache.Tx) error {
		i, _, err := tx.Lookup(odbxfs.RootNode, "x")
		before = i.Node
		if err == nil {
			err = tx.Rename(odbxfs.RootNode, "x", odbxfs.RootNode, "f.pdf", 0)
		}
		if err != nil {
			return err
		}
		in, _, err := tx.Intent(b.doc.Node)
		if err == nil {
			err = tx.DropIntent(b.doc.Node, in.Seq)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Update(func(tx *cache.Tx) error { return tx.SetContent(b.doc.Node, "") }); err != nil {
		t.Fatal(err)
	}
	b.doc.Node = before
	if got, err := b.read(NewOpener(b.opt)); err != nil || got != text {
		t.Fatalf("read %q: %v", got, err)
	}
}
