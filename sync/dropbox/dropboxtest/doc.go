// Package dropboxtest is a Dropbox account behind an HTTP server, as
// net/http/httptest is for the web: it speaks the wire protocol of the Dropbox
// API v2, so that the product and other people's clients run against it
// unchanged. It serves tests and the demo; it does not import testing.
//
// One base URL serves everything: /2/... (what Dropbox has on its hosts api,
// content and notify), /oauth2/token, shared links (/scl/...), temporary links
// (/apitl/..., /cd/...) and pages that need a login (/home/...). The Host
// header is never looked at.
//
// # How it is laid out
//
//	request -> faults -> auth -> route (arguments checked as Stone does)
//	        -> tree (nodes, journal, revisions) -> store (records, contents)
//	                                            -> disk (a person's directory)
//
// The tree is the account's state; everything that changes it is a record, and
// replaying the records gives the tree again. A store keeps records and
// contents: in memory, or as files in Options.State. With Options.Dir the tree
// and a plain directory are kept equal in both directions, so that a person
// works "in Dropbox" with cp, mv, rm and an editor.
//
// # What a change in the directory means
//
// Identity is (device, inode, birth time). A name that was known before keeps
// its id, whatever now stands there (a new revision when the bytes differ);
// only what is left is recognised by identity, as a move with the same id; the
// rest is new. So a rename over a file is a new revision of the target and the
// end of the moved file, and a copy has a new id. A change counts when the file
// is closed or rested for 200 ms. What the API wrote is never seen as foreign,
// because its identity is recorded before the directory is looked at again.
// What Dropbox's own desktop program ignores (temporary names, links, names
// that Dropbox refuses) is ignored here too.
//
// # What is settled and what is a guess
//
// Answers follow recordings of the real service (testdata/recorded.txt) and
// its published specification. What neither settles is a switch in
// [Behaviour], with its default and the reason for it.
package dropboxtest
