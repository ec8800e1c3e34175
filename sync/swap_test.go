package sync

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"odbxfs"
	"odbxfs/cache"
)

// Two names that change places, step by step, wherever it is done and however
// much the engine sees of each step: both end under their plain names.
func TestSwappedNamesEndPlain(t *testing.T) {
	steps := [][2]string{{"a", "t"}, {"b", "a"}, {"t", "b"}}
	for _, kind := range []odbxfs.NodeKind{odbxfs.File, odbxfs.Folder} {
		for where, rename := range map[string]func(r *rig, from, to string){
			"mount": func(r *rig, from, to string) {
				r.update(func(tx *cache.Tx) error {
					dir := r.mountDirTx(tx, "Sales Orders/S00001")
					return tx.Rename(dir, from, dir, to, 0)
				})
			},
			"Odoo": func(r *rig, from, to string) {
				r.odoo.relocate(r.pick(func(n odbxfs.OdooNode) bool { return n.Name == from && n.ParentRef == order1 }), order1, to)
			},
			"Dropbox": func(r *rig, from, to string) { r.dropbox.personMoves(dir1+"/"+from, dir1+"/"+to) },
		} {
			t.Run(fmt.Sprintf("kind %d in %s", kind, where), func(t *testing.T) {
				for seed := range uint64(25) {
					r := newRig(t, seed)
					want := r.twoOf(kind)
					r.calm()
					for _, s := range steps {
						rename(r, s[0], s[1])
						r.step(Event{})
						for range r.rnd.IntN(25) {
							if !r.run() {
								r.clock = r.clock.Add(r.engine.opt.Interval)
								r.step(Event{})
							}
						}
					}
					r.settle()
					r.agree()
					if got := files(r.dropbox.paths()); !slices.Equal(got, want) {
						t.Fatalf("seed %d: there is %v\n%s\n%s", seed, got, strings.Join(r.last(60), "\n"), r.dump())
					}
					r.quiet()
					r.close()
				}
			})
		}
	}
}

// twoOf makes a and b in the first order, files or folders with a file, and
// tells what there is to be after they have changed places.
func (r *rig) twoOf(kind odbxfs.NodeKind) []string {
	for _, name := range []string{"a", "b"} {
		if kind == odbxfs.File {
			r.odoo.addFile(order1, name, []byte("was "+name))
			continue
		}
		r.odoo.addFile(r.odoo.addFolder(order1, name), "f", []byte("was "+name))
	}
	if kind == odbxfs.File {
		return []string{dir1 + "/a = was b", dir1 + "/b = was a"}
	}
	return []string{dir1 + "/a/f = was b", dir1 + "/b/f = was a"}
}

// What is new under a name that another is about to leave waits for it, with all
// that is in it.
func TestANewFolderUnderANameThatAnotherLeaves(t *testing.T) {
	for seed := range uint64(25) {
		r := newRig(t, seed)
		old := r.odoo.addFolder(order1, "d")
		r.odoo.addFile(old, "f", []byte("old"))
		r.calm()
		const o1 = "Sales Orders/S00001"
		r.update(func(tx *cache.Tx) error {
			dir := r.mountDirTx(tx, o1)
			return tx.Rename(dir, "d", dir, "d.old", 0)
		})
		r.step(Event{})
		for range r.rnd.IntN(10) {
			r.run()
		}
		r.update(func(tx *cache.Tx) error {
			_, err := tx.Mkdir(r.mountDirTx(tx, o1), "d")
			return err
		})
		r.mountWrites(o1+"/d", "f", []byte("new"))
		r.step(Event{})
		r.settle()
		r.agree()
		r.mustHave(dir1+"/d.old/f = old", dir1+"/d/f = new")
		r.quiet()
		r.close()
	}
}

// Who wants the name of one that waits for a person does not wait with it.
func TestAParkedNeighbourKeepsNobodyWaiting(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.addFile(order1, "a", []byte("one"))
	b := r.odoo.addFile(order1, "b", []byte("two"))
	r.calm()
	refuse := true
	r.faults.op = func(op odbxfs.DropboxOp) error {
		if refuse && op.Kind == odbxfs.DropboxMove && strings.HasSuffix(op.Path, "/t") {
			return &odbxfs.Error{Op: "move", Item: op.Path, Kind: odbxfs.KindAccess}
		}
		return nil
	}
	r.odoo.relocate(a, order1, "t")
	r.until(func() bool { return len(r.parked()) == 1 })
	r.odoo.relocate(b, order1, "a")
	r.until(func() bool { return slices.Contains(files(r.dropbox.paths()), dir1+fmt.Sprintf("/a (%d) = two", b.ID)) })
	r.mustHave(dir1+fmt.Sprintf("/a (%d) = two", b.ID), dir1+"/a = one")
}
