package lab

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

//go:embed box.sh
var boxScript string

// A host starts commands as root: by itself, or through sudo when it must not
// ask.
type host struct{ prefix []string }

// newHost finds out how to be root, and says what is missing.
func newHost(ctx context.Context) (host, error) {
	for _, p := range []string{"bash", "unshare"} {
		if _, err := exec.LookPath(p); err != nil {
			return host{}, fmt.Errorf("lab: %w; integration/bootstrap.sh installs what the lab needs", err)
		}
	}
	if os.Geteuid() == 0 {
		return host{}, nil
	}
	out, err := exec.CommandContext(ctx, "sudo", "-n", "true").CombinedOutput()
	if err != nil {
		return host{}, fmt.Errorf("lab: real Odoo servers run in chroots of their own, which needs root: "+
			"run as root, or let sudo work without a question (sudo -n true: %w %s)", err, strings.TrimSpace(string(out)))
	}
	return host{prefix: []string{"sudo", "-n"}}, nil
}

// command is a command run as root.
func (h host) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append(append([]string{}, h.prefix...), args...)
	return exec.CommandContext(ctx, args[0], args[1:]...)
}

// run runs a short command as root; its output is part of the error.
func (h host) run(ctx context.Context, args ...string) error {
	out, err := h.command(ctx, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("lab: %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
	}
	return nil
}

// remove removes a folder and all below it. It tries twice: a box whose owner
// was killed a moment ago may still be writing there while it dies.
func (h host) remove(ctx context.Context, path string) error {
	err := h.run(ctx, "rm", "-rf", "--", path)
	if err == nil {
		return nil
	}
	if perr := pause(ctx, time.Second); perr != nil {
		return errors.Join(err, perr)
	}
	return h.run(ctx, "rm", "-rf", "--", path)
}

// box is a command that runs box.sh in namespaces of its own and in a session
// of its own, so that Ctrl-C reaches only us and we end it in order. When
// unshare is killed the kernel kills the box (--kill-child); when we are killed,
// the box sees its standard input end. Pdeathsig would not do: it fires when the
// thread that started the child ends, not the process.
func (h host) box(ctx context.Context, what string, args ...string) *exec.Cmd {
	all := append([]string{
		"unshare", "--mount", "--propagation", "private", "--ipc",
		"--pid", "--fork", "--kill-child=KILL", "--mount-proc",
		"bash", "-c", boxScript, "box.sh", what,
	}, args...)
	cmd := h.command(ctx, all...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// runBox runs a box to its end, with its output in log. Cancelling ctx kills it.
func (h host) runBox(ctx context.Context, log io.Writer, what string, args ...string) error {
	cmd := h.box(ctx, what, args...)
	cmd.Stdout, cmd.Stderr = log, log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	// Through sudo we may not kill the box ourselves; closing its input does.
	kill := cmd.Cancel
	cmd.Cancel = func() error { return errors.Join(stdin.Close(), kill()) }
	cmd.WaitDelay = 5 * time.Second
	return cmd.Run()
}
