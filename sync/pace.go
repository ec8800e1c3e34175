package sync

import (
	"time"

	"odbxfs"
)

// Waits of the engine. They follow what the remotes ask for and what people
// bear, not measurements: a server that restarts is back in seconds, a revoked
// login needs a person.
const (
	paceFirst   = time.Second      // after the first failure
	paceMost    = time.Minute      // after many
	paceLogin   = 15 * time.Second // how often a refused login asks its source again; nothing is sent before it gives another
	paceFull    = 5 * time.Minute  // a full account empties slowly
	paceAsked   = 5 * time.Second  // rate limited without being told how long
	maxAttempts = 6                // failures of one item, without a class of their own, before it is parked
)

// pace says how long to wait after the failures-th failure in a row (from 1)
// of kind k, where the remote asked for asked (or 0). jitter in [0,1) spreads
// those that fail together. It is pure.
func pace(k odbxfs.ErrorKind, failures int, asked time.Duration, jitter float64) time.Duration {
	switch k {
	case odbxfs.KindRateLimited:
		if asked > 0 {
			// To the second as asked, plus a little so that not all come at once.
			return asked + time.Duration(jitter*float64(time.Second))
		}
		return paceAsked
	case odbxfs.KindCredentials, odbxfs.KindSettings:
		return paceLogin
	case odbxfs.KindFull, odbxfs.KindForeign, odbxfs.KindRetired:
		return paceFull
	default:
		wait := paceFirst
		for i := 1; i < failures && wait < paceMost; i++ {
			wait *= 2
		}
		wait = min(wait, paceMost)
		// Half of it is fixed, half is jitter: never at once, never in step.
		return wait/2 + time.Duration(jitter*float64(wait/2))
	}
}

// fate is what is to become of one item whose write did not succeed.
type fate uint8

const (
	fateRetry  fate = iota // the item again, later
	fatePark               // a person must look
	fateReplan             // what it was planned on no longer holds
	fateRemote             // the remote as a whole waits, the item was not at fault
)

// fateOf decides by the kind of the error and how often the item has failed.
func fateOf(k odbxfs.ErrorKind, attempts int) fate {
	switch k {
	case odbxfs.KindUnavailable, odbxfs.KindRateLimited, odbxfs.KindCredentials, odbxfs.KindSettings, odbxfs.KindForeign,
		odbxfs.KindFull, odbxfs.KindRetired:
		return fateRemote
	case odbxfs.KindChanged, odbxfs.KindMissing, odbxfs.KindReset, odbxfs.KindExists:
		// A place that is taken was free when this was planned.
		if attempts < maxAttempts {
			return fateReplan
		}
		return fatePark
	case odbxfs.KindAccess, odbxfs.KindInvalid, odbxfs.KindTooLarge, odbxfs.KindName,
		odbxfs.KindUnknownModel, odbxfs.KindUnsupported:
		return fatePark
	default: // KindUnknown, KindCorrupt: may pass by itself
		if attempts < maxAttempts {
			return fateRetry
		}
		return fatePark
	}
}

// remote is how one remote does: whether it may be asked now.
type remote struct {
	failures int
	notUntil time.Time
	err      error // the last failure; nil when all is well
}

// ready reports whether the remote may be asked at now.
func (r *remote) ready(now time.Time) bool { return !now.Before(r.notUntil) }

// full reports whether the remote's account has no room: then only what adds to
// it waits.
func (r *remote) full() bool { return odbxfs.IsKind(r.err, odbxfs.KindFull) }

// ok notes a success.
func (r *remote) ok() { *r = remote{} }

// givenUp reports whether another try now is of no use: it failed patience times
// in a row, or a person must mend something first.
func (r *remote) givenUp() bool {
	switch odbxfs.KindOf(r.err) {
	case odbxfs.KindCredentials, odbxfs.KindSettings, odbxfs.KindForeign:
		return r.failures > 0
	default:
		return r.failures >= patience
	}
}

// failed notes a failure and sets when to ask again.
func (r *remote) failed(now time.Time, err error, jitter float64) {
	r.failures++
	r.err = err
	r.notUntil = now.Add(pace(odbxfs.KindOf(err), r.failures, retryAfter(err), jitter))
}
