package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/cmd/odbxfs/config"
	"odbxfs/cmd/odbxfs/control"
	"odbxfs/fs"
	"odbxfs/odoo"
	"odbxfs/sync"
	"odbxfs/sync/access"
	"odbxfs/sync/content"
	"odbxfs/sync/plan"
)

// Mode is which executors the process has.
type Mode string

// The modes; see DESIGN's "Processes".
const (
	Mount Mode = "mount" // Odoo as that user, no Dropbox
	Sync  Mode = "sync"  // the technical user, Dropbox, a lease per client
	Run   Mode = "run"   // both on one store
)

// Options start a daemon.
type Options struct {
	Config config.Config
	Mode   Mode
	Log    *slog.Logger
	// Store is the store's folder; empty: one below Config.State for this mode,
	// server, database, login and uid.
	Store string
	// HTTP carries all requests; nil: the standard transport.
	HTTP http.RoundTripper
	// Reload reads the config anew, for what may change while the daemon runs;
	// nil: nothing may.
	Reload func() (config.Config, error)
}

// Daemon is one process's work on one store.
type Daemon struct {
	// fixed after Open
	opt     Options
	log     *slog.Logger
	store   *cache.Store
	client  *odoo.Client
	port    sync.Odoo
	ledger  sync.OdooLedger
	access  fs.Access
	boxes   *boxes
	opener  *content.Opener
	opens   *opens // the opener as the mount uses it
	socket  string
	changes chan func(context.Context) // work that needs the engine for itself
	engine  engineBox
	ends    []func() // what goes before the store
}

// StoreDir gives the folder of the store that belongs to (config, mode, login,
// uid). That of plain mode is another one: its tree is made of other things.
func StoreDir(cfg config.Config, mode Mode) string {
	id := fmt.Sprintf("%s\n%s\n%s\n%d", cfg.Odoo.URL, cfg.Odoo.Database, login(cfg, mode).Login, os.Getuid())
	sum := sha256.Sum256([]byte(id))
	name := string(mode)
	if plain(Options{Config: cfg, Mode: mode}) {
		name = "plain"
	}
	return filepath.Join(cfg.State, name+"-"+hex.EncodeToString(sum[:4]))
}

func login(cfg config.Config, mode Mode) config.Login {
	if mode == Mount {
		return cfg.Mount.Login
	}
	return cfg.Sync.Login
}

// Client makes the client for Odoo of a login.
func Client(opt Options, l config.Login) (*odoo.Client, error) {
	cfg := opt.Config.Odoo
	if err := opt.Config.Needs(l); err != nil {
		return nil, err
	}
	transport := odoo.Transport(cfg.Transport)
	if transport == "auto" {
		transport = odoo.Auto
	}
	client, err := odoo.New(odoo.Config{
		URL: cfg.URL, Database: cfg.Database, Login: l.Login, Secret: l.Read, HTTP: opt.HTTP,
		Timeout: cfg.Timeout, Transport: transport, Now: time.Now, Log: opt.Log,
	})
	if err != nil {
		return nil, &odbxfs.Error{Op: "use the settings of [odoo]", Item: cfg.Database, Kind: odbxfs.KindSettings, Err: err}
	}
	return client, nil
}

// Open opens the store and makes the ports. Odoo need not answer yet.
func Open(ctx context.Context, opt Options) (*Daemon, error) {
	d := &Daemon{opt: opt, log: opt.Log, changes: make(chan func(context.Context))}
	if d.opt.Store == "" {
		d.opt.Store = StoreDir(opt.Config, opt.Mode)
	}
	var err error
	if d.client, err = Client(opt, login(opt.Config, opt.Mode)); err != nil {
		return nil, err
	}
	if d.socket, err = control.Path(d.opt.Store); err != nil {
		return nil, err
	}
	if d.store, err = openStore(ctx, d.opt); err != nil {
		return nil, err
	}
	if err := d.join(ctx); err != nil {
		return nil, errors.Join(err, d.store.Close())
	}
	return d, nil
}

func openStore(ctx context.Context, opt Options) (*cache.Store, error) {
	if err := os.MkdirAll(filepath.Dir(opt.Store), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the store: %w", err)
	}
	return cache.Open(ctx, cache.Options{
		Dir: opt.Store, Now: time.Now, After: time.After, ContentLimit: opt.Config.Mount.CacheSize,
		KeepMTimes: plain(opt), NoFolders: plain(opt), Log: opt.Log,
	})
}

// plain reports whether Odoo is used untouched.
func plain(opt Options) bool { return opt.Mode == Mount && len(opt.Config.Mount.Models) > 0 }

// join makes the ports and what reads through them.
func (d *Daemon) join(ctx context.Context) error {
	links := content.NewLinks(d.opt.HTTP, linkHosts(d.opt.Config))
	contents := content.Options{Store: d.store, Links: links}
	switch {
	case plain(d.opt):
		p, err := odoo.NewPlain(d.client, plainConfig(d.opt.Config))
		if err != nil {
			return err
		}
		d.port = p
		d.rights(ctx, p)
	case d.opt.Mode == Mount:
		u := odoo.NewUser(d.client)
		d.port = u
		d.rights(ctx, u)
	default:
		e := odoo.NewEngine(d.client)
		d.port, d.ledger = e, e
		d.boxes = newBoxes(d.opt)
		contents.Dropbox = d.boxes.content
	}
	contents.Odoo = d.port
	d.opener = content.NewOpener(contents)
	d.opens = &opens{from: func(ctx context.Context, node odbxfs.NodeID) (fs.Content, error) {
		c, err := d.opener.OpenRead(ctx, node)
		if err != nil {
			return nil, err // not a nil *File, which is no nil Content
		}
		return c, nil
	}}
	return nil
}

