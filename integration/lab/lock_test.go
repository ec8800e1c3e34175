package lab

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func mustLock(t *testing.T, path string, how int) *fileLock {
	t.Helper()
	l, err := tryLock(path, how)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestSharedLocksKeepTheExclusiveOneOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	a, b := mustLock(t, path, shared), mustLock(t, path, shared)
	for _, l := range []*fileLock{a, b} {
		if _, err := tryLock(path, exclusive); !errors.Is(err, errLocked) {
			t.Errorf("exclusive beside a shared one: %v", err)
		}
		if err := l.unlock(); err != nil {
			t.Fatal(err)
		}
	}
	x := mustLock(t, path, exclusive)
	if _, err := tryLock(path, shared); !errors.Is(err, errLocked) {
		t.Errorf("shared beside an exclusive one: %v", err)
	}
	if err := x.unlock(); err != nil {
		t.Fatal(err)
	}
}

func TestWaitingForALockEndsWithTheLockOrTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	held := mustLock(t, path, exclusive)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := waitLock(ctx, path, exclusive); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while it is held: %v", err)
	}
	got := make(chan error, 1)
	go func() {
		l, err := waitLock(t.Context(), path, exclusive)
		got <- errors.Join(err, l.unlock())
	}()
	if err := held.unlock(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("after it was given back: %v", err)
	}
}

func TestPortsAreNotGivenTwice(t *testing.T) {
	f, err := openFolder()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for range 20 {
		port, lock, err := takePort(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := lock.unlock(); err != nil {
				t.Error(err)
			}
		}()
		if seen[port] || port < firstPort || port > lastPort {
			t.Errorf("port %d is given twice, or out of range", port)
		}
		seen[port] = true
	}
}

func TestNamesOfTestsBecomeNamesOfDatabases(t *testing.T) {
	for in, want := range map[string]string{
		"TestX/a b_c":                          "testx-a-b-c",
		"":                                     "x",
		"ünïcode":                              "-n-code",
		"a-name-much-longer-than-thirty-bytes": "a-name-much-longer-than-thirty",
	} {
		if got := slug(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
