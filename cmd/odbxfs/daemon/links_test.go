package daemon

import (
	"testing"
	"time"

	"odbxfs/sync/dropbox"
)

func TestWhoCanOpenALink(t *testing.T) {
	const url = "https://www.dropbox.com/scl/fi/a/x?rlkey=k&dl=0"
	ends := time.Unix(1000, 0).UTC()
	shared := map[string]dropbox.SharedLink{dropbox.LinkKey(url): {URL: url, Visibility: "team_only", Expires: ends}}
	for _, c := range []struct {
		url    string
		silent bool
		want   string
	}{
		{url, false, "team_only"}, {url + "&st=9", true, "team_only"},
		{"https://www.dropbox.com/home/Odoo/a", false, "login"},
		{"https://www.dropbox.com/scl/fi/b/x?rlkey=k", false, "gone"}, {"https://www.dropbox.com/scl/fi/b/x?rlkey=k", true, "unknown"},
	} {
		l := LinkLine{URL: c.url}
		l.judge(shared, "https://www.dropbox.com", c.silent)
		if l.Visibility != c.want || l.Expires.Equal(ends) != (c.want == "team_only") {
			t.Errorf("%s: got %+v, want %s", c.url, l, c.want)
		}
	}
}
