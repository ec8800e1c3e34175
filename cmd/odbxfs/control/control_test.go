package control

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"odbxfs"
)

func listen(t *testing.T, verbs map[string]Verb) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "own", "s.sock")
	s, err := Listen(t.Context(), path, verbs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return path
}

func TestCallCarriesArgumentsResultsAndErrors(t *testing.T) {
	path := listen(t, map[string]Verb{
		"double": func(_ context.Context, args json.RawMessage) (any, error) {
			var n int
			err := json.Unmarshal(args, &n)
			return 2 * n, err
		},
		"fail": func(context.Context, json.RawMessage) (any, error) {
			return nil, &odbxfs.Error{Op: "fail", Kind: odbxfs.KindCredentials}
		},
	})
	var got int
	if err := Call(t.Context(), path, "double", 21, &got); err != nil || got != 42 {
		t.Errorf("got %d, %v", got, err)
	}
	if err := Call(t.Context(), path, "fail", nil, &got); !odbxfs.IsKind(err, odbxfs.KindCredentials) {
		t.Errorf("the kind was lost: %v", err)
	}
	if err := Call(t.Context(), path, "unheard", nil, &got); err == nil || errors.Is(err, ErrNoDaemon) {
		t.Errorf("a verb that is none: %v", err)
	}
}

func TestARuntimeFolderWithALongPathIsAWrongSetting(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 100))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", dir)
	if path, err := Path("store"); !odbxfs.IsKind(err, odbxfs.KindSettings) || !strings.Contains(err.Error(), "XDG_RUNTIME_DIR") {
		t.Errorf("got %s, %v", path, err)
	}
}

func TestNoDaemon(t *testing.T) {
	path := listen(t, nil)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode: %v, %v", info, err)
	}
	if err := Call(t.Context(), path+".none", "status", nil, nil); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("no socket: %v", err)
	}
}

func TestASocketLeftByADeadDaemonIsTakenOver(t *testing.T) {
	path := listen(t, nil)
	s, err := Listen(t.Context(), path, map[string]Verb{"ping": func(context.Context, json.RawMessage) (any, error) { return "pong", nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var got string
	if err := Call(t.Context(), path, "ping", nil, &got); err != nil || got != "pong" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAFolderThatOthersCanEnterIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if s, err := Listen(t.Context(), filepath.Join(dir, "s.sock"), nil); err == nil {
		t.Error("taken", s.Close())
	}
}

func TestACallerWhoGoesEndsItsVerb(t *testing.T) {
	started, ended := make(chan struct{}), make(chan error, 1)
	path := listen(t, map[string]Verb{"wait": func(ctx context.Context, _ json.RawMessage) (any, error) {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-started
		cancel()
	}()
	if err := Call(ctx, path, "wait", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller hears %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the verb hears %v", err)
	}
}

// A daemon that is killed while it works is no daemon that was never there: the
// command must not be done a second time by the caller.
func TestADaemonThatDiesMidwayIsNotTakenForNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		c, err := l.Accept()
		if err == nil {
			_ = c.Close() // it dies: whether well or not is the same to the caller
		}
	}()
	defer l.Close()
	if err := Call(t.Context(), path, "once", nil, nil); err == nil || errors.Is(err, ErrNoDaemon) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNoAnswerIsAnError(t *testing.T) {
	path := listen(t, map[string]Verb{"text": func(context.Context, json.RawMessage) (any, error) { return "no number", nil }})
	var n int
	if err := Call(t.Context(), path, "text", nil, &n); err == nil {
		t.Errorf("a text was read as %d", n)
	}
	if !Alive(t.Context(), path) || Alive(t.Context(), path+".none") {
		t.Error("who lives is mistaken")
	}
}
