package sync

import (
	"slices"
	"strings"
	"testing"

	"odbxfs"
)

// An attachment that is deleted after its upload was carried out, and before a
// crash let anybody hear of that, stays deleted: the file in Dropbox is ours,
// and nobody's new one. What a person wrote there meanwhile lives on.
func TestADocumentDeletedBeforeItsUploadWasHeardOfStaysDeleted(t *testing.T) {
	for _, c := range []struct {
		what   string
		before []byte // what both sides had before; nil: the upload is the first
		person func(r *rig)
		want   []string
	}{
		{"a new document", nil, func(*rig) {}, nil},
		{"new content of one that was synced", []byte("old"), func(*rig) {}, nil},
		{"a person edits the file meanwhile", nil,
			func(r *rig) { r.dropbox.personWrites(dir1+"/a.txt", []byte("edited")) }, []string{dir1 + "/a.txt = edited"}},
		{"a person edits the synced file meanwhile", []byte("old"),
			func(r *rig) { r.dropbox.personWrites(dir1+"/a.txt", []byte("edited")) }, []string{dir1 + "/a.txt = edited"}},
		{"a person moves the file meanwhile", []byte("old"),
			func(r *rig) { r.dropbox.personMoves(dir1+"/a.txt", dir2+"/b.txt") }, nil},
	} {
		for seed := range uint64(6) {
			r := newRig(t, seed)
			r.odoo.client.Convert = odbxfs.ConvertNone
			r.calm()
			var ref odbxfs.OdooRef
			if c.before != nil {
				ref = r.odoo.addFile(order1, "a.txt", c.before)
				r.settle()
				r.odoo.write(ref, []byte("first"))
			} else {
				ref = r.odoo.addFile(order1, "a.txt", []byte("first"))
			}
			r.upToUpload()
			r.odoo.remove(ref)
			c.person(r)
			r.settle()
			r.agree()
			if got := files(r.tree()); !slices.Equal(got, c.want) {
				t.Errorf("%s, seed %d: there is %v\n%s", c.what, seed, got, r.dump())
			}
			r.quiet()
			for _, p := range r.odoo.pairs {
				if p.Odoo == ref && !p.Gone {
					t.Errorf("%s: a pair of the deleted document is left: %+v", c.what, p)
				}
			}
			if c.want == nil && !r.logged("dropbox-delete", "done") {
				t.Errorf("%s: the log does not tell what became of the file\n%s", c.what, strings.Join(r.last(20), "\n"))
			}
			r.close()
		}
	}
}

// logged reports whether Odoo's log has such a line.
func (r *rig) logged(what, state string) bool {
	for _, l := range r.odoo.log {
		if l.What == what && l.State == state {
			return true
		}
	}
	return false
}
