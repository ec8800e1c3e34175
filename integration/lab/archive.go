package lab

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// keyring verifies Debian's archives; integration/bootstrap.sh sees to it that
// it knows trixie.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// An archive is a Debian mirror, from which single packages are fetched into
// dir, each step checked by the one before: signature of the index, hash of the
// list, hash of the package. apt's own helper downloads, so that the machine's
// proxies and access methods hold.
type archive struct {
	mirror string // as http://mirror.example.org/debian, without a slash at the end
	dir    string
}

// findMirror gives the Debian mirror of the machine's own apt.
func findMirror(ctx context.Context) (string, error) {
	if m := os.Getenv(MirrorVar); m != "" {
		return strings.TrimRight(m, "/"), nil
	}
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages").Output()
	if err != nil {
		return "", fmt.Errorf("lab: apt-get indextargets: %w; set %s to a Debian mirror", err, MirrorVar)
	}
	if m := mirrorIn(string(out)); m != "" {
		return m, nil
	}
	return "", fmt.Errorf("lab: apt's sources name no Debian mirror; set %s to one, as http://mirror.example.org/debian", MirrorVar)
}

// mirrorIn picks the first full Debian archive among apt's sources. Security
// and backports archives hold only their own suites.
func mirrorIn(targets string) string {
	for line := range strings.Lines(targets) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		u, err := url.Parse(fields[len(fields)-1])
		if err != nil {
			continue
		}
		if p := strings.TrimRight(u.Path, "/"); path.Base(p) == "debian" {
			u.Path = p
			return u.String()
		}
	}
	return ""
}

// fetch downloads a file of the mirror into dir, unless it is there with that
// hash. An empty sum means that what checks the file comes after.
func (a archive) fetch(ctx context.Context, file, name, sum string) (string, error) {
	target := filepath.Join(a.dir, name)
	if sum != "" {
		if have, err := hashFile(target); err == nil && have == sum {
			return target, nil
		}
	}
	args := []string{"-o", "APT::Sandbox::User=root", "download-file", a.mirror + "/" + file, target}
	if sum != "" {
		args = append(args, "SHA256:"+sum)
	}
	out, err := exec.CommandContext(ctx, "/usr/lib/apt/apt-helper", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("lab: download %s/%s: %w: %s", a.mirror, file, err, strings.TrimSpace(string(out)))
	}
	return target, nil
}

// A debFile is a package on disk.
type debFile struct {
	path    string
	depends []string // names of packages, the first of each alternative
}

// sidPackage fetches the package that sid's signed index names.
func (a archive) sidPackage(ctx context.Context, name string) (debFile, error) {
	const list = "main/binary-all/Packages.xz"
	signed, err := a.fetch(ctx, "dists/sid/InRelease", "InRelease", "")
	if err != nil {
		return debFile{}, err
	}
	index, err := verify(ctx, signed)
	if err != nil {
		return debFile{}, err
	}
	sum := hashInIndex(index, list)
	if sum == "" {
		return debFile{}, fmt.Errorf("lab: sid's index names no %s", list)
	}
	packed, err := a.fetch(ctx, "dists/sid/"+list, "Packages.xz", sum)
	if err != nil {
		return debFile{}, err
	}
	packages, err := exec.CommandContext(ctx, "xz", "-dc", packed).Output()
	if err != nil {
		return debFile{}, fmt.Errorf("lab: xz %s: %w", packed, err)
	}
	st := stanza(packages, name)
	if st["SHA256"] == "" || st["Filename"] == "" {
		return debFile{}, fmt.Errorf("lab: sid has no package %s any more", name)
	}
	deb, err := a.fetch(ctx, st["Filename"], path.Base(st["Filename"]), st["SHA256"])
	if err != nil {
		return debFile{}, err
	}
	return debFile{path: deb, depends: packageNames(st["Depends"])}, nil
}

// errUnsigned says that no key we trust signed an index.
var errUnsigned = errors.New("no good signature")

// verify gives the text that a key of Debian's keyring signed. An index bears
// several signatures and an older keyring knows only some of the keys, for which
// gpgv's exit status is an error; so what counts is one good and none bad. The
// date of the index is not checked: a mirror may stand still.
func verify(ctx context.Context, signed string) (string, error) {
	text := signed + ".verified"
	if err := os.Remove(text); err != nil && !os.IsNotExist(err) {
		return "", fmt.Errorf("lab: %w", err)
	}
	var status, log bytes.Buffer
	cmd := exec.CommandContext(ctx, "gpgv", "--status-fd", "1", "--keyring", keyring, "--output", text, signed)
	cmd.Stdout, cmd.Stderr = &status, &log
	err := cmd.Run()
	if !strings.Contains(status.String(), "[GNUPG:] VALIDSIG ") || strings.Contains(status.String(), "[GNUPG:] BADSIG ") {
		return "", fmt.Errorf("lab: %s is not signed by a key of %s: %w\n%s", signed, keyring, errors.Join(errUnsigned, err), log.String())
	}
	b, err := os.ReadFile(text)
	if err != nil {
		return "", fmt.Errorf("lab: gpgv gave no text: %w", err)
	}
	return string(b), nil
}

// hashInIndex finds a file's SHA256 in a Release file.
func hashInIndex(index, file string) string {
	inSums := false
	for line := range strings.Lines(index) {
		if !strings.HasPrefix(line, " ") {
			inSums = strings.HasPrefix(line, "SHA256:")
			continue
		}
		if f := strings.Fields(line); inSums && len(f) == 3 && f[2] == file {
			return f[0]
		}
	}
	return ""
}

// stanza finds a package in a Packages file and gives its one-line fields.
func stanza(packages []byte, name string) map[string]string {
	fields := map[string]string{}
	sc := bufio.NewScanner(bytes.NewReader(packages))
	sc.Buffer(nil, 4<<20)
	for sc.Scan() {
		line := sc.Text()
		if line == "" {
			if fields["Package"] == name {
				return fields
			}
			clear(fields)
		} else if k, v, ok := strings.Cut(line, ": "); ok && line[0] != ' ' {
			fields[k] = v
		}
	}
	if fields["Package"] == name {
		return fields
	}
	return nil
}

// packageNames strips a Depends line to names: no versions, no architectures,
// the first of alternatives.
func packageNames(depends string) []string {
	var names []string
	for d := range strings.SplitSeq(depends, ",") {
		d, _, _ = strings.Cut(d, "|")
		d, _, _ = strings.Cut(d, "(")
		d, _, _ = strings.Cut(d, ":")
		if d = strings.TrimSpace(d); d != "" {
			names = append(names, d)
		}
	}
	return names
}

func hashFile(name string) (sum string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
