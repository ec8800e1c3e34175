package cache

import "slices"

// Range is a run of bytes.
type Range struct {
	Off int64 `cbor:"1,keyasint,omitzero"`
	Len int64 `cbor:"2,keyasint"`
}

func (r Range) end() int64 { return r.Off + r.Len }

// addRange puts r into a sorted list of ranges that neither overlap nor touch,
// and gives the list with that still so.
func addRange(list []Range, r Range) []Range {
	if r.Len <= 0 {
		return list
	}
	from, _ := slices.BinarySearchFunc(list, r.Off, func(x Range, off int64) int {
		if x.end() < off {
			return -1
		}
		return 1
	})
	to := from
	for to < len(list) && list[to].Off <= r.end() {
		lo, hi := min(r.Off, list[to].Off), max(r.end(), list[to].end())
		r = Range{Off: lo, Len: hi - lo}
		to++
	}
	return slices.Replace(slices.Clone(list), from, to, r)
}

// missing gives what the list does not have of want, in order.
func missing(list []Range, want Range) []Range {
	var out []Range
	at := want.Off
	for _, r := range list {
		if r.end() <= at {
			continue
		}
		if r.Off >= want.end() {
			break
		}
		if r.Off > at {
			out = append(out, Range{Off: at, Len: r.Off - at})
		}
		at = r.end()
	}
	if at < want.end() {
		out = append(out, Range{Off: at, Len: want.end() - at})
	}
	return out
}

func sumRanges(list []Range) (n int64) {
	for _, r := range list {
		n += r.Len
	}
	return n
}
