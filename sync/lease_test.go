package sync

import (
	"context"
	"testing"
	"time"

	"odbxfs"
)

func TestAnEndGivesTheLeaseBack(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	if r.odoo.holder != "test" {
		t.Fatalf("%q has the lease", r.odoo.holder)
	}
	if err := r.engine.Release(context.Background()); err != nil || r.odoo.holder != "" {
		t.Errorf("%q has the lease, %v", r.odoo.holder, err)
	}
	if err := r.engine.Release(context.Background()); err != nil || r.odoo.calls["release"] != 1 {
		t.Errorf("given back %d times, %v", r.odoo.calls["release"], err)
	}
}

func TestALeaseThatIsAnothersIsNotGivenBack(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.other = "another host"
	r.while(5*time.Second, "apply")
	if err := r.engine.Release(context.Background()); err != nil || r.odoo.calls["release"] != 0 {
		t.Errorf("asked %d times, %v", r.odoo.calls["release"], err)
	}
	r.odoo.other = ""
	r.settle()
	r.odoo.other = "another host" // it took over, and we have not heard of it
	if err := r.engine.Release(context.Background()); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestALeaseThatCannotBeGivenBackIsSaid(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	r.faults.before = unavailable
	if err := r.engine.Release(context.Background()); !odbxfs.IsKind(err, odbxfs.KindUnavailable) {
		t.Errorf("got %v", err)
	}
}

// A lease is renewed before it ends, and nothing is written without it.
func TestNothingIsWrittenWhenTheLeaseIsOver(t *testing.T) {
	r := newRig(t, 1)
	r.dropbox.personMakes("/Odoo")
	r.calm()
	r.faults.before = func(call string) error {
		if call == "odoo lease" {
			return unavailable(call)
		}
		return nil
	}
	r.while(r.engine.opt.LeaseTTL, "apply")
	r.odoo.addFile(order1, "a", []byte("one"))
	if n := r.while(5*time.Minute, "apply"); n != 0 {
		t.Errorf("%d writes without a lease", n)
	}
	r.settle()
	r.mustHave(dir1 + "/a = one")
	r.agree()
}
