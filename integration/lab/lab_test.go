package lab_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"odbxfs/integration/lab"
)

// childVar makes this test binary a child that starts a server, says so, and
// waits to be killed.
const childVar = "ODBXFS_LAB_TEST_CHILD"

func TestMain(m *testing.M) {
	if v := os.Getenv(childVar); v != "" {
		os.Exit(child(v))
	}
	os.Exit(m.Run())
}

// child prints a server's URL, database and PostgreSQL address, and hangs.
func child(version string) int {
	v, err := strconv.Atoi(version)
	if err != nil {
		return 2
	}
	s, err := lab.Open(context.Background(), lab.Options{Version: v, Name: "child"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.URL, s.Database, s.DSN(), filepath.Dir(s.LogPath()))
	select {}
}

// eventually polls until ok, which says what is still missing ("" = nothing).
func eventually(t *testing.T, limit time.Duration, ok func() string) {
	t.Helper()
	missing := ""
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if missing = ok(); missing == "" {
			return
		}
	}
	t.Fatalf("after %s: %s", limit, missing)
}

// partners counts the partners with a name, by RPC as the administrator.
func partners(t *testing.T, s *lab.Server, name string) int {
	t.Helper()
	var n int
	domain := []any{[]any{"name", "=", name}}
	if err := s.Admin(t.Context(), "res.partner", "search_count", []any{domain}, nil, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func makePartner(t *testing.T, s *lab.Server, name string) int {
	t.Helper()
	var id int
	if err := s.Admin(t.Context(), "res.partner", "create", []any{map[string]any{"name": name}}, nil, &id); err != nil {
		t.Fatal(err)
	}
	return id
}

func queryString(t *testing.T, s *lab.Server, sql string, args ...any) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	var text string
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

func TestServersStartedTogetherAreSeparate(t *testing.T) {
	t.Parallel()
	servers := openTogether(t, 14, 19, 19)
	a, b := servers[1], servers[2]
	makePartner(t, a, "Only in A")
	if n := partners(t, a, "Only in A"); n != 1 {
		t.Errorf("A has %d of the partner made there, want 1", n)
	}
	if n := partners(t, b, "Only in A"); n != 0 {
		t.Errorf("B has %d of A's partner, want 0", n)
	}
	const uuid = "select value from ir_config_parameter where key = 'database.uuid'"
	if queryString(t, a, uuid) == queryString(t, b, uuid) {
		t.Error("both databases have the same uuid, so nothing could tell them apart")
	}
}

// openTogether opens servers at the same time (Start may only be called by the
// test's own goroutine).
func openTogether(t *testing.T, versions ...int) []*lab.Server {
	t.Helper()
	var g errgroup.Group
	servers := make([]*lab.Server, len(versions))
	for i, v := range versions {
		g.Go(func() (err error) {
			begin := time.Now()
			servers[i], err = lab.Open(t.Context(), lab.Options{Version: v, Name: t.Name()})
			t.Logf("Odoo %d started in %s, beside %d others", v, time.Since(begin).Round(10*time.Millisecond), len(versions)-1)
			return err
		})
	}
	err := g.Wait()
	t.Cleanup(func() {
		begin := time.Now()
		for _, s := range servers {
			if s == nil {
				continue
			}
			if err := s.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}
		t.Logf("closed all in %s", time.Since(begin).Round(10*time.Millisecond))
	})
	if err != nil {
		t.Fatal(err)
	}
	return servers
}

// TestAServer asks one server of each version for all that needs no start or
// stop: starting is what costs.
func TestAServer(t *testing.T) {
	t.Parallel()
	for _, v := range lab.Versions() {
		t.Run(strconv.Itoa(v), func(t *testing.T) {
			sink := lab.StartSink(t)
			s := lab.StartWith(t, lab.Options{Version: v, Sink: sink})
			for _, promise := range []struct {
				name  string
				holds func(*testing.T, *lab.Server, *lab.Sink)
			}{
				{"every login of the demo data works", loginsWork},
				{"stored files and calls are seen from outside", seenFromOutside},
				{"a mail sent from Odoo arrives", mailArrives},
				{"the autovacuum removes files that nobody refers to", autovacuum},
			} {
				t.Run(promise.name, func(t *testing.T) { promise.holds(t, s, sink) })
			}
		})
	}
}

func loginsWork(t *testing.T, s *lab.Server, _ *lab.Sink) {
	for login, password := range map[string]string{
		s.AdminLogin: s.AdminPassword, s.DemoLogin: s.DemoPassword, s.PortalLogin: s.PortalPassword,
	} {
		var ids []int
		err := s.Execute(t.Context(), login, password, "res.users", "search", []any{[]any{[]any{"login", "=", login}}}, nil, &ids)
		if err != nil || len(ids) != 1 {
			t.Errorf("%s sees %v of itself: %v", login, ids, err)
		}
	}
	if err := s.Execute(t.Context(), s.DemoLogin, "wrong", "res.users", "search", nil, nil, nil); err == nil {
		t.Error("a wrong password is taken")
	}
	var refused *lab.RPCError
	err := s.Execute(t.Context(), s.DemoLogin, s.DemoPassword, "ir.cron", "create", []any{map[string]any{"name": "x"}}, nil, nil)
	if !errors.As(err, &refused) || refused.Name != "odoo.exceptions.AccessError" {
		t.Errorf("an employee making a cron gives %v, want Odoo's AccessError", err)
	}
}

func TestAServerStopsAndStartsAgain(t *testing.T) {
	t.Parallel()
	for _, v := range lab.Versions() {
		t.Run(strconv.Itoa(v), func(t *testing.T) {
			s := lab.Start(t, v)
			makePartner(t, s, "Survivor")
			for _, end := range []struct {
				name string
				do   func() error
			}{
				{"stop", func() error { return s.Stop(t.Context()) }},
				{"kill", s.Kill},
			} {
				begin := time.Now()
				if err := end.do(); err != nil {
					t.Fatal(err)
				}
				t.Logf("%s took %s", end.name, time.Since(begin).Round(10*time.Millisecond))
				if listening(t, s.URL) {
					t.Errorf("after %s something still listens on %s", end.name, s.URL)
				}
				begin = time.Now()
				if err := s.StartAgain(t.Context()); err != nil {
					t.Fatal(err)
				}
				t.Logf("start again took %s", time.Since(begin).Round(10*time.Millisecond))
				if n := partners(t, s, "Survivor"); n != 1 {
					t.Errorf("after %s and start there are %d of the partner, want 1", end.name, n)
				}
			}
		})
	}
}

func TestWorkersServeToo(t *testing.T) {
	t.Parallel()
	for _, v := range lab.Versions() {
		t.Run(strconv.Itoa(v), func(t *testing.T) {
			s := lab.StartWith(t, lab.Options{Version: v, Workers: 2})
			makePartner(t, s, "By a worker")
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := partners(t, s, "By a worker"); n != 1 {
				t.Errorf("%d partners, want 1", n)
			}
		})
	}
}

func seenFromOutside(t *testing.T, s *lab.Server, _ *lab.Sink) {
	makePartner(t, s, "First call, with a login")
	mark, err := s.Mark()
	if err != nil {
		t.Fatal(err)
	}
	const text = "seen from outside"
	values := map[string]any{"name": "a.txt", "raw": text, "res_model": "res.partner", "res_id": 1}
	if err := s.Admin(t.Context(), "ir.attachment", "create", []any{values}, nil, nil); err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum([]byte(text))
	name := hex.EncodeToString(sum[:])
	b, err := os.ReadFile(filepath.Join(s.Filestore(), name[:2], name))
	if err != nil || string(b) != text {
		t.Errorf("the filestore has %q: %v", b, err)
	}
	eventually(t, 10*time.Second, func() string {
		calls, err := s.Calls(mark)
		if err != nil {
			t.Fatal(err)
		}
		if len(calls) == 1 && strings.HasPrefix(calls[0].Path, "/jsonrpc") && calls[0].Status == 200 && calls[0].Method == "POST" {
			return ""
		}
		log, _ := s.Log(mark)
		return "the log does not show the one call, but\n" + log
	})
}

func autovacuum(t *testing.T, s *lab.Server, _ *lab.Sink) {
	var id int
	values := map[string]any{"name": "a.txt", "raw": "soon gone", "res_model": "res.partner", "res_id": 1}
	if err := s.Admin(t.Context(), "ir.attachment", "create", []any{values}, nil, &id); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.Filestore(), queryString(t, s, "select store_fname from ir_attachment where id = $1", id))
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
	if err := s.Admin(t.Context(), "ir.attachment", "unlink", []any{[]int{id}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.RunCron(t.Context(), lab.CronAutovacuum); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	if err := s.RunCron(t.Context(), lab.CronMailQueue); err != nil {
		t.Errorf("the mail queue: %v", err)
	}
	if err := s.RunCron(t.Context(), "base.no_such_job"); err == nil {
		t.Error("a cron that is not there ran")
	}
}

func mailArrives(t *testing.T, s *lab.Server, sink *lab.Sink) {
	sendMail(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	mails, err := sink.Wait(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	letter, err := mails[0].Parse()
	if err != nil {
		t.Fatal(err)
	}
	if letter.Subject != "Grüße" || !strings.Contains(letter.HTML, "<b>hello</b>") {
		t.Errorf("the letter is %q with %q", letter.Subject, letter.HTML)
	}
	if len(letter.Attachments) != 1 || letter.Attachments[0].Name != "ä.bin" || string(letter.Attachments[0].Content) != "four\x00" {
		t.Errorf("its attachments are %+v", letter.Attachments)
	}
	if len(mails[0].To) != 1 || mails[0].To[0] != "jo@example.com" {
		t.Errorf("it goes to %v", mails[0].To)
	}
}

func sendMail(t *testing.T, s *lab.Server) {
	t.Helper()
	var id int
	values := map[string]any{
		"subject": "Grüße", "body_html": "<p><b>hello</b></p>", "email_to": "jo@example.com", "email_from": "odoo@example.com",
		"attachment_ids": []any{[]any{0, 0, map[string]any{"name": "ä.bin", "datas": "Zm91cgA="}}},
	}
	if err := s.Admin(t.Context(), "mail.mail", "create", []any{values}, nil, &id); err != nil {
		t.Fatal(err)
	}
	if err := s.Admin(t.Context(), "mail.mail", "send", []any{[]int{id}}, nil, nil); err != nil {
		t.Fatal(err)
	}
}

func TestAKilledTestLeavesNothing(t *testing.T) {
	for _, v := range lab.Versions() {
		t.Run(strconv.Itoa(v), func(t *testing.T) {
			t.Setenv(lab.DirVar, labOfOurOwn(t, v))
			url, database, dsn, dir := startAndKillChild(t, v)
			eventually(t, 20*time.Second, func() string {
				if listening(t, url) {
					return "Odoo still listens on " + url
				}
				if processes(t, database) != "" {
					return "still running: " + processes(t, database)
				}
				return ""
			})
			eventually(t, 20*time.Second, func() string {
				if conn, err := pgx.Connect(t.Context(), dsn); err == nil {
					return fmt.Sprintf("PostgreSQL still answers (%v)", conn.Close(t.Context()))
				}
				return ""
			})
			if m := mountsBelow(t, filepath.Join(dir, "../../..")); m != "" {
				t.Errorf("mounts are left:\n%s", m)
			}
			lab.Start(t, v)
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the next start left the killed one's folder %s: %v", dir, err)
			}
		})
	}
}

// labOfOurOwn is a lab folder with what is built, but nobody else's servers: so
// that PostgreSQL's end can be seen while other packages' tests use theirs.
func labOfOurOwn(t *testing.T, version int) string {
	t.Helper()
	if err := lab.Build(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	built := os.Getenv(lab.DirVar)
	if built == "" {
		built = "../../.lab"
	}
	built, err := filepath.Abs(built)
	if err != nil {
		t.Fatal(err)
	}
	// Beside it, since files are copied by hard links.
	own, err := os.MkdirTemp(built, "test-") //nolint:usetesting // hard links need the same file system
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(own); err != nil {
			t.Error(err)
		}
	})
	sub := strconv.Itoa(version)
	if err := os.Mkdir(filepath.Join(own, sub), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tree", "tree.stamp", "template", "template.stamp"} {
		if err := os.Symlink(filepath.Join(built, sub, name), filepath.Join(own, sub, name)); err != nil {
			t.Fatal(err)
		}
	}
	return own
}

// listening says whether something takes connections at a URL.
func listening(t *testing.T, url string) bool {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return false
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	return true
}

// startAndKillChild runs this binary as a child with a server and kills it.
func startAndKillChild(t *testing.T, version int) (url, database, dsn, dir string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+strconv.Itoa(version))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	f := strings.Fields(line)
	if len(f) != 4 {
		t.Fatalf("the child says %q", line)
	}
	return f[0], f[1], f[2], f[3]
}

// processes lists the processes that name something on their command line.
func processes(t *testing.T, text string) string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	found := ""
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err == nil && strings.Contains(string(b), text) {
			found += name + " "
		}
	}
	return found
}

// mountsBelow lists the host's mounts that name a folder.
func mountsBelow(t *testing.T, folder string) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	found := ""
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, folder+"/") {
			found += line
		}
	}
	return found
}
