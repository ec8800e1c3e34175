package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// Options choose a server. The zero value of each field but Version is fine.
type Options struct {
	Version     int       // 14 or 19
	Name        string    // becomes part of the database's name, to tell it in logs
	Workers     int       // Odoo's --workers; 0 is the threaded server
	CronThreads int       // Odoo's --max-cron-threads; 0 means that crons do not run by themselves
	LogRPC      bool      // log each RPC's model and method too (odoo.http.rpc.request, DEBUG)
	Sink        *Sink     // where the server's mail goes; nil = Odoo has no mail server
	Args        []string  // further options for Odoo's command line
	Progress    io.Writer // told about a build, if one is needed; may be nil
}

// A Server is one real Odoo server with a database of its own, copied from the
// template with demo data. Its methods may be called concurrently.
type Server struct {
	// Fixed after Open.

	URL      string // http://127.0.0.1:PORT, the same after a restart
	Database string
	Version  int

	// Logins of the demo data: an administrator, an employee, a portal user.

	AdminLogin, AdminPassword   string
	DemoLogin, DemoPassword     string
	PortalLogin, PortalPassword string

	host   host
	folder folder
	recipe recipe
	opts   Options
	port   int
	bus    int
	locks  []*fileLock // of the ports
	pg     *cluster
	db     *database
	http   *http.Client

	users sync.Map // login -> uid as a float64, filled by Execute

	mu     sync.Mutex // guards what follows; held while starting and stopping
	proc   *process   // nil while stopped
	closed bool
}

// startLimit bounds a server's start until its first answer. It takes 1 to 2 s;
// the rest is for machines that run a dozen of them at once.
const startLimit = 3 * time.Minute

// Open builds what is missing and starts a server. ctx bounds only the start;
// the server runs until Close, or until this process ends, however it ends.
func Open(ctx context.Context, o Options) (*Server, error) {
	r, err := recipeFor(o.Version)
	if err != nil {
		return nil, err
	}
	h, err := newHost(ctx)
	if err != nil {
		return nil, err
	}
	f, err := openFolder()
	if err != nil {
		return nil, err
	}
	if err := build(ctx, h, f, r, sayer(o.Progress, r.version)); err != nil {
		return nil, err
	}
	s := &Server{
		Version:    o.Version,
		AdminLogin: "admin", AdminPassword: "admin",
		DemoLogin: "demo", DemoPassword: "demo",
		PortalLogin: "portal", PortalPassword: "portal",
		host: h, folder: f, recipe: r, opts: o,
		http: &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// open does what may have to be undone by Close.
func (s *Server) open(ctx context.Context) error {
	if err := s.takePlace(ctx); err != nil {
		return err
	}
	if err := s.takePorts(ctx); err != nil {
		return err
	}
	s.Database, s.URL = s.db.name, fmt.Sprintf("http://127.0.0.1:%d", s.port)
	if err := s.db.create(ctx, s.host, s.folder, s.recipe, s.pg); err != nil {
		return err
	}
	if err := s.db.settle(ctx, s.pg, s.URL); err != nil {
		return err
	}
	if err := s.StartAgain(ctx); err != nil {
		return err
	}
	if s.opts.Sink != nil {
		return s.UseSink(ctx, s.opts.Sink)
	}
	return nil
}

// takePlace joins PostgreSQL and claims a database name, one process at a time.
func (s *Server) takePlace(ctx context.Context) (err error) {
	if err := os.MkdirAll(s.folder.run(s.Version), 0o755); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	lock, err := waitLock(ctx, s.folder.startLock(s.Version), exclusive)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.unlock()) }()
	if s.pg, err = join(ctx, s.host, s.folder, s.recipe); err != nil {
		return err
	}
	s.db, err = claim(ctx, s.host, s.folder, s.recipe, s.pg, s.opts.Name)
	return err
}

