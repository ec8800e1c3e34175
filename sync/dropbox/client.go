package dropbox

import (
	"context"
	"net/http"
	"strings"
	"time"

	sdk "github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox"
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
	auth    *authTransport
	files   files.ContextClient
	sharing sharing.ContextClient
	users   users.ContextClient
	// noAppendBatch is set once the server did not know append_batch.
	noAppendBatch flag
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
	c := &Client{cfg: cfg, auth: &authTransport{cfg: cfg}}
	conf := sdk.Config{Client: &http.Client{Transport: c.auth}, URLGenerator: cfg.url}
	c.files, c.sharing, c.users = files.NewContext(conf), sharing.NewContext(conf), users.NewContext(conf)
	return c
}

func (cfg Config) url(host, namespace, route string) string {
	base := map[string]string{"api": cfg.API, "content": cfg.Content, "notify": cfg.Notify}[host]
	return base + "/2/" + namespace + "/" + route
}

// Account tells whose account it is, and how full.
func (c *Client) Account(ctx context.Context) (odbxfs.DropboxAccount, error) {
	full, err := c.users.GetCurrentAccountContext(ctx)
	if err != nil {
		return odbxfs.DropboxAccount{}, wrap("ask whose account it is", "", err)
	}
	space, err := c.users.GetSpaceUsageContext(ctx)
	if err != nil {
		return odbxfs.DropboxAccount{}, wrap("ask for the space left", "", err)
	}
	a := odbxfs.DropboxAccount{ID: full.AccountId, Email: full.Email, Used: int64(space.Used)}
	if full.AccountType != nil {
		a.Kind = full.AccountType.Tag
	}
	a.RootNamespace = rootNamespace(full.RootInfo)
	switch {
	case space.Allocation == nil:
	case space.Allocation.Individual != nil:
		a.Quota = int64(space.Allocation.Individual.Allocated)
	case space.Allocation.Team != nil:
		a.Quota = int64(space.Allocation.Team.Allocated)
	}
	return a, nil
}
