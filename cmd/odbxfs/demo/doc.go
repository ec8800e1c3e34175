// Package demo is the try-out: an Odoo and a Dropbox of its own, in memory or
// as real as the lab's, wired to the daemon as any other.
//
//	DIR/odoo     the mount
//	DIR/dropbox  what the Dropbox account holds: work in it as in Dropbox
//	DIR/state    the store
package demo
