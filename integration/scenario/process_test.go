package scenario

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is the program, running.
type process struct {
	cmd    *exec.Cmd
	output *buffer // shared with those of its name that ran before
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
		for name, p := range w.procs {
			select {
			case <-p.ended:
				t.Errorf("%s has ended: %s", name, p.cmd.ProcessState)
				w.explain(t)
				t.FailNow()
			default:
			}
		}
		// Of a dead mount the kernel goes on to answer what it knows; reading asks.
		_, err := os.ReadDir(filepath.Join(w.mount, "Sales Orders"))
		return err
	})
}

func (w *World) startProcess(t *testing.T, name string) {
	t.Helper()
	if w.said[name] == nil {
		w.said[name] = &buffer{}
	}
	p := &process{cmd: w.command(context.WithoutCancel(t.Context()), name, "-v"), output: w.said[name], ended: make(chan struct{})}
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
			tell(t.Output(), name+" was at", clipLines(p.output.String(), "SIGQUIT", 60))
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

func mounted(dir string) bool {
	data, err := os.ReadFile("/proc/self/mounts")
	return err == nil && strings.Contains(string(data), " "+dir+" ")
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
