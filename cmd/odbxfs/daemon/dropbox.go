package daemon

import (
	"context"
	"fmt"
	"net/url"
	gosync "sync"
	"time"

	"odbxfs"
	"odbxfs/cmd/odbxfs/config"
	"odbxfs/sync"
	"odbxfs/sync/content"
	"odbxfs/sync/dropbox"
)

// boxes are the Dropbox accounts that are signed in to, by cloud client.
type boxes struct {
	opt    Options
	limits dropbox.Limits // of all accounts of this process

	mu   gosync.Mutex
	open map[odbxfs.ClientID]*dropbox.Client // guarded by mu
}

func newBoxes(opt Options) *boxes {
	return &boxes{opt: opt, open: map[odbxfs.ClientID]*dropbox.Client{}}
}

// connect is the engine's connector: the login comes from the config's section
// of the cloud client's name.
func (b *boxes) connect(_ context.Context, c odbxfs.CloudClient) (sync.Dropbox, error) {
	name, cfg, ok := b.opt.Config.Section(c.Name)
	if !ok {
		return nil, &odbxfs.Error{Op: "sign in to Dropbox", Item: c.Name, Kind: odbxfs.KindSettings,
			Err: fmt.Errorf("the config has no [dropbox.%s] with a token", name)}
	}
	client := newDropbox(b.opt, name, cfg, &b.limits)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open[c.ID] = client
	return client, nil
}

// Dropbox makes a client for the account of a section, for commands.
func Dropbox(opt Options, cfg config.Dropbox) *dropbox.Client {
	return newDropbox(opt, "", cfg, nil)
}

func newDropbox(opt Options, name string, cfg config.Dropbox, limits *dropbox.Limits) *dropbox.Client {
	b := &bandwidth{now: time.Now, reload: opt.Reload, name: name, d: cfg}
	c := dropbox.Config{
		Secret: cfg.Read, AppKey: cfg.AppKey, API: cfg.API, Content: cfg.Content, Notify: cfg.Notify, WWW: cfg.WWW,
		TeamSpace: cfg.TeamSpace, SelectUser: cfg.SelectUser, Bandwidth: b.limits,
		HTTP: opt.HTTP, Limits: limits, Now: time.Now, Sleep: sleep,
	}
	if opt.Store != "" {
		c.Resume = opt.Store + ".uploads" // beside the store: what is in it is of no worth without Dropbox
	}
	return dropbox.New(c)
}

// content gives the account for reading; nil while there is no login.
func (b *boxes) content(id odbxfs.ClientID) content.DropboxBytes {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := b.open[id]; ok {
		return c
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// www is Dropbox's web address, that of the first section that names one.
func www(cfg config.Config) string {
	for _, d := range cfg.Dropbox {
		if d.WWW != "" {
			return d.WWW
		}
	}
	return "https://www.dropbox.com"
}

// linkHosts are the hosts that public links may be fetched from: Dropbox's own,
// with that of its downloads, and those of the config.
func linkHosts(cfg config.Config) []string {
	hosts := []string{"www.dropbox.com", "dl.dropboxusercontent.com"}
	for _, d := range cfg.Dropbox {
		if u, err := url.Parse(d.WWW); err == nil && u.Host != "" {
			hosts = append(hosts, u.Host)
		}
	}
	return hosts
}
