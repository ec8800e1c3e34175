package dropbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"
	"golang.org/x/sync/errgroup"

	"odbxfs"
)

// A payload is a small file on its way: its bytes, and where its result goes.
type payload struct {
	at      int
	op      odbxfs.DropboxOp
	data    []byte // a part of its group's bytes
	hash    odbxfs.ContentHash
	session string
	err     error // why it was not sent
}

// uploadSmall reads the files and sends them in as few requests as there are.
// Goroutines that share results write to different places of it.
func (c *Client) uploadSmall(ctx context.Context, ops []odbxfs.DropboxOp, which []int, results []odbxfs.DropboxResult) {
	size := int64(0)
	for _, i := range which {
		size += ops[i].Size
	}
	buf := make([]byte, 0, size)
	var load []*payload
	for _, i := range which {
		p := &payload{at: i, op: ops[i]}
		if err := p.read(ctx, buf[len(buf):]); err != nil {
			results[i] = failed(err)
			continue
		}
		buf = buf[:len(buf)+len(p.data)]
		load = append(load, p)
	}
	if len(load) == 1 {
		results[load[0].at] = c.uploadOne(ctx, load[0])
		return
	}
	if err := c.sendGroup(ctx, load, buf); err != nil {
		for _, p := range load {
			p.err = err
		}
	}
	var sent []*payload
	for _, p := range load {
		if p.err != nil {
			results[p.at] = failed(p.err)
			continue
		}
		sent = append(sent, p)
	}
	if len(sent) > 0 {
		c.finishGroup(ctx, sent, results)
	}
}

// read takes the whole content, which must be of the size that was said, into
// room.
func (p *payload) read(ctx context.Context, room []byte) error {
	const op = "read what is to be uploaded"
	r, err := p.op.Content(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	p.data = room[:p.op.Size:p.op.Size]
	n, err := io.ReadFull(r, p.data)
	more := int64(0)
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		more, err = io.Copy(io.Discard, io.LimitReader(r, 1))
	}
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if n != len(p.data) || more > 0 {
		return &odbxfs.Error{Op: op, Item: p.op.Path, Kind: odbxfs.KindChanged, Err: fmt.Errorf("%d bytes or more came, %d were expected", int64(n)+more, p.op.Size)}
	}
	p.hash = odbxfs.ContentHash(hashOf(p.data))
	if p.op.ContentHash != "" && p.op.ContentHash != p.hash {
		return &odbxfs.Error{Op: op, Item: p.op.Path, Kind: odbxfs.KindCorrupt, Err: errors.New("the content is not the one that was to be sent")}
	}
	return nil
}

// sendGroup opens a session for each file and fills and closes them all: by
// start_batch and append_batch, or one request a file where that is not taken.
// append_batch is new in 2026 and was never seen at work: an answer that does
// not fit is taken as if there were none. data is all files' bytes in a row.
func (c *Client) sendGroup(ctx context.Context, load []*payload, data []byte) error {
	if c.noAppendBatch.isSet() || len(load) == 1 {
		return c.sendEach(ctx, load)
	}
	err := c.appendBatch(ctx, load, data)
	switch {
	case err == nil:
		c.groups.taken(len(load))
		return nil
	case odbxfs.IsKind(err, odbxfs.KindTooLarge):
		c.groups.tooMany(len(load))
		half, size := len(load)/2, 0
		for _, p := range load[:half] {
			size += len(p.data)
		}
		if err := c.sendGroup(ctx, load[:half], data[:size]); err != nil {
			return err
		}
		return c.sendGroup(ctx, load[half:], data[size:])
	case odbxfs.IsKind(err, odbxfs.KindUnsupported) || odbxfs.IsKind(err, odbxfs.KindInvalid) || errors.Is(err, errOdd):
		c.noAppendBatch.set()
		return c.sendEach(ctx, load)
	}
	return err
}

