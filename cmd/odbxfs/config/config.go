package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

// Config is everything that can be set. What a setting means stands in its
// field's help tag, which [Settings] reads: nowhere else.
type Config struct {
	State   string             `koanf:"state" help:"the folder of the stores, one for each command, server and login"`
	Odoo    Odoo               `koanf:"odoo"`
	Mount   Mount              `koanf:"mount"`
	Sync    Sync               `koanf:"sync"`
	Setup   Setup              `koanf:"setup"`
	Dropbox map[string]Dropbox `koanf:"dropbox"`
}

// Odoo says which server and which database.
type Odoo struct {
	URL       string        `koanf:"url" help:"Odoo's address, as https://odoo.example.com"`
	Database  string        `koanf:"database" help:"the name of Odoo's database"`
	Transport string        `koanf:"transport" help:"how Odoo is spoken to: auto, xmlrpc, session or json2 (an API key, Odoo 19)"`
	Timeout   time.Duration `koanf:"timeout" help:"how long one call without content may take"`
}

// Login is an Odoo login and where its password or API key comes from.
type Login struct {
	Login  string `koanf:"login" help:"the login in Odoo"`
	Secret `koanf:",squash"`
}

// Mount is what `odbxfs mount` and the mount of `odbxfs run` use.
type Mount struct {
	Login      `koanf:",squash"`
	Dir        string        `koanf:"dir" help:"where to mount when the command names no folder"`
	Models     []string      `koanf:"models" help:"models to show where odbxfs was not set up in Odoo (plain mode), as [\"sale.order\"]; with commas in the environment"`
	AllowOther bool          `koanf:"allow_other" help:"let other users of this machine in (needs user_allow_other in /etc/fuse.conf)"`
	NonEmpty   bool          `koanf:"nonempty" help:"mount over a folder that is not empty, and hide what is in it"`
	Interval   time.Duration `koanf:"interval" help:"the time between two looks at Odoo"`
	CacheSize  int64         `koanf:"cache_size" help:"how many bytes of contents may be kept here that Odoo or Dropbox has too"`
}

// Sync is what `odbxfs sync` and `odbxfs run` use.
type Sync struct {
	Login  `koanf:",squash"`
	Poll   time.Duration `koanf:"poll" help:"the time between two looks at Odoo's changes, each of which compares counts too"`
	Holder string        `koanf:"holder" help:"this machine's name in the lease (default: the host's name)"`
	// HoldDeletions counts those of one pass; below it, 20% of a client's items
	// ask too when those are at least 10.
	HoldDeletions int `koanf:"hold_deletions" help:"above how many deletions at once a person is asked; 0 asks never"`
}

// Setup is the login that `odbxfs setup` uses: one with Settings rights. It is
// needed for setup only.
type Setup struct {
	Login `koanf:",squash"`
}

// Dropbox is the login of one cloud client, by the client's name in Odoo.
type Dropbox struct {
	Secret `koanf:",squash"` // a refresh token with AppKey, else an access token
	AppKey string            `koanf:"app_key" help:"the key of your Dropbox app: the secret is a refresh token then, else an access token"`
	// TeamSpace and SelectUser are for Dropbox teams.
	TeamSpace  bool   `koanf:"team_space" help:"paths begin at the team's space, not in the member's own folder"`
	SelectUser string `koanf:"select_user" help:"the member (dbmid:...) that a team's token works as"`
	// The limits may change while a daemon runs: it reads the file again.
	UploadLimit   string `koanf:"upload_limit" help:"bytes a second to Dropbox, as 512k, 2M or off, or by the time of day, as \"08:00,512k 19:00,off\"; holds within seconds of a change"`
	DownloadLimit string `koanf:"download_limit" help:"the same for what is read from Dropbox"`
	// The base URLs, for a Dropbox that stands elsewhere.
	API     string `koanf:"api_url" help:"another address for Dropbox's API, for tests"`
	Content string `koanf:"content_url" help:"another address for Dropbox's contents, for tests"`
	Notify  string `koanf:"notify_url" help:"another address for Dropbox's notifications, for tests"`
	WWW     string `koanf:"www_url" help:"another address for Dropbox's links, for tests"`
}

// Defaults is a Config with every default.
func Defaults() Config {
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		state = filepath.Join(os.Getenv("HOME"), ".local", "state")
	}
	return Config{
		State: filepath.Join(state, "odbxfs"),
		Odoo:  Odoo{Transport: "auto", Timeout: time.Minute},
		Mount: Mount{Interval: 10 * time.Second, CacheSize: 10 << 30},
		Sync:  Sync{Poll: 10 * time.Second, HoldDeletions: 200},
	}
}

