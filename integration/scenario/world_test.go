package scenario

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"odbxfs/cmd/odbxfs/demo"
	"odbxfs/integration/lab"
	"odbxfs/odoo"
	"odbxfs/odoo/provision"
	"odbxfs/sync/dropbox/dropboxtest"
)

// binary is the program under test, built once by TestMain.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "odbxfs-scenario-")
	if err == nil {
		binary = filepath.Join(dir, "odbxfs")
		build := exec.Command("go", "build", "-o", binary, "odbxfs/cmd/odbxfs")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the program under test:", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// A column of the matrix: which Odoo, and how many processes.
type column struct {
	odoo   string // memory, 14 or 19
	wiring string // run, or apart: mount beside sync
}

func (c column) String() string { return c.odoo + "/" + c.wiring }

// World is one column's servers and processes, used by one scenario after the
// other. Each scenario works on records of its own.
type World struct {
	column
	odoo  odooSide
	box   *dropboxtest.Server
	dir   string
	mount string // the mount point
	drop  string // the Dropbox account's folder /Odoo
	state string
	cfg   string
	wire  *wire
	// poll is how often Odoo is looked at; empty: as often as by default.
	poll string
	// counted says that Odoo's passwords come from a command that notes each ask.
	counted bool
	// before is what Odoo was made of before setup.
	before []string

	procs map[string]*process // by command; of the test's own goroutine
	told
}

const (
	// What must happen happens by then. It takes seconds; the rest is for
	// machines that do a dozen other things.
	wait = time.Minute
	// manyWait is for hundreds of files: all columns share the machine.
	manyWait = 4 * time.Minute
	tick     = 50 * time.Millisecond

	technicalLogin    = "odbxfs"
	technicalPassword = "technical-secret-9c1"
	dropboxToken      = "dropbox-secret-token-77"
)

// newWorld starts a column's servers and sets Odoo up. Processes are started
// by up.
func newWorld(t *testing.T, c column) *World {
	t.Helper()
	w := newServers(t, c)
	w.setup(t)
	return w
}

// newServers starts a column's servers, Odoo as it comes, and writes the config.
func newServers(t *testing.T, c column) *World {
	t.Helper()
	w := &World{column: c, dir: t.TempDir(), procs: map[string]*process{}, told: told{said: map[string]*buffer{}}, poll: "500ms"}
	w.mount, w.state, w.cfg = filepath.Join(w.dir, "odoo"), filepath.Join(w.dir, "state"), filepath.Join(w.dir, "config.toml")
	account := filepath.Join(w.dir, "dropbox")
	w.drop = filepath.Join(account, "Odoo")
	must(t, os.MkdirAll(account, 0o755))
	box, err := dropboxtest.New(dropboxtest.Options{Dir: account, State: filepath.Join(w.dir, "dropbox.state"), Token: dropboxToken})
	must(t, err)
	w.box = box
	t.Cleanup(func() { must(t, box.Close()) })
	_, err = box.Start()
	must(t, err)
	switch c.odoo {
	case "memory":
		w.odoo = newMemoryOdoo(t, 19)
	case "14":
		w.odoo = realOdoo{lab.Start(t, 14)}
	case "19":
		w.odoo = realOdoo{lab.Start(t, 19)}
	}
	url, _ := w.odoo.address()
	w.wire = newWire(t, url, box.URL())
	t.Cleanup(func() { w.down(t) })
	for name, secret := range map[string]string{"token": dropboxToken, "sync": technicalPassword, "mount": "demo"} {
		w.secret(t, name, secret)
	}
	w.writeConfig(t)
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// setup provisions Odoo with the demo's client and rules.
func (w *World) setup(t *testing.T) {
	t.Helper()
	w.before = w.odoo.makeUp(t, false)
	o := demo.Provisioning()
	o.TechnicalLogin, o.TechnicalPassword = technicalLogin, technicalPassword
	_, err := provision.Setup(t.Context(), w.admin(t), o)
	must(t, err)
}

// admin is the product's own client as the administrator.
func (w *World) admin(t *testing.T) *odoo.Client {
	t.Helper()
	url, database := w.odoo.address()
	c, err := odoo.Connect(t.Context(), odoo.Config{URL: url, Database: database, Login: "admin", Now: time.Now,
		Secret: func(context.Context) (string, error) { return "admin", nil }})
	must(t, err)
	return c
}

// secret puts a secret where the config says that it is.
func (w *World) secret(t *testing.T, name, value string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(w.dir, name+".secret"), []byte(value), 0o600))
}

