package daemon

import (
	"context"
	"fmt"
	"net/url"
	"strings"
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
	opt Options

	mu   gosync.Mutex
	open map[odbxfs.ClientID]*dropbox.Client // guarded by mu
}

func newBoxes(opt Options) *boxes {
	return &boxes{opt: opt, open: map[odbxfs.ClientID]*dropbox.Client{}}
}

// connect is the engine's connector: the login comes from the config's section
// of the cloud client's name.
func (b *boxes) connect(_ context.Context, c odbxfs.CloudClient) (sync.Dropbox, error) {
	cfg, ok := b.section(c.Name)
	if !ok {
		return nil, &odbxfs.Error{Op: "sign in to Dropbox", Item: c.Name, Kind: odbxfs.KindSettings,
			Err: fmt.Errorf("the config has no [dropbox.%s] with a token", sectionName(c.Name))}
	}
	client := dropbox.New(dropbox.Config{
		Secret: cfg.Read, AppKey: cfg.AppKey, API: cfg.API, Content: cfg.Content, Notify: cfg.Notify, WWW: cfg.WWW,
		HTTP: b.opt.HTTP, Now: time.Now, Sleep: sleep,
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open[c.ID] = client
	return client, nil
}

// section finds a client's settings. A single section serves a single client,
// whatever it is called.
func (b *boxes) section(name string) (config.Dropbox, bool) {
	if cfg, ok := b.opt.Config.Dropbox[sectionName(name)]; ok {
		return cfg, true
	}
	if cfg, ok := b.opt.Config.Dropbox[name]; ok {
		return cfg, true
	}
	if len(b.opt.Config.Dropbox) == 1 {
		for _, only := range b.opt.Config.Dropbox {
			return only, true
		}
	}
	return config.Dropbox{}, false
}

// sectionName is how a client's name stands in the config: lower case, with
// dashes for spaces.
func sectionName(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(name), "-"))
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
