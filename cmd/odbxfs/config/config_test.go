package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
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
poll = "5s"
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
	if c.Sync.Poll != 5*time.Second || c.Mount.CacheSize != 5 || len(c.Mount.Models) != 2 {
		t.Errorf("got %+v", c)
	}
	if d := c.Dropbox["main"]; d.AppKey != "k2" || d.PasswordEnv != "TOKEN" {
		t.Errorf("got %+v", d)
	}
}

// A command that is started elsewhere than its daemon must find the same store.
func TestRelativePathsOfTheFileBeginAtItsFolder(t *testing.T) {
	path := write(t, "state = 'stores'\n[mount]\ndir = '../m'\n[sync]\npassword_file = 's'\n[dropbox.main]\npassword_file = '~/d'")
	t.Setenv("HOME", "/h")
	dir := filepath.Dir(path)
	t.Chdir(t.TempDir())
	c, err := Load(path, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.State != filepath.Join(dir, "stores") || c.Mount.Dir != filepath.Join(filepath.Dir(dir), "m") || c.Sync.PasswordFile != filepath.Join(dir, "s") {
		t.Errorf("got %q, %q, %q below %s", c.State, c.Mount.Dir, c.Sync.PasswordFile, dir)
	}
	if got := c.Dropbox["main"].PasswordFile; got != "/h/d" && got != "~/d" {
		t.Errorf("got %q", got)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if c, err = Load(path, true, []string{"ODBXFS_STATE=here"}); err != nil || c.State != filepath.Join(here, "here") {
		t.Errorf("a path of the environment begins at the working directory %s: got %q, %v", here, c.State, err)
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	for _, c := range []struct{ name, file, env, want string }{
		{"an unknown key names the nearest", "[odoo]\nurll = 'x'", "", `there is no setting "odoo.urll"; the nearest is "odoo.url"`},
		{"an unknown key of a client", "[dropbox.a]\napp_kye = 'x'", "", `"dropbox.*.app_key"`},
		{"an unknown variable", "", "ODBXFS_ODOO_ULR=x", "nearest is ODBXFS_ODOO_URL"},
		{"an address without scheme", "[odoo]\nurl = 'odoo.example.com'", "", "must begin with https://"},
		{"a transport that is none", "[odoo]\ntransport = 'soap'", "", "one of auto, xmlrpc"},
		{"no TOML: where it is wrong", "[mount]\n[odoo", "", "config.toml:2:6: toml: "},
		{"a time that is none", "[sync]\npoll = 'soon'", "", `sync.poll is "soon"; it must be a time above zero`},
		{"a time without a unit", "[sync]\npoll = 5", "", "sync.poll is 5; it must be a time"},
		{"a time that has passed", "[sync]\npoll = '-5s'", "", "sync.poll"},
		{"a time that leaves none", "[sync]\npoll = '1ns'", "", "sync.poll is 1ns; Odoo is not asked more often than every 100ms"},
		{"a number that is none", "[mount]\ncache_size = '10G'", "", `mount.cache_size is "10G"; it must be a whole number`},
		{"a text that is a number", "[odoo]\ndatabase = 19", "", "odoo.database is 19; it must be text in quotes"},
		{"a list that is none", "[mount]\nmodels = 5", "", "it must be a list"},
		{"a switch that is none", "[mount]\nallow_other = 'perhaps'", "", "true or false"},
		{"a section that is a value", "odoo = 'x'", "", `no setting "odoo"`},
		{"a variable that is no time", "", "ODBXFS_MOUNT_INTERVAL=soon", `environment: ODBXFS_MOUNT_INTERVAL is "soon"; it must be a time`},
		{"a variable that is no number", "", "ODBXFS_SYNC_HOLD_DELETIONS=many", "ODBXFS_SYNC_HOLD_DELETIONS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(write(t, c.file), true, []string{c.env})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestVariablesOfAllKindsAreTaken(t *testing.T) {
	c, err := Load(write(t, full), true, []string{
		"ODBXFS_MOUNT_MODELS=sale.order, res.partner", "ODBXFS_MOUNT_ALLOW_OTHER=true", "ODBXFS_SYNC_HOLD_DELETIONS=0", "ODBXFS_MOUNT_INTERVAL=",
		"ODBXFS_DROPBOX_TWO_PASSWORD_FILE=/t", "ODBXFS_MOUNT_PASSWORD_FILE=", "ODBXFS_LAB_DIR=/l",
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Mount.Models, []string{"sale.order", "res.partner"}) || !c.Mount.AllowOther || c.Sync.HoldDeletions != 0 {
		t.Errorf("got %+v", c)
	}
	if c.Mount.Interval != 10*time.Second || c.Mount.PasswordFile != "" {
		t.Errorf("what is empty sets a text only: %+v", c.Mount)
	}
	if c.Dropbox["main"].AppKey != "k" || c.Dropbox["two"].PasswordFile != "/t" {
		t.Errorf("got %+v", c.Dropbox)
	}
}

func TestEachSettingIsExplained(t *testing.T) {
	all := Settings()
	seen := map[string]string{}
	for _, s := range all {
		if s.Meaning == "" || strings.Contains(s.Meaning, "\n") {
			t.Errorf("%s means %q", s.Key, s.Meaning)
		}
		if s.Env != "ODBXFS_"+strings.ToUpper(strings.ReplaceAll(s.Key, ".", "_")) || seen[s.Env] != "" {
			t.Errorf("%s is set by %s, as is %q", s.Key, s.Env, seen[s.Env])
		}
		seen[s.Env] = s.Key
	}
	defaults := map[string]string{"sync.poll": "10s", "odoo.timeout": "1m", "odoo.transport": "auto", "sync.hold_deletions": "200", "odoo.url": "", "mount.allow_other": ""}
	for _, s := range all {
		if want, ok := defaults[s.Key]; ok && s.Default != want {
			t.Errorf("the default of %s is %q, want %q", s.Key, s.Default, want)
		}
		delete(defaults, s.Key)
	}
	if len(defaults) > 0 {
		t.Errorf("not listed: %v", defaults)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	c, err := Load(filepath.Join(t.TempDir(), "none.toml"), false, []string{"ODBXFS_ODOO_DATABASE=prod"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Needs(c.Sync.Login); !errors.Is(err, ErrMissing) || !strings.HasSuffix(err.Error(), ": odoo.url, sync.login") {
		t.Errorf("got %v", err)
	}
	c.Odoo.URL = "https://odoo.example.com"
	if err := c.Needs(Login{Login: "anna"}); err != nil {
		t.Error(err)
	}
}

func TestASecretsErrorNamesItsSection(t *testing.T) {
	c, err := Load(write(t, "[sync]\npassword_file = '/none'\n[dropbox.main]\npassword_env = 'NOT_SET_AT_ALL'"), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	for want, read := range map[string]func(context.Context) (string, error){
		"[sync] password_file: ": c.Sync.Read, "[dropbox.main] password_env: the variable NOT_SET_AT_ALL": c.Dropbox["main"].Read, "[mount] no source": c.Mount.Read,
	} {
		if _, err := read(t.Context()); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %q before it", err, want)
		}
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
	private, open, empty := filepath.Join(dir, "private"), filepath.Join(dir, "open"), filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(dir, "nobody"))
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
		{"a command that fails with words", Secret{PasswordCommand: "echo no such entry >&2; exit 1"}, "exit status 1: no such entry"},
		{"a command that prints nothing", Secret{PasswordCommand: "true"}, "it printed nothing"},
		{"nothing in the variable", Secret{PasswordEnv: "SECRET_NOT_HERE"}, "SECRET_NOT_HERE is not set"},
		{"a file that is not there", Secret{PasswordFile: filepath.Join(dir, "none")}, "no such file"},
		{"a file with nothing in it", Secret{PasswordFile: empty}, "is empty"},
		{"a keyring that is not there", Secret{PasswordKeyring: "anna"}, `password_keyring "anna"`},
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
