package sync

import (
	"fmt"
	"testing"
	"time"

	"odbxfs"
)

// A client whose policy changes stays what it is; one that gets another root is
// another.
func TestWhatAnAdministratorChangesTakesEffect(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.addFile(order1, "a", []byte("one"))
	r.odoo.client.Convert = odbxfs.ConvertNone
	r.settle()
	if n := r.odoo.nodes[a]; n.Type != odbxfs.Binary {
		t.Fatalf("it is %+v", n)
	}
	was, lists := r.engine.clients[1], r.dropbox.calls["changes"]
	r.odoo.client.Convert = odbxfs.ConvertDefault
	r.odoo.write(a, []byte("two"))
	r.settle()
	if n := r.odoo.nodes[a]; n.Type != odbxfs.Link {
		t.Errorf("after the policy changed it is %+v", n)
	}
	if r.engine.clients[1] != was || r.dropbox.calls["changes"] > lists+20 {
		t.Error("all was read anew")
	}
	r.odoo.client.Root = "/Another"
	r.while(time.Minute, "apply")
	if r.engine.clients[1] == was {
		t.Error("another root is the same client")
	}
}

func TestAClientThatIsGoneIsLeftAlone(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.more = []odbxfs.CloudClient{{ID: 2, Name: "second", Root: "/Second", Links: odbxfs.LinkPublic}}
	r.settle()
	if len(r.engine.clients) != 2 {
		t.Fatalf("%d clients", len(r.engine.clients))
	}
	r.odoo.more = nil
	r.while(time.Minute, "apply")
	s, err := r.engine.Status()
	if err != nil || len(s.Clients) != 1 || s.Clients[0].Name != "main" {
		t.Errorf("clients %+v, %v", s.Clients, err)
	}
}

// Pairs come in pages, each row once, also when an answer is lost in between.
func TestPairsAreReadInPages(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.addFile(order1, "a", []byte("one"))
	r.settle()
	const more = pairsPage + 50
	for i := range more {
		r.odoo.putPair(odbxfs.Pair{Client: 1, Kind: odbxfs.File, Odoo: odbxfs.AttachmentRef(int64(70000 + i)), OdooParent: order1,
			OdooName: fmt.Sprint(i), Dropbox: odbxfs.DropboxID(fmt.Sprint("id:gone", i)), DropboxName: fmt.Sprint(i), Gone: true})
	}
	calls := r.odoo.calls["pairs"]
	lost := false
	r.faults.after = func(call string) error {
		if call == "odoo pairs" && !lost {
			lost = true
			return unavailable(call)
		}
		return nil
	}
	r.loseStore()
	r.calm()
	if !lost {
		t.Fatal("no answer was lost")
	}
	if n := r.odoo.calls["pairs"] - calls; n != 3 {
		t.Errorf("%d calls", n)
	}
	if got := r.engine.clients[1].pairsRow; got != r.odoo.lastRow {
		t.Errorf("read to row %d of %d", got, r.odoo.lastRow)
	}
	r.agree()
	r.quiet()
}

// Who signs in to a Dropbox that does not answer is patient, and says so.
func TestAConnectionThatFailsIsTriedAgain(t *testing.T) {
	r := newRig(t, 1)
	r.faults.before = func(call string) error {
		if call == "dropbox account" {
			return unavailable(call)
		}
		return nil
	}
	r.odoo.addFile(order1, "a", []byte("one"))
	tries := r.while(10*time.Minute, "account")
	if tries < 5 || tries > 40 {
		t.Errorf("%d tries in ten minutes", tries)
	}
	if len(r.waiting()) == 0 {
		t.Error("nobody is told")
	}
	r.settle()
	r.mustHave(dir1 + "/a = one")
	r.agree()
}
