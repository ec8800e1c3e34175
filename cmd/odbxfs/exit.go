package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"odbxfs"
	"odbxfs/cache"
)

// The exit codes. Scripts rest on them: a number is never used again for
// something else.
const (
	exitOK          = 0 // done
	exitError       = 1 // unforeseen; the message says what
	exitUsage       = 2 // wrong arguments, config or environment
	exitUnreachable = 3 // Odoo or Dropbox does not answer
	exitLogin       = 4 // Odoo or Dropbox refuses the login
	exitPerson      = 5 // done, but something waits for a person: see odbxfs status
	exitLocked      = 6 // another process holds the store and does not answer
	exitRefused     = 7 // not done because it would lose something
)

// usageError marks what the caller got wrong.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// withCode is an error that knows its exit code.
type withCode struct {
	code int
	err  error
}

func (e withCode) Error() string { return e.err.Error() }
func (e withCode) Unwrap() error { return e.err }

// hinted is an error that says what to do.
type hinted struct {
	err  error
	hint string
}

func (e hinted) Error() string { return e.err.Error() }
func (e hinted) Unwrap() error { return e.err }

// exitCode gives the code of an error.
func exitCode(err error) int {
	var coded withCode
	var usage usageError
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return exitOK
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, cache.ErrLocked):
		return exitLocked
	}
	switch odbxfs.KindOf(err) {
	case odbxfs.KindUnavailable, odbxfs.KindRateLimited:
		return exitUnreachable
	case odbxfs.KindCredentials:
		return exitLogin
	case odbxfs.KindForeign:
		return exitRefused
	}
	return exitError
}

// hints say what to do about each kind of error, where something can be done.
var hints = map[odbxfs.ErrorKind]string{
	odbxfs.KindUnavailable:  "check the address and the network; nothing is lost, try again later",
	odbxfs.KindCredentials:  "check login and password (or API key, token) at their source; a refused one is not sent again",
	odbxfs.KindAccess:       "this user may not do it in Odoo; ask an administrator, or use another login",
	odbxfs.KindForeign:      "this store was made for another database or account; set another `state` folder to begin anew",
	odbxfs.KindUnsupported:  "run `odbxfs setup` with a login that has Settings rights, or name models under [mount] for plain mode",
	odbxfs.KindUnknownModel: "install the app in Odoo, or take the model out of the config",
	odbxfs.KindFull:         "make room, then run `odbxfs retry`",
}

// report prints an error, its cause and what to do.
func report(w io.Writer, err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	fmt.Fprintf(w, "odbxfs: %v\n", err)
	var h hinted
	hint := hints[odbxfs.KindOf(err)]
	if errors.As(err, &h) {
		hint = h.hint
	}
	if hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
}
