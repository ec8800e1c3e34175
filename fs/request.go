package fs

import (
	"context"
	"sync"
)

// request is the context of one request of the kernel: it ends when the kernel
// interrupts the request or the mount ends. Most requests never wait, so the
// goroutine that joins the two is started only when somebody asks for Done.
type request struct {
	context.Context // of the mount
	cancel          <-chan struct{}

	once sync.Once
	done chan struct{}
	end  chan struct{} // closed by finish
}

// request makes the context; its finish must be called.
func (f *FS) request(cancel <-chan struct{}) *request {
	return &request{Context: f.ctx, cancel: cancel, end: make(chan struct{})}
}

func (r *request) finish() { close(r.end) }

// Done implements context.Context.
func (r *request) Done() <-chan struct{} {
	r.once.Do(func() {
		r.done = make(chan struct{})
		go func() {
			select {
			case <-r.cancel:
				close(r.done)
			case <-r.Context.Done():
				close(r.done)
			case <-r.end:
			}
		}()
	})
	return r.done
}

// Err implements context.Context.
func (r *request) Err() error {
	select {
	case <-r.cancel:
		return context.Canceled
	default:
		return r.Context.Err()
	}
}
