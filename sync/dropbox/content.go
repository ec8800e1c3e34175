package dropbox

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"

	"odbxfs"
)

// Content opens a file's bytes from offset on: length of them, or all to the
// end when length is negative. With a rev it is that revision's, else the
// newest. The caller verifies and closes.
func (c *Client) Content(ctx context.Context, id odbxfs.DropboxID, rev odbxfs.Rev, offset, length int64) (io.ReadCloser, error) {
	if length == 0 {
		return http.NoBody, nil
	}
	arg := files.NewDownloadArg(string(id))
	if rev != "" {
		arg.Path = "rev:" + string(rev)
	}
	switch {
	case length > 0:
		arg.ExtraHeaders = map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)}
	case offset > 0:
		arg.ExtraHeaders = map[string]string{"Range": fmt.Sprintf("bytes=%d-", offset)}
	}
	_, body, err := c.files.DownloadContext(ctx, arg)
	if err != nil {
		return nil, wrap("download", arg.Path, err)
	}
	return body, nil
}
