package peers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"odbxfs/sync/dropbox/dropboxtest"

	"golang.org/x/sys/unix"
)

// What a copy of the test binary, run again in a network of its own, is told:
// the directory to work in, and the name of the client that it is to drive.
const (
	dirEnv    = "ODBXFS_PEERS_DIR"
	clientEnv = "ODBXFS_PEERS_CLIENT"
	// programEnv is the program that a client was built as, or the folder that it
	// was put into.
	programEnv = "ODBXFS_PEERS_PROGRAM"
)

// table is what the clients' calls are held against, from the package's folder.
const table = "../../docs/dropbox-endpoints.md"

// refreshToken is the one that clients are given.
const refreshToken = "refresh"

func TestMain(m *testing.M) {
	if dir := os.Getenv(dirEnv); dir != "" {
		var err error
		client := os.Getenv(clientEnv)
		name, isBench := strings.CutPrefix(client, benchClient)
		switch {
		case isBench:
			err = bench(dir, name)
		case client == oursClient:
			err = runOurs(strings.Split(os.Getenv(argsEnv), "\n"))
		default:
			err = drive(dir, client)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// clients are what is driven, by the names that the table has for them.
var clients = map[string]func(*driver){
	"rclone 1.60":  (*driver).rclone,
	"rclone 1.76":  (*driver).rclone,
	"Python 11.34": (*driver).python,
	"Node 10.47":   (*driver).node,
}

// What Debian has runs with every test; what must be fetched and built first in
// the soak alone.
func TestClientsAreContentWithTheEmulator(t *testing.T) {
	programs := map[string]func(*testing.T) string{
		"rclone 1.60":  func(*testing.T) string { return "rclone" },
		"Python 11.34": func(*testing.T) string { return "/usr/bin/python3" },
	}
	if os.Getenv("ODBXFS_SOAK") != "" {
		programs["rclone 1.76"], programs["Node 10.47"] = buildRclone, fetchNode
	}
	for client, program := range programs {
		t.Run(client, func(t *testing.T) { inItsOwnNetwork(t, client, program(t)) })
	}
}

// cache is where fetched clients stay, beside the lab's.
func cache(t *testing.T) string {
	t.Helper()
	lab := os.Getenv("ODBXFS_LAB_DIR")
	if lab == "" {
		lab = "../../.lab"
	}
	dir, err := filepath.Abs(filepath.Join(lab, "cache", "peers"))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func fetch(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func buildRclone(t *testing.T) string {
	t.Helper()
	program := filepath.Join(cache(t), "rclone-1.76.0")
	fetch(t, "rclone", "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	return program
}

func fetchNode(t *testing.T) string {
	t.Helper()
	dir := cache(t)
	fetch(t, dir, "npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", dir, "dropbox@10.47.0")
	return dir
}

// inItsOwnNetwork drives a client there. program is what it is run as.
func inItsOwnNetwork(t *testing.T, client, program string) {
	t.Helper()
	dir := t.TempDir()
	hosts := filepath.Join(dir, "hosts")
	if err := os.WriteFile(hosts, []byte("127.0.0.1 localhost "+strings.Join(dropboxtest.DropboxHosts, " ")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "sh", "-ec",
		`mount --bind "$1" /etc/hosts; exec "$2"`, "sh", hosts, self)
	ca := filepath.Join(dir, "ca.pem")
	// SSL_CERT_DIR: Go would add the system's folder to SSL_CERT_FILE.
	cmd.Env = append(os.Environ(), dirEnv+"="+dir, clientEnv+"="+client, programEnv+"="+program, "HOME="+dir,
		"SSL_CERT_FILE="+ca, "SSL_CERT_DIR=/nonexistent", "REQUESTS_CA_BUNDLE="+ca, "NODE_EXTRA_CA_CERTS="+ca)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("%s against the emulator: %v", client, err)
	}
}

// driver runs a client in a directory, beside the server.
type driver struct {
	dir, program string
	srv          *dropboxtest.Server
	errs         []error
}

// drive is what happens inside: the server on the real names' port, the client,
// and a look at what the server logged.
func drive(dir, client string) (err error) {
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	srv, err := dropboxtest.New(dropboxtest.Options{RefreshToken: refreshToken, Token: "token", Account: dropboxtest.Account{Kind: dropboxtest.Pro}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	ca, err := srv.StartTLS("127.0.0.1:443", dropboxtest.DropboxHosts)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o644); err != nil {
		return err
	}
	d := &driver{dir: dir, program: os.Getenv(programEnv), srv: srv}
	start := time.Now()
	clients[client](d)
	fmt.Printf("%s: %v, requests by route: %v\n", client, time.Since(start).Round(time.Millisecond), srv.Counts())
	for _, q := range srv.Requests() {
		if q.Status >= 500 || q.Status == 0 || q.Note != "" {
			d.errs = append(d.errs, fmt.Errorf("server's log: %+v", q))
		}
	}
	rows, err := dropboxtest.ReadEndpoints(table)
	if err != nil {
		return err
	}
	d.want("routes that the table says are called, and are not", fmt.Sprint(dropboxtest.Uncalled(rows, client, srv.Counts())), "[]")
	return errors.Join(d.errs...)
}

// run runs a command and gives what it prints. That it fails is remembered.
func (d *driver) run(name string, args ...string) string {
	cmd := exec.Command(name, args...)
	cmd.Dir = d.dir
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		d.errs = append(d.errs, fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out.String(), errOut.String()))
	}
	return out.String()
}

func (d *driver) want(what, got, want string) {
	if got != want {
		d.errs = append(d.errs, fmt.Errorf("%s: got %q, want %q", what, got, want))
	}
}

func (d *driver) failed(err error) bool {
	if err != nil {
		d.errs = append(d.errs, err)
	}
	return err != nil
}

// script runs one of testdata's programs, which fails when an answer is wrong.
func (d *driver) script(name string, before ...string) {
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if d.failed(err) {
		return
	}
	fmt.Print(d.run(before[0], append(before[1:], path, filepath.Join(d.dir, "ca.pem"))...))
}

func (d *driver) python() { d.script("client.py", d.program) }

// node runs the JavaScript SDK from the folder that npm put it into.
func (d *driver) node() {
	if !d.failed(os.Setenv("NODE_PATH", filepath.Join(d.program, "node_modules"))) {
		d.script("client.cjs", "node")
	}
}

// loopbackUp starts the loopback device of a fresh network namespace.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, req); err != nil {
		return err
	}
	req.SetUint16(req.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}
