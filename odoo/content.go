package odoo

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"odbxfs"
)

// Info is what comes with an attachment's content.
type Info struct {
	SHA1     odbxfs.SHA1 // of the whole content; empty when the server did not say
	Size     int64       // of the whole content, in bytes; -1 when unknown
	Mimetype string      // as served
	Offset   int64       // where the reader starts
}

// LinkError says that an attachment holds no content: it is a link. It is the
// cause inside an *odbxfs.Error of KindUnsupported; nothing was fetched from
// the link.
type LinkError struct {
	ID       int64
	Location string // exactly the attachment's url
}

// Error names the link.
func (e *LinkError) Error() string { return fmt.Sprintf("attachment %d is a link", e.ID) }

// LinkedTo is the attachment's url.
func (e *LinkError) LinkedTo() string { return e.Location }

// Content opens an attachment's bytes from offset on, at most length of them
// (negative: to the end). The caller closes the reader, which fails with
// KindUnavailable when the server stops in between. On 19 only the range
// travels; 14 sends all, and what stands before the offset is dropped here.
//
// A link is an error: see [LinkError].
func (c *Client) Content(ctx context.Context, id, offset, length int64) (io.ReadCloser, Info, error) {
	const op = "read content"
	if offset < 0 {
		return nil, Info{}, &odbxfs.Error{Op: op, Item: itemOf(id), Kind: odbxfs.KindInvalid, Err: errors.New("negative offset")}
	}
	k, err := c.connected(ctx)
	if err != nil {
		return nil, Info{}, err
	}
	query := ""
	if k.kind() != Session {
		token, err := c.accessToken(ctx, id)
		if err != nil || token == "" {
			return c.contentByRead(ctx, id, offset, length)
		}
		query = "?access_token=" + url.QueryEscape(token)
	}
	r, info, err := k.e.openContent(ctx, id, query, offset, length)
	if !errors.Is(err, errNoContent) {
		return r, info, named(err, id)
	}
	// "Not there", "no right" and "session expired" look alike: an RPC call
	// tells them apart, and signs in again on its way.
	row, err := c.attachment(ctx, id)
	if err != nil {
		return nil, Info{}, named(err, id)
	}
	if row.Type == "url" {
		return nil, Info{}, linkError(id, row.URL)
	}
	if row.FileSize == 0 && (row.Checksum == "" || row.Checksum == odbxfs.EmptySHA1) {
		return http.NoBody, Info{SHA1: odbxfs.EmptySHA1, Mimetype: row.Mimetype, Offset: 0}, nil
	}
	if k.kind() == Session {
		r, info, err = k.e.openContent(ctx, id, query, offset, length)
		if !errors.Is(err, errNoContent) {
			return r, info, named(err, id)
		}
	}
	return c.contentByRead(ctx, id, offset, length)
}

// named puts the attachment into an error's Item.
func named(err error, id int64) error {
	e, ok := errors.AsType[*odbxfs.Error](err)
	if !ok {
		return err
	}
	n := *e
	n.Item = itemOf(id)
	return &n
}

func linkError(id int64, location string) error {
	return &odbxfs.Error{Op: "read content", Item: itemOf(id), Kind: odbxfs.KindUnsupported, Err: &LinkError{ID: id, Location: location}}
}

// errNoContent marks /web/content's 404.
var errNoContent = errors.New("no such content, or no right to it")

// openContent asks /web/content, by session cookie or by a token in query.
func (e *endpoint) openContent(ctx context.Context, id int64, query string, offset, length int64) (io.ReadCloser, Info, error) {
	const op = "read content"
	if length == 0 {
		length = 1 // an empty range cannot be asked for; the reader below is cut to none
		r, info, err := e.openContent(ctx, id, query, offset, length)
		if err != nil {
			return nil, info, err
		}
		return http.NoBody, info, r.Close()
	}
	h := http.Header{}
	if offset > 0 || length > 0 {
		last := ""
		if length > 0 {
			last = strconv.FormatInt(offset+length-1, 10)
		}
		h.Set("Range", "bytes="+strconv.FormatInt(offset, 10)+"-"+last)
	}
	h.Set("Accept-Encoding", "identity") // a packed body has no size to compare
	if query != "" {
		h.Set(databaseHeader, e.database)
	}
	w := newWatch(ctx, e.timeout)
	//nolint:contextcheck // the watch's context is a child of ctx
	res, err := e.send(w.ctx, httpRequest{method: http.MethodGet, path: "/web/content/" + strconv.FormatInt(id, 10) + query, header: h})
	if err != nil {
		w.stop()
		return nil, Info{}, transportError(op, w.cause(err))
	}
	r, info, err := readContent(res, id, offset, length)
	if err != nil {
		w.stop()
		return nil, info, errors.Join(err, res.Body.Close())
	}
	return &contentReader{r: r, body: res.Body, watch: w}, info, nil
}

