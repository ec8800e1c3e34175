package scenario

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// untouchedOdoo: what works without setup.
var untouchedOdoo = []scenario{
	{name: "plain mode on an untouched Odoo, as an employee", run: plainMode, stage: untouched},
}

// plainConfig makes the world's config one of plain mode. There is no sync
// without setup: the column "run" mounts over the transport that is chosen by
// asking, the column "apart" over XML-RPC, which every version has.
func (w *World) plainConfig(t *testing.T) {
	t.Helper()
	_, database := w.odoo.address()
	transport := "auto"
	if w.wiring == "apart" {
		transport = "xmlrpc"
	}
	must(t, os.WriteFile(w.cfg, fmt.Appendf(nil, `state = %q
[odoo]
url = %q
database = %q
transport = %q
[mount]
dir = %q
login = "demo"
password_file = "%s/mount.secret"
interval = "500ms"
models = ["sale.order"]
`, w.state, w.wire.odoo.URL, database, transport, w.mount, w.dir), 0o600))
}

func plainMode(t *testing.T, w *World) {
	w.plainConfig(t)
	defer w.writeConfig(t)
	first, firstName := w.newOrder(t)
	second, secondName := w.newOrder(t)
	var made int64
	must(t, w.odoo.call(t.Context(), "ir.attachment", "create", []any{map[string]any{
		"name": "there.txt", "res_model": "sale.order", "res_id": first, "datas": "dGhlcmU="}}, nil, &made))
	w.startProcess(t, "mount")
	defer w.down(t)
	var orders string
	w.eventually(t, "the orders show", func() error {
		top, err := os.ReadDir(w.mount)
		if err != nil || len(top) != 1 {
			return fmt.Errorf("%v in the mount, %w", top, err)
		}
		orders = w.in(top[0].Name())
		return holds(filepath.Join(orders, firstName, "there.txt"), "there")
	})
	dir, other := filepath.Join(orders, firstName), filepath.Join(orders, secondName)

	sh(t, dir, `printf one > new.txt; printf there2 > there.txt; printf ' more' >> new.txt`)
	fresh := w.one(t, "sale.order", first, "new.txt", func(d document) error { return binaryOf(d, "one more") })
	if d := w.one(t, "sale.order", first, "there.txt", func(d document) error { return binaryOf(d, "there2") }); d.ID != made {
		t.Errorf("written over, %d is now %d", made, d.ID)
	}
	sh(t, dir, `mv new.txt renamed.txt`)
	if d := w.one(t, "sale.order", first, "renamed.txt", func(d document) error { return binaryOf(d, "one more") }); d.ID != fresh.ID {
		t.Errorf("renamed, %d is now %d", fresh.ID, d.ID)
	}
	sh(t, dir, `mv renamed.txt "$1"/moved.txt`, other)
	if d := w.one(t, "sale.order", second, "moved.txt", func(d document) error { return binaryOf(d, "one more") }); d.ID != fresh.ID {
		t.Errorf("moved, %d is now %d", fresh.ID, d.ID)
	}
	sh(t, other, `rm moved.txt`)
	w.eventually(t, "deleted in Odoo", func() error {
		if docs := w.odoo.documents(t, "sale.order", second); len(docs) > 0 {
			return fmt.Errorf("left: %+v", docs)
		}
		return nil
	})
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); !errors.Is(err, syscall.EPERM) {
		t.Errorf("mkdir in plain mode: %v, want EPERM", err)
	}
	// What is done in Odoo shows.
	must(t, w.odoo.call(t.Context(), "ir.attachment", "write", []any{[]int64{made}, map[string]any{"name": "by Odoo.txt"}}, nil, nil))
	w.eventually(t, "a rename of Odoo shows", func() error { return holds(filepath.Join(dir, "by Odoo.txt"), "there2") })
	must(t, gone(filepath.Join(dir, "there.txt")))
	must(t, w.odoo.call(t.Context(), "ir.attachment", "unlink", []any{[]int64{made}}, nil, nil))
	w.eventually(t, "a deletion of Odoo shows", func() error { return gone(filepath.Join(dir, "by Odoo.txt")) })
}
