package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// DirVar and MirrorVar are the environment variables that say where the lab
// lies (default: .lab at the module's root) and which Debian mirror it uses
// (default: the one of the machine's own apt).
const (
	DirVar    = "ODBXFS_LAB_DIR"
	MirrorVar = "ODBXFS_LAB_MIRROR"
)

// A folder is the lab's place on disk; its methods name what lies where.
type folder string

// openFolder finds the lab's folder and makes what every part of it needs.
func openFolder() (folder, error) {
	dir := os.Getenv(DirVar)
	if dir == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, ".lab")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("lab: folder %s: %w", dir, err)
	}
	f := folder(dir)
	for _, d := range []string{f.cache(), f.ports()} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", fmt.Errorf("lab: %w", err)
		}
	}
	return f, nil
}

// moduleRoot is the nearest folder above the working one that has a go.mod:
// tests run in their package's folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("lab: %w", err)
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("lab: %w", err)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("lab: no go.mod above the working folder; set %s to say where the lab lies", DirVar)
		}
		dir = parent
	}
}

func (f folder) cache() string           { return filepath.Join(string(f), "cache") }
func (f folder) ports() string           { return filepath.Join(string(f), "ports") }
func (f folder) version(v int) string    { return filepath.Join(string(f), strconv.Itoa(v)) }
func (f folder) tree(v int) string       { return filepath.Join(f.version(v), "tree") }
func (f folder) template(v int) string   { return filepath.Join(f.version(v), "template") }
func (f folder) run(v int) string        { return filepath.Join(f.version(v), "run") }
func (f folder) databases(v int) string  { return filepath.Join(f.run(v), "db") }
func (f folder) startLock(v int) string  { return filepath.Join(f.run(v), "start.lock") }
func (f folder) usersLock(v int) string  { return filepath.Join(f.run(v), "users.lock") }
func (f folder) keeperLock(v int) string { return filepath.Join(f.run(v), "keeper.lock") }
func (f folder) buildLog(v int) string {
	return filepath.Join(string(f), fmt.Sprintf("build-%d.log", v))
}

func (f folder) buildLock(v int) string {
	return filepath.Join(string(f), fmt.Sprintf("build-%d.lock", v))
}