// takePorts reserves the server's port, and one for long polling if it has
// workers (the threaded server answers everything on one).
func (s *Server) takePorts(ctx context.Context) error {
	ports := []*int{&s.port}
	if s.opts.Workers > 0 {
		ports = append(ports, &s.bus)
	}
	for _, p := range ports {
		port, lock, err := takePort(ctx, s.folder)
		if err != nil {
			return err
		}
		*p, s.locks = port, append(s.locks, lock)
	}
	return nil
}

// command is the command line of Odoo in its box.
func (s *Server) command() []string {
	args := s.recipe.serverArgs(s.pg.port, s.Database)
	args = append(args,
		"--db-filter", "^"+s.Database+"$",
		"--http-interface", "127.0.0.1", "--http-port", strconv.Itoa(s.port),
		"--max-cron-threads", strconv.Itoa(s.opts.CronThreads),
		"--workers", strconv.Itoa(s.opts.Workers))
	if s.bus != 0 {
		args = append(args, s.recipe.bus, strconv.Itoa(s.bus))
	}
	if s.opts.LogRPC {
		args = append(args, "--log-handler", "odoo.http.rpc.request:DEBUG")
	}
	return append(args, s.opts.Args...)
}

// StartAgain starts the server after Stop or Kill, on the same URL and
// database, and waits until it answers. A running server is left alone.
func (s *Server) StartAgain(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("lab: the server is closed")
	}
	if s.proc != nil && s.proc.running() {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("no answer within %s", startLimit))
	defer cancel()
	p, err := startProcess(ctx, s.host, s.folder.tree(s.Version), s.db, s.command())
	if err != nil {
		return err
	}
	s.proc = p
	if err := s.waitReady(ctx, p); err != nil {
		return errors.Join(fmt.Errorf("lab: Odoo %d did not start: %w\n%s", s.Version, err, tail(s.LogPath(), 25)), p.kill())
	}
	return nil
}

// waitReady asks for a login until it is granted: only then is the database's
// registry loaded, so that the first call of a test is not the slow one.
func (s *Server) waitReady(ctx context.Context, p *process) error {
	for {
		var uid any
		err := s.jsonRPC(ctx, "common", "authenticate", []any{s.Database, s.AdminLogin, s.AdminPassword, struct{}{}}, &uid)
		if n, ok := uid.(float64); err == nil && ok && n > 0 {
			return nil
		}
		if !p.running() {
			return errors.New("it ended at once")
		}
		if perr := pause(ctx, 30*time.Millisecond); perr != nil {
			return errors.Join(perr, err)
		}
	}
}

// Stop stops the server in order and waits for its end; after 10 s, or when ctx
// ends, it is killed. Database, files and URL stay. Stopping a stopped server
// does nothing.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return nil
	}
	p := s.proc
	s.proc = nil
	return p.stop(ctx, 10*time.Second)
}

// Kill ends the server as kill -9 would: requests that are being worked on get
// no answer.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return nil
	}
	p := s.proc
	s.proc = nil
	return p.kill()
}

// Restart is Stop and StartAgain.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	return s.StartAgain(ctx)
}

// Close kills the server, drops its database, files and log, and gives up its
// share in PostgreSQL. A closed server stays closed; closing it again does
// nothing.
func (s *Server) Close(ctx context.Context) error {
	errs := []error{s.Kill()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.db != nil {
		errs = append(errs, s.db.drop(ctx, s.host, s.pg))
	}
	if s.pg != nil {
		errs = append(errs, s.pg.leave())
	}
	for _, l := range s.locks {
		errs = append(errs, l.unlock())
	}
	return errors.Join(errs...)
}

// DSN is the address of the server's database for pgx, as PostgreSQL's
// superuser: for judging by SQL.
func (s *Server) DSN() string { return s.pg.dsn(s.Database) }

// Filestore is the folder of this database's stored files, as the host sees it.
func (s *Server) Filestore() string { return s.db.filestore() }
