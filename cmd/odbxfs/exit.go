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

// codedError is an error that knows its exit code.
type codedError struct {
	code int
	err  error
}

func (e codedError) Error() string { return e.err.Error() }
func (e codedError) Unwrap() error { return e.err }

// hintedError is an error that says what to do.
type hintedError struct {
	err  error
	hint string
}

func (e hintedError) Error() string { return e.err.Error() }
func (e hintedError) Unwrap() error { return e.err }

// exitCode gives the code of an error.
func exitCode(err error) int {
	var coded codedError
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
	default:
		return exitError
	}
}

// hints say what to do about each kind of error.
var hints = map[odbxfs.ErrorKind]string{
	odbxfs.KindUnknown:      "this was not foreseen: run it again with -v, which logs every call, and file what it says",
	odbxfs.KindCredentials:  "check login and password (or API key, token) at their source; a refused one is not sent again",
	odbxfs.KindAccess:       "this user may not do it in Odoo; ask an administrator, or use another login",
	odbxfs.KindMissing:      "check the name; it may have been removed meanwhile",
	odbxfs.KindInvalid:      "the server refuses these values; its words above say which",
	odbxfs.KindChanged:      "someone else changed it at the same time; run it again",
	odbxfs.KindExists:       "the place is taken; take another name, or remove what is there",
	odbxfs.KindTooLarge:     "raise the server's limit, or keep this file elsewhere",
	odbxfs.KindUnknownModel: "install the app in Odoo, or take the model out of the config",
	odbxfs.KindName:         "give it another name",
	odbxfs.KindFull:         "make room, then run `odbxfs retry`",
	odbxfs.KindRateLimited:  "the server asks to wait; nothing is lost, try again later",
	odbxfs.KindUnavailable:  "check the address and the network; nothing is lost, try again later",
	odbxfs.KindCorrupt:      "the bytes were damaged on their way; run it again, and look at proxies in between if it stays",
	odbxfs.KindUnsupported:  "run `odbxfs setup` with a login that has Settings rights, or name models under [mount] for plain mode",
	odbxfs.KindReset:        "the server forgot where we were; run it again",
	odbxfs.KindForeign:      "this store was made for another database or account; set another `state` folder to begin anew",
}

// hintFor says what to do about an error.
func hintFor(err error) string {
	var hinted hintedError
	var coded codedError
	var usage usageError
	switch {
	case errors.As(err, &hinted):
		return hinted.hint
	case errors.As(err, &coded):
		return "`odbxfs status` lists them"
	case errors.As(err, &usage):
		return "`odbxfs help` and `odbxfs COMMAND --help` teach the commands, `odbxfs settings` lists the settings"
	case errors.Is(err, cache.ErrLocked):
		return "another odbxfs works on this store and does not answer; look for it with `ps`"
	}
	return hints[odbxfs.KindOf(err)]
}

// report prints an error, its cause and what to do.
func report(w io.Writer, err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	fmt.Fprintf(w, "odbxfs: %v\nhint: %s\n", err, hintFor(err))
}
