// Package plan is the planner: a pure function of what is dirty, the three
// trees and a policy to tasks, and to the identities that the store must merge.
// It has no clock, no I/O, no randomness, no error; no order of a map reaches
// its output.
//
// # How it decides
//
// A node has one id in all three trees, so identity is given and never guessed
// from a name. Each node that is dirty, or that a dirty one leans on, is looked
// at once ([Plan]'s steps are files of this package):
//
//	item.go     what differs from the pair: content and place, on each side
//	fate.go     who lives on: new content beats a bare deletion, and a folder
//	            lives while something in it does
//	merge.go    first contact: what is one thing though nothing says so yet
//	place.go    whose place holds: Odoo's, unless Dropbox's alone has changed,
//	            Odoo can follow, and no circle comes of it
//	naming.go   one name for one node in each folder of Dropbox
//	decide.go   the tasks, by the rules below
//	order.go    the order, with waits.go saying what waits for what
//	reverse.go  the way back: everything into Odoo, nothing else
//	guard.go    deletions that wait for a person; called on the plan, not by it
//
// # The rules
//
// Existence, place and content are compared each by itself; a node may get one
// task for its place and one for its content.
//
//	Odoo       Dropbox    what follows
//	new        -          made or uploaded
//	-          new        made or created in Odoo
//	new        new        one folder if both are; one file if the contents are
//	                      known to be equal; else Dropbox's becomes a
//	                      conflicted copy, and is created in Odoo as such
//	content    -          uploaded over the same Dropbox file
//	-          content    updated in Odoo, the same attachment
//	content    content    Dropbox's is kept beside, then Odoo's is uploaded
//	place      -          moved in Dropbox, a folder with all that is in it
//	-          place      moved in Odoo; record and rule folders: moved back
//	place      place      Odoo's holds; equal: agreed
//	content    place      both (and the other way round)
//	removed    -          removed in Dropbox
//	-          removed    removed in Odoo; record, rule and default folders
//	                      come back
//	removed    content    created in Odoo again, of the same Dropbox file
//	removed    place      removed in Dropbox
//	content    removed    uploaded as new (a link has no bytes: removed)
//	place      removed    uploaded or made as new (a link: removed)
//	removed    removed    forgotten: a tombstone
//
// Not mirrored, so neither compared nor removed on Odoo's side: foreign
// documents, and nodes of no client or of another. What was mirrored and is
// given to another client leaves this one, a link after its bytes are back, and
// only then is new to the other; what is given to none stays as it is.
//
// # What the executors owe
//
// Tasks are carried out in order. What adjacent tasks put into a folder whose
// own move or making is in the same plan comes after that. A task's Odoo,
// Dropbox and Pair are what the planner saw; an earlier task of the same node
// may have moved the rev and the version on. Each task settles what it did and
// nothing more, so that a plan can be cut off anywhere:
//
//	TaskDropboxMove, TaskOdooMove   parent, names (and the move's own rev, if the
//	                                content is still the agreed one)
//	TaskDropboxMove, pass Backward  nothing: Dropbox's own place or a step aside;
//	                                a later task of the node agrees on it
//	TaskDropboxUpload over a file, TaskOdooUpdate   the content
//	TaskDropboxKeep                 nothing: the copy is a new node of Dropbox's
//	all others that make or agree   the whole pair, its ids included
//
// A removal of a folder never takes along what the planner has not seen: it is
// of an empty folder. A case-only move is one task; that Dropbox takes it only
// in two steps is its client's matter.
//
// # What it does not do
//
// A node that is busy is never planned for; it keeps the name that it has (who
// wants that waits, if it may leave: [Policy].Leaves), and what goes into it is
// planned all the same, behind it in the queue. Whoever finishes with a node
// marks it dirty again.
//
// It does not see content: whether two files are equal is known only through a
// pair or [Policy].Same. A rule in a free folder of another client has no place
// in Dropbox and waits. Documents without bytes of their own (Paper, Google) stay
// in Dropbox. A folder's names are all read when something is put into it.
package plan
