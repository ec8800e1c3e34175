package plan

import (
	"cmp"
	"container/heap"
	"slices"

	"odbxfs"
)

// rank groups the tasks by kind where nothing else orders them, what others
// wait for first, so that adjacent tasks make batches.
var rank = [...]int{
	odbxfs.TaskOdooRestore:   0,
	odbxfs.TaskDropboxMkdir:  1,
	odbxfs.TaskOdooMkdir:     2,
	odbxfs.TaskDropboxMove:   3,
	odbxfs.TaskOdooMove:      4,
	odbxfs.TaskDropboxKeep:   5,
	odbxfs.TaskDropboxUpload: 6,
	odbxfs.TaskOdooCreate:    7,
	odbxfs.TaskOdooUpdate:    8,
	odbxfs.TaskSettle:        9,
	odbxfs.TaskOdooConvert:   10,
	odbxfs.TaskDropboxDelete: 11,
	odbxfs.TaskOdooDelete:    12,
	odbxfs.TaskForget:        13,
}

// slot is a name in a folder of Dropbox, which only one node can have.
type slot struct {
	folder odbxfs.NodeID
	name   string // folded
}

// wait says that a task must come after another.
type wait struct {
	task int  // the one that waits
	slot bool // for the name that the other gives up, and for nothing else
}

// order is the graph of what waits for what, and the way through it.
type order struct {
	pl     *planner
	tasks  []odbxfs.Task
	depth  []int
	after  [][]wait // by task: who waits for it
	before []int    // by task: how many it waits for
	ready  []int    // a heap
	done   []bool
	out    []odbxfs.Task
}

// ordered gives the planned tasks in the order in which they are to be done:
// parents before what goes into them, children before a folder that goes, a
// name given up before it is taken. Where names go round in a ring, one node
// steps aside under a temporary name.
func (pl *planner) ordered() []odbxfs.Task {
	o := &order{
		pl: pl, tasks: pl.tasks, depth: make([]int, len(pl.tasks)), after: make([][]wait, len(pl.tasks)),
		before: make([]int, len(pl.tasks)), done: make([]bool, len(pl.tasks)), out: make([]odbxfs.Task, 0, len(pl.tasks)),
	}
	for i := range o.tasks {
		o.depth[i] = pl.depthOf(&o.tasks[i])
	}
	o.link()
	for i := range o.tasks {
		if o.before[i] == 0 {
			heap.Push(o, i)
		}
	}
	for len(o.out) < len(o.tasks) || o.Len() > 0 {
		if o.Len() == 0 {
			if !o.untie() {
				break
			}
			continue
		}
		o.emit(heap.Pop(o).(int))
	}
	return o.out
}

func (o *order) emit(i int) {
	o.done[i] = true
	o.out = append(o.out, o.tasks[i])
	o.release(i, false)
}

// release lets go on who waits for the task, or only who waits for its name.
func (o *order) release(i int, slotsOnly bool) {
	kept := o.after[i][:0]
	for _, w := range o.after[i] {
		if slotsOnly && !w.slot {
			kept = append(kept, w)
			continue
		}
		if o.before[w.task]--; o.before[w.task] == 0 && !o.done[w.task] {
			heap.Push(o, w.task)
		}
	}
	o.after[i] = kept
}

// untie breaks a ring of waiting tasks: a move that others wait for gives up
// its name at once. A ring without such a move can't be; should one be all the
// same, its first task goes, and its precondition decides.
func (o *order) untie() bool {
	ring := o.ring()
	if len(ring) == 0 {
		return false
	}
	slices.SortFunc(ring, o.compare)
	for _, i := range ring {
		if t := o.tasks[i]; t.Kind == odbxfs.TaskDropboxMove && slices.ContainsFunc(o.after[i], func(w wait) bool { return w.slot }) {
			t.Parent, t.Name = t.Dropbox.Parent, temporaryName(t.Node)
			t.Pass, t.Why = odbxfs.Backward, whyMakesRoom // agrees on nothing
			o.out = append(o.out, t)
			o.tasks = append(o.tasks, t)
			o.grow()
			o.release(i, true)
			return true
		}
	}
	o.before[ring[0]] = 0
	heap.Push(o, ring[0])
	return true
}

// grow makes the bookkeeping as long as the tasks; the last is done already.
func (o *order) grow() {
	o.depth, o.after, o.before, o.done = append(o.depth, 0), append(o.after, nil), append(o.before, 0), append(o.done, true)
}

// ring gives tasks that wait for each other in a ring.
func (o *order) ring() []int {
	waitsFor := make([]int, len(o.tasks)) // one undone task each waits for
	for i := range waitsFor {
		waitsFor[i] = -1
	}
	at := -1
	for i := range o.tasks {
		if o.done[i] {
			continue
		}
		at = max(at, i)
		for _, w := range o.after[i] {
			if !o.done[w.task] && waitsFor[w.task] < 0 {
				waitsFor[w.task] = i
			}
		}
	}
	place := map[int]int{}
	var path []int
	for at >= 0 {
		if first, ok := place[at]; ok {
			return path[first:]
		}
		place[at] = len(path)
		path = append(path, at)
		at = waitsFor[at]
	}
	return path
}

// compare is the order of tasks that don't wait for each other.
func (o *order) compare(a, b int) int {
	s, t := &o.tasks[a], &o.tasks[b]
	depth := cmp.Compare(o.depth[a], o.depth[b])
	if s.Kind.Deletes() {
		depth = -depth
	}
	return cmp.Or(cmp.Compare(rank[s.Kind], rank[t.Kind]), depth, cmp.Compare(s.Node, t.Node), cmp.Compare(a, b))
}

// Len, Less, Swap, Push and Pop make the ready tasks a heap.
func (o *order) Len() int           { return len(o.ready) }
func (o *order) Less(i, j int) bool { return o.compare(o.ready[i], o.ready[j]) < 0 }
func (o *order) Swap(i, j int)      { o.ready[i], o.ready[j] = o.ready[j], o.ready[i] }

// Push adds a task's index.
func (o *order) Push(x any) { o.ready = append(o.ready, x.(int)) }

// Pop takes the last one.
func (o *order) Pop() any {
	last := o.ready[len(o.ready)-1]
	o.ready = o.ready[:len(o.ready)-1]
	return last
}
