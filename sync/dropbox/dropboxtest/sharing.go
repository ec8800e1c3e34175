package dropboxtest

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

type linkSettings struct {
	RequirePassword     *bool   `json:"require_password"`
	LinkPassword        *string `json:"link_password"`
	Expires             *stamp  `json:"expires"`
	Audience            *tagged `json:"audience"`
	Access              *tagged `json:"access"`
	RequestedVisibility *tagged `json:"requested_visibility"`
	AllowDownload       *bool   `json:"allow_download"`
}

// apply checks settings against the account's kind, then sets them.
func (v *view) applySettings(l *link, set *linkSettings) *unionError {
	if set == nil {
		return nil
	}
	kind := v.who.Kind
	if v := set.RequestedVisibility; v != nil && set.Audience == nil {
		set.Audience = map[string]*tagged{"public": {Tag: "public"}, "team_only": {Tag: "team"}, "password": {Tag: "password"}}[v.Tag]
	}
	password := set.LinkPassword != nil && *set.LinkPassword != ""
	if kind == Basic && (set.Expires != nil || password || set.AllowDownload != nil && !*set.AllowDownload) {
		return fail("settings_error", "not_authorized")
	}
	if set.RequirePassword != nil && *set.RequirePassword && !password {
		return fail("settings_error", "invalid_settings")
	}
	if a := set.Audience; a != nil {
		switch {
		case a.Tag == "public" || a.Tag == "password" && password:
			l.Audience = "public"
		case a.Tag == "team" && kind == Business:
			l.Audience = "team"
		case a.Tag == "team" && v.opt.Behaviour.SilentTeamAudience:
			l.Audience = "public"
		case a.Tag == "team" || a.Tag == "no_one":
			return fail("settings_error", "not_authorized")
		default:
			return fail("settings_error", "invalid_settings")
		}
	}
	if password {
		l.Password = *set.LinkPassword
	}
	if set.Expires != nil {
		if !set.Expires.After(v.opt.Now()) {
			return fail("settings_error", "invalid_settings")
		}
		l.Expires = set.Expires.Time
	}
	if set.AllowDownload != nil {
		l.Downloads = *set.AllowDownload
	}
	return nil
}

type createLinkArg struct {
	Path     string        `json:"path" stone:"required"`
	Settings *linkSettings `json:"settings"`
}

func createLink(c *call, arg *createLinkArg) (any, error) {
	return c.reading(arg.Path, func(spec pathSpec) (any, error) {
		n, lerr := c.v.lookup(spec)
		if lerr != nil {
			return nil, lerr.under("path")
		}
		return c.v.createLink(n, arg.Settings)
	})
}

// createLink makes the caller's link to n, of which there is only one.
func (v *view) createLink(n *node, settings *linkSettings) (any, error) {
	base := v.linkBase()
	for _, l := range v.tree.links {
		if l.ID != n.id || !v.owns(l) {
			continue
		}
		if settings != nil { // recorded: bare with settings
			return nil, fail("shared_link_already_exists")
		}
		e := fail("shared_link_already_exists", "metadata")
		e.extra = map[string]any{"metadata": v.describeLink(base, l)}
		return nil, e
	}
	seq := v.tree.nextSeq()
	l := &link{Key: v.secret(21, fmt.Sprint("link ", seq)), RLKey: v.secret(25, fmt.Sprint("rlkey ", seq)),
		ID: n.id, Owner: v.who.ID, Folder: n.folder(), Audience: "public", Downloads: true}
	if v.opt.Behaviour.DefaultAudience == "team" && v.who.Kind == Business {
		l.Audience = "team"
	}
	if e := v.applySettings(l, settings); e != nil {
		return nil, e
	}
	v.tree.commit(record{Op: "link", Link: l})
	return v.describeLink(base, l), nil
}

// describeLink gives SharedLinkMetadata.
func (v *view) describeLink(base string, l *link) map[string]any {
	n := v.tree.byID[l.ID]
	visibility := map[string]string{"public": "public", "team": "team_only"}[l.Audience]
	if l.Password != "" {
		visibility = "password"
	}
	kind := v.who.Kind
	permissions := map[string]any{
		"resolved_visibility": tag(visibility), "requested_visibility": tag(visibility), "can_revoke": true,
		"effective_audience": tag(l.Audience), "link_access_level": tag("viewer"),
		"visibility_policies": v.visibilityPolicies(), "can_set_expiry": kind != Basic, "can_remove_expiry": kind != Basic,
		"allow_download": l.Downloads, "can_allow_download": true, "can_disallow_download": kind != Basic,
		"allow_comments": true, "team_restricts_comments": false, "require_password": l.Password != "",
		"can_set_password": kind != Basic, "can_remove_password": kind != Basic, "can_use_extended_sharing_controls": kind == Business,
		"audience_options": []any{
			map[string]any{"audience": tag("public"), "allowed": true},
			map[string]any{"audience": tag("team"), "allowed": kind == Business},
			map[string]any{"audience": tag("no_one"), "allowed": false}},
	}
	m := map[string]any{".tag": "folder", "url": v.linkURL(base, l, n), "id": l.ID, "name": n.name,
		"path_lower": fold(v.display(n.display())), "link_permissions": permissions}
	if !l.Expires.IsZero() {
		m["expires"] = formatTime(l.Expires)
	}
	if !l.Folder {
		m[".tag"], m["rev"], m["size"] = "file", n.rev, n.size
		m["client_modified"], m["server_modified"] = formatTime(n.client), formatTime(n.server)
	}
	return m
}

