package dropbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	sdk "github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/contenthash"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"
	"golang.org/x/sync/errgroup"

	"odbxfs"
)

const (
	// chunkSize is how much of a large file one request sends; a multiple of the
	// 4 MiB that concurrent sessions ask for.
	chunkSize = 8 << 20
	// chunksInMemory bounds the chunks of one file that are under way.
	chunksInMemory = 4
	// chunkTries is how often a chunk is sent whose fate is not known: the same
	// bytes at the same place may come twice.
	chunkTries = 3
)

// uploadLarge sends one file through a session of its own, several chunks at a
// time. One that broke off goes on where it was; when Dropbox no longer has
// that session, it begins anew, once.
func (c *Client) uploadLarge(ctx context.Context, o odbxfs.DropboxOp) odbxfs.DropboxResult {
	u := &largeUpload{c: c, o: o, parts: c.openParts(o)}
	u.resumed = u.parts.Session != ""
	res := u.run(ctx)
	if odbxfs.IsKind(res.Err, odbxfs.KindReset) && u.resumed {
		if n := u.committed(ctx); n != nil {
			u.parts.forget()
			return done(n)
		}
		u.parts.begin("", c.cfg.Now())
		u.resumed = false
		res = u.run(ctx)
	}
	if res.Outcome == odbxfs.Done || odbxfs.IsKind(res.Err, odbxfs.KindCorrupt) || odbxfs.IsKind(res.Err, odbxfs.KindReset) {
		u.parts.forget()
	}
	return res
}

// largeUpload is one file on its way.
type largeUpload struct {
	c       *Client
	o       odbxfs.DropboxOp
	parts   *parts
	resumed bool               // the session was begun by an earlier attempt
	hash    odbxfs.ContentHash // once all was read
}

// committed looks for the file where it was to be: the session may be gone
// because it became that file, and only the answer was lost.
func (u *largeUpload) committed(ctx context.Context) *odbxfs.DropboxNode {
	what := u.o.Path
	if u.o.ID != "" {
		what = string(u.o.ID)
	}
	n, err := u.c.metadata(ctx, what)
	if err != nil || n == nil || u.hash == "" || n.ContentHash != u.hash {
		return nil
	}
	return n
}

func (u *largeUpload) run(ctx context.Context) odbxfs.DropboxResult {
	r, err := u.o.Content(ctx)
	if err != nil {
		return failed(fmt.Errorf("read what is to be uploaded: %w", err))
	}
	m, err := u.stream(ctx, r)
	if closeErr := r.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("read what is to be uploaded: %w", closeErr)
	}
	if err != nil {
		return failed(err)
	}
	return confirmed(m, u.o.Path, u.hash)
}

