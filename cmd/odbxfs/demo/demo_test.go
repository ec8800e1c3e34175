package demo

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The demo's servers stand and end; the scripts of cmd/odbxfs see the rest.
func TestServersStandAndEnd(t *testing.T) {
	dir := t.TempDir()
	start := time.Now()
	d, err := Start(t.Context(), Options{Dir: dir, Program: "./odbxfs"})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("ready after %s", took)
	}
	if _, err := Start(t.Context(), Options{Dir: dir}); !errors.Is(err, ErrRunning) {
		t.Errorf("a second one takes the first one's folder: %v", err)
	}
	for _, name := range []string{"odoo", "dropbox"} {
		info, err := os.Stat(filepath.Join(dir, "state", name+".secret"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the secret of %s: %v, %v", name, info, err)
		}
	}
	if got, err := d.Config.Sync.Read(t.Context()); err != nil || got != technicalPassword {
		t.Errorf("the config leads to %q, %v", got, err)
	}
	tour := d.Tour("d")
	for _, want := range []string{"./odbxfs demo --dir d status", "d/dropbox/Odoo/Sales Orders/S00001", "Ctrl-C"} {
		if !strings.Contains(tour, want) {
			t.Errorf("the tour does not tell of %q", want)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.Config.Odoo.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Error("Odoo still answers")
	}
}
