// Package odootest is an Odoo server in memory, for unit tests, simulation and
// the demo: an http.Handler that speaks XML-RPC, the web session's JSON and
// JSON-2 as Odoo 14 and 19 do, over a small ORM.
//
// It runs no Python. Of our server actions it knows each by the SHA-256 of its
// code and answers with a twin in Go (twin_*.go, one beside each actions/*.py);
// a test may answer for an action of its own ([Stub]); other code is a fault.
//
//	wire (xmlrpc, json, content) -> execute: faults, one transaction -> methods -> ORM (schema, domain, rights, write)
//	                                                                 -> actions -> twins, stubs
//
// Transactions are carried out one after another, and what a call that fails
// has done is put back. A call sees all that was committed before it began to
// work. Dates are those of a transaction's start: with [Fault.Until] it begins,
// others commit meanwhile, and it commits late with an old date, as PostgreSQL
// has it; the changes action knows of it. With [Fault.Raise] a conflict is
// answered, with [Fault.Forget] a call loses its context, with the others its
// request or its reply is lost.
//
// What it promises is what the contract suite (package contract beside it) and
// the tests of the twins ask of it and of real servers alike. Checks that it
// cannot pass are listed in [Gaps], and the suite sees each of them refused.
// Beyond what these ask for it has not: /jsonrpc, the multipart upload, groups
// of rows (read_group), translations, mails that are sent, automations and views
// that do anything, models other than those of schema.go, several databases,
// sessions that end by time, and the cooldown after wrong passwords. Large
// pictures that Odoo 19 would scale are cut instead, which shows as well.
package odootest
