package dropboxtest

import (
	"encoding/json"
	"errors"
	"io"
)

// commitInfo says where and how a content becomes a file.
type commitInfo struct {
	Path           string          `json:"path" stone:"required"`
	Mode           tagged          `json:"mode"`
	Autorename     bool            `json:"autorename"`
	ClientModified *stamp          `json:"client_modified"`
	Mute           bool            `json:"mute"`
	PropertyGroups json.RawMessage `json:"property_groups"`
	StrictConflict bool            `json:"strict_conflict"`
}

type uploadArg struct {
	commitInfo
	ContentHash string `json:"content_hash"`
}

// received is a body that was read into a spool.
type received struct {
	spool spool
	hash  string
	size  int64
}

// receive reads the whole body. Errors are those of the upload routes.
func (c *call) receive(want string) (*received, error) {
	sp, err := c.s.store.spool()
	if err != nil {
		return nil, err
	}
	h := newContentHasher()
	limit := c.s.opt.Behaviour.MaxRequest
	n, err := io.Copy(io.MultiWriter(io.NewOffsetWriter(sp, 0), h), io.LimitReader(c.r.Body, limit+1))
	switch {
	case err != nil:
		// The client went away: nobody reads the answer.
		err = &apiError{status: 400, text: "could not read body"}
	case n > limit:
		err = fail("payload_too_large")
	case want != "" && want != h.sum():
		err = fail("content_hash_mismatch")
	default:
		return &received{spool: sp, hash: h.sum(), size: n}, nil
	}
	return nil, errors.Join(err, sp.discard())
}

func uploadFile(c *call, arg *uploadArg) (any, error) {
	c.item = arg.Path
	if err := c.checkPath("path", arg.Path, writePattern); err != nil {
		return nil, err
	}
	got, err := c.receive(arg.ContentHash)
	if err != nil {
		return nil, unjoin(err)
	}
	if err := c.s.store.keep(got.spool, got.hash); err != nil {
		return nil, err
	}
	result, err := c.locked(func() (any, error) { return c.v.commitFile(arg.commitInfo, got.hash, got.size) })
	if e, ok := errors.AsType[*unionError](err); ok && e.tags[0] == "path" {
		// UploadError.path is a struct: its reason stands flat beside the id of a
		// session that could be finished elsewhere; recorded as possibly empty.
		inner := &unionError{tags: e.tags[1:]}
		return nil, &unionError{tags: e.tags, full: map[string]any{
			".tag": "path", "reason": inner.union(), "upload_session_id": ""}}
	}
	return result, err
}

// unjoin gives the answer in an error that cleaning up was joined to.
func unjoin(err error) error {
	if e, ok := errors.AsType[*unionError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	return err
}

// commitFile writes a kept content by the rules of WriteMode. Its errors stand
// under "path".
func (v *view) commitFile(ci commitInfo, hash string, size int64) (any, error) {
	p, werr := v.place(parsePath(ci.Path))
	if werr != nil {
		return nil, werr.under("path")
	}
	c := content{hash: hash, size: size, client: v.opt.Now()}
	if ci.ClientModified != nil {
		c.client = ci.ClientModified.Time
	}
	if werr := v.mayWrite(p.existing); werr != nil {
		return nil, werr.under("path")
	}
	over, name, same, werr := v.writeMode(ci, p, hash)
	if werr != nil {
		return nil, werr.under("path")
	}
	if same {
		return v.metadata(over), nil
	}
	if v.tree.used+size > v.who.Allocated {
		return nil, fail("path", "insufficient_space")
	}
	parent, err := v.ensure(p)
	if err != nil {
		return nil, nameError(err, "path")
	}
	n, err := v.writeFile(over, parent, name, c)
	if err != nil {
		return nil, nameError(err, "path")
	}
	return v.metadata(n), nil
}

// writeMode decides between a new file (over is nil), a new revision of over,
// and nothing to do (same).
func (s *Server) writeMode(ci commitInfo, p place, hash string) (over *node, name string, same bool, werr *unionError) {
	if old := ci.Mode.str("update"); p.existing == nil {
		// An update of a file that is gone is written, unless strict.
		if ci.Mode.Tag == "update" && ci.StrictConflict && old != "" && !ci.Autorename {
			return nil, "", false, fail("conflict", "file")
		}
		return nil, p.name, false, nil
	}
	note, conflict := "", false
	switch ex := p.existing; {
	case ex.folder():
		conflict = true
	case ex.hash == hash && (!ci.StrictConflict || ci.Mode.Tag == "overwrite" || ci.Mode.Tag == "update" && ci.Mode.str("update") == ex.rev):
		// Recorded: the old rev and times, with another client_modified too.
		return ex, ex.name, true, nil
	case ci.Mode.Tag == "overwrite":
	case ci.Mode.Tag == "update":
		conflict, note = ci.Mode.str("update") != ex.rev, "conflicted copy"
	default:
		conflict = true
	}
	switch {
	case !conflict:
		return p.existing, p.existing.name, false, nil
	case !ci.Autorename || p.parent == nil:
		return nil, "", false, occupied(p.existing)
	}
	return nil, freeName(p.parent, p.name, note), false, nil
}

// writeFile makes a file at a free name, or a new revision of over.
func (s *Server) writeFile(over, parent *node, name string, c content) (*node, error) {
	id, err := s.disk.write(over, parent, name, c)
	if err != nil {
		return nil, err
	}
	c.ident = id
	return s.tree.putFile(over, parent, name, c), nil
}
