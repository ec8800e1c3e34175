package scenario

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// toOdoo: what is copied into the mount becomes an attachment, then a file in
// Dropbox, then a link.
var toOdoo = []scenario{
	{name: "a file copied in becomes an attachment, a file in Dropbox, a link", run: copyIn},
	{name: "a picture, an svg and an html file keep their bytes", run: copyPictures},
	{name: "an empty file and odd names", run: oddNames},
	{name: "under policy none a second mount says EACCES and why", run: noLinks},
	{name: "another link policy makes the links anew, by what the account can", run: policies, always: []string{"19/run"}},
	{name: "a mail carries a converted file as a link that opens", run: mailed},
}

func sum(content string) string {
	s := sha1.Sum([]byte(content))
	return hex.EncodeToString(s[:])
}

const pdf = "%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"

func copyIn(t *testing.T, w *World) {
	id, name := w.order(t)
	content := pdf + name
	must(t, os.WriteFile(w.dir+"/a.pdf", []byte(content), 0o644))
	// With the client paused the attachment can be seen before it becomes a link.
	w.setClient(t, map[string]any{"x_paused": true})
	w.eventually(t, "the client is paused", func() error { return w.statusHas(t, "cloud client Demo: paused") })
	sh(t, w.dir, `cp a.pdf "$1"`, w.in("Sales Orders", name)+"/")
	before := w.one(t, "sale.order", id, "a.pdf", func(d document) error { return binaryOf(d, content) })
	if before.Mimetype != "application/pdf" || before.URL != "" || !w.odoo.stored(t, sum(content)) {
		t.Errorf("the attachment of what was copied in: %+v", before)
	}
	w.setClient(t, map[string]any{"x_paused": false})

	w.eventually(t, "the same bytes in Dropbox", func() error { return holds(w.box2("Sales Orders", name, "a.pdf"), content) })
	link := w.one(t, "sale.order", id, "a.pdf", func(d document) error {
		if d.Type != "url" || d.Stored != "" {
			return fmt.Errorf("no link yet: %+v", d)
		}
		return nil
	})
	if link.ID != before.ID || link.Checksum != sum(content) || link.Size != 0 {
		t.Errorf("the link's row: %+v", link)
	}
	var hints []struct {
		Size     float64 `json:"x_odbxfs_size"`
		Mimetype string  `json:"x_odbxfs_mimetype"`
	}
	must(t, w.odoo.call(t.Context(), "ir.attachment", "read", []any{[]int64{link.ID}, []string{"x_odbxfs_size", "x_odbxfs_mimetype"}}, nil, &hints))
	if hints[0].Size != float64(len(content)) || hints[0].Mimetype != "application/pdf" {
		t.Errorf("the link's true size and type: %+v", hints[0])
	}
	w.vacuum(t)
	if w.odoo.stored(t, sum(content)) {
		t.Error("the binary is still in the filestore after Odoo's own cleaner")
	}
	must(t, holds(w.in("Sales Orders", name, "a.pdf"), content))
	opens(t, link.URL, content)
	w.secondMount(t, name, content)
}

