package dropbox

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	gosync "sync"
	"sync/atomic"
	"time"

	sdk "github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/common"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/sharing"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/users"

	"odbxfs"
)

// Config is what a client needs. Nothing of it is global.
type Config struct {
	// Secret gives the refresh token (with AppKey) or an access token. It is
	// asked again after a refusal; a refused one is not sent twice.
	Secret func(ctx context.Context) (string, error)
	// AppKey is the app's public key; empty when Secret gives an access token.
	AppKey string
	// SelectUser is the member (dbmid:...) that a team's token works as; empty
	// for a person's own token.
	SelectUser string
	// TeamSpace makes paths begin at the team's space instead of at the member's
	// own folder in it. For an account without a team it is the same.
	TeamSpace bool
	// UserAgent names the program to Dropbox; empty: "odbxfs".
	UserAgent string
	// Resume is a folder in which large uploads note how far they are, to go on
	// after a crash; empty: they begin anew.
	Resume string
	// Limits are shared by the clients of a process; nil: this one's own.
	Limits *Limits
	// Bandwidth gives the limits of now, in bytes a second; 0 is none. It is
	// asked again for every few kilobytes. Nil: no limits.
	Bandwidth func() (up, down int64)
	// The base URLs, without a trailing slash; empty ones are Dropbox's own.
	API, Content, Notify, WWW string
	// HTTP carries the requests; nil is http.DefaultTransport.
	HTTP http.RoundTripper
	// Now and Sleep are the clock. Sleep returns early with the context's error.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
}

// Client speaks to one Dropbox account.
type Client struct {
	cfg     Config
	http    *transport
	sdk     sdk.Config
	files   files.ContextClient
	sharing sharing.ContextClient
	users   users.ContextClient
	// noAppendBatch is set once the server did not know append_batch.
	noAppendBatch flag
	groups        groupSize              // how many small files share a request
	commit        chan struct{}          // has room for the one commit of uploads that goes on at a time
	home          atomic.Pointer[string] // where paths begin, on Dropbox's own site; nil until Account was asked
	swept         gosync.Once            // Config.Resume was looked through
}

// New makes a client. It makes no request.
func New(cfg Config) *Client {
	orDefault := func(s *string, d string) {
		if *s = strings.TrimSuffix(*s, "/"); *s == "" {
			*s = d
		}
	}
	orDefault(&cfg.API, "https://api.dropboxapi.com")
	orDefault(&cfg.Content, "https://content.dropboxapi.com")
	orDefault(&cfg.Notify, "https://notify.dropboxapi.com")
	orDefault(&cfg.WWW, "https://www.dropbox.com")
	if cfg.HTTP == nil {
		cfg.HTTP = http.DefaultTransport
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "odbxfs"
	}
	if cfg.Limits == nil {
		cfg.Limits = &Limits{}
	}
	if cfg.Bandwidth == nil {
		cfg.Bandwidth = func() (up, down int64) { return 0, 0 }
	}
	c := &Client{cfg: cfg, commit: make(chan struct{}, 1), http: &transport{cfg: cfg, tokens: &tokens{cfg: cfg}, lim: newLimits(cfg.Now),
		up:   &throttle{now: cfg.Now, sleep: cfg.Sleep, limit: func() int64 { up, _ := cfg.Bandwidth(); return up }},
		down: &throttle{now: cfg.Now, sleep: cfg.Sleep, limit: func() int64 { _, down := cfg.Bandwidth(); return down }}}}
	conf := sdk.Config{Client: &http.Client{Transport: c.http}, URLGenerator: cfg.url}
	c.sdk = conf
	c.files, c.sharing, c.users = files.NewContext(conf), sharing.NewContext(conf), users.NewContext(conf)
	return c
}

func (cfg Config) url(host, namespace, route string) string {
	base := map[string]string{"api": cfg.API, "content": cfg.Content, "notify": cfg.Notify}[host]
	return base + "/2/" + namespace + "/" + route
}

// settle notes what is known once the account is: its limits, and the root
// that paths count from. The root is named in every call from then on, so that
// one that is exchanged (a person joins a team) answers KindForeign, and nothing
// is written to the wrong place.
func (c *Client) settle(account, root, home string) {
	pinned, header := root, fmt.Sprintf(`{".tag": "root", "root": %q}`, root)
	if home != root && !c.cfg.TeamSpace {
		pinned, header = home, fmt.Sprintf(`{".tag": "namespace_id", "namespace_id": %q}`, home)
	}
	if pinned == "" {
		return
	}
	cur := c.cfg.Limits.of(account, pinned)
	c.http.lim.cur.Store(&cur)
	c.http.root.Store(&header)
}

// Account tells whose account it is, and how full.
func (c *Client) Account(ctx context.Context) (odbxfs.DropboxAccount, error) {
	full, err := c.users.GetCurrentAccountContext(ctx)
	if err != nil {
		return odbxfs.DropboxAccount{}, wrap("ask whose account it is", "", err)
	}
	root, home := namespaces(full.RootInfo)
	c.settle(full.AccountId, root, home)
	begin := ""
	if team, isTeam := full.RootInfo.(*common.TeamRootInfo); isTeam && home != root && !c.cfg.TeamSpace {
		begin = team.HomePath
	}
	c.home.Store(&begin)
	space, err := c.users.GetSpaceUsageContext(ctx)
	if err != nil {
		return odbxfs.DropboxAccount{}, wrap("ask for the space left", "", err)
	}
	a := odbxfs.DropboxAccount{ID: full.AccountId, Email: full.Email, RootNamespace: root, Home: begin, Used: int64(space.Used)}
	if full.AccountType != nil {
		a.Kind = full.AccountType.Tag
	}
	switch {
	case space.Allocation == nil:
	case space.Allocation.Individual != nil:
		a.Quota = int64(space.Allocation.Individual.Allocated)
	case space.Allocation.Team != nil:
		a.Quota = int64(space.Allocation.Team.Allocated)
	}
	return a, nil
}

// namespaces gives the root of the account and the person's home in it.
func namespaces(info common.IsRootInfo) (root, home string) {
	switch r := info.(type) {
	case *common.UserRootInfo:
		return r.RootNamespaceId, r.HomeNamespaceId
	case *common.TeamRootInfo:
		return r.RootNamespaceId, r.HomeNamespaceId
	case *common.RootInfo:
		return r.RootNamespaceId, r.HomeNamespaceId
	}
	return "", ""
}
