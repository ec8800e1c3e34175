package cache

import (
	"slices"
	"sync"
)

// hub hands events from commits to subscribers, in order, from one goroutine.
type hub struct {
	mu     sync.Mutex
	wake   *sync.Cond
	queue  [][]Event
	subs   []*subscriber
	closed bool
}

type subscriber struct{ fn func([]Event) }

func newHub() *hub {
	h := &hub{}
	h.wake = sync.NewCond(&h.mu)
	return h
}

func (h *hub) subscribe(fn func([]Event)) func() {
	sub := &subscriber{fn: fn}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subs = append(h.subs, sub)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.subs = slices.DeleteFunc(h.subs, func(s *subscriber) bool { return s == sub })
	}
}

// publish queues the events of one commit; called in the order of commits.
func (h *hub) publish(events []Event) {
	events = squash(events)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(events) == 0 || len(h.subs) == 0 || h.closed {
		return
	}
	h.queue = append(h.queue, events)
	h.wake.Signal()
}

// squash leaves each event once, at its first place, and only one TreeDirty.
func squash(events []Event) []Event {
	seen := map[Event]bool{}
	return slices.DeleteFunc(events, func(e Event) bool {
		if e.Kind == EntryChanged || e.Kind == NodeGone {
			return false // their order tells what holds in the end
		}
		double := seen[e]
		seen[e] = true
		return double
	})
}

// run delivers until close, and then what is still queued.
func (h *hub) run() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		for len(h.queue) == 0 {
			if h.closed {
				return
			}
			h.wake.Wait()
		}
		events := h.queue[0]
		h.queue = h.queue[1:]
		subs := slices.Clone(h.subs)
		h.mu.Unlock()
		for _, s := range subs {
			s.fn(events)
		}
		h.mu.Lock()
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.wake.Broadcast()
}
