package dropboxtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// insideEnv names the variable by which the test binary, run again in a network
// of its own, knows that it is to be the server and to drive rclone.
const insideEnv = "DROPBOXTEST_RCLONE_INSIDE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(insideEnv); dir != "" {
		if err := driveRclone(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestRclone runs Debian's unmodified rclone against the server. In a network
// and mount namespace of their own, Dropbox's real host names lead to it, port
// 443 is free, and nothing else can be reached. It needs root and rclone.
func TestRclone(t *testing.T) {
	if _, err := exec.LookPath("rclone"); err != nil {
		t.Fatalf("this test needs rclone (apt-get install rclone): %v", err)
	}
	dir := t.TempDir()
	hosts := filepath.Join(dir, "hosts")
	if err := os.WriteFile(hosts, []byte("127.0.0.1 localhost "+strings.Join(DropboxHosts, " ")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "sh", "-ec",
		`mount --bind "$1" /etc/hosts; exec "$2"`, "sh", hosts, self)
	cmd.Env = append(os.Environ(), insideEnv+"="+dir, "HOME="+dir, "SSL_CERT_FILE="+filepath.Join(dir, "ca.pem"), "SSL_CERT_DIR=/nonexistent")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("rclone against the server: %v", err)
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

// rcloneConf has a token that ended: rclone refreshes it first.
const rcloneConf = `[dbx]
type = dropbox
token = {"access_token":"sl.old","token_type":"bearer","refresh_token":"refresh","expiry":"2020-01-01T00:00:00Z"}
`

// driver runs rclone in a directory.
type driver struct {
	dir  string
	srv  *Server
	errs []error
}

func (d *driver) run(args ...string) string {
	cmd := exec.Command("rclone", append([]string{"--config", filepath.Join(d.dir, "rclone.conf"), "--retries", "1", "--low-level-retries", "2"}, args...)...)
	cmd.Dir = d.dir
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		d.errs = append(d.errs, fmt.Errorf("rclone %s: %w\n%s", strings.Join(args, " "), err, errOut.String()))
	}
	return out.String()
}

func (d *driver) want(what, got, want string) {
	if got != want {
		d.errs = append(d.errs, fmt.Errorf("%s: got %q, want %q", what, got, want))
	}
}

func (d *driver) makeTree() error {
	for i := range 40 {
		p := filepath.Join(d.dir, "src", fmt.Sprintf("d%d", i%4), fmt.Sprintf("file %d äö 😀.txt", i))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(p, bytes.Repeat([]byte{byte(i)}, i*997), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(d.dir, "src", "big.bin"), bytes.Repeat([]byte("0123456789"), 1_100_000), 0o644)
}

func driveRclone(dir string) error {
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	srv, err := New(Options{RefreshToken: "refresh"})
	if err != nil {
		return err
	}
	defer srv.Close()
	ca, err := srv.StartTLS("127.0.0.1:443", DropboxHosts)
	if err != nil {
		return err
	}
	d := &driver{dir: dir, srv: srv}
	err = errors.Join(os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o644),
		os.WriteFile(filepath.Join(dir, "rclone.conf"), []byte(rcloneConf), 0o600), d.makeTree())
	if err != nil {
		return err
	}
	d.commands()
	fmt.Println("requests by route:", srv.Counts())
	rows, err := ReadEndpoints("../../../docs/dropbox-endpoints.md")
	if err != nil {
		return err
	}
	d.want("routes that the table says are called, and are not", fmt.Sprint(Uncalled(rows, "rclone 1.60", srv.Counts())), "[]")
	for _, q := range srv.Requests() {
		if q.Status >= 400 && q.Status != 409 || q.Status == 0 || q.Note != "" {
			d.errs = append(d.errs, fmt.Errorf("server's log: %+v", q))
		}
	}
	return errors.Join(d.errs...)
}

func (d *driver) commands() {
	d.run("copy", "src", "dbx:/dst", "--dropbox-chunk-size", "4M")
	d.run("check", "src", "dbx:/dst") // by content_hash
	d.run("check", "--download", "src", "dbx:/dst")
	d.want("files after copy", fmt.Sprint(strings.Count(d.run("lsf", "-R", "--files-only", "dbx:dst"), "\n")), "41")
	before := d.srv.Counts()["files/upload_session/start"]
	d.run("copy", "src", "dbx:/dst")
	d.want("uploads of a second copy", fmt.Sprint(d.srv.Counts()["files/upload_session/start"]-before), "0")
	for mode, args := range map[string][]string{"async": {"--dropbox-batch-mode", "async", "--dropbox-batch-timeout", "300ms"}, "off": {"--dropbox-batch-mode", "off"}} {
		d.run(append([]string{"copy", "src/d0", "dbx:mode-" + mode}, args...)...)
		d.run("check", "src/d0", "dbx:mode-"+mode)
	}
	d.run("moveto", "dbx:dst/big.bin", "dbx:dst/BIG2.bin")
	d.want("moved", d.run("lsf", "dbx:dst", "--files-only"), "BIG2.bin\n")
	d.want("cat with offset", d.run("cat", "--offset", "5", "--count", "7", "dbx:dst/BIG2.bin"), "5678901")
	d.run("move", "dbx:dst/d0", "dbx:moved")
	d.run("check", "src/d0", "dbx:moved")
	d.run("copy", "dbx:moved", "dbx:copied") // on the server
	d.run("check", "src/d0", "dbx:copied")
	d.run("copy", "dbx:moved", "back")
	d.run("check", "back", "src/d0")
	d.run("deletefile", "dbx:dst/BIG2.bin")
	d.run("purge", "dbx:moved")
	d.run("sync", "src/d1", "dbx:copied") // deletes what is only there
	d.run("check", "src/d1", "dbx:copied")
	d.want("root", d.run("lsf", "dbx:"), "copied/\ndst/\nmode-async/\nmode-off/\n")
	if about := d.run("about", "dbx:"); !strings.Contains(about, "Total:   2 GiB") {
		d.errs = append(d.errs, fmt.Errorf("about: %q", about))
	}
	if link := d.run("link", "dbx:copied"); !strings.Contains(link, "/scl/fo/") {
		d.errs = append(d.errs, fmt.Errorf("link: %q", link))
	}
}
