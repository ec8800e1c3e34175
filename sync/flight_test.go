package sync

import (
	"testing"

	"odbxfs"
)

// What a batch under way writes to is named by number, id and place, on the side
// that it writes to.
func TestWhatIsUnderWayIsKnown(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	e, c := r.engine, r.engine.clients[1]
	o, d, _ := pairing()
	d.Path = dir1 + "/from.pdf"
	batch := []work{{Task: odbxfs.Task{Seq: 17, Kind: odbxfs.TaskDropboxMove}, o: &o, d: &d, path: dir1 + "/To.pdf"}}
	e.flights[c.lane("dropbox-write")] = flightOf(toDropbox, batch)
	for _, path := range []string{dir1 + "/to.pdf", dir1 + "/TO.PDF", dir1 + "/from.pdf"} {
		if !e.dropboxInFlight(c, "", path) {
			t.Errorf("%s is not under way", path)
		}
	}
	if !e.dropboxInFlight(c, d.ID, "") || e.dropboxInFlight(c, "id:other", dir1+"/other") || e.odooInFlight(o.Ref) {
		t.Error("by id, or on the other side")
	}
	if !e.taskInFlight(17) || e.taskInFlight(18) {
		t.Error("by its place in the queue")
	}
	e.flights[c.lane("odoo-write")] = flightOf(toOdoo, batch)
	if !e.odooInFlight(o.Ref) || e.odooInFlight(order1) {
		t.Error("in Odoo")
	}
	delete(e.flights, c.lane("odoo-write"))
	e.flights[laneIntents] = flightOfIntents([]job{{in: odbxfs.Intent{Was: o}}, {}})
	if !e.odooInFlight(o.Ref) || e.odooInFlight(odbxfs.OdooRef{}) {
		t.Error("an intent")
	}
}

// A lane does one thing at a time, and what it did is forgotten with its answer.
func TestEffectsOfALaneNeverOverlap(t *testing.T) {
	for seed := range uint64(5) {
		r := newRig(t, seed)
		for i := range 20 {
			r.odoo.addFile(order1, fileName(i), []byte{byte(i)})
		}
		for range 400 {
			lanes := map[string]string{}
			for _, f := range r.pending {
				if was, taken := lanes[f.Lane]; taken {
					t.Fatalf("%s and %s on %s", was, f.What, f.Lane)
				}
				lanes[f.Lane] = f.What
			}
			for lane := range r.engine.flights {
				if r.engine.free(lane) {
					t.Fatalf("something is under way on %s, which is free", lane)
				}
			}
			if !r.run() {
				r.clock = r.clock.Add(paceFirst)
				r.step(Event{})
			}
		}
		r.agree()
	}
}
