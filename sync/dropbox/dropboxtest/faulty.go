package dropboxtest

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// faulty does a call as the fault plan says.
func (s *Server) faulty(c *call, arg string, do func()) {
	var f *Fault
	if !aside(c.r.Context()) {
		f = s.faults.next(c.route, arg)
	}
	if f == nil {
		do()
		return
	}
	c.fault = f.Kind.String()
	switch f.Kind {
	case DropBefore:
		c.status = 0
		panic(http.ErrAbortHandler)
	case DropAfter:
		c.w = &silentWriter{header: http.Header{}}
		do()
		c.status = 0
		panic(http.ErrAbortHandler)
	case Truncate:
		c.w = &cutWriter{ResponseWriter: c.w, limit: f.Bytes}
		do()
	case Delay:
		if s.wait(c.r.Context(), f.Wait) {
			do()
		}
	case Doubled:
		c.twice(do)
	case HalfRequest:
		c.readHalf(f.Bytes)
		c.status = 0
		panic(http.ErrAbortHandler)
	case Slow:
		c.w = &slowWriter{c.w, func() { s.wait(c.r.Context(), f.Wait) }}
		do()
	case Lagging, FalseAlarm, JobStuck:
		if result, has, err := c.pretend(f.Kind, arg); has {
			c.finish(result, err)
			return
		}
		do()
	case PartialBatch:
		c.partial = f.Tags
		if c.partial == nil {
			c.partial = []string{"too_many_write_operations"}
		}
		do()
	case Nothing:
		out := c.w
		c.w = &silentWriter{header: http.Header{}}
		do()
		c.w = out
		c.writeJSON(http.StatusOK, nil)
	case SessionsLost:
		s.loseSessions()
		do()
	case JobsLost:
		s.LoseJobs()
		do()
	default:
		c.writeError(f.answer())
	}
}

// twice does a call that was sent again.
func (c *call) twice(do func()) {
	body, err := io.ReadAll(c.r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the caller went away
	}
	w := c.w
	for _, out := range []http.ResponseWriter{&silentWriter{header: http.Header{}}, w} {
		c.w, c.r.Body = out, io.NopCloser(bytes.NewReader(body))
		do()
	}
}

// readHalf reads n bytes of the request's body, 0 for a half of its length.
func (c *call) readHalf(n int64) {
	if n == 0 {
		n = c.r.ContentLength / 2
	}
	_, _ = io.CopyN(io.Discard, c.r.Body, n) // whether they came does not matter: the connection ends here
}

// pretend answers a call without looking, where the fault has something to say
// about its route.
func (c *call) pretend(kind FaultKind, arg string) (result any, has bool, err error) {
	switch {
	case kind == FalseAlarm && c.route == "files/list_folder/longpoll":
		return map[string]any{"changes": true}, true, nil
	case kind == JobStuck && strings.Contains(c.route, "/check"):
		return tag("in_progress"), true, nil
	case kind != Lagging:
		return nil, false, nil
	}
	switch c.route {
	case "files/list_folder/continue":
		var a cursorArg
		if err := c.decodeArg([]byte(arg), &a); err != nil {
			return nil, true, err
		}
		return map[string]any{"entries": []any{}, "cursor": a.Cursor, "has_more": false}, true, nil
	case "files/list_folder/longpoll":
		return map[string]any{"changes": false}, true, nil
	case "files/get_metadata", "files/download", "files/get_temporary_link":
		return nil, true, fail("path", "not_found")
	case "files/move_v2", "files/copy_v2":
		return nil, true, fail("from_lookup", "not_found")
	}
	return nil, false, nil
}

// partly gives the error of an entry that PartialBatch leaves out of a batch;
// nil: it is done.
func (c *call) partly(i int) *unionError {
	if c.partial == nil || i%2 == 0 {
		return nil
	}
	return fail(c.partial...)
}

// slowWriter sends in small pieces.
type slowWriter struct {
	http.ResponseWriter
	wait func()
}

// Write implements http.ResponseWriter.
func (w *slowWriter) Write(p []byte) (int, error) {
	sent := 0
	for sent < len(p) {
		w.wait()
		n, err := w.ResponseWriter.Write(p[sent:min(len(p), sent+1024)])
		sent += n
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// silentWriter does a call whose reply nobody gets.
type silentWriter struct{ header http.Header }

// Header implements http.ResponseWriter.
func (w *silentWriter) Header() http.Header { return w.header }

// Write implements http.ResponseWriter.
func (w *silentWriter) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (w *silentWriter) WriteHeader(int) {}

// cutWriter passes on a part of the body and then tears the connection.
type cutWriter struct {
	http.ResponseWriter
	limit int64 // 0: half of Content-Length
	sent  int64
}

// Write implements http.ResponseWriter.
func (w *cutWriter) Write(p []byte) (int, error) {
	if w.limit == 0 {
		n, err := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64)
		if err != nil || n == 0 {
			n = 2
		}
		w.limit = (n + 1) / 2
	}
	if w.sent+int64(len(p)) < w.limit {
		w.sent += int64(len(p))
		return w.ResponseWriter.Write(p)
	}
	if _, err := w.ResponseWriter.Write(p[:w.limit-w.sent]); err == nil {
		if f, ok := w.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
	}
	panic(http.ErrAbortHandler)
}
