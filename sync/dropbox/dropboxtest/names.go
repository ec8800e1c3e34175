package dropboxtest

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold gives the key by which Dropbox tells names apart: NFC, then lowered rune
// by rune with tables of Unicode 4.1, so that "ΣΣΣ" is "σσσ" and letters that
// came later (as "Ꙋ") stay as they are.
func fold(s string) string { return lower(norm.NFC.String(s)) }

func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if lowersLater(r) {
			return r
		}
		return unicode.ToLower(r)
	}, s)
}

// lowersLater reports runes that got a lower case after Unicode 4.1, or lie
// outside the BMP, which those tables did not reach.
func lowersLater(r rune) bool {
	return r >= 0x2c60 && r <= 0x2c7f || r >= 0xa640 && r <= 0xabff || r == 0x1e9e ||
		r >= 0x0370 && r <= 0x0377 || r >= 0x0243 && r <= 0x024f || r > 0xffff
}

// Names that Dropbox keeps for itself or refuses, folded.
var refusedNames = map[string]bool{
	"desktop.ini": true, "thumbs.db": true, ".ds_store": true, "icon\r": true,
	".dropbox": true, ".dropbox.attr": true,
}

// checkName gives the tag of the WriteError that a name causes, or "".
func (b *Behaviour) checkName(name string) string {
	switch {
	case name == "" || name == "." || name == "..",
		strings.ContainsAny(name, "\\/\x00\x7f"),
		strings.HasSuffix(name, " "),
		len(utf16.Encode([]rune(name))) > 255,
		!utf8.ValidString(name), strings.ContainsRune(name, utf8.RuneError):
		return "malformed_path"
	case b.RefuseEmoji && strings.ContainsFunc(name, func(r rune) bool { return r > 0xffff }):
		return "malformed_path"
	case refusedNames[fold(name)]:
		return "disallowed_name"
	}
	return ""
}

// ignoredOnDisk reports names that Dropbox's desktop program does not sync.
func (b *Behaviour) ignoredOnDisk(name string) bool {
	return b.checkName(norm.NFC.String(name)) != "" || strings.HasPrefix(name, "~$") ||
		strings.HasPrefix(name, ".~") || strings.HasPrefix(name, "~") && strings.HasSuffix(name, ".tmp")
}

// The patterns of the specification. A path that misses its pattern is a 400.
const (
	readPattern  = `(/(.|[\r\n])*|id:.*)|(rev:[0-9a-f]{9,})|(ns:[0-9]+(/.*)?)`
	listPattern  = `(/(.|[\r\n])*)?|id:.*|(ns:[0-9]+(/.*)?)`
	writePattern = `(/(.|[\r\n])*)|(ns:[0-9]+(/.*)?)|(id:.*)`
)

var patterns = map[string]*regexp.Regexp{
	readPattern:  regexp.MustCompile(`\A(?:` + readPattern + `)\z`),
	listPattern:  regexp.MustCompile(`\A(?:` + listPattern + `)\z`),
	writePattern: regexp.MustCompile(`\A(?:` + writePattern + `)\z`),
}

// pathSpec is a path argument taken apart: an absolute path, a path below an id
// or namespace, or a rev.
type pathSpec struct {
	id, ns, rev string
	parts       []string
	malformed   bool // well-formed as an argument, but names nothing that can exist
}

func parsePath(s string) pathSpec {
	var p pathSpec
	var rel string
	switch {
	case strings.HasPrefix(s, "rev:"):
		p.rev = s[4:]
		return p
	case strings.HasPrefix(s, "id:"):
		p.id, rel, _ = strings.Cut(s, "/")
	case strings.HasPrefix(s, "ns:"):
		p.ns, rel, _ = strings.Cut(s[3:], "/")
	default:
		rel = strings.TrimPrefix(s, "/")
	}
	if rel == "" {
		return p
	}
	p.parts = strings.Split(rel, "/")
	for _, part := range p.parts {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\\\x00\x7f") {
			p.malformed = true
		}
	}
	return p
}

// numbered puts n before the extension: "a (1).txt".
func numbered(name, note string) string {
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 {
		return name + " (" + note + ")"
	}
	return name[:dot] + " (" + note + ")" + name[dot:]
}
