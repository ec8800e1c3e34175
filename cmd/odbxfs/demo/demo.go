package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"odbxfs"
	"odbxfs/cmd/odbxfs/config"
	"odbxfs/integration/lab"
	"odbxfs/odoo"
	"odbxfs/odoo/odootest"
	"odbxfs/odoo/provision"
	"odbxfs/sync/dropbox/dropboxtest"
)

// Options say what the demo stands on.
type Options struct {
	Dir string
	// RealOdoo is 14 or 19: a real server of the lab, built first where it is
	// missing; 0: the one in memory.
	RealOdoo int
	Progress io.Writer // what takes long says so here
	Program  string    // how the program was called, for the commands of the tour
}

// Demo is a running Odoo and Dropbox, and the config for a daemon on them.
type Demo struct {
	Config config.Config
	Store  string
	// OdooURL is where to look with a browser; empty for the one in memory.
	OdooURL string

	opt     Options
	dropbox *dropboxtest.Server
	closers []func() error
}

const (
	technicalLogin    = "odbxfs"
	technicalPassword = "odbxfs-demo"
	dropboxToken      = "demo-token"
	// tick is how often the demo looks at Odoo: both directions are through in
	// a few of them.
	tick = 500 * time.Millisecond
)

// Start brings both servers up, provisions Odoo and gives the config.
func Start(ctx context.Context, opt Options) (*Demo, error) {
	d := &Demo{Config: config.Defaults(), Store: filepath.Join(opt.Dir, "state", "store"), opt: opt}
	err := d.start(ctx, opt)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Demo) start(ctx context.Context, opt Options) error {
	for _, sub := range []string{"dropbox", "state", "odoo"} {
		if err := os.MkdirAll(filepath.Join(opt.Dir, sub), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("make the demo's folders: %w", err)
		}
	}
	if err := d.lock(filepath.Join(opt.Dir, "state", "lock")); err != nil {
		return err
	}
	if err := d.startDropbox(opt.Dir); err != nil {
		return err
	}
	// Odoo is a new one each time, so what the store knew of the last one is
	// void. The files in DIR/dropbox stay, and come into the new Odoo from there.
	if err := os.RemoveAll(d.Store); err != nil {
		return fmt.Errorf("begin with a new store: %w", err)
	}
	if err := d.startOdoo(ctx, opt); err != nil {
		return err
	}
	d.Config.Mount.Dir = filepath.Join(opt.Dir, "odoo")
	d.Config.State = filepath.Join(opt.Dir, "state")
	d.Config.Sync.Poll, d.Config.Mount.Interval = tick, tick
	secret, err := d.secretFile(opt.Dir, "odoo", technicalPassword)
	d.Config.Sync.Login = config.Login{Login: technicalLogin, Secret: secret}
	return err
}

// ErrRunning says that another demo has the folder.
var ErrRunning = errors.New("a demo runs in this folder already")

// lock takes the folder until the demo is closed, or its process ends.
func (d *Demo) lock(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("take the demo's folder: %w", err)
	}
	d.closers = append(d.closers, f.Close)
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("%s: %w", d.opt.Dir, ErrRunning)
	}
	if err != nil {
		return fmt.Errorf("take the demo's folder: %w", err)
	}
	return nil
}

func (d *Demo) startDropbox(dir string) error {
	srv, err := dropboxtest.New(dropboxtest.Options{
		Dir: filepath.Join(dir, "dropbox"), State: filepath.Join(dir, "state", "dropbox"), Token: dropboxToken,
	})
	if err != nil {
		return err
	}
	d.dropbox = srv
	d.closers = append(d.closers, srv.Close)
	url, err := srv.Start()
	if err != nil {
		return err
	}
	secret, err := d.secretFile(dir, "dropbox", dropboxToken)
	d.Config.Dropbox = map[string]config.Dropbox{"demo": {Secret: secret, API: url, Content: url, Notify: url, WWW: url}}
	return err
}

