// Package content knows where a file's bytes come from.
//
// For one file the sources are asked in this order, and the first that has the
// bytes gives them:
//
//	local cache -> Odoo (a binary) -> own Dropbox login -> public link
//
// A ticket (bytes handed over by the syncer's gateway) comes later as a fifth
// source. When none applies the answer is an [odbxfs.Error] of kind
// KindAccess whose text says what was tried, so that an open fails with EACCES
// and a reason.
//
// What it promises:
//   - Bytes that are read from a file handle belong to one version of the file.
//     A content that arrives whole is compared with its SHA-1 (where Odoo
//     knows one) before it is called whole; a difference is KindCorrupt.
//   - One missing range is fetched once, however many readers wait for it.
//   - Nobody's credentials go to a public link: the request is a plain GET to
//     one of the configured hosts, redirects to other hosts are followed only
//     within those.
//   - A foreign url is never fetched: the file shows the url itself.
//
// It does not decide what is cached for how long (package cache does), and it
// never writes to a remote.
package content
