package dropboxtest

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

const blockSize = 4 << 20

// contentHasher computes Dropbox's content_hash: SHA-256 over the SHA-256 of
// each block of 4 MiB.
type contentHasher struct {
	whole, block hash.Hash
	inBlock      int
}

func newContentHasher() *contentHasher {
	return &contentHasher{whole: sha256.New(), block: sha256.New()}
}

// Write implements io.Writer; it never fails.
func (h *contentHasher) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		part := p[:min(len(p), blockSize-h.inBlock)]
		h.block.Write(part)
		h.inBlock += len(part)
		p = p[len(part):]
		if h.inBlock == blockSize {
			h.endBlock()
		}
	}
	return n, nil
}

func (h *contentHasher) endBlock() {
	h.whole.Write(h.block.Sum(nil))
	h.block.Reset()
	h.inBlock = 0
}

func (h *contentHasher) sum() string {
	if h.inBlock > 0 {
		h.endBlock()
	}
	return hex.EncodeToString(h.whole.Sum(nil))
}

// ContentHash gives the content_hash of what r holds, and how many bytes it
// was. The error is r's.
func ContentHash(r io.Reader) (string, int64, error) {
	h := newContentHasher()
	n, err := io.Copy(h, r)
	return h.sum(), n, err
}
