package cache

import "odbxfs"

// EventKind says what a commit changed, for whoever has to tell others: the
// kernel, the engine.
type EventKind uint8

// The kinds of events.
const (
	// EntryChanged: Name in the folder Parent now leads to Node, or to nothing
	// when Node is zero, without the kernel having asked for it by this name.
	EntryChanged EventKind = iota + 1
	// NodeChanged: attributes of Node changed (size, mtime, rights, state).
	NodeChanged
	// ContentChanged: the bytes of Node are others than before.
	ContentChanged
	// NodeGone: Node, that was Name in Parent, is gone.
	NodeGone
	// IntentAdded: Node has a new or newer intent.
	IntentAdded
	// TreeDirty: the planner has something new to look at; no other field is set.
	TreeDirty
)

// Event is one consequence of a commit. A commit's events come together, in
// the order in which they were made.
type Event struct {
	Kind   EventKind
	Parent odbxfs.NodeID // of EntryChanged and NodeGone
	Name   string        // of EntryChanged and NodeGone
	Node   odbxfs.NodeID // of all but TreeDirty
}
