// Package odootest is an Odoo server in memory, for unit tests, simulation and
// the demo: an http.Handler that speaks XML-RPC, the web session's JSON and
// JSON-2 as Odoo 14 and 19 do, over a small ORM.
//
// It runs no Python. Of our server actions it knows each by the SHA-256 of its
// code and answers with a twin in Go; unknown code is a fault. It holds base
// models, partners, sale orders, projects and their documents; views, menus and
// automations are stored and do nothing.
//
// What it promises is what the contract suite (package contract beside it) asks
// of it and of real servers alike; what it does not have is listed in [Gaps],
// and the suite sees each of those refused.
package odootest
