package dropboxtest

// BecomeKind gives the account another kind, as when a person buys another plan or
// joins a team: what links may be bounded by follows it.
func (s *Server) BecomeKind(kind AccountKind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members[0].Kind = kind
}
