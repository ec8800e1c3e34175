package sync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"odbxfs"
	"odbxfs/cache"
)

// laneIntents is the lane of what was done through the mount.
const laneIntents = "odoo-intents"

// intentState is what the engine knows of the mount's intents.
type intentState struct {
	remote
}

// job is one intent with the writes that carry it out.
type job struct {
	in     odbxfs.Intent
	node   odbxfs.Inode // as the mount shows it; zero when it was removed
	parent odbxfs.OdooRef
	ops    []odbxfs.OdooOp
	copyAs string // how its bytes are called when someone else's took the place
}

// answer is what became of a job.
type answer struct {
	job
	res    odbxfs.OdooResult  // the first that was not Done, or the last
	beside *odbxfs.OdooResult // the conflicted copy that was made of its bytes
}

// nextIntents sends the next batch of intents.
func (e *Engine) nextIntents() error {
	if !e.opt.Intents || e.opt.OnlyPlan || !e.odoo.loaded || !e.free(laneIntents) {
		return nil
	}
	now := e.opt.Now()
	if !e.intents.ready(now) {
		e.wakeAt(e.intents.notUntil)
		return nil
	}
	if err := e.guardIntents(); err != nil {
		return err
	}
	var jobs []job
	err := e.store.View(func(tx *cache.Tx) error {
		var err error
		jobs, err = e.chooseIntents(tx, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: intents: %w", err)
	}
	if len(jobs) == 0 {
		return nil
	}
	if err := e.noteSent(jobs); err != nil {
		return err
	}
	e.flights[laneIntents] = flightOfIntents(jobs)
	e.emit(laneIntents, fmt.Sprintf("odoo: carry out %d intents", len(jobs)), func(ctx context.Context) func() error {
		if err := e.durable(ctx); err != nil {
			return func() error { return err }
		}
		answers, err := e.applyIntents(ctx, jobs)
		return func() error { return e.settleIntents(answers, err) }
	})
	return nil
}

// noteSent notes which bytes are about to be sent. The jobs keep what was noted for
// the attempt before.
func (e *Engine) noteSent(jobs []job) error {
	return e.update("note what is sent", func(tx *cache.Tx) error {
		for _, j := range jobs {
			in := j.in
			if in.Sent == in.ContentSHA1 || in.Gone {
				continue
			}
			in.Sent = in.ContentSHA1
			if err := tx.PutIntent(in); err != nil {
				return err
			}
		}
		return nil
	})
}

// chooseIntents picks what can be carried out now, in the order in which it
// was done. What needs the answer to another intent (a new folder) waits for
// the next batch.
func (e *Engine) chooseIntents(tx *cache.Tx, now time.Time) (jobs []job, err error) {
	var bytes int64
	end := tx.OpenIntents(func(in odbxfs.Intent) bool {
		j, ok, fault := e.jobNow(tx, in, now)
		if fault != nil {
			err = fault
			return false
		}
		if ok {
			jobs = append(jobs, j)
			bytes += in.ContentSize
		}
		return len(jobs) < batchItems && bytes < batchBytes
	})
	return jobs, errors.Join(end, err)
}

// jobNow is jobOf for an intent that can be carried out now; false when not.
func (e *Engine) jobNow(tx *cache.Tx, in odbxfs.Intent, now time.Time) (job, bool, error) {
	if in.NotUntil.After(now) {
		e.wakeAt(in.NotUntil)
		return job{}, false, nil
	}
	if rests, err := e.intentRests(tx, in); err != nil || rests {
		return job{}, false, err
	}
	return e.jobOf(tx, in)
}

// jobOf says which writes make Odoo's side as the inode is; false when its
// folder is not in Odoo yet.
func (e *Engine) jobOf(tx *cache.Tx, in odbxfs.Intent) (job, bool, error) {
	j := job{in: in}
	if in.Gone {
		if in.Was.Ref.IsZero() {
			// It never was in Odoo: nothing to be removed.
			return j, true, nil
		}
		was := in.Was
		j.ops = []odbxfs.OdooOp{{Kind: odbxfs.OdooRemove, Ref: was.Ref, Expect: &was}}
		return j, true, nil
	}
	node, ok, err := tx.Inode(in.Node)
	if err != nil || !ok {
		return j, false, err
	}
	parent, known, err := tx.OdooNode(node.Parent)
	if err != nil || !known || parent.Ref.IsZero() {
		return j, false, err
	}
	if waits, err := tx.Waits(in); err != nil || waits {
		return j, false, err // a program has it to itself; closing or renaming it makes the intent new
	}
	j.node, j.parent = node, parent.Ref
	if in.Content != "" {
		if j.copyAs, err = freeCopyName(tx, node); err != nil {
			return j, false, err
		}
	}
	if in.Was.Ref.IsZero() {
		j.ops = []odbxfs.OdooOp{e.createOp(j)}
		return j, true, nil
	}
	j.ops = e.changeOps(tx, j)
	return j, true, tx.Err()
}

// freeCopyName finds a name for a conflicted copy that nothing beside it has.
func freeCopyName(tx *cache.Tx, node odbxfs.Inode) (string, error) {
	for n := 1; ; n++ {
		name := odbxfs.Conflicted(node.Name, n)
		if _, taken, err := tx.Lookup(node.Parent, name); err != nil || !taken {
			return name, err
		}
	}
}

// createOp makes a new file or folder.
func (e *Engine) createOp(j job) odbxfs.OdooOp {
	op := odbxfs.OdooOp{Key: j.in.Key, Parent: j.parent, Name: j.node.Name, MTime: j.node.MTime}
	if j.node.Kind == odbxfs.Folder {
		op.Kind = odbxfs.OdooMakeFolder
		return op
	}
	op.Kind = odbxfs.OdooCreateFile
	e.withContent(&op, j.in)
	return op
}

// withContent gives the op the intent's bytes.
func (e *Engine) withContent(op *odbxfs.OdooOp, in odbxfs.Intent) {
	op.SHA1, op.Size, op.Content = odbxfs.EmptySHA1, 0, openEmpty
	if in.Content != "" {
		op.SHA1, op.Size = in.ContentSHA1, in.ContentSize
		op.Content = storeOpener(e.store.Contents(), in.Content)
	}
}

// changeOps are the writes for something that Odoo has: place, then bytes, then
// mtime alone. Each expects what the one before it made.
func (e *Engine) changeOps(tx *cache.Tx, j job) []odbxfs.OdooOp {
	var ops []odbxfs.OdooOp
	now := j.in.Was // what Odoo has when the next op begins
	name := now.Name
	if !sameMountName(tx, j.node, now) {
		name = j.node.Name
	}
	if name != now.Name || j.parent != now.ParentRef {
		expect := now
		ops = append(ops, odbxfs.OdooOp{Kind: odbxfs.OdooRelocate, Ref: now.Ref, Expect: &expect, Parent: j.parent, Name: name})
		now.Name, now.ParentRef = name, j.parent
	}
	if j.node.Kind != odbxfs.File {
		return ops
	}
	expect := now
	switch {
	case j.in.Content != "":
		op := odbxfs.OdooOp{Kind: odbxfs.OdooWriteContent, Ref: now.Ref, Expect: &expect, MTime: j.node.MTime}
		e.withContent(&op, j.in)
		ops = append(ops, op)
	case !j.node.MTime.Equal(now.MTime):
		ops = append(ops, odbxfs.OdooOp{Kind: odbxfs.OdooHint, Ref: now.Ref, Expect: &expect, MTime: j.node.MTime,
			SHA1: now.SHA1, Size: now.Size, Mimetype: now.Mimetype})
	}
	return ops
}

// sameMountName reports whether the name in the mount is what stands for the
// Odoo name, so that nobody renamed it: the stored name, the plain one, or the
// one told apart by its id.
func sameMountName(tx *cache.Tx, node odbxfs.Inode, was odbxfs.OdooNode) bool {
	plain := odbxfs.MountName(was.Name)
	if node.Name == plain || node.Name == odbxfs.WithSuffix(plain, fmt.Sprintf(" (%d)", was.Ref.ID), 255) {
		return true
	}
	p, ok := tx.Synced().Node(node.Node)
	return ok && p.MountName != "" && p.MountName == node.Name && p.OdooName == was.Name
}

// storeOpener opens bytes that the store has whole.
func storeOpener(contents *cache.Contents, id odbxfs.ContentID) odbxfs.Opener {
	return func(context.Context) (io.ReadCloser, error) {
		c, err := contents.Reader(id)
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(c, 0, c.Size()), c}, nil
	}
}

func openEmpty(context.Context) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("")), nil
}

