package dropboxtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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
	return c.reading(arg.Path, func(spec pathSpec) (any, error) {
		n, lerr := c.v.lookup(spec)
		if lerr == nil && n == c.v.root {
			return nil, badCall("request body: path: The root folder is unsupported.")
		}
		if lerr == nil {
			return c.v.tagged(n), nil
		}
		if tomb, ok := c.s.tree.tombs[c.v.absolute(arg.Path)]; ok && arg.IncludeDeleted {
			return c.v.gone(tomb), nil
		}
		return nil, lerr.under("path")
	})
}

// reading checks a path to read and does something with it under the lock.
func (c *call) reading(path string, do func(pathSpec) (any, error)) (any, error) {
	c.item = path
	if err := c.checkPath("path", path, readPattern); err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return do(parsePath(path))
}

type pathArg struct {
	Path string `json:"path" stone:"required"`
}

type readArg struct {
	Path string `json:"path" stone:"required"`
	Rev  string `json:"rev"` // deprecated form of path "rev:..."
}

// revision finds the revision of a file that a path to read names.
func (v *view) revision(spec pathSpec) (fileRev, *unionError) {
	if spec.rev != "" {
		r, ok := v.tree.revs[spec.rev]
		if !ok {
			return r, fail("not_found")
		}
		return r, v.available(r.id)
	}
	n, lerr := v.lookupFile(spec)
	if lerr != nil {
		return fileRev{}, lerr
	}
	return v.tree.revs[n.rev], v.available(n.id)
}

// available refuses what Server.Restrict named.
func (v *view) available(id string) *unionError {
	if v.restricted[id] {
		return fail("restricted_content")
	}
	return nil
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
	r, lerr := c.v.revision(parsePath(arg.Path))
	c.s.mu.Unlock()
	if lerr != nil {
		return nil, lerr.under("path")
	}
	if r.cloud != "" {
		return nil, fail("unsupported_file")
	}
	return c.sendFile(c.s, c.v.revMetadata(r), r)
}

// sendFile answers a download with a revision of host's: metadata in the
// header, bytes in the body.
func (c *call) sendFile(host *Server, metadata any, r fileRev) (any, error) {
	if err := c.sendHeader(metadata, r.size); err != nil {
		return nil, err
	}
	c.w.Header().Set("ETag", `W/"`+r.rev+`"`)
	body, err := host.store.open(r.hash)
	if err != nil {
		return nil, err
	}
	return c.serveContent(body)
}

// sendHeader sets the header of an answer of the download style.
func (c *call) sendHeader(metadata any, size int64) error {
	result, err := json.Marshal(metadata)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Dropbox-Api-Result", headerSafe(string(result)))
	h.Set("Original-Content-Length", strconv.FormatInt(size, 10))
	h.Set("Content-Type", "application/octet-stream")
	return nil
}

// serveContent sends bytes with Range and If-None-Match, and the length for
// whoever wants to cut it.
func (c *call) serveContent(body io.ReadSeekCloser) (any, error) {
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
	return c.reading(arg.Path, func(spec pathSpec) (any, error) {
		r, lerr := c.v.revision(spec)
		if lerr != nil {
			return nil, lerr.under("path")
		}
		if r.cloud != "" {
			return nil, fail("unsupported_file")
		}
		return map[string]any{"metadata": c.v.revMetadata(r),
			"link": c.s.linkBase() + "/apitl/1/" + c.s.temporaryToken(r.rev, c.s.opt.Now().Add(temporaryLife))}, nil
	})
}
