package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const full = `
state = "/s"
[odoo]
url = "https://odoo.example.com"
database = "prod"
[mount]
login = "anna"
password_file = "/p"
models = ["sale.order", "project.project"]
[sync]
login = "odbxfs"
password_command = "pass odbxfs"
interval = "5m"
[dropbox.main]
app_key = "k"
password_env = "TOKEN"
`

func TestFileAndEnvironment(t *testing.T) {
	c, err := Load(write(t, full), true, []string{"ODBXFS_ODOO_URL=http://other", "ODBXFS_DROPBOX_MAIN_APP_KEY=k2", "ODBXFS_MOUNT_CACHE_SIZE=5", "HOME=/x"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Odoo.URL != "http://other" || c.Odoo.Database != "prod" || c.Mount.Login.Login != "anna" || c.Mount.PasswordFile != "/p" {
		t.Errorf("got %+v", c)
	}
	if c.Sync.Interval != 5*time.Minute || c.Sync.Poll != 10*time.Second || c.Mount.CacheSize != 5 || len(c.Mount.Models) != 2 {
		t.Errorf("got %+v", c)
	}
	if d := c.Dropbox["main"]; d.AppKey != "k2" || d.PasswordEnv != "TOKEN" {
		t.Errorf("got %+v", d)
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	for _, c := range []struct{ name, file, env, want string }{
		{"an unknown key names the nearest", "[odoo]\nurll = 'x'", "", `there is no setting "odoo.urll"; the nearest is "odoo.url"`},
		{"an unknown key of a client", "[dropbox.a]\napp_kye = 'x'", "", `"dropbox.*.app_key"`},
		{"an unknown variable", "", "ODBXFS_ODOO_ULR=x", "nearest is ODBXFS_ODOO_URL"},
		{"an address without scheme", "[odoo]\nurl = 'odoo.example.com'", "", "must begin with https://"},
		{"a transport that is none", "[odoo]\ntransport = 'soap'", "", "one of auto, xmlrpc"},
		{"no TOML", "[odoo", "", "read config"},
		{"a duration that is none", "[sync]\ninterval = 'soon'", "", "interval"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(write(t, c.file), true, []string{c.env})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.toml")
	if _, err := Load(path, true, nil); err == nil {
		t.Error("a named file that is not there must be an error")
	}
	if _, err := Load(path, false, nil); err != nil {
		t.Errorf("without a file the defaults hold: %v", err)
	}
}

func TestSecretSources(t *testing.T) {
	dir := t.TempDir()
	private, open := filepath.Join(dir, "private"), filepath.Join(dir, "open")
	for path, mode := range map[string]os.FileMode{private: 0o600, open: 0o644} {
		if err := os.WriteFile(path, []byte("geheim\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SECRET_HERE", "geheim")
	for _, c := range []struct {
		name string
		s    Secret
		want string // in the error; empty: the secret must be read
	}{
		{"a private file", Secret{PasswordFile: private}, ""},
		{"a command", Secret{PasswordCommand: "echo geheim"}, ""},
		{"a variable", Secret{PasswordEnv: "SECRET_HERE"}, ""},
		{"a file that others can read", Secret{PasswordFile: open}, "chmod 600"},
		{"a command that fails", Secret{PasswordCommand: "exit 3"}, "exit status 3"},
		{"nothing in the variable", Secret{PasswordEnv: "SECRET_NOT_HERE"}, "gave nothing"},
		{"two sources", Secret{PasswordEnv: "A", PasswordFile: private}, "more than one source"},
		{"no source", Secret{}, "no source"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.s.Read(t.Context())
			switch {
			case c.want == "" && (err != nil || got != "geheim"):
				t.Errorf("got %q, %v", got, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}
