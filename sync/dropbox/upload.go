package dropbox

import (
	"bytes"
	"context"
	"fmt"
	"time"

	sdk "github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/contenthash"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"
	"golang.org/x/sync/errgroup"

	"odbxfs"
)

// largeFile is the size from which a file gets an upload session of its own;
// smaller ones share their requests.
const largeFile = 8 << 20

// parallelGroups is how many groups of small files are on their way at a time:
// while one is committed, the next is sent. Each has up to groupBytes in memory.
const parallelGroups = 2

// upload sends all files: the small ones in groups, the large ones one by one.
func (c *Client) upload(ctx context.Context, ops []odbxfs.DropboxOp) []odbxfs.DropboxResult {
	results := make([]odbxfs.DropboxResult, len(ops))
	var small []int
	for i, o := range ops {
		if o.Size < largeFile {
			small = append(small, i)
		}
	}
	var groups errgroup.Group
	groups.SetLimit(parallelGroups)
	for len(small) > 0 && ctx.Err() == nil {
		n := c.groups.take(ops, small)
		which := small[:n]
		small = small[n:]
		groups.Go(func() error {
			c.uploadSmall(ctx, ops, which, results)
			return nil
		})
	}
	_ = groups.Wait() // results have the errors
	for i, o := range ops {
		if o.Size >= largeFile {
			results[i] = c.uploadLarge(ctx, o)
		}
	}
	return results
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

// uploadOne sends a small file that has no company.
func (c *Client) uploadOne(ctx context.Context, p *payload) odbxfs.DropboxResult {
	arg := &files.UploadArg{CommitInfo: *commitInfo(p.op), ContentHash: string(p.hash)}
	var m *files.FileMetadata
	err := c.transfer(ctx, func() (err error) {
		m, err = c.files.UploadContext(ctx, arg, bytes.NewReader(p.data))
		return err
	})
	if err != nil {
		return failed(wrap("upload", p.op.Path, err))
	}
	return confirmed(m, p.op.Path, p.hash)
}

// transfer does one request that carries data, when there is room for it, and
// again after the wait when Dropbox asks for one.
func (c *Client) transfer(ctx context.Context, do func() error) error {
	return c.patiently(ctx, func() error { return c.http.lim.transfer(ctx, do) })
}

// confirmed takes an upload for done only if Dropbox has these very bytes.
func confirmed(m *files.FileMetadata, path string, want odbxfs.ContentHash) odbxfs.DropboxResult {
	n := nodeOf(m)
	if n == nil {
		return failed(oddAnswer("upload"))
	}
	if n.ContentHash != want {
		return failed(&odbxfs.Error{Op: "upload", Item: path, Kind: odbxfs.KindCorrupt, Err: fmt.Errorf("content_hash is %s, of what was sent %s", n.ContentHash, want)})
	}
	return done(n)
}

// hashOf is Dropbox's content_hash of data.
func hashOf(data []byte) string {
	h := contenthash.New()
	_, _ = h.Write(data) // a hash never fails to write
	return fmt.Sprintf("%x", h.Sum(nil))
}
