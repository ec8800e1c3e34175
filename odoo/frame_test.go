package odoo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"odbxfs"
)

func textBlob(s string, size int64, want odbxfs.SHA1) *blob {
	return &blob{size: size, want: want, open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(iotest.HalfReader(strings.NewReader(s))), nil
	}}
}

func TestFramesStreamWhatEncodingWouldGive(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 4, 48<<10 - 1, 48 << 10, 48<<10 + 1, 200_000} {
		text := strings.Repeat("abcdefg", n/7+1)[:n]
		b := textBlob(text, int64(n), "")
		f, err := encodeFrame(b, func() ([]byte, error) { return json.Marshal(map[string]any{"datas": b, "name": "x"}) })
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // a body can be sent again
			r, err := f.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			want := `{"datas":"` + base64.StdEncoding.EncodeToString([]byte(text)) + `","name":"x"}`
			if err != nil || string(got) != want || int64(len(got)) != f.length() {
				t.Errorf("%d bytes: got %d of %d, %v", n, len(got), f.length(), err)
			}
			if b.sent() == "" {
				t.Errorf("%d bytes: no sha1", n)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestFramesKeepClearOfTheirOwnToken(t *testing.T) {
	b := textBlob("x", 1, "")
	f, err := encodeFrame(b, func() ([]byte, error) {
		return encodeXML("m", map[string]any{"name": "odbxfs-content-0-here", "datas": b})
	})
	if err != nil || strings.Contains(string(f.head)+string(f.tail), "odbxfs-content-1-here") {
		t.Fatalf("%v", err)
	}
	if !strings.Contains(string(f.head)+string(f.tail), "odbxfs-content-0-here") {
		t.Error("the name is gone")
	}
	if _, err := encodeFrame(b, func() ([]byte, error) { return []byte("no token"), nil }); err == nil {
		t.Error("content that is nowhere in the body is sent")
	}
}

func TestOtherContentThanAnnouncedIsCutOff(t *testing.T) {
	for what, b := range map[string]*blob{
		"too short":  textBlob("abc", 5, ""),
		"too long":   textBlob("abc", 2, ""),
		"none":       textBlob("", 1, ""),
		"not none":   textBlob("a", 0, ""),
		"other sha1": textBlob("abc", 3, odbxfs.EmptySHA1),
	} {
		f, err := encodeFrame(b, func() ([]byte, error) { return json.Marshal([]any{b}) })
		if err != nil {
			t.Fatal(err)
		}
		r, err := f.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if !errors.Is(err, errContent) || int64(len(got)) == f.length() {
			t.Errorf("%s: %d of %d bytes went out, %v", what, len(got), f.length(), err)
		}
		if b.sent() != "" {
			t.Errorf("%s: counts as sent", what)
		}
	}
}

func TestContentLimits(t *testing.T) {
	for limit, want := range map[int64]int64{0: 0, 1000: 0, 134217728: 100651008} {
		if got := contentLimit(limit); got != want {
			t.Errorf("limit %d: content of %d, want %d", limit, got, want)
		}
	}
	if n := int64(base64.StdEncoding.EncodedLen(int(contentLimit(134217728)))); n+frameRoom > 134217728 {
		t.Errorf("%d bytes of base64 do not fit", n)
	}
}

func TestContentRangesAreRead(t *testing.T) {
	for s, want := range map[string][3]int64{"bytes 10-19/100": {10, 100, 1}, "bytes 0-0/1": {0, 1, 1}, "bytes */100": {}, "": {}, "bytes 5-9/*": {}, "bytes 10-19/5": {}} {
		start, size, ok := parseContentRange(s)
		if ok != (want[2] == 1) || ok && (start != want[0] || size != want[1]) {
			t.Errorf("%q: %d, %d, %v", s, start, size, ok)
		}
	}
}
