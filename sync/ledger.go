package sync

import (
	"context"
	"fmt"

	"odbxfs"
	"odbxfs/cache"
)

// laneLog is the lane of the log on its way to Odoo.
const laneLog = "odoo-log"

// nextLog sends lines of the log to Odoo, and the state of each client where
// it changed.
func (e *Engine) nextLog() error {
	if !e.opt.syncs() || e.opt.OnlyPlan || !e.odoo.loaded || !e.free(laneLog) {
		return nil
	}
	if !e.logWire.ready(e.opt.Now()) {
		e.wakeAt(e.logWire.notUntil)
		return nil
	}
	if e.tellState() || !e.logDue {
		return nil
	}
	var entries []cache.LogEntry
	err := e.store.View(func(tx *cache.Tx) error {
		var err error
		entries, err = tx.Log(e.logSent, logPage)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: log: %w", err)
	}
	if len(entries) == 0 {
		e.logDue = false
		return nil
	}
	lines := lastLines(entries)
	upTo := entries[len(entries)-1].Seq
	e.emit(laneLog, fmt.Sprintf("odoo: %d lines of log", len(lines)), func(ctx context.Context) func() error {
		err := e.opt.Ledger.Log(ctx, lines)
		return func() error { return e.logged(upTo, err) }
	})
	return nil
}

// lastLines leaves of each task only its latest line.
func lastLines(entries []cache.LogEntry) []odbxfs.LogLine {
	at := map[string]int{}
	var lines []odbxfs.LogLine
	for _, l := range entries {
		if i, ok := at[l.Task]; ok && l.Task != "" {
			lines[i] = l.LogLine
			continue
		}
		at[l.Task] = len(lines)
		lines = append(lines, l.LogLine)
	}
	return lines
}

func (e *Engine) logged(upTo uint64, err error) error {
	if err != nil {
		e.logWire.failed(e.opt.Now(), err, e.opt.Random())
		if k := odbxfs.KindOf(err); k == odbxfs.KindInvalid || k == odbxfs.KindAccess {
			e.log.Error("Odoo refuses lines of the sync log", "error", err)
		}
		return nil
	}
	e.logWire.ok()
	e.logSent = upTo
	return e.update("note what Odoo has of the log", func(tx *cache.Tx) error {
		return setMeta(tx, metaLogSent, upTo)
	})
}

// tellState writes the state of one client to Odoo, if it is another than
// Odoo was told last.
func (e *Engine) tellState() bool {
	for _, c := range e.sorted() {
		state, message := e.stateOf(c)
		if state == "" || c.stated == state+message || !c.lease.held(e.opt.Now()) {
			continue
		}
		e.emit(laneLog, "odoo: state of a client", func(ctx context.Context) func() error {
			err := e.opt.Ledger.SetClientState(ctx, c.id, state, message)
			return func() error {
				if err != nil {
					e.logWire.failed(e.opt.Now(), err, e.opt.Random())
					return nil //nolint:nilerr // the wire keeps it, and tries again by its pace
				}
				e.logWire.ok()
				c.stated = state + message
				return nil
			}
		})
		return true
	}
	return false
}

// The states of a cloud client, as its form in Odoo shows them.
const (
	StateConnected = "connected"
	StatePaused    = "paused"
	StateError     = "error"
	// StateReset: it was let go, and is paused until a person wants it mirrored
	// again.
	StateReset = "reset"
)

// What Odoo's form of a client says while it is reset, and afterwards.
const (
	isReset  = "everything is being brought back into Odoo"
	wasReset = "everything is in Odoo again; take the pause away to have it mirrored anew"
	leftOver = "%d links could not be brought back into Odoo: odbxfs status says why; mend that, then odbxfs reset"
)

// stateOf says how a client does, in a word and a sentence; "" while nothing
// is known yet.
func (e *Engine) stateOf(c *client) (state, message string) {
	_, resetting := e.resets[c.id]
	switch {
	case resetting:
		return StateReset, e.resetSays
	case c.cfg.Paused && c.wasReset:
		return StateReset, wasReset
	case c.cfg.Paused:
		return StatePaused, ""
	case c.remote.err != nil && (c.failures > 1 || odbxfs.IsKind(c.remote.err, odbxfs.KindCredentials) || odbxfs.IsKind(c.remote.err, odbxfs.KindSettings)):
		return StateError, c.remote.err.Error()
	case c.listed:
		return StateConnected, ""
	}
	return "", ""
}
