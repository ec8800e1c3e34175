package fs

import (
	"sync"

	"odbxfs"
)

// kernelID is the number by which this mount and the kernel know an inode. It
// is the node's own number unless idMap says otherwise.
type kernelID uint64

// freshIDs is where numbers start that no node of a store can have: nodes are
// counted from 1.
const freshIDs kernelID = 1 << 62

// idMap holds where kernel ids and node ids part. It only grows, by one entry
// for a file that was replaced while the mount was up: the kernel may come back
// with an old number at any time.
type idMap struct {
	mu     sync.RWMutex
	nodeOf map[kernelID]odbxfs.NodeID // 0: a ghost, nobody's number any more
	idOf   map[odbxfs.NodeID]kernelID
	next   kernelID
}

func newIDMap() *idMap {
	return &idMap{
		nodeOf: map[kernelID]odbxfs.NodeID{},
		idOf:   map[odbxfs.NodeID]kernelID{},
		next:   freshIDs,
	}
}

// node gives the node that a kernel id shows, and false for a ghost.
func (m *idMap) node(k kernelID) (odbxfs.NodeID, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if n, parted := m.nodeOf[k]; parted {
		return n, n != 0
	}
	return odbxfs.NodeID(k), k < freshIDs
}

// id gives the number under which the kernel is to know a node.
func (m *idMap) id(n odbxfs.NodeID) kernelID {
	m.mu.RLock()
	k, parted := m.idOf[n]
	_, taken := m.nodeOf[kernelID(n)]
	m.mu.RUnlock()
	switch {
	case parted:
		return k
	case !taken:
		return kernelID(n)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if k, parted = m.idOf[n]; parted {
		return k
	}
	k = m.next
	m.next++
	m.nodeOf[k], m.idOf[n] = n, k
	return k
}

// bind makes k the number of node n. The number that n had becomes a ghost, and
// the node that k showed has none until it is asked for.
func (m *idMap) bind(k kernelID, n odbxfs.NodeID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.partLocked(m.numberLocked(n))
	m.partLocked(k)
	m.nodeOf[k], m.idOf[n] = n, k
}

// drop makes k a ghost.
func (m *idMap) drop(k kernelID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.partLocked(k)
}

// numberLocked gives the number of n, or 0 when it has none.
func (m *idMap) numberLocked(n odbxfs.NodeID) kernelID {
	if k, parted := m.idOf[n]; parted {
		return k
	}
	if _, taken := m.nodeOf[kernelID(n)]; taken {
		return 0
	}
	return kernelID(n)
}

func (m *idMap) partLocked(k kernelID) {
	if k == 0 {
		return
	}
	if n := m.nodeOf[k]; n != 0 {
		delete(m.idOf, n)
	}
	m.nodeOf[k] = 0
}