func (v *view) visibilityPolicies() []any {
	list := []any{}
	for _, p := range []struct {
		tag     string
		allowed bool
	}{{"public", true}, {"team_only", v.who.Kind == Business}, {"password", v.who.Kind != Basic}} {
		m := map[string]any{"policy": tag(p.tag), "resolved_policy": tag(p.tag), "allowed": p.allowed}
		if !p.allowed {
			m["disallowed_reason"] = tag("user_account_type")
			if p.tag == "team_only" {
				m["disallowed_reason"] = tag("user_not_on_team")
			}
		}
		list = append(list, m)
	}
	return list
}

type listLinksArg struct {
	Path       string `json:"path"`
	Cursor     string `json:"cursor"`
	DirectOnly bool   `json:"direct_only"`
}

// linksPage is how many links one answer has.
const linksPage = 100

// listLinks lists all links, or those by which a path can be opened: its own
// and, unless direct_only, those of the folders above.
func listLinks(c *call, arg *listLinksArg) (any, error) {
	c.item = arg.Path
	base := c.s.linkBase()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	keys := slices.Sorted(maps.Keys(c.s.tree.links))
	var target *node
	if arg.Path != "" {
		n, lerr := c.v.lookup(parsePath(arg.Path))
		if lerr != nil {
			return nil, lerr.under("path")
		}
		target = n
	}
	links := []any{}
	for i, key := range keys {
		l := c.s.tree.links[key]
		n := c.s.tree.byID[l.ID]
		switch {
		case n == nil || !c.v.owns(l) || !n.within(c.v.root) || target == nil && key <= arg.Cursor:
			continue
		case target == nil && len(links) == linksPage:
			return map[string]any{"links": links, "has_more": true, "cursor": keys[i-1]}, nil
		case target == nil || target == n || !arg.DirectOnly && target.within(n):
			links = append(links, c.v.describeLink(base, l))
		}
	}
	return map[string]any{"links": links, "has_more": false}, nil
}

// owns reports whether a link is the caller's own.
func (v *view) owns(l *link) bool {
	return l.Owner == v.who.ID || l.Owner == "" && v.who == v.members[0]
}

// ownLink is namedLink for who wants to change it.
func (v *view) ownLink(url string) (*link, *unionError) {
	l, e := v.namedLink(url)
	if e == nil && !v.owns(l) {
		return nil, fail("shared_link_access_denied")
	}
	return l, e
}

type modifyLinkArg struct {
	URL              string        `json:"url" stone:"required"`
	Settings         *linkSettings `json:"settings" stone:"required"`
	RemoveExpiration bool          `json:"remove_expiration"`
}

func modifyLink(c *call, arg *modifyLinkArg) (any, error) {
	c.item = arg.URL
	if c.s.hostOf(arg.URL) != c.s {
		return nil, fail("shared_link_access_denied")
	}
	base := c.s.linkBase()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l, e := c.v.ownLink(arg.URL)
	if e != nil {
		return nil, e
	}
	changed := *l
	if e := c.v.applySettings(&changed, arg.Settings); e != nil {
		return nil, e
	}
	if arg.RemoveExpiration {
		changed.Expires = time.Time{}
	}
	if p := arg.Settings.RequirePassword; p != nil && !*p {
		changed.Password = ""
	}
	c.s.tree.commit(record{Op: "link", Link: &changed})
	return c.v.describeLink(base, &changed), nil
}

type linkURLArg struct {
	URL string `json:"url" stone:"required"`
}

func revokeLink(c *call, arg *linkURLArg) (any, error) {
	c.item = arg.URL
	if c.s.hostOf(arg.URL) != c.s {
		return nil, fail("shared_link_access_denied")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l, e := c.v.ownLink(arg.URL)
	if e != nil {
		return nil, e
	}
	c.s.tree.commit(record{Op: "unlink", ID: l.Key})
	return nil, nil
}