// DefaultPath is where the config file is looked for when none is named:
// $XDG_CONFIG_HOME/odbxfs/config.toml.
func DefaultPath() string {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if dir == "" {
		dir = filepath.Join(os.Getenv("HOME"), ".config")
	}
	return filepath.Join(dir, "odbxfs", "config.toml")
}

// Load reads the file and the environment over the defaults. With mustExist
// false a missing file is as good as an empty one. What is wrong is named with
// its place: the file's line, the setting, or the variable.
func Load(path string, mustExist bool, environ []string) (Config, error) {
	k := koanf.New(".")
	err := k.Load(file.Provider(path), toml.Parser())
	if err != nil && (mustExist || !errors.Is(err, fs.ErrNotExist)) {
		return Config{}, fmt.Errorf("read config %s: %w", at(path, err), err)
	}
	if err := checkFile(k, path); err != nil {
		return Config{}, err
	}
	if err := fromFolder(k, filepath.Dir(path)); err != nil {
		return Config{}, fmt.Errorf("config %s: %w", path, err)
	}
	if err := loadEnv(k, environ); err != nil {
		return Config{}, err
	}
	c := Defaults()
	if err := k.Unmarshal("", &c); err != nil {
		return Config{}, fmt.Errorf("config %s: %w", path, err)
	}
	c.Mount.Dir = home(c.Mount.Dir)
	if c.State, err = filepath.Abs(home(c.State)); err != nil {
		return Config{}, fmt.Errorf("config %s: find the folder of the stores: %w", path, err)
	}
	c.nameSecrets()
	return c, c.check()
}

// fromFolder lets relative paths of the file begin at its folder. Where they
// began at the working directory, a command would look for its daemon's store,
// and a service for its secrets, wherever it happened to be started.
func fromFolder(k *koanf.Koanf, dir string) error {
	for _, key := range k.Keys() {
		name := key[strings.LastIndexByte(key, '.')+1:]
		if key != "state" && key != "mount.dir" && name != "password_file" {
			continue
		}
		p := home(k.String(key))
		if p == "" || filepath.IsAbs(p) {
			continue
		}
		abs, err := filepath.Abs(filepath.Join(dir, p))
		if err != nil {
			return err
		}
		if err := k.Set(key, abs); err != nil {
			return err
		}
	}
	return nil
}

// at gives the place of a mistake of syntax: file:line:column.
func at(path string, err error) string {
	var e interface {
		error
		Position() (row, column int)
	}
	if !errors.As(err, &e) {
		return path
	}
	row, column := e.Position()
	return fmt.Sprintf("%s:%d:%d", path, row, column)
}

// nameSecrets lets the errors of each secret say whose it is.
func (c *Config) nameSecrets() {
	c.Mount.section, c.Sync.section, c.Setup.section = "mount", "sync", "setup"
	for name, d := range c.Dropbox {
		d.section = "dropbox." + name
		c.Dropbox[name] = d
	}
}

// ErrMissing says that too little is set to speak to Odoo.
var ErrMissing = errors.New("settings are missing")

// Needs gives [ErrMissing], with the names of what is missing to speak to Odoo
// with this login.
func (c Config) Needs(l Login) error {
	var missing []string
	for _, s := range []struct{ name, value string }{
		{"odoo.url", c.Odoo.URL}, {"odoo.database", c.Odoo.Database}, {strings.TrimPrefix(l.section+".login", "."), l.Login},
	} {
		if s.value == "" {
			missing = append(missing, s.name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrMissing, strings.Join(missing, ", "))
}

func (c Config) check() error {
	if c.Odoo.URL != "" && !strings.HasPrefix(c.Odoo.URL, "http://") && !strings.HasPrefix(c.Odoo.URL, "https://") {
		return fmt.Errorf("odoo.url is %q; it must begin with https:// (or http://)", c.Odoo.URL)
	}
	if !slices.Contains([]string{"auto", "xmlrpc", "session", "json2"}, c.Odoo.Transport) {
		return fmt.Errorf("odoo.transport is %q; it is one of auto, xmlrpc, session, json2", c.Odoo.Transport)
	}
	for _, t := range []struct {
		name  string
		value time.Duration
	}{{"sync.poll", c.Sync.Poll}, {"mount.interval", c.Mount.Interval}} {
		if t.value < leastPause {
			return fmt.Errorf("%s is %s; Odoo is not asked more often than every %s", t.name, t.value, leastPause)
		}
	}
	for name, d := range c.Dropbox {
		if err := d.check(name); err != nil {
			return err
		}
	}
	return nil
}

// leastPause is the shortest time between two looks at Odoo that can be set: a
// shorter one leaves no time for anything else, and sync --once never ends.
const leastPause = 100 * time.Millisecond

// home puts the home folder for a leading ~.
func home(path string) string {
	if path == "~" || strings.HasPrefix(path, "~/") {
		return filepath.Join(os.Getenv("HOME"), path[1:])
	}
	return path
}
