package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"odbxfs/sync/dropbox/dropboxtest"
)

const (
	benchClient = "bench " // and a contender: a copy of the test binary that runs its part of the benchmark
	oursClient  = "ours"   // and one that is our client, a process like the others
	benchEnv    = "ODBXFS_BENCH"
	argsEnv     = "ODBXFS_PEERS_ARGS"
	newestEnv   = "ODBXFS_PEERS_NEWEST"
)

// sizes say how much work a benchmark is. Peers do fewer of what costs them a
// request each.
type sizes struct {
	ours, peers, single int // small files, and of ours one request a file
	small, large        int64
	relocations         int // renames and deletions of ours
	theirRelocations    int
	costs               dropboxtest.Costs
}

// whole is what `make bench-dropbox` runs; few, without costs, shows with every
// test that it works.
var (
	whole = sizes{ours: 10_000, peers: 400, single: 2_000, small: 10_000, large: 2 << 30, relocations: 1_000, theirRelocations: 100, costs: dropboxtest.MeasuredCosts(1)}
	few   = sizes{ours: 40, peers: 8, single: 20, small: 1_000, large: 20 << 20, relocations: 10, theirRelocations: 4}
)

// TestBench carries the same work out by our client and by rclone, on the
// emulator. The table is for docs/measured.md.
func TestBench(t *testing.T) {
	if os.Getenv(benchEnv) != "" {
		t.Setenv(newestEnv, buildRclone(t))
	}
	names := []string{"ours", "ours, no append_batch", "rclone 1.60"}
	if os.Getenv(benchEnv) != "" {
		names = append(names, "rclone 1.76")
	}
	fmt.Println("| work | client | items | requests | seconds | items/s | peak MB | CPU s |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, name := range names { // side by side: what takes the time is the model of costs
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inItsOwnNetwork(t, benchClient+name, "rclone")
		})
	}
}

// A contender is a client in a benchmark.
type contender struct {
	name    string
	program string // of rclone; empty: ours
	faults  []dropboxtest.Fault
}

// bench runs a contender and prints its rows.
func bench(dir, name string) error {
	size := few
	if os.Getenv(benchEnv) != "" {
		size = whole
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	c := contender{name: name}
	switch name {
	case "ours":
	case "rclone 1.60":
		c.program = os.Getenv(programEnv)
	case "rclone 1.76":
		c.program = os.Getenv(newestEnv)
	default:
		c.faults = []dropboxtest.Fault{{Route: "files/upload_session/append_batch", Kind: dropboxtest.Unknown, Times: -1}}
	}
	src := filepath.Join(dir, "src")
	if err := makeSource(src, size); err != nil {
		return err
	}
	return (&race{contender: c, dir: dir, size: size}).run()
}

// makeSource makes the files that are sent: small ones, each another, in folders
// of 500, and a sparse large one.
func makeSource(src string, size sizes) error {
	for i := range size.ours {
		path := filepath.Join(src, "all", smallName(i))
		data := bytes.Repeat(fmt.Appendf(nil, "%09d\n", i), int(size.small/10))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			return err
		}
		for name, n := range map[string]int{"peers": size.peers, "single": size.single} {
			part := filepath.Join(src, name, smallName(i))
			if i >= n {
				continue
			}
			if err := errors.Join(os.MkdirAll(filepath.Dir(part), 0o755), os.Link(path, part)); err != nil {
				return err
			}
		}
	}
	return makeSparse(filepath.Join(src, "large"), size.large)
}

func smallName(i int) string { return fmt.Sprintf("d%02d/f%05d.txt", i/500, i) }

// makeSparse makes a file that has something in each 64 MiB and holes between.
func makeSparse(dir string, size int64) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "large.bin"))
	if err != nil {
		return err
	}
	err = f.Truncate(size)
	for at := int64(0); at < size; at += 64 << 20 {
		_, werr := f.WriteAt(fmt.Appendf(nil, "at %d", at), at)
		err = errors.Join(err, werr)
	}
	return errors.Join(err, f.Close())
}

