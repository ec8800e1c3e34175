package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"odbxfs/cache"
	"odbxfs/cmd/odbxfs/control"
	"odbxfs/sync"
)

// options are such that the store is the test's own, and so is the socket.
func options(t *testing.T, mode Mode) Options {
	t.Helper()
	dir, err := os.MkdirTemp("", "run") //nolint:usetesting // a socket's path has to be short, which t.TempDir's is not
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("XDG_RUNTIME_DIR", dir)
	return Options{Config: settings(t), Mode: mode, Log: slog.New(slog.DiscardHandler)}
}

// serving has somebody answer for opt's store, who says mode.
func serving(t *testing.T, opt Options) {
	t.Helper()
	socket, err := socketOf(&opt)
	if err != nil {
		t.Fatal(err)
	}
	s, err := control.Listen(t.Context(), socket, map[string]control.Verb{
		VerbRetry: func(context.Context, json.RawMessage) (any, error) { return Count{7}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestWithoutADaemonACommandOpensTheStore(t *testing.T) {
	opt := options(t, Sync)
	var s sync.Status
	if err := Ask(t.Context(), opt, VerbStatus, nil, &s); err != nil || s.Queued != 0 {
		t.Errorf("got %+v, %v", s, err)
	}
	var n Count
	if err := Ask(t.Context(), opt, VerbRetry, PathArgs{}, &n); err != nil || n.N != 0 {
		t.Errorf("got %d, %v", n.N, err)
	}
	if err := Ask(t.Context(), opt, VerbRetry, PathArgs{Paths: []string{"none/such"}}, &n); err == nil {
		t.Error("a path that is none is taken")
	}
}

func TestADaemonIsAskedWhereOneRuns(t *testing.T) {
	opt := options(t, Sync)
	serving(t, opt)
	var n Count
	if err := Ask(t.Context(), opt, VerbRetry, PathArgs{}, &n); err != nil || n.N != 7 {
		t.Errorf("got %d, %v", n.N, err)
	}
}

func TestTheModeOfTheDaemonThatRunsIsFound(t *testing.T) {
	for _, m := range []Mode{Mount, Sync, Run} {
		t.Run(string(m), func(t *testing.T) {
			opt := options(t, m)
			if got, err := Running(t.Context(), opt.Config); err != nil || got != Sync {
				t.Errorf("nobody runs: %s, %v", got, err)
			}
			serving(t, opt)
			if got, err := Running(t.Context(), opt.Config); err != nil || got != m {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

func TestAConfigOfAMountAloneMeansTheMount(t *testing.T) {
	opt := options(t, Mount)
	opt.Config.Sync.Login.Login = ""
	if got, err := Running(t.Context(), opt.Config); err != nil || got != Mount {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestAStoreThatIsLockedForAMomentIsWaitedFor(t *testing.T) {
	tries := 0
	err := patiently(t.Context(), func() (bool, error) {
		if tries++; tries < 3 {
			return true, fmt.Errorf("open: %w", cache.ErrLocked)
		}
		return true, nil
	})
	if err != nil || tries != 3 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

func TestWhatIsNotALockIsNotTriedAgain(t *testing.T) {
	tries := 0
	err := patiently(t.Context(), func() (bool, error) {
		tries++
		return true, cache.ErrFormat
	})
	if !errors.Is(err, cache.ErrFormat) || tries != 1 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

func TestALockIsNotWaitedForWhereThatIsOfNoUse(t *testing.T) {
	tries := 0
	err := patiently(t.Context(), func() (bool, error) {
		tries++
		return false, cache.ErrLocked
	})
	if !errors.Is(err, cache.ErrLocked) || tries != 1 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

// The lock of a store that ends is free for the next that opens it.
func TestAStoreThatWasClosedIsOpened(t *testing.T) {
	opt := options(t, Sync)
	for range 2 {
		d, err := OpenToServe(t.Context(), opt)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAStoreOnWhichADaemonAnswersIsNotWaitedFor(t *testing.T) {
	opt := options(t, Sync)
	first, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	serving(t, opt)
	if _, err := OpenToServe(t.Context(), opt); !errors.Is(err, cache.ErrLocked) {
		t.Errorf("got %v", err)
	}
}

func TestWhoeverGivesUpDoesNotWaitForTheLock(t *testing.T) {
	opt := options(t, Sync)
	first, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	ctx, cancel := context.WithTimeout(t.Context(), lockPause/2)
	defer cancel()
	var s sync.Status
	if err := Ask(ctx, opt, VerbStatus, nil, &s); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