// sendEach sends each file by a request of its own.
func (c *Client) sendEach(ctx context.Context, load []*payload) error {
	var group errgroup.Group
	group.SetLimit(widthMost)
	for _, p := range load {
		group.Go(func() error {
			arg := files.NewUploadSessionStartArg()
			arg.Close, arg.ContentHash = true, string(p.hash)
			p.err = c.transfer(ctx, func() error {
				res, err := c.files.UploadSessionStartContext(ctx, arg, bytes.NewReader(p.data))
				if err != nil {
					return wrap("upload", p.op.Path, err)
				}
				p.session = res.SessionId
				return nil
			})
			return nil
		})
	}
	return group.Wait()
}

func (c *Client) appendBatch(ctx context.Context, load []*payload, data []byte) error {
	const op = "upload a batch"
	var started *files.UploadSessionStartBatchResult
	err := c.patiently(ctx, func() (err error) {
		started, err = c.files.UploadSessionStartBatchContext(ctx, files.NewUploadSessionStartBatchArg(uint64(len(load))))
		return err
	})
	if err != nil {
		return wrap(op, "", err)
	}
	if len(started.SessionIds) != len(load) {
		return oddAnswer(op)
	}
	arg := &files.UploadSessionAppendBatchArg{ContentHash: hashOf(data)}
	for i, p := range load {
		p.session = started.SessionIds[i]
		entry := files.NewUploadSessionAppendBatchArgEntry(files.NewUploadSessionCursor(p.session, 0), uint64(len(p.data)))
		entry.Close = true
		arg.Entries = append(arg.Entries, entry)
	}
	var res *files.UploadSessionAppendBatchResult
	err = c.transfer(ctx, func() (err error) {
		res, err = c.files.UploadSessionAppendBatchContext(ctx, arg, bytes.NewReader(data))
		return err
	})
	if err != nil {
		return wrap(op, "", err)
	}
	if !each(res.Entries, len(load)) {
		return oddAnswer(op)
	}
	for i, entry := range res.Entries {
		if entry.Failure == nil {
			continue
		}
		// A session of ours that is closed already has its bytes: the network sent
		// them twice. Should they be others, the commit's content_hash tells.
		if err := sessionError(op, load[i].op.Path, entry.Failure); !tagged(err, "closed") {
			load[i].err = err
		}
	}
	return nil
}

// commitAlone does a commit of uploads when no other goes on: Dropbox holds one
// lock for each namespace, and takes one finish_batch at a time of an account.
func (c *Client) commitAlone(ctx context.Context, do func() error) error {
	select {
	case c.commit <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.commit }()
	return c.patiently(ctx, do)
}

// finishGroup commits the sent files.
func (c *Client) finishGroup(ctx context.Context, load []*payload, results []odbxfs.DropboxResult) {
	const op = "finish a batch of uploads"
	arg := &files.UploadSessionFinishBatchArg{}
	for _, p := range load {
		cursor := files.NewUploadSessionCursor(p.session, uint64(len(p.data)))
		arg.Entries = append(arg.Entries, files.NewUploadSessionFinishArg(cursor, commitInfo(p.op)))
	}
	var res *files.UploadSessionFinishBatchResult
	err := c.commitAlone(ctx, func() (err error) {
		res, err = c.files.UploadSessionFinishBatchV2Context(ctx, arg)
		return err
	})
	if err != nil {
		err = wrap(op, "", err)
	} else if !each(res.Entries, len(load)) {
		err = oddAnswer(op)
	}
	for i, p := range load {
		switch {
		case err != nil:
			results[p.at] = failed(err)
		case res.Entries[i].Success != nil:
			results[p.at] = confirmed(res.Entries[i].Success, p.op.Path, p.hash)
		case res.Entries[i].Failure != nil && res.Entries[i].Failure.Tag == files.UploadSessionFinishErrorTooManySharedFolderTargets:
			results[p.at] = c.uploadOne(ctx, p) // a batch takes only so many shared folders
		default:
			results[p.at] = failed(entryError("upload", p.op.Path, res.Entries[i].Failure))
		}
	}
}
