package dropbox_test

import (
	"fmt"
	"strings"
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

func TestALinkHasTheAudienceOfThePolicy(t *testing.T) {
	w := newWorld(t, dropboxtest.Options{Account: dropboxtest.Account{Kind: dropboxtest.Business}})
	n := w.must(put("/Odoo/a.txt", "a"))
	first := ""
	for _, c := range []struct {
		policy odbxfs.LinkPolicy
		want   string
	}{{odbxfs.LinkPublic, "public"}, {odbxfs.LinkTeamOnly, "team_only"}, {odbxfs.LinkTeamOnly, "team_only"}, {odbxfs.LinkPublic, "public"}} {
		url, err := w.Link(t.Context(), n.ID, c.policy)
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = dropbox.LinkKey(url)
		}
		all, err := w.SharedLinks(t.Context())
		if err != nil || len(all) != 1 || all[first].Visibility != c.want || dropbox.LinkKey(url) != first {
			t.Errorf("%s: %s, of %+v, %v", c.policy, url, all, err)
		}
	}
}

// An account that can't bound its links' audience makes none under such a policy.
func TestALinkOpensForNobodyElseThanThePolicySays(t *testing.T) {
	for silent, want := range map[bool]string{true: "choose the link policy", false: "not_authorized"} {
		w := newWorld(t, dropboxtest.Options{Account: dropboxtest.Account{Kind: dropboxtest.Basic}, Behaviour: dropboxtest.Behaviour{SilentTeamAudience: silent}})
		n := w.must(put("/Odoo/a.txt", "a"))
		_, err := w.Link(t.Context(), n.ID, odbxfs.LinkTeamOnly)
		if !odbxfs.IsKind(err, odbxfs.KindUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("silent %v: %v", silent, err)
		}
		if all, err := w.SharedLinks(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("silent %v: left %+v, %v", silent, all, err)
		}
	}
}
