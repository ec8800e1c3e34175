package odbxfs

import "strings"

// TemporaryName tells the names that programs give to files of their own for as
// long as they have another one open, and that desktops leave behind: such files
// stay in the store of the mount they were made in. They are what Dropbox's own
// clients do not sync either (names that begin with ~$ or .~, or with ~ and end
// with .tmp; desktop.ini, Thumbs.db, .DS_Store), vim's swap files, GIO's and
// FUSE's files on the way, and the locks of a git folder. Names that a document
// could have (x.lock, x.tmp, x~, x.bak) are not among them.
func TemporaryName(name string) bool {
	switch FoldName(name) {
	case "desktop.ini", "thumbs.db", ".ds_store":
		return true
	}
	switch name {
	case "index.lock", "HEAD.lock", "config.lock", "packed-refs.lock":
		return true
	}
	for _, start := range []string{"~$", ".~", ".goutputstream-", ".fuse_hidden"} {
		if strings.HasPrefix(name, start) {
			return true
		}
	}
	return strings.HasPrefix(name, "~") && strings.HasSuffix(name, ".tmp") || isSwap(name)
}

// isSwap tells vim's swap files: .name.swp, and .swo to .swa when that is taken.
func isSwap(name string) bool {
	stem := len(name) - len(".swp")
	if stem < 2 || name[0] != '.' || name[stem:stem+3] != ".sw" {
		return false
	}
	last := name[len(name)-1]
	return last >= 'a' && last <= 'p' || last == 'x'
}
