package fs

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"odbxfs"
	"odbxfs/cache"
)

func TestErrnoTablesAreTotal(t *testing.T) {
	for _, kind := range odbxfs.ErrorKinds() {
		no, ok := errnoOfKind[kind]
		if !ok || no == 0 {
			t.Errorf("%v has no errno", kind)
		}
		if got := Errno(fmt.Errorf("wrapped: %w", &odbxfs.Error{Kind: kind})); got != no {
			t.Errorf("%v gives %v, want %v", kind, got, no)
		}
	}
	if len(errnoOfKind) != len(odbxfs.ErrorKinds()) {
		t.Error("the table has kinds that do not exist")
	}
	for _, kind := range cache.MountErrorKinds() {
		no, ok := errnoOfMount[kind]
		if !ok || no == 0 {
			t.Errorf("%v has no errno", kind)
		}
		if got := Errno(fmt.Errorf("wrapped: %w", &cache.MountError{Kind: kind})); got != no {
			t.Errorf("%v gives %v, want %v", kind, got, no)
		}
	}
	if len(errnoOfMount) != len(cache.MountErrorKinds()) {
		t.Error("the table has reasons that do not exist")
	}
}

func TestErrnoOfOtherErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		want syscall.Errno
	}{
		{errors.New("anything"), syscall.EIO},
		{context.Canceled, syscall.EINTR},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), syscall.ETIMEDOUT},
		{fmt.Errorf("write: %w", syscall.ENOSPC), syscall.ENOSPC},
		{&odbxfs.Error{Kind: odbxfs.KindUnavailable, Err: context.Canceled}, syscall.EINTR},
	} {
		if got := Errno(c.err); got != c.want {
			t.Errorf("%v gives %v, want %v", c.err, got, c.want)
		}
	}
}
