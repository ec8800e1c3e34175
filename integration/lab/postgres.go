package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A cluster is this process's share in the PostgreSQL of one version.
type cluster struct {
	port  int       // on 127.0.0.1
	users *fileLock // shared; PostgreSQL ends when nobody holds it
}

// dsn addresses a database of the cluster as its superuser.
func (c *cluster) dsn(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", c.port, database)
}

// leave gives the share back.
func (c *cluster) leave() error { return c.users.unlock() }

// join joins the version's PostgreSQL, which it starts if nobody has. The
// caller holds the start lock. A PostgreSQL that is just ending holds the users'
// lock until it is gone, so whoever gets a share knows that it stays.
func join(ctx context.Context, h host, f folder, r recipe) (*cluster, error) {
	users, err := waitLock(ctx, f.usersLock(r.version), shared)
	if err != nil {
		return nil, err
	}
	port, err := clusterPort(ctx, h, f, r)
	if err != nil {
		return nil, errors.Join(err, users.unlock())
	}
	return &cluster{port: port, users: users}, nil
}

func clusterPort(ctx context.Context, h host, f folder, r recipe) (int, error) {
	keeper, err := tryLock(f.keeperLock(r.version), exclusive)
	if errors.Is(err, errLocked) {
		return readPort(f.run(r.version))
	}
	if err != nil {
		return 0, err
	}
	if err := keeper.unlock(); err != nil {
		return 0, err
	}
	return startPostgres(ctx, h, f, r)
}

// startPostgres starts the box that outlives this process while others need it,
// and waits until it says where it listens.
func startPostgres(ctx context.Context, h host, f folder, r recipe) (port int, err error) {
	run := f.run(r.version)
	if err := os.Remove(portFile(run)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("lab: %w", err)
	}
	log, err := os.Create(filepath.Join(run, "keeper.log"))
	if err != nil {
		return 0, fmt.Errorf("lab: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	cmd := h.box(context.WithoutCancel(ctx), "postgres", f.tree(r.version),
		filepath.Join(f.template(r.version), "pg"), run, f.ports(), r.postgres)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("lab: PostgreSQL of Odoo %d: %w", r.version, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		if port, err := readPort(run); err == nil {
			return port, nil
		}
		select {
		case err := <-ended:
			return 0, fmt.Errorf("lab: PostgreSQL of Odoo %d did not start: %w\n%s", r.version, err, tail(log.Name(), 15))
		default:
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return 0, fmt.Errorf("lab: waiting for PostgreSQL of Odoo %d: %w", r.version, err)
		}
	}
}

func portFile(run string) string { return filepath.Join(run, "port") }

func readPort(run string) (int, error) {
	b, err := os.ReadFile(portFile(run))
	if err != nil {
		return 0, fmt.Errorf("lab: PostgreSQL says no port: %w", err)
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}
