package daemon

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"odbxfs"
	"odbxfs/cmd/odbxfs/config"
)

// settings are such that nobody is asked for anything before it is needed.
func settings(t *testing.T) config.Config {
	t.Helper()
	c := config.Defaults()
	c.State = t.TempDir()
	c.Odoo.URL, c.Odoo.Database = "http://127.0.0.1:1", "prod"
	c.Mount.Login = config.Login{Login: "anna"}
	c.Sync.Login = config.Login{Login: "odbxfs"}
	return c
}

func TestEachLoginServerAndModeHasItsStore(t *testing.T) {
	base := settings(t)
	dirs := []string{StoreDir(base, Mount), StoreDir(base, Sync), StoreDir(base, Run)}
	for _, change := range []func(*config.Config){
		func(c *config.Config) { c.Odoo.URL = "http://127.0.0.1:2" },
		func(c *config.Config) { c.Odoo.Database = "test" },
		func(c *config.Config) { c.Mount.Login.Login = "bob" },
	} {
		c := base
		change(&c)
		dirs = append(dirs, StoreDir(c, Mount))
	}
	for i, dir := range dirs {
		if filepath.Dir(dir) != base.State {
			t.Errorf("%s is not below %s", dir, base.State)
		}
		if slices.Contains(dirs[:i], dir) {
			t.Errorf("%s belongs to two", dir)
		}
	}
	if StoreDir(base, Sync) != dirs[1] {
		t.Error("the same settings lead to another store")
	}
}

func TestOpenNeedsNoServerButSettings(t *testing.T) {
	for _, mode := range []Mode{Mount, Sync, Run} {
		d, err := Open(t.Context(), Options{Config: settings(t), Mode: mode, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		if (d.ledger != nil) != (mode != Mount) {
			t.Errorf("%s: only the technical user has a ledger", mode)
		}
		if err := d.Close(); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
	for name, change := range map[string]func(*config.Config){
		"no address":  func(c *config.Config) { c.Odoo.URL = "" },
		"no database": func(c *config.Config) { c.Odoo.Database = "" },
		"no login":    func(c *config.Config) { c.Sync.Login.Login = "" },
	} {
		c := settings(t)
		change(&c)
		if _, err := Open(t.Context(), Options{Config: c, Mode: Sync}); !errors.Is(err, config.ErrMissing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPlainModeIsTheMountsWithModels(t *testing.T) {
	c := settings(t)
	c.Mount.Models = []string{"sale.order"}
	for mode, want := range map[Mode]bool{Mount: true, Sync: false, Run: false} {
		if got := plain(Options{Config: c, Mode: mode}); got != want {
			t.Errorf("%s: %t", mode, got)
		}
	}
	if plain(Options{Config: settings(t), Mode: Mount}) {
		t.Error("plain without models")
	}
}

func TestACloudClientWithoutASectionIsTold(t *testing.T) {
	two := map[string]config.Dropbox{"main-account": {AppKey: "a"}, "Other": {AppKey: "b"}}
	b := newBoxes(Options{Config: config.Config{Dropbox: two}})
	if _, err := b.connect(t.Context(), odbxfs.CloudClient{ID: 1, Name: "Main"}); !odbxfs.IsKind(err, odbxfs.KindSettings) || !strings.Contains(err.Error(), "[dropbox.main]") {
		t.Errorf("no section: %v", err)
	}
	if b.content(1) != nil {
		t.Error("an account without a login can be read")
	}
}

func TestLinksAreFetchedFromDropboxOnly(t *testing.T) {
	c := config.Config{Dropbox: map[string]config.Dropbox{"a": {WWW: "http://127.0.0.1:9"}, "b": {}}}
	if got, want := linkHosts(c), []string{"www.dropbox.com", "dl.dropboxusercontent.com", "127.0.0.1:9"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := www(c); got != "http://127.0.0.1:9" {
		t.Errorf("links are made below %q", got)
	}
	if got := www(config.Config{}); got != "https://www.dropbox.com" {
		t.Errorf("links are made below %q", got)
	}
}

func TestALeasesHolderOutlivesTheProcess(t *testing.T) {
	a, b := Options{Store: "/s/a"}, Options{Store: "/s/b"}
	if before, after, other := holder(a), holder(a), holder(b); before != after || before == other {
		t.Errorf("%q, then %q; another store's is %q", before, after, other)
	}
	a.Config.Sync.Holder = "server-1"
	if holder(a) != "server-1" {
		t.Errorf("the one that was set is not taken: %q", holder(a))
	}
}

func TestAnAddressThatIsNoneIsAMistakeOfTheSettings(t *testing.T) {
	opt := options(t, Sync)
	opt.Config.Odoo.URL = "http://user:password@127.0.0.1:1/?x"
	if _, err := Client(opt, opt.Config.Sync.Login); !odbxfs.IsKind(err, odbxfs.KindSettings) {
		t.Errorf("got %v", err)
	}
}
