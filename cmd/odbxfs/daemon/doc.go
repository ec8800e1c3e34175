// Package daemon joins the parts into one process: store, Odoo, Dropbox,
// engine, contents, mount and control socket. It has three modes (mount, sync,
// run), and is what the commands, the demo and the whole-system tests start; it
// decides nothing by itself.
package daemon
