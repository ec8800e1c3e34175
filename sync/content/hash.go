package content

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"odbxfs"
)

// hashBlock is the block of Dropbox's content_hash: 4 MiB, by its own
// definition (Dropbox API, "Content hash").
const hashBlock = 4 << 20

// Hasher computes both hashes of a content while it streams: the SHA-1 that
// Odoo has and the content_hash that Dropbox has. The zero value is not usable;
// make one with [NewHasher]. It is used by one goroutine at a time.
type Hasher struct {
	sha1   hash.Hash
	block  hash.Hash // of the block under way
	outer  hash.Hash // over the hashes of whole blocks
	filled int       // bytes in the block under way
	size   int64
}

// NewHasher gives a hasher of an empty content.
func NewHasher() *Hasher {
	return &Hasher{sha1: sha1.New(), block: sha256.New(), outer: sha256.New()}
}

// Write adds bytes. It never fails.
func (h *Hasher) Write(p []byte) (int, error) {
	n := len(p)
	h.sha1.Write(p)
	h.size += int64(n)
	for len(p) > 0 {
		take := min(hashBlock-h.filled, len(p))
		h.block.Write(p[:take])
		h.filled += take
		p = p[take:]
		if h.filled == hashBlock {
			h.outer.Write(h.block.Sum(nil))
			h.block.Reset()
			h.filled = 0
		}
	}
	return n, nil
}

// Size is the number of bytes written so far.
func (h *Hasher) Size() int64 { return h.size }

// SHA1 is the SHA-1 of what was written so far.
func (h *Hasher) SHA1() odbxfs.SHA1 {
	return odbxfs.SHA1(hex.EncodeToString(h.sha1.Sum(nil)))
}

// ContentHash is Dropbox's hash of what was written so far.
func (h *Hasher) ContentHash() odbxfs.ContentHash {
	sum := h.outer
	if h.filled > 0 {
		// Sum must not change the state: more bytes may follow.
		sum = cloneHash(h.outer)
		sum.Write(h.block.Sum(nil))
	}
	return odbxfs.ContentHash(hex.EncodeToString(sum.Sum(nil)))
}

// cloneHash copies a SHA-256 under way; crypto/sha256 promises hash.Cloner.
func cloneHash(h hash.Hash) hash.Hash {
	c, ok := h.(hash.Cloner)
	if !ok {
		panic("content: crypto/sha256 can no longer be cloned")
	}
	d, err := c.Clone()
	if err != nil {
		panic("content: crypto/sha256 can no longer be cloned: " + err.Error())
	}
	return d.(hash.Hash)
}

// HashAll reads r to its end and gives both hashes and the size.
func HashAll(r io.Reader) (odbxfs.SHA1, odbxfs.ContentHash, int64, error) {
	h := NewHasher()
	if _, err := io.Copy(h, r); err != nil {
		return "", "", 0, err
	}
	return h.SHA1(), h.ContentHash(), h.Size(), nil
}
