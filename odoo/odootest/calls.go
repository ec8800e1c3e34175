package odootest

import (
	"slices"
	"sync"
	"time"
)

// Request is one method call that the server got.
type Request struct {
	Time   time.Time
	Model  string
	Method string
	UID    int64
	Ended  string // "" when it succeeded, else the exception's class or the fault
}

type requestLog struct {
	mu  sync.Mutex
	all []Request
}

func (l *requestLog) begin(now time.Time, model, method string, uid int64) func(ended string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.all)
	l.all = append(l.all, Request{Time: now, Model: model, Method: method, UID: uid, Ended: "running"})
	return func(ended string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if n < len(l.all) {
			l.all[n].Ended = ended
		}
	}
}

// Requests gives all calls so far.
func (s *Server) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.all)
}

// Fault makes one call go wrong on the wire. Empty fields match everything.
type Fault struct {
	Model, Method string
	Call          int  // which matching call from now, from 1; 0: the first
	Times         int  // how many in a row; 0: 1, negative: all
	After         bool // the call is carried out and its reply lost; else nothing is done
	// Until makes the call late instead of lost: its transaction begins, and does
	// its work and commits when this closes.
	Until <-chan struct{}
	// Forget carries the call out without its context, as the web session of 14
	// does when it runs one again after a serialization failure.
	Forget bool
	// Raise carries the call out, puts it back, and answers with this, as a
	// conflict that Odoo has tried in vain five times.
	Raise *PythonError
}

type faultPlan struct {
	mu   sync.Mutex
	list []*plannedFault
}

type plannedFault struct {
	Fault
	seen int
}

// Inject adds faults.
func (s *Server) Inject(faults ...Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	for _, f := range faults {
		s.faults.list = append(s.faults.list, &plannedFault{Fault: f})
	}
}

// ClearFaults ends all faults.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = nil
}

func (p *faultPlan) next(model, method string) *plannedFault {
	p.mu.Lock()
	defer p.mu.Unlock()
	var due *plannedFault
	for _, f := range p.list {
		if f.Model != "" && f.Model != model || f.Method != "" && f.Method != method {
			continue
		}
		f.seen++
		first, times := max(f.Call, 1), f.Times
		if times == 0 {
			times = 1
		}
		if due == nil && f.seen >= first && (times < 0 || f.seen < first+times) {
			due = f
		}
	}
	return due
}

func (f *plannedFault) before() bool {
	return f != nil && !f.After && f.Until == nil && !f.Forget && f.Raise == nil
}
func (f *plannedFault) after() bool { return f != nil && f.After }
func (f *plannedFault) holds() bool { return f != nil && f.Until != nil }
