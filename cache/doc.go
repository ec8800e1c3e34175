// Package cache is the store: the three trees, the mount's view of them, what
// was done through the mount and is not yet in Odoo (intents), the queue of
// tasks, the log, and the contents of files. It is the hub of the program: the
// mount commits (node, intent) in one transaction, the engine carries it out and
// commits what it learned, and each hears of the other by [Store.Subscribe].
// It knows no remote and starts nothing but its own sync.
//
// # What it promises
//
// There is one writer at a time, and a reader sees one state from start to end.
// What [Store.Update] has committed, and what was sealed and committed, survives
// the end of the process at once, and a power loss once a later [Store.Sync] has
// returned; with Options.After such a sync runs each second. One process has a
// store at a time. When a store is opened, an intent whose bytes are missing,
// short or others is parked and listed by [Store.Problems]; after an unclean end
// all bytes of all intents are looked at. A file that was being written and was
// never closed is as it was before, or gone if it was new.
//
// A full disk stops contents first, then transactions, and none that was begun;
// one that is gone lets Close give up after a minute. What was acknowledged is in
// Badger's logs then, and the next Open takes it from there (space.go). Each of
// this is shown by ending the process, or cutting the power, at every point of
// points.go.
//
// # The mount's view
//
//	Odoo tree + stored names (pairs) --project--> inode, entry     (no intent)
//	mutation of the mount ---------------------> inode, entry, intent
//	intent carried out, PutOdoo, DropIntent ---> projected again
//
// A node with an intent shows what was done here; only its reference and rights
// follow Odoo. Without one, its name is the one its pair stores, else the
// proposal of its name in Odoo; among those that clash the lowest id has it and
// the others get " (id)". Removing a file here renames none of the others; what
// comes from a remote may.
//
// An intent says "make Odoo's side of this node as the inode is". Its life:
//
//	new --PutIntent(Attempts+1)--> under way --PutOdoo, DropIntent(Seq)--> gone
//	 \--newer change: new Seq------'  \--Reason--> parked --PutIntent--> under way
//	Gone --HoldIntents--> held (inode hidden) --ReleaseIntents | RestoreHeld
//
// A new file that is being written for the first time, or that has the name of a
// program's own, has an intent that is not to be carried out: [Tx.Waits].
//
// When a newer change came meanwhile, DropIntent leaves it, with Was as Odoo is
// now and without content that Odoo has by now. Look at Gone before Content: a
// removal keeps the bytes that were never sent, for RestoreHeld.
//
// # Contents
//
// A content is one version of a file's bytes: a plain file, the ranges of it
// that are here, and once it is whole its checksum. Inodes, intents and pins
// refer to it. What only inodes refer to may be evicted; what nothing refers to
// goes. A writer works on a private copy (sharing blocks where the file system
// can); sealing turns it into a content without copying, and only writing on
// after that copies. Ranges are recorded after their bytes were synced: a record
// never speaks of bytes that a power loss took.
//
// # On disk
//
//	lock              flock while open
//	db/               Badger
//	content/ef/...ef  contents, by the last two digits of their id
//	content/work/     working copies, swept at each start
//
// Ids are 8 bytes, big endian. Records are CBOR, deterministic, with numbered
// fields, checked on write and on read. No value goes to Badger's value log.
//
//	s/ name                counters, the format, the store's name, the mark of a clean end
//	k/ name                Meta
//	on node                OdooNode and the model its documents hang on
//	or ref                 node
//	oc parent node         child in the Odoo tree
//	ok kind model          count and sum of ids of a scope
//	os kind model 0 id     ref: the members of a scope
//	dn node                DropboxNode
//	di client id           node
//	dp client path         node, by the folded path
//	dc parent node         child in the Dropbox tree
//	dr client              path of the client's root
//	pn node                Pair
//	po ref, pd id          node
//	pc parent node         child in the synced tree; no tombstones
//	pw ref                 nodes of pairs that wait for this parent
//	in node                inode, and what the projection remembers
//	id parent name         entry: the whole inode, so that a folder is read in one go
//	ic parent name         nodes that would have this name
//	ia node                what the node became (until the next start)
//	ix node                removed before Odoo had answered (until the next start)
//	qi node                intent
//	qs seq                 node of the intent
//	qo seq, qg seq         the same, of those that wait for nobody, and of removals
//	y/ node                dirty: for the planner to look at
//	tq seq                 task
//	tn node                marks of the node's tasks
//	tl client lane seq     task that may be taken, or waits for a person
//	tf client folder seq   task of a node that lay in this folder
//	te seq                 deletion
//	tm client parent name  marks of tasks that put something there, by the folded name
//	l/ seq                 line of the log
//	j/ seq, j!             journal of a large commit, and the mark that it is whole
//	cm content             size, checksum, ranges
//	cr content 0 owner     reference: n node (inode), i node (intent), k name (pin)
//
// What it does not do: it plans nothing, and it has no more than one mount.
package cache
