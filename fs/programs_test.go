package fs

import (
	"strconv"
	"strings"
	"testing"

	"odbxfs"
)

// What programs do, and what must be in the store afterwards. The work is done
// by other processes: one that opens its own mount can wait for itself.
func TestPrograms(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         map[string]string // path -> bytes in the store
		gone         []string
		out          string
	}{
		{name: "cp puts a file in", script: "seq 5000 >/tmp/$$; cp /tmp/$$ a; cmp /tmp/$$ a; rm /tmp/$$; printf x >a", want: map[string]string{"a": "x"}},
		{name: "mv renames", script: "echo a >a; mv a b", want: map[string]string{"b": "a\n"}, gone: []string{"a"}},
		{name: "mv over replaces", script: "echo a >a; echo b >b; mv a b; cat b", want: map[string]string{"b": "a\n"}, gone: []string{"a"}, out: "a"},
		{name: "mv moves a folder with what is in it", script: "mkdir -p d/e f; echo a >d/e/a; mv d f; cat f/d/e/a", want: map[string]string{"f/d/e/a": "a\n"}, gone: []string{"d"}, out: "a"},
		{name: "rm -r removes all", script: "mkdir -p d/e; seq 300 | while read i; do echo $i >d/$i; done; rm -r d; ls", gone: []string{"d"}},
		{name: "cp -r copies a tree", script: "mkdir -p d/e; echo 1 >d/1; echo 2 >d/e/2; cp -r d g; diff -r d g", want: map[string]string{"g/1": "1\n", "g/e/2": "2\n"}},
		{name: ">> appends", script: "echo 1 >a; echo 2 >>a; echo 3 >>a; cat a", want: map[string]string{"a": "1\n2\n3\n"}, out: "1\n2\n3"},
		{name: "> empties first", script: "echo long line >a; echo 2 >a", want: map[string]string{"a": "2\n"}},
		{name: "touch makes an empty file", script: "touch a; stat -c %s a", want: map[string]string{"a": ""}, out: "0"},
		{name: "truncate cuts and extends", script: "printf 12345 >a; truncate -s 3 a; truncate -s 5 a; od -An -c a", want: map[string]string{"a": "123\x00\x00"}, out: `1   2   3  \0  \0`},
		{name: "fallocate extends", script: "printf 1 >a; fallocate -l 3 a; fallocate -n -l 9 a", want: map[string]string{"a": "1\x00\x00"}},
		{name: "dd writes around the page cache", script: "dd if=/dev/zero of=a bs=64k count=2 oflag=direct status=none; printf z | dd of=a bs=1 seek=5 conv=notrunc status=none; stat -c %s a; tail -c +6 a | head -c 1", out: "131072\nz"},
		{name: "sed -i edits", script: "echo red >a; sed -i s/red/blue/ a; cat a", want: map[string]string{"a": "blue\n"}, out: "blue"},
		{name: "a reader sees a writer's bytes", script: "exec 3>a; printf 1 >&3; cat a; printf 2 >&3; cat a", want: map[string]string{"a": "12"}, out: "112"},
		{name: "an unlinked file works on", script: "echo 1 >a; exec 3<a 4>>a; rm a; echo 2 >&4; cat <&3; stat -Lc %h /proc/self/fd/3", gone: []string{"a"}, out: "1\n2\n0"},
		{name: "a file renamed over works on for who has it open", script: "echo old >a; exec 3<a; echo new >b; mv b a; cat <&3; cat a", want: map[string]string{"a": "new\n"}, out: "old\nnew"},
		{name: "a temporary goes on being written after its rename", script: "echo old >a; exec 3>t; echo 1 >&3; mv t a; echo 2 >&3; exec 3>&-; cat a", want: map[string]string{"a": "1\n2\n"}, out: "1\n2"},
		{name: "set -C makes anew or not at all", script: "set -C; echo 1 >a; (echo 2 >a) 2>/dev/null || echo refused", want: map[string]string{"a": "1\n"}, out: "refused"},
		{name: "chmod and chown are taken", script: "touch a; chmod 600 a; chown 1:1 a; stat -c %a:%u a", out: "644:0"},
		{name: "links are refused", script: "touch a; ln a b 2>/dev/null || echo no; ln -s a c 2>/dev/null || echo no; mkfifo d 2>/dev/null || echo no", out: "no\nno\nno"},
		{name: "tar unpacks", script: "mkdir x; tar -C / -cf - etc/hostname etc/passwd | tar -C x -xf -; cmp x/etc/passwd /etc/passwd"},
		{name: "mv --exchange is refused, mv -n keeps", script: "echo 1 >a; echo 2 >b; mv -n a b || true; cat a b", out: "1\n2"},
		{name: "mmap writes arrive", script: `python3 -c '
import mmap
f=open("a","w+b"); f.truncate(8192); m=mmap.mmap(f.fileno(),8192); f.close(); m[5000:5003]=b"xyz"; m.close()'; dd if=a bs=1 skip=5000 count=3 status=none`, out: "xyz"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			out := w.sh(c.script)
			if c.out != "" && out != c.out {
				t.Errorf("it printed %q, want %q", out, c.out)
			}
			for path, want := range c.want {
				if got := w.bytes(path); got != want {
					t.Errorf("%s holds %q, want %q", path, got, want)
				}
			}
			for _, path := range c.gone {
				if _, ok := w.inode(path); ok {
					t.Errorf("%s is still in the store", path)
				}
			}
		})
	}
}

