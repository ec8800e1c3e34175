package dropboxtest

import (
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"io"
	"net/http"
	"sync"
	"time"
)

// Costs is what calls cost in time, on the server's clock. The zero value: they
// cost nothing. The same seed gives the n-th call of a route the same latency.
type Costs struct {
	Seed uint64
	// Latency is what a call of a route takes besides the rest; of routes that
	// are not named, that of "".
	Latency map[string]Span
	// Lock is the write lock of each namespace.
	Lock WriteLock
	// Up and Down are how many bytes the line carries in a second, all calls
	// together; 0: any.
	Up, Down int64
	// Rate is how many requests a token may make in a second on average, and
	// Burst how many at once; 0: any. Who makes more gets 429 too_many_requests
	// with RetryAfter.
	Rate       float64
	Burst      int
	RetryAfter time.Duration
}

// Span is from how long to how long something takes.
type Span struct{ Min, Max time.Duration }

// WriteLock is the cost of writing to one namespace.
type WriteLock struct {
	Hold     time.Duration // one write, or the fixed part of a batch
	PerEntry time.Duration // added for each entry of a batch
	MaxWait  time.Duration // who would wait longer is rejected
}

// MeasuredCosts are the costs that figures are reported with. Every parameter
// stands here, with its source; what reports figures does not change it.
//
// "Recorded" are the X-Server-Response-Time headers of the recordings of the
// real service that testdata/recorded.txt was made of (2016 to 2022).
func MeasuredCosts(seed uint64) Costs {
	ms := func(from, to int) Span {
		return Span{time.Duration(from) * time.Millisecond, time.Duration(to) * time.Millisecond}
	}
	session := ms(300, 540) // recorded for upload_session/start
	return Costs{
		Seed: seed,
		Latency: map[string]Span{
			"":                           ms(150, 300), // guess: between the cheapest and the dearest read
			"files/list_folder":          ms(100, 130), // recorded
			"files/list_folder/continue": ms(100, 130), // as list_folder
			"files/get_metadata":         ms(200, 270), // recorded up to 270
			"files/download":             ms(200, 300), // recorded: 227
			"files/get_preview":          ms(500, 600), // recorded: 588
			"files/get_thumbnail":        ms(250, 300), // recorded: 273
			"files/upload":               ms(400, 560), // recorded 560 to 1200, the lock included
			"files/upload_session/start": session,
			// Not recorded, one call like another to the same service.
			"files/upload_session/start_batch":     session,
			"files/upload_session/append_v2":       ms(330, 500), // recorded
			"files/upload_session/append_batch":    ms(330, 500), // as append_v2
			"files/upload_session/finish":          ms(370, 530), // recorded 530 to 1880, the lock included
			"files/upload_session/finish_batch_v2": ms(410, 570), // rclone's forum: 0.57 s for one entry
			"files/list_folder/longpoll":           {},           // it waits by itself
			"oauth2/token":                         ms(35, 400),  // recorded: refresh 35, exchange 400
		},
		// Recorded from 15 parallel uploads: 7 were accepted about 160 ms apart,
		// the last after 1.6 s, the rest rejected with 429 and Retry-After 1. What
		// an entry of a batch adds is a guess.
		Lock: WriteLock{Hold: 160 * time.Millisecond, PerEntry: 4 * time.Millisecond, MaxWait: 1700 * time.Millisecond},
		// Not Dropbox's but the caller's: a line of 100 Mbit/s both ways. Dropbox
		// itself names 350 GB in about 50 minutes with concurrent sessions.
		Up: 12_500_000, Down: 12_500_000,
		// The budget is not published; the waits that clients met are 15 and 300 s.
		Rate: 0, Burst: 0, RetryAfter: 15 * time.Second,
	}
}

// meter keeps account of what calls cost.
type meter struct {
	mu       sync.Mutex
	calls    map[string]uint64    // by route
	lockFree map[string]time.Time // by namespace: when its write lock is free
	upFree   time.Time            // when the line is free
	downFree time.Time
	buckets  map[string]*bucket // by token
}

// bucket is a token's budget of requests.
type bucket struct {
	left float64
	at   time.Time
}

func newMeter() *meter {
	return &meter{calls: map[string]uint64{}, lockFree: map[string]time.Time{}, buckets: map[string]*bucket{}}
}

