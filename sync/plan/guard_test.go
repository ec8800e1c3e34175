package plan

import (
	"testing"

	"odbxfs"
)

func TestTooMany(t *testing.T) {
	for _, c := range []struct {
		sentence string
		n, total int
		pol      GuardPolicy
		want     bool
	}{
		{"nothing is deleted", 0, 0, GuardPolicy{}, false},
		{"nine of nine are few", 9, 9, GuardPolicy{}, false},
		{"ten of forty-nine are more than a fifth", 10, 49, GuardPolicy{}, true},
		{"ten of fifty are a fifth, not more", 10, 50, GuardPolicy{}, false},
		{"two hundred of many go", 200, 100_000, GuardPolicy{}, false},
		{"more never go unasked", 201, 100_000, GuardPolicy{}, true},
		{"unless it is off", 201, 201, GuardPolicy{Off: true}, false},
		{"the figures are the policy's", 3, 100, GuardPolicy{Most: 2}, true},
		{"the share is the policy's", 3, 100, GuardPolicy{Share: 2, Least: 3}, true},
	} {
		if got := TooMany(c.n, c.total, c.pol); got != c.want {
			t.Errorf("%s: got %t", c.sentence, got)
		}
	}
}

func TestHeldKeepsOrderAndAsksPerClient(t *testing.T) {
	var tasks []odbxfs.Task
	for i := range 12 {
		tasks = append(tasks,
			odbxfs.Task{Kind: odbxfs.TaskOdooDelete, Client: 1, Node: odbxfs.NodeID(10 + i)},
			odbxfs.Task{Kind: odbxfs.TaskDropboxMove, Client: 1, Node: odbxfs.NodeID(40 + i)})
	}
	tasks = append(tasks, odbxfs.Task{Kind: odbxfs.TaskDropboxDelete, Client: 2, Node: 70})
	goOn, held := Held(tasks, map[odbxfs.ClientID]int{1: 20, 2: 1}, GuardPolicy{})
	if len(held) != 12 || len(goOn) != 13 {
		t.Fatalf("%d go on, %d are held", len(goOn), len(held))
	}
	for i, h := range held {
		if !h.Held || h.Node != odbxfs.NodeID(10+i) {
			t.Errorf("held %d: %+v", i, h)
		}
	}
	if last := goOn[12]; last.Node != 70 || last.Held {
		t.Errorf("the other client's deletion: %+v", last)
	}
}
