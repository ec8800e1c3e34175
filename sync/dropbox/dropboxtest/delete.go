package dropboxtest

import "errors"

type deleteArg struct {
	Path      string `json:"path" stone:"required"`
	ParentRev string `json:"parent_rev"`
}

// remove deletes what path names and gives its metadata as it was.
func (v *view) remove(arg deleteArg) (map[string]any, error) {
	n, lerr := v.lookup(parsePath(arg.Path))
	if lerr != nil {
		return nil, lerr.under("path_lookup")
	}
	if n == v.root || n.parent == nil || n.owner != "" {
		return nil, fail("path_write", "no_write_permission")
	}
	if werr := v.mayWrite(n); werr != nil {
		return nil, werr.under("path_write")
	}
	if arg.ParentRev != "" && (n.folder() || n.rev != arg.ParentRev) {
		return nil, occupied(n).under("path_write")
	}
	if n.count() > v.opt.Behaviour.MaxItems {
		return nil, fail("too_many_files")
	}
	was := v.tagged(n)
	if err := v.disk.remove(n); err != nil {
		return nil, err
	}
	v.tree.remove(n)
	return was, nil
}

func deleteOne(c *call, arg *deleteArg) (any, error) {
	c.item = arg.Path
	if err := c.checkPath("path", arg.Path, writePattern); err != nil {
		return nil, err
	}
	return c.locked(func() (any, error) { return c.v.remove(*arg) })
}

func deleteV2(c *call, arg *deleteArg) (any, error) {
	was, err := deleteOne(c, arg)
	if err != nil {
		return nil, err
	}
	return map[string]any{"metadata": was}, nil
}

type deleteBatchArg struct {
	Entries []deleteArg `json:"entries" stone:"required"`
}

func deleteBatch(c *call, arg *deleteBatchArg) (any, error) {
	c.item = items(len(arg.Entries))
	if len(arg.Entries) > 1000 {
		return nil, badCall("request body: entries: %d is more than 1000 items", len(arg.Entries))
	}
	for _, e := range arg.Entries {
		if err := c.checkPath("entries: path", e.Path, writePattern); err != nil {
			return nil, err
		}
	}
	done := make([]any, 0, len(arg.Entries))
	return c.locked(func() (any, error) {
		for _, e := range arg.Entries[len(done):] {
			if err := c.partly(len(done)); err != nil {
				done = append(done, failure(err))
				continue
			}
			was, err := c.v.remove(e)
			switch {
			case errors.Is(err, errStale):
				return nil, err // comes back after the directory was looked at
			case err != nil:
				done = append(done, failure(err))
			default:
				done = append(done, map[string]any{".tag": "success", "metadata": was})
			}
		}
		return c.s.startJob("delete_batch", done), nil
	})
}

// permanentlyDelete is for apps of teams alone; recorded for others.
func permanentlyDelete(c *call, arg *deleteArg) (any, error) {
	c.item = arg.Path
	if c.v.who.Kind != Business {
		return nil, badCall("Your API app is not allowed to call this function.")
	}
	if err := c.checkPath("path", arg.Path, writePattern); err != nil {
		return nil, err
	}
	_, err := c.locked(func() (any, error) {
		key := c.v.absolute(arg.Path)
		was, err := c.v.remove(*arg)
		if _, buried := c.s.tree.tombs[key]; err != nil && !buried {
			return nil, err
		}
		c.s.tree.commit(record{Op: "purge", Name: key})
		return was, nil
	})
	return nil, err
}
