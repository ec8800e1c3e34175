package sync

import (
	"fmt"
	"maps"
	"testing"

	"odbxfs"
	"odbxfs/cache"
)

// More than one step plans is planned step by step, at once: not with whatever
// happens to come next.
func TestManyThingsArePlannedWithoutWaiting(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	for i := range 5 * planRows {
		r.odoo.put(odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(int64(1000 + i)), ParentRef: order1, Kind: odbxfs.File,
			Type: odbxfs.Foreign, Name: fmt.Sprintf("elsewhere %d", i), URL: "https://example.com/"})
	}
	r.comesTo("all are read", func() bool {
		counts := r.counts()
		return counts[odbxfs.OdooScope{Kind: odbxfs.RefAttachment, Model: "sale.order"}] == 5*planRows
	})
	for start := r.clock; r.clock.Equal(start); {
		if n := r.dirty(); n == 0 {
			return
		}
		r.next()
	}
	t.Errorf("time went by with %d things unplanned", r.dirty())
}

// A folder with more in it than the store's tables take at once goes as any
// other does.
func TestAFolderWithVeryMuchInItGoes(t *testing.T) {
	const files = 6000
	r := newRig(t, 1)
	folder := r.odoo.addFolder(order1, "big")
	for i := range files {
		r.odoo.put(odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(int64(1000 + i)), ParentRef: folder, Kind: odbxfs.File,
			Type: odbxfs.Foreign, Name: fmt.Sprintf("elsewhere %d", i), URL: "https://example.com/"})
	}
	scope := odbxfs.OdooScope{Kind: odbxfs.RefAttachment, Model: "sale.order"}
	r.comesTo("all are read", func() bool { return r.counts()[scope] == files })
	r.odoo.mu.Lock()
	maps.DeleteFunc(r.odoo.nodes, func(ref odbxfs.OdooRef, n odbxfs.OdooNode) bool { return ref == folder || n.ParentRef == folder })
	r.odoo.mu.Unlock()
	r.comesTo("all are gone", func() bool { return r.counts()[scope] == 0 })
}

// next is one effect, or where there is none the passing of time.
func (r *rig) next() {
	r.t.Helper()
	if r.run() {
		return
	}
	if at := r.engine.Wake(); at.After(r.clock) {
		r.clock = at
	}
	effects, err := r.engine.Step(Event{})
	if err != nil {
		r.t.Fatal(err)
	}
	r.pending = append(r.pending, effects...)
}

// comesTo goes on until something holds.
func (r *rig) comesTo(what string, holds func() bool) {
	r.t.Helper()
	for range 10000 {
		if holds() {
			return
		}
		r.next()
	}
	r.t.Fatalf("it never comes to this: %s", what)
}

func (r *rig) dirty() (n int) {
	r.t.Helper()
	r.view(func(tx *cache.Tx) error {
		ids, err := tx.Dirty(0)
		n = len(ids)
		return err
	})
	return n
}

func (r *rig) counts() map[odbxfs.OdooScope]int64 {
	r.t.Helper()
	all := map[odbxfs.OdooScope]int64{}
	r.view(func(tx *cache.Tx) error {
		counts, err := tx.OdooCounts()
		for _, c := range counts {
			all[c.Scope] = c.Count
		}
		return err
	})
	return all
}

func (r *rig) view(fn func(*cache.Tx) error) {
	r.t.Helper()
	if err := r.store.View(fn); err != nil {
		r.t.Fatal(err)
	}
}
