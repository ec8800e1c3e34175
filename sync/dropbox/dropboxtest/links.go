package dropboxtest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// link is a shared link. It belongs to an id, so it survives moves.
type link struct {
	Key       string    `json:"key"` // 21 characters of its URL
	RLKey     string    `json:"rlkey"`
	ID        string    `json:"id"`
	Owner     string    `json:"owner,omitempty"` // account id; empty: the first account's
	Folder    bool      `json:"folder,omitempty"`
	Audience  string    `json:"audience"` // public, team
	Password  string    `json:"password,omitempty"`
	Expires   time.Time `json:"expires,omitzero"`
	Downloads bool      `json:"downloads"` // allow_download
}

// secret derives n url-safe characters from the account and what they are for.
func (s *Server) secret(n int, what string) string {
	mac := hmac.New(sha256.New, []byte(s.opt.Account.ID+string(s.tree.idPrefix)))
	mac.Write([]byte(what))
	text := strings.NewReplacer("-", "a", "_", "b").Replace(base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
	return strings.ToLower(text[:n])
}

// linkURL gives the address of a link with the name that its file has now.
func (s *Server) linkURL(base string, l *link, n *node) string {
	st := s.secret(8, "st "+l.Key)
	if l.Folder {
		return fmt.Sprintf("%s/scl/fo/%s/%s?rlkey=%s&st=%s&dl=0", base, l.Key, s.secret(23, "fo "+l.Key), l.RLKey, st)
	}
	return fmt.Sprintf("%s/scl/fi/%s/%s?rlkey=%s&st=%s&dl=0", base, l.Key, url.PathEscape(n.name), l.RLKey, st)
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

// throughLink does something with what a link leads to: its file or folder, or
// what lies at rel in its folder. The link may be another account's; v is its
// owner's view. Errors are those of SharedLinkError.
func (c *call) throughLink(url, rel, password string, do func(v *view, l *link, n *node) (any, error)) (any, error) {
	c.item = url
	host := c.s.hostOf(url)
	host.mu.Lock()
	defer host.mu.Unlock()
	l, e := host.namedLink(url)
	switch {
	case e != nil && e.tags[0] == "shared_link_malformed":
		return nil, fail("shared_link_not_found")
	case e != nil:
		return nil, e
	case l.Password != "" && l.Password != password, !l.Expires.IsZero() && !host.opt.Now().Before(l.Expires),
		l.Audience == "team" && host != c.s:
		return nil, fail("shared_link_access_denied")
	}
	v := c.v
	if host != c.s {
		owner := host.member(l.Owner)
		root, ns := host.home(owner)
		v = &view{Server: host, who: owner, root: root, ns: ns}
	}
	n := host.tree.byID[l.ID]
	if rel != "" && n.folder() {
		n, _, _ = at(n, parsePath(rel).parts)
	}
	if n == nil {
		return nil, fail("shared_link_not_found")
	}
	return do(v, l, n)
}

type linkMetadataArg struct {
	URL          string `json:"url" stone:"required"`
	Path         string `json:"path"`
	LinkPassword string `json:"link_password"`
}

func linkMetadata(c *call, arg *linkMetadataArg) (any, error) {
	return c.throughLink(arg.URL, arg.Path, arg.LinkPassword, func(v *view, l *link, n *node) (any, error) {
		return c.linkedMetadata(v, l, n), nil
	})
}

// linkedMetadata describes what a link, or a path in its folder, leads to.
// Paths are told to who owns the link.
func (c *call) linkedMetadata(v *view, l *link, n *node) map[string]any {
	m := v.describeLink(v.linkBase(), l)
	if n.id != l.ID {
		maps.Copy(m, v.tagged(n))
		for _, only := range []string{"content_hash", "path_display", "is_downloadable", "sharing_info"} {
			delete(m, only) // not fields of a link's metadata
		}
	}
	if !c.v.owns(l) || v.Server != c.s {
		delete(m, "path_lower")
	}
	return m
}

// linkedFile is get_shared_link_file: the bytes behind a link.
func linkedFile(c *call, arg *linkMetadataArg) (any, error) {
	var host *view
	var r fileRev
	meta, err := c.throughLink(arg.URL, arg.Path, arg.LinkPassword, func(v *view, l *link, n *node) (any, error) {
		if n.folder() {
			return nil, fail("shared_link_is_directory")
		}
		if !l.Downloads {
			return nil, fail("shared_link_access_denied")
		}
		host, r = v, n.revision()
		return c.linkedMetadata(v, l, n), nil
	})
	if err != nil {
		return nil, err
	}
	return c.sendFile(host.Server, meta, r)
}