// race is one contender at work.
type race struct {
	contender
	dir  string
	size sizes
	srv  *dropboxtest.Server
}

func (r *race) ours() bool { return r.program == "" }

func (r *race) run() (err error) {
	state := filepath.Join(r.dir, "state")
	r.srv, err = dropboxtest.New(dropboxtest.Options{RefreshToken: refreshToken, Token: "token", State: state, Costs: r.size.costs, Faults: r.faults,
		Account: dropboxtest.Account{Kind: dropboxtest.Pro, Allocated: 100 << 30}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.srv.Close(), os.RemoveAll(state)) }()
	ca, err := r.srv.StartTLS("127.0.0.1:443", dropboxtest.DropboxHosts)
	if err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(filepath.Join(r.dir, "ca.pem"), ca, 0o644),
		os.WriteFile(filepath.Join(r.dir, "rclone.conf"), []byte(rcloneConf), 0o600)); err != nil {
		return err
	}
	return r.works()
}

// works goes through the work, one process for each.
func (r *race) works() error {
	part, n, moved := "all", r.size.ours, r.size.relocations
	switch {
	case !r.ours():
		part, n, moved = "peers", r.size.peers, r.size.theirRelocations
	case r.faults != nil:
		part, n = "single", r.size.single
	}
	src, large := filepath.Join(r.dir, "src", part), filepath.Join(r.dir, "src", "large")
	down := filepath.Join(r.dir, "down")
	if err := r.work("up, small files", n, []string{"up", src, "/up"}, []string{"copy", src, "dbx:up"}); err != nil {
		return err
	}
	if err := r.holds(n, "/up"); err != nil {
		return err
	}
	if r.faults != nil {
		return nil // the rest is as above
	}
	if err := r.work("down, small files", n, []string{"down", "/up", down}, []string{"copy", "dbx:up", down}); err != nil {
		return err
	}
	if err := errors.Join(sameFiles(src, down, n), os.RemoveAll(down)); err != nil {
		return err
	}
	if err := r.change(); err != nil {
		return err
	}
	if err := r.work("a change among them", 1, []string{"changes", "/up"}, []string{"lsf", "-R", "--format", "ph", "--hash", "DropboxHash", "--files-only", "dbx:up"}); err != nil {
		return err
	}
	if err := r.work("up, one large file", 1, []string{"up", large, "/large"}, []string{"copy", large, "dbx:large"}); err != nil {
		return err
	}
	if err := r.holdsLarge(filepath.Join(large, "large.bin"), "/large/large.bin"); err != nil {
		return err
	}
	if err := r.work("renames", moved, []string{"rename", "/up", "/moved", fmt.Sprint(moved)}, []string{"move", "--files-from", r.firstOf(moved), "dbx:up", "dbx:moved"}); err != nil {
		return err
	}
	if err := errors.Join(r.holds(moved, "/moved"), r.holds(n-moved, "/up")); err != nil {
		return err
	}
	if err := r.work("deletions", moved, []string{"delete", "/moved"}, []string{"delete", "dbx:moved"}); err != nil {
		return err
	}
	return r.holds(0, "/moved")
}

// change leaves the cursor of now, and then changes one file.
func (r *race) change() error {
	client := &http.Client{Transport: r.srv.Bystander()}
	var page remotePage
	if err := ask(context.Background(), client, "list_folder/get_latest_cursor", map[string]any{"path": "/up", "recursive": true}, &page); err != nil {
		return err
	}
	if err := os.WriteFile(cursorFile(), []byte(page.Cursor), 0o600); err != nil {
		return err
	}
	return ask(context.Background(), client, "move_v2", map[string]any{"from_path": "/up/" + smallName(0), "to_path": "/up/" + smallName(0) + ".was"}, &page)
}

