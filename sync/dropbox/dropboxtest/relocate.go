package dropboxtest

import (
	"errors"
	"strings"
)

type relocateArg struct {
	FromPath               string `json:"from_path" stone:"required"`
	ToPath                 string `json:"to_path" stone:"required"`
	Autorename             bool   `json:"autorename"`
	AllowOwnershipTransfer bool   `json:"allow_ownership_transfer"`
	AllowSharedFolder      bool   `json:"allow_shared_folder"`
}

func (c *call) checkRelocate(arg relocateArg) error {
	if err := c.checkPath("from_path", arg.FromPath, writePattern); err != nil {
		return err
	}
	return c.checkPath("to_path", arg.ToPath, writePattern)
}

// relocate moves or copies and gives what stands at the new place.
func (v *view) relocate(arg relocateArg, duplicate bool) (*node, error) {
	n, lerr := v.lookup(parsePath(arg.FromPath))
	if lerr != nil {
		return nil, lerr.under("from_lookup")
	}
	if n == v.root || n.parent == nil || n.owner != "" {
		return nil, fail("from_write", "no_write_permission")
	}
	to, werr := v.place(parsePath(arg.ToPath))
	if werr != nil {
		return nil, werr.under("to")
	}
	if n.count() > v.opt.Behaviour.MaxItems {
		return nil, fail("too_many_files")
	}
	if to.existing == n && !duplicate {
		return v.caseOnly(n, to.name)
	}
	target := to.parent
	if to.existing != nil && to.existing.within(n) && to.existing != n || to.existing == nil && target.within(n) {
		return nil, fail("cant_move_folder_into_itself")
	}
	if to.existing != nil {
		if !arg.Autorename || to.parent == nil {
			return nil, occupied(to.existing).under("to")
		}
		to.name = freeName(to.parent, to.name, "")
	}
	parent, err := v.ensure(to)
	if err != nil {
		return nil, nameError(err, "to")
	}
	if duplicate {
		done, err := v.duplicate(n, parent, to.name)
		return done, nameError(err, "to")
	}
	return n, nameError(v.move(n, parent, to.name), "to")
}

func (s *Server) move(n, parent *node, name string) error {
	id, err := s.disk.move(n, parent, name)
	if err != nil {
		return err
	}
	s.tree.move(n, parent, name, id)
	return nil
}

// caseOnly is a move onto itself, by another case of the name or none.
func (s *Server) caseOnly(n *node, name string) (*node, error) {
	switch {
	case n.name == name || s.opt.Behaviour.CaseOnlyMove == "" || s.opt.Behaviour.CaseOnlyMove == "conflict":
		return nil, occupied(n).under("to")
	case s.opt.Behaviour.CaseOnlyMove == "noop":
		return n, nil
	}
	return n, s.move(n, n.parent, name)
}

// duplicate copies a file or a whole folder under new ids.
func (s *Server) duplicate(n, parent *node, name string) (*node, error) {
	if !n.folder() {
		return s.writeFile(nil, parent, name, content{hash: n.hash, size: n.size, client: n.client, cloud: n.cloud})
	}
	list := n.sorted() // before the copy stands, which may stand inside
	made, err := s.makeFolder(parent, name)
	if err != nil {
		return nil, err
	}
	for _, child := range list {
		if _, err := s.duplicate(child, made, child.name); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func relocateOne(duplicate bool, wrap func(map[string]any) any) handler {
	return with(func(c *call, arg *relocateArg) (any, error) {
		c.item = joinItems(arg.FromPath, arg.ToPath)
		if err := c.checkRelocate(*arg); err != nil {
			return nil, err
		}
		return c.locked(func() (any, error) {
			n, err := c.v.relocate(*arg, duplicate)
			if err != nil {
				return nil, err
			}
			return wrap(c.v.tagged(n)), nil
		})
	})
}

func bare(m map[string]any) any      { return m }
func wrapped(m map[string]any) any   { return map[string]any{"metadata": m} }
func succeeded(m map[string]any) any { return map[string]any{".tag": "success", "success": m} }

type relocatePath struct {
	FromPath string `json:"from_path" stone:"required"`
	ToPath   string `json:"to_path" stone:"required"`
}

type copyBatchArg struct {
	Entries    []relocatePath `json:"entries" stone:"required"`
	Autorename bool           `json:"autorename"`
}

type moveBatchArg struct {
	copyBatchArg
	AllowOwnershipTransfer bool `json:"allow_ownership_transfer"`
}

func moveBatch(c *call, arg *moveBatchArg) (any, error) {
	return c.relocateBatch(&arg.copyBatchArg, false, "move_batch")
}

func copyBatch(c *call, arg *copyBatchArg) (any, error) {
	return c.relocateBatch(arg, true, "copy_batch")
}

// relocateBatch does all entries in order and answers with a job, as recorded
// even for one entry.
func (c *call) relocateBatch(arg *copyBatchArg, duplicate bool, kind string) (any, error) {
	c.item = items(len(arg.Entries))
	if len(arg.Entries) < 1 || len(arg.Entries) > 1000 {
		return nil, badCall("request body: entries: %d is not between 1 and 1000 items", len(arg.Entries))
	}
	for _, e := range arg.Entries {
		if err := c.checkRelocate(relocateArg{FromPath: e.FromPath, ToPath: e.ToPath}); err != nil {
			return nil, err
		}
	}
	nested := nestedEntries(arg.Entries)
	done := make([]any, 0, len(arg.Entries))
	return c.locked(func() (any, error) {
		for i := len(done); i < len(arg.Entries); i++ {
			if err := c.partly(i); err != nil {
				done = append(done, failure(err))
				continue
			}
			entry, err := c.v.relocateEntry(arg, i, duplicate, nested[i])
			if err != nil {
				return nil, err
			}
			done = append(done, entry)
		}
		return c.s.startJob(kind, done), nil
	})
}

func (v *view) relocateEntry(arg *copyBatchArg, i int, duplicate, nested bool) (any, error) {
	if nested && !duplicate {
		return failure(fail("relocation_error", "duplicated_or_nested_paths")), nil
	}
	e := arg.Entries[i]
	n, err := v.relocate(relocateArg{FromPath: e.FromPath, ToPath: e.ToPath, Autorename: arg.Autorename}, duplicate)
	if errors.Is(err, errStale) {
		return nil, err
	}
	if err != nil {
		return failure(nameError(err, "relocation_error")), nil
	}
	return succeeded(v.tagged(n)), nil
}

// nestedEntries marks entries whose source is, or lies in, that of an earlier one.
func nestedEntries(entries []relocatePath) []bool {
	nested := make([]bool, len(entries))
	seen := map[string]bool{}
	for i, e := range entries {
		p := e.FromPath
		if !strings.HasPrefix(p, "id:") { // ids differ by case
			p = fold(p)
		}
		for q := p; q != ""; q = q[:max(0, strings.LastIndexByte(q, '/'))] {
			nested[i] = nested[i] || seen[q]
		}
		seen[p] = true
	}
	return nested
}
