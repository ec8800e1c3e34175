package odoo

import (
	"bytes"
	"context"
	"crypto/sha1" // Odoo's checksum is one
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"sync"

	"odbxfs"
)

// A blob stands in a call's arguments for base64 content that is streamed: the
// codecs write its token, and the body is cut open there. So a file of any size
// is sent with one buffer, where encoding it as a string would hold it four
// times over (kolo's encoder copies each value once per level of nesting).
type blob struct {
	open  odbxfs.Opener
	size  int64
	want  odbxfs.SHA1 // checked while it streams, when not empty
	token string

	mu  sync.Mutex
	got odbxfs.SHA1 // guarded by mu: what was streamed last, whole
}

// sent gives the sha1 of what was streamed.
func (b *blob) sent() odbxfs.SHA1 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got
}

func (b *blob) setSent(s odbxfs.SHA1) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = s
}

// MarshalText makes JSON write the token.
func (b *blob) MarshalText() ([]byte, error) { return []byte(b.token), nil }

// frame is an encoded request: all of it, or what stands before and after the
// content.
type frame struct {
	head, tail []byte
	content    *blob
}

// encodeFrame encodes with enc. Where a blob is part of the arguments its token
// must come out exactly once; a text of the same wording elsewhere would be
// taken for it, so another token is tried then.
func encodeFrame(b *blob, enc func() ([]byte, error)) (frame, error) {
	if b == nil {
		body, err := enc()
		return frame{head: body}, err
	}
	for n := range 100 {
		b.token = "odbxfs-content-" + strconv.Itoa(n) + "-here"
		body, err := enc()
		if err != nil {
			return frame{}, err
		}
		if bytes.Count(body, []byte(b.token)) == 1 {
			head, tail, _ := bytes.Cut(body, []byte(b.token))
			return frame{head: head, tail: tail, content: b}, nil
		}
	}
	return frame{}, errors.New("no free token for the content")
}

// length is the whole body's, in bytes.
func (f frame) length() int64 {
	n := int64(len(f.head) + len(f.tail))
	if f.content != nil {
		n += int64(base64.StdEncoding.EncodedLen(int(f.content.size)))
	}
	return n
}

// open gives the body, from its start at every call.
func (f frame) open(ctx context.Context) (io.ReadCloser, error) {
	if f.content == nil {
		return io.NopCloser(bytes.NewReader(f.head)), nil
	}
	src, err := f.content.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open content: %w", err)
	}
	mid := &base64Reader{src: &exactReader{r: src, left: f.content.size, blob: f.content, sum: sha1.New()}}
	return &bodyReader{Reader: io.MultiReader(bytes.NewReader(f.head), mid, bytes.NewReader(f.tail)), Closer: src}, nil
}

type bodyReader struct {
	io.Reader
	io.Closer
}

// errContent marks a body that could not be sent as announced: the caller's
// content, not the server, is at fault.
var errContent = errors.New("content differs from what was announced")

// exactReader passes on exactly the announced bytes: fewer, more or others are
// an error before the last byte is out, so that a request with the wrong
// content is cut off and never carried out.
type exactReader struct {
	r    io.Reader
	left int64
	blob *blob
	sum  hash.Hash
	err  error
}

func (e *exactReader) Read(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	if e.left == 0 {
		e.err = e.finish()
		return 0, e.err
	}
	if int64(len(p)) > e.left {
		p = p[:e.left]
	}
	n, err := e.r.Read(p)
	e.left -= int64(n)
	e.sum.Write(p[:n])
	switch {
	case errors.Is(err, io.EOF) && e.left > 0:
		e.err = fmt.Errorf("%w: %d bytes are missing", errContent, e.left)
		return 0, e.err
	case err != nil && !errors.Is(err, io.EOF):
		e.err = fmt.Errorf("read content: %w", err)
		return 0, e.err
	case e.left == 0:
		if e.err = e.finish(); !errors.Is(e.err, io.EOF) {
			return 0, e.err
		}
	}
	return n, nil
}

// finish is called when all announced bytes are read.
func (e *exactReader) finish() error {
	var more [1]byte
	if n, _ := io.ReadFull(e.r, more[:]); n > 0 { // an error here is the end, or of no more interest
		return fmt.Errorf("%w: it is longer", errContent)
	}
	got := odbxfs.SHA1(hex.EncodeToString(e.sum.Sum(nil)))
	if want := e.blob.want; want != "" && want != got {
		return fmt.Errorf("%w: its sha1 is %s, not %s", errContent, got, want)
	}
	e.blob.setSent(got)
	return io.EOF
}

// base64Reader encodes src, padded, without line breaks.
type base64Reader struct {
	src io.Reader
	in  [48 << 10]byte // a multiple of 3, so only the last block is padded
	out [64 << 10]byte
	buf []byte
	err error
}

func (b *base64Reader) Read(p []byte) (int, error) {
	for len(b.buf) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		n, err := io.ReadFull(b.src, b.in[:])
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		b.err = err
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		base64.StdEncoding.Encode(b.out[:], b.in[:n])
		b.buf = b.out[:base64.StdEncoding.EncodedLen(n)]
	}
	n := copy(p, b.buf)
	b.buf = b.buf[n:]
	return n, nil
}
