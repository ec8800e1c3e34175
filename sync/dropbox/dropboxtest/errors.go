package dropboxtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// apiError is an answer outside of an endpoint's own errors: 400, 401, 422,
// 429, 500. A text body is put behind Dropbox's usual words when prefix is set.
type apiError struct {
	status     int
	text       string
	prefix     bool
	html       bool
	body       any
	retryAfter int // seconds; 0: no header
}

// Error implements error.
func (e *apiError) Error() string { return fmt.Sprintf("%d %s", e.status, e.text) }

// badCall is a 400 with the words `Error in call to API function "x": ...`.
func badCall(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, prefix: true, text: fmt.Sprintf(format, args...)}
}

func authError(name string) *apiError {
	return &apiError{status: http.StatusUnauthorized, body: map[string]any{
		"error_summary": name + "/..", "error": tag(name)}}
}

// tag makes a union's void member.
func tag(name string) map[string]any { return map[string]any{".tag": name} }

// unionError is an endpoint's own error: a chain of tags, innermost last, as
// path, conflict, file. It is a 409, or an entry of a batch.
type unionError struct {
	tags  []string
	extra map[string]any // fields of the innermost member
	// full replaces the body that the tags would give.
	full map[string]any
}

func fail(tags ...string) *unionError { return &unionError{tags: tags} }

// Error implements error.
func (e *unionError) Error() string { return strings.Join(e.tags, "/") }

// under nests the error in another union.
func (e *unionError) under(name string) *unionError {
	return &unionError{tags: append([]string{name}, e.tags...), extra: e.extra}
}

func (e *unionError) union() map[string]any {
	if e.full != nil {
		return e.full
	}
	var inner map[string]any
	for i := len(e.tags) - 1; i >= 0; i-- {
		u := tag(e.tags[i])
		if inner == nil {
			maps.Copy(u, e.extra)
		} else {
			u[e.tags[i]] = inner
		}
		inner = u
	}
	return inner
}

// writeError sends err in the form that Dropbox has for it.
func (c *call) writeError(err error) {
	union, isUnion := errors.AsType[*unionError](err)
	answer, isAnswer := errors.AsType[*apiError](err)
	switch {
	case isUnion:
		// The real service ends the summary with 0 to 3 dots, so that nobody
		// compares it.
		dots := strings.Repeat(".", int(c.number%4))
		c.writeJSON(http.StatusConflict, map[string]any{
			"error_summary": strings.Join(union.tags, "/") + "/" + dots, "error": union.union()})
	case isAnswer:
		if answer.retryAfter > 0 {
			c.w.Header().Set("Retry-After", strconv.Itoa(answer.retryAfter))
		}
		if answer.body != nil {
			c.writeJSON(answer.status, answer.body)
			return
		}
		c.writeText(answer)
	default:
		// A bug or a failed disk: the log has it, the client sees what Dropbox shows.
		c.note = err.Error()
		c.writeText(&apiError{status: http.StatusInternalServerError})
	}
}

func (c *call) writeText(e *apiError) {
	text, kind := e.text, "text/plain; charset=utf-8"
	if e.prefix {
		text = fmt.Sprintf("Error in call to API function %q: %s", c.route, text)
		c.w.Header().Set("Content-Disposition", "attachment; filename='error'")
	}
	if e.html {
		kind = "text/html"
	}
	c.w.Header().Set("Content-Type", kind)
	c.write(e.status, []byte(text))
}

func (c *call) writeJSON(status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status, b = http.StatusInternalServerError, nil
		c.note = err.Error()
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.write(status, b)
}

func (c *call) write(status int, b []byte) {
	c.status = status
	c.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	c.w.WriteHeader(status)
	if _, err := c.w.Write(b); err != nil && c.note == "" {
		c.note = err.Error()
	}
}
