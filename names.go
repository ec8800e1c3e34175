package odbxfs

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A node has three names: Odoo's (anything), the mount's (POSIX) and Dropbox's
// (normalised, compared without case). These functions propose the latter two.
// They are total, and a name they gave is left as it is when given again. What
// was agreed stands in the pair; a proposal is never decoded back.

// MaxName is the longest name: bytes in the mount, UTF-16 code units in
// Dropbox.
const MaxName = 255

// longestExtension is what counts as a file name's extension, in bytes with
// its dot: a longer tail ("Letter to Mr. Smith") is part of the stem.
const longestExtension = 16

// MountName proposes the name that the mount shows for an Odoo name: NUL, "/",
// control characters and bytes that are no UTF-8 become "_"; the empty name,
// "." and ".." get underscores; what is longer than [MaxName] bytes is cut
// before its extension.
func MountName(name string) string {
	name = replaceRunes(name, func(r rune) bool { return r == '/' || unicode.IsControl(r) })
	switch name {
	case "", ".", "..":
		name += "_"
	}
	return WithSuffix(name, "", MaxName)
}

// DropboxName proposes the name that Dropbox is given for an Odoo name: in NFC;
// "/", "\" and control characters become "_"; spaces and dots at the end go, as
// Dropbox refuses the former and desktops the latter; names that Dropbox
// refuses (desktop.ini, .DS_Store, ...) get an underscore before their
// extension; what is longer than [MaxName] UTF-16 code units is cut before it.
func DropboxName(name string) string {
	name = replaceRunes(name, func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) })
	name = trimDropbox(norm.NFC.String(name))
	name = trimDropbox(DropboxWithSuffix(name, ""))
	if name == "" {
		return "_"
	}
	if refusedByDropbox(name) {
		name = DropboxWithSuffix(name, "_")
	}
	return name
}

// refusedByDropbox reports whether Dropbox answers disallowed_name.
func refusedByDropbox(name string) bool {
	switch FoldName(name) {
	case "desktop.ini", "thumbs.db", ".ds_store", "icon\r", ".dropbox", ".dropbox.attr", ".dropbox.cache":
		return true
	}
	return false
}

// trimDropbox cuts what may not stand at the end of a name in Dropbox.
func trimDropbox(name string) string {
	return strings.TrimRightFunc(name, func(r rune) bool { return r == '.' || unicode.IsSpace(r) })
}

// FoldName gives the form by which Dropbox compares names: normalised, each
// rune in lower case by itself. Equal folds are one name to Dropbox. It is
// normalised once more afterwards, since some letters compose in lower case
// only; that can at worst call two names equal that Dropbox tells apart.
func FoldName(name string) string {
	fold := strings.Map(unicode.ToLower, norm.NFC.String(name))
	return norm.NFC.String(fold)
}

// FoldPath is [FoldName] of each component: Dropbox's path_lower.
func FoldPath(path string) string { return FoldName(path) }

// WithSuffix puts suffix before the extension of name. What would be longer
// than limit bytes is cut, first the stem, never inside a rune.
func WithSuffix(name, suffix string, limit int) string {
	return withSuffix(name, suffix, limit, utf8.RuneLen)
}

// DropboxWithSuffix is [WithSuffix] within what Dropbox takes, [MaxName] UTF-16
// code units.
func DropboxWithSuffix(name, suffix string) string {
	return withSuffix(name, suffix, MaxName, utf16Len)
}

// Conflicted gives the n-th name, counted from 1, for a conflicted copy of the
// Dropbox file name, in Dropbox's own wording: "a (conflicted copy).pdf", then
// "a (conflicted copy 2).pdf".
func Conflicted(name string, n int) string {
	suffix := " (conflicted copy)"
	if n > 1 {
		suffix = " (conflicted copy " + strconv.Itoa(n) + ")"
	}
	return DropboxWithSuffix(name, suffix)
}

func withSuffix(name, suffix string, limit int, size func(rune) int) string {
	name = replaceRunes(name, nil) // so that each rune has a size
	stem, ext := splitExtension(name)
	room := limit - length(suffix, size) - length(ext, size)
	if room < 1 { // no stem would be left: the extension goes
		stem, ext = name, ""
		room = limit - length(suffix, size)
	}
	if room < 0 {
		return cut(suffix, limit, size)
	}
	return cut(stem, room, size) + suffix + ext
}

// splitExtension splits before the last dot, when what follows looks like an
// extension: short, without spaces, after something.
func splitExtension(name string) (stem, ext string) {
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 || dot == len(name)-1 || len(name)-dot > longestExtension || strings.ContainsFunc(name[dot:], unicode.IsSpace) {
		return name, ""
	}
	return name[:dot], name[dot:]
}

// cut gives the longest prefix of s, in whole runes, that is within limit.
func cut(s string, limit int, size func(rune) int) string {
	for i, r := range s {
		if limit -= size(r); limit < 0 {
			return s[:i]
		}
	}
	return s
}

func length(s string, size func(rune) int) int {
	n := 0
	for _, r := range s {
		n += size(r)
	}
	return n
}

// utf16Len is the number of UTF-16 code units of a valid rune.
func utf16Len(r rune) int {
	if r >= 0x10000 {
		return 2
	}
	return 1
}

// replaceRunes puts "_" for each rune that is bad and each byte that is no
// UTF-8.
func replaceRunes(s string, bad func(rune) bool) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if (r == utf8.RuneError && n == 1) || (bad != nil && bad(r)) {
			b.WriteByte('_')
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}
