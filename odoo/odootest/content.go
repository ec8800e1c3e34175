package odootest

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// serveContent answers /web/content/<id>: the bytes, by session or by the
// document's access token; a url attachment is a 301. Whoever may not read it
// gets the same 404 as for what is not there.
func (s *Server) serveContent(w http.ResponseWriter, r *http.Request, rest string) {
	first, _, _ := strings.Cut(rest, "/")
	id, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		html(w, http.StatusNotFound, "404 Not Found")
		return
	}
	uid := s.sessionUser(r)
	s.mu.Lock()
	t := s.begin(uid, nil)
	row, found := t.must("ir.attachment").rows[id]
	token := r.URL.Query().Get("access_token")
	allowed := found && (token != "" && token == row.str("access_token") || uid != 0 && t.mayDocument(row, "read") == nil)
	content := t.bytesOf(row)
	s.mu.Unlock()
	switch {
	case !allowed:
		html(w, http.StatusNotFound, "404 Not Found")
		return
	case row.str("type") == "url" && (len(content) == 0 || s.opt.Version < 17):
		http.Redirect(w, r, row.str("url"), http.StatusMovedPermanently)
		return
	}
	w.Header().Set("Content-Type", row.str("mimetype"))
	if s.opt.Version >= 17 {
		w.Header().Set("ETag", `"`+row.str("checksum")+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		return
	}
	w.Header().Set("ETag", row.str("checksum")) // bare, and ranges are ignored
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.Write(content) //nolint:errcheck // the client is gone when this fails
}