// stream reads the content once, and sends what Dropbox does not have of it.
// All but the last chunk go in any order; the last closes the session.
func (u *largeUpload) stream(ctx context.Context, r io.Reader) (*files.FileMetadata, error) {
	if err := u.start(ctx); err != nil {
		return nil, err
	}
	hash := contenthash.New()
	chunks := chunkReader{r: io.TeeReader(r, hash), size: u.o.Size, path: u.o.Path, free: make(chan []byte, chunksInMemory)}
	group, sending := errgroup.WithContext(ctx)
	group.SetLimit(chunksInMemory)
	var last chunk
	for sending.Err() == nil {
		next, err := chunks.next()
		if err != nil {
			return nil, errors.Join(err, group.Wait())
		}
		if next.end() == u.o.Size {
			last = next
			break
		}
		if u.parts.has(next.at) {
			chunks.reuse(next)
			continue
		}
		group.Go(func() error {
			err := u.send(sending, next, false)
			if err == nil { // else the transport may still read it
				chunks.reuse(next)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	u.hash = odbxfs.ContentHash(fmt.Sprintf("%x", hash.Sum(nil)))
	if u.o.ContentHash != "" && u.o.ContentHash != u.hash {
		return nil, &odbxfs.Error{Op: "upload", Item: u.o.Path, Kind: odbxfs.KindCorrupt, Err: errors.New("the content is not the one that was to be sent")}
	}
	if !u.parts.has(last.at) {
		if err := u.send(ctx, last, true); err != nil {
			return nil, err
		}
	}
	return u.finish(ctx)
}

func (u *largeUpload) start(ctx context.Context) error {
	if u.parts.Session != "" {
		return nil
	}
	arg := files.NewUploadSessionStartArg()
	arg.SessionType = &files.UploadSessionType{Tagged: sdk.Tagged{Tag: files.UploadSessionTypeConcurrent}}
	return u.c.patiently(ctx, func() error {
		started, err := u.c.files.UploadSessionStartContext(ctx, arg, bytes.NewReader(nil))
		if err != nil {
			return wrap("upload", u.o.Path, err)
		}
		if started.SessionId == "" {
			return oddAnswer("upload")
		}
		u.parts.begin(started.SessionId, u.c.cfg.Now())
		return nil
	})
}

// send appends one chunk. It is sent again when its fate is not known. A session
// that the last one finds closed was closed by the first time, or by an earlier
// attempt, or by the network, which sent it twice; what it holds the commit tells.
func (u *largeUpload) send(ctx context.Context, ch chunk, last bool) error {
	arg := files.NewUploadSessionAppendArg(files.NewUploadSessionCursor(u.parts.Session, uint64(ch.at)))
	arg.Close, arg.ContentHash = last, hashOf(ch.data)
	for tries := 1; ; tries++ {
		err := u.c.transfer(ctx, func() error {
			return u.c.files.UploadSessionAppendV2Context(ctx, arg, bytes.NewReader(ch.data))
		})
		if err == nil || last && tagged(err, "closed") {
			return u.parts.sent(ch.at)
		}
		if err = wrap("upload", u.o.Path, err); !odbxfs.IsKind(err, odbxfs.KindUnavailable) || tries == chunkTries {
			return err
		}
		if sleepErr := u.c.cfg.Sleep(ctx, lockWait); sleepErr != nil {
			return errors.Join(err, sleepErr)
		}
	}
}

func (u *largeUpload) finish(ctx context.Context) (*files.FileMetadata, error) {
	arg := files.NewUploadSessionFinishArg(files.NewUploadSessionCursor(u.parts.Session, uint64(u.o.Size)), commitInfo(u.o))
	arg.ContentHash = hashOf(nil)
	var m *files.FileMetadata
	err := u.c.commitAlone(ctx, func() (err error) {
		m, err = u.c.files.UploadSessionFinishContext(ctx, arg, bytes.NewReader(nil))
		return err
	})
	if err != nil {
		return nil, wrap("upload", u.o.Path, err)
	}
	return m, nil
}

// A chunk is a part of a file.
type chunk struct {
	at   int64
	data []byte
}

func (c chunk) end() int64 { return c.at + int64(len(c.data)) }

// chunkReader cuts a content of known size into chunks.
type chunkReader struct {
	r    io.Reader
	size int64
	at   int64
	path string
	free chan []byte // chunks that were sent, to be filled again
}

// room gives memory for n bytes, that of an earlier chunk where one is free.
func (r *chunkReader) room(n int64) []byte {
	select {
	case data := <-r.free:
		return data[:n]
	default:
		return make([]byte, n)
	}
}

// reuse gives a chunk's memory back. It may be called by several goroutines.
func (r *chunkReader) reuse(ch chunk) {
	if cap(ch.data) < chunkSize {
		return
	}
	select {
	case r.free <- ch.data:
	default: // there are enough
	}
}

// next gives the next chunk, which is never empty. A content of another size
// than was said is KindChanged.
func (r *chunkReader) next() (chunk, error) {
	const op = "read what is to be uploaded"
	data := r.room(min(chunkSize, r.size-r.at))
	n, err := io.ReadFull(r.r, data)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return chunk{}, fmt.Errorf("%s: %w", op, err)
	}
	ch := chunk{at: r.at, data: data[:n]}
	r.at += int64(n)
	extra := 0
	if err == nil && r.at == r.size {
		if extra, err = r.r.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
			return chunk{}, fmt.Errorf("%s: %w", op, err)
		}
	}
	if n < len(data) || extra > 0 {
		return chunk{}, &odbxfs.Error{Op: op, Item: r.path, Kind: odbxfs.KindChanged, Err: fmt.Errorf("%d bytes or more came, %d were expected", r.at+int64(extra), r.size)}
	}
	return ch, nil
}
