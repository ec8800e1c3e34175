// Package access asks Odoo whether the mount's user may change something,
// before a program's write is taken: so that cp fails at once, and not when the
// bytes are sent an hour later.
//
// An answer is kept for half a minute. When Odoo does not answer within two
// seconds the last answer for that node holds; where there is none the write
// is taken, and its intent is parked with the reason if Odoo refuses later. From
// then on nobody waits until it answers again.
package access