// source is the config's line that says where a password comes from.
func (w *World) source(name string) string {
	if w.counted {
		return fmt.Sprintf("password_command = 'echo >> %[1]s/%[2]s.asked; cat %[1]s/%[2]s.secret'", w.dir, name)
	}
	return fmt.Sprintf("password_file = '%s/%s.secret'", w.dir, name)
}

// asked counts how often a counted source was asked.
func (w *World) asked(t *testing.T, name string) int {
	t.Helper()
	info, err := os.Stat(filepath.Join(w.dir, name+".asked"))
	must(t, err)
	return int(info.Size()) // a line end each
}

func (w *World) writeConfig(t *testing.T) {
	t.Helper()
	_, database := w.odoo.address()
	base := w.wire.box.URL
	interval, poll := "", ""
	if w.poll != "" {
		interval, poll = fmt.Sprintf("interval = %q", w.poll), fmt.Sprintf("poll = %q", w.poll)
	}
	text := fmt.Sprintf(`state = %q
[odoo]
url = %q
database = %q
[mount]
dir = %q
login = "demo"
%[11]s
%[6]s
[sync]
login = %[7]q
%[12]s
%[8]s
[dropbox.demo]
password_file = "%[5]s/token.secret"
api_url = %[9]q
content_url = %[9]q
notify_url = %[9]q
www_url = %[10]q
`, w.state, w.wire.odoo.URL, database, w.mount, w.dir, interval, technicalLogin, poll, base, w.box.URL(), w.source("mount"), w.source("sync"))
	must(t, os.WriteFile(w.cfg, []byte(text), 0o600))
}

// eventually waits until check is content.
func (w *World) eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	w.within(t, wait, what, check)
}

// within is eventually with a limit of its own.
func (w *World) within(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	start := time.Now()
	for {
		asked := time.Now()
		err := check()
		if err == nil {
			return
		}
		took, cost := time.Since(start), time.Since(asked)
		if took > limit {
			t.Errorf("%s: not within %s: %v", what, limit, err)
			w.explain(t)
			t.FailNow()
		}
		// What takes long is asked about seldom, and what costs much to ask is
		// asked for a quarter of the time at most: two trees of 2,000 files are
		// read in a second, by those who are to bring them into line.
		time.Sleep(min(max(tick, took/20, 3*cost), 2*time.Second))
	}
}

// in gives a path in the mount, and of the same thing in Dropbox.
func (w *World) in(parts ...string) string {
	return filepath.Join(append([]string{w.mount}, parts...)...)
}
func (w *World) box2(parts ...string) string {
	return filepath.Join(append([]string{w.drop}, parts...)...)
}

// sh runs a shell command, as a person at a terminal would.
func sh(t *testing.T, dir, script string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-ec", script, "sh"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// read gives a file's content; errors are for eventually.
func holds(path, want string) error {
	got, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("%s holds %q, want %q", path, clip(string(got)), clip(want))
	}
	return nil
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}

func gone(path string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return fmt.Errorf("%s is still there", path)
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	return nil
}

// tree lists files with their content, and folders, below root.
func tree(root string) (map[string]string, error) {
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || d.IsDir() {
			all[rel] = "(folder)"
			return err
		}
		data, err := os.ReadFile(path)
		all[rel] = string(data)
		return err
	})
	return all, err
}

