package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

// Config is everything that can be set.
type Config struct {
	// State is the folder of the stores. Default: $XDG_STATE_HOME/odbxfs.
	State   string             `koanf:"state"`
	Odoo    Odoo               `koanf:"odoo"`
	Mount   Mount              `koanf:"mount"`
	Sync    Sync               `koanf:"sync"`
	Setup   Setup              `koanf:"setup"`
	Dropbox map[string]Dropbox `koanf:"dropbox"`
}

// Odoo says which server and which database.
type Odoo struct {
	URL      string `koanf:"url"`
	Database string `koanf:"database"`
	// Transport is auto, xmlrpc, session or json2. Default: auto.
	Transport string `koanf:"transport"`
	// Timeout is for one call without content. Default: 60s.
	Timeout time.Duration `koanf:"timeout"`
}

// Login is an Odoo login and where its password or API key comes from.
type Login struct {
	Login  string `koanf:"login"`
	Secret `koanf:",squash"`
}

// Mount is what `odbxfs mount` and the mount of `odbxfs run` use.
type Mount struct {
	Login `koanf:",squash"`
	Dir   string `koanf:"dir"`
	// Models are shown where Odoo was not set up for odbxfs (plain mode).
	Models     []string `koanf:"models"`
	AllowOther bool     `koanf:"allow_other"`
	// Interval is the time between two looks at Odoo. Default: 10s.
	Interval time.Duration `koanf:"interval"`
	// CacheSize bounds the clean contents kept here, in bytes. Default: 10 GiB.
	CacheSize int64 `koanf:"cache_size"`
}

// Sync is what `odbxfs sync` and `odbxfs run` use.
type Sync struct {
	Login `koanf:",squash"`
	// Interval is the time between two full checks. Default: 15m; changes are
	// seen sooner.
	Interval time.Duration `koanf:"interval"`
	// Poll is the time between two looks at Odoo's changes. Default: 10s.
	Poll time.Duration `koanf:"poll"`
	// Holder names this host in the lease. Default: the host's name.
	Holder string `koanf:"holder"`
	// HoldDeletions is the number of deletions in one pass above which a
	// person is asked; 0 asks never. Default: 200, or 20% of a client's items
	// when those are at least 10.
	HoldDeletions int `koanf:"hold_deletions"`
}

// Setup is the login that `odbxfs setup` uses: one with Settings rights. It is
// needed for setup only.
type Setup struct {
	Login `koanf:",squash"`
}

// Dropbox is the login of one cloud client, by the client's name in Odoo.
type Dropbox struct {
	Secret `koanf:",squash"` // a refresh token with AppKey, else an access token
	AppKey string            `koanf:"app_key"`
	// The base URLs, for a Dropbox that stands elsewhere.
	API     string `koanf:"api_url"`
	Content string `koanf:"content_url"`
	Notify  string `koanf:"notify_url"`
	WWW     string `koanf:"www_url"`
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
		Sync:  Sync{Interval: 15 * time.Minute, Poll: 10 * time.Second, HoldDeletions: 200},
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
// false a missing file is as good as an empty one.
func Load(path string, mustExist bool, environ []string) (Config, error) {
	k := koanf.New(".")
	err := k.Load(file.Provider(path), toml.Parser())
	if err != nil && (mustExist || !errors.Is(err, fs.ErrNotExist)) {
		return Config{}, fmt.Errorf("read config %s: %w", path, err)
	}
	if err := checkKeys(k.Keys(), path); err != nil {
		return Config{}, err
	}
	opt := env.Opt{Prefix: envPrefix, TransformFunc: fromEnv, EnvironFunc: func() []string { return environ }}
	if err := k.Load(env.Provider(".", opt), nil); err != nil {
		return Config{}, fmt.Errorf("read settings from the environment: %w", err)
	}
	if err := checkEnv(environ); err != nil {
		return Config{}, err
	}
	c := Defaults()
	if err := k.Unmarshal("", &c); err != nil {
		return Config{}, fmt.Errorf("config %s: %w", path, err)
	}
	c.State, c.Mount.Dir = home(c.State), home(c.Mount.Dir)
	return c, c.check()
}

func (c Config) check() error {
	if c.Odoo.URL != "" && !strings.HasPrefix(c.Odoo.URL, "http://") && !strings.HasPrefix(c.Odoo.URL, "https://") {
		return fmt.Errorf("odoo.url is %q; it must begin with https:// (or http://)", c.Odoo.URL)
	}
	if !slices.Contains([]string{"auto", "xmlrpc", "session", "json2"}, c.Odoo.Transport) {
		return fmt.Errorf("odoo.transport is %q; it is one of auto, xmlrpc, session, json2", c.Odoo.Transport)
	}
	return nil
}

// home puts the home folder for a leading ~.
func home(path string) string {
	if path == "~" || strings.HasPrefix(path, "~/") {
		return filepath.Join(os.Getenv("HOME"), path[1:])
	}
	return path
}

// keys lists every key of a struct type, nested ones with dots; those of a map
// have "*" for the map's key.
func keys(t reflect.Type, prefix string) []string {
	var all []string
	for f := range t.Fields() {
		name, opts, _ := strings.Cut(f.Tag.Get("koanf"), ",")
		switch {
		case opts == "squash":
			all = append(all, keys(f.Type, prefix)...)
		case f.Type.Kind() == reflect.Struct:
			all = append(all, keys(f.Type, prefix+name+".")...)
		case f.Type.Kind() == reflect.Map:
			all = append(all, keys(f.Type.Elem(), prefix+name+".*.")...)
		default:
			all = append(all, prefix+name)
		}
	}
	return all
}

// Keys lists every setting; * stands for the name of a cloud client.
func Keys() []string { return keys(reflect.TypeFor[Config](), "") }

func checkKeys(used []string, path string) error {
	known := Keys()
	for _, key := range used {
		if !slices.ContainsFunc(known, func(pattern string) bool { return matches(key, pattern) }) {
			return fmt.Errorf("config %s: there is no setting %q; the nearest is %q", path, key, nearest(key, known))
		}
	}
	return nil
}

func matches(key, pattern string) bool {
	a, b := strings.Split(key, "."), strings.Split(pattern, ".")
	return len(a) == len(b) && !slices.ContainsFunc(pairs(a, b), func(p [2]string) bool { return p[0] != p[1] && p[1] != "*" })
}

func pairs(a, b []string) [][2]string {
	all := make([][2]string, len(a))
	for i := range a {
		all[i] = [2]string{a[i], b[i]}
	}
	return all
}
