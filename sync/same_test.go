package sync

import (
	"testing"

	"odbxfs"
)

// Law 7: same content on both sides is no conflict, though nobody ever agreed
// on it.
func TestTwoFilledSidesMeet(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.client.Convert = odbxfs.ConvertNone
	r.dropbox.personMakes("/Odoo")
	r.dropbox.personMakes("/Odoo/Sales Orders")
	r.dropbox.personMakes(dir1)
	r.dropbox.personWrites(dir1+"/same.pdf", []byte("equal"))
	r.dropbox.personWrites(dir1+"/size.pdf", []byte("their"))
	r.odoo.addFile(order1, "same.pdf", []byte("equal"))
	r.odoo.addFile(order1, "size.pdf", []byte("other"))
	r.odoo.addFile(order2, "only here", []byte("x"))
	r.settle()
	r.agree()
	r.mustHave(dir1+"/same.pdf = equal", dir1+"/size (conflicted copy).pdf = their", dir1+"/size.pdf = other", dir2+"/only here = x")
	if rev := r.revOf(dir1 + "/same.pdf"); rev != "r1" {
		t.Errorf("what was equal was written: rev %s", rev)
	}
	r.quiet()
}

func (r *rig) revOf(path string) odbxfs.Rev {
	n, ok := r.dropbox.at(path)
	if !ok {
		r.t.Fatalf("Dropbox has no %s", path)
	}
	return n.Rev
}

// After a reset the tombstones say what is equal: mirroring again moves nothing.
func TestMirroringAgainAfterAResetMovesNothing(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.addFile(order1, "a", []byte("one"))
	r.odoo.addFile(order2, "b", []byte("two"))
	r.calm()
	r.reset(ResetOptions{})
	content, revs := r.odoo.calls["content"], []odbxfs.Rev{r.revOf(dir1 + "/a"), r.revOf(dir2 + "/b")}
	r.real, r.dropbox.blocks = false, false
	r.odoo.client.Paused = false
	r.loseStore()
	r.settle()
	r.agree()
	r.mustHave(dir1+"/a = one", dir2+"/b = two")
	if now := []odbxfs.Rev{r.revOf(dir1 + "/a"), r.revOf(dir2 + "/b")}; now[0] != revs[0] || now[1] != revs[1] {
		t.Errorf("revs were %v, are %v", revs, now)
	}
	if got := r.odoo.calls["content"] - content; got != 0 {
		t.Errorf("%d contents were read", got)
	}
	for _, n := range r.odoo.nodes {
		if isFile(n) && n.Type != odbxfs.Link {
			t.Errorf("%s is no link again", n.Name)
		}
	}
	r.quiet()
}

// Written on both sides between two looks, but the same: no copy beside.
func TestTheSameChangeOnBothSidesIsNoConflict(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.client.Convert = odbxfs.ConvertNone
	a := r.odoo.addFile(order1, "a", []byte("one"))
	r.calm()
	r.odoo.write(a, []byte("two"))
	r.dropbox.personWrites(dir1+"/a", []byte("two"))
	rev := r.revOf(dir1 + "/a")
	r.settle()
	r.agree()
	r.mustHave(dir1 + "/a = two")
	if r.revOf(dir1+"/a") != rev {
		t.Error("it was written again")
	}
	r.quiet()
}

// What can't be read counts as different, and a remote that is away is asked
// again.
func TestWhatCannotBeComparedIsDifferent(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.nodes[r.odoo.addFile(order1, "a", []byte("one"))]
	b := r.odoo.nodes[r.odoo.addFile(order1, "b", []byte("two"))]
	for kind, want := range map[odbxfs.ErrorKind]bool{odbxfs.KindAccess: true, odbxfs.KindMissing: true, odbxfs.KindUnavailable: false} {
		r.faults.before = func(call string) error {
			if call == "odoo content" {
				return &odbxfs.Error{Op: call, Kind: kind}
			}
			return nil
		}
		found, err := r.engine.hashes(t.Context(), []doubt{{odoo: a}})
		if (found[a.SHA1] == notComparable) != want || (err == nil) != want {
			t.Errorf("%s: %v, %v", kind, found, err)
		}
	}
	r.faults.before = nil
	changed := a
	changed.SHA1 = "0123456789012345678901234567890123456789"
	found, err := r.engine.hashes(t.Context(), []doubt{{odoo: changed}, {odoo: b}})
	if err != nil || found[changed.SHA1] != notComparable || found[b.SHA1] != hashOf([]byte("two")) {
		t.Errorf("%v, %v", found, err)
	}
}
