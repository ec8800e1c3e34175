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
	PasswordFile    string `koanf:"password_file" help:"the file with the password, API key or token; nobody else may read it (mode 0600)"`
	PasswordCommand string `koanf:"password_command" help:"or the command, run by sh, that prints it"`
	PasswordEnv     string `koanf:"password_env" help:"or the name of the environment variable with it"`
	PasswordKeyring string `koanf:"password_keyring" help:"or the user of service \"odbxfs\" in the system's keyring who has it"`

	section string // of the config, for errors; empty: a command's flags
}

// sources names what may be set, in errors.
const sources = "password_file, password_command, password_env, password_keyring"

// Read asks the source now. It is asked again after a secret was refused, so
// that a new one is taken without a restart. A trailing line end is cut off. An
// error says which setting leads to nothing, and never what was read.
func (s Secret) Read(ctx context.Context) (string, error) {
	value, err := s.one(ctx)
	if err != nil && s.section != "" {
		return "", fmt.Errorf("[%s] %w", s.section, err)
	}
	return value, err
}

// one reads from the one source that is set.
func (s Secret) one(ctx context.Context) (string, error) {
	set := 0
	for _, source := range []string{s.PasswordFile, s.PasswordCommand, s.PasswordEnv, s.PasswordKeyring} {
		if source != "" {
			set++
		}
	}
	switch {
	case set == 0:
		return "", errors.New("no source of the secret is set; use one of " + sources)
	case set > 1:
		return "", errors.New("more than one source of the secret is set; leave one of " + sources)
	case s.PasswordFile != "":
		return readFile(home(s.PasswordFile))
	case s.PasswordCommand != "":
		return runCommand(ctx, s.PasswordCommand)
	case s.PasswordEnv != "":
		return notEmpty(os.Getenv(s.PasswordEnv), "password_env: the variable "+s.PasswordEnv+" is not set, or empty")
	}
	value, err := keyring.Get("odbxfs", s.PasswordKeyring)
	if err != nil {
		return "", fmt.Errorf("password_keyring %q: %w; put it there with: secret-tool store --label=odbxfs service odbxfs username %s", s.PasswordKeyring, err, s.PasswordKeyring)
	}
	return notEmpty(value, "password_keyring: what is there is empty")
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
	return notEmpty(string(data), "password_file: "+path+" is empty")
}

// saidMost bounds what is shown of a command's own words, in bytes.
const saidMost = 300

func runCommand(ctx context.Context, command string) (string, error) {
	out, err := exec.CommandContext(ctx, "sh", "-c", command).Output()
	if e, ok := errors.AsType[*exec.ExitError](err); ok && len(e.Stderr) > 0 {
		said := strings.ToValidUTF8(string(e.Stderr[:min(len(e.Stderr), saidMost)]), "")
		return "", fmt.Errorf("password_command: %w: %s", err, strings.TrimSpace(said))
	}
	if err != nil {
		return "", fmt.Errorf("password_command: %w", err)
	}
	return notEmpty(string(out), "password_command: it printed nothing")
}

// notEmpty cuts the line's end off.
func notEmpty(secret, otherwise string) (string, error) {
	secret = strings.TrimRight(secret, "\r\n")
	if secret == "" {
		return "", errors.New(otherwise)
	}
	return secret, nil
}
