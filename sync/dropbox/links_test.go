package dropbox_test

import (
	"fmt"
	"testing"

	"odbxfs"
	"odbxfs/sync/dropbox"
	"odbxfs/sync/dropbox/dropboxtest"
)

func TestEveryLinkIsListedWithWhoCanOpenIt(t *testing.T) {
	for kind, c := range map[dropboxtest.AccountKind]struct {
		policy odbxfs.LinkPolicy
		want   string
	}{dropboxtest.Basic: {odbxfs.LinkPublic, "public"}, dropboxtest.Business: {odbxfs.LinkTeamOnly, "team_only"}} {
		w := newWorld(t, dropboxtest.Options{Account: dropboxtest.Account{Kind: kind}})
		made := map[string]bool{}
		for i := range 120 { // more than a page
			n := w.must(put(fmt.Sprintf("/Odoo/%d", i), fmt.Sprint(i)))
			url, err := w.Link(t.Context(), n.ID, c.policy)
			if err != nil {
				t.Fatal(err)
			}
			made[dropbox.LinkKey(url)] = true
		}
		all, err := w.SharedLinks(t.Context())
		if err != nil || len(all) != len(made) || len(made) != 120 {
			t.Fatalf("%s: %d of %d links, %v", kind, len(all), len(made), err)
		}
		for key, l := range all {
			if !made[key] || l.Visibility != c.want || !l.Expires.IsZero() {
				t.Errorf("%s: got %+v", kind, l)
			}
		}
	}
}

func TestOneLinkHasOneKey(t *testing.T) {
	const a = "https://www.dropbox.com/scl/fi/abc/a%20b.txt?rlkey=k&st=1&dl=0"
	for other, same := range map[string]bool{
		"https://www.dropbox.com/scl/fi/abc/a%20b.txt?rlkey=k&st=2&dl=1": true,
		"https://dropbox.com/scl/fi/abc/a%20b.txt?dl=0&rlkey=k":          true,
		"https://www.dropbox.com/scl/fi/abd/a%20b.txt?rlkey=k":           false,
		"https://www.dropbox.com/scl/fi/abc/a%20b.txt?rlkey=l":           false,
		"::": false,
	} {
		if (dropbox.LinkKey(a) == dropbox.LinkKey(other)) != same {
			t.Errorf("%s", other)
		}
	}
}
