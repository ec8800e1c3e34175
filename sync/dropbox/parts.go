package dropbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	gosync "sync"
	"time"

	"odbxfs"
)

// sessionLife is how long a session that broke off is gone on with: Dropbox
// keeps them for 7 days.
const sessionLife = 6 * 24 * time.Hour

// parts is what of a large file Dropbox has already, kept in a file so that a
// crash does not lose it. It is a help and no promise: what the file says wrong
// shows at the end by the content hash, and the upload begins anew.
type parts struct {
	path string // empty: nothing is kept

	mu      gosync.Mutex // guards the rest
	Session string       `json:"session"`
	Begun   time.Time    `json:"begun"`
	Have    []int64      `json:"have"` // offsets of the chunks that were taken
}

// openParts reads what is kept of an upload with these bytes to this place.
func (c *Client) openParts(o odbxfs.DropboxOp) *parts {
	if c.cfg.Resume == "" || o.Key == "" {
		return &parts{}
	}
	c.swept.Do(func() { sweep(c.cfg.Resume, c.cfg.Now()) })
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%s\x00%s\x00%s", o.Key, o.Size, o.Path, o.ID, o.Rev))
	p := &parts{path: filepath.Join(c.cfg.Resume, hex.EncodeToString(sum[:16])+".json")}
	data, err := os.ReadFile(p.path)
	if err != nil || p.decode(data) != nil || c.cfg.Now().Sub(p.Begun) > sessionLife {
		return &parts{path: p.path}
	}
	return p
}

// sweep removes what is kept of uploads that nobody will go on with.
func sweep(dir string, now time.Time) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return // the pattern is a constant
	}
	for _, name := range names {
		var p parts
		if data, err := os.ReadFile(name); err == nil && (p.decode(data) != nil || now.Sub(p.Begun) > sessionLife) {
			_ = os.Remove(name) // the next start tries again
		}
	}
}

// decode reads what begin and sent wrote. On an error nothing is taken over.
func (p *parts) decode(data []byte) error {
	var got parts
	if err := json.Unmarshal(data, &got); err != nil {
		return err
	}
	for _, at := range got.Have {
		if at < 0 || at%chunkSize != 0 {
			return errors.New("an offset is none of a chunk")
		}
	}
	if got.Session == "" {
		return errors.New("no session")
	}
	p.Session, p.Begun, p.Have = got.Session, got.Begun, got.Have
	return nil
}

// begin notes a new session; "" that there is none.
func (p *parts) begin(session string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Session, p.Begun, p.Have = session, now, nil
}

func (p *parts) has(at int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, have := range p.Have {
		if have == at {
			return true
		}
	}
	return false
}

// sent notes a chunk that Dropbox took.
func (p *parts) sent(at int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Have = append(p.Have, at)
	if p.path == "" {
		return nil
	}
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("note a sent part: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return fmt.Errorf("note a sent part: %w", err)
	}
	// Whole or not at all for a crash of this process; after one of the machine
	// a file that does not read is as good as none.
	next := p.path + ".new"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return fmt.Errorf("note a sent part: %w", err)
	}
	if err := os.Rename(next, p.path); err != nil {
		return fmt.Errorf("note a sent part: %w", err)
	}
	return nil
}

// forget removes what was kept.
func (p *parts) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.path != "" {
		_ = os.Remove(p.path) // what stays is found void by the next upload
	}
}
