package sync

import (
	"testing"

	"odbxfs"
)

func TestFoldersOfOdooAreMadeInDropbox(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	r.agree()
	r.quiet()
}

func TestNewAttachmentIsUploadedAndBecomesALink(t *testing.T) {
	r := newRig(t, 1)
	ref := r.odoo.addFile(order1, "a.pdf", []byte("bytes of a"))
	r.calm()
	r.agree()
	if n := r.odoo.nodes[ref]; n.Type != odbxfs.Link || n.SHA1 != sha1Of([]byte("bytes of a")) {
		t.Fatalf("it is %+v", n)
	}
	r.quiet()
}
