package scenario

import (
	"bytes"
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
	"sync"
	"syscall"
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
	// before is what Odoo was made of before setup.
	before []string

	procs map[string]*process // by command; of the test's own goroutine
}

const (
	wait = 30 * time.Second // what must happen happens by then
	// manyWait is for hundreds of files: all columns share the machine.
	manyWait = 2 * time.Minute
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
	w := &World{column: c, dir: t.TempDir(), procs: map[string]*process{}, poll: "500ms"}
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
password_file = "%[5]s/mount.secret"
%[6]s
[sync]
login = %[7]q
password_file = "%[5]s/sync.secret"
%[8]s
[dropbox.demo]
password_file = "%[5]s/token.secret"
api_url = %[9]q
content_url = %[9]q
notify_url = %[9]q
www_url = %[10]q
`, w.state, w.wire.odoo.URL, database, w.mount, w.dir, interval, technicalLogin, poll, base, w.box.URL())
	must(t, os.WriteFile(w.cfg, []byte(text), 0o600))
}

// process is the program, running.
type process struct {
	cmd    *exec.Cmd
	output *buffer
	ended  chan struct{}
}

// buffer collects what a process prints.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (w *World) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, append([]string{"--config", w.cfg}, args...)...)
	cmd.Env = append(os.Environ(), "MOUNT_PASSWORD=demo")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// commands are the processes of the column's wiring.
func (w *World) commands() []string {
	if w.wiring == "run" {
		return []string{"run"}
	}
	return []string{"sync", "mount"}
}

// up starts the column's processes and waits until the tree shows.
func (w *World) up(t *testing.T) {
	t.Helper()
	for _, name := range w.commands() {
		w.startProcess(t, name)
	}
	w.eventually(t, "the tree shows in the mount", func() error {
		// Of a dead mount the kernel goes on to answer what it knows; reading asks.
		_, err := os.ReadDir(filepath.Join(w.mount, "Sales Orders"))
		return err
	})
}

func (w *World) startProcess(t *testing.T, name string) {
	t.Helper()
	p := &process{cmd: w.command(context.WithoutCancel(t.Context()), name, "-v"), output: &buffer{}, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	must(t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended is judged by what it left
	}()
	w.procs[name] = p
}

// down ends the processes as a person does.
func (w *World) down(t *testing.T) { w.end(t, syscall.SIGTERM) }

// kill ends processes as power loss of one program does.
func (w *World) kill(t *testing.T) { w.end(t, syscall.SIGKILL) }

func (w *World) end(t *testing.T, sig syscall.Signal) {
	t.Helper()
	procs := w.procs
	w.procs = map[string]*process{}
	if t.Failed() {
		var b strings.Builder
		for _, r := range w.box.Requests() {
			if !strings.Contains(r.Route, "longpoll") {
				fmt.Fprintf(&b, "%s %s %s %d %s\n", r.Time.Format("05.000"), r.Route, r.Item, r.Status, r.Note)
			}
		}
		t.Logf("Dropbox was asked:\n%s", lastLines(b.String(), 60))
		w.printLog(t)
	}
	for name, p := range procs {
		if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		select {
		case <-p.ended:
		case <-time.After(wait):
			t.Errorf("%s does not end", name)
			_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it is reported already; its output says where it hangs
			<-p.ended
			t.Logf("%s was at:\n%s", name, clipLines(p.output.String(), "SIGQUIT", 300))
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, lastLines(p.output.String(), 60))
		}
		if s := p.output.String(); strings.Contains(s, technicalPassword) || strings.Contains(s, dropboxToken) {
			t.Errorf("a secret stands in the output of %s", name)
		}
	}
	// A killed process leaves a dead mount; the next start takes it away.
	if sig == syscall.SIGKILL {
		return
	}
	if mounted(w.mount) {
		t.Errorf("the mount was left behind")
		_ = exec.Command("umount", "-l", w.mount).Run() // for the next test
	}
}

// printLog shows the sync log as Odoo has it.
func (w *World) printLog(t *testing.T) {
	t.Helper()
	var rows []map[string]any
	fields := []string{"x_what", "x_name", "x_ref", "x_why", "x_state", "x_error"}
	err := w.odoo.call(context.WithoutCancel(t.Context()), "x_odbxfs_log", "search_read", []any{[]any{}, fields}, map[string]any{"order": "id"}, &rows)
	if err != nil {
		t.Logf("no sync log: %v", err)
		return
	}
	var b strings.Builder
	for _, r := range rows {
		for _, f := range fields {
			fmt.Fprintf(&b, "%v | ", r[f])
		}
		b.WriteByte('\n')
	}
	t.Logf("the sync log:\n%s", lastLines(b.String(), 40))
}

func mounted(dir string) bool {
	data, err := os.ReadFile("/proc/self/mounts")
	return err == nil && strings.Contains(string(data), " "+dir+" ")
}

// clipLines gives at most n lines from the one that has the mark on.
func clipLines(s, mark string, n int) string {
	lines := strings.Split(s[max(0, strings.Index(s, mark)):], "\n")
	return strings.Join(lines[:min(n, len(lines))], "\n")
}

func lastLines(s string, n int) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// odbxfs runs a command of the program to its end.
func (w *World) odbxfs(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	cmd := w.command(t.Context(), args...)
	out, err := cmd.CombinedOutput()
	if _, isExit := errors.AsType[*exec.ExitError](err); err != nil && !isExit {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// eventually waits until check is content.
func (w *World) eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	w.within(t, wait, what, check)
}

// within is eventually with a limit of its own.
func (w *World) within(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			for name, p := range w.procs {
				t.Logf("%s said:\n%s", name, lastLines(p.output.String(), 60))
				status, _ := w.odbxfs(t, "status", "--of", name)
				t.Logf("status of %s:\n%s", name, status)
			}
			t.Fatalf("%s: not within %s: %v", what, limit, err)
		}
		time.Sleep(tick)
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
