package sync

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// shelf is a calm engine into whose queue a test puts tasks of its own, to see
// which of them are chosen.
type shelf struct {
	*rig
	c *client
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	r := newRig(t, 1)
	r.odoo.addFile(order1, "a", []byte("a"))
	r.odoo.addFile(order1, "b", []byte("b"))
	dir := r.odoo.addFolder(order2, "dir")
	r.odoo.addFile(dir, "in", []byte("in"))
	r.settle()
	return &shelf{rig: r, c: r.engine.clients[1]}
}

// task makes one for a path of the mount, with what the trees have as seen.
func (s *shelf) task(kind odbxfs.TaskKind, path string) odbxfs.Task {
	s.t.Helper()
	t := odbxfs.Task{Kind: kind, Node: s.mountDir(path), Client: 1, Pass: odbxfs.Direct}
	if err := s.store.View(func(tx *cache.Tx) error {
		o, _, err := tx.OdooNode(t.Node)
		if err != nil {
			return err
		}
		d, _, err := tx.DropboxNode(t.Node)
		if err != nil {
			return err
		}
		p, _, err := tx.Pair(t.Node)
		t.Odoo, t.Dropbox, t.Pair, t.Parent, t.Name = &o, &d, &p, o.Parent, o.Name
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return t
}

// queue puts tasks into the queue and gives them with their Seq.
func (s *shelf) queue(tasks ...odbxfs.Task) (queued []odbxfs.Task) {
	s.t.Helper()
	s.update(func(tx *cache.Tx) (err error) {
		queued, err = tx.AddTasks(tasks)
		return err
	})
	for _, q := range queued {
		s.c.gate[q.Seq] = 0
	}
	return queued
}

// chosen says which tasks are in the next batch of a side, as "kind name".
func (s *shelf) chosen(to side) []string {
	s.t.Helper()
	batch, err := s.engine.choose(s.c, to)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, w := range batch {
		out = append(out, w.Kind.String()+" "+w.Name)
	}
	return out
}

func (s *shelf) mustChoose(to side, want ...string) {
	s.t.Helper()
	if got := s.chosen(to); !slices.Equal(got, want) {
		s.t.Errorf("chosen are %q, want %q", got, want)
	}
}

const (
	pathA   = "Sales Orders/S00001/a"
	pathB   = "Sales Orders/S00001/b"
	pathDir = "Sales Orders/S00002/dir"
	pathIn  = "Sales Orders/S00002/dir/in"
)

func TestABatchForDropboxIsOfOneKind(t *testing.T) {
	s := newShelf(t)
	s.queue(s.task(odbxfs.TaskDropboxUpload, pathA), s.task(odbxfs.TaskDropboxUpload, pathB), s.task(odbxfs.TaskDropboxMove, pathIn))
	s.mustChoose(toDropbox, "dropbox-upload a", "dropbox-upload b")
	s.mustChoose(toOdoo)
}

func TestABatchForOdooMixesKinds(t *testing.T) {
	s := newShelf(t)
	s.queue(s.task(odbxfs.TaskOdooMove, pathA), s.task(odbxfs.TaskOdooUpdate, pathB))
	s.mustChoose(toOdoo, "odoo-move a", "odoo-update b")
}

func TestTasksOfOneNodeGoOneAfterTheOther(t *testing.T) {
	s := newShelf(t)
	first := s.queue(s.task(odbxfs.TaskDropboxMove, pathA), s.task(odbxfs.TaskOdooMove, pathA), s.task(odbxfs.TaskOdooMove, pathB))[0]
	s.mustChoose(toDropbox, "dropbox-move a")
	s.mustChoose(toOdoo, "odoo-move b")
	s.update(func(tx *cache.Tx) error { return tx.DropTask(first.Seq) })
	s.mustChoose(toOdoo, "odoo-move a", "odoo-move b")
}

func TestWhatWaitsForAPersonOrForItsTimeIsLeft(t *testing.T) {
	s := newShelf(t)
	held, parked, later := s.task(odbxfs.TaskOdooDelete, pathA), s.task(odbxfs.TaskOdooMove, pathB), s.task(odbxfs.TaskOdooMove, pathIn)
	held.Held, parked.Reason = true, "no"
	later.NotUntil = s.clock.Add(time.Minute)
	s.queue(held, parked, later)
	s.engine.wake = time.Time{}
	s.mustChoose(toOdoo)
	if at := s.engine.Wake(); !at.Equal(later.NotUntil) {
		t.Errorf("it wakes at %s, want %s", at, later.NotUntil)
	}
	s.clock = later.NotUntil
	s.mustChoose(toOdoo, "odoo-move in")
}

func TestAFolderGoesAfterWhatIsInIt(t *testing.T) {
	s := newShelf(t)
	s.engine.opt.Guard.Off = true
	inside, folder := s.task(odbxfs.TaskDropboxDelete, pathIn), s.task(odbxfs.TaskDropboxDelete, pathDir)
	q := s.queue(inside, folder)
	s.mustChoose(toDropbox, "dropbox-delete in")
	s.update(func(tx *cache.Tx) error { return tx.DropTask(q[0].Seq) })
	s.mustChoose(toDropbox, "dropbox-delete dir")
}

func TestNothingGoesBelowAFolderThatIsAboutToMove(t *testing.T) {
	s := newShelf(t)
	move, upload := s.task(odbxfs.TaskDropboxMove, pathDir), s.task(odbxfs.TaskDropboxUpload, pathIn)
	move.Name = "elsewhere"
	q := s.queue(move, upload)
	s.mustChoose(toDropbox, "dropbox-move elsewhere")
	s.update(func(tx *cache.Tx) error { return tx.DropTask(q[0].Seq) })
	s.mustChoose(toDropbox, "dropbox-upload in")
}

func TestNewFoldersGoWithThoseThatTheyLieIn(t *testing.T) {
	s := newShelf(t)
	up := s.node(s.odoo.addFolderNow(s.rig, order1, "new"))
	below := s.node(s.odoo.addFolderNow(s.rig, s.odoo.named("new"), "newer"))
	outer := odbxfs.Task{Kind: odbxfs.TaskDropboxMkdir, Node: up, Client: 1, Parent: s.mountDir("Sales Orders/S00001"), Name: "new", Odoo: s.odooNode(up)}
	inner := odbxfs.Task{Kind: odbxfs.TaskDropboxMkdir, Node: below, Client: 1, Parent: up, Name: "newer", Odoo: s.odooNode(below)}
	s.queue(outer, inner)
	batch, err := s.engine.choose(s.c, toDropbox)
	if err != nil || len(batch) != 2 {
		t.Fatalf("%d are chosen, %v", len(batch), err)
	}
	if batch[1].path != dir1+"/new/newer" || batch[0].stale || batch[1].stale {
		t.Errorf("they go to %q and %q, stale %v %v", batch[0].path, batch[1].path, batch[0].stale, batch[1].stale)
	}
}

// addFolderNow makes a folder that the store knows at once, without the engine.
func (o *fakeOdoo) addFolderNow(r *rig, parent odbxfs.OdooRef, name string) odbxfs.OdooRef {
	ref := o.addFolder(parent, name)
	r.update(func(tx *cache.Tx) error {
		_, err := tx.PutOdoo(o.nodes[ref])
		return err
	})
	return ref
}

// named gives the thing of that name.
func (o *fakeOdoo) named(name string) odbxfs.OdooRef {
	for ref, n := range o.nodes {
		if n.Name == name {
			return ref
		}
	}
	return odbxfs.OdooRef{}
}

func (r *rig) odooNode(id odbxfs.NodeID) (n *odbxfs.OdooNode) {
	r.t.Helper()
	if err := r.store.View(func(tx *cache.Tx) error {
		o, known, err := tx.OdooNode(id)
		if known {
			n = &o
		}
		return err
	}); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// Law 1: nothing is converted before a look at Dropbox that began after it was
// planned has been read to its end.
func TestAConversionWaitsForALookAtDropbox(t *testing.T) {
	s := newShelf(t)
	q := s.queue(s.task(odbxfs.TaskOdooConvert, pathA))
	s.c.gate[q[0].Seq], s.c.due = s.engine.step, false
	s.mustChoose(toOdoo)
	if !s.c.due {
		t.Error("no look is asked for")
	}
	s.c.lastRun = s.engine.step + 1
	s.mustChoose(toOdoo, "odoo-convert a")
}

func TestAFullAccountLetsOnlyWhatAddsWait(t *testing.T) {
	s := newShelf(t)
	s.engine.opt.Guard.Off = true
	s.c.remote.failed(s.clock, &odbxfs.Error{Kind: odbxfs.KindFull}, 0)
	upload := s.task(odbxfs.TaskDropboxUpload, pathA)
	s.queue(upload, s.task(odbxfs.TaskDropboxDelete, pathB))
	s.mustChoose(toDropbox, "dropbox-delete b")
	s.c.remote.ok()
	s.mustChoose(toDropbox, "dropbox-upload a")
}

func TestABatchIsBoundedByNumberAndBytes(t *testing.T) {
	s := newShelf(t)
	dir := s.mountDir("Sales Orders/S00001")
	size := int64(0)
	file := func(i int) odbxfs.Task {
		var id odbxfs.NodeID
		s.update(func(tx *cache.Tx) error {
			put, err := tx.PutOdoo(odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(int64(9000 + i)), ParentRef: order1, Kind: odbxfs.File, Type: odbxfs.Binary,
				Name: fmt.Sprint("n", i), SHA1: sha1Of([]byte{byte(i)}), Size: size, Client: 1})
			id = put.Node
			return err
		})
		return odbxfs.Task{Kind: odbxfs.TaskDropboxUpload, Node: id, Client: 1, Parent: dir, Name: fmt.Sprint("n", i), Odoo: s.odooNode(id)}
	}
	var tasks []odbxfs.Task
	for i := range dropboxItems + 50 {
		tasks = append(tasks, file(i))
	}
	q := s.queue(tasks...)
	if got := len(s.chosen(toDropbox)); got != dropboxItems {
		t.Errorf("%d small files in one batch", got)
	}
	s.update(func(tx *cache.Tx) error {
		for _, task := range q {
			if err := tx.DropTask(task.Seq); err != nil {
				return err
			}
		}
		return nil
	})
	size, tasks = batchBytes/3, nil
	for i := range 9 {
		tasks = append(tasks, file(2000+i))
	}
	s.queue(tasks...)
	if got := len(s.chosen(toDropbox)); got < 3 || got > 4 {
		t.Errorf("%d large files in one batch", got)
	}
}

// A task is stale when the trees are not what it was planned on: content or
// place of either side, or the pair's version. Dates say nothing.
func TestATaskIsStaleWhenTheTreesAreOthers(t *testing.T) {
	s := newShelf(t)
	for _, c := range []struct {
		what   string
		change func(t *odbxfs.Task)
		stale  bool
	}{
		{"nothing changed", func(*odbxfs.Task) {}, false},
		{"another date in Odoo", func(t *odbxfs.Task) { t.Odoo.MTime = t.Odoo.MTime.Add(time.Hour) }, false},
		{"another date in Dropbox", func(t *odbxfs.Task) { t.Dropbox.Modified = t.Dropbox.Modified.Add(time.Hour) }, false},
		{"renamed in Odoo", func(t *odbxfs.Task) { t.Odoo.Name = "was" }, true},
		{"moved in Odoo", func(t *odbxfs.Task) { t.Odoo.ParentRef = order2 }, true},
		{"other bytes in Odoo", func(t *odbxfs.Task) { t.Odoo.SHA1 = "was" }, true},
		{"another link", func(t *odbxfs.Task) { t.Odoo.URL = "https://was" }, true},
		{"was not in Odoo", func(t *odbxfs.Task) { t.Odoo = nil }, true},
		{"renamed in Dropbox", func(t *odbxfs.Task) { t.Dropbox.Name = "was" }, true},
		{"another rev", func(t *odbxfs.Task) { t.Dropbox.Rev = "was" }, true},
		{"another file", func(t *odbxfs.Task) { t.Dropbox.ID = "was" }, true},
		{"was not in Dropbox", func(t *odbxfs.Task) { t.Dropbox = nil }, true},
		{"the pair was written since", func(t *odbxfs.Task) { t.Pair.Version-- }, true},
		{"was not paired", func(t *odbxfs.Task) { t.Pair = nil }, true},
	} {
		task := s.task(odbxfs.TaskOdooUpdate, pathA)
		c.change(&task)
		q := s.queue(task)
		batch, err := s.engine.choose(s.c, toOdoo)
		if err != nil || len(batch) != 1 || batch[0].stale != c.stale {
			t.Errorf("%s: %+v, %v", c.what, batch, err)
		}
		s.update(func(tx *cache.Tx) error { return tx.DropTask(q[0].Seq) })
	}
}

func TestSidesOfTasks(t *testing.T) {
	for k := odbxfs.TaskDropboxMkdir; k.String() != "none"; k++ {
		want := toOdoo
		if strings.HasPrefix(k.String(), "dropbox-") {
			want = toDropbox
		}
		if got := sideOf(k); got != want {
			t.Errorf("%s goes to side %d", k, got)
		}
		if placesInDropbox(odbxfs.Task{Kind: k}) && want != toDropbox || needsParent(k) && want != toOdoo {
			t.Errorf("%s places something on the other side", k)
		}
	}
}

// A folder was removed in Dropbox, and what was in it is about to go in Odoo,
// when a new file comes into it there. New content beats a bare deletion: the
// file waits until it is known what becomes of its folder, however long a person
// takes for that, and then has it made again.
func TestAFileNewInAFolderThatIsAboutToGoWaits(t *testing.T) {
	for _, many := range []int{3, 30} { // so many rest, or wait for a person
		r, _ := guarded(t, 1, 0)
		sub := r.odoo.addFolder(order1, "sub")
		for i := range many {
			r.odoo.addFile(sub, fileName(i), fmt.Appendf(nil, "text %d", i))
		}
		r.settle()
		r.dropbox.personRemoves(dir1 + "/sub")
		r.until(func() bool { return r.queued(odbxfs.TaskOdooDelete) == many+1 })
		r.odoo.addFile(sub, "new.txt", []byte("new"))
		r.until(func() bool { return r.queued(odbxfs.TaskDropboxUpload) == 1 })
		r.calm()
		if many == 30 {
			if r.held() == 0 {
				t.Error("nobody is asked")
			}
			r.approve()
		}
		r.settle()
		if why := r.parked(); len(why) != 0 {
			t.Errorf("parked: %v", why)
		}
		r.mustHave(dir1 + "/sub/new.txt = new")
		r.agree()
		r.quiet()
	}
}

// queued counts tasks of a kind.
func (r *rig) queued(k odbxfs.TaskKind) (n int) {
	r.t.Helper()
	r.view(func(tx *cache.Tx) error {
		return tx.Tasks(func(t odbxfs.Task) bool {
			if t.Kind == k {
				n++
			}
			return true
		})
	})
	return n
}
