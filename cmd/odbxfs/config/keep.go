package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/zalando/go-keyring"
)

// ErrNotKept says that the source of a secret is one that can only be read.
var ErrNotKept = errors.New("the secret can be kept in password_file or password_keyring only: set one of them, and no other source")

// MayKeep gives [ErrNotKept] unless [Secret.Keep] has a place.
func (s Secret) MayKeep() error {
	if s.PasswordCommand != "" || s.PasswordEnv != "" || (s.PasswordFile == "") == (s.PasswordKeyring == "") {
		return ErrNotKept
	}
	return nil
}

// Keep puts a secret where [Secret.Read] finds it: into the file, made anew
// with mode 0600, or into the keyring. It says where, in words.
func (s Secret) Keep(value string) (string, error) {
	if err := s.MayKeep(); err != nil {
		return "", err
	}
	if s.PasswordFile != "" {
		path := home(s.PasswordFile)
		return "the file " + path, writePrivate(path, value)
	}
	if err := keyring.Set("odbxfs", s.PasswordKeyring, value); err != nil {
		return "", fmt.Errorf("keyring entry %q of service odbxfs: %w", s.PasswordKeyring, err)
	}
	return fmt.Sprintf("the keyring, as %q of service odbxfs", s.PasswordKeyring), nil
}

// IsAbsent reports whether an error of [Secret.Read] says that nothing is kept
// in the place that is set.
func IsAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, keyring.ErrNotFound)
}

// Forget removes a secret that [Secret.Keep] put there. One that is not there
// is no error.
func (s Secret) Forget() error {
	if err := s.MayKeep(); err != nil {
		return err
	}
	if s.PasswordFile != "" {
		if err := os.Remove(home(s.PasswordFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("password_file: %w", err)
		}
		return nil
	}
	if err := keyring.Delete("odbxfs", s.PasswordKeyring); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return fmt.Errorf("keyring entry %q of service odbxfs: %w", s.PasswordKeyring, err)
	}
	return nil
}

// writePrivate replaces a file by one that nobody else may read: whole or not
// at all.
func writePrivate(path, value string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("password_file: %w", err)
	}
	f, err := os.CreateTemp(dir, ".secret-*") // with mode 0600
	if err != nil {
		return fmt.Errorf("password_file: %w", err)
	}
	_, err = f.WriteString(value + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("password_file: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// SectionName is how a cloud client's name stands in the config: lower case,
// with dashes for spaces.
func SectionName(client string) string {
	return strings.ToLower(strings.Join(strings.Fields(client), "-"))
}

// Section finds the settings of a cloud client's account, and the name of their
// section. A single section serves a single client, whatever it is called; an
// empty name means the only one there is.
func (c Config) Section(client string) (name string, d Dropbox, ok bool) {
	for _, name := range []string{SectionName(client), client} {
		if d, ok := c.Dropbox[name]; ok {
			return name, d, true
		}
	}
	if len(c.Dropbox) == 1 {
		for name, d := range c.Dropbox {
			return name, d, true
		}
	}
	return SectionName(client), Dropbox{}, false
}
