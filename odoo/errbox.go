package odoo

import "sync"

// errBox holds the first error it is given; safe for concurrent use.
type errBox struct {
	mu  sync.Mutex
	err error // guarded by mu
}

func (b *errBox) set(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
}

func (b *errBox) get() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
