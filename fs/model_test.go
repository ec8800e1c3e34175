package fs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

// TestTheMountIsLikeALocalDisk does random work in the mount and in a local
// folder, with files held open across it, and wants the same answers.
func TestTheMountIsLikeALocalDisk(t *testing.T) {
	w := newWorld(t)
	local, run := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		run++ // a folder of its own for each history
		m := &model{}
		for i, top := range []string{local, w.mnt} {
			m.roots[i] = filepath.Join(top, strconv.Itoa(run))
			if err := os.Mkdir(m.roots[i], 0o755); err != nil {
				rt.Fatal(err)
			}
		}
		defer m.closeAll()
		rt.Repeat(map[string]func(*rapid.T){
			"open":     m.open,
			"write":    m.write,
			"read":     m.read,
			"truncate": m.truncate,
			"close":    m.close,
			"path":     m.path,
			"path2":    m.path,
			"":         m.check,
		})
	})
}

// model does each thing twice: [0] locally, [1] in the mount.
type model struct {
	roots [2]string
	files [][2]*os.File
}

func (m *model) closeAll() {
	for _, f := range m.files {
		for i := range f {
			f[i].Close()
		}
	}
}

var (
	names = rapid.SampledFrom([]string{"a", "b", "a~", "d", "d/a", "d/b", "d/e", "d/e/a"})
	flags = rapid.SampledFrom([]int{
		os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREATE, os.O_WRONLY | os.O_CREATE | os.O_TRUNC,
		os.O_WRONLY | os.O_CREATE | os.O_APPEND, os.O_RDWR | os.O_CREATE | os.O_EXCL,
	})
)

// both does fn on both sides and wants the same answer and errno.
func both(t *rapid.T, what string, fn func(i int) (string, error)) (ok bool) {
	t.Helper()
	var said [2]string
	for i := range said {
		s, err := fn(i)
		if err != nil {
			var no syscall.Errno
			if !errors.As(err, &no) {
				no = 0
				s += err.Error()
			}
			s += "|" + no.Error()
		}
		ok = err == nil
		said[i] = s
	}
	if said[0] != said[1] {
		t.Fatalf("%s: locally %q, in the mount %q", what, said[0], said[1])
	}
	return ok
}

func (m *model) open(t *rapid.T) {
	name, flag := names.Draw(t, "name"), flags.Draw(t, "flags")
	var f [2]*os.File
	if both(t, "open "+name, func(i int) (_ string, err error) {
		f[i], err = os.OpenFile(filepath.Join(m.roots[i], name), flag, 0o644)
		return "", err
	}) {
		m.files = append(m.files, f)
	}
}

// one gives an open file; without one, a fresh one.
func (m *model) one(t *rapid.T) (int, [2]*os.File) {
	if len(m.files) == 0 {
		var f [2]*os.File
		both(t, "create f", func(i int) (_ string, err error) {
			f[i], err = os.Create(filepath.Join(m.roots[i], "f"))
			return "", err
		})
		m.files = append(m.files, f)
	}
	i := rapid.IntRange(0, len(m.files)-1).Draw(t, "file")
	return i, m.files[i]
}

func (m *model) write(t *rapid.T) {
	_, f := m.one(t)
	b := []byte(strings.Repeat(rapid.StringMatching("[a-z]{1,4}").Draw(t, "text"), rapid.IntRange(1, 3000).Draw(t, "times")))
	off := rapid.Int64Range(0, 20000).Draw(t, "offset")
	both(t, "write", func(i int) (string, error) {
		if _, err := f[i].Seek(off, io.SeekStart); err != nil {
			return "", err
		}
		n, err := f[i].Write(b)
		return strconv.Itoa(n), err
	})
}

func (m *model) read(t *rapid.T) {
	_, f := m.one(t)
	off := rapid.Int64Range(0, 20000).Draw(t, "offset")
	both(t, "read", func(i int) (string, error) {
		b := make([]byte, 5000)
		n, err := f[i].ReadAt(b, off)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return string(b[:n]), err
	})
}

func (m *model) truncate(t *rapid.T) {
	_, f := m.one(t)
	size := rapid.Int64Range(0, 20000).Draw(t, "size")
	both(t, "truncate", func(i int) (string, error) { return "", f[i].Truncate(size) })
}

func (m *model) close(t *rapid.T) {
	n, f := m.one(t)
	m.files = append(m.files[:n:n], m.files[n+1:]...)
	both(t, "close", func(i int) (string, error) { return "", f[i].Close() })
}

// path does something by name.
func (m *model) path(t *rapid.T) {
	what := rapid.SampledFrom([]string{"rename", "remove", "mkdir", "rmdir", "truncate"}).Draw(t, "what")
	a, b := names.Draw(t, "a"), names.Draw(t, "b")
	both(t, what+" "+a+" "+b, func(i int) (string, error) {
		path := filepath.Join(m.roots[i], a)
		switch what {
		case "rename":
			return "", syscall.Rename(path, filepath.Join(m.roots[i], b))
		case "remove":
			return "", syscall.Unlink(path)
		case "mkdir":
			return "", syscall.Mkdir(path, 0o755)
		case "rmdir":
			return "", syscall.Rmdir(path)
		}
		return "", os.Truncate(path, 10)
	})
}

// check compares the trees and what is open.
func (m *model) check(t *rapid.T) {
	both(t, "the tree", func(i int) (string, error) {
		var s strings.Builder
		err := filepath.WalkDir(m.roots[i], func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			fmt.Fprintf(&s, "%s %v", strings.TrimPrefix(path, m.roots[i]), d.IsDir())
			if !d.IsDir() {
				b, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				fmt.Fprintf(&s, " %d %q", len(b), b)
			}
			s.WriteByte('\n')
			return nil
		})
		return s.String(), err
	})
	for n, f := range m.files {
		both(t, fmt.Sprintf("stat of open file %d", n), func(i int) (string, error) {
			var st syscall.Stat_t
			err := syscall.Fstat(int(f[i].Fd()), &st)
			if st.Mode&syscall.S_IFDIR != 0 {
				return "a folder", err // whose size and links are each file system's own
			}
			return fmt.Sprint(st.Size, " ", st.Nlink), err
		})
	}
}