// readContent judges the head of /web/content's answer.
func readContent(res *http.Response, id, offset, length int64) (io.Reader, Info, error) {
	const op = "read content"
	info := Info{Size: -1, Mimetype: res.Header.Get("Content-Type"), Offset: offset}
	// The ETag is the checksum: bare on 14, quoted on 19.
	if tag := strings.Trim(strings.TrimPrefix(res.Header.Get("ETag"), "W/"), `"`); isSHA1(tag) {
		info.SHA1 = odbxfs.SHA1(tag)
	}
	switch {
	case res.StatusCode == http.StatusOK:
		info.Size = res.ContentLength
		if _, err := io.CopyN(io.Discard, res.Body, offset); err != nil && !errors.Is(err, io.EOF) {
			return nil, info, transportError(op, err)
		}
		if length < 0 {
			return res.Body, info, nil
		}
		return io.LimitReader(res.Body, length), info, nil
	case res.StatusCode == http.StatusPartialContent:
		start, size, ok := parseContentRange(res.Header.Get("Content-Range"))
		if !ok || start != offset {
			return nil, info, answerError(op, fmt.Errorf("Content-Range %q", res.Header.Get("Content-Range")))
		}
		info.Size = size
		return res.Body, info, nil
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable: // the offset is at or behind the end
		return http.NoBody, info, nil
	case res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusNoContent:
		return nil, info, errNoContent
	case res.StatusCode >= 300 && res.StatusCode < 400:
		location := res.Header.Get("Location")
		if isLogin(location) {
			return nil, info, errNoContent
		}
		return nil, info, linkError(id, location)
	}
	return nil, info, statusError(op, res.StatusCode, res.Header, "")
}

// isLogin reports whether a redirect leads to the login page: the session is
// gone.
func isLogin(location string) bool {
	u, err := url.Parse(location)
	return err == nil && strings.HasSuffix(u.Path, "/web/login")
}

func isSHA1(s string) bool {
	return len(s) == 40 && strings.Trim(s, "0123456789abcdef") == ""
}

// parseContentRange reads "bytes 10-19/100".
func parseContentRange(s string) (start, size int64, ok bool) {
	span, total, cut := strings.Cut(strings.TrimPrefix(s, "bytes "), "/")
	first, _, isSpan := strings.Cut(span, "-")
	start, err1 := strconv.ParseInt(first, 10, 64)
	size, err2 := strconv.ParseInt(total, 10, 64)
	return start, size, cut && isSpan && err1 == nil && err2 == nil && start >= 0 && size > start
}

// contentReader is an open download.
type contentReader struct {
	r     io.Reader
	body  io.Closer
	watch *watch
}

func (c *contentReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.watch.alive()
	if err != nil && !errors.Is(err, io.EOF) {
		err = transportError("read content", c.watch.cause(err))
	}
	return n, err
}

func (c *contentReader) Close() error {
	c.watch.stop()
	return c.body.Close()
}

// accessToken gives the attachment's token, making one where there is none:
// that is a write on the attachment, and needs the right to it.
func (c *Client) accessToken(ctx context.Context, id int64) (string, error) {
	var rows []struct {
		Token string `odoo:"access_token"`
	}
	if err := c.Read(ctx, attachmentModel, []int64{id}, []string{"access_token"}, &rows); err != nil {
		return "", err
	}
	if len(rows) == 1 && rows[0].Token != "" {
		return rows[0].Token, nil
	}
	var tokens []string
	if err := c.Call(ctx, attachmentModel, "generate_access_token", []any{[]int64{id}}, nil, &tokens); err != nil || len(tokens) != 1 {
		return "", err
	}
	return tokens[0], nil
}

// contentByRead is the last resort: the whole content as base64 in one answer,
// bounded by Config.MaxAnswer.
func (c *Client) contentByRead(ctx context.Context, id, offset, length int64) (io.ReadCloser, Info, error) {
	var rows []struct {
		Datas    string      `odoo:"datas"`
		Checksum odbxfs.SHA1 `odoo:"checksum"`
		Mimetype string      `odoo:"mimetype"`
		Type     string      `odoo:"type"`
		URL      string      `odoo:"url"`
	}
	if err := c.Read(ctx, attachmentModel, []int64{id}, []string{"datas", "checksum", "mimetype", "type", "url"}, &rows); err != nil {
		return nil, Info{}, named(err, id)
	}
	if len(rows) == 0 {
		return nil, Info{}, missingAttachment("read content", id)
	}
	if rows[0].Type == "url" && rows[0].Datas == "" {
		return nil, Info{}, linkError(id, rows[0].URL)
	}
	b, err := base64.StdEncoding.DecodeString(rows[0].Datas)
	if err != nil {
		return nil, Info{}, named(answerError("read content", err), id)
	}
	info := Info{SHA1: rows[0].Checksum, Size: int64(len(b)), Mimetype: rows[0].Mimetype, Offset: offset}
	b = b[min(offset, int64(len(b))):]
	if length >= 0 {
		b = b[:min(length, int64(len(b)))]
	}
	return io.NopCloser(bytes.NewReader(b)), info, nil
}
