package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"strings"

	"crypto/sha1"
	"encoding/hex"

	"odbxfs"
	"odbxfs/odoo"
)

type rc = io.ReadCloser

type closer struct{ io.Reader }

func (closer) Close() error { return nil }

var contentChecks = []check{
	{"content/whole and in ranges", ranges},
	{"content/empty", emptyContent},
	{"content/missing and forbidden", missingContent},
	{"content/a link is not followed", linkContent},
}

var uploadChecks = []check{
	{"upload/an image of 2500 px stays as it is", bigImage},
	{"upload/svg and html of an employee keep their bytes", activeContent},
	{"upload/new content keeps id, name and type", newContent},
	{"upload/wrong announcements are not carried out", wrongAnnouncement},
	{"upload/ten megabytes", tenMegabytes},
	{"upload/too large", tooLarge},
}

func sum(s string) odbxfs.SHA1 {
	h := sha1.Sum([]byte(s))
	return odbxfs.SHA1(hex.EncodeToString(h[:]))
}

// noise is n bytes that no codec can make smaller, the same every time.
func noise(n int) string {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	if _, err := r.Read(b); err != nil {
		panic(err) // it never fails
	}
	return string(b)
}

// upload puts a text on a partner, as the employee.
func (e *env) upload(ctx context.Context, name, text string) (*odoo.Client, odoo.Attachment, error) {
	c, err := e.as(ctx, e.Employee)
	if err != nil {
		return nil, odoo.Attachment{}, err
	}
	partner, err := e.partner(ctx, "for "+name)
	if err != nil {
		return nil, odoo.Attachment{}, err
	}
	a, err := c.Upload(ctx, map[string]any{"name": name, "res_model": "res.partner", "res_id": partner}, bytesOf(text), int64(len(text)), sum(text))
	return c, a, err
}

func read(ctx context.Context, c *odoo.Client, id, offset, length int64) (string, odoo.Info, error) {
	r, info, err := c.Content(ctx, id, offset, length)
	if err != nil {
		return "", info, err
	}
	b, err := io.ReadAll(r)
	return string(b), info, errors.Join(err, r.Close())
}

func ranges(ctx context.Context, e *env) error {
	text := noise(200_000)
	c, a, err := e.upload(ctx, "ranges.bin", text)
	if err != nil {
		return err
	}
	n := int64(len(text))
	for _, span := range [][2]int64{{0, -1}, {0, 10}, {0, n}, {0, n + 10}, {1, -1}, {1000, 50_000}, {n - 1, 1}, {n - 1, -1}, {n, -1}, {n + 5, 10}, {7, 0}} {
		got, info, err := read(ctx, c, a.ID, span[0], span[1])
		if err != nil {
			return fmt.Errorf("%v: %w", span, err)
		}
		end := n
		if span[1] >= 0 {
			end = min(n, span[0]+span[1])
		}
		want := text[min(span[0], n):max(end, min(span[0], n))]
		if got != want {
			return fmt.Errorf("%v: got %d bytes, want %d, or others", span, len(got), len(want))
		}
		if info.Size >= 0 && info.Size != n {
			return fmt.Errorf("%v: size %d", span, info.Size)
		}
		if info.SHA1 != "" && info.SHA1 != sum(text) {
			return fmt.Errorf("%v: sha1 %s", span, info.SHA1)
		}
	}
	return nil
}

func emptyContent(ctx context.Context, e *env) error {
	c, a, err := e.upload(ctx, "empty.txt", "")
	if err != nil {
		return err
	}
	got, _, err := read(ctx, c, a.ID, 0, -1)
	if err := errors.Join(err, equal("content", got, "")); err != nil {
		return err
	}
	if _, err := c.WriteContent(ctx, a.ID, nil, bytesOf("full"), 4, sum("full")); err != nil {
		return err
	}
	if _, err := c.WriteContent(ctx, a.ID, nil, bytesOf(""), 0, odbxfs.EmptySHA1); err != nil {
		return err
	}
	got, _, err = read(ctx, c, a.ID, 0, -1)
	return errors.Join(err, equal("content when emptied", got, ""))
}

func missingContent(ctx context.Context, e *env) error {
	c, err := e.as(ctx, e.Employee)
	if err != nil {
		return err
	}
	_, _, err = read(ctx, c, 99999999, 0, -1)
	if err := wantKind("missing", err, odbxfs.KindMissing); err != nil {
		return err
	}
	admin, err := e.as(ctx, e.Admin)
	if err != nil {
		return err
	}
	cron, err := admin.Search(ctx, "ir.cron", nil, odoo.Query{Limit: 1})
	if err != nil || len(cron) == 0 {
		return fmt.Errorf("no cron: %w", err)
	}
	a, err := admin.Upload(ctx, map[string]any{"name": "secret.txt", "res_model": "ir.cron", "res_id": cron[0]}, bytesOf("s"), 1, sum("s"))
	if err != nil {
		return err
	}
	_, _, err = read(ctx, c, a.ID, 0, -1)
	return wantKind("forbidden", err, odbxfs.KindAccess)
}

