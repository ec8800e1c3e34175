package sync

import (
	"testing"
	"time"

	"odbxfs"
)

func TestPaceGrowsAndIsBounded(t *testing.T) {
	var last time.Duration
	for n := 1; n < 20; n++ {
		w := pace(odbxfs.KindUnavailable, n, 0, 0.5)
		if w < last || w > paceMost || w <= 0 {
			t.Errorf("after %d failures it waits %s, before %s", n, w, last)
		}
		last = w
	}
	if w := pace(odbxfs.KindRateLimited, 1, 212*time.Second, 0.3); w < 212*time.Second || w > 213*time.Second {
		t.Errorf("asked to wait 212 s it waits %s", w)
	}
}

func TestEveryKindOfErrorHasAFate(t *testing.T) {
	want := map[odbxfs.ErrorKind][2]fate{ // at the first failure, after many
		odbxfs.KindUnknown:      {fateRetry, fatePark},
		odbxfs.KindCredentials:  {fateRemote, fateRemote},
		odbxfs.KindAccess:       {fatePark, fatePark},
		odbxfs.KindMissing:      {fateReplan, fatePark},
		odbxfs.KindInvalid:      {fatePark, fatePark},
		odbxfs.KindChanged:      {fateReplan, fatePark},
		odbxfs.KindExists:       {fateReplan, fatePark},
		odbxfs.KindTooLarge:     {fatePark, fatePark},
		odbxfs.KindUnknownModel: {fatePark, fatePark},
		odbxfs.KindName:         {fatePark, fatePark},
		odbxfs.KindFull:         {fateRemote, fateRemote},
		odbxfs.KindRateLimited:  {fateRemote, fateRemote},
		odbxfs.KindUnavailable:  {fateRemote, fateRemote},
		odbxfs.KindCorrupt:      {fateRetry, fatePark},
		odbxfs.KindUnsupported:  {fatePark, fatePark},
		odbxfs.KindReset:        {fateReplan, fatePark},
		odbxfs.KindForeign:      {fateRemote, fateRemote},
		odbxfs.KindSettings:     {fateRemote, fateRemote},
		odbxfs.KindRetired:      {fateRemote, fateRemote},
	}
	for _, k := range odbxfs.ErrorKinds() {
		w, ok := want[k]
		if !ok {
			t.Errorf("%s has no row", k)
			continue
		}
		if got := [2]fate{fateOf(k, 0), fateOf(k, maxAttempts)}; got != w {
			t.Errorf("%s: %v, want %v", k, got, w)
		}
	}
}
