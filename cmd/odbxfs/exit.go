package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	iofs "io/fs"
	"os"
	"strings"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/cmd/odbxfs/config"
	"odbxfs/cmd/odbxfs/demo"
	"odbxfs/fs"
	"odbxfs/odoo/provision"
)

// The exit codes. Scripts rest on them: a number is never used again for
// something else.
const (
	exitOK = iota
	exitError
	exitUsage
	exitUnreachable
	exitLogin
	exitPerson
	exitLocked
	exitRefused
	exitDisk
)

// exitMeanings says what the codes mean, for --help; README has the same.
var exitMeanings = [...]string{
	exitOK:          "done",
	exitError:       "not done; the message says why",
	exitUsage:       "wrong arguments, config, secret's source or mount point: nothing was sent",
	exitUnreachable: "Odoo, Dropbox or the demo does not answer",
	exitLogin:       "Odoo or Dropbox refuses the login",
	exitPerson:      "done, but something waits for a person: see odbxfs status",
	exitLocked:      "another process works on this store, cloud client or demo's folder",
	exitRefused:     "not done, since it would lose something, or is another database's or a newer odbxfs's",
	exitDisk:        "the disk of the store is full, or does not answer",
}

// exitHelp is the table of the codes.
func exitHelp() string {
	lines := []string{"Exit codes:"}
	for code, meaning := range exitMeanings {
		lines = append(lines, fmt.Sprintf("  %d  %s", code, meaning))
	}
	return strings.Join(lines, "\n")
}

// usageError marks what the caller got wrong.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// personError says that something waits for a person.
type personError struct{ err error }

func (e personError) Error() string { return e.err.Error() }
func (e personError) Unwrap() error { return e.err }

// hintedError is an error that says what to do.
type hintedError struct {
	err  error
	hint string
}

func (e hintedError) Error() string { return e.err.Error() }
func (e hintedError) Unwrap() error { return e.err }

// known are errors of this machine that have a code and a hint of their own.
var known = []struct {
	err  error
	code int
	hint string
}{
	{config.ErrMissing, exitUsage, "put them into the config file (~/.config/odbxfs/config.toml, or --config FILE) or into the environment; `odbxfs settings` explains them all"},
	{fs.ErrNotFolder, exitUsage, "name a folder, as ~/Odoo"},
	{fs.ErrNoParent, exitUsage, "check the path; if it is right, make the folders with mkdir -p"},
	{fs.ErrNotEmpty, exitUsage, "name an empty folder, or mount over it with --nonempty: what is in it shows again after the unmount"},
	{fs.ErrMounted, exitUsage, "unmount it first (umount, or fusermount3 -u), or take another folder"},
	{fs.ErrNoFUSE, exitUsage, "load the kernel module (modprobe fuse); a container needs --device /dev/fuse --cap-add SYS_ADMIN"},
	{fs.ErrNoHelper, exitUsage, "install the package fuse3"},
	{demo.ErrRunning, exitLocked, "stop it with Ctrl-C where it runs, or take another folder with --dir"},
	{errNoDemo, exitUnreachable, "start one with `odbxfs demo`, in this folder or with --dir"},
	{provision.ErrLinksLeft, exitRefused, "`odbxfs reset` brings their bytes back into Odoo; then run this again"},
	{provision.ErrPlacesUsed, exitRefused, "move them in the mount or in Odoo, then run this again"},
	{errOther, exitLocked, "its lease, above, says who; it ends a minute after that one is gone"},
	{cache.ErrFull, exitDisk, "make room on the disk of the store; nothing that was acknowledged is lost, and a daemon goes on by itself"},
	{cache.ErrStuck, exitDisk, "look at the disk of the store (dmesg, its mount, the network it is on), then start again: nothing that was acknowledged is lost"},
	{cache.ErrFormat, exitRefused, "install the newer odbxfs again, or set another `state` folder: this one was not touched, and may have changes that Odoo does not have yet"},
	{cache.ErrLocked, exitLocked, "another odbxfs works on this store and does not answer; look for it with `ps`"},
}

// exitCode gives the code of an error.
func exitCode(err error) int {
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return exitOK
	case is[personError](err):
		return exitPerson
	case is[usageError](err):
		return exitUsage
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			return k.code
		}
	}
	switch odbxfs.KindOf(err) {
	case odbxfs.KindUnavailable, odbxfs.KindRateLimited:
		return exitUnreachable
	case odbxfs.KindCredentials:
		return exitLogin
	case odbxfs.KindSettings:
		return exitUsage
	case odbxfs.KindForeign:
		return exitRefused
	default:
		return exitError
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
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
	odbxfs.KindRetired:      "install a newer odbxfs; nothing is lost until then, and the mount works on",
	odbxfs.KindForeign:      "this store was made for another database or account; set another `state` folder to begin anew",
	odbxfs.KindSettings:     "mend it here; `odbxfs settings` lists what can be set. Nothing was sent",
}

// hintFor says what to do about an error.
func hintFor(err error) string {
	if hinted, ok := errors.AsType[hintedError](err); ok {
		return hinted.hint
	}
	switch {
	case is[personError](err):
		return "`odbxfs status` lists them"
	case is[usageError](err):
		return "`odbxfs help` and `odbxfs COMMAND --help` teach the commands, `odbxfs settings` lists the settings"
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			return k.hint
		}
	}
	if kind := odbxfs.KindOf(err); kind != odbxfs.KindUnknown {
		return hints[kind]
	}
	if is[*iofs.PathError](err) || is[*os.LinkError](err) || is[*os.SyscallError](err) {
		return "this machine refuses that: look at the path, whose it is and its mode, and at the room on its disk"
	}
	return hints[odbxfs.KindUnknown]
}

// report prints an error, its cause and what to do.
func report(w io.Writer, err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = printable(lines[i]) // a remote's words may be among them
	}
	fmt.Fprintf(w, "odbxfs: %s\nhint: %s\n", strings.Join(lines, "\n"), hintFor(err))
}