// agree waits until mount and Dropbox hold the same tree with the same bytes.
// A mount of its own shows what its user may see: records that Odoo hides from
// him are in Dropbox only.
func (w *World) agree(t *testing.T) {
	t.Helper()
	w.eventually(t, "mount and Dropbox agree", func() error {
		a, err := tree(w.mount)
		if err != nil {
			return err
		}
		b, err := tree(w.drop)
		if err != nil {
			return err
		}
		if w.wiring != "run" {
			maps.DeleteFunc(b, func(path, _ string) bool { return hiddenRecord(a, path) })
		}
		return sameTree(a, b)
	})
}

// hiddenRecord reports whether the path is that of a record's folder, or below
// it, which the mount does not show though it shows the folder of its rule.
func hiddenRecord(mount map[string]string, path string) bool {
	parts := strings.SplitN(path, "/", 3)
	if len(parts) < 2 {
		return false
	}
	_, rule := mount[parts[0]]
	_, record := mount[parts[0]+"/"+parts[1]]
	return rule && !record
}

func sameTree(a, b map[string]string) error {
	var diff []string
	for path, content := range a {
		if other, ok := b[path]; !ok {
			diff = append(diff, path+" is not in Dropbox")
		} else if other != content {
			diff = append(diff, path+" has other bytes in Dropbox")
		}
	}
	for path := range b {
		if _, ok := a[path]; !ok {
			diff = append(diff, path+" is in Dropbox only")
		}
	}
	slices.Sort(diff)
	if len(diff) > 0 {
		return errors.New(strings.Join(diff[:min(len(diff), 10)], "; "))
	}
	return nil
}

// newOrder makes a sale order and gives its id and name.
func (w *World) newOrder(t *testing.T) (id int64, name string) {
	t.Helper()
	partner := w.first(t, "res.partner", [][]any{{"is_company", "=", true}})
	// The mount's user sees his own orders only.
	user := w.first(t, "res.users", [][]any{{"login", "=", "demo"}})
	must(t, w.odoo.call(t.Context(), "sale.order", "create", []any{map[string]any{"partner_id": partner, "user_id": user}}, nil, &id))
	return id, w.nameOf(t, "sale.order", id)
}

// order is newOrder, once its folder shows.
func (w *World) order(t *testing.T) (id int64, name string) {
	t.Helper()
	id, name = w.newOrder(t)
	w.eventually(t, "the order's folder shows on both sides", func() error {
		_, err := os.Stat(w.in("Sales Orders", name))
		_, err2 := os.Stat(w.box2("Sales Orders", name))
		return errors.Join(err, err2)
	})
	return id, name
}

func (w *World) first(t *testing.T, model string, domain [][]any) int64 {
	t.Helper()
	var ids []int64
	must(t, w.odoo.call(t.Context(), model, "search", []any{domain}, map[string]any{"limit": 1}, &ids))
	if len(ids) == 0 {
		t.Fatalf("no %s", model)
	}
	return ids[0]
}

func (w *World) nameOf(t *testing.T, model string, id int64) string {
	t.Helper()
	var rows []struct {
		Name string `json:"display_name"`
	}
	must(t, w.odoo.call(t.Context(), model, "read", []any{[]int64{id}, []string{"display_name"}}, nil, &rows))
	return rows[0].Name
}

// one waits until a record has exactly one document of a name that check takes.
func (w *World) one(t *testing.T, model string, id int64, name string, check func(document) error) document {
	t.Helper()
	var found document
	w.eventually(t, "the document "+name, func() error {
		var all []document
		for _, d := range w.odoo.documents(t, model, id) {
			if d.Name == name {
				all = append(all, d)
			}
		}
		if len(all) != 1 {
			return fmt.Errorf("%s,%d has %d documents named %q: %+v", model, id, len(all), name, w.odoo.documents(t, model, id))
		}
		found = all[0]
		return check(found)
	})
	return found
}
