package sync

import (
	"slices"
	"testing"

	"odbxfs/cache"
)

// What programs make for themselves stays where they made it, until it gets a
// name that a document could have.
func TestTemporaryFilesStayInTheMount(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	const o1 = "Sales Orders/S00001"
	temporary := []string{".~lock.a.odt#", "~$b.docx", ".c.txt.swp", ".goutputstream-X"}
	for _, name := range temporary {
		r.mountWrites(o1, name, []byte(name))
	}
	r.mountWrites(o1, "a.odt", []byte("document"))
	r.step(Event{})
	r.calm()
	want := []string{dir1 + "/a.odt = document"}
	if got := files(r.tree()); !slices.Equal(got, want) {
		t.Fatalf("Odoo has %v", got)
	}
	if s, err := r.engine.Status(); err != nil || s.Intents != 0 || len(s.Parked) != 0 {
		t.Fatalf("status counts what is not to be sent: %+v %v", s, err)
	}
	r.quiet()

	// Each gets another fate: over the document, a name of its own, removed, left.
	attachment := r.mountDir(o1 + "/a.odt")
	r.update(func(tx *cache.Tx) error {
		dir := r.mountDirTx(tx, o1)
		if err := tx.Rename(dir, ".goutputstream-X", dir, "a.odt", 0); err != nil {
			return err
		}
		if err := tx.Rename(dir, "~$b.docx", dir, "b.docx", 0); err != nil {
			return err
		}
		_, err := tx.Unlink(dir, ".c.txt.swp")
		return err
	})
	r.step(Event{})
	r.calm()
	want = []string{dir1 + "/a.odt = .goutputstream-X", dir1 + "/b.docx = ~$b.docx"}
	if got := files(r.dropbox.paths()); !slices.Equal(got, want) {
		t.Fatalf("Dropbox has %v", got)
	}
	if r.mountDir(o1+"/a.odt") != attachment {
		t.Error("the document became another")
	}
	r.mountDir(o1 + "/.~lock.a.odt#")
	r.quiet()
}
