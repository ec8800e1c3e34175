// Package fs answers the kernel: it is the FUSE layer between a mount point and
// the store.
//
// It promises POSIX towards programs and identity towards Odoo, and keeps the
// two apart by having two numbers for one thing. A node id names a document in
// the store, for ever. A kernel id is what this mount told the kernel, and is
// the same number until the two must part:
//
//	rename tmp over name    the kernel goes on with tmp's inode at name; the
//	                        store goes on with name's node and tmp's bytes.
//	                        Kernel id of tmp -> node of name from then on; the
//	                        kernel id of name is a ghost for who has it open.
//	bytes replaced remotely who has the file open for reading keeps the ghost
//	                        with the old bytes; a new look-up gets a new id.
//	vim's rename to name~   once name is made again it gets the old node, and
//	                        name~ a new one, in whatever order they came.
//
// So nothing is guessed from inode numbers, an open handle never changes what
// it reads, and the table of the exceptions (idMap) is all that is held in
// memory; the kernel keeps the inodes, the store the tree.
//
// # Life of a write
//
//	open -> first write: working copy of the whole file (one for all handles)
//	write, truncate -> the working copy; its size and mtime show at once
//	flush (each close), fsync -> seal; one store transaction {content, mtime,
//	     intent}; after it close may return (law 2). fsync waits for the disk.
//	last release -> the working copy goes; the kernel hears of what came beside
//	     the mount while it was what everybody saw
//
// A change of mtime alone is no new content, so cp -p and rsync -t send nothing
// twice.
//
// # What the kernel keeps
//
// Entries, attributes, missing names and pages are kept by the kernel for an
// hour. Whoever changes the tree beside the mount is seen in the store's
// events, which become invalidations, sent by one goroutine that holds no lock
// (the kernel may make it wait for a request in flight). What the mount did
// itself the kernel knows already; see told.
//
// # What it does not do
//
// Modes, owners, access times, extended attributes, links and devices: Odoo has
// none. chmod and chown succeed and change nothing, so that tar and rsync are
// content; the rest is refused. It talks to no remote: content comes through
// [Opener], rights through [Access].
package fs
