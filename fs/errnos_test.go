package fs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// gaps are where the mount answers otherwise than a local disk, with why.
var gaps = map[string]string{
	"link":         "an attachment is on one record",
	"symlink":      "Odoo has no symbolic links",
	"mkfifo":       "Odoo has no such files",
	"exchange":     "two attachments do not change their places at once",
	"a bare byte":  "Odoo takes text only: names are UTF-8",
	"a hole":       "nothing is reserved: Odoo has no blocks",
	"an attribute": "answering them at all costs ls -l 12x",
}

// asked is one question to a file system: in a folder that has the file f with
// "text", the empty folder e and the folder d with the file d/x.
type asked struct {
	name string
	do   func(dir string) error
}

func path2(call func(a, b string) error, a, b string) func(string) error {
	return func(dir string) error { return call(dir+"/"+a, dir+"/"+b) }
}

func path1(call func(string) error, a string) func(string) error {
	return func(dir string) error { return call(dir + "/" + a) }
}

func opened(name string, flags int, then func(fd int) error) func(string) error {
	return func(dir string) error {
		fd, err := unix.Open(dir+"/"+name, flags, 0o644)
		if err != nil || then == nil {
			if err == nil {
				err = unix.Close(fd)
			}
			return err
		}
		return errors.Join(then(fd), unix.Close(fd))
	}
}

func mkdir(p string) error { return unix.Mkdir(p, 0o755) }

func cut(n int64) func(string) error {
	return func(p string) error { return unix.Truncate(p, n) }
}

func stat(p string) error { var st unix.Stat_t; return unix.Stat(p, &st) }

func noReplace(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_NOREPLACE)
}

func exchange(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}

var (
	long  = strings.Repeat("n", 255)
	wide  = strings.Repeat("ä", 127)
	write = func(fd int) error { _, err := unix.Write(fd, []byte("x")); return err }
	read  = func(fd int) error { _, err := unix.Read(fd, make([]byte, 9)); return err }
)