// opens fetches a public link as its reader would.
func opens(t *testing.T, url, content string) {
	t.Helper()
	resp, err := http.Get(strings.Replace(url, "dl=0", "dl=1", 1))
	must(t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	must(t, err)
	if resp.StatusCode != http.StatusOK || string(got) != content {
		t.Errorf("%s: %s, %q", url, resp.Status, clip(string(got)))
	}
}

// secondMount reads the file through another mount with an empty store and no
// Dropbox login; the emulator's log shows the fetch by the public link.
func (w *World) secondMount(t *testing.T, order, content string) {
	t.Helper()
	other := w.another(t)
	other.startProcess(t, "mount")
	defer other.down(t)
	before := len(w.box.Requests())
	other.eventually(t, "the same bytes in a second mount", func() error { return holds(other.in("Sales Orders", order, "a.pdf"), content) })
	fetched := false
	for _, r := range w.box.Requests()[before:] {
		fetched = fetched || r.Route == "scl/fi" && strings.HasSuffix(r.Item, "/a.pdf")
	}
	if !fetched {
		t.Error("the emulator's log shows no fetch of the public link")
	}
}

// another is a second workstation on the same servers: an empty store, and no
// Dropbox login.
func (w *World) another(t *testing.T) *World {
	t.Helper()
	other := *w
	other.procs, other.told = map[string]*process{}, told{said: map[string]*buffer{}, since: time.Now()}
	other.dir = t.TempDir()
	other.mount, other.state, other.cfg = other.dir+"/odoo", other.dir+"/state", other.dir+"/config.toml"
	url, database := w.odoo.address()
	must(t, os.WriteFile(other.cfg, fmt.Appendf(nil, `state = %q
[odoo]
url = %q
database = %q
[mount]
dir = %q
login = "demo"
password_env = "MOUNT_PASSWORD"
interval = "500ms"
[dropbox.demo]
www_url = %q
`, other.state, url, database, other.mount, w.box.URL()), 0o600))
	return &other
}

// statusHas waits for what the process that works on Dropbox says of itself.
func (w *World) statusHas(t *testing.T, text string) error {
	t.Helper()
	said, _ := w.odbxfs(t, "status", "--of", w.commands()[0])
	if !strings.Contains(said, text) {
		return fmt.Errorf("status says %s", said)
	}
	return nil
}

// vacuum runs Odoo's own cleaner.
func (w *World) vacuum(t *testing.T) {
	t.Helper()
	if srv := w.odoo.real(); srv != nil {
		must(t, srv.RunCron(t.Context(), "base.autovacuum_job"))
		return
	}
	must(t, w.odoo.call(t.Context(), "ir.cron", "method_direct_trigger", []any{[]int64{1}}, nil, nil))
}

// picture is a png of that many pixels.
func picture(width, height int) string {
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range width {
		img.SetGray(i, i%height, color.Gray{Y: uint8(i)})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.String()
}

func copyPictures(t *testing.T, w *World) {
	id, name := w.order(t)
	files := map[string]string{
		"big.png":  picture(2500, 1300),
		"v.svg":    `<svg xmlns="http://www.w3.org/2000/svg"><rect width="1" height="1"/></svg>`,
		"page.htm": "<html><body><b>Käse</b></body></html>",
	}
	for file, content := range files {
		must(t, os.WriteFile(w.dir+"/"+file, []byte(content), 0o644))
		sh(t, w.dir, `cp "$1" "$2"`, file, w.in("Sales Orders", name)+"/")
	}
	for file, content := range files {
		w.eventually(t, file+" in Dropbox", func() error { return holds(w.box2("Sales Orders", name, file), content) })
		w.one(t, "sale.order", id, file, func(d document) error {
			if file == "big.png" && (d.Type != "binary" || d.Size != int64(len(content)) || d.Mimetype != "image/png") {
				return fmt.Errorf("a picture stays binary: %+v", d)
			}
			if file != "big.png" && d.Type != "url" {
				return fmt.Errorf("no link yet: %+v", d)
			}
			if d.Checksum != sum(content) {
				return fmt.Errorf("other bytes than were copied in: %+v", d)
			}
			return nil
		})
		must(t, holds(w.in("Sales Orders", name, file), content))
	}
}

func oddNames(t *testing.T, w *World) {
	id, name := w.order(t)
	names := []string{"empty.txt", "ümläut ß.txt", "a b  c.txt", "Case.txt", "case.TXT", "quote'\"&<>.txt", "end .txt", "back\\slash.txt", strings.Repeat("l", 250) + ".txt"}
	for _, n := range names {
		content := n
		if n == "empty.txt" {
			content = ""
		}
		must(t, os.WriteFile(w.in("Sales Orders", name, n), []byte(content), 0o644))
	}
	for _, n := range names {
		w.one(t, "sale.order", id, n, func(d document) error {
			if d.Type != "url" {
				return fmt.Errorf("no link yet: %+v", d)
			}
			return nil
		})
		if n != "empty.txt" {
			must(t, holds(w.in("Sales Orders", name, n), n))
		}
	}
	inBox, err := os.ReadDir(w.box2("Sales Orders", name))
	must(t, err)
	if len(inBox) != len(names)+1 { // and the folder Contracts
		t.Errorf("%d entries in Dropbox for %d files", len(inBox), len(names))
	}
	sh(t, w.in("Sales Orders", name), "rm -- *.txt *.TXT")
	w.eventually(t, "all gone in Odoo", func() error {
		if left := w.odoo.documents(t, "sale.order", id); len(left) > 0 {
			return fmt.Errorf("%d left", len(left))
		}
		return nil
	})
}
