// Package scenario holds the behaviours that odbxfs promises, each as a named
// scenario with one source. Its tests run every scenario on the in-memory
// servers and on real Odoo 14 and 19, as one process (run) and as two (mount
// beside sync), and end with the matrix of all cells; an empty cell fails.
//
// The program under test is the built binary, driven through the mount, the
// Dropbox account's folder, Odoo's API and its own commands. What became of it
// is judged by SQL (or the in-memory server's rows), by the filestore and by the
// servers' logs; the program's own word is used to wait, never to judge.
package scenario
