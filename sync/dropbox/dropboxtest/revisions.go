package dropboxtest

import "slices"

type listRevisionsArg struct {
	Path                  string `json:"path" stone:"required"`
	Mode                  tagged `json:"mode"`
	Limit                 *int   `json:"limit"`
	BeforeRev             string `json:"before_rev"`
	IncludeRestorableInfo bool   `json:"include_restorable_info"`
}

func listRevisions(c *call, arg *listRevisionsArg) (any, error) {
	limit := 10
	if arg.Limit != nil {
		limit = *arg.Limit
	}
	if limit < 1 || limit > 100 {
		return nil, badCall("request body: limit: %d is not within [1, 100]", limit)
	}
	return c.reading(arg.Path, func(spec pathSpec) (any, error) {
		n, lerr := c.v.lookup(spec)
		if lerr == nil && n.folder() {
			return nil, fail("path", "not_file")
		}
		revs, key := c.v.revisionsOf(arg, spec, n)
		if len(revs) == 0 {
			return nil, fail("path", "not_found")
		}
		return c.revisionPage(revs, arg.BeforeRev, limit, n == nil, key)
	})
}

// revisionsOf gives all revisions of a path, or of an id, oldest first, and the
// folded path that they are of.
func (v *view) revisionsOf(arg *listRevisionsArg, spec pathSpec, n *node) ([]string, string) {
	t := v.tree
	key := v.absolute(arg.Path)
	revs := t.ofPath[key]
	if n != nil {
		revs, key = t.ofPath[n.lower()], n.lower()
	}
	if arg.Mode.Tag == "id" || spec.id != "" {
		id := spec.id
		if n != nil {
			id = n.id
		} else if len(revs) > 0 {
			id = t.revs[revs[len(revs)-1]].id
		}
		revs = t.ofID[id]
	}
	return revs, key
}

// revisionPage gives the newest revisions first.
func (c *call) revisionPage(revs []string, before string, limit int, deleted bool, lower string) (any, error) {
	end := len(revs)
	if before != "" {
		if end = slices.Index(revs, before); end < 0 {
			return nil, fail("invalid_before_rev")
		}
	}
	entries := []any{}
	for i := end - 1; i >= 0 && len(entries) < limit; i-- {
		entries = append(entries, c.v.revMetadata(c.s.tree.revs[revs[i]]))
	}
	answer := map[string]any{"is_deleted": deleted, "entries": entries, "has_more": end > limit}
	if at, ok := c.s.tree.tombAt[lower]; ok && deleted {
		answer["server_deleted"] = formatTime(at)
	}
	return answer, nil
}

type restoreArg struct {
	Path string `json:"path" stone:"required"`
	Rev  string `json:"rev" stone:"required"`
}

// restore brings a revision back at a path: same id, new rev.
func restore(c *call, arg *restoreArg) (any, error) {
	c.item = arg.Path
	if err := c.checkPath("path", arg.Path, writePattern); err != nil {
		return nil, err
	}
	return c.locked(func() (any, error) {
		old, ok := c.s.tree.revs[arg.Rev]
		if !ok {
			return nil, fail("invalid_revision")
		}
		p, werr := c.v.place(parsePath(arg.Path))
		switch {
		case werr != nil:
			return nil, werr.under("path_write")
		case p.existing != nil && p.existing.folder():
			return nil, fail("path_write", "conflict", "folder")
		case !slices.Contains(c.s.tree.ofPath[c.v.absolute(arg.Path)], arg.Rev) && (p.existing == nil || p.existing.id != old.id):
			return nil, fail("invalid_revision")
		}
		parent, err := c.s.ensure(p)
		if err != nil {
			return nil, nameError(err, "path_write")
		}
		name := p.name
		if p.existing != nil {
			name = p.existing.name
		}
		n, err := c.s.restoreFile(p.existing, parent, name, old)
		if err != nil {
			return nil, nameError(err, "path_write")
		}
		return c.v.metadata(n), nil
	})
}

// restoreFile gives a deleted file its old id back, unless that lives elsewhere.
func (s *Server) restoreFile(over, parent *node, name string, old fileRev) (*node, error) {
	c := content{hash: old.hash, size: old.size, client: old.client, cloud: old.cloud}
	if over != nil || s.tree.byID[old.id] != nil {
		return s.writeFile(over, parent, name, c)
	}
	id, err := s.disk.write(nil, parent, name, c)
	if err != nil {
		return nil, err
	}
	c.ident = id
	return s.tree.putFile(&node{id: old.id}, parent, name, c), nil
}