// applyIntents sends the writes of all jobs in one batch, and makes conflicted
// copies of bytes whose place someone else has taken.
func (e *Engine) applyIntents(ctx context.Context, jobs []job) ([]answer, error) {
	var ops []odbxfs.OdooOp
	for _, j := range jobs {
		ops = append(ops, j.ops...)
	}
	var results []odbxfs.OdooResult
	if len(ops) > 0 {
		var err error
		if results, err = applyOdoo(ctx, e.opt.Odoo, ops); err != nil {
			return nil, err
		}
	}
	answers := make([]answer, len(jobs))
	var copies []odbxfs.OdooOp
	var copied []int
	for i, j := range jobs {
		a := answer{job: j, res: odbxfs.OdooResult{Outcome: odbxfs.Done}}
		for k, op := range j.ops {
			if a.res = a.foundByKey(op, alreadyDone(op, results[k])); a.res.Outcome != odbxfs.Done {
				break
			}
		}
		results = results[len(j.ops):]
		answers[i] = a
		if op, needed := e.copyOp(a); needed {
			copies, copied = append(copies, op), append(copied, i)
		}
	}
	if len(copies) == 0 {
		return answers, nil
	}
	made, err := applyOdoo(ctx, e.opt.Odoo, copies)
	if err != nil {
		return nil, err
	}
	for k, i := range copied {
		answers[i].beside = &made[k]
	}
	return answers, nil
}