// firstOf gives a list of the first n small files, for rclone.
func (r *race) firstOf(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, smallName(i+1)) // the first was renamed already
	}
	path := filepath.Join(r.dir, "first")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		return err.Error() // which rclone does not find, and says so
	}
	return path
}

// work runs one process and prints its row.
func (r *race) work(what string, items int, ours, theirs []string) error {
	cmd := exec.Command(r.program, append([]string{"--config", filepath.Join(r.dir, "rclone.conf"), "--transfers", "16", "--checkers", "16"}, theirs...)...)
	if r.ours() {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		cmd = exec.Command(self)
		cmd.Env = append(os.Environ(), clientEnv+"="+oursClient, argsEnv+"="+strings.Join(ours, "\n"))
	}
	var out bytes.Buffer
	cmd.Stderr = &out
	r.srv.ForgetRequests()
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	peak := watchPeak(cmd.Process.Pid)
	err := cmd.Wait()
	took, most := time.Since(start).Seconds(), peak()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", what, err, out.String())
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	fmt.Printf("| %s | %s | %d | %d | %.1f | %.1f | %d | %.1f |\n", what, r.name, items, len(r.srv.Requests()), took, float64(items)/took, most>>10, cpu.Seconds())
	return nil
}

// watchPeak looks at a process's largest memory until it is asked for it, in
// kilobytes. What wait4 says of it would count what the parent had when it made
// the process.
func watchPeak(pid int) func() int64 {
	done, most := make(chan struct{}), make(chan int64)
	go func() {
		var peak int64
		for {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if _, after, has := strings.Cut(string(status), "VmHWM:"); err == nil && has {
				var kb int64
				if _, err := fmt.Sscan(after, &kb); err == nil {
					peak = max(peak, kb)
				}
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-done:
				most <- peak
				return
			}
		}
	}()
	return func() int64 {
		close(done)
		return <-most
	}
}

// holds reports whether the account has other than n files below a folder.
func (r *race) holds(n int, folder string) error {
	all, err := filesIn(&http.Client{Transport: r.srv.Bystander()}, folder)
	if err == nil && len(all) != n {
		err = fmt.Errorf("%d files are in %s, want %d", len(all), folder, n)
	}
	return err
}

// holdsLarge compares a large file with Dropbox's content_hash.
func (r *race) holdsLarge(path, at string) error {
	all, err := filesIn(&http.Client{Transport: r.srv.Bystander()}, filepath.Dir(at))
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	hash, _, err := dropboxtest.ContentHash(f)
	if err == nil && all[at].Hash != hash {
		err = fmt.Errorf("%s has content_hash %s, want %s", at, all[at].Hash, hash)
	}
	return err
}

// sameFiles compares what came down with what went up.
func sameFiles(src, down string, want int) error {
	n := 0
	err := filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		a, errA := os.ReadFile(path)
		b, errB := os.ReadFile(filepath.Join(down, rel))
		if err := errors.Join(errA, errB); err != nil || !bytes.Equal(a, b) {
			return errors.Join(fmt.Errorf("%s came down as something else", rel), err)
		}
		return nil
	})
	if err == nil && n != want {
		err = fmt.Errorf("%d files were sent, want %d", n, want)
	}
	return err
}

// filesIn lists the files below a folder by path, as a bystander.
func filesIn(client *http.Client, folder string) (map[string]remoteFile, error) {
	all := map[string]remoteFile{}
	route, arg := "list_folder", map[string]any{"path": folder, "recursive": true}
	for {
		var page remotePage
		if err := ask(context.Background(), client, route, arg, &page); err != nil {
			return nil, err
		}
		if page.Error == "path/not_found" {
			return all, nil
		}
		for _, f := range page.Entries {
			if f.Tag == "file" {
				all[f.Path] = f
			}
		}
		if !page.More {
			return all, nil
		}
		route, arg = "list_folder/continue", map[string]any{"cursor": page.Cursor}
	}
}
