package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/sync/dropbox"
)

// LinkLine is one link that stands in Odoo.
type LinkLine struct {
	Path       string    `json:"path"`       // in the tree, the record's folder in it
	Attachment string    `json:"attachment"` // Odoo's document
	URL        string    `json:"url"`
	Visibility string    `json:"visibility"` // Dropbox's word; "login" for its own pages, "gone" for a link that it does not have, "unknown" when it did not answer
	Expires    time.Time `json:"expires,omitzero"`
}

// LinksReport is every link, by path.
type LinksReport struct {
	Links  []LinkLine `json:"links"`
	Silent []string   `json:"silent,omitempty"` // accounts that did not answer, and why
}

// links lists every link that was made, with what Dropbox says of it now.
func (d *Daemon) links(ctx context.Context) (LinksReport, error) {
	report := LinksReport{}
	err := d.store.View(func(tx *cache.Tx) error {
		report.Links = nil
		tree := tx.Synced()
		todo := []odbxfs.NodeID{odbxfs.RootNode}
		for len(todo) > 0 {
			id := todo[len(todo)-1]
			todo = append(todo[:len(todo)-1], tree.Children(id)...)
			p, ok := tree.Node(id)
			if !ok || p.URL == "" {
				continue
			}
			path, err := tx.PathOf(id)
			if err != nil {
				path = p.DropboxName // it is in no folder of the mount any more
			}
			report.Links = append(report.Links, LinkLine{Path: strings.TrimPrefix(path, "/"), Attachment: p.Odoo.String(), URL: p.URL})
		}
		return tx.Err()
	})
	if err != nil {
		return report, err
	}
	shared := map[string]dropbox.SharedLink{}
	for _, name := range slices.Sorted(maps.Keys(d.opt.Config.Dropbox)) {
		all, err := Dropbox(d.opt, d.opt.Config.Dropbox[name]).SharedLinks(ctx)
		if err != nil {
			report.Silent = append(report.Silent, fmt.Sprintf("%s: %s", name, err))
			continue
		}
		maps.Copy(shared, all)
	}
	base := www(d.opt.Config)
	for i := range report.Links {
		report.Links[i].judge(shared, base, len(report.Silent) > 0)
	}
	slices.SortFunc(report.Links, func(a, b LinkLine) int { return strings.Compare(a.Path, b.Path) })
	return report, nil
}

// judge fills in who can open the link. base is Dropbox's own site.
func (l *LinkLine) judge(shared map[string]dropbox.SharedLink, base string, silent bool) {
	known, ok := shared[dropbox.LinkKey(l.URL)]
	switch {
	case odbxfs.IsHomeURL(base, l.URL):
		l.Visibility = "login"
	case ok:
		l.Visibility, l.Expires = known.Visibility, known.Expires
	case silent:
		l.Visibility = "unknown"
	default:
		l.Visibility = "gone"
	}
}
