package fs

import "sync"

// recent is a map that forgets what was put longest ago: for what may be
// forgotten at the price of work, never of truth. Safe for concurrent use.
type recent[K comparable, V any] struct {
	mu   sync.Mutex
	m    map[K]V
	ring []K // every key of m, and some that were dropped
	at   int // the place of the oldest
}

func newRecent[K comparable, V any](size int) *recent[K, V] {
	return &recent[K, V]{m: make(map[K]V), ring: make([]K, 0, size)}
}

func (r *recent[K, V]) put(k K, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, there := r.m[k]; !there {
		if len(r.ring) < cap(r.ring) {
			r.ring = append(r.ring, k)
		} else {
			delete(r.m, r.ring[r.at])
			r.ring[r.at] = k
			r.at = (r.at + 1) % len(r.ring)
		}
	}
	r.m[k] = v
}

func (r *recent[K, V]) get(k K) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.m[k]
	return v, ok
}

// take gets and drops.
func (r *recent[K, V]) take(k K) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.m[k]
	delete(r.m, k)
	return v, ok
}

func (r *recent[K, V]) has(k K) bool {
	_, ok := r.get(k)
	return ok
}

func (r *recent[K, V]) drop(k K) { r.take(k) }
