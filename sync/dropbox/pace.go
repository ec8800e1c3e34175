package dropbox

import "time"

// How many transfers go on at a time. Dropbox publishes no numbers: the start
// is what its own desktop program does with small files, the most is what 30
// connections a host allow beside the long-poll and the rest.
const (
	widthStart = 4
	widthMost  = 16
)

// pace is how much is asked of a server at a time, and until when nothing is.
type pace struct {
	width float64   // transfers at a time, at least 1
	until time.Time // nothing is asked before
	cut   time.Time // the width was halved, and is not again before
}

// outcome is how one call ended, as far as it tells about the server's load.
type outcome struct {
	limited bool          // it asked to wait
	wait    time.Duration // so long
	failed  bool          // it did not answer, or with a 5xx
}

// next is additive increase, multiplicative decrease. A wait is kept to the
// second. Calls that were under way together when the limit was met count as
// one. It is pure.
func (p pace) next(now time.Time, o outcome) pace {
	switch {
	case o.limited:
		if until := now.Add(o.wait); until.After(p.until) {
			p.until = until
		}
		return p.halved(now, o.wait)
	case o.failed:
		return p.halved(now, time.Second)
	}
	p.width = min(p.width+1/p.width, widthMost)
	return p
}

func (p pace) halved(now time.Time, rest time.Duration) pace {
	if !now.Before(p.cut) {
		p.width, p.cut = max(p.width/2, 1), now.Add(rest)
	}
	return p
}

// wait says how long nothing is to be asked from now on; 0: ask.
func (p pace) wait(now time.Time) time.Duration { return max(p.until.Sub(now), 0) }
