package fs

import (
	"context"
	"errors"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"odbxfs"
	"odbxfs/cache"
)

// errnoOfKind is the only table from the kinds of remote errors to what a
// program sees. Those that pass by themselves are EIO or EAGAIN only where the
// program cannot be made to wait: a read that needs the remote now.
var errnoOfKind = map[odbxfs.ErrorKind]syscall.Errno{
	odbxfs.KindUnknown:      syscall.EIO,
	odbxfs.KindCredentials:  syscall.EACCES, // EKEYREJECTED is what few programs can name
	odbxfs.KindAccess:       syscall.EACCES,
	odbxfs.KindMissing:      syscall.ENOENT,
	odbxfs.KindInvalid:      syscall.EINVAL,
	odbxfs.KindChanged:      syscall.ESTALE,
	odbxfs.KindExists:       syscall.EEXIST,
	odbxfs.KindTooLarge:     syscall.EFBIG,
	odbxfs.KindUnknownModel: syscall.ENOENT,
	odbxfs.KindName:         syscall.EINVAL,
	odbxfs.KindFull:         syscall.ENOSPC,
	odbxfs.KindRateLimited:  syscall.EAGAIN,
	odbxfs.KindUnavailable:  syscall.EIO, // ENETUNREACH makes cp stop naming the file
	odbxfs.KindCorrupt:      syscall.EIO,
	odbxfs.KindUnsupported:  syscall.EOPNOTSUPP,
	odbxfs.KindReset:        syscall.ESTALE,
	odbxfs.KindForeign:      syscall.EIO,
	odbxfs.KindSettings:     syscall.EACCES,
	odbxfs.KindRetired:      syscall.EIO,
}

// errnoOfMount is the table for what the tree's own rules refuse. A kind that
// is not in it is answered inside this package.
var errnoOfMount = map[cache.MountErrorKind]syscall.Errno{
	cache.MountNotFound:     syscall.ENOENT,
	cache.MountExists:       syscall.EEXIST,
	cache.MountNotEmpty:     syscall.ENOTEMPTY,
	cache.MountNotAllowed:   syscall.EPERM,
	cache.MountNotDir:       syscall.ENOTDIR,
	cache.MountIsDir:        syscall.EISDIR,
	cache.MountNameTooLong:  syscall.ENAMETOOLONG,
	cache.MountInvalid:      syscall.EINVAL,
	cache.MountNeedsContent: syscall.EIO, // only if it was asked for in vain
}

// isMount reports whether the tree refused something for this reason.
func isMount(err error, kind cache.MountErrorKind) bool {
	e, ok := errors.AsType[*cache.MountError](err)
	return ok && e.Kind == kind
}

// Errno gives what a program is to see of err, which must not be nil: an errno
// in its chain, that of its [cache.MountErrorKind] or [odbxfs.ErrorKind], EINTR for a cancelled wait,
// else EIO.
func Errno(err error) syscall.Errno {
	if no, ok := errors.AsType[syscall.Errno](err); ok {
		return no
	}
	if e, ok := errors.AsType[*cache.MountError](err); ok {
		if no, known := errnoOfMount[e.Kind]; known {
			return no
		}
		return syscall.EIO
	}
	switch { // before the kind that a client made of it
	case errors.Is(err, context.Canceled):
		return syscall.EINTR
	case errors.Is(err, context.DeadlineExceeded):
		return syscall.ETIMEDOUT
	}
	if e, ok := errors.AsType[*odbxfs.Error](err); ok {
		if no, known := errnoOfKind[e.Kind]; known {
			return no
		}
		return syscall.EIO
	}
	return syscall.EIO
}

// unexpected reports whether an errno tells of a fault of ours or of a remote,
// so that its cause belongs into the log; the others are everyday answers.
func unexpected(no syscall.Errno) bool {
	switch no {
	case syscall.EIO, syscall.ESTALE, syscall.ETIMEDOUT, syscall.EAGAIN, syscall.ENOSPC, syscall.EACCES:
		return true
	default:
		return false
	}
}

// status is the end of every handler: nil is OK, the rest is logged where it
// says more than its errno.
func (f *FS) status(op string, err error) fuse.Status {
	if err == nil {
		return fuse.OK
	}
	no := Errno(err)
	if unexpected(no) {
		f.log.Warn("request of a program failed", "op", op, "errno", no, "error", err)
	}
	return fuse.Status(no)
}

// errNotHere: a content is not wholly in the store.
var errNotHere = errors.New("its bytes are not here")
