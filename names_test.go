package odbxfs

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestMountName(t *testing.T) {
	long := strings.Repeat("ä", 200)
	for _, c := range []struct{ why, odoo, mount string }{
		{"an ordinary name stays", "Offer 12.pdf", "Offer 12.pdf"},
		{"a slash is no separator", "a/b.pdf", "a_b.pdf"},
		{"control characters go", "a\x00b\tc\x7f", "a_b_c_"},
		{"no name gets one", "", "_"},
		{"the folder itself is no name", ".", "._"},
		{"the folder above is no name", "..", ".._"},
		{"bytes that are no text", "a\xffb", "a_b"},
		{"decomposed letters stay as they are", "a\u0308", "a\u0308"},
		{"a long name keeps its extension", long + ".pdf", strings.Repeat("ä", 125) + ".pdf"},
		{"a sentence has no extension", strings.Repeat("x", 255) + ". To Mr. Smith", strings.Repeat("x", 255)},
	} {
		if got := MountName(c.odoo); got != c.mount {
			t.Errorf("%s: MountName(%q) = %q, want %q", c.why, c.odoo, got, c.mount)
		}
	}
}

func TestDropboxName(t *testing.T) {
	for _, c := range []struct{ why, odoo, dropbox string }{
		{"an ordinary name stays", "Offer 12.pdf", "Offer 12.pdf"},
		{"both slashes go", `a/b\c`, "a_b_c"},
		{"spaces at the end go", "DeepSkyStacker ", "DeepSkyStacker"},
		{"dots at the end go", "and so on...", "and so on"},
		{"only dots", "...", "_"},
		{"nothing", "", "_"},
		{"composed", "a\u0308.txt", "\u00e4.txt"},
		{"what Dropbox refuses, in any case", "Desktop.INI", "Desktop_.INI"},
		{"what Dropbox refuses, without extension", ".DS_Store", ".DS_Store_"},
		{"what Dropbox refuses, once trimmed", "thumbs.db .", "thumbs_.db"},
		{"counted in UTF-16", strings.Repeat("😀", 200) + ".png", strings.Repeat("😀", 125) + ".png"},
		{"what is only bad on desktops stays", `a<b>:"|?*`, `a<b>:"|?*`},
	} {
		if got := DropboxName(c.odoo); got != c.dropbox {
			t.Errorf("%s: DropboxName(%q) = %q, want %q", c.why, c.odoo, got, c.dropbox)
		}
	}
}

func TestSuffixes(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{WithSuffix("a.pdf", " (12)", MaxName), "a (12).pdf"},
		{WithSuffix("a", " (12)", MaxName), "a (12)"},
		{WithSuffix(".bashrc", " (12)", MaxName), ".bashrc (12)"},
		{WithSuffix("abcdef.pdf", "-1", 8), "ab-1.pdf"},
		{WithSuffix("abcdef.pdf", "-1", 6), "abcd-1"},
		{WithSuffix("abcdef.pdf", "-123", 2), "-1"},
		{WithSuffix("", "-1", MaxName), "-1"},
		{Conflicted("a.pdf", 1), "a (conflicted copy).pdf"},
		{Conflicted("a.pdf", 2), "a (conflicted copy 2).pdf"},
		{FoldName("ÄÖ.PDF"), "äö.pdf"},
		{FoldName("A\u0308"), "\u00e4"},
		{FoldPath("/Odoo/ΣΣΣ"), "/odoo/σσσ"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// anyName draws names that are made of what makes trouble.
func anyName() *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{"", ".", "..", "/", `\`, " ", "\x00", "\x7f", "\xff", "\xed\xa0\x80", "\u0308", "\u030c", "J", "ſ", "İ", "K",
			"desktop.ini", "Icon\r", ".dropbox", ".DS_Store", ".pdf", "😀", strings.Repeat("n", 250), strings.Repeat("é", 130), strings.Repeat("😀", 126)}),
		rapid.String())
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(piece, 0, 5).Draw(t, "pieces"), "")
	})
}

func TestNamesAreValidAndStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := anyName().Draw(t, "name")
		m := MountName(name)
		if m == "" || m == "." || m == ".." || len(m) > MaxName || strings.ContainsRune(m, '/') ||
			strings.ContainsFunc(m, unicode.IsControl) || !utf8.ValidString(m) {
			t.Errorf("MountName(%q) = %q is no name for a file", name, m)
		}
		if again := MountName(m); again != m {
			t.Errorf("MountName(%q) = %q, and again %q", name, m, again)
		}
		d := DropboxName(name)
		if d == "" || units(d) > MaxName || strings.ContainsAny(d, `/\`) || strings.ContainsFunc(d, unicode.IsControl) ||
			!utf8.ValidString(d) || !norm.NFC.IsNormalString(d) || refusedByDropbox(d) || trimDropbox(d) != d {
			t.Errorf("DropboxName(%q) = %q is no name for Dropbox", name, d)
		}
		if again := DropboxName(d); again != d {
			t.Errorf("DropboxName(%q) = %q, and again %q", name, d, again)
		}
		f := FoldName(name)
		if again := FoldName(f); again != f {
			t.Errorf("FoldName(%q) = %q, and again %q", name, f, again)
		}
		if upper := FoldName(norm.NFD.String(name)); upper != f {
			t.Errorf("FoldName(%q) = %q, decomposed %q", name, f, upper)
		}
	})
}

func TestSuffixesAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := anyName().Draw(t, "name")
		suffix := " (" + rapid.StringMatching(`[0-9]{1,19}`).Draw(t, "id") + ")"
		if got := WithSuffix(name, suffix, MaxName); len(got) > MaxName || !strings.Contains(got, suffix) || !utf8.ValidString(got) {
			t.Errorf("WithSuffix(%q, %q) = %q", name, suffix, got)
		}
		if got := DropboxWithSuffix(name, suffix); units(got) > MaxName || !strings.Contains(got, suffix) {
			t.Errorf("DropboxWithSuffix(%q, %q) = %q", name, suffix, got)
		}
		d := DropboxName(name)
		n := rapid.IntRange(1, 1000).Draw(t, "n")
		if got := Conflicted(d, n); DropboxName(got) != got || FoldName(got) == FoldName(d) {
			t.Errorf("Conflicted(%q, %d) = %q", d, n, got)
		}
	})
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }
