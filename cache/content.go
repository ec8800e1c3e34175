package cache

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"

	"odbxfs"
)

// Content is an open content. Its methods may be called concurrently.
type Content struct {
	c    *Contents
	e    *entry
	once sync.Once
}

// ID names it.
func (o *Content) ID() odbxfs.ContentID { return o.e.id }

// Size in bytes, of the whole.
func (o *Content) Size() int64 { return o.e.size }

// Whole reports whether it was verified to be here as a whole.
func (o *Content) Whole() bool {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	return o.e.whole
}

// Missing gives what is not here of the n bytes from off, in order.
func (o *Content) Missing(off, n int64) []Range {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	if o.e.whole {
		return nil
	}
	off = max(off, 0)
	n = min(n, o.e.size-off)
	if n <= 0 {
		return nil
	}
	return missing(o.e.ranges, Range{Off: off, Len: n})
}

// ReadAt reads bytes that are here; [ErrNotWhole] where one is not, io.EOF at
// the end.
func (o *Content) ReadAt(p []byte, off int64) (int, error) {
	if gaps := o.Missing(off, int64(len(p))); len(gaps) > 0 {
		return 0, fmt.Errorf("content %s at %d: %w", o.e.id, gaps[0].Off, ErrNotWhole)
	}
	return o.e.file.ReadAt(p, off)
}

// fillChunk is how much of a stream is written before it counts as here.
const fillChunk = 256 << 10

// Fill writes what r gives to off and on, until r ends or the content does, and
// gives the number of bytes taken. They count as here at once, and after a
// crash if a sync came between. Several may fill at once.
func (o *Content) Fill(off int64, r io.Reader) (int64, error) {
	buf := make([]byte, fillChunk)
	done := int64(0)
	for off+done < o.e.size {
		n, err := io.ReadFull(r, buf[:min(fillChunk, o.e.size-off-done)])
		if n > 0 {
			if werr := o.fill(buf[:n], off+done); werr != nil {
				return done, werr
			}
			done += int64(n)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return done, nil
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (o *Content) fill(p []byte, off int64) error {
	if o.Whole() {
		return nil
	}
	if err := o.c.makeRoom(int64(len(p))); err != nil {
		return fmt.Errorf("filling content %s: %w", o.e.id, err)
	}
	if _, err := o.e.file.WriteAt(p, off); err != nil {
		return fmt.Errorf("filling content %s: %w", o.e.id, err)
	}
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	o.e.ranges = addRange(o.e.ranges, Range{Off: off, Len: int64(len(p))})
	o.c.dirty[o.e.id] = o.e
	return nil
}

// MarkWhole verifies a content that has no missing range against want (empty:
// what it was made for, if that was said), enters it in the index, and gives its
// checksum. With other bytes than that it is [ErrCorrupt], and all of it is
// missing again.
func (o *Content) MarkWhole(ctx context.Context, want odbxfs.SHA1) (odbxfs.SHA1, error) {
	if len(o.Missing(0, o.e.size)) > 0 {
		return "", fmt.Errorf("content %s: %w", o.e.id, ErrNotWhole)
	}
	h := sha1.New()
	if err := hashFile(ctx, h, o.e.file, 0, o.e.size); err != nil {
		return "", fmt.Errorf("verifying content %s: %w", o.e.id, err)
	}
	got := sumOf(h)
	if want == "" {
		want = o.e.sha1
	}
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	if want != "" && want != got {
		o.e.ranges, o.e.whole = nil, false
		o.c.dirty[o.e.id] = o.e
		return got, fmt.Errorf("content %s has checksum %s, not %s: %w", o.e.id, got, want, ErrCorrupt)
	}
	o.e.sha1, o.e.whole, o.e.ranges = got, true, nil
	o.c.dirty[o.e.id] = o.e
	if !o.e.doomed {
		o.c.bySHA1[got] = o.e.id
	}
	return got, nil
}

// Close lets go of it. Further closes do nothing.
func (o *Content) Close() error {
	var err error
	o.once.Do(func() { err = o.c.release(o.e) })
	return err
}

func sumOf(h hash.Hash) odbxfs.SHA1 { return odbxfs.SHA1(hex.EncodeToString(h.Sum(nil))) }

// hashFile adds the bytes from off to end to h.
func hashFile(ctx context.Context, h hash.Hash, f *os.File, off, end int64) error {
	buf := make([]byte, fillChunk)
	for off < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.ReadAt(buf[:min(fillChunk, end-off)], off)
		h.Write(buf[:n])
		off += int64(n)
		if err != nil && off < end {
			return err
		}
	}
	return nil
}
