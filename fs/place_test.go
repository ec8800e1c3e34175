package fs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAPlaceToMountAt(t *testing.T) {
	top := t.TempDir()
	path := func(name string) string { return filepath.Join(top, name) }
	for _, dir := range []string{"empty", "full", "full/in it", "a b"} {
		if err := os.Mkdir(path(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path("file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path("full"), path("link")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, dir string
		nonEmpty  bool
		want      error
	}{
		{"an empty folder", "empty", false, nil},
		{"one that is not there yet is made", "new", false, nil},
		{"those above it are not", "far/away", false, ErrNoParent},
		{"a file", "file", false, ErrNotFolder},
		{"a file, though full places are wanted", "file", true, ErrNotFolder},
		{"below a file", "file/dir", false, ErrNotFolder},
		{"a folder with something in it", "full", false, ErrNotEmpty},
		{"the same, wanted", "full", true, nil},
		{"a link to one", "link", false, ErrNotEmpty},
	} {
		t.Run(c.what, func(t *testing.T) {
			if err := PreparePlace(t.Context(), path(c.dir), c.nonEmpty); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	if _, err := os.Stat(path("far")); err == nil {
		t.Error("a folder above was made")
	}
}

func TestAPlaceThatIsMountedIsNotMountedTwice(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Dir = filepath.Join(filepath.Dir(o.Dir), "with a blank")
		if err := os.Mkdir(o.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
	})
	if err := PreparePlace(t.Context(), filepath.Join(filepath.Dir(w.mnt), "with a blank"), true); !errors.Is(err, ErrMounted) {
		t.Errorf("got %v", err)
	}
}

func TestWhoSeesAMountIsNamed(t *testing.T) {
	proc := t.TempDir()
	for pid, has := range map[string]struct{ comm, table string }{
		"7":  {"backup job\n", "30 1 0:50 / / rw - tmpfs tmpfs rw\n99 30 0:51 / /mnt/a\\040b rw - fuse.odbxfs odbxfs rw\n"},
		"8":  {"sh\n", "30 1 0:50 / / rw - tmpfs tmpfs rw\n"},
		"10": {"", ""}, // it just ended
	} {
		dir := filepath.Join(proc, pid)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if has.comm == "" {
			continue
		}
		for name, text := range map[string]string{"comm": has.comm, "mountinfo": has.table} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := copiesOf(proc, unix.Mkdev(0, 51))
	if !slices.Equal(got, []string{"backup job (7)"}) {
		t.Errorf("got %q", got)
	}
}

func TestAMachineWithoutFUSEIsTold(t *testing.T) {
	here := t.TempDir()
	found := func(string) (string, error) { return "/bin/fusermount3", nil }
	missing := func(string) (string, error) { return "", os.ErrNotExist }
	for _, c := range []struct {
		what   string
		device string
		root   bool
		look   func(string) (string, error)
		want   error
	}{
		{"root needs the device alone", here, true, missing, nil},
		{"a user the helper too", here, false, found, nil},
		{"a user without it", here, false, missing, ErrNoHelper},
		{"no device", filepath.Join(here, "none"), true, found, ErrNoFUSE},
	} {
		if err := checkFUSE(c.device, c.root, c.look); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, err, c.want)
		}
	}
}
