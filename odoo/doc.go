// Package odoo is the client for Odoo's external API, versions 14 to 19.
//
// A [Client] signs in lazily and again whenever that is needed, and is safe for
// concurrent use. It speaks one of three transports, chosen by asking the
// server once, and everything above it sees no difference:
//
//	session  /web/session/authenticate, /web/dataset/call_kw: fastest, streams
//	         content; needs a password (an API key is refused there)
//	JSON-2   /json/2/<model>/<method>, Odoo 19: needs an API key
//	XML-RPC  /xmlrpc/2: every version from 14 to 19, password or API key
//
// Values: False stands for "nothing" in Odoo's answers, and decodes into the
// zero value of whatever is asked for ([Client.Call]). Names are any text
// without NUL; XML-RPC cannot carry other control characters either, so there
// they are refused on the way out (KindName) and shown as U+FFFD on the way in.
//
// Errors are *odbxfs.Error; errors.go is the only place that looks at what a
// server says, and turns it into a kind. A call that ends in KindUnavailable
// may have been carried out: every call must be repeatable.
//
// Attachments ([Client.Content], [Client.Upload], [Client.WriteContent]) never
// let Odoo rescale an image, and are compared with their checksum afterwards.
// [Plain] works on a server that nobody has provisioned.
//
// What it does not do: it follows no redirect, repeats no call but the one that
// met an expired session, and keeps no cache.
package odoo