func TestRsyncTwiceMovesNothing(t *testing.T) {
	w := newWorld(t)
	from := t.TempDir()
	w.sh("cd " + from + `; mkdir a b; for i in $(seq 500); do echo $i >a/$i; done; echo x >b/y; touch -d '2001-02-03 04:05:06.789' a/7`)
	w.sh("rsync -a " + from + "/ to/")
	commits := w.store.commits()
	if out := w.sh("rsync -a --itemize-changes " + from + "/ to/ | grep '^[<>]' || true"); out != "" {
		t.Errorf("the second run moved %s", out)
	}
	if w.store.commits() != commits {
		t.Errorf("the second run committed content")
	}
	w.sh("diff -r " + from + " to")
	if got := w.mustInode("to/a/7").MTime.UTC().Format("2006-01-02 15:04:05.000"); got != "2001-02-03 04:05:06.789" {
		t.Errorf("mtime is %s", got)
	}
}

func TestSettingTheMTimeIsNoSecondUpload(t *testing.T) {
	for _, script := range []string{
		"cp -p /etc/passwd a",
		"cp /etc/passwd a; touch -r /etc/passwd a",
		"rsync -t /etc/passwd a",
		"rsync -t --inplace /etc/passwd a",
	} {
		t.Run(script, func(t *testing.T) {
			w := newWorld(t)
			out := w.sh(script + "; stat -c %Y a; stat -c %Y /etc/passwd")
			if a, b, _ := strings.Cut(out, "\n"); a != b {
				t.Errorf("mtimes differ: %s, %s", a, b)
			}
			if n := w.store.commits(); n != 1 {
				t.Errorf("content was committed %d times", n)
			}
		})
	}
}

// The document keeps its node, whatever way a program saves.
func TestSavingKeepsTheDocument(t *testing.T) {
	vim := func(set string) string {
		return "vim -N -u NONE -i NONE -es -c 'set " + set + "' -c '%s/old/new/' -c 'wq' a 2>&1"
	}
	for name, script := range map[string]string{
		"vim":                        vim("backupcopy=auto"),
		"vim, backupcopy=no":         vim("backupcopy=no"),
		"vim, backupcopy=yes":        vim("backupcopy=yes"),
		"vim, backup, backupcopy=no": vim("backup backupcopy=no"),
		"vim, backup kept":           vim("backup backupcopy=yes"),
		"sed -i":                     "sed -i s/old/new/ a",
		"sed -i.bak":                 "sed -i.bak s/old/new/ a",
		"rsync":                      "echo new text >/tmp/$$; rsync -I /tmp/$$ a; rm /tmp/$$",
		"mv of a temporary":          "echo new text >t; mv t a",
		"backup, then a new file":    "mv a a~; echo new text >a",
		"backup, then a rename":      "echo new text >t; mv a a.bak; mv t a",
		"in place":                   "echo new text >a",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.sh("echo old text >a")
			was := w.mustInode("a").Node
			w.sh(script)
			if got := w.mustInode("a"); got.Node != was {
				t.Errorf("the document is node %d, was %d", got.Node, was)
			}
			if got := w.bytes("a"); got != "new text\n" {
				t.Errorf("it holds %q", got)
			}
			if out := w.sh("cat a"); out != "new text" {
				t.Errorf("the mount shows %q", out)
			}
			for _, kept := range []string{"a~", "a.bak"} {
				if ino, ok := w.inode(kept); ok && (w.bytes(kept) != "old text\n" || w.sh("cat "+kept) != "old text") {
					t.Errorf("the backup %v holds %q", ino, w.bytes(kept))
				}
			}
			// Saving again finds everything in order.
			w.sh("rm -f a~ a.bak; echo old text >a;" + script)
			if got := w.mustInode("a"); got.Node != was || w.bytes("a") != "new text\n" {
				t.Errorf("after a second save: node %d, %q", got.Node, w.bytes("a"))
			}
		})
	}
}

func TestABackupIsOneOnlyForAMoment(t *testing.T) {
	w := newWorld(t)
	w.sh("echo old >a; mv a a~")
	was := w.mustInode("a~").Node
	w.skew.Store(int64(backupWindow + 1))
	w.sh("echo new >a")
	if w.mustInode("a~").Node != was {
		t.Error("a file made much later took the identity")
	}
}

func TestLargeFolderIsListedOnce(t *testing.T) {
	w := newWorld(t)
	const n = 3000
	w.remote(func(tx Tx) error {
		for i := range n {
			if _, err := tx.Create(odbxfs.RootNode, "file"+strconv.Itoa(i), 0); err != nil {
				return err
			}
		}
		return nil
	})
	for range 2 {
		if out := w.sh("ls | sort -u | wc -l; ls -l | wc -l; find . -type f | wc -l"); out != "3000\n3001\n3000" {
			t.Errorf("listed %q", out)
		}
	}
	if out := w.sh("rm -r ./*; ls | wc -l"); out != "0" {
		t.Errorf("left %s", out)
	}
}