func linkContent(ctx context.Context, e *env) error {
	const url = "https://www.dropbox.example/scl/fi/x/a%20b.pdf?rlkey=k&dl=0"
	c, a, err := e.upload(ctx, "link.pdf", "x")
	if err != nil {
		return err
	}
	if err := c.Write(ctx, "ir.attachment", []int64{a.ID}, map[string]any{"type": "url", "url": url, "datas": false, "mimetype": "application/pdf"}); err != nil {
		return err
	}
	_, _, err = read(ctx, c, a.ID, 0, -1)
	link, ok := errors.AsType[*odoo.LinkError](err)
	if !ok || link.Location != url || link.ID != a.ID {
		return fmt.Errorf("want a LinkError to the url, got %w", err)
	}
	return wantKind("link", err, odbxfs.KindUnsupported)
}

func bigImage(ctx context.Context, e *env) error {
	m := image.NewRGBA(image.Rect(0, 0, 2500, 2200))
	for x := range 2500 {
		m.Set(x, x%2200, color.RGBA{uint8(x), 9, 9, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return err
	}
	c, a, err := e.upload(ctx, "big.png", b.String())
	if err != nil {
		return err
	}
	if err := errors.Join(equal("checksum", a.Checksum, sum(b.String())), equal("mimetype", a.Mimetype, "image/png")); err != nil {
		return err
	}
	got, _, err := read(ctx, c, a.ID, 0, -1)
	if err := errors.Join(err, equal("unchanged", got == b.String(), true)); err != nil {
		return err
	}
	other := b.String() + "\x00" // as new content too
	a, err = c.WriteContent(ctx, a.ID, nil, bytesOf(other), int64(len(other)), sum(other))
	return errors.Join(err, equal("checksum of new content", a.Checksum, sum(other)))
}

func activeContent(ctx context.Context, e *env) error {
	for name, text := range map[string]string{
		"a.svg":  `<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>`,
		"a.html": "<!DOCTYPE html><html><body><script>1</script></body></html>",
		"a.xml":  `<?xml version="1.0"?><a/>`,
	} {
		c, a, err := e.upload(ctx, name, text)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		got, _, err := read(ctx, c, a.ID, 0, -1)
		if err := errors.Join(err, equal(name, got, text), equal(name+" mimetype", a.Mimetype, "text/plain")); err != nil {
			return err
		}
	}
	return nil
}

func newContent(ctx context.Context, e *env) error {
	for _, name := range []string{"a.pdf", "notes.txt", "plan"} {
		c, a, err := e.upload(ctx, name, "%PDF-1.4 one")
		if err != nil {
			return err
		}
		b, err := c.WriteContent(ctx, a.ID, nil, bytesOf("two, and longer"), 15, sum("two, and longer"))
		if err != nil {
			return err
		}
		if b.ID != a.ID || b.Name != name || b.Mimetype != a.Mimetype || b.FileSize != 15 || b.Type != "binary" || b.URL != "" {
			return fmt.Errorf("was %+v, is %+v", a, b)
		}
	}
	c, err := e.as(ctx, e.Employee)
	if err != nil {
		return err
	}
	_, err = c.WriteContent(ctx, 99999999, nil, bytesOf("x"), 1, "")
	return wantKind("content of what is gone", err, odbxfs.KindMissing)
}

func wrongAnnouncement(ctx context.Context, e *env) error {
	c, a, err := e.upload(ctx, "announced.bin", "as it was")
	if err != nil {
		return err
	}
	broken := errors.New("disk gone")
	for what, try := range map[string]struct {
		open odbxfs.Opener
		size int64
		sha1 odbxfs.SHA1
		kind odbxfs.ErrorKind
	}{
		"too short":  {bytesOf("abc"), 5, "", odbxfs.KindCorrupt},
		"too long":   {bytesOf("abc"), 2, "", odbxfs.KindCorrupt},
		"other sha1": {bytesOf("abc"), 3, sum("abd"), odbxfs.KindCorrupt},
		"unreadable": {func(context.Context) (rc, error) {
			return closer{io.MultiReader(strings.NewReader(noise(100_000)), &failing{broken})}, nil
		}, 200_000, "", odbxfs.KindUnavailable},
		"no opening": {func(context.Context) (rc, error) { return nil, broken }, 3, "", odbxfs.KindUnavailable},
	} {
		_, err := c.WriteContent(ctx, a.ID, nil, try.open, try.size, try.sha1)
		if err := wantKind(what, err, try.kind); err != nil {
			return err
		}
	}
	got, _, err := read(ctx, c, a.ID, 0, -1)
	return errors.Join(err, equal("content", got, "as it was"))
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func tenMegabytes(ctx context.Context, e *env) error {
	text := noise(10<<20 + 1)
	c, a, err := e.upload(ctx, "ten.bin", text)
	if err != nil {
		return err
	}
	got, _, err := read(ctx, c, a.ID, 9<<20, -1)
	return errors.Join(err, equal("tail", got == text[9<<20:], true))
}

// tooLarge sends more than 19 takes in one request; 14 knows no limit.
func tooLarge(ctx context.Context, e *env) error {
	if e.Version < 17 {
		return nil
	}
	c, err := e.as(ctx, e.Employee)
	if err != nil {
		return err
	}
	const size = 130 << 20
	zeros := func(context.Context) (rc, error) { return closer{io.LimitReader(zero{}, size)}, nil }
	_, err = c.Upload(ctx, map[string]any{"name": "huge.bin"}, zeros, size, "")
	return wantKind("130 MiB", err, odbxfs.KindTooLarge)
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }
