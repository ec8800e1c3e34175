package dropbox_test

import (
	"context"
	"testing"

	"odbxfs"
	"odbxfs/sync/dropbox"
	"odbxfs/sync/dropbox/dropboxtest"
)

// Dropbox's own site shows a team's space from its root: what a member has lies
// there below a folder of the member's name.
func TestTheOwnPagesOfATeamsMemberLieBelowTheMembersFolder(t *testing.T) {
	team := dropboxtest.Options{Team: &dropboxtest.Team{}}
	for _, c := range []struct {
		what  string
		opt   dropboxtest.Options
		space bool
		home  string
		page  string
	}{
		{"an account without a team", dropboxtest.Options{}, false, "", "/home/Odoo/a%20b"},
		{"a team's member", team, false, "/Jane Doe", "/home/Jane%20Doe/Odoo/a%20b"},
		{"the team's whole space", team, true, "", "/home/Odoo/a%20b"},
	} {
		w := newWorld(t, c.opt)
		token := w.srv.TokenOf(w.srv.Account().ID)
		w = w.with(func(cfg *dropbox.Config) {
			cfg.TeamSpace, cfg.Secret = c.space, func(context.Context) (string, error) { return token, nil }
		})
		a, err := w.Account(t.Context())
		if err != nil || a.Home != c.home {
			t.Errorf("%s: %+v, %v", c.what, a, err)
		}
		n := w.must(put("/Odoo/a b", "a"))
		for _, page := range []string{w.HomeURL("/Odoo/a b"), linkOf(t, w.Client, n.ID)} {
			if want := "https://www.dropbox.com" + c.page; page != want {
				t.Errorf("%s: %s, want %s", c.what, page, want)
			}
		}
	}
}

func linkOf(t *testing.T, cl *dropbox.Client, id odbxfs.DropboxID) string {
	t.Helper()
	page, err := cl.Link(t.Context(), id, odbxfs.LinkNone)
	if err != nil {
		t.Fatal(err)
	}
	return page
}
