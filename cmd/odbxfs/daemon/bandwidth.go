package daemon

import (
	gosync "sync"
	"time"

	"odbxfs/cmd/odbxfs/config"
)

// reloadEvery is how soon a limit that was changed in the config file holds.
const reloadEvery = 5 * time.Second

// bandwidth gives the limits of one account as the config file has them now.
// A file that can't be read leaves them as they are.
type bandwidth struct {
	now    func() time.Time
	reload func() (config.Config, error) // nil: they stay as they were at the start
	name   string                        // of the section

	mu   gosync.Mutex // guards the rest
	d    config.Dropbox
	next time.Time // when to look again
}

func (b *bandwidth) limits() (up, down int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if b.reload != nil && !now.Before(b.next) {
		b.next = now.Add(reloadEvery)
		if cfg, err := b.reload(); err == nil {
			b.d = cfg.Dropbox[b.name]
		}
	}
	return b.d.Bandwidth(now)
}
