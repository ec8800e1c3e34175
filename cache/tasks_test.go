package cache

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"odbxfs"
)

// randomTask is a task of one of few nodes, folders and names, so that they meet.
func randomTask(rnd *rand.Rand) odbxfs.Task {
	t := odbxfs.Task{
		Kind: odbxfs.TaskKind(1 + rnd.IntN(int(odbxfs.TaskDropboxUnlink))), Client: odbxfs.ClientID(1 + rnd.IntN(2)),
		Node: odbxfs.NodeID(10 + rnd.IntN(6)), Parent: odbxfs.NodeID(2 + rnd.IntN(3)), Name: []string{"a", "A", "b"}[rnd.IntN(3)],
	}
	if rnd.IntN(2) == 0 {
		t.Odoo = &odbxfs.OdooNode{Parent: odbxfs.NodeID(2 + rnd.IntN(3))}
	}
	if rnd.IntN(2) == 0 {
		t.Dropbox = &odbxfs.DropboxNode{Parent: odbxfs.NodeID(2 + rnd.IntN(3))}
	}
	return t
}

// shake changes the queue as the engine does, n times.
func shake(t *testing.T, s *Store, rnd *rand.Rand, n int) {
	t.Helper()
	for range n {
		update(t, s, func(tx *Tx) error {
			all := queue(t, tx)
			if len(all) == 0 || rnd.IntN(3) == 0 {
				_, err := tx.AddTasks([]odbxfs.Task{randomTask(rnd), randomTask(rnd)})
				return err
			}
			task := all[rnd.IntN(len(all))]
			switch rnd.IntN(5) {
			case 0:
				task.Held = task.Kind.Deletes()
			case 1:
				task.Reason = "no"
			case 2:
				task.Held, task.Reason = false, ""
			case 3:
				return tx.mergeTasks(task.Node, odbxfs.NodeID(10+rnd.IntN(6)))
			default:
				return tx.DropTask(task.Seq)
			}
			return tx.PutTask(task)
		})
	}
}

func queue(t *testing.T, tx *Tx) (all []odbxfs.Task) {
	t.Helper()
	if err := tx.Tasks(func(t odbxfs.Task) bool { all = append(all, t); return true }); err != nil {
		t.Fatal(err)
	}
	return all
}

// Whatever is done to the queue, what is asked of it is answered as if all of
// it had been read.
func TestTheQueueAnswersAsIfItWereReadWhole(t *testing.T) {
	s := memStore(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		shake(t, s, rnd, 15)
		checkQueue(t, s)
	}
}

func checkQueue(t *testing.T, s *Store) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		all := queue(t, tx)
		if len(all) == 0 {
			t.Error("nothing is queued: nothing is shown")
		}
		for c := odbxfs.ClientID(1); c <= 2; c++ {
			for l := LaneDropbox; l <= LaneParked; l++ {
				want := seqs(all, func(q odbxfs.Task) bool { return q.Client == c && LaneOf(q) == l })
				var got []odbxfs.Task
				if err := tx.LaneTasks(c, l, func(q odbxfs.Task) bool { got = append(got, q); return true }); err != nil {
					return err
				}
				if !slices.Equal(seqs(got, anyTask), want) {
					t.Errorf("lane %d of client %d: %v, want %v", l, c, seqs(got, anyTask), want)
				}
			}
			makes, err := tx.QueuedPlaces(c)
			if want := seqs(all, func(q odbxfs.Task) bool { return q.Client == c && q.Places() }); err != nil || makes != (len(want) > 0) {
				t.Errorf("client %d puts something somewhere: %t, want %v (%v)", c, makes, want, err)
			}
			for folder := odbxfs.NodeID(2); folder < 5; folder++ {
				checkFolder(t, tx, all, c, folder)
			}
		}
		ends, err := tx.Deletions()
		want := seqs(all, func(q odbxfs.Task) bool { return q.Kind.Deletes() })
		if err != nil || !slices.Equal(seqs(ends, anyTask), want) {
			t.Errorf("deletions: %v, want %v (%v)", seqs(ends, anyTask), want, err)
		}
		for node := odbxfs.NodeID(10); node < 16; node++ {
			marks, err := tx.Queued(node)
			want := seqs(all, func(q odbxfs.Task) bool { return q.Node == node })
			if err != nil || !slices.Equal(seqsOf(marks), want) {
				t.Errorf("of node %d: %v, want %v (%v)", node, marks, want, err)
			}
		}
		return nil
	})
}

