package sync

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// side is one of the two remotes that tasks write to.
type side uint8

const (
	toDropbox side = iota
	toOdoo
)

// sideOf says which remote the task writes first.
func sideOf(k odbxfs.TaskKind) side {
	if k.OnDropbox() {
		return toDropbox
	}
	return toOdoo
}

// lane is where the queue has the tasks of a side.
func (s side) lane() cache.Lane {
	if s == toDropbox {
		return cache.LaneDropbox
	}
	return cache.LaneOdoo
}

// work is a task with what it needs to be carried out, read from the store in
// one snapshot.
type work struct {
	odbxfs.Task
	o      *odbxfs.OdooNode
	d      *odbxfs.DropboxNode
	p      *odbxfs.Pair
	inode  odbxfs.Inode
	parent odbxfs.OdooRef      // of Task.Parent, for tasks on Odoo
	dir    odbxfs.DropboxID    // the Dropbox folder of the node's parent, for pairs
	path   string              // where it is to be in Dropbox, for tasks on Dropbox
	stale  bool                // the trees are not what was planned on
	note   sentNote            // of an upload: what was about to be sent when it was last tried
	found  *odbxfs.DropboxNode // of a stale one: the file at its place
	copyOf odbxfs.DropboxID    // of a copy that Odoo made: the file it came from
	ahead  []byte              // the bytes in Odoo, where they were read with others; nil: not yet
	source *odbxfs.Pair        // and that file's pair; nil when it is gone
	from   *odbxfs.DropboxNode
	shared string // the address by which documents elsewhere lead to the file, as far as it was noted
}

// nextTasks starts a batch on each of the client's two write lanes.
func (e *Engine) nextTasks(c *client) error {
	if e.opt.OnlyPlan || !e.opt.syncs() || !e.mayWrite(c) {
		return nil
	}
	for _, to := range []side{toDropbox, toOdoo} {
		lane := c.lane([]string{"dropbox-write", "odoo-write"}[to])
		if !e.free(lane) {
			continue
		}
		if at := e.mayAsk(c, to); !at.IsZero() {
			e.wakeAt(at)
			continue
		}
		batch, err := e.choose(c, to)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			continue
		}
		e.start(c, lane, to, batch)
	}
	return nil
}

// mayAsk is zero when both remotes that a batch needs may be asked now, else
// when to try again. Every task ends in Odoo, where its pair is.
func (e *Engine) mayAsk(c *client, to side) time.Time {
	now := e.opt.Now()
	if !c.writing.ready(now) {
		return c.writing.notUntil
	}
	if to == toDropbox && !c.remote.ready(now) && !c.remote.full() {
		return c.remote.notUntil
	}
	return time.Time{}
}

// choose picks the next batch of one side in the order of the queue. Batches
// for Dropbox are of one kind, since its batch calls are.
func (e *Engine) choose(c *client, to side) ([]work, error) {
	var batch []work
	err := e.store.View(func(tx *cache.Tx) error {
		batch = nil
		p := picker{e: e, tx: tx, c: c, to: to, now: e.opt.Now(),
			queued: map[odbxfs.NodeID][]cache.TaskMark{}, paths: map[odbxfs.NodeID]string{}, taken: map[claim]bool{}}
		if err := tx.LaneTasks(c.id, to.lane(), func(t odbxfs.Task) bool { return p.offer(t) }); err != nil {
			return err
		}
		batch = p.batch
		return p.err
	})
	if err != nil {
		return nil, fmt.Errorf("store: queue: %w", err)
	}
	return batch, nil
}

// claim is a name in a folder, as Dropbox compares names.
type claim struct {
	parent odbxfs.NodeID
	name   string
}

// picker goes through a lane of the queue until it has a batch.
type picker struct {
	e   *Engine
	tx  *cache.Tx
	c   *client
	to  side
	now time.Time

	queued map[odbxfs.NodeID][]cache.TaskMark // of nodes that were asked for
	paths  map[odbxfs.NodeID]string           // folders that this batch makes in Dropbox
	taken  map[claim]bool                     // places of deletions that still rest
	batch  []work
	bytes  int64
	err    error
}

// offer looks at the next task; false ends the search.
func (p *picker) offer(t odbxfs.Task) bool {
	w, take, stop := p.judge(t)
	if p.err != nil {
		return false
	}
	if !take {
		return !stop
	}
	p.batch = append(p.batch, w)
	if w.o != nil {
		p.bytes += w.o.Size
	}
	if t.Kind == odbxfs.TaskDropboxMkdir {
		p.paths[t.Node] = w.path
	}
	most := batchItems
	if p.to == toDropbox {
		most = dropboxItems
	}
	return len(p.batch) < most && p.bytes < batchBytes
}

