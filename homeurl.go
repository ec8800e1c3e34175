package odbxfs

import (
	"net/url"
	"strings"
)

// HomeURL is the page of a path on Dropbox's own site, which asks for a login:
// https://www.dropbox.com/home/..., each segment percent-encoded. base is the
// site, with or without a slash at its end.
func HomeURL(base, path string) string {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return homePages(base) + strings.Join(segments, "/")
}

// IsHomeURL reports whether link is what [HomeURL] makes for base: nothing is
// shared by it.
func IsHomeURL(base, link string) bool { return strings.HasPrefix(link, homePages(base)) }

func homePages(base string) string { return strings.TrimSuffix(base, "/") + "/home/" }
