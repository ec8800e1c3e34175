package dropbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	sdk "github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/contenthash"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"

	"odbxfs"
)

const (
	// largeFile is the size from which a file gets an upload session of its
	// own; smaller ones share their requests.
	largeFile = 8 << 20
	// chunkSize is how much of a large file one append sends; a multiple of
	// the 4 MiB that the API asks for.
	chunkSize = 8 << 20
	// batchBytes bounds the bytes of one append_batch, which are in memory.
	// The API takes 150 MiB.
	batchBytes = 24 << 20
	// batchFiles bounds the files of one append_batch: its argument stands in a
	// header, some 140 bytes a file, and the real limit of headers is unknown.
	batchFiles = 200
)

// upload sends all files: the small ones together, the large ones one by one.
func (c *Client) upload(ctx context.Context, ops []odbxfs.DropboxOp) []odbxfs.DropboxResult {
	results := make([]odbxfs.DropboxResult, len(ops))
	var small []int
	for i, o := range ops {
		if o.Size >= largeFile {
			results[i] = c.uploadLarge(ctx, o)
		} else {
			small = append(small, i)
		}
	}
	for len(small) > 0 && ctx.Err() == nil {
		n, size := 0, int64(0)
		for n < len(small) && n < batchFiles && (n == 0 || size+ops[small[n]].Size <= batchBytes) {
			size += ops[small[n]].Size
			n++
		}
		c.uploadSmall(ctx, ops, small[:n], results)
		small = small[n:]
	}
	return results
}

// A payload is a small file on its way: its bytes, and where its result goes.
type payload struct {
	at      int
	op      odbxfs.DropboxOp
	data    []byte
	hash    odbxfs.ContentHash
	session string
}

// uploadSmall reads the files and sends them in as few requests as there are.
func (c *Client) uploadSmall(ctx context.Context, ops []odbxfs.DropboxOp, which []int, results []odbxfs.DropboxResult) {
	var load []*payload
	for _, i := range which {
		p := &payload{at: i, op: ops[i]}
		if err := p.read(ctx); err != nil {
			results[i] = failed(err)
			continue
		}
		load = append(load, p)
	}
	if len(load) == 1 {
		results[load[0].at] = c.uploadOne(ctx, load[0])
		return
	}
	if err := c.sendBatch(ctx, load); err != nil {
		for _, p := range load {
			results[p.at] = failed(err)
		}
		return
	}
	c.finishBatch(ctx, load, results)
}

