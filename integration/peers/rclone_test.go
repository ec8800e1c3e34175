package peers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// rcloneConf has a token that ended: rclone refreshes it first.
const rcloneConf = `[dbx]
type = dropbox
token = {"access_token":"sl.old","token_type":"bearer","refresh_token":"` + refreshToken + `","expiry":"2020-01-01T00:00:00Z"}
`

func (d *driver) makeTree() error {
	for i := range 40 {
		p := filepath.Join(d.dir, "src", fmt.Sprintf("d%d", i%4), fmt.Sprintf("file %d äö 😀.txt", i))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(p, bytes.Repeat([]byte{byte(i)}, i*997), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(d.dir, "src", "big.bin"), bytes.Repeat([]byte("0123456789"), 1_100_000), 0o644)
}

// call runs one rclone command.
func (d *driver) call(args ...string) string {
	return d.run(d.program, append([]string{"--config", filepath.Join(d.dir, "rclone.conf"), "--retries", "1", "--low-level-retries", "2"}, args...)...)
}

func (d *driver) rclone() {
	if d.failed(errors.Join(os.WriteFile(filepath.Join(d.dir, "rclone.conf"), []byte(rcloneConf), 0o600), d.makeTree())) {
		return
	}
	d.rcloneCopies()
	d.rcloneChanges()
	d.rcloneBisync()
}

func (d *driver) rcloneCopies() {
	d.call("copy", "src", "dbx:/dst", "--dropbox-chunk-size", "4M")
	d.call("check", "src", "dbx:/dst") // by content_hash
	d.call("check", "--download", "src", "dbx:/dst")
	d.want("files after copy", fmt.Sprint(strings.Count(d.call("lsf", "-R", "--files-only", "dbx:dst"), "\n")), "41")
	before := d.srv.Counts()["files/upload_session/start"]
	d.call("copy", "src", "dbx:/dst")
	d.want("uploads of a second copy", fmt.Sprint(d.srv.Counts()["files/upload_session/start"]-before), "0")
	for mode, args := range map[string][]string{"async": {"--dropbox-batch-mode", "async", "--dropbox-batch-timeout", "300ms"}, "off": {"--dropbox-batch-mode", "off"}} {
		d.call(append([]string{"copy", "src/d0", "dbx:mode-" + mode}, args...)...)
		d.call("check", "src/d0", "dbx:mode-"+mode)
	}
	d.want("hashes here and there", sortedLines(d.call("hashsum", "dropbox", "src/d0")), sortedLines(d.call("hashsum", "dropbox", "dbx:mode-off")))
}

func (d *driver) rcloneChanges() {
	d.call("moveto", "dbx:dst/big.bin", "dbx:dst/BIG2.bin")
	d.want("moved", d.call("lsf", "dbx:dst", "--files-only"), "BIG2.bin\n")
	d.want("cat with offset", d.call("cat", "--offset", "5", "--count", "7", "dbx:dst/BIG2.bin"), "5678901")
	d.call("move", "dbx:dst/d0", "dbx:moved")
	d.call("check", "src/d0", "dbx:moved")
	d.call("copy", "dbx:moved", "dbx:copied") // on the server
	d.call("check", "src/d0", "dbx:copied")
	d.call("copy", "dbx:moved", "back")
	d.call("check", "back", "src/d0")
	d.call("deletefile", "dbx:dst/BIG2.bin")
	d.call("purge", "dbx:moved")
	d.call("sync", "src/d1", "dbx:copied") // deletes what is only there
	d.call("check", "src/d1", "dbx:copied")
	d.want("root", d.call("lsf", "dbx:"), "copied/\ndst/\nmode-async/\nmode-off/\n")
	if about := d.call("about", "dbx:"); !strings.Contains(about, "2 Gi") {
		d.errs = append(d.errs, fmt.Errorf("about: %q", about))
	}
	if link := d.call("link", "dbx:copied"); !strings.Contains(link, "/scl/fo/") {
		d.errs = append(d.errs, fmt.Errorf("link: %q", link))
	}
}

// rcloneBisync changes both sides and lets rclone bring them together.
func (d *driver) rcloneBisync() {
	here := filepath.Join(d.dir, "both")
	write := func(name, text string) {
		d.failed(errors.Join(os.MkdirAll(here, 0o755), os.WriteFile(filepath.Join(here, name), []byte(text), 0o644)))
	}
	sync := func(more ...string) {
		d.call(append([]string{"bisync", here, "dbx:both", "--workdir", filepath.Join(d.dir, "bisync")}, more...)...)
	}
	for i := range 5 {
		write(fmt.Sprintf("f%d", i), fmt.Sprint("content ", i))
	}
	d.call("mkdir", "dbx:both")
	sync("--resync")
	write("from-here", "new here")
	d.call("copyto", filepath.Join(d.dir, "src", "d1", "file 1 äö 😀.txt"), "dbx:both/from-there")
	d.call("deletefile", "dbx:both/f3")
	sync()
	d.call("check", here, "dbx:both")
	d.want("both sides", d.call("lsf", "dbx:both"), "f0\nf1\nf2\nf4\nfrom-here\nfrom-there\n")
}

// sortedLines puts lines in order: rclone prints them as they come.
func sortedLines(text string) string {
	return strings.Join(slices.Sorted(strings.SplitSeq(strings.TrimSpace(text), "\n")), "\n")
}
