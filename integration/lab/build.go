package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A step of building one version. Each makes one folder beside the version's
// other ones, by way of a stage folder that is renamed when it is whole.
type step string

const (
	stepTree     step = "tree"
	stepTemplate step = "template"
)

// templateDB is the database that every server's own is copied from.
const templateDB = "base"

// A builder builds one version. It works under the version's build lock.
type builder struct {
	host   host
	folder folder
	recipe recipe
	log    *os.File
	say    func(format string, args ...any) // progress, one line a call
}

// Build builds everything that is missing, all versions side by side, and says
// on progress (which may be nil) what it does. It is quick when all is there.
// Several processes may call it at once: one builds, the others wait. Cancelling
// ctx stops it; what was finished stays and the next call goes on from there.
func Build(ctx context.Context, progress io.Writer) error {
	h, err := newHost(ctx)
	if err != nil {
		return err
	}
	f, err := openFolder()
	if err != nil {
		return err
	}
	if progress != nil {
		progress = &lineWriter{w: progress}
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, r := range recipes {
		g.Go(func() error { return build(ctx, h, f, r, sayer(progress, r.version)) })
	}
	return g.Wait()
}

// sayer writes progress lines that name the version and the time since it was
// made, each in one Write.
func sayer(w io.Writer, version int) func(string, ...any) {
	if w == nil {
		return func(string, ...any) {}
	}
	begin := time.Now()
	return func(format string, args ...any) {
		// Progress that cannot be shown must not end a build.
		_, _ = fmt.Fprintf(w, "lab: Odoo %d: %5.1fs %s\n", version, time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
	}
}

// A lineWriter keeps lines apart when several builds share a writer.
type lineWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements io.Writer; sayer calls it once a line.
func (l *lineWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// build brings one version up to its recipe.
func build(ctx context.Context, h host, f folder, r recipe, say func(string, ...any)) (err error) {
	b := &builder{host: h, folder: f, recipe: r, say: say}
	if b.has(stepTree) && b.has(stepTemplate) {
		return nil
	}
	lock, err := waitLock(ctx, f.buildLock(r.version), exclusive)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.unlock()) }()
	if b.has(stepTree) && b.has(stepTemplate) { // built while we waited
		return nil
	}
	users, err := b.waitUnused(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, users.unlock()) }()
	if b.log, err = os.Create(f.buildLog(r.version)); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	defer func() { err = errors.Join(err, b.log.Close()) }()
	if !b.has(stepTree) {
		if err := b.run(ctx, stepTree, b.tree); err != nil {
			return err
		}
	}
	if err := b.run(ctx, stepTemplate, b.template); err != nil {
		return err
	}
	say("built")
	return nil
}

// waitUnused waits until no server runs on what an earlier recipe built, which
// is about to be replaced, and keeps new ones away.
func (b *builder) waitUnused(ctx context.Context) (*fileLock, error) {
	v := b.recipe.version
	if err := os.MkdirAll(b.folder.run(v), 0o755); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	l, err := tryLock(b.folder.usersLock(v), exclusive)
	if !errors.Is(err, errLocked) {
		return l, err
	}
	b.say("waiting until no server of the old recipe is running")
	return waitLock(ctx, b.folder.usersLock(v), exclusive)
}

func (b *builder) place(s step) string {
	return filepath.Join(b.folder.version(b.recipe.version), string(s))
}

// has says whether a step's result is there and made by this recipe.
func (b *builder) has(s step) bool {
	stamp, err := os.ReadFile(b.place(s) + ".stamp")
	if err != nil || string(stamp) != b.recipe.stamp(s) {
		return false
	}
	_, err = os.Stat(b.place(s))
	return err == nil
}

// run makes a step's result in a stage folder, then puts it in its place. The
// stamp goes first and comes last, so that a kill at any point leaves a step
// that is done over.
func (b *builder) run(ctx context.Context, s step, do func(ctx context.Context, stage string) error) error {
	begin := time.Now()
	place, stage := b.place(s), b.place(s)+".new"
	if err := os.Remove(place + ".stamp"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("lab: %w", err)
	}
	for _, dir := range []string{place, stage} {
		if err := b.host.remove(ctx, dir); err != nil {
			return err
		}
	}
	if err := do(ctx, stage); err != nil {
		return b.explain(ctx, s, err)
	}
	if err := b.host.run(ctx, "mv", "-T", "--", stage, place); err != nil {
		return err
	}
	if err := os.WriteFile(place+".stamp", []byte(b.recipe.stamp(s)), 0o644); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	b.say("%s made in %.1fs", s, time.Since(begin).Seconds())
	return nil
}

// tree makes the Debian tree with Odoo and PostgreSQL.
func (b *builder) tree(ctx context.Context, stage string) error {
	mirror, err := findMirror(ctx)
	if err != nil {
		return err
	}
	packages, deb := b.recipe.packages, debFile{}
	if b.recipe.sidOdoo != "" {
		b.say("fetching the package %s that sid's signed index names, from %s", b.recipe.sidOdoo, mirror)
		a := archive{mirror: mirror, dir: b.folder.cache()}
		if deb, err = a.sidPackage(ctx, b.recipe.sidOdoo); err != nil {
			return err
		}
		packages = strings.Join(append(deb.depends, packages), ",")
	}
	b.say("making the Debian %s tree from %s (a minute or two)", b.recipe.suite, mirror)
	return b.host.runBox(ctx, b.log, "tree", stage, b.recipe.suite, mirror, keyring, packages, deb.path)
}

// template makes the cluster with the template database.
func (b *builder) template(ctx context.Context, stage string) error {
	b.say("making the template database with %s (a minute or two)", b.recipe.modules)
	args := []string{b.folder.tree(b.recipe.version), stage, b.recipe.postgres, templateDB}
	args = append(args, b.recipe.serverArgs(0, templateDB)...)
	args = append(args, "-i", b.recipe.modules, "--stop-after-init")
	args = append(args, strings.Fields(b.recipe.initArgs)...)
	return b.host.runBox(ctx, b.log, "template", args...)
}

// explain turns a failed step into an error that says why and what to do.
func (b *builder) explain(ctx context.Context, s step, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("lab: building the %s of Odoo %d was stopped: %w", s, b.recipe.version, context.Cause(ctx))
	}
	name := b.folder.buildLog(b.recipe.version)
	return fmt.Errorf("lab: building the %s of Odoo %d failed: %w\n%s\nhint: the whole log is %s; "+
		"integration/bootstrap.sh installs what the lab needs, %s chooses another Debian mirror; the next start tries again",
		s, b.recipe.version, err, tail(name, 25), name, MirrorVar)
}

// tail gives the last lines of a log for an error, those that merely tell of a
// request left out; what it cannot read is empty.
func tail(name string, lines int) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	all := slices.DeleteFunc(bytes.Split(bytes.TrimRight(b, "\n"), []byte("\n")), requestLine.Match)
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}
