package dropboxtest

import (
	"slices"
	"time"
)

// node is a file or folder that exists now.
type node struct {
	id       string // empty for the root
	name     string
	parent   *node
	children map[string]*node // by folded name; nil for files

	rev            string
	hash           string
	size           int64
	client, server time.Time
	cloud          Cloud  // empty: a plain file
	ident          *ident // who it is in the directory; nil without one

	ns    string // of a folder that is a namespace of its own: its id
	owner string // of a member's home in a team space: the account's id
}

func (n *node) folder() bool { return n.children != nil }

// display gives the path with its case, "" for the root.
func (n *node) display() string {
	if n.parent == nil {
		return ""
	}
	return n.parent.display() + "/" + n.name
}

func (n *node) lower() string { return fold(n.display()) }

// within reports whether n is a or lies below it.
func (n *node) within(a *node) bool {
	for ; n != nil; n = n.parent {
		if n == a {
			return true
		}
	}
	return false
}

// walk visits n and all below, parents first, names in folded order.
func (n *node) walk(visit func(*node)) {
	visit(n)
	for _, c := range n.sorted() {
		c.walk(visit)
	}
}

func (n *node) sorted() []*node {
	keys := make([]string, 0, len(n.children))
	for k := range n.children {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	list := make([]*node, len(keys))
	for i, k := range keys {
		list[i] = n.children[k]
	}
	return list
}

func (n *node) count() int {
	c := 0
	n.walk(func(*node) { c++ })
	return c
}

// fileRev is one revision of a file, for ever.
type fileRev struct {
	id, name, display, rev, hash string
	size                         int64
	client, server               time.Time
	cloud                        Cloud
}

// revision is what a file is now.
func (n *node) revision() fileRev {
	return fileRev{id: n.id, name: n.name, display: n.display(), rev: n.rev, hash: n.hash,
		size: n.size, client: n.client, server: n.server, cloud: n.cloud}
}
