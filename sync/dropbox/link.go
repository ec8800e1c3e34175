package dropbox

import (
	"context"
	"errors"

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
	settings, err := settingsOf(policy)
	if err != nil {
		return "", &odbxfs.Error{Op: op, Item: string(id), Kind: odbxfs.KindInvalid, Err: err}
	}
	arg := sharing.NewCreateSharedLinkWithSettingsArg(string(id))
	arg.Settings = settings
	m, err := c.sharing.CreateSharedLinkWithSettingsContext(ctx, arg)
	there := tagged(err, "shared_link_already_exists")
	if there {
		m, err = c.existingLink(ctx, id, policy)
	}
	if err != nil {
		return "", wrap(op, string(id), err)
	}
	l := sharedLink(m)
	switch {
	case l.URL == "":
		return "", oddAnswer(op)
	case policy == odbxfs.LinkTeamOnly && l.Visibility == publicLink:
		refused := &odbxfs.Error{Op: op, Item: string(id), Kind: odbxfs.KindUnsupported,
			Err: errors.New("this account's links open for everybody; choose the link policy public or none")}
		if there {
			return "", refused
		}
		return "", errors.Join(refused, c.Unlink(ctx, l.URL))
	}
	return l.URL, nil
}

// publicLink is Dropbox's word for a link that opens for everybody.
const publicLink = sharing.ResolvedVisibilityPublic

// settingsOf gives what a policy asks of a shared link.
func settingsOf(policy odbxfs.LinkPolicy) (*sharing.SharedLinkSettings, error) {
	settings := sharing.NewSharedLinkSettings()
	settings.AllowDownload = true
	switch policy {
	case odbxfs.LinkPublic:
		settings.Audience = &sharing.LinkAudience{Tagged: sdk.Tagged{Tag: sharing.LinkAudiencePublic}}
	case odbxfs.LinkTeamOnly:
		settings.Audience = &sharing.LinkAudience{Tagged: sdk.Tagged{Tag: sharing.LinkAudienceTeam}}
	default:
		return nil, errors.New("the cloud client has no link policy; choose public, team_only or none")
	}
	return settings, nil
}

// existingLink finds the link of the item itself (list_shared_links gives those of
// its parent folders too unless told not to), with the audience of the policy: it
// may be of another policy, or a person's.
func (c *Client) existingLink(ctx context.Context, id odbxfs.DropboxID, policy odbxfs.LinkPolicy) (sharing.IsSharedLinkMetadata, error) {
	arg := sharing.NewListSharedLinksArg()
	arg.Path, arg.DirectOnly = string(id), true
	res, err := c.sharing.ListSharedLinksContext(ctx, arg)
	if err != nil {
		return nil, err
	}
	for _, m := range res.Links {
		l := sharedLink(m)
		if l.URL == "" {
			continue
		}
		if (l.Visibility == publicLink) == (policy == odbxfs.LinkPublic) {
			return m, nil
		}
		settings, err := settingsOf(policy)
		if err != nil {
			return nil, err
		}
		return c.sharing.ModifySharedLinkSettingsContext(ctx, sharing.NewModifySharedLinkSettingsArgs(l.URL, settings))
	}
	return nil, &odbxfs.Error{Op: "find a link", Item: string(id), Kind: odbxfs.KindUnavailable, Err: errors.New("Dropbox says that there is one and lists none")}
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

// HomeURL is the page of a path in Dropbox's web client. It needs a login. Where
// paths begin at a member's folder in a team's space, the site has them below
// that folder, which is known once Account was asked.
func (c *Client) HomeURL(path string) string {
	home := ""
	if known := c.home.Load(); known != nil {
		home = *known
	}
	return odbxfs.HomeURL(c.cfg.WWW, home+path)
}
