package odootest

import (
	"maps"
	"slices"
	"time"
)

// A SignIn is one attempt to sign in with a password or an API key. Calls over
// XML-RPC and JSON-2, which carry the secret each, are none.
type SignIn struct {
	Time  time.Time
	Login string
	OK    bool
}

// SignIns gives all attempts so far.
func (s *Server) SignIns() []SignIn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.signIns)
}

// noteSignIn is for where a client asks whether a secret is right.
func (s *Server) noteSignIn(login string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signIns = append(s.signIns, SignIn{Time: s.opt.Now(), Login: login, OK: ok})
}

// Models gives the names of all models, sorted.
func (s *Server) Models() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.db.models))
}

// Insert makes rows of a model as SQL would: no rights, no checks, no defaults.
// Integers are int64. It gives their ids, and nil when there is no such model.
func (s *Server) Insert(model string, rows ...map[string]any) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.db.models[model]
	if m == nil {
		return nil
	}
	t := s.begin(1, nil)
	ids := make([]int64, len(rows))
	for i, vals := range rows {
		ids[i] = t.insert(m, vals)
	}
	return ids
}

// Delete removes rows as SQL would: no rights, no checks, nothing that depends
// on them.
func (s *Server) Delete(model string, ids ...int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.db.models[model]; m != nil {
		t := s.begin(1, nil)
		for _, id := range ids {
			t.erase(m, id)
		}
	}
}
