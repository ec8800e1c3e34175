// Package odbxfs holds the words that all parts of the project share: the ids
// of things on each side, the nodes of the three trees, tasks, and the kinds of
// errors. It knows no protocol, does no I/O, and imports none of the other
// packages; every other package may import it.
//
// The three trees are the Odoo tree ([OdooNode]), the Dropbox tree
// ([DropboxNode]) and the synced tree ([Pair]): what both sides last agreed on.
// One [NodeID] names the same thing in all three.
//
// What the store keeps carries tags that number its fields: a number is never
// used again for something else, and a new field gets the next one.
package odbxfs
