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

// kindByTag gives the kind of an error union. The innermost tag that is known
// decides, so "path/conflict/file" is a conflict.
var kindByTag = map[string]odbxfs.ErrorKind{
	"not_found": odbxfs.KindMissing, "deleted": odbxfs.KindMissing,
	"shared_link_not_found": odbxfs.KindMissing,
	"conflict":              odbxfs.KindExists, "shared_link_already_exists": odbxfs.KindExists,
	"malformed_path": odbxfs.KindName, "disallowed_name": odbxfs.KindName,
	"insufficient_space": odbxfs.KindFull, "insufficient_quota": odbxfs.KindFull,
	"too_many_write_operations": odbxfs.KindRateLimited, "too_many_requests": odbxfs.KindRateLimited,
	"no_write_permission": odbxfs.KindAccess, "access_restricted": odbxfs.KindAccess, "team_folder": odbxfs.KindAccess,
	"access_denied": odbxfs.KindAccess, "no_permission": odbxfs.KindAccess, "restricted_content": odbxfs.KindAccess,
	"not_authorized": odbxfs.KindUnsupported, "invalid_settings": odbxfs.KindUnsupported, "email_not_verified": odbxfs.KindUnsupported,
	"invalid_account_type": odbxfs.KindUnsupported, "unsupported_file": odbxfs.KindUnsupported,
	"missing_scope": odbxfs.KindCredentials, "invalid_access_token": odbxfs.KindCredentials, "expired_access_token": odbxfs.KindCredentials,
	"user_suspended": odbxfs.KindCredentials, "invalid_select_user": odbxfs.KindCredentials, "route_access_denied": odbxfs.KindCredentials,
	"invalid_root": odbxfs.KindForeign,
	"reset":        odbxfs.KindReset, "too_large": odbxfs.KindTooLarge, "payload_too_large": odbxfs.KindTooLarge, "too_many_files": odbxfs.KindTooLarge,
	"content_hash_mismatch": odbxfs.KindCorrupt, "length_mismatch": odbxfs.KindCorrupt,
	"incorrect_offset": odbxfs.KindChanged, "closed": odbxfs.KindChanged, "not_closed": odbxfs.KindChanged, "lookup_failed": odbxfs.KindChanged,
	"not_file": odbxfs.KindChanged, "not_folder": odbxfs.KindChanged, "cant_move_folder_into_itself": odbxfs.KindChanged,
	"internal_error": odbxfs.KindUnavailable, "operation_suppressed": odbxfs.KindUnavailable, "in_progress": odbxfs.KindUnavailable,
	"invalid_async_job_id": odbxfs.KindUnavailable,
}

func kindOfTags(tags []string) odbxfs.ErrorKind {
	for i := len(tags) - 1; i >= 0; i-- {
		if kind, ok := kindByTag[tags[i]]; ok {
			return kind
		}
	}
	return odbxfs.KindUnknown
}

// classify turns an answer that is no success into an error. It is the only
// place that looks at status, tags and text.
func classify(route string, status int, h http.Header, body []byte) *odbxfs.Error {
	answer := &apiError{status: status, tags: tagsOfBody(body)}
	if len(answer.tags) == 0 {
		answer.text = firstLine(body)
	}
	e := &odbxfs.Error{Op: route, Kind: kindOfTags(answer.tags), RequestID: h.Get("X-Dropbox-Request-Id"), Err: answer}
	switch {
	case status == http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = odbxfs.KindRateLimited, max(retryAfter(h), lockWait)
	case status == http.StatusUnauthorized:
		e.Kind = odbxfs.KindCredentials
	case status == http.StatusServiceUnavailable:
		e.Kind, e.RetryAfter = odbxfs.KindUnavailable, retryAfter(h)
	case status >= 500:
		e.Kind = odbxfs.KindUnavailable
	case status == http.StatusBadRequest && strings.Contains(answer.text, "Unknown API function"):
		e.Kind = odbxfs.KindUnsupported
	case status == http.StatusBadRequest && strings.Contains(answer.text, "cursor"):
		e.Kind = odbxfs.KindReset
	case status == http.StatusBadRequest && strings.Contains(answer.text, "did not match pattern"):
		e.Kind = odbxfs.KindName
	case status == http.StatusBadRequest:
		e.Kind = odbxfs.KindInvalid
	case status == http.StatusForbidden && e.Kind == odbxfs.KindUnknown:
		e.Kind = odbxfs.KindAccess
	}
	return e
}

func firstLine(body []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	return line[:min(len(line), 300)]
}

// tagsOfBody reads {"error": {".tag": ...}} or {"error": {"reason": {".tag": ...}}}.
func tagsOfBody(body []byte) []string {
	var answer struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return nil
	}
	return tagsOf(answer.Error)
}

// tagsOf follows a union from its tag to the member of that name, and so on.
func tagsOf(union json.RawMessage) []string {
	var tags []string
	for range 8 { // no union of the API is nested that deep
		var members map[string]json.RawMessage
		if json.Unmarshal(union, &members) != nil {
			break
		}
		var tag string
		if json.Unmarshal(members[".tag"], &tag) != nil || tag == "" {
			// The rate limit's body and a flattened upload error have the next
			// union under "reason".
			if union = members["reason"]; union == nil {
				break
			}
			continue
		}
		tags = append(tags, tag)
		next := members[tag]
		if next == nil {
			next = members["reason"]
		}
		if next == nil {
			break
		}
		union = next
	}
	return tags
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
