package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path"
	gosync "sync"
	"time"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/cmd/odbxfs/control"
	"odbxfs/fs"
	"odbxfs/sync"
)

// engineBox holds the engine that runs now; commands of other goroutines ask it.
type engineBox struct {
	mu gosync.Mutex
	e  *sync.Engine
}

func (b *engineBox) set(e *sync.Engine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.e = e
}

func (b *engineBox) get() *sync.Engine {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.e
}

// Serve mounts (in modes mount and run), answers commands and runs the engine
// until ctx ends or the mount is taken away. ready is called when all that
// stands, and the mount shows what Odoo has: whoever copies from it before that,
// and deletes at his end what is not there, deletes too much. What is not sent by
// then stays durable in the store. An Odoo that does not answer keeps nobody from
// the files that are here; one that refuses the login, or is not set up, ends it.
func (d *Daemon) Serve(ctx context.Context, ready func()) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if d.opt.Mode != Sync {
		if err := fs.PreparePlace(ctx, d.opt.Config.Mount.Dir, d.opt.Config.Mount.NonEmpty); err != nil {
			return err
		}
	}
	unchecked := d.Check(ctx)
	if unchecked != nil && !odbxfs.IsKind(unchecked, odbxfs.KindUnavailable) {
		return unchecked
	}
	server, err := control.Listen(ctx, d.socket, d.verbs())
	if err != nil {
		return err
	}
	defer server.Close() //nolint:errcheck // the process ends
	e, err := d.newEngine(false)
	if err != nil {
		return err
	}
	d.engine.set(e)
	var mount *fs.Server
	if d.opt.Mode != Sync {
		if mount, err = d.mount(ctx); err != nil {
			return err
		}
		go func() {
			mount.Wait()
			stop(nil)
		}()
	}
	if unchecked != nil {
		d.log.Warn("starting without Odoo", "error", unchecked)
		go d.checkLater(ctx, stop)
	}
	if mount == nil || unchecked != nil {
		ready()
	} else {
		go d.awaitTree(ctx, ready)
	}
	err = d.loop(ctx, e)
	d.release(ctx)
	if cause := context.Cause(ctx); err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	if mount != nil {
		unmountCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, mount.Unmount(unmountCtx))
	}
	return err
}

// treePoll is how often it is looked whether Odoo's tree has been read.
const treePoll = 20 * time.Millisecond

// awaitTree calls ready when Odoo was read whole once, or does not answer.
func (d *Daemon) awaitTree(ctx context.Context, ready func()) {
	for {
		if whole, failed := d.engine.get().Looked(); whole || failed {
			ready()
			return
		}
		select {
		case <-time.After(treePoll):
		case <-ctx.Done():
			return
		}
	}
}

// releaseWait is how long an end waits for Odoo to take the leases back.
const releaseWait = 5 * time.Second

// release gives the leases back when the engine has ended for good, so that the
// same syncer may go on at once on another machine. Where it fails they end by
// themselves.
func (d *Daemon) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWait)
	defer cancel()
	if err := d.engine.get().Release(ctx); err != nil {
		d.log.Warn("the leases end by themselves", "error", err)
	}
}

// checkAgain is the time between two tries of the start's check.
const checkAgain = 10 * time.Second

// checkLater does the start's check once Odoo answers, and stops the daemon
// when that says so.
func (d *Daemon) checkLater(ctx context.Context, stop context.CancelCauseFunc) {
	for {
		select {
		case <-time.After(checkAgain):
		case <-ctx.Done():
			return
		}
		if err := d.Check(ctx); !odbxfs.IsKind(err, odbxfs.KindUnavailable) {
			if err != nil && ctx.Err() == nil {
				stop(err)
			}
			return
		}
	}
}

func (d *Daemon) mount(ctx context.Context) (*fs.Server, error) {
	return fs.Mount(ctx, fs.Options{
		Dir: d.opt.Config.Mount.Dir, Store: fs.OnCache(d.store), Opener: d.opens, Access: d.access,
		UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), AllowOther: d.opt.Config.Mount.AllowOther,
		Backups: fs.DefaultBackups(), ContentDir: d.opt.Store, Now: time.Now, Log: d.log,
	})
}

// fullPause is how long a full disk is left alone.
const fullPause = 5 * time.Second

// loop runs the engine. Work that needs it for itself (once, reset) stops it,
// and it goes on anew from the store afterwards.
func (d *Daemon) loop(ctx context.Context, e *sync.Engine) error {
	for {
		running, pause := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- e.Run(running, time.After) }()
		select {
		case err := <-ended:
			pause()
			if !errors.Is(err, cache.ErrFull) {
				return err
			}
			// The mount stays, to be read and to be made room in.
			d.log.Error("nothing is sent until there is room on the disk of the store", "store", d.opt.Store, "error", err)
			select {
			case <-time.After(fullPause):
			case <-ctx.Done():
				return nil
			}
		case work := <-d.changes:
			pause()
			if err := <-ended; err != nil {
				return err
			}
			work(ctx)
		}
		var err error
		if e, err = d.newEngine(false); err != nil {
			return err
		}
		d.engine.set(e)
	}
}

