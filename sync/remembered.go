package sync

import (
	"slices"
	"time"

	"odbxfs/cache"
)

// metaStatus has how the engine did when something last changed, for whoever
// asks while no engine runs.
const metaStatus = "engine/status"

// rememberEvery is how old what the store has may get while nothing changes.
const rememberEvery = time.Minute

// sameState reports whether two states say the same about the remotes.
func (s *Status) sameState(o *Status) bool {
	return s.OdooOK == o.OdooOK && s.OdooErr == o.OdooErr && slices.Equal(s.Waiting, o.Waiting) && slices.Equal(s.Clients, o.Clients)
}

// remember writes a state into the store when it says something new, and now
// and then so that its time is known.
func (e *Engine) remember(s Status) error {
	if e.opt.OnlyPlan || s.sameState(&e.told) && s.Time.Sub(e.told.Time) < rememberEvery {
		return nil
	}
	e.told = s
	return e.update("note the state", func(tx *cache.Tx) error { return setMeta(tx, metaStatus, s) })
}

// remembered gives the state that an engine before this one left: its Time says
// how old it is, zero that there was none. What is in the queue is not of it.
func remembered(tx *cache.Tx) (Status, error) {
	var s Status
	err := getMeta(tx, metaStatus, &s)
	s.Past, s.Running = !s.Time.IsZero(), nil
	for i := range s.Clients {
		s.Clients[i].Epoch, s.Clients[i].Listed, s.Clients[i].Other = 0, false, false
	}
	return s, err
}