// latency draws what the next call of a route takes.
func (m *meter) latency(costs *Costs, route string) time.Duration {
	span, named := costs.Latency[route]
	if !named {
		span = costs.Latency[""]
	}
	m.mu.Lock()
	m.calls[route]++
	n := m.calls[route]
	m.mu.Unlock()
	if span.Max <= span.Min {
		return span.Min
	}
	h := fnv.New64a()
	h.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64([]byte(route), costs.Seed), n))
	return span.Min + time.Duration(h.Sum64()%uint64(span.Max-span.Min))
}

// charge lets a call wait for its latency, or refuses one beyond the budget.
func (s *Server) charge(c *call) error {
	if token, err := bearer(c.r); err == nil && s.opt.Costs.Rate > 0 && !s.meter.spend(&s.opt.Costs, token, s.opt.Now()) {
		f := Fault{Kind: RateLimited, RetryAfter: s.opt.Costs.RetryAfter}
		return f.answer()
	}
	if d := s.meter.latency(&s.opt.Costs, c.route); d > 0 && !s.wait(c.r.Context(), d) {
		return c.r.Context().Err()
	}
	return nil
}

// spend takes one request out of a token's budget. Refused ones count too.
func (m *meter) spend(costs *Costs, token string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.buckets[token]
	if b == nil {
		b = &bucket{left: float64(costs.Burst), at: now}
		m.buckets[token] = b
	}
	b.left = min(float64(costs.Burst), b.left+now.Sub(b.at).Seconds()*costs.Rate) - 1
	b.at = now
	if b.left >= 0 {
		return true
	}
	b.left = max(b.left, -float64(costs.Burst))
	return false
}

// takeWriteLock waits for the namespace as Costs.Lock says.
func (s *Server) takeWriteLock(c *call, raw []byte) error {
	lock := s.opt.Costs.Lock
	if lock == (WriteLock{}) {
		return nil
	}
	var batch struct {
		Entries []json.RawMessage `json:"entries"`
		Paths   []json.RawMessage `json:"paths"`
	}
	hold := lock.Hold
	if json.Unmarshal(raw, &batch) == nil { // otherwise decoding the argument will tell
		hold += lock.PerEntry * time.Duration(len(batch.Entries)+len(batch.Paths))
	}
	now := s.opt.Now()
	until, free := s.meter.queue(c.v.ns, now, hold, lock.MaxWait)
	if !free {
		// A batch says it for each entry (reported for finish_batch, where whole
		// batches of a thousand came back so); anything else is a 429.
		c.busy = c.route == "files/upload_session/finish_batch_v2"
		if c.busy {
			return nil
		}
		return tooManyWrites(1)
	}
	if !s.wait(c.r.Context(), until.Sub(now)) {
		return c.r.Context().Err()
	}
	return nil
}

// queue reserves a namespace's lock; until is when it will be released.
func (m *meter) queue(ns string, now time.Time, hold, maxWait time.Duration) (until time.Time, free bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	start := later(m.lockFree[ns], now)
	if start.Sub(now) > maxWait {
		return now, false
	}
	m.lockFree[ns] = start.Add(hold)
	return m.lockFree[ns], true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// carry waits until the line has carried n bytes, after those of other calls.
func (s *Server) carry(c *call, free *time.Time, rate int64, n int) {
	if rate <= 0 || n == 0 {
		return
	}
	now := s.opt.Now()
	s.meter.mu.Lock()
	*free = later(*free, now).Add(time.Duration(int64(n) * int64(time.Second) / rate))
	until := *free
	s.meter.mu.Unlock()
	s.wait(c.r.Context(), until.Sub(now)) // cut short when the caller is gone; then nobody reads on
}

// lineIn is a request's body at the line's speed, counted for the log.
type lineIn struct {
	io.ReadCloser
	c *call
}

// Read implements io.Reader.
func (b *lineIn) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.c.in += int64(n)
	b.c.s.carry(b.c, &b.c.s.meter.upFree, b.c.s.opt.Costs.Up, n)
	return n, err
}

// lineOut is an answer at the line's speed.
type lineOut struct {
	http.ResponseWriter
	c *call
}

// Write implements io.Writer.
func (w *lineOut) Write(p []byte) (int, error) {
	w.c.s.carry(w.c, &w.c.s.meter.downFree, w.c.s.opt.Costs.Down, len(p))
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *lineOut) Unwrap() http.ResponseWriter { return w.ResponseWriter }