func checkFolder(t *testing.T, tx *Tx, all []odbxfs.Task, c odbxfs.ClientID, folder odbxfs.NodeID) {
	t.Helper()
	out := seqs(all, func(q odbxfs.Task) bool { return q.Client == c && slices.Contains(leaves(q), folder) })
	first, err := tx.QueuedFrom(c, folder)
	if err != nil || len(out) == 0 && first != 0 || len(out) > 0 && first != out[0] {
		t.Errorf("the first out of folder %d: %d, want of %v (%v)", folder, first, out, err)
	}
	for _, name := range []string{"A", "b"} {
		want := seqs(all, func(q odbxfs.Task) bool {
			return q.Client == c && q.Places() && q.Parent == folder && strings.EqualFold(q.Name, name)
		})
		if marks, err := tx.QueuedAt(c, folder, name); err != nil || !slices.Equal(seqsOf(marks), want) {
			t.Errorf("put into folder %d as %q: %v, want %v (%v)", folder, name, marks, want, err)
		}
	}
}

func anyTask(odbxfs.Task) bool { return true }

func seqs(all []odbxfs.Task, which func(odbxfs.Task) bool) []uint64 {
	out := []uint64{}
	for _, q := range all {
		if which(q) {
			out = append(out, q.Seq)
		}
	}
	return out
}

func seqsOf(marks []TaskMark) []uint64 {
	out := []uint64{}
	for _, m := range marks {
		out = append(out, m.Seq)
	}
	return out
}

// addMany queues tasks of nodes from 100 on.
func addMany(t *testing.T, s *Store, n int, kind odbxfs.TaskKind) {
	t.Helper()
	tasks := make([]odbxfs.Task, n)
	for i := range tasks {
		tasks[i] = odbxfs.Task{Kind: kind, Client: 1, Node: odbxfs.NodeID(100 + i)}
	}
	for part := range slices.Chunk(tasks, 100) {
		update(t, s, func(tx *Tx) error {
			_, err := tx.AddTasks(part)
			return err
		})
	}
}

func TestALongLaneIsReadInOrderUntilItIsEnough(t *testing.T) {
	s := memStore(t)
	const n = 3*taskPage + 7
	addMany(t, s, n, odbxfs.TaskSettle)
	for _, enough := range []int{1, taskPage, taskPage + 1, n, n + 1} {
		view(t, s, func(tx *Tx) error {
			var got []odbxfs.NodeID
			err := tx.LaneTasks(1, LaneOdoo, func(q odbxfs.Task) bool { got = append(got, q.Node); return len(got) < enough })
			if len(got) != min(enough, n) || !slices.IsSorted(got) || got[0] != 100 {
				t.Errorf("%d of %d, from %d on", len(got), enough, got[0])
			}
			return err
		})
	}
}

// A store of a version that had no lanes has its queue in them after it was
// opened once.
func TestAQueueFromBeforeThereWereLanes(t *testing.T) {
	dir := t.TempDir()
	s := diskStore(t, dir)
	shake(t, s, rand.New(rand.NewPCG(3, 4)), 60)
	addMany(t, s, 2*taskPage, odbxfs.TaskForget)
	var all []odbxfs.Task
	view(t, s, func(tx *Tx) error { all = queue(t, tx); return nil })
	for part := range slices.Chunk(all, 100) {
		update(t, s, func(tx *Tx) error {
			for _, q := range part {
				if err := tx.unindexTask(q); err != nil {
					return err
				}
			}
			return tx.del(keyText(kCounter, formatKey))
		})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	checkQueue(t, diskStore(t, dir))
}

func TestDirtyNodesAreReadInPages(t *testing.T) {
	s := memStore(t)
	update(t, s, func(tx *Tx) error {
		for id := odbxfs.NodeID(2); id <= 12; id++ {
			if err := tx.MarkDirty(id); err != nil {
				return err
			}
		}
		return tx.ClearDirty([]odbxfs.NodeID{6})
	})
	view(t, s, func(tx *Tx) error {
		got, err := tx.DirtyAfter(4, 3)
		if fmt.Sprint(got) != "[5 7 8]" {
			t.Errorf("three after 4: %v", got)
		}
		return err
	})
}
