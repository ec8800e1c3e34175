package dropboxtest

import "time"

// fileLock keeps others from writing a file.
type fileLock struct {
	holder  *member
	created time.Time
}

type lockEntry struct {
	Path string `json:"path" stone:"required"`
}

type lockBatchArg struct {
	Entries []lockEntry `json:"entries" stone:"required"`
}

func lockFiles(c *call, arg *lockBatchArg) (any, error) {
	return c.eachLock(arg, func(n *node) *unionError {
		l := c.s.locks[n.id]
		switch {
		case c.v.shared(n) == "" && (c.s.opt.Team == nil || c.s.tree.namespaceOf(n) != c.s.tree.namespace):
			return fail("file_not_shared")
		case l != nil && l.holder != c.v.who:
			e := fail("lock_conflict")
			e.extra = map[string]any{"lock": l.describe()}
			return e
		case l == nil:
			c.s.locks[n.id] = &fileLock{c.v.who, c.s.opt.Now()}
		}
		return nil
	})
}

func unlockFiles(c *call, arg *lockBatchArg) (any, error) {
	return c.eachLock(arg, func(n *node) *unionError {
		if l := c.s.locks[n.id]; l != nil && l.holder != c.v.who {
			e := fail("lock_conflict")
			e.extra = map[string]any{"lock": l.describe()}
			return e
		}
		delete(c.s.locks, n.id)
		return nil
	})
}

func fileLocks(c *call, arg *lockBatchArg) (any, error) {
	return c.eachLock(arg, func(*node) *unionError { return nil })
}

// eachLock does something with every entry's file and tells its lock then.
// Errors are those of LockFileError.
func (c *call) eachLock(arg *lockBatchArg, do func(*node) *unionError) (any, error) {
	c.item = items(len(arg.Entries))
	for _, e := range arg.Entries {
		if err := c.checkPath("entries: path", e.Path, writePattern); err != nil {
			return nil, err
		}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	done := []any{}
	for _, e := range arg.Entries {
		n, lerr := c.v.lookupFile(parsePath(e.Path))
		if lerr != nil {
			lerr = lerr.under("path_lookup")
		} else {
			lerr = do(n)
		}
		if lerr != nil {
			done = append(done, failure(lerr))
			continue
		}
		done = append(done, map[string]any{".tag": "success", "metadata": c.v.tagged(n), "lock": c.s.locks[n.id].describe()})
	}
	return map[string]any{"entries": done}, nil
}

// describe gives FileLock; that of no lock too.
func (l *fileLock) describe() map[string]any {
	if l == nil {
		return map[string]any{"content": tag("unlocked")}
	}
	return map[string]any{"content": map[string]any{".tag": "single_user", "created": formatTime(l.created), "lock_holder_account_id": l.holder.ID}}
}

// mayWrite refuses a file that another has locked.
func (v *view) mayWrite(n *node) *unionError {
	if n == nil {
		return nil
	}
	if l := v.locks[n.id]; l != nil && l.holder != v.who {
		return fail("no_write_permission")
	}
	return nil
}
