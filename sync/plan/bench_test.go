package plan

import (
	"fmt"
	"testing"

	"odbxfs"
)

// indexed is a tree whose folders know their children.
type indexed[N any] struct {
	reader[N]
	children map[odbxfs.NodeID][]odbxfs.NodeID
}

func (r indexed[N]) Children(parent odbxfs.NodeID) []odbxfs.NodeID { return r.children[parent] }

func index[N any](r odbxfs.Reader[N], all []odbxfs.NodeID) indexed[N] {
	plain := r.(reader[N])
	out := indexed[N]{plain, map[odbxfs.NodeID][]odbxfs.NodeID{}}
	for _, id := range all {
		if n, ok := plain.nodes[id]; ok && id != odbxfs.RootNode {
			out.children[plain.parent(n)] = append(out.children[plain.parent(n)], id)
		}
	}
	return out
}

// BenchmarkPlan plans 1,000 dirty nodes, in batches as the engine does, of a
// tree of 10,000 records with ten files each: once settled, once all new.
func BenchmarkPlan(b *testing.B) {
	for _, settled := range []bool{true, false} {
		b.Run(fmt.Sprintf("settled=%t", settled), func(b *testing.B) {
			w := newWorld()
			w.putOdoo(2, 1, odbxfs.RuleRef(1), odbxfs.RoleRule, "Sales", "")
			w.putDropbox(2, 1, "Sales", "")
			w.settle(2)
			var dirty []odbxfs.NodeID
			id := odbxfs.NodeID(100)
			for i := range 10_000 {
				record := id
				w.putOdoo(record, 2, odbxfs.RecordRef("sale.order", int64(i+1)), odbxfs.RoleRecord, fmt.Sprintf("S%05d", i), "")
				id++
				for j := range 10 {
					w.putOdoo(id, record, odbxfs.AttachmentRef(int64(id)), odbxfs.RoleNone, fmt.Sprintf("file %d.pdf", j), "bytes")
					id++
				}
				for n := record; settled && n < id; n++ {
					w.putDropbox(n, w.odoo[n].Parent, w.odoo[n].Name, map[bool]string{true: "", false: "bytes"}[n == record])
					w.settle(n)
				}
			}
			for n := odbxfs.NodeID(100); n < 1100; n++ {
				dirty = append(dirty, n)
			}
			o, d, s := w.readers()
			all := w.all()
			io, id2, is := index(o, all), index(d, all), index(s, all)
			b.ResetTimer()
			for range b.N {
				Plan(dirty, io, id2, is, Policy{Client: mirrorOnly})
			}
			b.ReportMetric(float64(len(dirty)*b.N)/b.Elapsed().Seconds(), "nodes/s")
		})
	}
}
