package dropboxtest

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// FaultKind is a way in which a call can go wrong.
type FaultKind int

// The faults that a server can be asked for.
const (
	// DropBefore closes the connection; nothing was done.
	DropBefore FaultKind = iota + 1
	// DropAfter does the call, then closes the connection without a reply.
	DropAfter
	// RateLimited answers 429 too_many_requests as JSON, with Retry-After.
	RateLimited
	// RateLimitedText answers 429 as plain text, with Retry-After.
	RateLimitedText
	// TooManyWrites answers 429 too_many_write_operations, with Retry-After.
	TooManyWrites
	// ServerError answers 500 with an empty text body.
	ServerError
	// BadGateway answers 502 with the edge's HTML.
	BadGateway
	// TokenExpired answers 401 expired_access_token.
	TokenExpired
	// TokenRevoked answers 401 invalid_access_token.
	TokenRevoked
	// Truncate does the call and closes the connection inside the reply's body.
	Truncate
	// Delay waits, then does the call.
	Delay
	// ResetCursor answers 409 reset.
	ResetCursor
	// Doubled does the call twice, as when something between sends it again, and
	// gives the second reply.
	Doubled
	// HalfRequest reads a half of the request's body, or Bytes of it, then closes
	// the connection; nothing was done.
	HalfRequest
	// Slow sends the reply in pieces of 1 KiB with Wait before each.
	Slow
	// Lagging answers as if the reader had not yet heard of what was written:
	// list_folder/continue has no news, long-poll no changes, what is read or
	// moved is not found. Other calls are done as always.
	Lagging
	// PartialBatch does only each first of two entries of a batch; the others
	// fail with Tags.
	PartialBatch
	// FalseAlarm makes a long-poll say at once that there are changes.
	FalseAlarm
	// JobStuck makes a job's check say in_progress.
	JobStuck
	// Unavailable answers 503 with Retry-After.
	Unavailable
	// Refused answers 409 with Tags.
	Refused
	// Unknown answers 400 Unknown API function, as a service that does not have
	// the route yet.
	Unknown
	// Portal answers 200 with a page of HTML, as a hotel's network that wants a
	// login first.
	Portal
	// Nothing does the call and answers null.
	Nothing
	// SessionsLost forgets all upload sessions, then does the call.
	SessionsLost
	// JobsLost forgets all jobs, then does the call.
	JobsLost
)

var faultNames = map[FaultKind]string{
	DropBefore: "drop before", DropAfter: "drop after", RateLimited: "429 json", RateLimitedText: "429 text",
	TooManyWrites: "429 writes", ServerError: "500", BadGateway: "502", TokenExpired: "401 expired",
	TokenRevoked: "401 revoked", Truncate: "truncated", Delay: "delay", ResetCursor: "409 reset",
	Doubled: "doubled", HalfRequest: "half request", Slow: "slow", Lagging: "lagging", PartialBatch: "partial batch",
	FalseAlarm: "false alarm", JobStuck: "job stuck", Unavailable: "503", Refused: "409 refused", Unknown: "400 unknown",
	Portal: "portal", Nothing: "nothing", SessionsLost: "sessions lost", JobsLost: "jobs lost",
}

// String names the fault as Request.Fault shows it.
func (k FaultKind) String() string {
	if s, ok := faultNames[k]; ok {
		return s
	}
	return fmt.Sprintf("FaultKind(%d)", int(k))
}

// Fault is one thing that will go wrong. Zero fields match everything.
type Fault struct {
	Route string // as "files/upload"; may be a pattern of path.Match per segment, as "files/upload_session/*"
	Item  string // a part of the call's argument, as "/a.txt"
	Call  int    // which matching call, counted from 1 since Inject; 0: the first
	Times int    // how many calls in a row from there; 0: 1, negative: all
	Kind  FaultKind

	RetryAfter time.Duration // of 429 and 503; 0: 1 s
	Wait       time.Duration // of Delay and Slow
	Bytes      int64         // of Truncate and HalfRequest: how many bytes of the body pass; 0: half
	// Tags are those of the error of Refused, and of the entries that PartialBatch
	// fails, from the outside in; PartialBatch without any: too_many_write_operations.
	Tags []string
}

// faultPlan decides which call meets which fault.
type faultPlan struct {
	mu   sync.Mutex
	list []*plannedFault
}

type plannedFault struct {
	Fault
	seen int
}

func (p *faultPlan) inject(fs ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range fs {
		p.list = append(p.list, &plannedFault{Fault: f})
	}
}

func (p *faultPlan) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = nil
}

// next counts the call for every fault that it matches and gives the first
// that is due, or nil.
func (p *faultPlan) next(route, arg string) *Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	var due *Fault
	for _, f := range p.list {
		if !f.matches(route, arg) {
			continue
		}
		f.seen++
		first, times := max(f.Call, 1), f.Times
		if times == 0 {
			times = 1
		}
		if due == nil && f.seen >= first && (times < 0 || f.seen < first+times) {
			due = &f.Fault
		}
	}
	return due
}

func (f *plannedFault) matches(route, arg string) bool {
	ok, err := path.Match(f.Route, route)
	return (f.Route == "" || ok && err == nil) && strings.Contains(arg, f.Item)
}

// before makes the answers of faults that replace the call, or nil.
func (f *Fault) answer() error {
	seconds := max(1, int(f.RetryAfter/time.Second))
	switch f.Kind {
	case RateLimited:
		return &apiError{status: http.StatusTooManyRequests, retryAfter: seconds, body: map[string]any{
			"error_summary": "too_many_requests/..",
			"error":         map[string]any{"reason": tag("too_many_requests"), "retry_after": seconds}}}
	case RateLimitedText:
		return &apiError{status: http.StatusTooManyRequests, retryAfter: seconds, text: "too_many_requests"}
	case TooManyWrites:
		return tooManyWrites(seconds)
	case ServerError:
		return &apiError{status: http.StatusInternalServerError}
	case BadGateway:
		return &apiError{status: http.StatusBadGateway, html: true,
			text: "<!DOCTYPE html><html><head><title>Dropbox - 5xx</title></head><body><h1>Error</h1></body></html>"}
	case TokenExpired:
		return authError("expired_access_token")
	case TokenRevoked:
		return authError("invalid_access_token")
	case ResetCursor:
		return &apiError{status: http.StatusConflict, body: map[string]any{
			"error_summary": "reset/..", "error": tag("reset")}}
	case Unavailable:
		return &apiError{status: http.StatusServiceUnavailable, retryAfter: seconds}
	case Refused:
		return fail(f.Tags...)
	case Unknown:
		return &apiError{status: http.StatusBadRequest, text: "Unknown API function"}
	case Portal:
		return &apiError{status: http.StatusOK, html: true, text: "<!DOCTYPE html><html><body>Welcome to our network. Please sign in.</body></html>"}
	default: // the call's own answer
	}
	return nil
}

func tooManyWrites(seconds int) *apiError {
	return &apiError{status: http.StatusTooManyRequests, retryAfter: seconds, body: map[string]any{
		"error_summary": "too_many_write_operations/..",
		"error":         map[string]any{"reason": tag("too_many_write_operations")}}}
}
