// Package contract holds what every Odoo must answer to the client in package
// odoo, and what the client must make of it: the in-memory server, Odoo 14 and
// Odoo 19 run the same checks, on each transport that the server has.
//
//	contract.Run(t, contract.Options{New: func(t *testing.T) contract.Server { ... }})
//
// Checks are functions that return an error. They stand alone, make what they
// need, and may run in any order. What a server does not have is named in
// [Options.Gaps]; such a check must fail there, so that a gap that has closed
// shows.
package contract
