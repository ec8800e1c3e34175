package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// Status writes to w what is built and what is running, a line a version.
func Status(_ context.Context, w io.Writer) error {
	f, err := openFolder()
	if err != nil {
		return err
	}
	for _, r := range recipes {
		b := &builder{folder: f, recipe: r}
		built := map[bool]string{true: "built", false: "missing"}
		running, err := inUse(f, r.version)
		if err != nil {
			return err
		}
		use := map[bool]string{true: "in use", false: "not in use"}[running]
		_, err = fmt.Fprintf(w, "Odoo %d: tree %s, template %s, %s (%s)\n", r.version,
			built[b.has(stepTree)], built[b.has(stepTemplate)], use, f.version(r.version))
		if err != nil {
			return err
		}
	}
	return nil
}

// inUse says whether any process has a server of this version.
func inUse(f folder, version int) (bool, error) {
	if _, err := os.Stat(f.usersLock(version)); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	l, err := tryLock(f.usersLock(version), exclusive)
	if errors.Is(err, errLocked) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, l.unlock()
}

// Clean removes what was built, and the packages that were fetched for it. It
// refuses while a server is running or a build is going on.
func Clean(ctx context.Context) error {
	h, err := newHost(ctx)
	if err != nil {
		return err
	}
	f, err := openFolder()
	if err != nil {
		return err
	}
	for _, r := range recipes {
		if err := cleanVersion(ctx, h, f, r.version); err != nil {
			return err
		}
	}
	return h.remove(ctx, f.cache())
}

func cleanVersion(ctx context.Context, h host, f folder, version int) (err error) {
	if err := os.MkdirAll(f.run(version), 0o755); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	for _, l := range []struct{ path, busy string }{
		{f.buildLock(version), "is being built"},
		{f.usersLock(version), "is in use by a running test or demo"},
	} {
		lock, lerr := tryLock(l.path, exclusive)
		if errors.Is(lerr, errLocked) {
			return fmt.Errorf("lab: Odoo %d %s", version, l.busy)
		}
		if lerr != nil {
			return lerr
		}
		defer func() { err = errors.Join(err, lock.unlock()) }()
	}
	return h.remove(ctx, f.version(version))
}
