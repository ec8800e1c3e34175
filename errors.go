package odbxfs

import (
	"errors"
	"fmt"
	"time"
)

// ErrorKind is what a caller can decide by. The kinds are few on purpose: each
// stands for one decision (ask again, ask a person, give up, plan anew).
type ErrorKind uint8

// The kinds of errors that remotes answer with, on whichever side.
const (
	// KindUnknown is an error that nobody classified: retried, then parked.
	KindUnknown ErrorKind = iota
	// KindCredentials: password, key or token refused. Never tried again until
	// its source gives another.
	KindCredentials
	// KindAccess: signed in, but not allowed to do this.
	KindAccess
	// KindMissing: the record, attachment, file or folder does not exist.
	KindMissing
	// KindInvalid: the remote refuses these values and always will.
	KindInvalid
	// KindChanged: a precondition did not hold, or a concurrent update won.
	// Plan anew; never force.
	KindChanged
	// KindExists: the place is taken.
	KindExists
	// KindTooLarge: over a limit of the remote.
	KindTooLarge
	// KindUnknownModel: the Odoo model is not installed there.
	KindUnknownModel
	// KindName: the remote does not take this name.
	KindName
	// KindFull: no space left at the remote.
	KindFull
	// KindRateLimited: wait for Error.RetryAfter, then ask again.
	KindRateLimited
	// KindUnavailable: no answer, a torn connection, or a 5xx. The call may
	// have been carried out or not.
	KindUnavailable
	// KindCorrupt: bytes arrived other than they were sent.
	KindCorrupt
	// KindUnsupported: this server, version or account cannot do it.
	KindUnsupported
	// KindReset: a cursor or session is no longer valid; list anew.
	KindReset
	// KindForeign: what answers is not what the store was made for (another
	// database or another Dropbox account). Everything stops.
	KindForeign
	// KindSettings: this machine's own settings are wrong: a secret's source
	// that gives nothing, an account without a section in the config. Nothing
	// was sent; a person must mend it here.
	KindSettings
	// KindRetired: the remote no longer speaks this version of its interface.
	// Only a newer program helps.
	KindRetired
	kindEnd
)

var kindNames = [kindEnd]string{
	KindUnknown:      "unforeseen error",
	KindCredentials:  "login refused",
	KindAccess:       "access denied",
	KindMissing:      "not found",
	KindInvalid:      "refused as invalid",
	KindChanged:      "changed meanwhile",
	KindExists:       "exists already",
	KindTooLarge:     "too large",
	KindUnknownModel: "unknown model",
	KindName:         "name refused",
	KindFull:         "no space left",
	KindRateLimited:  "asked to wait",
	KindUnavailable:  "not reachable",
	KindCorrupt:      "bytes differ from what was sent",
	KindUnsupported:  "not supported",
	KindReset:        "cursor no longer valid",
	KindForeign:      "another database or account answers",
	KindSettings:     "wrong settings here",
	KindRetired:      "no longer served, please update odbxfs",
}

// String names the kind in the words that messages use.
func (k ErrorKind) String() string {
	if k < kindEnd {
		return kindNames[k]
	}
	return fmt.Sprintf("ErrorKind(%d)", uint8(k))
}

// ErrorKinds returns every kind, for tests of tables that must be total.
func ErrorKinds() []ErrorKind {
	all := make([]ErrorKind, 0, kindEnd)
	for k := KindUnknown; k < kindEnd; k++ {
		all = append(all, k)
	}
	return all
}

// Error is an error of a remote, made once at the edge that decoded it.
type Error struct {
	Op         string        // what was being done, as "upload session finish" or "ir.attachment.write"
	Item       string        // on what: a path, model or id; may be empty
	Kind       ErrorKind     // the decision it asks for
	RetryAfter time.Duration // with KindRateLimited: how long the remote asked to wait; else 0
	RequestID  string        // the remote's own id of the call, for its support; may be empty
	Err        error         // the cause; may be nil
}

// Error implements error: operation, item, kind, cause.
func (e *Error) Error() string {
	s := e.Op
	if e.Item != "" {
		s += " " + e.Item
	}
	s += ": " + e.Kind.String()
	if e.Kind == KindRateLimited && e.RetryAfter > 0 {
		s += fmt.Sprintf(" %s", e.RetryAfter)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf gives the kind of err: that of the outermost [Error] in its chain, or
// KindUnknown. A nil err has no kind; asking for it is a bug and gives
// KindUnknown too.
func KindOf(err error) ErrorKind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindUnknown
}

// IsKind reports whether err is an [Error] of kind k.
func IsKind(err error, k ErrorKind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == k
}
