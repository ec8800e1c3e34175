package odoo

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"

	"odbxfs"
)

// Client is one user on one database. It signs in at the first call, and again
// when the server forgot it. All methods may be called concurrently.
type Client struct {
	cfg Config // fixed after New

	signing sync.Mutex // held while signing in, so that one does it for all

	mu      sync.Mutex // guards what follows
	conn    *conn      // nil until signed in, and after a refusal
	refused *refusal   // the last refused secret
	lastUID int64      // of the last login; 0 before
}

// conn is one login.
type conn struct {
	e *endpoint
	transport
	account
	secret [sha256.Size]byte
}

// refusal is a secret that Odoo refused, as its hash, and what it said.
type refusal struct {
	secret [sha256.Size]byte
	err    error
}

// New makes a client without contacting the server.
func New(cfg Config) (*Client, error) {
	c, err := cfg.check()
	if err != nil {
		return nil, err
	}
	return &Client{cfg: c}, nil
}

// Connect makes a client and signs in.
func Connect(ctx context.Context, cfg Config) (*Client, error) {
	c, err := New(cfg)
	if err != nil {
		return nil, err
	}
	if err := c.SignIn(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// SignIn makes sure that the client is signed in. A refused secret is asked for
// again, and sent only if it is another one now: KindCredentials else, without
// any contact with the server.
func (c *Client) SignIn(ctx context.Context) error {
	_, err := c.connected(ctx)
	return err
}

// UID is the user's id, 0 before the first login.
func (c *Client) UID() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lastUID
}

// Transport is the one in use, or Auto before the first login.
func (c *Client) Transport() Transport {
	if k := c.current(); k != nil {
		return k.kind()
	}
	return Auto
}

// Version is the server's major version, as 14 or 19, and 0 before the first
// login. Where a feature can be asked for, ask for it instead.
func (c *Client) Version() int {
	if k := c.current(); k != nil {
		return k.version.Major
	}
	return 0
}

// Database is the name of the database that the client works on.
func (c *Client) Database() string { return c.cfg.Database }

// URL is the server's base URL, without trailing slash.
func (c *Client) URL() string { return c.cfg.URL }

// MaxContent is the size in bytes up to which the server is known to take an
// upload; 0 means that nobody said.
func (c *Client) MaxContent() int64 {
	if k := c.current(); k != nil {
		return contentLimit(k.limit)
	}
	return 0
}

func (c *Client) current() *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn
}

// connected gives the login, making one where there is none.
func (c *Client) connected(ctx context.Context) (*conn, error) {
	if k := c.current(); k != nil {
		return k, nil
	}
	c.signing.Lock()
	defer c.signing.Unlock()
	if k := c.current(); k != nil {
		return k, nil
	}
	secret, err := c.cfg.Secret(ctx)
	if err != nil {
		return nil, &odbxfs.Error{Op: "sign in to Odoo", Kind: odbxfs.KindSettings, Err: err}
	}
	hash := sha256.Sum256([]byte(secret))
	if r := c.refusal(); r != nil && r.secret == hash {
		return nil, r.err
	}
	e, err := newEndpoint(c.cfg)
	if err != nil {
		return nil, err
	}
	t, acc, err := signIn(ctx, e, c.cfg, secret, c.UID())
	if err != nil {
		c.noteRefusal(hash, err)
		return nil, err
	}
	k := &conn{e: e, transport: t, account: acc, secret: hash}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.refused, c.lastUID = k, nil, acc.uid
	c.cfg.Log.LogAttrs(ctx, slog.LevelDebug, "signed in to Odoo", slog.String("transport", string(t.kind())), slog.Int64("uid", acc.uid), slog.String("version", acc.version.Name))
	return k, nil
}

func (c *Client) refusal() *refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused
}

// noteRefusal keeps a refused secret from being sent again.
func (c *Client) noteRefusal(hash [sha256.Size]byte, err error) {
	if !odbxfs.IsKind(err, odbxfs.KindCredentials) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = &refusal{secret: hash, err: err}
	if c.conn != nil && c.conn.secret == hash {
		c.conn = nil
	}
}

// Call runs a method of a model and decodes its answer into out: a pointer to
// bool, int, float, string, time.Time, slice, map or struct (with fields tagged
// `odoo:"name"`), to a [Decoder], or to any; nil drops it. False and null are
// the zero value of all but bool. On JSON-2, positional args are named for the
// ORM's own methods; others take kw, besides ids as args[0].
func (c *Client) Call(ctx context.Context, model, method string, args []any, kw map[string]any, out any) error {
	v, err := c.do(ctx, &call{model: model, method: method, args: args, kw: kw})
	if err != nil {
		if out == nil && isNoAnswer(err) {
			return nil // carried out; nobody wants the answer
		}
		return err
	}
	if err := decode(v, out); err != nil {
		return answerError(model+"."+method, err)
	}
	return nil
}

// do runs one call on the login at hand.
func (c *Client) do(ctx context.Context, q *call) (any, error) {
	if err := errors.Join(checkText(q.args), checkText(q.kw)); err != nil {
		return nil, argumentError(q.op(), err)
	}
	k, err := c.connected(ctx)
	if err != nil {
		return nil, err
	}
	start := c.cfg.Now()
	v, err := k.call(ctx, q)
	attrs := []slog.Attr{slog.String("call", q.op()), slog.Duration("took", c.cfg.Now().Sub(start))}
	if err != nil {
		c.noteRefusal(k.secret, err)
		attrs = append(attrs, slog.String("kind", odbxfs.KindOf(err).String()))
	}
	c.cfg.Log.LogAttrs(ctx, slog.LevelDebug, "odoo call", attrs...)
	return v, err
}

// withContext gives kw with key set in its context, leaving the caller's maps
// alone.
func withContext(kw map[string]any, key string, value any) map[string]any {
	kw = maps.Clone(kw)
	if kw == nil {
		kw = map[string]any{}
	}
	given, _ := kw["context"].(map[string]any) // absent or of another type: ours alone
	own := maps.Clone(given)
	if own == nil {
		own = map[string]any{}
	}
	own[key] = value
	kw["context"] = own
	return kw
}

// itemOf names an attachment in errors.
func itemOf(id int64) string { return fmt.Sprintf("attachment %d", id) }
