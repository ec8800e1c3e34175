package contract

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"odbxfs"
	"odbxfs/odoo"
)

var loginChecks = []check{
	{"login/each user", eachUser},
	{"login/wrong password is refused, and not sent again", wrongPassword},
	{"login/unknown login", unknownLogin},
	{"login/unknown database", unknownDatabase},
	{"login/API key serves where a password does", apiKey},
	{"login/auto takes the best", autoTakesTheBest},
	{"login/lost session is renewed", lostSession},
}

func eachUser(ctx context.Context, e *env) error {
	for _, l := range []Login{e.Admin, e.Employee} {
		c, err := e.as(ctx, l)
		if err != nil {
			return fmt.Errorf("%s: %w", l.Login, err)
		}
		var rows []struct {
			Login string `odoo:"login"`
		}
		if err := c.Read(ctx, "res.users", []int64{c.UID()}, []string{"login"}, &rows); err != nil {
			return err
		}
		if len(rows) != 1 || rows[0].Login != l.Login {
			return fmt.Errorf("signed in as %s, is %+v", l.Login, rows)
		}
		if err := errors.Join(equal("version", c.Version(), e.Version), equal("transport", c.Transport(), e.transport)); err != nil {
			return err
		}
	}
	return nil
}

// counting counts requests.
type counting struct{ n atomic.Int64 }

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return http.DefaultTransport.RoundTrip(r)
}

func wrongPassword(ctx context.Context, e *env) error {
	var wire counting
	secret := "wrong"
	cfg := e.config(e.Employee, "")
	cfg.HTTP = &wire
	cfg.Secret = func(context.Context) (string, error) { return secret, nil }
	c, err := odoo.New(cfg)
	if err != nil {
		return err
	}
	if err := wantKind("wrong password", c.SignIn(ctx), odbxfs.KindCredentials); err != nil {
		return err
	}
	sent := wire.n.Load()
	for range 3 {
		if err := wantKind("the same again", c.SignIn(ctx), odbxfs.KindCredentials); err != nil {
			return err
		}
	}
	if err := equal("requests after the refusal", wire.n.Load(), sent); err != nil {
		return err
	}
	if secret = e.Employee.Password; e.transport == odoo.JSON2 {
		if secret, err = e.keys.key(ctx, e.Employee); err != nil {
			return err
		}
	}
	return c.SignIn(ctx) // its source gives another: tried again
}

func unknownLogin(ctx context.Context, e *env) error {
	if e.transport == odoo.JSON2 {
		return nil // a key names its user: there is no login to be unknown
	}
	cfg := e.config(Login{Login: "nobody@example.com"}, "x")
	_, err := odoo.Connect(ctx, cfg)
	return wantKind("unknown login", err, odbxfs.KindCredentials)
}

func unknownDatabase(ctx context.Context, e *env) error {
	secret := e.Employee.Password
	if e.transport == odoo.JSON2 {
		key, err := e.keys.key(ctx, e.Employee)
		if err != nil {
			return err
		}
		secret = key
	}
	cfg := e.config(e.Employee, secret)
	cfg.Database = "nonesuch"
	_, err := odoo.Connect(ctx, cfg)
	return wantKind("unknown database", err, odbxfs.KindForeign)
}

func apiKey(ctx context.Context, e *env) error {
	key, err := e.keys.key(ctx, e.Employee)
	if err != nil {
		return err
	}
	cfg := e.config(e.Employee, key)
	c, err := odoo.Connect(ctx, cfg)
	if e.transport == odoo.Session {
		if err == nil {
			return errors.New("a session took an API key")
		}
		return nil
	}
	if err != nil {
		return err
	}
	n, err := c.SearchCount(ctx, "res.partner", nil)
	if err != nil || n == 0 {
		return fmt.Errorf("%d partners: %w", n, err)
	}
	return nil
}

func autoTakesTheBest(ctx context.Context, e *env) error {
	key, err := e.keys.key(ctx, e.Employee)
	if err != nil {
		return err
	}
	withKey := odoo.XMLRPC
	if e.Version >= 19 {
		withKey = odoo.JSON2
	}
	for secret, want := range map[string]odoo.Transport{e.Employee.Password: odoo.Session, key: withKey} {
		cfg := e.config(e.Employee, secret)
		cfg.Transport = odoo.Auto
		c, err := odoo.Connect(ctx, cfg)
		if err != nil {
			return err
		}
		if err := equal("transport", c.Transport(), want); err != nil {
			return err
		}
	}
	return nil
}

// dropCookies forgets the session once it is asked to.
type dropCookies struct{ on atomic.Bool }

func (d *dropCookies) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.on.Load() && r.URL.Path != "/web/session/authenticate" {
		d.on.Store(false)
		r = r.Clone(r.Context())
		r.Header.Set("Cookie", "session_id=0123456789abcdef0123456789abcdef01234567")
	}
	return http.DefaultTransport.RoundTrip(r)
}

func lostSession(ctx context.Context, e *env) error {
	if e.transport != odoo.Session {
		return nil // no session to lose
	}
	wire := &dropCookies{}
	cfg := e.config(e.Employee, e.Employee.Password)
	cfg.HTTP = wire
	c, err := odoo.Connect(ctx, cfg)
	if err != nil {
		return err
	}
	wire.on.Store(true)
	if _, err := c.SearchCount(ctx, "res.partner", nil); err != nil {
		return err
	}
	return equal("session was dropped", wire.on.Load(), false)
}