// ahead reports whether a node has an earlier task of this client that is not
// through, of a kind that counts.
func (p *picker) ahead(id odbxfs.NodeID, t odbxfs.Task, counts func(odbxfs.TaskKind) bool) bool {
	marks, known := p.queued[id]
	if !known {
		var err error
		if marks, err = p.tx.Queued(id); err != nil {
			p.err = err
			return true
		}
		p.queued[id] = marks
	}
	return slices.ContainsFunc(marks, func(m cache.TaskMark) bool {
		return m.Seq < t.Seq && m.Client == t.Client && counts(m.Kind)
	})
}

func anyKind(odbxfs.TaskKind) bool { return true }

// judge says whether the task goes into the batch, and whether the batch ends
// before it.
func (p *picker) judge(t odbxfs.Task) (w work, take, stop bool) {
	if t.NotUntil.After(p.now) {
		p.e.wakeAt(t.NotUntil)
		return w, false, false
	}
	if t.Kind.Deletes() && p.rests(t) {
		return w, false, false
	}
	if p.to == toDropbox && len(p.batch) > 0 && p.batch[0].Kind != t.Kind {
		return w, false, true
	}
	if p.ahead(t.Node, t, anyKind) || p.blocked(t) {
		return w, false, false
	}
	if adds(t.Kind) && p.c.remote.full() && !p.c.remote.ready(p.now) {
		p.e.wakeAt(p.c.remote.notUntil)
		return w, false, false
	}
	if p.to == toOdoo && slow(t.Kind) && !p.c.remote.full() && !p.c.remote.ready(p.now) {
		p.e.wakeAt(p.c.remote.notUntil) // its link or its bytes come from Dropbox
		return w, false, false
	}
	w, ok := p.gather(t)
	return w, ok, false
}

// adds reports whether the task needs room in the Dropbox account.
func adds(k odbxfs.TaskKind) bool {
	return k == odbxfs.TaskDropboxUpload || k == odbxfs.TaskDropboxKeep
}

// blocked reports whether the task leans on an earlier one: its new folder, or
// what must leave a folder before it goes.
func (p *picker) blocked(t odbxfs.Task) bool {
	if t.Kind.Deletes() {
		first, err := p.tx.QueuedFrom(t.Client, t.Node)
		if err != nil || first != 0 && first < t.Seq {
			p.err = err
			return true
		}
	}
	if t.Kind == odbxfs.TaskOdooConvert && !p.e.confirmed(p.c, t.Seq) {
		return true
	}
	if p.to == toDropbox {
		return placesInDropbox(t) && p.taken[claim{t.Parent, odbxfs.FoldName(t.Name)}] || p.pathBlocked(t)
	}
	return needsParent(t.Kind) && p.ahead(t.Parent, t, anyKind)
}

// pathBlocked reports whether the path at which the task works is about to
// change: a folder above it is made, moved or removed by an earlier task, or is
// gone and an earlier task is still to say what follows. Only folders in folders
// that are made by one batch may go together.
func (p *picker) pathBlocked(t odbxfs.Task) bool {
	up := t.Parent
	for up != odbxfs.RootNode && up != 0 {
		if _, made := p.paths[up]; made {
			return t.Kind != odbxfs.TaskDropboxMkdir
		}
		if !t.Kind.Deletes() && p.ahead(up, t, odbxfs.TaskKind.OnDropbox) {
			return true
		}
		n, ok, err := p.tx.DropboxNode(up)
		if err != nil {
			p.err = err
			return true
		}
		if !ok {
			// It may be about to go in Odoo too: then it waits for what becomes of
			// it. Else gather finds out.
			return !t.Kind.Deletes() && p.ahead(up, t, anyKind)
		}
		up = n.Parent
	}
	return false
}

// confirmed is law 1's last condition for a conversion: a look at Dropbox that
// began after the task was planned has been read to its end, so that a removal
// in between shows. If not, one is asked for.
func (e *Engine) confirmed(c *client, seq uint64) bool {
	if c.lastRun > c.gate[seq] {
		return true
	}
	c.due = true
	return false
}

// gather reads what the task needs. False: not now (its parent is not there
// yet).
func (p *picker) gather(t odbxfs.Task) (work, bool) {
	w := work{Task: t}
	if p.err = w.read(p.tx); p.err != nil {
		return w, false
	}
	if t.Kind == odbxfs.TaskDropboxUnlink {
		return w, true // it asks Odoo itself, and goes by nothing in the trees
	}
	w.stale = w.differs()
	switch p.to {
	case toDropbox:
		dir, ok := p.dropboxDir(t.Parent)
		if t.Kind != odbxfs.TaskDropboxDelete && !ok {
			w.stale = true // its folder is gone: plan anew
		}
		w.path = dir + "/" + t.Name
		if placesInDropbox(t) {
			up, _, err := p.tx.DropboxNode(t.Parent)
			if err != nil {
				p.err = err
				return w, false
			}
			w.dir = up.ID
		}
		if w.stale && t.Kind == odbxfs.TaskDropboxUpload {
			p.err = errors.Join(p.err, p.findSent(&w))
		}
	case toOdoo:
		parent, ok, err := p.tx.OdooNode(t.Parent)
		if err != nil {
			p.err = err
			return w, false
		}
		if needsParent(t.Kind) && (!ok || parent.Ref.IsZero()) {
			w.stale = true
		}
		w.parent = parent.Ref
	}
	return w, true
}