// foundByKey looks at a create that found what an attempt before it had made, whose
// answer was lost. Other bytes than that attempt's are someone else's since.
func (a *answer) foundByKey(op odbxfs.OdooOp, res odbxfs.OdooResult) odbxfs.OdooResult {
	made := op.Kind == odbxfs.OdooCreateFile && res.Outcome == odbxfs.Done && res.Node != nil
	if made && res.Node.SHA1 != op.SHA1 && !a.sentBefore(*res.Node) {
		res.Outcome = odbxfs.Changed
	}
	return res
}

// sentBefore reports whether Odoo's bytes are those of the attempt before.
func (j *job) sentBefore(now odbxfs.OdooNode) bool {
	return j.in.Sent != "" && now.SHA1 == j.in.Sent && ours(now.Type)
}

// copyOp says how the bytes of an intent are kept when Odoo's content changed
// meanwhile (beside it, as a conflicted copy) or its row is gone (at its place).
func (e *Engine) copyOp(a answer) (odbxfs.OdooOp, bool) {
	if a.in.Gone || a.in.Content == "" {
		return odbxfs.OdooOp{}, false
	}
	op := odbxfs.OdooOp{Kind: odbxfs.OdooCreateFile, Key: a.in.Key + "/copy", Parent: a.parent, MTime: a.node.MTime}
	e.withContent(&op, a.in)
	switch {
	case a.res.Outcome == odbxfs.Gone && !a.in.Was.Ref.IsZero():
		op.Name = a.node.Name
	case a.res.Outcome == odbxfs.Changed && a.res.Node != nil && !sameContent(*a.res.Node, a.in.Was) && !a.sentBefore(*a.res.Node):
		op.Name = a.copyAs
	default:
		return odbxfs.OdooOp{}, false
	}
	return op, true
}

// sameBytes reports whether both have the same content, as far as Odoo says.
func sameBytes(a, b odbxfs.OdooNode) bool {
	return a.Type == b.Type && a.SHA1 == b.SHA1 && a.URL == b.URL
}

// sameContent reports whether both are the same bytes for people. A binary that
// was made a link meanwhile is: that was us, and nobody's change.
func sameContent(a, b odbxfs.OdooNode) bool {
	return sameBytes(a, b) || a.SHA1 != "" && a.SHA1 == b.SHA1 && ours(a.Type) && ours(b.Type)
}

// ours reports whether a row's checksum is that of its bytes: a binary's, or
// that of a link of ours.
func ours(t odbxfs.DocumentType) bool { return t == odbxfs.Binary || t == odbxfs.Link }

// alreadyDone recognises an answer "changed" or "gone" to a write that was done
// before, and whose reply was lost.
func alreadyDone(op odbxfs.OdooOp, res odbxfs.OdooResult) odbxfs.OdooResult {
	done := false
	switch {
	case op.Kind == odbxfs.OdooRemove && res.Outcome == odbxfs.Gone:
		done = true
	case res.Outcome != odbxfs.Changed || res.Node == nil:
	case op.Kind == odbxfs.OdooRelocate:
		done = res.Node.Name == op.Name && res.Node.ParentRef == op.Parent
	case op.Kind == odbxfs.OdooWriteContent:
		done = op.SHA1 != "" && res.Node.SHA1 == op.SHA1 && ours(res.Node.Type)
	}
	if done {
		res.Outcome = odbxfs.Done
	}
	return res
}

// applyOdoo sends ops and makes sure that each has its answer.
func applyOdoo(ctx context.Context, odoo Odoo, ops []odbxfs.OdooOp) ([]odbxfs.OdooResult, error) {
	res, err := odoo.Apply(ctx, ops)
	if err != nil {
		return nil, err
	}
	if len(res) != len(ops) {
		return nil, &odbxfs.Error{Op: "write to Odoo", Kind: odbxfs.KindUnavailable,
			Err: fmt.Errorf("%d answers to %d writes", len(res), len(ops))}
	}
	return res, nil
}
