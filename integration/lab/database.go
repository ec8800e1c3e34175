package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A database is one copy of the template with its files. Its folder is named
// like it; the lock in there says that its owner lives.
type database struct {
	name string
	dir  string
	lock *fileLock
}

// claim reserves a database name, under the start lock, and sweeps away what
// killed processes left.
func claim(ctx context.Context, h host, f folder, r recipe, c *cluster, label string) (*database, error) {
	if err := os.MkdirAll(f.databases(r.version), 0o755); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	if err := sweep(ctx, h, f, r, c); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("lab%d-%s-%s", r.version, slug(label), uuid.NewString()[:8])
	d := &database{name: name, dir: filepath.Join(f.databases(r.version), name)}
	if err := os.Mkdir(d.dir, 0o755); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	lock, err := tryLock(d.ownerLock(), exclusive)
	if err != nil {
		return nil, err
	}
	d.lock = lock
	return d, nil
}

// sweep drops the databases whose owners are gone.
func sweep(ctx context.Context, h host, f folder, r recipe, c *cluster) error {
	dirs, err := os.ReadDir(f.databases(r.version))
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	for _, e := range dirs {
		d := &database{name: e.Name(), dir: filepath.Join(f.databases(r.version), e.Name())}
		d.lock, err = tryLock(d.ownerLock(), exclusive)
		if errors.Is(err, errLocked) {
			continue
		}
		if err != nil {
			return err
		}
		if err := d.drop(ctx, h, c); err != nil {
			return err
		}
	}
	return nil
}

// slug makes a test's name fit for a database's: short, lower case, plain.
func slug(s string) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		}
		return '-'
	}, s)
	if s == "" {
		return "x"
	}
	return s[:min(len(s), 30)]
}

func (d *database) ownerLock() string { return filepath.Join(d.dir, "owner.lock") }
func (d *database) data() string      { return filepath.Join(d.dir, "data") }
func (d *database) log() string       { return filepath.Join(d.dir, "odoo.log") }
func (d *database) filestore() string {
	return filepath.Join(d.data(), "data", "filestore", d.name)
}

// create copies the template. The files are hard links: Odoo never rewrites a
// stored file, it makes new ones and unlinks.
func (d *database) create(ctx context.Context, h host, f folder, r recipe, c *cluster) error {
	quoted := pgx.Identifier{d.name}.Sanitize()
	if err := execSQL(ctx, c.dsn("postgres"), "create database "+quoted+" template "+templateDB+" owner odoo"); err != nil {
		return err
	}
	owner, err := treeOwner(f.tree(r.version), "odoo")
	if err != nil {
		return err
	}
	stores := filepath.Dir(d.filestore())
	return errors.Join(
		h.run(ctx, "mkdir", "-p", stores),
		h.run(ctx, "chown", owner, d.data(), filepath.Dir(stores), stores),
		h.run(ctx, "cp", "-al", "--", filepath.Join(f.template(r.version), "filestore"), d.filestore()),
	)
}

// settle makes the copy a database of its own: another uuid than its siblings,
// and links that open at its own server, whoever signs in from where.
func (d *database) settle(ctx context.Context, c *cluster, url string) error {
	return execSQL(ctx, c.dsn(d.name), `
		insert into ir_config_parameter (key, value) values
			('database.uuid', gen_random_uuid()::text),
			('web.base.url', $1::text),
			('web.base.url.freeze', 'True')
		on conflict (key) do update set value = excluded.value`, url)
}

// drop removes the database, its folder and its lock.
func (d *database) drop(ctx context.Context, h host, c *cluster) error {
	quoted := pgx.Identifier{d.name}.Sanitize()
	return errors.Join(
		execSQL(ctx, c.dsn("postgres"), "drop database if exists "+quoted+" with (force)"),
		h.remove(ctx, d.dir),
		d.lock.unlock(),
	)
}

// execSQL runs one statement on a connection of its own.
func execSQL(ctx context.Context, dsn, sql string, args ...any) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	_, err = conn.Exec(ctx, sql, args...)
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return fmt.Errorf("lab: %s: %w", strings.Fields(sql)[0], err)
	}
	return nil
}

// treeOwner gives "uid:gid" of a user of the tree, as numbers: the host knows
// no such user.
func treeOwner(tree, user string) (string, error) {
	b, err := os.ReadFile(filepath.Join(tree, "etc/passwd"))
	if err != nil {
		return "", fmt.Errorf("lab: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Split(line, ":"); len(f) > 3 && f[0] == user {
			return f[2] + ":" + f[3], nil
		}
	}
	return "", fmt.Errorf("lab: %s has no user %s", tree, user)
}
