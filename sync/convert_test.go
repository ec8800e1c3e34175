package sync

import (
	"testing"

	"odbxfs"
)

func TestWhatOdooReadsAgainStaysBinary(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.retain["a.pdf"] = "stored reports are printed from it"
	a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
	r.calm()
	r.agree()
	if n := r.odoo.nodes[a]; n.Type != odbxfs.Binary {
		t.Fatalf("it was converted: %+v", n)
	}
	if n := r.dropbox.calls["link"]; n != 0 {
		t.Errorf("%d links to a document that stays binary", n)
	}
	r.quiet()
	r.dropbox.personWrites(dir1+"/a.pdf", []byte("edited"))
	r.calm()
	if string(r.odoo.bytes[a]) != "edited" {
		t.Fatalf("Odoo has %q", r.odoo.bytes[a])
	}
	r.agree()
	r.quiet()
}

// Odoo may refuse in the write itself what it held for possible when it was asked
// (an audit trail): the link that was made for it goes again.
func TestALinkToWhatOdooKeepsAfterAllIsRevoked(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.audited["a.pdf"] = "Odoo refuses: audit trail"
	a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
	r.calm()
	r.agree()
	if n := r.odoo.nodes[a]; n.Type != odbxfs.Binary {
		t.Fatalf("it was converted: %+v", n)
	}
	if made, left := r.dropbox.calls["link"], len(r.dropbox.links); made != 1 || left != 0 {
		t.Errorf("%d links were made, %d are left", made, left)
	}
	r.quiet()
}

func TestMirrorOnlyMakesNoLinks(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.client.Convert = odbxfs.ConvertNone
	r.odoo.addFile(order1, "a", []byte("one"))
	r.dropbox.personMakes("/Odoo")
	r.calm()
	r.dropbox.personWrites(dir1+"/b", []byte("two"))
	r.calm()
	r.agree()
	for _, n := range r.odoo.nodes {
		if n.Type == odbxfs.Link {
			t.Errorf("%s is a link", n.Name)
		}
	}
	r.quiet()
}
