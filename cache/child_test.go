package cache

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childEnv makes the test binary a process that does one of children with a
// store, so that it can be killed, or have a disk of its own.
const childEnv = "ODBXFS_CACHE_TEST_CHILD"

// children are what such a process can do: with a folder, and words of each
// one's own. What it prints is for its parent.
var children = map[string]func(ctx context.Context, dir string, words []string) error{
	"write":  writeForEver,
	"points": visitPoints,
	"disk":   workOnSmallDisk,
	"stage":  diskStage,
}

func TestMain(m *testing.M) {
	job := strings.Fields(os.Getenv(childEnv))
	if len(job) == 0 {
		os.Exit(m.Run())
	}
	ctx, cancel := contextOfChild()
	err := children[job[0]](ctx, job[1], job[2:])
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// contextOfChild is the child process's own; it has no test to end it.
func contextOfChild() (context.Context, context.CancelFunc) {
	return context.WithCancel(context.Background())
}

// childCommand is a child that is not started yet.
func childCommand(ctx context.Context, job ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join(job, " "))
	cmd.Stderr = os.Stderr
	return cmd
}

// untilKilled runs a child, hands each line it prints to line, and wants it to
// have been killed by itself or, once line says so, from here.
func untilKilled(t *testing.T, line func(string) (kill bool), job ...string) {
	t.Helper()
	cmd := childCommand(t.Context(), job...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !line(lines.Text()) {
			continue
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
	}
	_ = cmd.Wait() // how it ended is looked at next
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
		t.Fatalf("it was not killed: %v", cmd.ProcessState)
	}
}

// childOptions are those of a child's store, which syncs when it is told to.
func childOptions(dir string) Options {
	o := testOptions()
	o.Dir, o.After = dir, func(time.Duration) <-chan time.Time { return nil }
	return o
}
