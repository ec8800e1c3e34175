package dropboxtest

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// session is an upload in parts.
type session struct {
	mu         sync.Mutex
	spool      spool
	begun      time.Time
	concurrent bool
	closed     bool
	size       int64           // sequential: bytes so far; concurrent: the largest end
	parts      map[int64]int64 // concurrent: offset -> length
	hash       string          // once its content was kept
}

func (u *session) drop() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.spool == nil {
		return nil
	}
	return u.spool.discard()
}

// loseSessions ends all uploads that are under way.
func (s *Server) loseSessions() {
	s.mu.Lock()
	sessions := s.sessions
	s.sessions = map[string]*session{}
	s.mu.Unlock()
	for _, u := range sessions {
		_ = u.drop() // what it leaves goes with the spool's folder
	}
}

func (s *Server) newSession(owner *member, concurrent bool) (string, *session, error) {
	sp, err := s.store.spool()
	if err != nil {
		return "", nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := fmt.Sprintf("pid_upload_session:%s%d", owner.ID[5:], s.tree.nextSeq())
	u := &session{spool: sp, begun: s.opt.Now(), concurrent: concurrent, parts: map[int64]int64{}}
	s.sessions[id] = u
	return id, u, nil
}

type sessionCursor struct {
	SessionID string `json:"session_id" stone:"required"`
	Offset    int64  `json:"offset" stone:"required"`
}

// session finds one; errors are those of UploadSessionLookupError.
func (s *Server) session(cur sessionCursor) (*session, *unionError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.sessions[cur.SessionID]
	if u == nil || s.opt.Now().Sub(u.begun) > s.opt.Behaviour.SessionAge {
		return nil, fail("not_found")
	}
	return u, nil
}

type sessionStartArg struct {
	Close       bool   `json:"close"`
	SessionType tagged `json:"session_type"`
	ContentHash string `json:"content_hash"`
}

func sessionStart(c *call, arg *sessionStartArg) (any, error) {
	got, err := c.receive(arg.ContentHash)
	if err != nil {
		return nil, unjoin(err)
	}
	defer got.spool.discard() //nolint:errcheck // its bytes were copied; a leftover goes with Close
	concurrent := arg.SessionType.Tag == "concurrent"
	switch {
	case concurrent && got.size > 0:
		return nil, fail("concurrent_session_data_not_allowed")
	case concurrent && arg.Close:
		return nil, fail("concurrent_session_close_not_allowed")
	}
	id, u, err := c.s.newSession(c.v.who, concurrent)
	if err != nil {
		return nil, err
	}
	c.item = id
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.add(0, got, arg.Close); err != nil {
		return nil, err
	}
	return map[string]any{"session_id": id}, nil
}

// add takes data in at off and closes the session if asked. The caller holds mu
// and has checked that off fits.
func (u *session) add(off int64, got *received, last bool) error {
	_, err := io.Copy(io.NewOffsetWriter(u.spool, off), io.NewSectionReader(got.spool, 0, got.size))
	if err != nil {
		return err
	}
	u.size = max(u.size, off+got.size)
	if u.concurrent && got.size > 0 {
		u.parts[off] = got.size
	}
	u.closed = u.closed || last
	return nil
}

// fits checks an append; errors are those of UploadSessionAppendError.
func (u *session) fits(off, size int64, last bool) *unionError {
	switch {
	case u.closed || u.hash != "":
		return fail("closed")
	case !u.concurrent && off != u.size:
		e := fail("incorrect_offset")
		e.extra = map[string]any{"correct_offset": u.size}
		return e
	case u.concurrent && off%blockSize != 0:
		return fail("concurrent_session_invalid_offset")
	case u.concurrent && !last && size%blockSize != 0:
		return fail("concurrent_session_invalid_data_size")
	case off+size > 1<<41-1<<22:
		return fail("too_large")
	}
	return nil
}

// whole reports whether a concurrent session has no gap.
func (u *session) whole() bool {
	if !u.concurrent {
		return true
	}
	var end int64
	for end < u.size {
		n, ok := u.parts[end]
		if !ok {
			return false
		}
		end += n
	}
	return true
}

type sessionAppendArg struct {
	Cursor      sessionCursor `json:"cursor" stone:"required"`
	Close       bool          `json:"close"`
	ContentHash string        `json:"content_hash"`
}

func sessionAppend(c *call, arg *sessionAppendArg) (any, error) {
	c.item = arg.Cursor.SessionID
	got, err := c.receive(arg.ContentHash)
	if err != nil {
		return nil, unjoin(err)
	}
	defer got.spool.discard() //nolint:errcheck // its bytes were copied; a leftover goes with Close
	if err := c.s.append(arg.Cursor, got, arg.Close); err != nil {
		return nil, err
	}
	return nil, nil
}

// append gives a *unionError or an error of the store, never a typed nil.
func (s *Server) append(cur sessionCursor, got *received, last bool) error {
	u, lerr := s.session(cur)
	if lerr != nil {
		return lerr
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if lerr := u.fits(cur.Offset, got.size, last); lerr != nil {
		return lerr
	}
	return u.add(cur.Offset, got, last)
}

type startBatchArg struct {
	NumSessions int    `json:"num_sessions" stone:"required"`
	SessionType tagged `json:"session_type"`
}

func sessionStartBatch(c *call, arg *startBatchArg) (any, error) {
	c.item = items(arg.NumSessions)
	if arg.NumSessions < 1 || arg.NumSessions > 1000 {
		return nil, badCall("request body: num_sessions: %d is not within [1, 1000]", arg.NumSessions)
	}
	ids := make([]string, arg.NumSessions)
	for i := range ids {
		id, _, err := c.s.newSession(c.v.who, arg.SessionType.Tag == "concurrent")
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return map[string]any{"session_ids": ids}, nil
}

type appendBatchEntry struct {
	Cursor sessionCursor `json:"cursor" stone:"required"`
	Length int64         `json:"length" stone:"required"`
	Close  bool          `json:"close"`
}

type appendBatchArg struct {
	Entries     []appendBatchEntry `json:"entries" stone:"required"`
	ContentHash string             `json:"content_hash"`
}

// sessionAppendBatch takes the data of many sessions, one after the other, in
// one body.
func sessionAppendBatch(c *call, arg *appendBatchArg) (any, error) {
	c.item = items(len(arg.Entries))
	if len(arg.Entries) > 1000 {
		return nil, badCall("%s: entries: %d is more than 1000 items", c.source(), len(arg.Entries))
	}
	var sum int64
	for _, e := range arg.Entries {
		sum += e.Length
	}
	got, err := c.receive(arg.ContentHash)
	if err != nil {
		return nil, unjoin(err)
	}
	defer got.spool.discard() //nolint:errcheck // its bytes were copied; a leftover goes with Close
	if sum != got.size {
		return nil, fail("length_mismatch")
	}
	entries := make([]any, len(arg.Entries))
	var at int64
	for i, e := range arg.Entries {
		part := &received{spool: section{io.NewSectionReader(got.spool, at, e.Length)}, size: e.Length}
		at += e.Length
		entries[i] = tag("success")
		if err := c.s.append(e.Cursor, part, e.Close); err != nil {
			entries[i] = failure(err)
		}
	}
	return map[string]any{"entries": entries}, nil
}

// section is a part of another spool, to read.
type section struct{ *io.SectionReader }

// WriteAt implements io.WriterAt; nobody writes to a section.
func (section) WriteAt([]byte, int64) (int, error) { return 0, errors.ErrUnsupported }
func (section) discard() error                     { return nil }

type sessionFinishArg struct {
	Cursor      sessionCursor `json:"cursor" stone:"required"`
	Commit      commitInfo    `json:"commit" stone:"required"`
	ContentHash string        `json:"content_hash"`
}

func sessionFinish(c *call, arg *sessionFinishArg) (any, error) {
	c.item = arg.Commit.Path
	if err := c.checkPath("commit.path", arg.Commit.Path, writePattern); err != nil {
		return nil, err
	}
	got, err := c.receive(arg.ContentHash)
	if err != nil {
		return nil, unjoin(err)
	}
	defer got.spool.discard() //nolint:errcheck // its bytes were copied; a leftover goes with Close
	u, lerr := c.s.session(arg.Cursor)
	if lerr != nil {
		return nil, lerr.under("lookup_failed")
	}
	if got.size > 0 {
		// Data sent along counts even if the commit fails.
		if err := c.s.append(arg.Cursor, got, true); err != nil {
			return nil, nameError(err, "lookup_failed")
		}
		arg.Cursor.Offset += got.size
	}
	return c.s.finish(u, arg.Cursor, arg.Commit, c)
}

// finish makes a session's bytes a file. It may be called again with the same
// session: Behaviour.RefuseFinishedSession.
func (s *Server) finish(u *session, cur sessionCursor, ci commitInfo, c *call) (any, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case cur.Offset != u.size && !u.concurrent:
		e := fail("lookup_failed", "incorrect_offset")
		e.extra = map[string]any{"correct_offset": u.size}
		return nil, e
	case u.concurrent && !u.closed:
		return nil, fail("concurrent_session_not_closed")
	case !u.whole():
		return nil, fail("concurrent_session_missing_data")
	case u.hash != "" && s.opt.Behaviour.RefuseFinishedSession:
		return nil, fail("lookup_failed", "not_found")
	}
	if u.hash == "" {
		hash, _, err := ContentHash(io.NewSectionReader(u.spool, 0, u.size))
		if err != nil {
			return nil, err
		}
		if err := s.store.keep(u.spool, hash); err != nil {
			return nil, err
		}
		u.spool, u.hash, u.closed = nil, hash, true
	}
	return c.locked(func() (any, error) { return c.v.commitFile(ci, u.hash, u.size) })
}

type finishBatchEntry struct {
	Cursor sessionCursor `json:"cursor" stone:"required"`
	Commit commitInfo    `json:"commit" stone:"required"`
}

type finishBatchArg struct {
	Entries []finishBatchEntry `json:"entries" stone:"required"`
}

// finishBatch does all entries in order. A failed one does not stop the rest.
func (c *call) finishBatch(arg *finishBatchArg) ([]any, error) {
	c.item = items(len(arg.Entries))
	if len(arg.Entries) > 1000 {
		return nil, badCall("request body: entries: %d is more than 1000 items", len(arg.Entries))
	}
	for _, e := range arg.Entries {
		if err := c.checkPath("entries: commit.path", e.Commit.Path, writePattern); err != nil {
			return nil, err
		}
	}
	done := make([]any, len(arg.Entries))
	for i, e := range arg.Entries {
		if err := c.partly(i); err != nil {
			done[i] = failure(err)
			continue
		}
		meta, err := c.finishEntry(e)
		if err != nil {
			done[i] = failure(err)
			continue
		}
		meta[".tag"] = "success"
		done[i] = meta
	}
	return done, nil
}

func (c *call) finishEntry(e finishBatchEntry) (map[string]any, error) {
	u, lerr := c.s.session(e.Cursor)
	if lerr != nil {
		return nil, lerr.under("lookup_failed")
	}
	u.mu.Lock()
	closed := u.closed
	u.mu.Unlock()
	if !closed {
		return nil, fail("lookup_failed", "not_closed")
	}
	meta, err := c.s.finish(u, e.Cursor, e.Commit, c)
	if err != nil {
		return nil, err
	}
	return meta.(map[string]any), nil
}

func sessionFinishBatchV2(c *call, arg *finishBatchArg) (any, error) {
	if c.busy {
		done := make([]any, len(arg.Entries))
		for i := range done {
			done[i] = failure(fail("too_many_write_operations"))
		}
		return map[string]any{"entries": done}, nil
	}
	done, err := c.finishBatch(arg)
	if err != nil {
		return nil, err
	}
	return map[string]any{"entries": done}, nil
}

// sessionFinishBatch is the retired form: a job, which old rclones poll.
func sessionFinishBatch(c *call, arg *finishBatchArg) (any, error) {
	done, err := c.finishBatch(arg)
	if err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.startJob("finish_batch", done), nil
}
