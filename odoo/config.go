package odoo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Transport names a way of speaking to Odoo.
type Transport string

// The transports. Auto asks the server once and takes the best that works.
const (
	Auto    Transport = ""
	Session Transport = "session"
	JSON2   Transport = "json2"
	XMLRPC  Transport = "xmlrpc"
)

const (
	// defaultTimeout bounds one call. Odoo's own limit for a request is 120 s
	// (limit_time_real), so a longer wait brings no answer.
	defaultTimeout = 2 * time.Minute
	// defaultMaxAnswer bounds what one answer may hold in memory: base64 of a
	// 128 MiB upload, the largest that Odoo 19 takes by default, and then some.
	defaultMaxAnswer = 256 << 20
	// maxConns bounds connections to one server. Odoo gains nothing beyond 4
	// parallel calls (measured); open downloads hold one each besides.
	maxConns = 32
	// slowest is the transfer rate, in bytes per second, below which an upload
	// counts as hanging.
	slowest = 64 << 10
)

// Config says which server, database and user a [Client] works for. It is fixed
// once handed to [New].
type Config struct {
	// URL is the server's base, as "https://odoo.example.com"; a path is kept.
	URL string
	// Database is its name on that server.
	Database string
	// Login is the user's login.
	Login string
	// Secret gives the password or API key whenever the client signs in. Each
	// value that Odoo refused is not sent again.
	Secret func(ctx context.Context) (string, error)
	// HTTP carries the requests; nil makes one of its own. Redirects are never
	// followed, whatever it does.
	HTTP http.RoundTripper
	// Timeout bounds one call, and any pause inside a download; 0 means 2
	// minutes. Uploads get more by their size.
	Timeout time.Duration
	// Transport forces one; Auto asks.
	Transport Transport
	// MaxAnswer bounds one answer in bytes; 0 means 256 MiB. Content that is
	// streamed is not bounded by it.
	MaxAnswer int64
	// Now is the clock, used for durations in the log only; required.
	Now func() time.Time
	// Log gets one debug line per call, without values; nil means none.
	Log *slog.Logger
}

// check validates c and fills its defaults.
func (c Config) check() (Config, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return c, fmt.Errorf("odoo url: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return c, fmt.Errorf("odoo url %q: want http(s)://host", u.Redacted())
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return c, errors.New("odoo url: want no user, query or fragment in it")
	}
	c.URL = strings.TrimRight(u.String(), "/")
	switch {
	case c.Database == "":
		return c, errors.New("odoo: no database named")
	case c.Login == "":
		return c, errors.New("odoo: no login named")
	case c.Secret == nil:
		return c, errors.New("odoo: no source for the secret")
	case c.Now == nil:
		return c, errors.New("odoo: no clock")
	}
	switch c.Transport {
	case Auto, Session, JSON2, XMLRPC:
	default:
		return c, fmt.Errorf("odoo: unknown transport %q", c.Transport)
	}
	if c.HTTP == nil {
		t := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxConnsPerHost: maxConns, MaxIdleConnsPerHost: maxConns, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 20 * time.Second, ForceAttemptHTTP2: true}
		c.HTTP = t
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxAnswer <= 0 {
		c.MaxAnswer = defaultMaxAnswer
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}
