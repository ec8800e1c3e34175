package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"odbxfs/odoo/odootest"
	"odbxfs/sync/dropbox/dropboxtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"odbxfs": main})
}

// TestScripts runs testdata/script: a script for each command, each in a folder
// and a home of its own.
func TestScripts(t *testing.T) {
	const dir = "testdata/script"
	if all, err := filepath.Glob(dir + "/*.txtar"); err != nil || len(all) == 0 {
		t.Fatalf("no scripts in %s: %v", dir, err)
	}
	testscript.Run(t, testscript.Params{
		Dir: dir, Setup: setUp, RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "odoo": startOdoo, "dropbox": startDropbox, "eventually": eventually, "mounted": mounted,
			"readme": readme, "allow": allow,
		},
	})
}

func setUp(e *testscript.Env) error {
	home := filepath.Join(e.WorkDir, "home")
	e.Setenv("HOME", home)
	e.Setenv("XDG_RUNTIME_DIR", filepath.Join(e.WorkDir, "home"))
	e.Defer(func() { unmountBelow(e.WorkDir) })
	return os.MkdirAll(home, 0o700)
}

// exits runs a program and wants its exit code: exits CODE PROGRAM ARGUMENT...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [argument...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s: exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// odoo starts an Odoo in memory, whose address stands in $ODBXFS_ODOO_URL and
// $ODBXFS_ODOO_DATABASE from then on.
func startOdoo(ts *testscript.TestScript, _ bool, _ []string) {
	srv := odootest.New(odootest.Options{Demo: true})
	url, err := srv.Start()
	ts.Check(err)
	ts.Defer(func() { ts.Check(srv.Close()) })
	ts.Setenv("ODBXFS_ODOO_URL", url)
	ts.Setenv("ODBXFS_ODOO_DATABASE", srv.Database())
}

// dropbox starts a Dropbox whose account holds the folder $WORK/dropbox, as
// that of the config's section "main".
func startDropbox(ts *testscript.TestScript, _ bool, _ []string) {
	srv, err := dropboxtest.New(dropboxtest.Options{Dir: ts.MkAbs("dropbox"), State: ts.MkAbs("dropbox-state"), Token: "dropbox-secret"})
	ts.Check(err)
	ts.Defer(func() { ts.Check(srv.Close()) })
	url, err := srv.Start()
	ts.Check(err)
	for _, base := range []string{"API", "CONTENT", "NOTIFY", "WWW"} {
		ts.Setenv("ODBXFS_DROPBOX_MAIN_"+base+"_URL", url)
	}
	ts.Setenv("DROPBOX_TOKEN", "dropbox-secret")
	ts.Setenv("ODBXFS_DROPBOX_MAIN_PASSWORD_ENV", "DROPBOX_TOKEN")
}

// eventually runs a program until it succeeds (with !: until it fails), and
// fails after a minute: eventually PROGRAM ARGUMENT...
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	end := time.Now().Add(time.Minute)
	for {
		err := ts.Exec(args[0], args[1:]...)
		if (err != nil) == neg {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s: after a minute still %v", strings.Join(args, " "), err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// readme takes something out of the README, so that it is run as it is written
// there: readme toml FILE writes the config, readme COMMAND FILE a shell script of
// the one line that begins so.
func readme(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: readme toml|command file")
	}
	text, err := os.ReadFile("../../README.md")
	ts.Check(err)
	var found []string
	if _, rest, ok := strings.Cut(string(text), "```toml\n"); ok && args[0] == "toml" {
		block, _, _ := strings.Cut(rest, "```")
		found = append(found, block)
	}
	for line := range strings.Lines(string(text)) {
		if line == args[0]+"\n" || strings.HasPrefix(line, args[0]+" ") {
			found = append(found, "exec "+line)
		}
	}
	if len(found) != 1 {
		ts.Fatalf("the README has %q %d times", args[0], len(found))
	}
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[1])), 0o700))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(found[0]), 0o600))
}

// mounted wants a filesystem of ours at a path, or none: [!] mounted PATH.
func mounted(ts *testscript.TestScript, neg bool, args []string) {
	at, err := mounts(ts.MkAbs(args[0]))
	ts.Check(err)
	if (len(at) == 0) != neg {
		ts.Fatalf("mounts at %s: %q", args[0], at)
	}
}

// mounts lists the mount points at or below a folder, innermost first.
func mounts(dir string) ([]string, error) {
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	var at []string
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 1 && (f[1] == dir || strings.HasPrefix(f[1], dir+"/")) {
			at = append([]string{f[1]}, at...)
		}
	}
	return at, nil
}

// unmountBelow takes away what a script left mounted.
func unmountBelow(dir string) {
	at, err := mounts(dir)
	for _, m := range at {
		err = errors.Join(err, syscall.Unmount(m, syscall.MNT_DETACH))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		panic(fmt.Sprintf("mounts below %s: %v", dir, err))
	}
}