var questions = []asked{
	{"open what is not there", opened("no", unix.O_RDONLY, nil)},
	{"open below a file", opened("f/x", unix.O_RDONLY, nil)},
	{"open below nothing", opened("no/x", unix.O_RDWR|unix.O_CREAT, nil)},
	{"make what is there, exclusively", opened("f", unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, nil)},
	{"make a folder's name, exclusively", opened("e", unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, nil)},
	{"write a folder", opened("e", unix.O_WRONLY, nil)},
	{"empty a folder", opened("e", unix.O_RDONLY|unix.O_TRUNC, nil)},
	{"create over a folder", opened("e", unix.O_RDWR|unix.O_CREAT, nil)},
	{"open a file as a folder", opened("f", unix.O_RDONLY|unix.O_DIRECTORY, nil)},
	{"open a file with a slash behind", opened("f/", unix.O_RDONLY, nil)},
	{"create with a slash behind", opened("new/", unix.O_RDWR|unix.O_CREAT, nil)},
	{"a name of 255 bytes", opened(long, unix.O_RDWR|unix.O_CREAT, nil)},
	{"a name of 254 bytes in 127 letters", opened(wide, unix.O_RDWR|unix.O_CREAT, nil)},
	{"a name of 256 bytes", opened(long+"n", unix.O_RDWR|unix.O_CREAT, nil)},
	{"a folder's name of 256 bytes", path1(mkdir, long+"n")},
	{"look up a name of 256 bytes", path1(stat, long+"n")},
	{"rename to a name of 256 bytes", path2(unix.Rename, "f", long+"n")},
	{"rename to a name of 255 bytes", path2(unix.Rename, "f", long)},
	{"a bare byte", opened("x\xff", unix.O_RDWR|unix.O_CREAT, nil)},
	{"read what is open for writing", opened("f", unix.O_WRONLY, read)},
	{"write what is open for reading", opened("f", unix.O_RDONLY, write)},
	{"truncate what is open for reading", opened("f", unix.O_RDONLY, func(fd int) error { return unix.Ftruncate(fd, 1) })},
	{"read a folder", opened("e", unix.O_RDONLY, read)},
	{"read behind the end", opened("f", unix.O_RDONLY, func(fd int) error { _, err := unix.Pread(fd, make([]byte, 9), 1<<40); return err })},
	{"seek before the start", opened("f", unix.O_RDONLY, func(fd int) error { _, err := unix.Seek(fd, -1, 0); return err })},
	{"a hole", opened("f", unix.O_RDWR, func(fd int) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 2)
	})},
	{"reserve room", opened("f", unix.O_RDWR, func(fd int) error { return unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, 0, 99) })},
	{"sync a file", opened("f", unix.O_RDWR, unix.Fsync)},
	{"sync a file's data", opened("f", unix.O_RDWR, unix.Fdatasync)},
	{"sync a folder", opened("e", unix.O_RDONLY, unix.Fsync)},
	{"lock a file", opened("f", unix.O_RDWR, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })},
	{"truncate what is not there", path1(cut(0), "no")},
	{"truncate a folder", path1(cut(0), "e")},
	{"truncate below zero", path1(cut(-1), "f")},
	{"truncate far", path1(cut(1<<20), "f")},
	{"mkdir what is there", path1(mkdir, "e")},
	{"mkdir a file's name", path1(mkdir, "f")},
	{"mkdir below a file", path1(mkdir, "f/x")},
	{"mkdir below nothing", path1(mkdir, "no/x")},
	{"mkdir .", path1(mkdir, ".")},
	{"mkdir with a slash behind", path1(mkdir, "new/")},
	{"rmdir an empty folder", path1(unix.Rmdir, "e")},
	{"rmdir a full folder", path1(unix.Rmdir, "d")},
	{"rmdir a file", path1(unix.Rmdir, "f")},
	{"rmdir what is not there", path1(unix.Rmdir, "no")},
	{"rmdir .", path1(unix.Rmdir, "e/.")},
	{"rmdir ..", path1(unix.Rmdir, "e/..")},
	{"unlink a file", path1(unix.Unlink, "f")},
	{"unlink a folder", path1(unix.Unlink, "e")},
	{"unlink what is not there", path1(unix.Unlink, "no")},
	{"unlink with a slash behind", path1(unix.Unlink, "f/")},
	{"rename a file", path2(unix.Rename, "f", "g")},
	{"rename a file to itself", path2(unix.Rename, "f", "f")},
	{"rename a file over a file", path2(unix.Rename, "f", "d/x")},
	{"rename a file over a folder", path2(unix.Rename, "f", "e")},
	{"rename a file over a full folder", path2(unix.Rename, "f", "d")},
	{"rename a folder over a file", path2(unix.Rename, "e", "f")},
	{"rename a folder over an empty one", path2(unix.Rename, "d", "e")},
	{"rename a folder over a full one", path2(unix.Rename, "e", "d")},
	{"rename a folder into itself", path2(unix.Rename, "d", "d/y")},
	{"rename a folder to its parent's place", path2(unix.Rename, "d/x", "d")},
	{"rename what is not there", path2(unix.Rename, "no", "g")},
	{"rename into nothing", path2(unix.Rename, "f", "no/g")},
	{"rename below a file", path2(unix.Rename, "e", "f/g")},
	{"rename .", path2(unix.Rename, "e/.", "g")},
	{"rename a file with a slash behind", path2(unix.Rename, "f", "g/")},
	{"rename a folder with a slash behind", path2(unix.Rename, "e", "g/")},
	{"rename unless it is there, and it is", path2(noReplace, "f", "d/x")},
	{"rename unless it is there, and it is not", path2(noReplace, "f", "g")},
	{"exchange", path2(exchange, "f", "d/x")},
	{"link", path2(unix.Link, "f", "g")},
	{"symlink", func(dir string) error { return unix.Symlink("f", dir+"/g") }},
	{"read a file as a link", func(dir string) error { _, err := unix.Readlink(dir+"/f", make([]byte, 9)); return err }},
	{"mkfifo", path1(func(p string) error { return unix.Mkfifo(p, 0o644) }, "p")},
	{"set times", path1(func(p string) error { return unix.Utimes(p, make([]unix.Timeval, 2)) }, "f")},
	{"set times of what is not there", path1(func(p string) error { return unix.Utimes(p, make([]unix.Timeval, 2)) }, "no")},
	{"ask for the rights", path1(func(p string) error { return unix.Access(p, unix.R_OK|unix.W_OK) }, "f")},
	{"ask for the right to execute", path1(func(p string) error { return unix.Access(p, unix.X_OK) }, "f")},
	{"an attribute", path1(func(p string) error { return unix.Setxattr(p, "user.x", []byte("y"), 0) }, "f")},
}

// TestErrnosAreThoseOfALocalDisk asks the same of a local folder and of the
// mount, each question in folders of its own.
func TestErrnosAreThoseOfALocalDisk(t *testing.T) {
	w := newWorld(t)
	local := t.TempDir()
	met := map[string]bool{}
	for i, q := range questions {
		var got [2]syscall.Errno
		for side, top := range []string{local, w.mnt} {
			dir := filepath.Join(top, "q"+string(rune('A'+i/26))+string(rune('a'+i%26)))
			for _, sub := range []string{"", "/e", "/d"} {
				if err := os.Mkdir(dir+sub, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for _, file := range []string{"/f", "/d/x"} {
				if err := os.WriteFile(dir+file, []byte("text"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := q.do(dir); err != nil && !errors.As(err, &got[side]) {
				t.Fatalf("%s: %v", q.name, err)
			}
		}
		if met[q.name] = got[0] != got[1]; met[q.name] == (gaps[q.name] == "") {
			t.Errorf("%s: locally %q, in the mount %q (known: %q)", q.name, got[0], got[1], gaps[q.name])
		}
	}
	for gap := range gaps {
		if !met[gap] {
			t.Errorf("the gap %q was not met", gap)
		}
	}
}
