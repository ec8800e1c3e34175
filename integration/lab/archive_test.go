package lab

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestTheMirrorIsAptsFirstFullArchive(t *testing.T) {
	for _, c := range []struct{ name, targets, want string }{
		{"security comes first", "Debian http://mirror.example.org/debian-security/\nDebian http://mirror.example.org/debian/\n", "http://mirror.example.org/debian"},
		{"a mirror of its own in a folder", "Debian https://mirror.example/linux/debian/\n", "https://mirror.example/linux/debian"},
		{"others have no origin", "http://download.example/repo/\n http://ftp.example/debian/\n", "http://ftp.example/debian"},
		{"none of Debian", "Ubuntu http://archive.ubuntu.com/ubuntu/\n", ""},
		{"no sources at all", "", ""},
	} {
		if got := mirrorIn(c.targets); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDependsBecomeNames(t *testing.T) {
	got := packageNames("python3-lxml-html-clean, python3-reportlab (>= 4.0.4-1~), python3:any, fonts-dejavu-core | fonts-noto-core,adduser")
	want := []string{"python3-lxml-html-clean", "python3-reportlab", "python3", "fonts-dejavu-core", "adduser"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

const packagesFile = `Package: odoo-18
Filename: pool/o18.deb
SHA256: 18

Package: odoo-19
Depends: a, b
Description: x
 Package: odoo-20
Filename: pool/o19.deb
SHA256: 19
`

func TestAStanzaIsFoundByItsPackageAlone(t *testing.T) {
	if st := stanza([]byte(packagesFile), "odoo-19"); st["Filename"] != "pool/o19.deb" || st["SHA256"] != "19" {
		t.Errorf("odoo-19, last and without an empty line after it: %v", st)
	}
	if st := stanza([]byte(packagesFile), "odoo-18"); st["Filename"] != "pool/o18.deb" {
		t.Errorf("odoo-18: %v", st)
	}
	if st := stanza([]byte(packagesFile), "odoo-20"); st != nil {
		t.Errorf("odoo-20 stands only in a description: %v", st)
	}
}

func TestTheHashIsThatOfTheSHA256Section(t *testing.T) {
	index := "MD5Sum:\n aa 1 main/x\nSHA256:\n bb 1 main/xx\n cc 1 main/x\nSHA512:\n dd 1 main/y\n"
	if got := hashInIndex(index, "main/x"); got != "cc" {
		t.Errorf("main/x: %q, want cc", got)
	}
	if got := hashInIndex(index, "main/y"); got != "" {
		t.Errorf("main/y, which has no SHA256: %q, want none", got)
	}
}

// The index that the build fetched is verified again, whole and tampered with.
func TestATamperedIndexIsRefused(t *testing.T) {
	if err := Build(t.Context(), tbWriter{t}); err != nil {
		t.Fatal(err)
	}
	f, err := openFolder()
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(f.cache(), "InRelease"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := verify(t.Context(), writeTemp(t, index))
	if err != nil {
		t.Fatalf("the true index: %v", err)
	}
	if hashInIndex(text, "main/binary-all/Packages.xz") == "" || strings.Contains(text, "BEGIN PGP") {
		t.Errorf("what was signed begins with %.80q", text)
	}
	for name, bad := range map[string][]byte{
		"one letter changed": bytes.Replace(index, []byte("Suite: unstable"), []byte("Suite: unstablE"), 1),
		"no signature":       []byte(text),
		"empty":              {},
	} {
		if _, err := verify(t.Context(), writeTemp(t, bad)); err == nil {
			t.Errorf("%s: taken for signed", name)
		}
	}
	// Text around the signed part is no part of what was signed.
	around := append([]byte("SHA256:\n 00 1 main/binary-all/Packages.xz\n\n"), index...)
	if text, err := verify(t.Context(), writeTemp(t, around)); err == nil && hashInIndex(text, "main/binary-all/Packages.xz") == "00" {
		t.Error("a line before the signed text is believed")
	}
}

func writeTemp(t *testing.T, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "InRelease")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