// secretFile puts a demo's secret where the daemon reads real ones from.
func (d *Demo) secretFile(dir, name, value string) (config.Secret, error) {
	path := filepath.Join(dir, "state", name+".secret")
	err := os.WriteFile(path, []byte(value+"\n"), 0o600)
	return config.Secret{PasswordFile: path}, err
}

// startOdoo starts the server, and puts into it what setup puts into any.
func (d *Demo) startOdoo(ctx context.Context, opt Options) error {
	admin := odoo.Config{Login: odootest.AdminLogin, Now: time.Now}
	admin.Secret = func(context.Context) (string, error) { return odootest.AdminPassword, nil }
	if opt.RealOdoo == 0 {
		srv := odootest.New(odootest.Options{Demo: true})
		url, err := srv.Start()
		if err != nil {
			return err
		}
		d.closers = append(d.closers, srv.Close)
		admin.URL, admin.Database = url, srv.Database()
	} else {
		srv, err := lab.Open(ctx, lab.Options{Version: opt.RealOdoo, Name: "demo", Progress: opt.Progress})
		if err != nil {
			return err
		}
		d.closers = append(d.closers, func() error { return srv.Close(context.WithoutCancel(ctx)) })
		admin.URL, admin.Database = srv.URL, srv.Database
		d.OdooURL = srv.URL
	}
	client, err := odoo.Connect(ctx, admin)
	if err != nil {
		return err
	}
	if _, err := provision.Setup(ctx, client, Provisioning()); err != nil {
		return fmt.Errorf("set Odoo up: %w", err)
	}
	d.Config.Odoo.URL, d.Config.Odoo.Database = admin.URL, admin.Database
	return nil
}

// Provisioning is what the demo puts into Odoo: one cloud client and two rules.
func Provisioning() provision.Options {
	return provision.Options{
		TechnicalLogin: technicalLogin, TechnicalPassword: technicalPassword, InstallBaseAutomation: true,
		Clients: []provision.ClientSpec{{Name: "Demo", Root: "/Odoo", Links: odbxfs.LinkPublic}},
		Rules: []provision.RuleSpec{
			{Name: "Sales Orders", Model: "sale.order", Subfolders: []string{"Contracts"}, Client: "Demo"},
			{Name: "Projects", Model: "project.project", Client: "Demo"},
		},
	}
}

// Close stops both servers.
func (d *Demo) Close() error {
	var err error
	for i := len(d.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, d.closers[i]())
	}
	return err
}

// Tour is what the demo says when it stands: commands to copy.
func (d *Demo) Tour(dir string) string {
	program := d.opt.Program
	if program == "" {
		program = "odbxfs"
	}
	tour := fmt.Sprintf(`
odbxfs demo is ready.

  %[1]s/odoo      Odoo's documents: a folder for each sale order and project
  %[1]s/dropbox   a Dropbox account; what is mirrored lies in its folder Odoo

Try, in another terminal:

  ls %[1]s/odoo "%[1]s/odoo/Sales Orders"
  echo hello > "%[1]s/odoo/Sales Orders/S00001/hello.txt"
  cat "%[1]s/dropbox/Odoo/Sales Orders/S00001/hello.txt"      # there a moment later
  echo from Dropbox > "%[1]s/dropbox/Odoo/Sales Orders/S00001/back.txt"
  cat "%[1]s/odoo/Sales Orders/S00001/back.txt"               # and back in Odoo
  mv "%[1]s/odoo/Sales Orders/S00001/hello.txt" "%[1]s/odoo/Sales Orders/S00002/"
  ls "%[1]s/dropbox/Odoo/Sales Orders/S00002"
  %[2]s demo --dir %[1]s status                               # how it does
`, dir, program)
	if d.OdooURL != "" {
		tour += fmt.Sprintf("\nOdoo itself: %s (login admin, password admin), menu Cloud Storage.\n", d.OdooURL)
	}
	return tour + "\nCtrl-C unmounts and ends it.\n"
}
