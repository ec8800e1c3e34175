package content

import (
	"context"
	"errors"
	"fmt"
	"io"

	"odbxfs"
	"odbxfs/cache"
)

// Wanted is what fetched bytes must be; an empty hash is not compared.
type Wanted struct {
	Size        int64
	ContentHash odbxfs.ContentHash
	SHA1        odbxfs.SHA1
}

// Got names bytes that are whole in the store.
type Got struct {
	ID          odbxfs.ContentID // empty for no bytes
	SHA1        odbxfs.SHA1
	ContentHash odbxfs.ContentHash // empty when they were here already
}

// Fetch brings bytes whole into the store and compares them with what is
// wanted; KindCorrupt when they are others. What the store has under the wanted
// SHA-1 is not fetched again. open is called once.
func Fetch(ctx context.Context, contents *cache.Contents, want Wanted, open odbxfs.Opener) (Got, error) {
	if want.Size == 0 {
		return Got{SHA1: odbxfs.EmptySHA1}, nil
	}
	if want.SHA1 != "" {
		if id, here := contents.BySHA1(want.SHA1); here {
			return Got{ID: id, SHA1: want.SHA1}, nil
		}
	}
	id, err := contents.New(want.Size, want.SHA1)
	if err != nil {
		return Got{}, fmt.Errorf("store: new content: %w", err)
	}
	c, err := contents.Reader(id)
	if err != nil {
		return Got{}, fmt.Errorf("store: new content: %w", err)
	}
	got, err := fill(ctx, c, want, open)
	return got, errors.Join(err, c.Close())
}

func fill(ctx context.Context, c *cache.Content, want Wanted, open odbxfs.Opener) (Got, error) {
	r, err := open(ctx)
	if err != nil {
		return Got{}, err
	}
	h := NewHasher()
	_, err = c.Fill(0, io.TeeReader(r, h))
	if err = errors.Join(err, r.Close()); err != nil {
		return Got{}, err
	}
	got := Got{ID: c.ID(), SHA1: h.SHA1(), ContentHash: h.ContentHash()}
	switch {
	case h.Size() != want.Size:
		return Got{}, corrupt("%d bytes came of %d", h.Size(), want.Size)
	case want.ContentHash != "" && got.ContentHash != want.ContentHash:
		return Got{}, corrupt("they have the content_hash %s instead of %s", got.ContentHash, want.ContentHash)
	}
	if _, err := c.MarkWhole(ctx, got.SHA1); err != nil {
		return Got{}, fmt.Errorf("store: %w", err)
	}
	if want.SHA1 != "" && got.SHA1 != want.SHA1 {
		return Got{}, corrupt("they have the SHA-1 %s instead of %s", got.SHA1, want.SHA1)
	}
	return got, nil
}

func corrupt(format string, args ...any) error {
	return &odbxfs.Error{Op: "fetch bytes", Kind: odbxfs.KindCorrupt, Err: fmt.Errorf(format, args...)}
}
