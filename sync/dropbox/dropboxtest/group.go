package dropboxtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path"
	"strings"
)

// Group is several accounts that have nothing to do with each other behind one
// address, as Dropbox is. A request goes to the account whose token, code,
// cursor or link it carries. Its methods may be called concurrently.
type Group struct {
	front   front
	members []*Server
}

// NewGroup puts servers that were not started behind one address. They must
// differ in Account.ID and Account.NamespaceID. The group closes them.
func NewGroup(servers ...*Server) *Group {
	for i, s := range servers {
		for j, other := range servers {
			if i != j {
				s.peers = append(s.peers, other)
			}
		}
	}
	return &Group{members: servers}
}

// Start serves all accounts over HTTP on a free loopback port and gives the
// base URL.
func (g *Group) Start() (string, error) {
	url, err := g.front.start(g, "")
	for _, s := range g.members {
		s.front.setURL(url)
	}
	return url, err
}

// StartTLS is Server.StartTLS for all accounts.
func (g *Group) StartTLS(addr string, hosts []string) (ca []byte, err error) {
	return g.front.startTLS(g, addr, hosts, g.members[0].opt.Now())
}

// Transport is Server.Transport for all accounts.
func (g *Group) Transport() http.RoundTripper { return inProcess{h: g} }

// Close ends all connections and closes the accounts' servers.
func (g *Group) Close() error {
	err := closeAll(g.front.take())
	for _, s := range g.members {
		err = errors.Join(err, s.Close())
	}
	return err
}

// ServeHTTP implements http.Handler.
func (g *Group) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.choose(r).ServeHTTP(w, r)
}

// choose finds the account that a request is for; the first when nothing tells.
func (g *Group) choose(r *http.Request) *Server {
	var mine func(*Server) bool
	switch p := r.URL.Path; {
	case strings.HasSuffix(p, "/oauth2/token"):
		if r.ParseForm() != nil {
			return g.members[0] // which complains
		}
		mine = func(s *Server) bool {
			return s.auth.redeems(r.PostForm.Get("code"), r.PostForm.Get("refresh_token"))
		}
	case strings.HasSuffix(p, "/longpoll"):
		cur, _ := decodeCursor(longpollCursor(r))
		mine = func(s *Server) bool { return s.member(cur.Account) != nil }
	case strings.HasPrefix(p, "/2/"):
		token, err := bearer(r)
		mine = func(s *Server) bool { return err == nil && s.auth.knows(token) }
	case strings.HasPrefix(p, "/apitl/"), strings.HasPrefix(p, "/cd/"), strings.HasPrefix(p, "/apitul/"):
		mine = func(s *Server) bool { return s.signed(path.Base(p)) }
	default:
		mine = func(s *Server) bool { return s.serves(r.URL.String()) }
	}
	for _, s := range g.members {
		if mine(s) {
			return s
		}
	}
	return g.members[0]
}

// longpollCursor reads a body's cursor and puts the body back.
func longpollCursor(r *http.Request) string {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxRPCBody))
	r.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(raw), r.Body}
	var arg struct {
		Cursor string `json:"cursor"`
	}
	if err != nil || json.Unmarshal(raw, &arg) != nil {
		return "" // the server that gets it tells what is wrong
	}
	return arg.Cursor
}

func (a *authState) knows(token string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, known := a.access[token]
	return known
}

func (a *authState) redeems(code, refresh string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, isCode := a.codes[code]
	_, isRefresh := a.refresh[refresh]
	return isCode || isRefresh
}

// serves reports whether a shared link is one of this server's.
func (s *Server) serves(url string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.linkOf(url) != nil
}

// signed reports whether a temporary link's last part is this server's.
func (s *Server) signed(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, sign, _ := strings.Cut(token, ".")
	return sign == s.secret(30, text)
}

// hostOf gives who serves a shared link: this server, or another of its group.
// It is called without any lock.
func (s *Server) hostOf(url string) *Server {
	for _, p := range s.peers {
		if p.serves(url) {
			return p
		}
	}
	return s
}
