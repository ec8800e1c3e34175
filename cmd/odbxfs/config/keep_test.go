package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/zalando/go-keyring"
)

func TestASecretIsKeptWhereItIsReadFrom(t *testing.T) {
	keyring.MockInit()
	file := filepath.Join(t.TempDir(), "sub", "dropbox.secret")
	for _, c := range []struct {
		name string
		s    Secret
	}{
		{"a file", Secret{PasswordFile: file}},
		{"the keyring", Secret{PasswordKeyring: "dropbox-main"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, value := range []string{"first", "second"} {
				where, err := c.s.Keep(value)
				if err != nil || where == "" {
					t.Fatalf("got %q, %v", where, err)
				}
				if got, err := c.s.Read(t.Context()); err != nil || got != value {
					t.Errorf("read back %q, %v", got, err)
				}
			}
			for range 2 {
				if err := c.s.Forget(); err != nil {
					t.Errorf("forgetting: %v", err)
				}
			}
			if got, err := c.s.Read(t.Context()); !IsAbsent(err) {
				t.Errorf("it is still there: %q, %v", got, err)
			}
		})
	}
	if _, err := (Secret{PasswordFile: file}).Keep("x"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("beside the file there is more: %v, %v", left, err)
	}
}

func TestASecretIsNotKeptWhereItCanOnlyBeRead(t *testing.T) {
	for name, s := range map[string]Secret{
		"a command": {PasswordCommand: "true"}, "a variable": {PasswordEnv: "X"}, "nowhere": {},
		"two places": {PasswordFile: filepath.Join(t.TempDir(), "f"), PasswordKeyring: "k"},
	} {
		if _, err := s.Keep("x"); !errors.Is(err, ErrNotKept) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (Secret{PasswordEnv: "X"}).Forget(); !errors.Is(err, ErrNotKept) {
		t.Errorf("forgetting a variable: %v", err)
	}
	if _, err := (Secret{PasswordFile: "/proc/none/secret"}).Keep("x"); err == nil || errors.Is(err, ErrNotKept) {
		t.Errorf("where nobody can write: %v", err)
	}
}

func TestWhichSectionIsAClients(t *testing.T) {
	two := Config{Dropbox: map[string]Dropbox{"main": {AppKey: "m"}, "north-west": {AppKey: "n"}}}
	one := Config{Dropbox: map[string]Dropbox{"only": {AppKey: "o"}}}
	for _, c := range []struct {
		cfg          Config
		client, want string
		found        bool
	}{
		{two, "Main", "main", true}, {two, "North  West", "north-west", true}, {two, "South", "south", false}, {two, "", "", false},
		{Config{Dropbox: map[string]Dropbox{"Other": {}, "main": {}}}, "Other", "Other", true},
		{one, "Anything", "only", true}, {one, "", "only", true}, {Config{}, "Main", "main", false},
	} {
		if name, _, ok := c.cfg.Section(c.client); name != c.want || ok != c.found {
			t.Errorf("%q: got %q, %v", c.client, name, ok)
		}
	}
}
