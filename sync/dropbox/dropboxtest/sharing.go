package dropboxtest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// link is a shared link. It belongs to an id, so it survives moves.
type link struct {
	Key       string    `json:"key"` // 21 characters of its URL
	RLKey     string    `json:"rlkey"`
	ID        string    `json:"id"`
	Folder    bool      `json:"folder,omitempty"`
	Audience  string    `json:"audience"` // public, team
	Password  string    `json:"password,omitempty"`
	Expires   time.Time `json:"expires,omitzero"`
	Downloads bool      `json:"downloads"` // allow_download
}

type linkSettings struct {
	RequirePassword     *bool   `json:"require_password"`
	LinkPassword        *string `json:"link_password"`
	Expires             *stamp  `json:"expires"`
	Audience            *tagged `json:"audience"`
	Access              *tagged `json:"access"`
	RequestedVisibility *tagged `json:"requested_visibility"`
	AllowDownload       *bool   `json:"allow_download"`
}

// secret derives n url-safe characters from the account and what they are for.
func (s *Server) secret(n int, what string) string {
	mac := hmac.New(sha256.New, []byte(s.opt.Account.ID+string(s.tree.idPrefix)))
	mac.Write([]byte(what))
	text := strings.NewReplacer("-", "a", "_", "b").Replace(base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
	return strings.ToLower(text[:n])
}

// apply checks settings against the account's kind, then sets them.
func (s *Server) applySettings(l *link, set *linkSettings) *unionError {
	if set == nil {
		return nil
	}
	kind := s.opt.Account.Kind
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
		case a.Tag == "team" && s.opt.Behaviour.SilentTeamAudience:
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
		if !set.Expires.After(s.opt.Now()) {
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
	c.item = arg.Path
	if err := c.checkPath("path", arg.Path, readPattern); err != nil {
		return nil, err
	}
	base := c.s.linkBase()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	n, lerr := c.s.lookup(parsePath(arg.Path))
	if lerr != nil {
		return nil, lerr.under("path")
	}
	for _, l := range c.s.tree.links {
		if l.ID != n.id {
			continue
		}
		if arg.Settings != nil { // recorded: bare with settings
			return nil, fail("shared_link_already_exists")
		}
		e := fail("shared_link_already_exists", "metadata")
		e.extra = map[string]any{"metadata": c.s.describeLink(base, l)}
		return nil, e
	}
	seq := c.s.tree.nextSeq()
	l := &link{Key: c.s.secret(21, fmt.Sprint("link ", seq)), RLKey: c.s.secret(25, fmt.Sprint("rlkey ", seq)),
		ID: n.id, Folder: n.folder(), Audience: "public", Downloads: true}
	if c.s.opt.Behaviour.DefaultAudience == "team" && c.s.opt.Account.Kind == Business {
		l.Audience = "team"
	}
	if e := c.s.applySettings(l, arg.Settings); e != nil {
		return nil, e
	}
	c.s.tree.commit(record{Op: "link", Link: l})
	return c.s.describeLink(base, l), nil
}

// linkURL gives the address of a link with the name that its file has now.
func (s *Server) linkURL(base string, l *link, n *node) string {
	st := s.secret(8, "st "+l.Key)
	if l.Folder {
		return fmt.Sprintf("%s/scl/fo/%s/%s?rlkey=%s&st=%s&dl=0", base, l.Key, s.secret(23, "fo "+l.Key), l.RLKey, st)
	}
	return fmt.Sprintf("%s/scl/fi/%s/%s?rlkey=%s&st=%s&dl=0", base, l.Key, url.PathEscape(n.name), l.RLKey, st)
}

// describeLink gives SharedLinkMetadata.
func (s *Server) describeLink(base string, l *link) map[string]any {
	n := s.tree.byID[l.ID]
	visibility := map[string]string{"public": "public", "team": "team_only"}[l.Audience]
	if l.Password != "" {
		visibility = "password"
	}
	kind := s.opt.Account.Kind
	permissions := map[string]any{
		"resolved_visibility": tag(visibility), "requested_visibility": tag(visibility), "can_revoke": true,
		"effective_audience": tag(l.Audience), "link_access_level": tag("viewer"),
		"visibility_policies": s.visibilityPolicies(), "can_set_expiry": kind != Basic, "can_remove_expiry": kind != Basic,
		"allow_download": l.Downloads, "can_allow_download": true, "can_disallow_download": kind != Basic,
		"allow_comments": true, "team_restricts_comments": false, "require_password": l.Password != "",
		"can_set_password": kind != Basic, "can_remove_password": kind != Basic, "can_use_extended_sharing_controls": kind == Business,
		"audience_options": []any{
			map[string]any{"audience": tag("public"), "allowed": true},
			map[string]any{"audience": tag("team"), "allowed": kind == Business},
			map[string]any{"audience": tag("no_one"), "allowed": false}},
	}
	m := map[string]any{".tag": "folder", "url": s.linkURL(base, l, n), "id": l.ID, "name": n.name,
		"path_lower": n.lower(), "link_permissions": permissions}
	if !l.Expires.IsZero() {
		m["expires"] = formatTime(l.Expires)
	}
	if !l.Folder {
		m[".tag"], m["rev"], m["size"] = "file", n.rev, n.size
		m["client_modified"], m["server_modified"] = formatTime(n.client), formatTime(n.server)
	}
	return m
}

func (s *Server) visibilityPolicies() []any {
	list := []any{}
	for _, p := range []struct {
		tag     string
		allowed bool
	}{{"public", true}, {"team_only", s.opt.Account.Kind == Business}, {"password", s.opt.Account.Kind != Basic}} {
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

// Links have the forms of today and those of before 2023.
var linkForm = regexp.MustCompile(`\A/(?:scl/f[io]|sh?)/([^/]+)`)

// linkKey takes a link's key out of its URL, whatever the host.
func linkKey(link string) (string, bool) {
	u, err := url.Parse(link)
	if err != nil {
		return "", false
	}
	m := linkForm.FindStringSubmatch(u.Path)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// linkOf finds the link of a URL, with the right rlkey and a living file.
func (s *Server) linkOf(link string) *link {
	key, ok := linkKey(link)
	if !ok {
		return nil
	}
	l := s.tree.links[key]
	u, err := url.Parse(link)
	if err != nil || l == nil || s.tree.byID[l.ID] == nil || u.Query().Get("rlkey") != l.RLKey {
		return nil
	}
	return l
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
		n, lerr := c.s.lookup(parsePath(arg.Path))
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
		case n == nil || target == nil && key <= arg.Cursor:
			continue
		case target == nil && len(links) == linksPage:
			return map[string]any{"links": links, "has_more": true, "cursor": keys[i-1]}, nil
		case target == nil || target == n || !arg.DirectOnly && target.within(n):
			links = append(links, c.s.describeLink(base, l))
		}
	}
	return map[string]any{"links": links, "has_more": false}, nil
}

// namedLink finds the link of an argument; errors are those of SharedLinkError.
func (s *Server) namedLink(url string) (*link, *unionError) {
	if _, ok := linkKey(url); !ok {
		return nil, fail("shared_link_malformed")
	}
	l := s.linkOf(url)
	if l == nil {
		return nil, fail("shared_link_not_found")
	}
	return l, nil
}

type modifyLinkArg struct {
	URL              string        `json:"url" stone:"required"`
	Settings         *linkSettings `json:"settings" stone:"required"`
	RemoveExpiration bool          `json:"remove_expiration"`
}

func modifyLink(c *call, arg *modifyLinkArg) (any, error) {
	c.item = arg.URL
	base := c.s.linkBase()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l, e := c.s.namedLink(arg.URL)
	if e != nil {
		return nil, e
	}
	changed := *l
	if e := c.s.applySettings(&changed, arg.Settings); e != nil {
		return nil, e
	}
	if arg.RemoveExpiration {
		changed.Expires = time.Time{}
	}
	if p := arg.Settings.RequirePassword; p != nil && !*p {
		changed.Password = ""
	}
	c.s.tree.commit(record{Op: "link", Link: &changed})
	return c.s.describeLink(base, &changed), nil
}

type linkURLArg struct {
	URL string `json:"url" stone:"required"`
}

func revokeLink(c *call, arg *linkURLArg) (any, error) {
	c.item = arg.URL
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l, e := c.s.namedLink(arg.URL)
	if e != nil {
		return nil, e
	}
	c.s.tree.commit(record{Op: "unlink", ID: l.Key})
	return nil, nil
}

type linkMetadataArg struct {
	URL          string `json:"url" stone:"required"`
	Path         string `json:"path"`
	LinkPassword string `json:"link_password"`
}

func linkMetadata(c *call, arg *linkMetadataArg) (any, error) {
	c.item = arg.URL
	base := c.s.linkBase()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l, e := c.s.namedLink(arg.URL)
	switch {
	case e != nil && e.tags[0] == "shared_link_malformed":
		return nil, fail("shared_link_not_found")
	case e != nil:
		return nil, e
	case l.Password != "" && l.Password != arg.LinkPassword, !l.Expires.IsZero() && !c.s.opt.Now().Before(l.Expires):
		return nil, fail("shared_link_access_denied")
	}
	m := c.s.describeLink(base, l)
	if arg.Path != "" && l.Folder {
		n, _, _ := at(c.s.tree.byID[l.ID], parsePath(arg.Path).parts)
		if n == nil {
			return nil, fail("shared_link_not_found")
		}
		maps.Copy(m, n.tagged())
		delete(m, "content_hash")
	}
	return m, nil
}
