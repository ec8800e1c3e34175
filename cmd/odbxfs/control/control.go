package control

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"odbxfs"
)

// Verb is one command that the daemon serves. It may run at the same time as
// others. What it returns is marshalled to JSON.
type Verb func(ctx context.Context, args json.RawMessage) (any, error)

// ErrNoDaemon says that nobody listens for this store.
var ErrNoDaemon = errors.New("no daemon is running on this store")

// maxPath is the longest path that a Unix socket can have: sun_path of Linux has
// 108 bytes, the last of them 0.
const maxPath = 107

// Path gives the socket's path for a store; an error of KindSettings when the
// runtime folder's path leaves no room for it.
func Path(store string) (string, error) {
	abs, err := filepath.Abs(store)
	if err != nil {
		return "", fmt.Errorf("find the control socket of %s: %w", store, err)
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		dir = filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
	}
	if _, err := os.Stat(dir); err != nil {
		dir = os.TempDir()
	}
	sum := sha256.Sum256([]byte(abs))
	path := filepath.Join(dir, fmt.Sprintf("odbxfs-%d", os.Getuid()), hex.EncodeToString(sum[:6])+".sock")
	if len(path) > maxPath {
		return "", &odbxfs.Error{Op: "find the control socket", Item: path, Kind: odbxfs.KindSettings,
			Err: fmt.Errorf("its path has %d bytes, and a socket's may have %d: set XDG_RUNTIME_DIR to a shorter one", len(path), maxPath)}
	}
	return path, nil
}

// Server answers commands until it is closed.
type Server struct {
	http *http.Server
	done chan struct{} // closed when Serve has returned
}

// Listen starts a server at path, over what a dead daemon may have left there:
// whoever calls it holds the store's lock, so no other daemon can be alive. The
// server lives until Close, whatever becomes of ctx.
func Listen(ctx context.Context, path string, verbs map[string]Verb) (*Server, error) {
	if err := ownDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open the control socket: %w", err), l.Close())
	}
	mux := http.NewServeMux()
	for name, verb := range verbs {
		mux.Handle("POST /"+name, handler(verb))
	}
	s := &Server{http: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		// Serve ends by Close alone; a listener that fails leaves the daemon
		// without its socket, which the next command says.
		_ = s.http.Serve(ownUID{l})
	}()
	return s, nil
}

// Close stops the server and waits until no command runs any more.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}

// ownDir makes the socket's folder, which must be ours and nobody else's.
func ownDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make the control socket's folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("make the control socket's folder: %w", err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(st.Uid) != os.Getuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s must be a folder of your own with mode 0700; remove it and start again", dir)
	}
	return nil
}

// ownUID takes connections of the same uid or root only.
type ownUID struct{ net.Listener }

func (l ownUID) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if uid, err := peerUID(c); err == nil && (uid == os.Getuid() || uid == 0) {
			return c, nil
		}
		if err := c.Close(); err != nil {
			return nil, err
		}
	}
}

func peerUID(c net.Conn) (int, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return -1, errors.New("not a unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return -1, err
	}
	if credErr != nil {
		return -1, credErr
	}
	return int(cred.Uid), nil
}

// refusal is an error on its way through the socket.
type refusal struct {
	Message string           `json:"message"`
	Kind    odbxfs.ErrorKind `json:"kind"`
}

func handler(verb Verb) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		args, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		var result any
		if err == nil {
			result, err = verb(r.Context(), args)
		}
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusConflict)
			result = refusal{Message: err.Error(), Kind: odbxfs.KindOf(err)}
		}
		// The one reader is gone when this fails.
		_ = json.NewEncoder(w).Encode(result)
	})
}

// Alive reports whether a daemon listens at path.
func Alive(ctx context.Context, path string) bool {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// Call asks the daemon of the socket at path. [ErrNoDaemon] when there is none;
// an error of the verb keeps its kind.
func Call(ctx context.Context, path, verb string, args, result any) error {
	body, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("ask the daemon: %w", err)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://odbxfs/"+verb, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask the daemon: %w", err)
	}
	resp, err := client.Do(req)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return ErrNoDaemon
	}
	if err != nil {
		return fmt.Errorf("ask the daemon: %w", err)
	}
	return errors.Join(decode(verb, resp, result), resp.Body.Close())
}

func decode(verb string, resp *http.Response, result any) error {
	switch resp.StatusCode {
	case http.StatusOK:
		if err := json.NewDecoder(resp.Body).Decode(result); err != nil {
			return fmt.Errorf("read the daemon's answer: %w", err)
		}
		return nil
	case http.StatusConflict:
		var r refusal
		if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
			return fmt.Errorf("read the daemon's answer: %w", err)
		}
		return &odbxfs.Error{Op: verb, Kind: r.Kind, Err: errors.New(strings.TrimPrefix(r.Message, verb+": "))}
	}
	return fmt.Errorf("the daemon does not know %q (%s); it may be of another version", verb, resp.Status)
}
