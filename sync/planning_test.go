package sync

import (
	"fmt"
	"strings"
	"testing"

	"odbxfs"
)

// What our own batch of folders made is seen in Dropbox's feed before the batch
// is settled, the deeper ones in folders that nobody knows yet: none of it is
// new.
func TestWhatABatchMadeIsNotTakenForNew(t *testing.T) {
	for seed := range uint64(30) {
		r := newRig(t, seed)
		for i := range 5 {
			sub := r.odoo.addFolder(order1, fmt.Sprintf("sub %d", i))
			r.odoo.addFile(r.odoo.addFolder(sub, "deeper"), "f", []byte{byte(i)})
		}
		r.calm()
		r.agree()
		for _, l := range r.odoo.log {
			if strings.HasPrefix(l.What, "odoo-") && l.What != "odoo-convert" && l.What != odbxfs.TaskSettle.String() {
				t.Errorf("seed %d: %s %s %q: %s", seed, l.State, l.What, l.Item, l.Why)
			}
			if l.State != "done" {
				t.Errorf("seed %d: a line is left %s: %s %q %s", seed, l.State, l.What, l.Item, l.Error)
			}
		}
		r.close()
		if t.Failed() {
			t.Fatal(strings.Join(r.trace, "\n"))
		}
	}
}
