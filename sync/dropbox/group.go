package dropbox

import (
	gosync "sync"

	"odbxfs"
)

const (
	// groupBytes bounds the bytes of one group, which are in memory. The API
	// takes 150 MiB in one append_batch.
	groupBytes = 24 << 20
	// groupFirst is how many files go into the first group: append_batch has its
	// argument in a header, some 140 bytes a file, and how long a header may be
	// is not known. 28 kB is less than what common servers take (32 kB).
	groupFirst = 200
	// groupMost is the most sessions that the API takes in one call.
	groupMost = 1000
	// groupClose is how near to a refused size it still pays to try.
	groupClose = 50
)

// groupSize learns how many files one append_batch takes: it grows while the
// groups are taken, and halves the way to a size that was refused. The zero
// value is ready; it may be used concurrently.
type groupSize struct {
	mu      gosync.Mutex
	most    int // now; 0: groupFirst
	refused int // the smallest that was too many; 0: none was
}

func (g *groupSize) limit() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.limitLocked()
}

func (g *groupSize) limitLocked() int {
	if g.most == 0 {
		return groupFirst
	}
	return g.most
}

// taken notes that a group of n went through.
func (g *groupSize) taken(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n < g.limitLocked() {
		return
	}
	next := min(2*n, groupMost)
	if g.refused > 0 {
		if next = min(next, (n+g.refused)/2); g.refused-n < groupClose {
			next = n
		}
	}
	g.most = next
}

// tooMany notes that a group of n was refused for its size.
func (g *groupSize) tooMany(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refused == 0 || n < g.refused {
		g.refused = n
	}
	g.most = max(min(g.limitLocked(), n/2), 1)
}

// take says how many of the small files, in their order, make the next group.
func (g *groupSize) take(ops []odbxfs.DropboxOp, small []int) int {
	n, size, most := 0, int64(0), g.limit()
	for n < len(small) && n < most && (n == 0 || size+ops[small[n]].Size <= groupBytes) {
		size += ops[small[n]].Size
		n++
	}
	return n
}
