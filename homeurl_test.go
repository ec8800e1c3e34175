package odbxfs_test

import (
	"testing"

	"odbxfs"
)

func TestHomeURLEscapesEachSegment(t *testing.T) {
	for path, want := range map[string]string{
		"/Odoo/a b/ü#1.pdf": "https://www.dropbox.com/home/Odoo/a%20b/%C3%BC%231.pdf",
		"/50% off?/a&b=c;d": "https://www.dropbox.com/home/50%25%20off%3F/a&b=c%3Bd",
		"Odoo/":             "https://www.dropbox.com/home/Odoo",
		"":                  "https://www.dropbox.com/home/",
	} {
		for _, base := range []string{"https://www.dropbox.com", "https://www.dropbox.com/"} {
			got := odbxfs.HomeURL(base, path)
			if got != want {
				t.Errorf("%q: %s, want %s", path, got, want)
			}
			if !odbxfs.IsHomeURL(base, got) {
				t.Errorf("%s is not known again", got)
			}
		}
	}
	if odbxfs.IsHomeURL("https://www.dropbox.com", "https://www.dropbox.com/scl/fi/x/home/a") {
		t.Error("a shared link is no page that asks for a login")
	}
}
