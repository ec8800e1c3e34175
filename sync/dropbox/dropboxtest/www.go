package dropboxtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// www answers what Dropbox has on its web hosts: shared links, temporary
// links, and pages that need a login.
func (s *Server) www(c *call) {
	c.item = c.r.URL.Path
	p := c.r.URL.Path
	switch {
	case strings.HasPrefix(p, "/apitul/1/"):
		c.route = "apitul/1"
		s.takeUpload(c)
	case c.r.Method != http.MethodGet && c.r.Method != http.MethodHead:
		c.html(http.StatusMethodNotAllowed, "Method not allowed", "")
	case strings.HasPrefix(p, "/scl/fi/"):
		c.route = "scl/fi"
		s.openFileLink(c)
	case strings.HasPrefix(p, "/scl/fo/"):
		c.route = "scl/fo"
		s.openFolderLink(c)
	case strings.HasPrefix(p, "/apitl/1/"), strings.HasPrefix(p, "/cd/0/get/"), strings.HasPrefix(p, "/cd/0/inline/"):
		c.route = p[1 : 1+strings.LastIndexByte(p[1:], '/')]
		s.openTemporary(c)
	case p == "/home" || strings.HasPrefix(p, "/home/"):
		c.route = "home"
		c.toLogin()
	case p == "/login":
		c.route = "login"
		c.html(http.StatusOK, "Login - Dropbox", `<form method="post"><input name="login_email"><input name="login_password" type="password"></form>`)
	default:
		c.html(http.StatusNotFound, "Dropbox - 404", "<p>We can't find the page you're looking for.</p>")
	}
}

func (c *call) html(status int, title, body string) {
	c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.write(status, fmt.Appendf(nil, "<!DOCTYPE html><html><head><title>%s</title></head><body>%s</body></html>", title, body))
}

func (c *call) toLogin() {
	c.w.Header().Set("Location", "/login?cont="+url.QueryEscape(c.r.URL.RequestURI()))
	c.html(http.StatusFound, "Login - Dropbox", "")
}

// openedLink finds the link of the request, or answers why it does not open.
// Nothing is written under the lock: a reader may be slow.
func (s *Server) openedLink(c *call) (*link, *node) {
	s.mu.Lock()
	l := s.linkOf(c.r.URL.String())
	var n node
	if l != nil {
		n = *s.tree.byID[l.ID]
	}
	s.mu.Unlock()
	switch {
	case l == nil, !l.Expires.IsZero() && !s.opt.Now().Before(l.Expires):
		c.html(http.StatusNotFound, "Dropbox - Link not found", "<p>This item was deleted, or its link has expired.</p>")
	case l.Audience == "team":
		c.toLogin()
	case l.Password != "":
		c.html(http.StatusOK, "Dropbox - Password required", `<form><input type="password" name="password"></form>`)
	default:
		return l, &n
	}
	return nil, nil
}

func (s *Server) openFileLink(c *call) {
	l, n := s.openedLink(c)
	if l == nil {
		return
	}
	q := c.r.URL.Query()
	if (q.Get("dl") != "1" && q.Get("raw") != "1") || !l.Downloads {
		c.html(http.StatusOK, "Dropbox - "+html.EscapeString(n.name), `<div id="embedded-app">`+html.EscapeString(n.name)+"</div>")
		return
	}
	way := "get"
	if q.Get("raw") == "1" {
		way = "inline"
	}
	// Dropbox sends the browser on to a host for contents, for some minutes.
	s.mu.Lock()
	token := s.temporaryToken(n.rev, s.opt.Now().Add(10*time.Minute))
	s.mu.Unlock()
	c.w.Header().Set("Location", "/cd/0/"+way+"/"+token)
	c.write(http.StatusFound, nil)
}

func (s *Server) openFolderLink(c *call) {
	l, n := s.openedLink(c)
	if l == nil {
		return
	}
	s.mu.Lock()
	var b strings.Builder
	for _, child := range n.sorted() {
		fmt.Fprintf(&b, "<li>%s</li>", html.EscapeString(child.name))
	}
	s.mu.Unlock()
	c.html(http.StatusOK, "Dropbox - "+html.EscapeString(n.name), "<ul>"+b.String()+"</ul>")
}

// ticket is what a temporary link's characters hold; the signature makes it
// impossible to write one.
type ticket struct {
	Rev  string `json:"r"`
	Ends int64  `json:"e"` // seconds since 1970
}

// temporaryToken is called under the lock, for the account's secret.
func (s *Server) temporaryToken(rev string, ends time.Time) string {
	b, err := json.Marshal(ticket{rev, ends.Unix()})
	if err != nil {
		panic(err) // a struct of a string and a number can't fail
	}
	text := base64.RawURLEncoding.EncodeToString(b)
	return text + "." + s.secret(30, text)
}

func (s *Server) openTemporary(c *call) {
	text, sign, _ := strings.Cut(path.Base(c.r.URL.Path), ".")
	var t ticket
	b, err := base64.RawURLEncoding.DecodeString(text)
	s.mu.Lock()
	good := err == nil && json.Unmarshal(b, &t) == nil && sign == s.secret(30, text)
	r, have := s.tree.revs[t.Rev]
	s.mu.Unlock()
	switch {
	case !good || !have:
		c.html(http.StatusNotFound, "Dropbox - 404", "")
		return
	case s.opt.Now().Unix() >= t.Ends:
		c.html(http.StatusGone, "Dropbox - 410", "")
		return
	}
	h := c.w.Header()
	kind := mime.TypeByExtension(path.Ext(r.name))
	if kind == "" || c.route == "cd/0/get" {
		kind = "application/binary"
	}
	h.Set("Content-Type", kind)
	disposition := "attachment"
	if c.route == "cd/0/inline" {
		disposition = "inline"
	}
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": r.name}))
	h.Set("ETag", `W/"`+r.rev+`"`)
	body, err := s.store.open(r.hash)
	if err == nil {
		_, err = c.serveContent(body)
	}
	if err != nil {
		c.note = err.Error()
	}
}
