package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A fileLock is a flock on a file: it ends with the process that holds it,
// however that dies, which is what the whole lab's cleaning up rests on. Go opens
// files close-on-exec, so no child process prolongs one.
type fileLock struct{ f *os.File }

const (
	shared    = unix.LOCK_SH
	exclusive = unix.LOCK_EX
)

// errLocked says that someone else holds the lock.
var errLocked = errors.New("locked by another process")

// tryLock takes the lock at path, made if missing, or gives errLocked.
func tryLock(path string, how int) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
	if err == nil {
		return &fileLock{f}, nil
	}
	if cerr := f.Close(); cerr != nil {
		return nil, fmt.Errorf("lab: %w", cerr)
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, errLocked
	}
	return nil, fmt.Errorf("lab: lock %s: %w", path, err)
}

// waitLock takes the lock at path when it is free. It asks again and again: a
// blocking flock could not be given up when ctx ends. The others hold these
// locks for a second at most, or for a whole build.
func waitLock(ctx context.Context, path string, how int) (*fileLock, error) {
	for {
		l, err := tryLock(path, how)
		if !errors.Is(err, errLocked) {
			return l, err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return nil, fmt.Errorf("lab: waiting for lock %s: %w", path, err)
		}
	}
}

// unlock gives the lock back. Of a nil lock it does nothing.
func (l *fileLock) unlock() error {
	if l == nil || l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	return f.Close()
}

// pause waits for d, or for the end of ctx, whose error it gives then.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
