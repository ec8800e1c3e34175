package dropboxtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"time"
)

// uploadLink is a promise of one upload.
type uploadLink struct {
	commit commitInfo
	v      view
	ends   time.Time
	used   bool
}

type uploadLinkArg struct {
	CommitInfo commitInfo `json:"commit_info" stone:"required"`
	Duration   *float64   `json:"duration"`
}

// temporaryUploadLink gives an address to which somebody without a token may
// send one file. What is wrong with its commit shows when it is used.
func temporaryUploadLink(c *call, arg *uploadLinkArg) (any, error) {
	c.item = arg.CommitInfo.Path
	if err := c.checkPath("commit_info: path", arg.CommitInfo.Path, writePattern); err != nil {
		return nil, err
	}
	seconds := 14400.0
	if arg.Duration != nil {
		seconds = *arg.Duration
	}
	if seconds < 60 || seconds > 14400 {
		return nil, badCall("request body: duration: %v is not within [60, 14400]", seconds)
	}
	base := c.s.linkBase()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	text := fmt.Sprint(c.s.tree.nextSeq())
	token := text + "." + c.s.secret(30, text)
	c.s.uploadLinks[token] = &uploadLink{commit: arg.CommitInfo, v: *c.v, ends: c.s.opt.Now().Add(time.Duration(seconds * float64(time.Second)))}
	return map[string]any{"link": base + "/apitul/1/" + token}, nil
}

// takeUpload answers a POST to such a link. Its statuses and its success are
// told in the route's documentation.
func (s *Server) takeUpload(c *call) {
	kind := c.r.Header.Get("Content-Type")
	if c.r.Method != http.MethodPost || kind != "application/octet-stream" && kind != "text/plain" {
		c.writeText(&apiError{status: http.StatusBadRequest, text: "Content-Type must be application/octet-stream or text/plain"})
		return
	}
	s.mu.Lock()
	l := s.uploadLinks[path.Base(c.r.URL.Path)]
	var gone bool
	if l != nil {
		gone = l.used || !s.opt.Now().Before(l.ends)
		l.used = true
	}
	s.mu.Unlock()
	switch {
	case l == nil:
		c.writeText(&apiError{status: http.StatusConflict, text: "Temporary upload link does not exist."})
		return
	case gone:
		c.writeText(&apiError{status: http.StatusGone, text: "Temporary upload link has been recently consumed."})
		return
	}
	c.v = &l.v
	got, err := c.receive("")
	if err == nil {
		err = s.store.keep(got.spool, got.hash)
	}
	if err == nil {
		_, err = c.locked(func() (any, error) { return c.v.commitFile(l.commit, got.hash, got.size) })
	}
	if err != nil {
		c.writeText(&apiError{status: http.StatusConflict, text: "Upload failed."})
		return
	}
	b, err := json.Marshal(map[string]string{"content-hash": got.hash})
	if err != nil {
		panic(err) // a map of strings can't fail
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.write(http.StatusOK, b)
}