// read takes the whole content, which must be of the size that was said.
func (p *payload) read(ctx context.Context) error {
	const op = "read what is to be uploaded"
	r, err := p.op.Content(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	p.data, err = io.ReadAll(io.LimitReader(r, largeFile+1))
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if int64(len(p.data)) != p.op.Size {
		return &odbxfs.Error{Op: op, Item: p.op.Path, Kind: odbxfs.KindChanged, Err: fmt.Errorf("%d bytes came, %d were expected", len(p.data), p.op.Size)}
	}
	p.hash = odbxfs.ContentHash(hashOf(p.data))
	if p.op.ContentHash != "" && p.op.ContentHash != p.hash {
		return &odbxfs.Error{Op: op, Item: p.op.Path, Kind: odbxfs.KindCorrupt, Err: errors.New("the content is not the one that was to be sent")}
	}
	return nil
}

// commitInfo says where the bytes go and what must be there: nothing, or the
// file of this rev.
func commitInfo(o odbxfs.DropboxOp) *files.CommitInfo {
	info := files.NewCommitInfo(o.Path)
	info.Mode = &files.WriteMode{Tagged: sdk.Tagged{Tag: files.WriteModeAdd}}
	if o.ID != "" {
		info.Path = string(o.ID)
		info.Mode = &files.WriteMode{Tagged: sdk.Tagged{Tag: files.WriteModeUpdate}, Update: string(o.Rev)}
	}
	info.Mute = true // a mirrored file is no news for the desktop client
	if !o.Modified.IsZero() {
		t := sdk.DBXTime(o.Modified.UTC().Truncate(time.Second))
		info.ClientModified = &t
	}
	return info
}

func (c *Client) uploadOne(ctx context.Context, p *payload) odbxfs.DropboxResult {
	arg := &files.UploadArg{CommitInfo: *commitInfo(p.op), ContentHash: string(p.hash)}
	m, err := c.files.UploadContext(ctx, arg, bytes.NewReader(p.data))
	if err != nil {
		return failed(wrap("upload", p.op.Path, err))
	}
	return confirmed(m, p.op.Path, p.hash)
}

// confirmed takes an upload for done only if Dropbox has these very bytes.
func confirmed(m *files.FileMetadata, path string, want odbxfs.ContentHash) odbxfs.DropboxResult {
	n := nodeOf(m)
	if n.ContentHash != want {
		return failed(&odbxfs.Error{Op: "upload", Item: path, Kind: odbxfs.KindCorrupt, Err: fmt.Errorf("content_hash is %s, of what was sent %s", n.ContentHash, want)})
	}
	return done(n)
}

// sendBatch opens a session for each file and fills and closes them all: by
// start_batch and append_batch, or one request a file where the server has no
// append_batch (new in 2026).
func (c *Client) sendBatch(ctx context.Context, load []*payload) error {
	if !c.noAppendBatch.isSet() {
		err := c.appendBatch(ctx, load)
		if !odbxfs.IsKind(err, odbxfs.KindUnsupported) {
			return err
		}
		c.noAppendBatch.set()
	}
	for _, p := range load {
		arg := files.NewUploadSessionStartArg()
		arg.Close, arg.ContentHash = true, string(p.hash)
		res, err := c.files.UploadSessionStartContext(ctx, arg, bytes.NewReader(p.data))
		if err != nil {
			return wrap("upload", p.op.Path, err)
		}
		p.session = res.SessionId
	}
	return nil
}

func (c *Client) appendBatch(ctx context.Context, load []*payload) error {
	const op = "upload a batch"
	started, err := c.files.UploadSessionStartBatchContext(ctx, files.NewUploadSessionStartBatchArg(uint64(len(load))))
	if err != nil {
		return wrap(op, "", err)
	}
	if len(started.SessionIds) != len(load) {
		return oddAnswer(op)
	}
	arg := &files.UploadSessionAppendBatchArg{}
	body := &bytes.Buffer{}
	for i, p := range load {
		p.session = started.SessionIds[i]
		entry := files.NewUploadSessionAppendBatchArgEntry(files.NewUploadSessionCursor(p.session, 0), uint64(len(p.data)))
		entry.Close = true
		arg.Entries = append(arg.Entries, entry)
		body.Write(p.data)
	}
	arg.ContentHash = hashOf(body.Bytes())
	res, err := c.files.UploadSessionAppendBatchContext(ctx, arg, bytes.NewReader(body.Bytes()))
	if err != nil {
		return wrap(op, "", err)
	}
	if len(res.Entries) != len(load) {
		return oddAnswer(op)
	}
	for i, entry := range res.Entries {
		if entry.Failure != nil {
			return entryError(op, load[i].op.Path, entry.Failure)
		}
	}
	return nil
}

func (c *Client) finishBatch(ctx context.Context, load []*payload, results []odbxfs.DropboxResult) {
	const op = "finish a batch of uploads"
	arg := &files.UploadSessionFinishBatchArg{}
	for _, p := range load {
		cursor := files.NewUploadSessionCursor(p.session, uint64(len(p.data)))
		arg.Entries = append(arg.Entries, files.NewUploadSessionFinishArg(cursor, commitInfo(p.op)))
	}
	res, err := c.files.UploadSessionFinishBatchV2Context(ctx, arg)
	if err = wrapIf(op, err); err == nil && len(res.Entries) != len(load) {
		err = oddAnswer(op)
	}
	for i, p := range load {
		switch {
		case err != nil:
			results[p.at] = failed(err)
		case res.Entries[i].Success != nil:
			results[p.at] = confirmed(res.Entries[i].Success, p.op.Path, p.hash)
		default:
			results[p.at] = failed(entryError("upload", p.op.Path, res.Entries[i].Failure))
		}
	}
}

func wrapIf(op string, err error) error {
	if err == nil {
		return nil
	}
	return wrap(op, "", err)
}

// uploadLarge streams one file through a session of its own.
func (c *Client) uploadLarge(ctx context.Context, o odbxfs.DropboxOp) odbxfs.DropboxResult {
	r, err := o.Content(ctx)
	if err != nil {
		return failed(fmt.Errorf("read what is to be uploaded: %w", err))
	}
	hash := contenthash.New()
	m, err := c.streamSession(ctx, o, io.TeeReader(r, hash))
	if closeErr := r.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("read what is to be uploaded: %w", closeErr)
	}
	if err != nil {
		return failed(err)
	}
	return confirmed(m, o.Path, odbxfs.ContentHash(fmt.Sprintf("%x", hash.Sum(nil))))
}

func (c *Client) streamSession(ctx context.Context, o odbxfs.DropboxOp, r io.Reader) (*files.FileMetadata, error) {
	const op = "upload"
	started, err := c.files.UploadSessionStartContext(ctx, files.NewUploadSessionStartArg(), bytes.NewReader(nil))
	if err != nil {
		return nil, wrap(op, o.Path, err)
	}
	buf := make([]byte, chunkSize)
	sent := int64(0)
	for {
		n, err := io.ReadFull(r, buf)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("read what is to be uploaded: %w", err)
		}
		last := err != nil
		cursor := files.NewUploadSessionCursor(started.SessionId, uint64(sent))
		if sent += int64(n); last {
			if sent != o.Size {
				return nil, &odbxfs.Error{Op: op, Item: o.Path, Kind: odbxfs.KindChanged, Err: fmt.Errorf("%d bytes came, %d were expected", sent, o.Size)}
			}
			m, err := c.files.UploadSessionFinishContext(ctx, finishArg(cursor, o, buf[:n]), bytes.NewReader(buf[:n]))
			if err != nil {
				return nil, wrap(op, o.Path, err)
			}
			return m, nil
		}
		arg := files.NewUploadSessionAppendArg(cursor)
		arg.ContentHash = hashOf(buf[:n])
		if err := c.files.UploadSessionAppendV2Context(ctx, arg, bytes.NewReader(buf[:n])); err != nil {
			return nil, wrap(op, o.Path, err)
		}
	}
}

func finishArg(cursor *files.UploadSessionCursor, o odbxfs.DropboxOp, rest []byte) *files.UploadSessionFinishArg {
	arg := files.NewUploadSessionFinishArg(cursor, commitInfo(o))
	arg.ContentHash = hashOf(rest)
	return arg
}

// hashOf is Dropbox's content_hash of data.
func hashOf(data []byte) string {
	h := contenthash.New()
	_, _ = h.Write(data) // a hash never fails to write
	return fmt.Sprintf("%x", h.Sum(nil))
}
