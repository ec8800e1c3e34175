package dropboxtest

import "errors"

type createFolderArg struct {
	Path       string `json:"path" stone:"required"`
	Autorename bool   `json:"autorename"`
}

func createFolder(c *call, arg *createFolderArg) (*node, error) {
	c.item = arg.Path
	if err := c.checkPath("path", arg.Path, writePattern); err != nil {
		return nil, err
	}
	n, err := c.locked(func() (any, error) {
		return c.v.createFolder(arg.Path, arg.Autorename)
	})
	if err != nil {
		return nil, err
	}
	return n.(*node), nil
}

// createFolder answers with errors under "path", as every caller needs.
func (v *view) createFolder(path string, autorename bool) (*node, error) {
	p, werr := v.place(parsePath(path))
	if werr != nil {
		return nil, werr.under("path")
	}
	if p.existing != nil {
		if !autorename || p.parent == nil {
			return nil, occupied(p.existing).under("path")
		}
		p.name = freeName(p.parent, p.name, "")
	}
	parent, err := v.ensure(p)
	if err == nil {
		var n *node
		if n, err = v.makeFolder(parent, p.name); err == nil {
			return n, nil
		}
	}
	return nil, nameError(err, "path")
}

// nameError puts a WriteError of the disk (a name too long for it) under the
// union that the route has for it.
func nameError(err error, under ...string) error {
	if e, ok := errors.AsType[*unionError](err); ok {
		for _, u := range under {
			e = e.under(u)
		}
		return e
	}
	return err
}

func createFolderV1(c *call, arg *createFolderArg) (any, error) {
	n, err := createFolder(c, arg)
	if err != nil {
		return nil, err
	}
	return c.describe(n), nil
}

func createFolderV2(c *call, arg *createFolderArg) (any, error) {
	n, err := createFolder(c, arg)
	if err != nil {
		return nil, err
	}
	return map[string]any{"metadata": c.describe(n)}, nil
}

// describe reads a node under the lock.
func (c *call) describe(n *node) map[string]any {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.v.metadata(n)
}

type createFolderBatchArg struct {
	Paths      []string `json:"paths" stone:"required"`
	Autorename bool     `json:"autorename"`
	ForceAsync bool     `json:"force_async"`
}

func createFolderBatch(c *call, arg *createFolderBatchArg) (any, error) {
	c.item = items(len(arg.Paths))
	if len(arg.Paths) > 10_000 {
		return nil, badCall("request body: paths: %d is more than 10000 items", len(arg.Paths))
	}
	for _, p := range arg.Paths {
		if err := c.checkPath("paths", p, writePattern); err != nil {
			return nil, err
		}
	}
	return c.locked(func() (any, error) {
		// Recorded: a path that comes twice is made once, and both entries say so.
		made := map[string]map[string]any{}
		entries := make([]any, len(arg.Paths))
		for i, p := range arg.Paths {
			key := fold(p)
			if made[key] == nil {
				n, err := c.v.createFolder(p, arg.Autorename)
				if errors.Is(err, errStale) {
					return nil, err
				}
				made[key] = c.v.entryOf(n, err)
			}
			entries[i] = made[key]
		}
		if arg.ForceAsync || len(arg.Paths) >= c.s.opt.Behaviour.AsyncFolders {
			return c.s.startJob("create_folder_batch", entries), nil
		}
		return map[string]any{".tag": "complete", "entries": entries}, nil
	})
}

func (v *view) entryOf(n *node, err error) map[string]any {
	if err != nil {
		return failure(err)
	}
	return map[string]any{".tag": "success", "metadata": v.metadata(n)}
}

// failure is the entry of a batch for an error.
func failure(err error) map[string]any {
	if u, ok := errors.AsType[*unionError](err); ok {
		return map[string]any{".tag": "failure", "failure": u.union()}
	}
	return map[string]any{".tag": "failure", "failure": tag("other"), "note": err.Error()}
}
