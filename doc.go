// Package odbxfs holds the words that all parts of the project share: the ids
// of things on each side, the nodes of the three trees, tasks, and the kinds of
// errors. It knows no protocol, does no I/O, and imports none of the other
// packages; every other package may import it.
//
// The three trees are the Odoo tree ([OdooNode]), the Dropbox tree
// ([DropboxNode]) and the synced tree ([Pair]): what both sides last agreed on.
// One [NodeID] names the same thing in all three.
//
// The packages, from the ground up:
//
//	cache                         the store: the trees, what was done in the mount, the queue, the contents
//	odoo                          the client for Odoo's external API, 14 to 19
//	odoo/internal/wire            the language between it and our server actions
//	odoo/provision                what setup puts into Odoo, and takes out again
//	sync                          the engine: passes, queue, workers, over ports
//	sync/plan                     the planner: three trees and a policy to tasks, pure
//	sync/content                  where a file's bytes come from
//	sync/access                   whether the mount's user may change something, asked before
//	sync/dropbox                  the client for Dropbox
//	fs                            the kernel's requests on the store's tree
//	cmd/odbxfs                    the program: commands, exit codes
//	cmd/odbxfs/config             its settings and secrets
//	cmd/odbxfs/daemon             store, clients, engine and mount joined into a process
//	cmd/odbxfs/control            how commands speak to a running daemon
//	cmd/odbxfs/demo               the try-out with servers of its own
//	odoo/odootest                 an Odoo in memory
//	odoo/odootest/contract        what every Odoo must answer to the client
//	odoo/odootest/contract/ports  what its ports ask of a provisioned one
//	sync/dropbox/dropboxtest      a Dropbox in memory or on a directory
//	integration/faults            what may go wrong at Dropbox, and both sides all the same
//	integration/lab               real Odoo servers for tests and the demo
//	integration/lab/labctl        builds and removes them
//	integration/peers             other people's clients, against the Dropbox emulator
//	integration/scenario          what is promised, on all servers
//
// What the store keeps carries tags that number its fields: a number is never
// used again for something else, and a new field gets the next one.
package odbxfs