// rights make the mount ask Odoo.
func (d *Daemon) rights(ctx context.Context, ask access.Asker) {
	r := access.New(ctx, d.store, ask, time.Now, time.After)
	d.access, d.ends = r, append(d.ends, r.Close)
}

func plainConfig(cfg config.Config) odoo.PlainConfig {
	var p odoo.PlainConfig
	for _, m := range cfg.Mount.Models {
		p.Models = append(p.Models, odoo.PlainModel{Model: m})
	}
	return p
}

// newEngine makes an engine on the store as it is now. One that only plans
// carries nothing out.
func (d *Daemon) newEngine(onlyPlan bool) (*sync.Engine, error) {
	cfg := d.opt.Config
	o := sync.Options{
		Store: d.store, Odoo: d.port, Content: d.opener, Intents: d.opt.Mode != Sync, Holder: holder(d.opt),
		WebBase: www(cfg), Now: time.Now, Random: rand.Float64, Interval: cfg.Sync.Poll, OnlyPlan: onlyPlan, Log: d.log,
		Guard: guard(cfg),
	}
	if d.opt.Mode == Mount {
		o.Interval = cfg.Mount.Interval
	} else {
		o.Ledger, o.Dropbox = d.ledger, d.boxes.connect
	}
	return sync.New(o)
}

func guard(cfg config.Config) plan.GuardPolicy {
	return plan.GuardPolicy{Off: cfg.Sync.HoldDeletions == 0, Most: cfg.Sync.HoldDeletions}
}

// holder names this store on this host in leases, the same after a restart: a
// new process of the same store goes on at once.
func holder(opt Options) string {
	if opt.Config.Sync.Holder != "" {
		return opt.Config.Sync.Holder
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	sum := sha256.Sum256([]byte(opt.Store))
	return host + "/" + hex.EncodeToString(sum[:4])
}

// Store gives the daemon's store, for tests.
func (d *Daemon) Store() *cache.Store { return d.store }

// Close closes the store. Serve and Once must have returned.
func (d *Daemon) Close() error {
	for _, end := range d.ends {
		end()
	}
	return d.store.Close()
}

// SignIn signs in. A database that the server does not have is a mistake of the
// settings: no store was asked yet whose it is.
func SignIn(ctx context.Context, client *odoo.Client) error {
	err := client.SignIn(ctx)
	if odbxfs.IsKind(err, odbxfs.KindForeign) {
		return &odbxfs.Error{Op: "sign in to the database", Item: client.Database(), Kind: odbxfs.KindInvalid, Err: fmt.Errorf("check odoo.database and odoo.url: %w", err)}
	}
	return err
}

// Check signs in and looks whether Odoo is set up, so that a first start says
// what is wrong instead of waiting.
func (d *Daemon) Check(ctx context.Context) error {
	if err := SignIn(ctx, d.client); err != nil {
		return d.refusedLogin(err)
	}
	switch p := d.port.(type) {
	case *odoo.Engine:
		err := p.Verify(ctx)
		if odbxfs.IsKind(err, odbxfs.KindAccess) {
			return &odbxfs.Error{Op: "look whether this is the technical user", Item: d.opt.Config.Sync.Login.Login, Kind: odbxfs.KindAccess,
				Err: fmt.Errorf("`odbxfs setup` makes one, or makes this user one, and [sync] must name it: %w", err)}
		}
		return err
	case *odoo.User:
		_, err := p.Refs(ctx, odbxfs.OdooScope{Kind: odbxfs.RefRule})
		return err
	case *odoo.Plain:
		return CheckModels(ctx, d.client, "look at mount.models", d.opt.Config.Mount.Models)
	}
	return nil
}

// refusedLogin says whose login was refused, and of the technical user's where
// it comes from: before setup there is none.
func (d *Daemon) refusedLogin(err error) error {
	if !odbxfs.IsKind(err, odbxfs.KindCredentials) {
		return err
	}
	section, hint := "[sync]", "; `odbxfs setup` makes the technical user, with this password"
	if d.opt.Mode == Mount {
		section, hint = "[mount]", ""
	}
	return fmt.Errorf("the login %q of %s%s: %w", login(d.opt.Config, d.opt.Mode).Login, section, hint, err)
}

// CheckModels names a model that this Odoo does not have; op says who named it.
func CheckModels(ctx context.Context, client *odoo.Client, op string, models []string) error {
	for _, model := range models {
		_, err := client.SearchCount(ctx, model, odoo.Domain{odoo.Where("id", "=", 0)})
		if odbxfs.IsKind(err, odbxfs.KindUnknownModel) {
			return &odbxfs.Error{Op: op, Item: model, Kind: odbxfs.KindUnknownModel, Err: errors.New("this Odoo has no such model")}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
