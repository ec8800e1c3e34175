package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/zalando/go-keyring"
)

// Secret says where a password, API key or token comes from; exactly one of
// its sources is set.
type Secret struct {
	// PasswordFile is a file that nobody else may read (mode 0600 or stricter).
	PasswordFile string `koanf:"password_file"`
	// PasswordCommand is run by sh; what it prints is the secret.
	PasswordCommand string `koanf:"password_command"`
	// PasswordEnv names an environment variable.
	PasswordEnv string `koanf:"password_env"`
	// PasswordKeyring names an entry of the system's keyring (service "odbxfs").
	PasswordKeyring string `koanf:"password_keyring"`
}

// ErrNoSecret says that no source is set.
var ErrNoSecret = errors.New("no source of the secret is set; use one of password_file, password_command, password_env, password_keyring")

// Read asks the source now. It is asked again after a secret was refused, so
// that a new one is taken without a restart. A trailing line end is cut off.
func (s Secret) Read(ctx context.Context) (string, error) {
	sources := 0
	for _, set := range []string{s.PasswordFile, s.PasswordCommand, s.PasswordEnv, s.PasswordKeyring} {
		if set != "" {
			sources++
		}
	}
	if sources > 1 {
		return "", errors.New("more than one source of the secret is set; leave one of password_file, password_command, password_env, password_keyring")
	}
	value, err := s.read(ctx)
	if err == nil && value == "" {
		return "", errors.New("the source of the secret gave nothing")
	}
	return value, err
}

func (s Secret) read(ctx context.Context) (string, error) {
	switch {
	case s.PasswordFile != "":
		return readFile(home(s.PasswordFile))
	case s.PasswordCommand != "":
		out, err := exec.CommandContext(ctx, "sh", "-c", s.PasswordCommand).Output()
		if err != nil {
			return "", fmt.Errorf("password_command: %w", err)
		}
		return strings.TrimRight(string(out), "\r\n"), nil
	case s.PasswordEnv != "":
		return os.Getenv(s.PasswordEnv), nil
	case s.PasswordKeyring != "":
		value, err := keyring.Get("odbxfs", s.PasswordKeyring)
		if err != nil {
			return "", fmt.Errorf("keyring entry %q of service odbxfs: %w", s.PasswordKeyring, err)
		}
		return value, nil
	}
	return "", ErrNoSecret
}

func readFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("password_file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("password_file %s can be read by others (mode %04o); run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("password_file: %w", err)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}
