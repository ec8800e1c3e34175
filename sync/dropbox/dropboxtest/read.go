package dropboxtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

type getMetadataArg struct {
	Path                            string          `json:"path" stone:"required"`
	IncludeMediaInfo                bool            `json:"include_media_info"`
	IncludeDeleted                  bool            `json:"include_deleted"`
	IncludeHasExplicitSharedMembers bool            `json:"include_has_explicit_shared_members"`
	IncludePropertyGroups           json.RawMessage `json:"include_property_groups"`
}

func getMetadata(c *call, arg *getMetadataArg) (any, error) {
	c.item = arg.Path
	if err := c.checkPath("path", arg.Path, readPattern); err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	spec := parsePath(arg.Path)
	n, lerr := c.s.lookup(spec)
	if lerr == nil && n == c.s.tree.root {
		return nil, badCall("request body: path: The root folder is unsupported.")
	}
	if lerr == nil {
		return n.tagged(), nil
	}
	if tomb, ok := c.s.tree.tombs[lower(arg.Path)]; ok && arg.IncludeDeleted {
		return tomb.metadata(), nil
	}
	return nil, lerr.under("path")
}

type pathArg struct {
	Path string `json:"path" stone:"required"`
}

type readArg struct {
	Path string `json:"path" stone:"required"`
	Rev  string `json:"rev"` // deprecated form of path "rev:..."
}

// revision finds the revision of a file that a path to read names.
func (s *Server) revision(spec pathSpec) (fileRev, *unionError) {
	if spec.rev != "" {
		r, ok := s.tree.revs[spec.rev]
		if !ok {
			return r, fail("not_found")
		}
		return r, nil
	}
	n, lerr := s.lookupFile(spec)
	if lerr != nil {
		return fileRev{}, lerr
	}
	return s.tree.revs[n.rev], nil
}

func downloadFile(c *call, arg *readArg) (any, error) {
	c.item = arg.Path
	if arg.Rev != "" {
		arg.Path = "rev:" + arg.Rev
	}
	if err := c.checkPath("path", arg.Path, readPattern); err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	r, lerr := c.s.revision(parsePath(arg.Path))
	c.s.mu.Unlock()
	if lerr != nil {
		return nil, lerr.under("path")
	}
	result, err := json.Marshal(r.metadata())
	if err != nil {
		return nil, err
	}
	h := c.w.Header()
	h.Set("Dropbox-Api-Result", headerSafe(string(result)))
	h.Set("ETag", `W/"`+r.rev+`"`)
	h.Set("Original-Content-Length", strconv.FormatInt(r.size, 10))
	h.Set("Content-Type", "application/octet-stream")
	return c.serveContent(r)
}

// serveContent sends bytes with Range and If-None-Match, and the length for
// whoever wants to cut it.
func (c *call) serveContent(r fileRev) (any, error) {
	body, err := c.s.store.open(r.hash)
	if err != nil {
		return nil, err
	}
	w := &statusWriter{ResponseWriter: c.w, c: c}
	// ServeContent answers GET and HEAD with a body's rules; Dropbox takes POST.
	req := c.r.Clone(c.r.Context())
	if req.Method == http.MethodPost {
		req.Method = http.MethodGet
	}
	http.ServeContent(w, req, "", time.Time{}, body)
	return answered{}, body.Close()
}

// statusWriter tells the log what http.ServeContent answered.
type statusWriter struct {
	http.ResponseWriter
	c *call
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.c.status = status
	w.ResponseWriter.WriteHeader(status)
}

// headerSafe writes JSON so that it fits in a header: everything beyond ASCII,
// and DEL, as \uXXXX, in pairs where one does not reach.
func headerSafe(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// temporaryLife is how long a temporary link works.
const temporaryLife = 4 * time.Hour

func temporaryLink(c *call, arg *pathArg) (any, error) {
	c.item = arg.Path
	if err := c.checkPath("path", arg.Path, readPattern); err != nil {
		return nil, err
	}
	base := c.s.linkBase()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	r, lerr := c.s.revision(parsePath(arg.Path))
	if lerr != nil {
		return nil, lerr.under("path")
	}
	return map[string]any{"metadata": r.metadata(),
		"link": base + "/apitl/1/" + c.s.temporaryToken(r.rev, c.s.opt.Now().Add(temporaryLife))}, nil
}

type listRevisionsArg struct {
	Path                  string `json:"path" stone:"required"`
	Mode                  tagged `json:"mode"`
	Limit                 *int   `json:"limit"`
	BeforeRev             string `json:"before_rev"`
	IncludeRestorableInfo bool   `json:"include_restorable_info"`
}

func listRevisions(c *call, arg *listRevisionsArg) (any, error) {
	c.item = arg.Path
	if err := c.checkPath("path", arg.Path, readPattern); err != nil {
		return nil, err
	}
	limit := 10
	if arg.Limit != nil {
		limit = *arg.Limit
	}
	if limit < 1 || limit > 100 {
		return nil, badCall("request body: limit: %d is not within [1, 100]", limit)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t := c.s.tree
	spec := parsePath(arg.Path)
	n, lerr := c.s.lookup(spec)
	if lerr == nil && n.folder() {
		return nil, fail("path", "not_file")
	}
	revs, key := t.ofPath[lower(arg.Path)], lower(arg.Path)
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
	if len(revs) == 0 {
		return nil, fail("path", "not_found")
	}
	return c.revisionPage(revs, arg.BeforeRev, limit, n == nil, key)
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
		entries = append(entries, c.s.tree.revs[revs[i]].metadata())
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
		p, werr := c.s.place(parsePath(arg.Path))
		switch {
		case werr != nil:
			return nil, werr.under("path_write")
		case p.existing != nil && p.existing.folder():
			return nil, fail("path_write", "conflict", "folder")
		case !slices.Contains(c.s.tree.ofPath[lower(arg.Path)], arg.Rev) && (p.existing == nil || p.existing.id != old.id):
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
		return n.metadata(), nil
	})
}

// restoreFile gives a deleted file its old id back, unless that lives elsewhere.
func (s *Server) restoreFile(over, parent *node, name string, old fileRev) (*node, error) {
	c := content{hash: old.hash, size: old.size, client: old.client}
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
