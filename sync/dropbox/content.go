package dropbox

import (
	"context"
	"fmt"
	"hash"
	"io"
	"net/http"

	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/contenthash"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"

	"odbxfs"
)

// downloadTries is how often in a row a download that broke off without a byte
// is gone on with.
const downloadTries = 3

// Content opens a file's bytes from offset on: length of them, or all to the
// end when length is negative. With a rev it is that revision's, else the
// newest. A connection that breaks is made anew from where it was. Bytes that
// are fewer than they should be, or in whole another content than Dropbox's
// own hash says, end with KindCorrupt instead of io.EOF. The caller closes.
func (c *Client) Content(ctx context.Context, id odbxfs.DropboxID, rev odbxfs.Rev, offset, length int64) (io.ReadCloser, error) {
	if length == 0 {
		return http.NoBody, nil
	}
	d := &download{c: c, ctx: ctx, path: string(id), at: offset, end: -1}
	if rev != "" {
		d.path = "rev:" + string(rev)
	}
	if length > 0 {
		d.end = offset + length
	}
	if offset == 0 && length < 0 {
		d.hash = contenthash.New()
	}
	if err := d.open(); err != nil {
		return nil, err
	}
	return d, nil
}

// download is one file's bytes on their way. It belongs to one goroutine.
type download struct {
	c    *Client
	ctx  context.Context //nolint:containedctx // a reader has no other way to its request's end
	path string
	at   int64     // of the next byte
	end  int64     // where to stop; -1: not known yet
	hash hash.Hash // of all bytes; nil: only a part is read
	want string    // Dropbox's own hash of the whole
	body io.ReadCloser
	lost int // broken connections in a row
}

// open asks for what is still to come.
func (d *download) open() error {
	arg := files.NewDownloadArg(d.path)
	switch {
	case d.end >= 0:
		arg.ExtraHeaders = map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", d.at, d.end-1)}
	case d.at > 0:
		arg.ExtraHeaders = map[string]string{"Range": fmt.Sprintf("bytes=%d-", d.at)}
	}
	var m *files.FileMetadata
	var body io.ReadCloser
	err := d.c.transfer(d.ctx, func() (err error) {
		m, body, err = d.c.files.DownloadContext(d.ctx, arg)
		return err
	})
	if err != nil {
		return wrap("download", d.path, err)
	}
	d.body = body
	size := int64(m.Size)
	if d.end < 0 || d.end > size {
		d.end = size
	}
	// What comes after a break must be the same file's.
	d.path, d.want = "rev:"+m.Rev, m.ContentHash
	return nil
}

// Read implements io.Reader.
func (d *download) Read(p []byte) (int, error) {
	for {
		if d.at >= d.end {
			return 0, d.verify()
		}
		n, err := d.body.Read(p[:min(int64(len(p)), d.end-d.at)])
		if d.hash != nil {
			_, _ = d.hash.Write(p[:n]) // a hash never fails to write
		}
		d.at += int64(n)
		if n > 0 {
			d.lost = 0
			return n, nil // an error comes again
		}
		if err == nil {
			return 0, nil
		}
		if err := d.again(err); err != nil {
			return 0, err
		}
	}
}

// verify gives io.EOF for a content that is what it should be.
func (d *download) verify() error {
	if d.hash == nil || d.want == "" {
		return io.EOF
	}
	if got := fmt.Sprintf("%x", d.hash.Sum(nil)); got != d.want {
		return d.failed(odbxfs.KindCorrupt, fmt.Errorf("content_hash is %s, Dropbox says %s", got, d.want))
	}
	return io.EOF
}

// again opens a download that broke off anew, at the next byte.
func (d *download) again(err error) error {
	if ctxErr := d.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	if d.lost++; d.lost > downloadTries {
		return d.failed(odbxfs.KindUnavailable, err)
	}
	if err := d.body.Close(); err != nil && d.ctx.Err() != nil {
		return err
	}
	d.body = http.NoBody // should opening fail
	return d.open()
}

func (d *download) failed(kind odbxfs.ErrorKind, err error) error {
	return &odbxfs.Error{Op: "download", Item: d.path, Kind: kind, Err: err}
}

// Close implements io.Closer.
func (d *download) Close() error { return d.body.Close() }