// findSent reads what an upload noted, and the file that it may have made: its
// own, or one of nobody at the path that it had.
func (p *picker) findSent(w *work) error {
	if err := getMeta(p.tx, metaSent(w.Seq), &w.note); err != nil || w.d != nil {
		w.found = w.d
		return err
	}
	id, known, err := p.tx.DropboxByPath(p.c.id, w.path)
	if err != nil || !known {
		return err
	}
	if _, paired, err := p.tx.Pair(id); err != nil || paired {
		return err
	}
	n, known, err := p.tx.DropboxNode(id)
	if known && n.Kind == odbxfs.File {
		w.found = &n
	}
	return err
}

// placesInDropbox reports whether the task's node lies in Task.Parent when it
// is done.
func placesInDropbox(t odbxfs.Task) bool {
	return t.Kind == odbxfs.TaskDropboxMkdir || t.Kind == odbxfs.TaskDropboxMove ||
		t.Kind == odbxfs.TaskDropboxUpload && t.Dropbox == nil
}

func needsParent(k odbxfs.TaskKind) bool {
	return k == odbxfs.TaskOdooMkdir || k == odbxfs.TaskOdooCreate || k == odbxfs.TaskOdooMove
}

// read fills in the trees' words on the node.
func (w *work) read(tx *cache.Tx) error {
	o, inOdoo, err := tx.OdooNode(w.Node)
	if err != nil {
		return err
	}
	if inOdoo {
		w.o = &o
	}
	d, inDropbox, err := tx.DropboxNode(w.Node)
	if err != nil {
		return err
	}
	if inDropbox {
		w.d = &d
	}
	p, paired, err := tx.Pair(w.Node)
	if err != nil {
		return err
	}
	if paired {
		w.p = &p
	}
	if w.inode, _, err = tx.Inode(w.Node); err != nil {
		return err
	}
	if inDropbox && d.Parent != 0 {
		up, _, err := tx.DropboxNode(d.Parent)
		if err != nil {
			return err
		}
		w.dir = up.ID
	}
	if inDropbox && w.Kind == odbxfs.TaskDropboxDelete {
		if err := getMeta(tx, metaShared(d.ID), &w.shared); err != nil {
			return err
		}
	}
	if inOdoo && o.Type == odbxfs.Copy {
		return w.readSource(tx, o)
	}
	return nil
}

// readSource finds the file that a copy's row leads to.
func (w *work) readSource(tx *cache.Tx, o odbxfs.OdooNode) error {
	if err := getMeta(tx, metaURL(o.URL), &w.copyOf); err != nil || w.copyOf == "" {
		return err
	}
	if id, known, err := tx.PairByDropbox(w.copyOf); err != nil {
		return err
	} else if known {
		p, _, err := tx.Pair(id)
		if err != nil {
			return err
		}
		w.source = &p
	}
	id, known, err := tx.DropboxByID(w.Client, w.copyOf)
	if err != nil || !known {
		return err
	}
	n, ok, err := tx.DropboxNode(id)
	if ok {
		w.from = &n
	}
	return err
}

// dropboxDir gives the path of a folder in Dropbox, one that this batch makes
// included.
func (p *picker) dropboxDir(id odbxfs.NodeID) (string, bool) {
	if id == odbxfs.RootNode {
		return p.c.cfg.Root, true
	}
	if path, made := p.paths[id]; made {
		return path, true
	}
	n, ok, err := p.tx.DropboxNode(id)
	if err != nil {
		p.err = err
	}
	return n.Path, ok
}

// differs reports whether the trees are not what the planner saw: content and
// place of either side, and the pair's version.
func (w *work) differs() bool {
	switch {
	case (w.o == nil) != (w.Odoo == nil), (w.d == nil) != (w.Dropbox == nil):
		return true
	case w.p == nil && w.Pair != nil, w.p != nil && w.Pair == nil && !w.p.Gone:
		return true
	case w.p != nil && w.Pair != nil && w.p.Version != w.Pair.Version:
		return true
	}
	if w.o != nil && (w.o.Ref != w.Odoo.Ref || w.o.ParentRef != w.Odoo.ParentRef || w.o.Name != w.Odoo.Name ||
		!sameBytes(*w.o, *w.Odoo)) {
		return true
	}
	return w.d != nil && (w.d.ID != w.Dropbox.ID || w.d.Parent != w.Dropbox.Parent || w.d.Name != w.Dropbox.Name ||
		w.d.Rev != w.Dropbox.Rev || w.d.ContentHash != w.Dropbox.ContentHash)
}
