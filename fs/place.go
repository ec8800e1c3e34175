package fs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Why nothing can be mounted at a place. They are the caller's to put right.
var (
	ErrNotFolder = errors.New("it is a file; a mount point is a folder")
	ErrNotEmpty  = errors.New("the folder is not empty; a mount would hide what is in it")
	ErrNoParent  = errors.New("the folder that it would be in does not exist")
	ErrMounted   = errors.New("there is a mount of odbxfs already")
	ErrNoFUSE    = errors.New("this machine offers no FUSE: there is no /dev/fuse")
	ErrNoHelper  = errors.New("there is no fusermount3, which mounts for users other than root")
)

// PreparePlace makes a place ready to be mounted at: the folder itself is made
// where it is missing, but none above it, which would more likely be a slip of
// the hand. A dead mount that a killed process left there is removed. A folder
// that is not empty is refused unless nonEmpty. The errors of this file tell
// what is wrong.
func PreparePlace(ctx context.Context, dir string, nonEmpty bool) error {
	err := checkFUSE("/dev/fuse", os.Geteuid() == 0, exec.LookPath)
	if err == nil {
		err = preparePlace(ctx, dir, nonEmpty)
	}
	if err != nil {
		return fmt.Errorf("mount at %s: %w", dir, err)
	}
	return nil
}

// checkFUSE looks for what mounting needs of the machine.
func checkFUSE(device string, root bool, look func(program string) (string, error)) error {
	if _, err := os.Stat(device); err != nil {
		return ErrNoFUSE
	}
	if root {
		return nil
	}
	if _, err := look("fusermount3"); err != nil {
		return ErrNoHelper
	}
	return nil
}

func preparePlace(ctx context.Context, dir string, nonEmpty bool) error {
	if err := removeDead(ctx, dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return placeError(err)
	}
	if err := os.Mkdir(dir, 0o755); err == nil {
		return nil
	} else if !errors.Is(err, os.ErrExist) {
		return placeError(err)
	}
	if info, err := os.Stat(dir); err != nil {
		return err
	} else if !info.IsDir() {
		return ErrNotFolder
	}
	if there, err := mountedHere(dir); err != nil {
		return err
	} else if there {
		return ErrMounted
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(names) > 0 && !nonEmpty {
		return ErrNotEmpty
	}
	return nil
}

// placeError names what a system call says of a path.
func placeError(err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return ErrNoParent
	case errors.Is(err, syscall.ENOTDIR):
		return ErrNotFolder
	}
	return err
}

// mountedHere reports whether a mount of ours is at dir. It is looked up in the
// kernel's table: asking the mount itself would wait for it.
func mountedHere(dir string) (bool, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return false, err
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return false, err
	}
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false, err
	}
	for line := range bytes.Lines(table) {
		// 36 35 98:0 /root /mount/point options - type source options
		before, after, _ := strings.Cut(string(line), " - ")
		place := strings.Fields(before)
		if len(place) > 4 && unescape(place[4]) == abs && strings.HasPrefix(after, "fuse."+typeName+" ") {
			return true, nil
		}
	}
	return false, nil
}

// copiesOf names the programs that see a device among their mounts, each as name
// (pid), in proc, which is /proc. What ends meanwhile, or may not be looked at, is
// left out.
func copiesOf(proc string, device uint64) []string {
	tables, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "mountinfo"))
	if err != nil {
		return nil // a wrong pattern, which this one is not
	}
	number := fmt.Sprintf("%d:%d", unix.Major(device), unix.Minor(device))
	var programs []string
	for _, path := range tables {
		table, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for line := range bytes.Lines(table) {
			if f := strings.Fields(string(line)); len(f) < 3 || f[2] != number {
				continue
			}
			dir := filepath.Dir(path)
			name, err := os.ReadFile(filepath.Join(dir, "comm"))
			if err != nil {
				break
			}
			programs = append(programs, fmt.Sprintf("%s (%s)", bytes.TrimSpace(name), filepath.Base(dir)))
			break
		}
	}
	return programs
}

// unescape reads a path of the kernel's tables, where blanks are \040.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
