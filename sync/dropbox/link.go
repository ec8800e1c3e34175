package dropbox

import (
	"context"
	"errors"
	"net/url"
	"strings"

	sdk "github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/sharing"

	"odbxfs"
)

// Link gives the url for a file or folder under the client's policy: an
// existing shared link or a new one, or, under LinkNone, the page of Dropbox
// that asks for a login. Repeated calls give the same url.
func (c *Client) Link(ctx context.Context, id odbxfs.DropboxID, policy odbxfs.LinkPolicy) (string, error) {
	const op = "make a link"
	if policy == odbxfs.LinkNone {
		n, err := c.metadata(ctx, string(id))
		if err != nil {
			return "", err
		}
		if n == nil {
			return "", &odbxfs.Error{Op: op, Item: string(id), Kind: odbxfs.KindMissing}
		}
		return c.HomeURL(n.Path), nil
	}
	settings := sharing.NewSharedLinkSettings()
	switch policy {
	case odbxfs.LinkPublic:
		settings.Audience = &sharing.LinkAudience{Tagged: sdk.Tagged{Tag: sharing.LinkAudiencePublic}}
	case odbxfs.LinkTeamOnly:
		settings.Audience = &sharing.LinkAudience{Tagged: sdk.Tagged{Tag: sharing.LinkAudienceTeam}}
	default:
		return "", &odbxfs.Error{Op: op, Item: string(id), Kind: odbxfs.KindInvalid, Err: errors.New("the cloud client has no link policy; choose public, team_only or none")}
	}
	settings.AllowDownload = true
	arg := sharing.NewCreateSharedLinkWithSettingsArg(string(id))
	arg.Settings = settings
	m, err := c.sharing.CreateSharedLinkWithSettingsContext(ctx, arg)
	if u := urlOf(m); err == nil && u != "" {
		return u, nil
	}
	if err == nil {
		return "", oddAnswer(op)
	}
	if !tagged(err, "shared_link_already_exists") {
		return "", wrap(op, string(id), err)
	}
	return c.existingLink(ctx, id)
}

// existingLink finds the link of the item itself: list_shared_links gives
// those of its parent folders too unless told not to.
func (c *Client) existingLink(ctx context.Context, id odbxfs.DropboxID) (string, error) {
	arg := sharing.NewListSharedLinksArg()
	arg.Path, arg.DirectOnly = string(id), true
	res, err := c.sharing.ListSharedLinksContext(ctx, arg)
	if err != nil {
		return "", wrap("find a link", string(id), err)
	}
	for _, m := range res.Links {
		if u := urlOf(m); u != "" {
			return u, nil
		}
	}
	return "", &odbxfs.Error{Op: "find a link", Item: string(id), Kind: odbxfs.KindUnavailable, Err: errors.New("Dropbox says that there is one and lists none")}
}

func urlOf(m sharing.IsSharedLinkMetadata) string {
	switch m := m.(type) {
	case *sharing.FileLinkMetadata:
		if m != nil {
			return m.Url
		}
	case *sharing.FolderLinkMetadata:
		if m != nil {
			return m.Url
		}
	case *sharing.SharedLinkMetadata:
		if m != nil {
			return m.Url
		}
	}
	return ""
}

// Unlink revokes a shared link of ours. One that is gone already is no error.
func (c *Client) Unlink(ctx context.Context, link string) error {
	err := c.sharing.RevokeSharedLinkContext(ctx, sharing.NewRevokeSharedLinkArg(link))
	if err == nil {
		return nil
	}
	if err = wrap("revoke a link", "", err); odbxfs.IsKind(err, odbxfs.KindMissing) {
		return nil
	}
	return err
}

// HomeURL is the page of a path in Dropbox's web client, each segment
// percent-encoded. It needs a login.
func (c *Client) HomeURL(path string) string {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i := range segments {
		segments[i] = url.PathEscape(segments[i])
	}
	return c.cfg.WWW + "/home/" + strings.Join(segments, "/")
}
