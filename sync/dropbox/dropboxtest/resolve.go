package dropboxtest

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// errStale says that the directory holds something that the tree does not know
// yet: it must be taken in, and the call thought through again.
var errStale = errors.New("the directory changed meanwhile")

// locked runs a call's work on the tree. Where the directory turns out to have
// changed, its changes are taken in first: what a person did before the call
// is older than the call.
func (c *call) locked(do func() (any, error)) (any, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	const tries = 4
	for i := 1; ; i++ {
		result, err := do()
		if err == nil {
			err = c.s.tree.failed // nothing is acknowledged that would not survive
		}
		if !errors.Is(err, errStale) || i == tries {
			return result, err
		}
		if err := c.s.disk.settleAll(); err != nil {
			return nil, err
		}
	}
}

// lookup finds what a path argument names. The error is a LookupError; a
// caller nests it with under.
func (v *view) lookup(p pathSpec) (*node, *unionError) {
	start := v.root
	switch {
	case p.malformed:
		return nil, fail("malformed_path")
	case p.rev != "":
		r, ok := v.tree.revs[p.rev]
		if n := v.byID(r.id); ok && n != nil {
			return n, nil
		}
		return nil, fail("not_found")
	case p.id != "":
		start = v.byID(p.id)
	case p.ns != "":
		start = v.space(p.ns)
	}
	if start == nil {
		return nil, fail("not_found")
	}
	n, _, _ := v.at(start, p.parts)
	if n == nil {
		return nil, fail("not_found")
	}
	return n, nil
}

// byID finds what the caller may see by its id, or nil.
func (v *view) byID(id string) *node {
	n := v.tree.byID[id]
	if n == nil || v.hides(n) || !n.within(v.root) && v.opt.AppFolder != "" {
		return nil
	}
	return n
}

// lookupFile is lookup for routes that want a file.
func (v *view) lookupFile(p pathSpec) (*node, *unionError) {
	n, err := v.lookup(p)
	if err == nil && n.folder() {
		return nil, fail("not_file")
	}
	return n, err
}

// place is where something is to be written.
type place struct {
	parent   *node    // deepest folder that exists
	missing  []string // folders to make below it
	name     string
	existing *node // what stands at the path now
}

// place takes a path to write to apart. The error is a WriteError.
func (v *view) place(p pathSpec) (place, *unionError) {
	start := v.root
	switch {
	case p.id != "":
		start = v.byID(p.id)
	case p.ns != "":
		start = v.space(p.ns)
	}
	if start == nil || p.malformed {
		return place{}, fail("malformed_path")
	}
	if len(p.parts) == 0 {
		return place{parent: start.parent, name: start.name, existing: start}, nil
	}
	parts := make([]string, len(p.parts))
	for i, part := range p.parts {
		parts[i] = norm.NFC.String(part)
	}
	n, deepest, rest := v.at(start, parts)
	if n != nil {
		return place{parent: n.parent, name: parts[len(parts)-1], existing: n}, nil
	}
	for _, part := range rest {
		if bad := v.opt.Behaviour.checkName(part); bad != "" {
			return place{}, fail(bad)
		}
	}
	if !deepest.folder() {
		if len(rest) == 0 {
			return place{}, fail("conflict", "file")
		}
		return place{}, fail("conflict", "file_ancestor")
	}
	return place{parent: deepest, missing: rest[:len(rest)-1], name: rest[len(rest)-1]}, nil
}

// ensure makes the missing folders of a place and gives the last.
func (s *Server) ensure(p place) (*node, error) {
	parent := p.parent
	for _, name := range p.missing {
		n, err := s.makeFolder(parent, name)
		if err != nil {
			return nil, err
		}
		parent = n
	}
	return parent, nil
}

func (s *Server) makeFolder(parent *node, name string) (*node, error) {
	id, err := s.disk.mkdir(parent, name)
	if err != nil {
		return nil, err
	}
	n := s.tree.addFolder(parent, name, id)
	return n, s.disk.adopt(n)
}

// occupied is the WriteError for a name that is taken.
func occupied(n *node) *unionError {
	if n.folder() {
		return fail("conflict", "folder")
	}
	return fail("conflict", "file")
}

// items describes several things for the log.
func items(n int) string { return fmt.Sprintf("%d entries", n) }

func joinItems(from, to string) string { return strings.Join([]string{from, to}, " -> ") }
