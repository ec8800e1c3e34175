package contract

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/odoo"
)

// Login is a user of the server under test.
type Login struct{ Login, Password string }

// Server is the server under test: demo data of Odoo's sale_management inside,
// and nothing that the checks could harm.
type Server struct {
	URL, Database string
	Version       int   // 14 or 19
	Admin         Login // with Settings rights
	Employee      Login // an internal user who may not write ir.cron
	Portal        Login
}

// Options says what to check.
type Options struct {
	// New makes a server; it is asked once per Run.
	New func(t *testing.T) Server
	// Gaps names checks, as "content/ranges", that this server cannot pass.
	// They are run all the same, and must fail.
	Gaps []string
}

// A check is one promise.
type check struct {
	name string
	run  func(ctx context.Context, e *env) error
}

// Run holds the server against the contract, once per transport.
func Run(t *testing.T, o Options) {
	t.Helper()
	srv := o.New(t)
	all := slices.Concat(loginChecks, errorChecks, recordChecks, contentChecks, uploadChecks, rightsChecks, plainChecks)
	for _, gap := range o.Gaps {
		if !slices.ContainsFunc(all, func(c check) bool { return c.name == gap }) {
			t.Errorf("gap %q is no check", gap)
		}
	}
	keys := &keyring{srv: srv, keys: map[Login]string{}}
	for _, transport := range transports(srv.Version) {
		t.Run(string(transport), func(t *testing.T) {
			e := &env{Server: srv, transport: transport, keys: keys, clients: map[Login]*odoo.Client{}}
			for _, c := range all {
				t.Run(c.name, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
					defer cancel()
					err := c.run(ctx, e)
					if slices.Contains(o.Gaps, c.name) {
						if err == nil {
							t.Errorf("named a gap, and holds")
						}
						return
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}

// transports are those that a version has.
func transports(version int) []odoo.Transport {
	if version >= 19 {
		return []odoo.Transport{odoo.Session, odoo.JSON2, odoo.XMLRPC}
	}
	return []odoo.Transport{odoo.Session, odoo.XMLRPC}
}

// env is what a check works with.
type env struct {
	Server
	transport odoo.Transport
	keys      *keyring
	clients   map[Login]*odoo.Client // signed in already: a login is the slowest call
}

// keyring makes one API key per user.
type keyring struct {
	srv Server

	mu   sync.Mutex
	keys map[Login]string // guarded by mu
}

func (k *keyring) key(ctx context.Context, l Login) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key, ok := k.keys[l]; ok {
		return key, nil
	}
	e := &env{Server: k.srv, transport: odoo.Session}
	c, err := odoo.Connect(ctx, e.config(l, l.Password))
	if err != nil {
		return "", err
	}
	key, err := c.NewAPIKey(ctx, "contract", l.Password, 1)
	if err != nil {
		return "", fmt.Errorf("make an API key: %w", err)
	}
	k.keys[l] = key
	return key, nil
}

// config is the login's, on the transport under test.
func (e *env) config(l Login, secret string) odoo.Config {
	return odoo.Config{URL: e.URL, Database: e.Database, Login: l.Login, Transport: e.transport, Now: time.Now,
		Secret: func(context.Context) (string, error) { return secret, nil }}
}

// as signs in on the transport under test, with a key where it needs one.
func (e *env) as(ctx context.Context, l Login) (*odoo.Client, error) {
	if c := e.clients[l]; c != nil {
		return c, nil
	}
	secret := l.Password
	if e.transport == odoo.JSON2 {
		key, err := e.keys.key(ctx, l)
		if err != nil {
			return nil, err
		}
		secret = key
	}
	c, err := odoo.Connect(ctx, e.config(l, secret))
	if err == nil {
		e.clients[l] = c
	}
	return c, err
}

// partner makes a record to hang documents on, as the administrator.
func (e *env) partner(ctx context.Context, name string) (int64, error) {
	admin, err := e.as(ctx, e.Admin)
	if err != nil {
		return 0, err
	}
	return admin.Create(ctx, "res.partner", map[string]any{"name": name})
}

// wantKind is nil when err is of the kind.
func wantKind(what string, err error, kind odbxfs.ErrorKind) error {
	if err == nil {
		return fmt.Errorf("%s: want %q, got no error", what, kind)
	}
	if odbxfs.KindOf(err) != kind {
		return fmt.Errorf("%s: want %q, got %q: %w", what, kind, odbxfs.KindOf(err), err)
	}
	return nil
}

// equal is nil when got is want.
func equal[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}

// table runs named cases and joins what they say.
func table(cases map[string]func() error) error {
	var all []error
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		if err := cases[name](); err != nil {
			all = append(all, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(all...)
}

// bytesOf is a text as content.
func bytesOf(s string) odbxfs.Opener {
	return func(context.Context) (rc, error) { return closer{strings.NewReader(s)}, nil }
}
