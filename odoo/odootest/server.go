package odootest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options says what the server is like. The zero value is an empty Odoo 19.
type Options struct {
	Version  int    // 14 or 19; 0: 19
	Database string // 0: "demo"
	// Demo puts partners, sale orders and projects in.
	Demo bool
	// Now is the server's clock; nil: the machine's.
	Now func() time.Time
	// Addr is where Start listens; empty: a free loopback port.
	Addr string
	// Stubs answer server actions that are not ours.
	Stubs []Stub
	// MaxBody is the largest request; 0: none on 14, 128 MiB on 19.
	MaxBody int64
}

// A Stub answers a server action that a test makes, in place of its Python.
type Stub struct {
	Code string // all of it
	// Run gets the context that the caller sent, and his uid. An error that is
	// no *[PythonError] is one that Odoo does not foresee.
	Run func(context map[string]any, uid int64) (any, error)
}

// PythonError is what a [Stub] raises, as "odoo.exceptions.UserError".
type PythonError struct{ Class, Message string }

// Error is class and message.
func (e *PythonError) Error() string { return e.Class + ": " + e.Message }

// The logins that every server has, as in Odoo's own demo data.
const (
	AdminLogin     = "admin" // with Settings rights
	AdminPassword  = "admin"
	DemoLogin      = "demo" // an employee who sells and has projects
	DemoPassword   = "demo"
	PortalLogin    = "portal"
	PortalPassword = "portal"
)

// Server is one database and its HTTP server. All methods may be called
// concurrently. Calls are carried out one after another: each sees all that
// was committed before it, and none meets a serialization failure.
type Server struct {
	opt Options // fixed after New

	log    requestLog
	faults faultPlan

	httpMu sync.Mutex
	http   *http.Server
	url    string

	mu       sync.Mutex // guards what follows
	db       *db
	files    map[string][]byte // the filestore, by sha1
	sessions map[string]int64
	keys     map[string]int64 // API keys
	serial   int64            // makes tokens and session ids
	held     []time.Time      // starts of the transactions that a fault holds open
	signIns  []SignIn
}

// New makes a server with its base data. Without Start it is an http.Handler.
func New(opt Options) *Server {
	if opt.Version == 0 {
		opt.Version = 19
	}
	if opt.Database == "" {
		opt.Database = "demo"
	}
	if opt.Now == nil {
		opt.Now = time.Now // the default of a server for tests; the product hands its own clock in
	}
	if opt.MaxBody == 0 && opt.Version >= 17 {
		opt.MaxBody = 128 << 20
	}
	s := &Server{opt: opt, files: map[string][]byte{}, sessions: map[string]int64{}, keys: map[string]int64{}}
	s.db = newDB(opt.Version)
	t := s.begin(1, nil)
	t.su = true
	t.baseData()
	if opt.Demo {
		t.demoData()
	}
	return s
}

func (s *Server) begin(uid int64, context map[string]any) *tx {
	return &tx{s: s, db: s.db, uid: uid, now: s.opt.Now().UTC().Truncate(time.Microsecond), context: context}
}

// Start serves HTTP and gives the base URL.
func (s *Server) Start() (string, error) {
	addr := s.opt.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr) //nolint:noctx // the server lives until Close, not as long as a call
	if err != nil {
		return "", fmt.Errorf("start Odoo in memory: %w", err)
	}
	h := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	s.httpMu.Lock()
	s.http, s.url = h, "http://"+l.Addr().String()
	s.httpMu.Unlock()
	go h.Serve(l) //nolint:errcheck // it returns when Close closes it, with nothing to tell
	return s.URL(), nil
}

// URL is what Start gave, or http://odoo.invalid for Transport alone.
func (s *Server) URL() string {
	s.httpMu.Lock()
	defer s.httpMu.Unlock()
	if s.url == "" {
		return "http://odoo.invalid"
	}
	return s.url
}

// Database is the one database's name.
func (s *Server) Database() string { return s.opt.Database }

// Close ends the HTTP server; the data go with the Server.
func (s *Server) Close() error {
	s.httpMu.Lock()
	defer s.httpMu.Unlock()
	if s.http == nil {
		return nil
	}
	return s.http.Close()
}

// Transport carries requests to the server within the process.
func (s *Server) Transport() http.RoundTripper { return inProcess{s} }

type inProcess struct{ s *Server }

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	r := req.Clone(req.Context())
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.RequestURI, r.RemoteAddr = req.URL.RequestURI(), "127.0.0.1:1"
	w := &answer{header: http.Header{}, status: http.StatusOK}
	if torn := p.serve(w, r); torn {
		return nil, errors.Join(io.ErrUnexpectedEOF, r.Body.Close())
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: req,
	}, r.Body.Close()
}

// serve gives true when a fault tore the connection.
func (p inProcess) serve(w http.ResponseWriter, r *http.Request) (torn bool) {
	defer func() {
		if v := recover(); v != nil {
			if err, ok := v.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			torn = true
		}
	}()
	p.s.ServeHTTP(w, r)
	return false
}

