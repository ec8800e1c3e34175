// Package ports holds what the engine's and the mount's ports ask of a
// provisioned Odoo: the server actions on Odoo 14 and 19, and their twins in the
// in-memory server, pass the same cases on every transport.
//
//	ports.Run(t, ports.Options{Server: ports.Server{ ... }, Transport: odoo.Auto})
//
// Each case reads as a sentence and works on records of its own. It judges by
// what is stored ([Server].Rows), not by what the port under test says; what
// needs another's open transaction is done by the server's own means.
package ports
