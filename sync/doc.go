// Package sync is the engine: it learns what changed in Odoo and in Dropbox,
// carries out what was done through the mount, and brings both sides to
// agreement by small tasks that may be repeated.
//
// # One goroutine decides
//
// [Engine.Step] takes one [Event] and gives [Effect]s. All state of the engine
// belongs to whoever calls Step; the store is read and written inside Step, and
// nothing else is. An effect is one wait or one call of a remote; it runs in a
// goroutine of its own, touches no state of the engine, and ends in an Event.
// Clock and randomness are handed in. So a simulation that picks the next
// effect by a seed replays a history exactly, and the daemon's loop ([Engine.Run])
// is a few lines around Step.
//
//	        +--------- Event <----------+
//	        v                           |
//	Step (store, decisions) --> Effect (one remote call)
//
// Effects of one lane never overlap. The lanes are: the looks at Odoo; the
// intents; the log; and for each cloud client its lease and pairs, its looks at
// Dropbox, its long-poll, its writes to Dropbox, its writes to Odoo.
//
// # Life of a task
//
//	planned --AddTasks--> queued --Apply--> done --settled--> gone from the queue
//	   ^                   |  |  \                            (trees, pair, log, dequeue:
//	   |   precondition    |  |   +-- held: a person decides     one transaction)
//	   +---- failed -------+  +------ parked: Reason says why
//
// A task is durable before it starts (the store is synced before the first
// remote call of each batch) and carries what the planner saw. When that no
// longer holds it is dropped and its node is planned anew; it is never forced.
// Tasks on Dropbox end with a write of the pair in Odoo, tasks on Odoo write
// their pair in the same transaction; only then the store takes over the
// result. A crash between any two of these leads to the same end: the task is
// still queued, and repeating it finds its work done.
//
// Deletions rest before they start, until no more of them come: law 8 asks a
// person about a mass deletion as a whole, in however many looks, pages or
// batches it comes. A few rest for a second; many until a further look at the
// side they come from brought no more. What was carried out within a minute
// counts with what is new. What is held and comes back meanwhile needs nobody's
// answer any more.
//
// # Order
//
// Intents go before planning: a node with an intent is not planned. A node
// with a queued task is not planned either, nor is a new thing that has the
// place of a queued create: it is what that task made, seen before its answer.
//
// # Three sets of executors
//
//   - mount: looks at Odoo and carries out intents. No ledger, no Dropbox.
//   - sync: everything but intents.
//   - run: all of it.
//
// # What it does not do yet
//
// The marker file in Dropbox that guards against two databases on one root, the
// trash of what was deleted before Dropbox had it, and folder checks in turn.
package sync
