package dropbox

import (
	"testing"

	"odbxfs"
)

func TestGroupsGrowWhileTheyAreTakenAndFindTheLimit(t *testing.T) {
	var g groupSize
	grown := []int{}
	for range 4 {
		n := g.limit()
		grown = append(grown, n)
		g.taken(n)
	}
	if grown[0] != 200 || grown[1] != 400 || grown[2] != 800 || grown[3] != 1000 {
		t.Errorf("grew by %v", grown)
	}
	g.taken(3) // one that was not full says nothing
	if g.limit() != groupMost {
		t.Errorf("%d after a small one", g.limit())
	}
	const secret = 470
	g, refusals := groupSize{}, 0
	for range 30 {
		if n := g.limit(); n > secret {
			refusals++
			g.tooMany(n)
		} else {
			g.taken(n)
		}
	}
	if g.limit() > secret || g.limit() < secret-2*groupClose || refusals > 4 {
		t.Errorf("a limit of %d was taken for %d, after %d refusals", secret, g.limit(), refusals)
	}
	g = groupSize{}
	for range 20 {
		g.tooMany(g.limit())
	}
	if g.limit() != 1 {
		t.Errorf("the smallest group has %d", g.limit())
	}
}

func TestAGroupIsBoundByFilesAndBytes(t *testing.T) {
	ops := make([]odbxfs.DropboxOp, 300)
	all := make([]int, len(ops))
	for i := range ops {
		all[i] = i
	}
	var g groupSize
	if n := g.take(ops, all); n != groupFirst {
		t.Errorf("%d empty files", n)
	}
	for i := range ops {
		ops[i].Size = groupBytes/10 + 1
	}
	if n := g.take(ops, all); n != 9 {
		t.Errorf("%d files of a tenth of the bytes", n)
	}
	ops[0].Size = groupBytes * 2
	if n := g.take(ops, all); n != 1 {
		t.Errorf("%d, the first too large for any group", n)
	}
	if n := g.take(ops, all[:0]); n != 0 {
		t.Errorf("%d of none", n)
	}
}
