package dropbox

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// headerSafe writes everything that is not printable ASCII as \uXXXX, in
// surrogate pairs beyond the first plane, as the API asks of JSON in a header.
func headerSafe(arg string) string {
	safe := true
	for i := range len(arg) {
		safe = safe && arg[i] < 0x7f
	}
	if safe {
		return arg
	}
	var b strings.Builder
	for _, r := range arg {
		switch {
		case r < 0x7f:
			b.WriteByte(byte(r))
		case r <= 0xffff || r == utf8.RuneError:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
}

// retryAfter reads the header, in seconds.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}
