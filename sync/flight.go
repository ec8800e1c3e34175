package sync

import (
	"odbxfs"
)

// flight names the things that a batch under way writes to.
type flight struct {
	tasks map[uint64]bool // by Seq
	refs  map[odbxfs.OdooRef]bool
	ids   map[odbxfs.DropboxID]bool
	paths map[string]bool // in Dropbox, folded: where something is made, moved to or from
}

func newFlight() flight {
	return flight{tasks: map[uint64]bool{}, refs: map[odbxfs.OdooRef]bool{}, ids: map[odbxfs.DropboxID]bool{}, paths: map[string]bool{}}
}

// flightOf names what a batch of tasks on one side writes to.
func flightOf(to side, batch []work) flight {
	f := newFlight()
	for _, w := range batch {
		f.tasks[w.Seq] = true
		switch to {
		case toOdoo:
			if w.o != nil {
				f.refs[w.o.Ref] = true
			}
		case toDropbox:
			f.paths[odbxfs.FoldPath(w.path)] = true
			if w.d != nil {
				f.ids[w.d.ID] = true
				f.paths[odbxfs.FoldPath(w.d.Path)] = true
			}
		}
	}
	return f
}

// flightOfIntents names what the mount's intents write to.
func flightOfIntents(jobs []job) flight {
	f := newFlight()
	for _, j := range jobs {
		if !j.in.Was.Ref.IsZero() {
			f.refs[j.in.Was.Ref] = true
		}
	}
	return f
}

// taskInFlight reports whether the task of this Seq is under way.
func (e *Engine) taskInFlight(seq uint64) bool {
	for _, f := range e.flights {
		if f.tasks[seq] {
			return true
		}
	}
	return false
}

// odooInFlight reports whether a write to the thing is under way.
func (e *Engine) odooInFlight(r odbxfs.OdooRef) bool {
	for _, f := range e.flights {
		if f.refs[r] {
			return true
		}
	}
	return false
}

// dropboxInFlight reports whether a write of the client to the thing, or to its
// place, is under way.
func (e *Engine) dropboxInFlight(c *client, id odbxfs.DropboxID, path string) bool {
	f, writing := e.flights[c.lane("dropbox-write")]
	return writing && (f.ids[id] || f.paths[odbxfs.FoldPath(path)])
}
