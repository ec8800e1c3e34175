// Package wire is the language between the client and our server actions: what
// the actions take and answer, and how that becomes the shared words. The
// in-memory Odoo answers in it too. Numbers that may pass 2^31 travel as text,
// since XML-RPC carries no more; nothing is ever null.
package wire
