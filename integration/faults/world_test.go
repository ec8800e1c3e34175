package faults

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/odoo"
	"odbxfs/odoo/odootest"
	"odbxfs/odoo/provision"
	"odbxfs/sync"
	"odbxfs/sync/content"
	"odbxfs/sync/dropbox"
	"odbxfs/sync/dropbox/dropboxtest"
	"odbxfs/sync/plan"
)

const (
	technicalLogin    = "odbxfs"
	technicalPassword = "technical"
	refreshToken      = "refresh"
)

// world is an Odoo, a Dropbox account, a person in each, and the syncer between
// them. It belongs to the test's goroutine.
type world struct {
	t      *testing.T
	odoo   *odootest.Server
	admin  *odoo.Client
	box    *dropboxtest.Server
	person *person
	dir    string
	secret string // what the syncer signs in to Dropbox with
	// want is the content of each file by its path, as "S00001/Contracts/a.txt".
	want     map[string]string
	converts bool // documents become links

	engine *sync.Engine
	stop   func() // ends the syncer
}

// newWorld makes both servers and sets Odoo up; the syncer is started by start.
// It is called inside a bubble.
func newWorld(t *testing.T, opt dropboxtest.Options, convert odbxfs.ConvertPolicy) *world {
	t.Helper()
	opt.RefreshToken, opt.Token = refreshToken, "person"
	box, err := dropboxtest.New(opt)
	must(t, err)
	w := &world{t: t, box: box, dir: t.TempDir(), secret: refreshToken, want: map[string]string{}, converts: convert == "",
		odoo: odootest.New(odootest.Options{Demo: true}), stop: func() {}}
	w.person = &person{t: t, http: box.Bystander()}
	w.admin = w.client(odootest.AdminLogin, odootest.AdminPassword)
	_, err = provision.Setup(t.Context(), w.admin, provision.Options{
		TechnicalLogin: technicalLogin, TechnicalPassword: technicalPassword,
		Clients: []provision.ClientSpec{{Name: "Main", Root: "/Odoo", Links: odbxfs.LinkPublic, Convert: convert}},
		Rules:   []provision.RuleSpec{{Name: "Sales Orders", Model: "sale.order", Client: "Main"}},
	})
	must(t, err)
	return w
}

// close ends the syncer and the servers.
func (w *world) close() {
	w.stop()
	must(w.t, w.box.Close())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) client(login, password string) *odoo.Client {
	w.t.Helper()
	c, err := odoo.New(odoo.Config{URL: w.odoo.URL(), Database: w.odoo.Database(), Login: login, Now: time.Now, HTTP: w.odoo.Transport(),
		Secret: func(context.Context) (string, error) { return password, nil }})
	must(w.t, err)
	return c
}

// start runs a syncer on the store, wired as the daemon is.
func (w *world) start() {
	w.t.Helper()
	store, err := cache.Open(w.t.Context(), cache.Options{Dir: filepath.Join(w.dir, "store"), Now: time.Now, After: time.After})
	must(w.t, err)
	port := odoo.NewEngine(w.client(technicalLogin, technicalPassword))
	box := dropbox.New(dropbox.Config{
		Secret: func(context.Context) (string, error) { return w.secret, nil }, AppKey: "app", HTTP: w.box.Transport(),
		Resume: filepath.Join(w.dir, "uploads"), Now: time.Now, Sleep: sleep,
	})
	engine, err := sync.New(sync.Options{
		Store: store, Odoo: port, Ledger: port, Holder: "faults", Now: time.Now, Random: rand.Float64,
		Dropbox: func(context.Context, odbxfs.CloudClient) (sync.Dropbox, error) { return box, nil },
		Content: content.NewOpener(content.Options{Store: store, Odoo: port,
			Dropbox: func(odbxfs.ClientID) content.DropboxBytes { return box }}),
		Guard: plan.GuardPolicy{Off: true}, // a removal too many is to show
		Log:   slog.New(slog.DiscardHandler),
	})
	must(w.t, err)
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx, time.After) }()
	w.engine = engine
	w.stop = func() {
		w.t.Helper()
		cancel()
		err := <-ended
		must(w.t, errors.Join(err, store.Close()))
		w.stop = func() {}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// order gives the id of a sale order of the demo by its name.
func (w *world) order(name string) int64 {
	w.t.Helper()
	for _, r := range w.odoo.Rows("sale.order") {
		if id, ok := r["id"].(int64); ok && r["name"] == name {
			return id
		}
	}
	w.t.Fatalf("there is no order %s", name)
	return 0
}

// rest waits until both sides are as is wanted and the syncer has nothing to do.
func (w *world) rest(limit time.Duration) error {
	for start := time.Now(); ; time.Sleep(time.Second) {
		err := w.settled()
		if err == nil || time.Since(start) > limit {
			return err
		}
	}
}

// settled reports what keeps the world from being at rest.
func (w *world) settled() error {
	s, err := w.engine.Status()
	switch {
	case err != nil:
		return err
	case len(s.Parked)+len(s.Held) > 0:
		return fmt.Errorf("a person is waited for: %+v %+v", s.Parked, s.Held)
	case s.Queued+s.Dirty > 0 || !s.Looked:
		return fmt.Errorf("%d tasks, %d changes: %v", s.Queued, s.Dirty, s.Waiting)
	}
	return w.judge()
}

// writes counts the requests that changed something at Dropbox.
func (w *world) writes() int {
	n := 0
	for route, times := range w.box.Counts() {
		for _, verb := range []string{"upload", "move", "copy", "delete", "create", "revoke"} {
			if strings.Contains(route, verb) {
				n += times
				break
			}
		}
	}
	return n
}

// asked counts the requests of the syncer, but for those that only wait.
func (w *world) asked() int {
	n := 0
	for route, times := range w.box.Counts() {
		if route != "files/list_folder/longpoll" {
			n += times
		}
	}
	return n
}

// hits counts the requests that met a fault.
func (w *world) hits() int {
	n := 0
	for _, q := range w.box.Requests() {
		if q.Fault != "" {
			n++
		}
	}
	return n
}

// last lists the last n requests.
func (w *world) last(n int) []string {
	all := w.box.Requests()
	var lines []string
	for _, q := range all[max(0, len(all)-n):] {
		lines = append(lines, fmt.Sprintf("%s %s %d %s %s", q.Time.Format("15:04:05.000"), q.Route, q.Status, q.Item, q.Fault))
	}
	return lines
}
