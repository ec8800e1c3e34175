package dropbox

import (
	"context"
	"net/url"
	"time"

	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/sharing"
)

// SharedLink is what Dropbox knows of one link.
type SharedLink struct {
	URL string
	// Visibility is Dropbox's word for who can open it: public, team_only,
	// password, ...; a team's policy may have made it another than was asked for.
	Visibility string
	Expires    time.Time // zero: never
}

// SharedLinks gives every link of the account, by [LinkKey].
func (c *Client) SharedLinks(ctx context.Context) (map[string]SharedLink, error) {
	all := map[string]SharedLink{}
	arg := sharing.NewListSharedLinksArg()
	for {
		var res *sharing.ListSharedLinksResult
		err := c.patiently(ctx, func() (err error) {
			res, err = c.sharing.ListSharedLinksContext(ctx, arg)
			return err
		})
		if err != nil {
			return nil, wrap("list the shared links", "", err)
		}
		for _, m := range res.Links {
			if l := sharedLink(m); l.URL != "" {
				all[LinkKey(l.URL)] = l
			}
		}
		if !res.HasMore || res.Cursor == "" || res.Cursor == arg.Cursor {
			return all, nil
		}
		arg.Cursor = res.Cursor
	}
}

// LinkKey is what two addresses of one link have in common: Dropbox gives some
// of the parameters anew with each answer.
func LinkKey(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return link
	}
	return u.Path + "?" + u.Query().Get("rlkey")
}

func sharedLink(m sharing.IsSharedLinkMetadata) SharedLink {
	l := SharedLink{URL: urlOf(m)}
	if l.URL == "" {
		return l
	}
	var base sharing.SharedLinkMetadata
	switch m := m.(type) {
	case *sharing.FileLinkMetadata:
		base = m.SharedLinkMetadata
	case *sharing.FolderLinkMetadata:
		base = m.SharedLinkMetadata
	case *sharing.SharedLinkMetadata:
		base = *m
	}
	if base.Expires != nil {
		l.Expires = time.Time(*base.Expires).UTC()
	}
	// Either of the two may be there: resolved_visibility or effective_audience.
	if p := base.LinkPermissions; p != nil && p.ResolvedVisibility != nil {
		l.Visibility = p.ResolvedVisibility.Tag
	} else if p != nil && p.EffectiveAudience != nil {
		l.Visibility = p.EffectiveAudience.Tag
	}
	return l
}