type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	if s.opt.MaxBody > 0 && int64(len(body)) > s.opt.MaxBody {
		html(w, http.StatusRequestEntityTooLarge, "413 Request Entity Too Large")
		return
	}
	switch p := r.URL.Path; {
	case strings.HasPrefix(p, "/xmlrpc/2/"):
		s.serveXML(w, strings.TrimPrefix(p, "/xmlrpc/2/"), body)
	case p == "/web/session/authenticate", strings.HasPrefix(p, "/web/dataset/call_kw"):
		s.serveJSONRPC(w, r, body)
	case p == "/json/version" || p == "/web/version":
		s.serveVersion(w, p)
	case strings.HasPrefix(p, "/json/2/") && s.opt.Version >= 19:
		s.serveJSON2(w, r, strings.TrimPrefix(p, "/json/2/"), body)
	case strings.HasPrefix(p, "/web/content/"):
		s.serveContent(w, r, strings.TrimPrefix(p, "/web/content/"))
	default:
		html(w, http.StatusNotFound, "404 Not Found")
	}
}

func html(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><title>%s</title></head><body><h1>%s</h1></body></html>", text, text) //nolint:errcheck // the client is gone when this fails
}

// execute runs one method call as a user, in one transaction, under the
// faults that were asked for.
func (s *Server) execute(uid int64, model, method string, a args) (any, *fault) {
	done := s.log.begin(s.opt.Now(), model, method, uid)
	due := s.faults.next(model, method)
	if due.before() {
		done("dropped before")
		panic(http.ErrAbortHandler)
	}
	context, _ := a.kw["context"].(map[string]any)
	delete(a.kw, "context")
	s.mu.Lock()
	t := s.begin(uid, context)
	if due.holds() {
		s.hold(t, due.Until)
	}
	if due != nil && due.Forget {
		t.context = nil
	}
	result, f := t.call(model, method, a)
	if due != nil && due.Raise != nil {
		f = unforeseen(due.Raise.Class, "%s", due.Raise.Message)
	}
	if f != nil {
		t.rollback()
		result = nil
	}
	s.mu.Unlock()
	if due.after() {
		done("dropped after")
		panic(http.ErrAbortHandler)
	}
	if f != nil {
		done(f.class)
	} else {
		done("")
	}
	return result, f
}

// hold keeps a transaction open until the channel closes: other calls run and
// commit in between, and what it writes then bears the date of its start, as
// with PostgreSQL. What it reads is as of its end: no call of a test waits and
// reads at once. The caller has the lock, and has it again afterwards.
func (s *Server) hold(t *tx, until <-chan struct{}) {
	s.held = append(s.held, t.now)
	s.mu.Unlock()
	<-until
	s.mu.Lock()
	i := slices.IndexFunc(s.held, t.now.Equal)
	s.held = slices.Delete(s.held, i, i+1)
}

// Held is the number of calls that faults hold open.
func (s *Server) Held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held)
}

// oldestStart is the start of the oldest transaction that runs, among them one
// that started at now.
func (s *Server) oldestStart(now time.Time) time.Time {
	for _, start := range s.held {
		if start.Before(now) {
			now = start
		}
	}
	return now
}

// login checks a password or API key and gives the uid.
func (s *Server) login(login, secret string, keys bool) (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	users := s.db.models["res.users"]
	for id, r := range users.rows {
		if r.str("login") == login && r.yes("active") {
			return id, secret != "" && (r.str("password") == secret || keys && s.keys[secret] == id)
		}
	}
	return 0, false
}

// secretOf reports whether uid may sign in with the secret.
func (s *Server) secretOf(uid int64, secret string) bool {
	s.mu.Lock()
	login := s.db.models["res.users"].rows[uid].str("login")
	s.mu.Unlock()
	_, ok := s.login(login, secret, true)
	return ok
}

func (s *Server) token() string {
	s.serial++
	return fmt.Sprintf("%032x", s.serial)
}

// versionInfo is [19, 0, 0, "final", 0, ""].
func (s *Server) versionInfo() []any {
	return []any{int64(s.opt.Version), int64(0), int64(0), "final", int64(0), ""}
}

func (s *Server) versionName() string { return fmt.Sprintf("%d.0", s.opt.Version) }

// Rows gives all rows of a model as they are stored, with their ids, by id: for
// judging a test, as SQL does on a real server. Times are time.Time.
func (s *Server) Rows(model string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.db.models[model]
	if m == nil {
		return nil
	}
	var all []map[string]any
	for _, id := range m.ids() {
		row := map[string]any{"id": id}
		for k, v := range m.rows[id] {
			row[k] = v
		}
		all = append(all, row)
	}
	return all
}

// Stored reports whether the filestore has a content of this SHA-1.
func (s *Server) Stored(sha1 string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.files[sha1]
	return ok
}

// Pause stops listening, as a server that is down; Resume listens at the same
// address again.
func (s *Server) Pause() error { return s.Close() }

// Resume listens again after Pause.
func (s *Server) Resume() error {
	s.opt.Addr = s.URL()[len("http://"):]
	_, err := s.Start()
	return err
}
