// Package dropbox is the client for the Dropbox API v2, over the official Go
// SDK: the change feed, uploads, moves, deletions, downloads and links, in the
// words of the root package.
//
// Every error is an *odbxfs.Error, classified in one place (errors.go): the
// transport turns each answer that is no success into one, because the SDK
// loses the class of plain-text bodies, the Retry-After header and the status.
//
// Writes are idempotent. One that finds its work done answers Done: an upload
// of the same bytes is a no-op at Dropbox and gives the same id and rev; a
// folder, move or copy that meets its own result has nothing left to do; a
// deletion that finds nothing is done.
//
//	Apply ─┬─ MakeFolder ── create_folder_batch (poll)
//	       ├─ Upload ────── small: start_batch, append_batch, finish_batch_v2
//	       │                large: a concurrent session, append_v2 ..., finish
//	       ├─ Move, Copy ── move_batch_v2, copy_batch_v2 (poll)
//	       └─ Remove ────── delete_batch (poll)
//
// A [Client] may be used by several goroutines at once. A call that meets a rate
// limit comes back as KindRateLimited with the time to wait, and until then no
// other is sent for that account (or namespace), which may share its [Limits]
// with other clients of the process; the steps of one long work wait by
// themselves, up to a minute.
package dropbox
