package dropbox

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/async"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"

	"odbxfs"
)

// jobDeadline is how long a batch may run at Dropbox; rclone waits 500 s, and
// so long ones were seen.
const jobDeadline = 500 * time.Second

var errOdd = errors.New("the answer does not fit the request")

// oddAnswer is a success whose shape the API does not have.
func oddAnswer(op string) error {
	return &odbxfs.Error{Op: op, Kind: odbxfs.KindUnavailable, Err: errOdd}
}

// each reports whether a batch has one answer for each of n entries.
func each[E any](entries []*E, n int) bool {
	for _, e := range entries {
		if e == nil {
			return false
		}
	}
	return len(entries) == n
}

// poll asks for the end of an asynchronous batch, gently: job gives nil while
// it runs.
func poll[R any](ctx context.Context, c *Client, op, id string, job func(context.Context, string) (*R, error)) (*R, error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval, pause.RandomizationFactor = 50*time.Millisecond, 5*time.Second, 0
	for start := c.cfg.Now(); ; {
		var res *R
		err := c.patiently(ctx, func() (err error) {
			res, err = job(ctx, id) // the batch goes on meanwhile
			return err
		})
		if res != nil || err != nil {
			return res, err
		}
		if c.cfg.Now().Sub(start) > jobDeadline {
			return nil, &odbxfs.Error{Op: op, Kind: odbxfs.KindUnavailable, Err: errors.New("the batch does not end")}
		}
		if err := c.cfg.Sleep(ctx, pause.NextBackOff()); err != nil {
			return nil, err
		}
	}
}

func (c *Client) folderJob(ctx context.Context, id string) (*files.CreateFolderBatchResult, error) {
	status, err := c.files.CreateFolderBatchCheckContext(ctx, async.NewPollArg(id))
	if err != nil {
		return nil, wrap("make folders in Dropbox", "", err)
	}
	if status.Failed != nil {
		return nil, entryError("make folders in Dropbox", "", status.Failed)
	}
	return status.Complete, nil
}

func (c *Client) moveJob(ctx context.Context, id string) (*files.RelocationBatchV2Result, error) {
	status, err := c.files.MoveBatchCheckV2Context(ctx, async.NewPollArg(id))
	if err != nil {
		return nil, wrap("move in Dropbox", "", err)
	}
	return status.Complete, nil
}

func (c *Client) copyJob(ctx context.Context, id string) (*files.RelocationBatchV2Result, error) {
	status, err := c.files.CopyBatchCheckV2Context(ctx, async.NewPollArg(id))
	if err != nil {
		return nil, wrap("copy in Dropbox", "", err)
	}
	return status.Complete, nil
}

func (c *Client) deleteJob(ctx context.Context, id string) (*files.DeleteBatchResult, error) {
	status, err := c.files.DeleteBatchCheckContext(ctx, async.NewPollArg(id))
	if err != nil {
		return nil, wrap("remove from Dropbox", "", err)
	}
	if status.Failed != nil {
		return nil, entryError("remove from Dropbox", "", status.Failed)
	}
	return status.Complete, nil
}
