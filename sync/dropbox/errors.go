package dropbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"odbxfs"
)

// lockWait is how long Dropbox asks to wait on its namespace lock where an
// entry of a batch says so without a time (Retry-After 1 in the recordings).
const lockWait = time.Second

// apiError is Dropbox's own answer: the tags of its error union from the
// outside in, or the text of a body that has none.
type apiError struct {
	status int
	tags   []string
	text   string
}

func (e *apiError) Error() string {
	if len(e.tags) > 0 {
		return strings.Join(e.tags, "/")
	}
	if e.text != "" {
		return e.text
	}
	return http.StatusText(e.status)
}

func (e *apiError) has(tag string) bool {
	for _, t := range e.tags {
		if t == tag {
			return true
		}
	}
	return false
}

// classify turns an answer that is no success into an error. It is the only
// place that looks at status, tags and text.
func classify(route string, status int, h http.Header, body []byte) *odbxfs.Error {
	tags, wait := tagsOfBody(body)
	answer := &apiError{status: status, tags: tags}
	if len(tags) == 0 {
		answer.text = firstLine(body)
	}
	e := &odbxfs.Error{Op: route, Kind: kindOfTags(tags), RequestID: h.Get("X-Dropbox-Request-Id"), Err: answer}
	switch {
	case status == http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = odbxfs.KindRateLimited, max(retryAfter(h), time.Duration(wait)*time.Second, lockWait)
	case status == http.StatusUnauthorized:
		e.Kind = odbxfs.KindCredentials
	case status == http.StatusServiceUnavailable:
		e.Kind, e.RetryAfter = odbxfs.KindUnavailable, retryAfter(h)
	case status >= 500:
		e.Kind = odbxfs.KindUnavailable
	case status == http.StatusGone || retired(answer.text):
		e.Kind = odbxfs.KindRetired
	case status == http.StatusUnprocessableEntity:
		e.Kind = odbxfs.KindForeign // the root that was signed in to is not there any more
	case status == http.StatusRequestHeaderFieldsTooLarge, status == http.StatusRequestEntityTooLarge:
		e.Kind = odbxfs.KindTooLarge
	case status == http.StatusBadRequest:
		e.Kind = kindOfComplaint(answer.text)
	case status == http.StatusForbidden && e.Kind == odbxfs.KindUnknown:
		e.Kind = odbxfs.KindAccess
	case e.Kind == odbxfs.KindMissing && strings.HasPrefix(route, "files/upload_session/append"):
		e.Kind = odbxfs.KindReset // it is the session that is not found
	}
	return e
}

// kindOfComplaint is the kind of a 400, which has nothing but a text.
func kindOfComplaint(text string) odbxfs.ErrorKind {
	switch {
	case strings.Contains(text, "Unknown API function"):
		return odbxfs.KindUnsupported
	case strings.Contains(text, "cursor"):
		return odbxfs.KindReset
	case strings.Contains(text, "did not match pattern"):
		return odbxfs.KindName
	case strings.HasPrefix(text, "<"):
		// The edge's own page: it speaks of the request's form, not of its
		// content, and a header that is too long is what it minds.
		return odbxfs.KindTooLarge
	}
	return odbxfs.KindInvalid
}

// retired reports whether the answer says that this version of the API, or this
// route of it, is no longer served. Version 1 answered {"error": "v1_retired"}.
func retired(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "_retired") || strings.Contains(text, "has been retired") || strings.Contains(text, "is retired")
}

func firstLine(body []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	return line[:min(len(line), 300)]
}

// entryError is the error of one entry of a batch, a union of the SDK.
func entryError(op, item string, union any) *odbxfs.Error {
	data, err := json.Marshal(union)
	if err != nil {
		return &odbxfs.Error{Op: op, Item: item, Kind: odbxfs.KindUnknown, Err: err}
	}
	answer := &apiError{status: http.StatusConflict, tags: tagsOf(data)}
	e := &odbxfs.Error{Op: op, Item: item, Kind: kindOfTags(answer.tags), Err: answer}
	if e.Kind == odbxfs.KindRateLimited {
		e.RetryAfter = lockWait
	}
	return e
}

// sessionError is the error of one entry of append_batch, where what is not
// found is the session.
func sessionError(op, item string, union any) *odbxfs.Error {
	e := entryError(op, item, union)
	if e.Kind == odbxfs.KindMissing {
		e.Kind = odbxfs.KindReset
	}
	return e
}

// unreachable is a request without an answer: it may have been carried out.
func unreachable(op string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &odbxfs.Error{Op: op, Kind: odbxfs.KindUnavailable, Err: err}
}

// wrap says what was being done and to what; the kind stays.
func wrap(op, item string, err error) error {
	var inner *odbxfs.Error
	if errors.As(err, &inner) {
		return &odbxfs.Error{Op: op, Item: item, Kind: inner.Kind, RetryAfter: inner.RetryAfter, RequestID: inner.RequestID, Err: inner.Err}
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &odbxfs.Error{Op: op, Item: item, Kind: odbxfs.KindUnavailable, Err: err}
}

// tagged reports whether err is an answer of Dropbox with this tag.
func tagged(err error, tag string) bool {
	var answer *apiError
	return errors.As(err, &answer) && answer.has(tag)
}
