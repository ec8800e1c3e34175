package dropboxtest

import (
	"io"
	"net/http"
	"reflect"
	"strings"
)

// call is one request on its way through the server.
type call struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	route  string
	style  style
	number int64
	pass   pass  // what its token is good for
	v      *view // nil where no account is asked for

	// What the log will say.
	item    string
	status  int
	note    string
	fault   string
	in      int64
	partial []string // the tags of the entries that PartialBatch fails; nil: it fails none
	busy    bool     // a batch that met a lock held for too long
}

// style is where a route has its argument and its data.
type style int

const (
	rpc      style = iota // argument and result are JSON bodies
	upload                // argument in a header, the body is data
	download              // argument in a header, the answer's body is data
)

// endpoint is a route of /2.
type endpoint struct {
	style  style
	noAuth bool
	scope  string // that a token must have; empty: none
	// writes takes the namespace's lock; entries tells how many a batch has.
	writes bool
	do     handler
}

// handler answers a route.
type handler struct {
	arg reflect.Type // the argument's struct, for comparing it with the specification
	do  func(c *call, arg []byte) (any, error)
}

// answered is the result of a call that wrote its answer itself.
type answered struct{}

// with makes a handler of a function that takes a decoded argument.
func with[A any](do func(*call, *A) (any, error)) handler {
	return handler{reflect.TypeFor[A](), func(c *call, raw []byte) (any, error) {
		arg := new(A)
		if err := c.decodeArg(raw, arg); err != nil {
			return nil, err
		}
		return do(c, arg)
	}}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, w: w, r: r, route: strings.TrimPrefix(r.URL.Path, "/"), status: http.StatusOK}
	if !aside(r.Context()) {
		r.Body = &lineIn{r.Body, c}
		if s.opt.Costs.Down > 0 {
			c.w = &lineOut{w, c}
		}
		c.number = s.log.begin(s.opt.Now())
		defer func() { s.log.end(c.number, c) }()
	}
	w.Header().Set("X-Dropbox-Request-Id", requestID(c.number))
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/2/"):
		c.route = strings.TrimPrefix(path, "/2/")
		s.api(c)
	case path == "/oauth2/token" || path == "/1/oauth2/token":
		c.route = "oauth2/token"
		s.faulty(c, "", func() {
			if err := s.charge(c); err != nil {
				c.finish(nil, err)
				return
			}
			c.finish(s.oauthToken(c))
		})
	case path == "/oauth2/authorize":
		c.route = "oauth2/authorize"
		s.faulty(c, "", func() { s.authorize(c) })
	default:
		s.faulty(c, r.URL.Path, func() { s.www(c) })
	}
}

// api answers /2/....
func (s *Server) api(c *call) {
	e, known := endpoints[c.route]
	if !known {
		c.writeError(&apiError{status: http.StatusBadRequest, text: "Unknown API function: \"" + c.route + "\""})
		return
	}
	c.style = e.style
	raw, err := c.readArg()
	if err != nil {
		c.writeError(err)
		return
	}
	s.faulty(c, string(raw), func() {
		err := s.admit(c, e, raw)
		if err != nil {
			c.finish(nil, err)
			return
		}
		result, err := e.do.do(c, raw)
		c.finish(result, err)
	})
}

// admit is what comes before the endpoint: costs, token, path root, write lock.
func (s *Server) admit(c *call, e endpoint, raw []byte) error {
	beside := aside(c.r.Context())
	if !beside {
		if err := s.charge(c); err != nil {
			return err
		}
	}
	if !e.noAuth {
		p, err := s.auth.check(c.r, e.scope)
		if err != nil {
			return err
		}
		c.pass = p
		if c.v, err = s.openView(p, c.r); err != nil {
			return err
		}
	}
	if e.writes && !beside {
		return s.takeWriteLock(c, raw)
	}
	return nil
}

// finish sends a result or an error.
func (c *call) finish(result any, err error) {
	if err != nil {
		c.writeError(err)
		return
	}
	if _, done := result.(answered); !done {
		c.writeJSON(http.StatusOK, result)
	}
}

// source says where the argument stood, in Dropbox's words.
func (c *call) source() string {
	if c.style == rpc {
		return "request body"
	}
	return `HTTP header "Dropbox-API-Arg"`
}

const maxRPCBody = 16 << 20

// readArg gets the argument's JSON from body, header or URL.
func (c *call) readArg() ([]byte, error) {
	if c.r.Method != http.MethodPost && (c.style != download || c.r.Method != http.MethodGet) {
		return nil, &apiError{status: http.StatusMethodNotAllowed, text: "Method Not Allowed"}
	}
	kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	kind = strings.TrimSpace(kind)
	if c.style == rpc {
		raw, err := io.ReadAll(io.LimitReader(c.r.Body, maxRPCBody))
		if err != nil {
			return nil, &apiError{status: http.StatusBadRequest, text: "could not read body"}
		}
		if kind != "application/json" && kind != "text/plain" && len(raw) > 0 {
			return nil, badType(kind, `"application/json", "application/json; charset=utf-8", "text/plain; charset=dropbox-cors-hack"`)
		}
		return raw, nil
	}
	if c.style == upload && kind != "application/octet-stream" && kind != "text/plain" {
		return nil, badType(kind, `"application/octet-stream", "text/plain; charset=dropbox-cors-hack"`)
	}
	arg := c.r.Header.Get("Dropbox-API-Arg")
	if arg == "" {
		arg = c.r.URL.Query().Get("arg")
	}
	if limit := c.s.opt.Behaviour.MaxHeader; limit > 0 && len(arg) > limit {
		return nil, &apiError{status: http.StatusBadRequest, html: true, text: "<html><body><h1>400 Bad request</h1></body></html>"}
	}
	if c.s.opt.Behaviour.StrictHeader && !isASCII(arg) {
		return nil, badCall("%s: could not decode input as JSON", c.source())
	}
	return []byte(arg), nil
}

func badType(kind, want string) error {
	return badCall("Bad HTTP \"Content-Type\" header: %q.  Expecting one of %s.", kind, want)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x7f {
			return false
		}
	}
	return true
}
