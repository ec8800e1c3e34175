package dropboxtest

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"sync"
	"time"
)

// Request is one request that the server got.
type Request struct {
	Number int64     // from 1
	Time   time.Time // when it came
	Route  string    // as "files/upload", "oauth2/token", or the path of a page
	Method string
	Status int    // 0: still running, or the connection was dropped
	Item   string // path, "from -> to", url, or "n entries"
	Fault  string // the fault that it met, as "drop after"
	Note   string // why the server itself failed
	Bytes  int64  // of its body
	Done   bool
}

// requestLog remembers all requests.
type requestLog struct {
	mu   sync.Mutex
	list []Request
	base int64 // number of the last forgotten request
}

func (l *requestLog) begin(now time.Time) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.base + int64(len(l.list)) + 1
	l.list = append(l.list, Request{Number: n, Time: now})
	return n
}

func (l *requestLog) end(n int64, c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n <= l.base {
		return
	}
	q := &l.list[n-l.base-1]
	q.Route, q.Method, q.Status, q.Item = c.route, c.r.Method, c.status, c.item
	q.Fault, q.Note, q.Bytes, q.Done = c.fault, c.note, c.in, true
}

// Requests gives all requests that ended, in the order of their coming.
func (s *Server) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	var done []Request
	for _, q := range s.log.list {
		if q.Done {
			done = append(done, q)
		}
	}
	return done
}

// Counts gives the number of requests by route.
func (s *Server) Counts() map[string]int {
	counts := map[string]int{}
	for _, q := range s.Requests() {
		counts[q.Route]++
	}
	return counts
}

// ForgetRequests empties the log. Numbers go on.
func (s *Server) ForgetRequests() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.base += int64(len(s.log.list))
	s.log.list = nil
}

// requestID gives the 32 hex digits that a client should log.
func requestID(n int64) string {
	sum := sha256.Sum256([]byte("request " + strconv.FormatInt(n, 10)))
	return hex.EncodeToString(sum[:16])
}