// alone runs fn with an engine of its own, in a running daemon or without.
func (d *Daemon) alone(ctx context.Context, serving, onlyPlan bool, fn func(context.Context, *sync.Engine) error) error {
	work := func(ctx context.Context) error {
		e, err := d.newEngine(onlyPlan)
		if err != nil {
			return err
		}
		d.engine.set(e)
		return fn(ctx, e)
	}
	if !serving {
		err := work(ctx)
		if d.engine.get() != nil {
			d.release(ctx)
		}
		return err
	}
	result := make(chan error, 1)
	select {
	case d.changes <- func(daemon context.Context) {
		both, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(daemon, cancel)()
		result <- work(both)
	}:
		return <-result
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Verbs of the control socket, as the commands call them.
const (
	VerbStatus  = "status"
	VerbOnce    = "once"
	VerbReset   = "reset"
	VerbApprove = "approve"
	VerbRestore = "restore"
	VerbRetry   = "retry"
	VerbLinks   = "links"
)

// ResetArgs say which client is let go, and how.
type ResetArgs struct {
	Client string `json:"client"` // its name; empty: the only one
	Remove bool   `json:"remove"`
}

// OnceArgs say whether to carry out what is to be done, or to tell it only.
type OnceArgs struct {
	DryRun bool `json:"dry_run"`
}

// OnceReport is what once came to.
type OnceReport struct {
	Status  sync.Status   `json:"status"`
	Planned []PlannedTask `json:"planned,omitempty"` // of a dry run
}

// PlannedTask is one line of a dry run.
type PlannedTask struct {
	What string `json:"what"`
	Path string `json:"path"`
	Why  string `json:"why"`
}

// PathArgs name things of the tree; none: all.
type PathArgs struct {
	Paths []string `json:"paths"`
}

// Count answers how many things a command meant.
type Count struct {
	N int `json:"n"`
}

func (d *Daemon) verbs() map[string]control.Verb {
	return map[string]control.Verb{
		VerbStatus: func(context.Context, json.RawMessage) (any, error) { return d.status() },
		VerbOnce: func(ctx context.Context, raw json.RawMessage) (any, error) {
			var a OnceArgs
			if err := json.Unmarshal(raw, &a); err != nil {
				return nil, err
			}
			return d.once(ctx, true, a)
		},
		VerbReset: func(ctx context.Context, raw json.RawMessage) (any, error) {
			var a ResetArgs
			if err := json.Unmarshal(raw, &a); err != nil {
				return nil, err
			}
			return d.reset(ctx, true, a)
		},
		VerbApprove: d.onPaths(held, (*sync.Engine).Approve),
		VerbRestore: d.onPaths(held, (*sync.Engine).RestoreHeld),
		VerbRetry:   d.onPaths(parked, (*sync.Engine).Retry),
		VerbLinks:   func(ctx context.Context, _ json.RawMessage) (any, error) { return d.links(ctx) },
	}
}

func held(s sync.Status) []sync.Item   { return s.Held }
func parked(s sync.Status) []sync.Item { return s.Parked }

// onPaths makes a verb of what works on the nodes of a list of status.
func (d *Daemon) onPaths(list func(sync.Status) []sync.Item, do func(*sync.Engine, ...odbxfs.NodeID) (int, error)) control.Verb {
	return func(_ context.Context, raw json.RawMessage) (any, error) {
		var a PathArgs
		if err := json.Unmarshal(raw, &a); err != nil {
			return nil, err
		}
		e := d.engine.get()
		s, err := e.Status()
		if err != nil {
			return nil, err
		}
		ids, err := sync.Pick(list(s), a.Paths)
		if err != nil {
			return nil, err
		}
		n, err := do(e, ids...)
		return Count{n}, err
	}
}

// once runs until nothing is left to do, and gives the state then, and what a
// dry run would do.
func (d *Daemon) once(ctx context.Context, serving bool, a OnceArgs) (OnceReport, error) {
	var r OnceReport
	err := d.alone(ctx, serving, a.DryRun, func(ctx context.Context, e *sync.Engine) error {
		if err := e.RunOnce(ctx, time.After); err != nil {
			return err
		}
		var err error
		if r.Status, err = e.Status(); err != nil || !a.DryRun {
			return err
		}
		return d.store.View(func(tx *cache.Tx) error {
			r.Planned = r.Planned[:0]
			for _, t := range e.Planned() {
				folder, err := tx.PathOf(t.Parent)
				if err != nil {
					folder = "" // the folder is planned, too
				}
				r.Planned = append(r.Planned, PlannedTask{What: t.Kind.String(), Path: path.Join(folder, t.Name), Why: t.Why})
			}
			return nil
		})
	})
	return r, err
}

// reset brings everything of a client back into Odoo and forgets it.
func (d *Daemon) reset(ctx context.Context, serving bool, a ResetArgs) (sync.ResetReport, error) {
	var report sync.ResetReport
	err := d.alone(ctx, serving, false, func(ctx context.Context, e *sync.Engine) error {
		var err error
		report, err = e.Reset(ctx, time.After, a.Client, sync.ResetOptions{RemoveRemote: a.Remove})
		return err
	})
	return report, err
}

// Direct runs a verb in this process: there is no daemon to ask.
func (d *Daemon) Direct(ctx context.Context, verb string, args json.RawMessage) (any, error) {
	if verb == VerbOnce || verb == VerbReset {
		// A refused login or a database that is not set up would only be waited on.
		if err := d.Check(ctx); err != nil {
			return nil, err
		}
	}
	switch verb {
	case VerbOnce:
		var a OnceArgs
		if err := json.Unmarshal(args, &a); err != nil {
			return nil, err
		}
		return d.once(ctx, false, a)
	case VerbReset:
		var a ResetArgs
		if err := json.Unmarshal(args, &a); err != nil {
			return nil, err
		}
		return d.reset(ctx, false, a)
	}
	e, err := d.newEngine(false)
	if err != nil {
		return nil, err
	}
	d.engine.set(e)
	return d.verbs()[verb](ctx, args)
}
