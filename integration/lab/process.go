package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// A process is one run of Odoo in its box.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser // a line means stop; its end means that we are gone
	ended chan struct{}  // closed by the goroutine that waits
}

// startProcess starts a box around Odoo. It outlives ctx.
func startProcess(ctx context.Context, h host, tree string, d *database, command []string) (p *process, err error) {
	log, err := os.OpenFile(d.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	cmd := h.box(context.WithoutCancel(ctx), "odoo", append([]string{tree, d.data()}, command...)...)
	cmd.Stdout, cmd.Stderr = log, log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	p = &process{cmd: cmd, stdin: stdin, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		// How it ended does not matter, only that: the log has the reason.
		_ = cmd.Wait()
	}()
	return p, nil
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// stop asks Odoo to end, waits as long as limit and ctx allow, then kills.
func (p *process) stop(ctx context.Context, limit time.Duration) error {
	if !p.running() {
		return nil
	}
	if _, err := io.WriteString(p.stdin, "stop\n"); err != nil && p.running() {
		return errors.Join(fmt.Errorf("lab: stop: %w", err), p.kill())
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-p.ended:
		return nil
	case <-ctx.Done():
	case <-t.C:
	}
	return p.kill()
}

// kill ends the box at once and waits until all in it is gone: its shell ends
// with its input, the kernel then kills the rest, and unshare ends last. Killing
// unshare first would leave nobody to wait for; that is for a box that hangs.
func (p *process) kill() error {
	err := p.stdin.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	select {
	case <-p.ended:
		return err
	case <-time.After(5 * time.Second):
	}
	// It may have ended just now, or not be ours to kill when sudo started it.
	_ = p.cmd.Process.Kill()
	select {
	case <-p.ended:
		return err
	case <-time.After(5 * time.Second):
		return errors.Join(err, errors.New("lab: Odoo's box does not end"))
	}
}
