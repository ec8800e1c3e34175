package content

import (
	"context"
	"errors"
	"io"
	gosync "sync"

	"odbxfs"
	"odbxfs/cache"
)

// chunk is what one fetch brings at least: a request's overhead (about 20 ms
// to Odoo, more to Dropbox) is then small beside its transfer. readWhole is
// the size up to which a file comes in one fetch.
const (
	chunk     = 4 << 20
	readWhole = 16 << 20
)

// shared is one version of a file that somebody has open.
type shared struct {
	key     string
	file    file
	content *cache.Content
	opener  *Opener
	users   int // guarded by opener.mu

	mu      gosync.Mutex
	flights map[int64]*flight // guarded by mu: fetches under way, by offset of their block
}

// flight is one fetch under way. done is closed by whoever fetches.
type flight struct {
	done chan struct{}
	err  error
}

// block gives the bounds of the fetch that brings the byte at off.
func (s *shared) block(off int64) (start, n int64) {
	size := s.content.Size()
	if size <= readWhole {
		return 0, size
	}
	start = off - off%chunk
	return start, min(chunk, size-start)
}

// need returns when the bytes [off, off+n) are here.
func (s *shared) need(ctx context.Context, off, n int64) error {
	for {
		missing := s.content.Missing(off, n)
		if len(missing) == 0 {
			return nil
		}
		if err := s.fly(ctx, missing[0].Off); err != nil {
			return err
		}
	}
}

// fly fetches the block around off, or waits for whoever does. The fetch is
// that of its first reader: if that one gives up, the next one fetches.
func (s *shared) fly(ctx context.Context, off int64) error {
	start, n := s.block(off)
	s.mu.Lock()
	if f, under := s.flights[start]; under {
		s.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if f.err != nil && (errors.Is(f.err, context.Canceled) || errors.Is(f.err, context.DeadlineExceeded)) {
			return ctx.Err() // nil, if it was only the other one who gave up
		}
		return f.err
	}
	f := &flight{done: make(chan struct{})}
	s.flights[start] = f
	s.mu.Unlock()

	f.err = s.fetch(ctx, start, n)
	s.mu.Lock()
	delete(s.flights, start)
	s.mu.Unlock()
	close(f.done)
	return f.err
}

// fetch brings what is missing of a block, and verifies the content once it is
// whole.
func (s *shared) fetch(ctx context.Context, start, n int64) error {
	for _, gap := range s.content.Missing(start, n) {
		if err := s.fillGap(ctx, gap); err != nil {
			return err
		}
	}
	if len(s.content.Missing(0, s.content.Size())) > 0 || s.content.Whole() {
		return nil
	}
	_, err := s.content.MarkWhole(ctx, s.file.sha1)
	if errors.Is(err, cache.ErrCorrupt) {
		return &odbxfs.Error{Op: "read", Item: s.file.name, Kind: odbxfs.KindCorrupt, Err: err}
	}
	return err
}

func (s *shared) fillGap(ctx context.Context, gap cache.Range) error {
	r, err := s.opener.read(ctx, s.file, gap.Off, gap.Len)
	if err != nil {
		return err
	}
	got, err := s.content.Fill(gap.Off, io.LimitReader(r, gap.Len))
	if err = errors.Join(err, r.Close()); err != nil {
		if odbxfs.KindOf(err) == odbxfs.KindUnknown && ctx.Err() == nil {
			err = &odbxfs.Error{Op: "read", Item: s.file.name, Kind: odbxfs.KindUnavailable, Err: err}
		}
		return err
	}
	if got < gap.Len {
		return &odbxfs.Error{Op: "read", Item: s.file.name, Kind: odbxfs.KindCorrupt,
			Err: io.ErrUnexpectedEOF}
	}
	return nil
}
