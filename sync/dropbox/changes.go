package dropbox

import (
	"context"
	"strings"
	"time"

	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"

	"odbxfs"
)

const (
	// pageLimit is the most that list_folder takes as limit.
	pageLimit = 2000
	// pollSeconds is the longest that list_folder/longpoll takes as timeout;
	// the server adds up to 90 s.
	pollSeconds = 480
)

// Changes gives the next page of what changed below root since the cursor. An
// empty cursor lists everything; KindMissing says that there is no such root.
// KindReset says that the cursor is no longer valid.
func (c *Client) Changes(ctx context.Context, root, cursor string) (odbxfs.DropboxPage, error) {
	if cursor != "" {
		res, err := c.files.ListFolderContinueContext(ctx, files.NewListFolderContinueArg(cursor))
		if err != nil {
			return odbxfs.DropboxPage{}, resetOf(wrap("read Dropbox's changes", root, err))
		}
		return page(res), nil
	}
	arg := files.NewListFolderArg(root)
	arg.Recursive, arg.Limit = true, pageLimit
	res, err := c.files.ListFolderContext(ctx, arg)
	if err != nil {
		return odbxfs.DropboxPage{}, wrap("list Dropbox's folder", root, err)
	}
	return page(res), nil
}

// resetOf takes every error union of list_folder/continue for a reset: the
// path of the cursor is gone or its root changed.
func resetOf(err error) error {
	var e *odbxfs.Error
	if e = asError(err); e != nil && (e.Kind == odbxfs.KindMissing || e.Kind == odbxfs.KindChanged) {
		e.Kind = odbxfs.KindReset
	}
	return err
}

func page(res *files.ListFolderResult) odbxfs.DropboxPage {
	p := odbxfs.DropboxPage{Cursor: res.Cursor, More: res.HasMore}
	for _, entry := range res.Entries {
		switch m := entry.(type) {
		case *files.DeletedMetadata:
			p.Changes = append(p.Changes, odbxfs.DropboxChange{Deleted: true, Path: m.PathDisplay})
		case *files.FileMetadata, *files.FolderMetadata:
			if n := nodeOf(m); n != nil {
				p.Changes = append(p.Changes, odbxfs.DropboxChange{Path: n.Path, Node: *n})
			}
		}
		// An entry of a kind that the SDK does not know decodes to nil: not
		// ours to mirror.
	}
	return p
}

// nodeOf reads a file's or folder's metadata; nil for anything else.
func nodeOf(m files.IsMetadata) *odbxfs.DropboxNode {
	switch m := m.(type) {
	case *files.FileMetadata:
		if m == nil {
			return nil
		}
		return &odbxfs.DropboxNode{
			ID: odbxfs.DropboxID(m.Id), Kind: odbxfs.File, Name: m.Name, Path: m.PathDisplay,
			Rev: odbxfs.Rev(m.Rev), ContentHash: odbxfs.ContentHash(m.ContentHash), Size: int64(m.Size),
			Modified: time.Time(m.ClientModified).UTC(), CloudOnly: !m.IsDownloadable && m.ExportInfo != nil,
		}
	case *files.FolderMetadata:
		if m == nil {
			return nil
		}
		return &odbxfs.DropboxNode{ID: odbxfs.DropboxID(m.Id), Kind: odbxfs.Folder, Name: m.Name, Path: m.PathDisplay}
	}
	return nil
}

// Wait returns true when something may have changed since the cursor, and
// false after some minutes without. It obeys the server's back-off.
func (c *Client) Wait(ctx context.Context, cursor string) (bool, error) {
	arg := files.NewListFolderLongpollArg(cursor)
	arg.Timeout = pollSeconds
	res, err := c.files.ListFolderLongpollContext(ctx, arg)
	if err != nil {
		return false, resetOf(wrap("wait for Dropbox's changes", "", err))
	}
	if res.Backoff > 0 {
		if err := c.cfg.Sleep(ctx, time.Duration(res.Backoff)*time.Second); err != nil {
			return res.Changes, err
		}
	}
	return res.Changes, nil
}

// metadata asks for one file or folder by path or id; nil when there is none.
func (c *Client) metadata(ctx context.Context, what string) (*odbxfs.DropboxNode, error) {
	m, err := c.files.GetMetadataContext(ctx, files.NewGetMetadataArg(what))
	if err != nil {
		if err = wrap("look up in Dropbox", what, err); odbxfs.IsKind(err, odbxfs.KindMissing) {
			return nil, nil
		}
		return nil, err
	}
	return nodeOf(m), nil
}

// parentOf gives the path of the folder that path lies in; "" is the root.
func parentOf(path string) string { return path[:max(strings.LastIndexByte(path, '/'), 0)] }
