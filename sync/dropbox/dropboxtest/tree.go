package dropboxtest

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// entry is one step of the namespace's journal: something was put at a path,
// or what was there is gone with all below.
type entry struct {
	lower, display string
	gone           bool
}

// tree is the account's content with its history. All of it is guarded by the
// server's lock.
type tree struct {
	behaviour *Behaviour
	namespace string
	now       func() time.Time
	store     store

	root    *node
	byID    map[string]*node
	spaces  map[string]*node // folders that are namespaces, by their ids
	byIdent map[identKey]*node
	used    int64

	journal []entry
	changed chan struct{} // closed and replaced when the journal grows
	tombs   map[string]entry
	tombAt  map[string]time.Time
	revs    map[string]fileRev
	ofID    map[string][]string // revs, oldest first
	ofPath  map[string][]string
	links   map[string]*link

	idPrefix []byte
	idCount  uint64
	seq      int64
	failed   error // the first record that the store did not take
}

func newTree(o *Options, st store, idPrefix []byte) *tree {
	return &tree{
		behaviour: &o.Behaviour, namespace: o.Account.NamespaceID, now: o.Now, store: st,
		root: &node{children: map[string]*node{}}, byID: map[string]*node{}, spaces: map[string]*node{},
		byIdent: map[identKey]*node{}, changed: make(chan struct{}),
		tombs: map[string]entry{}, tombAt: map[string]time.Time{},
		revs: map[string]fileRev{}, ofID: map[string][]string{}, ofPath: map[string][]string{},
		links: map[string]*link{}, idPrefix: idPrefix,
	}
}

// nextSeq gives a journal id: microseconds since 1970, as newer ones of the
// real service are, and always growing.
func (t *tree) nextSeq() int64 {
	t.seq = max(t.seq+1, t.now().UnixMicro())
	return t.seq
}

// newID gives "id:" and 22 characters: 8 bytes of the account, 8 of a counter.
func (t *tree) newID() string {
	t.idCount++
	return "id:" + base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(slices.Clone(t.idPrefix), t.idCount))
}

// rev gives hex(journal id) and 8 hex digits of the namespace, as recorded.
func (t *tree) rev(seq int64, folder *node) string {
	var ns uint64
	for _, c := range t.namespaceOf(folder) {
		ns = ns*10 + uint64(c-'0')
	}
	return fmt.Sprintf("%x%08x", seq, ns)
}

// namespaceOf gives the namespace that a folder belongs to.
func (t *tree) namespaceOf(n *node) string {
	for ; n != nil; n = n.parent {
		if n.ns != "" {
			return n.ns
		}
	}
	return t.namespace
}

// commit applies records and stores them. The memory is right in any case; once
// the store failed, calls that write answer 500, and the server's Close says why.
func (t *tree) commit(recs ...record) {
	for _, r := range recs {
		if err := t.apply(r); err != nil && t.failed == nil {
			t.failed = err
		}
	}
	if err := t.store.append(recs...); err != nil && t.failed == nil {
		t.failed = err
	}
}

// apply is the one place that changes the tree, live and in replay.
func (t *tree) apply(r record) error {
	t.seq = max(t.seq, r.Seq)
	switch r.Op {
	case "head":
		prefix, err := base64.RawURLEncoding.DecodeString(r.ID)
		if err != nil || len(prefix) != 8 {
			return fmt.Errorf("record head: bad id prefix %q", r.ID)
		}
		t.idPrefix = prefix
	case "put":
		return t.applyPut(r)
	case "del":
		n := t.byID[r.ID]
		if n == nil {
			return fmt.Errorf("record del: no %s", r.ID)
		}
		t.logGone(n, r.Server)
		t.detach(n)
		n.walk(t.forget)
	case "purge":
		t.purge(r.Name)
	case "seen":
		if n := t.byID[r.ID]; n != nil {
			t.setIdent(n, r.Ident)
		}
	case "link":
		t.links[r.Link.Key] = r.Link
	case "unlink":
		delete(t.links, r.ID)
	default:
		return fmt.Errorf("record: unknown kind %q", r.Op)
	}
	return nil
}

func (t *tree) applyPut(r record) error {
	parent := t.root
	if r.Parent != "" {
		parent = t.byID[r.Parent]
	}
	if parent == nil || !parent.folder() {
		return fmt.Errorf("record put %s: no folder %s", r.ID, r.Parent)
	}
	n := t.byID[r.ID]
	if n == nil {
		n = &node{id: r.ID}
		if r.Folder {
			n.children = map[string]*node{}
		}
		t.byID[r.ID] = n
		t.countID(r.ID)
	} else if n.parent != parent || fold(n.name) != fold(r.Name) {
		t.logGone(n, r.Server)
		t.detach(n)
	}
	n.name, n.parent = r.Name, parent
	parent.children[fold(n.name)] = n
	if r.Ident != nil {
		t.setIdent(n, r.Ident)
	}
	if r.Space != "" {
		n.ns, n.owner = r.Space, r.Owner
		t.spaces[n.ns] = n
	}
	if !r.Folder {
		t.used += r.Size - n.size
		n.rev, n.hash, n.size, n.client, n.server, n.cloud = r.Rev, r.Hash, r.Size, r.Client, r.Server, r.Cloud
		t.remember(n)
	}
	t.log(entry{lower: n.lower(), display: n.display()})
	return nil
}

// countID keeps the counter ahead of ids that a replay brings back.
func (t *tree) countID(id string) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(id, "id:"))
	if err == nil && len(raw) == 16 {
		t.idCount = max(t.idCount, binary.BigEndian.Uint64(raw[8:]))
	}
}

func (t *tree) remember(n *node) {
	if _, have := t.revs[n.rev]; !have {
		t.ofID[n.id] = append(t.ofID[n.id], n.rev)
		t.ofPath[n.lower()] = append(t.ofPath[n.lower()], n.rev)
	}
	t.revs[n.rev] = n.revision()
}

// purge forgets that there ever was something at a folded path, and below.
func (t *tree) purge(lower string) {
	for key := range t.tombs {
		if below(key, []string{lower}) {
			delete(t.tombs, key)
			delete(t.tombAt, key)
		}
	}
	for key, revs := range t.ofPath {
		if !below(key, []string{lower}) {
			continue
		}
		for _, rev := range revs {
			delete(t.ofID, t.revs[rev].id)
			delete(t.revs, rev)
		}
		delete(t.ofPath, key)
	}
}

func (t *tree) setIdent(n *node, id *ident) {
	if n.ident != nil && t.byIdent[n.ident.key()] == n {
		delete(t.byIdent, n.ident.key())
	}
	n.ident = id
	if id != nil {
		t.byIdent[id.key()] = n
	}
}

func (t *tree) detach(n *node) {
	if key := fold(n.name); n.parent.children[key] == n {
		delete(n.parent.children, key)
	}
}

func (t *tree) forget(n *node) {
	t.used -= n.size
	t.setIdent(n, nil)
	delete(t.byID, n.id)
	delete(t.spaces, n.ns)
}

// log adds a journal entry and wakes who waits.
func (t *tree) log(e entry) {
	t.journal = append(t.journal, e)
	if !e.gone {
		delete(t.tombs, e.lower)
	}
	close(t.changed)
	t.changed = make(chan struct{})
}

// logGone writes that n is no longer at its path. The children leave tombs too,
// and entries if Behaviour.DeletedChildren says so.
func (t *tree) logGone(n *node, at time.Time) {
	n.walk(func(c *node) {
		e := entry{lower: c.lower(), display: c.display(), gone: true}
		t.tombs[e.lower], t.tombAt[e.lower] = e, at
		if c == n || t.behaviour.DeletedChildren {
			t.log(e)
		}
	})
}

// putRecord describes n as it would be at (parent, name), at a new place in the
// journal.
func (t *tree) putRecord(n *node, parent *node, name string) record {
	r := record{Op: "put", Seq: t.nextSeq(), ID: n.id, Parent: parent.id, Name: name, Folder: n.folder(), Server: t.now().UTC().Truncate(time.Second)}
	if !n.folder() {
		r.Rev, r.Hash, r.Size, r.Client, r.Cloud = t.rev(r.Seq, parent), n.hash, n.size, n.client, n.cloud
	}
	return r
}

// addFolder makes a folder at a free name.
func (t *tree) addFolder(parent *node, name string, id *ident) *node {
	r := record{Op: "put", Seq: t.nextSeq(), ID: t.newID(), Parent: parent.id, Name: name, Folder: true,
		Server: t.now().UTC().Truncate(time.Second), Ident: id}
	t.commit(r)
	return t.byID[r.ID]
}

// share makes a folder a namespace of its own; owner is empty but for a
// member's home.
func (t *tree) share(n *node, ns, owner string) {
	r := t.putRecord(n, n.parent, n.name)
	r.Space, r.Owner = ns, owner
	t.commit(r)
}

// content is what a new revision consists of.
type content struct {
	hash   string
	size   int64
	client time.Time
	ident  *ident
	cloud  Cloud
}

// putFile makes a file at a free name, or a new revision of over.
func (t *tree) putFile(over *node, parent *node, name string, c content) *node {
	r := record{Op: "put", Seq: t.nextSeq(), Parent: parent.id, Name: name, Hash: c.hash, Size: c.size,
		Client: c.client.UTC().Truncate(time.Second), Server: t.now().UTC().Truncate(time.Second), Ident: c.ident, Cloud: c.cloud}
	r.Rev = t.rev(r.Seq, parent)
	if over != nil {
		r.ID = over.id
	} else {
		r.ID = t.newID()
	}
	t.commit(r)
	return t.byID[r.ID]
}

// move gives n another place. All files below get new revs, unless
// Behaviour.KeepRevsInMovedFolder says otherwise; ids stay.
func (t *tree) move(n, parent *node, name string, id *ident) {
	recs := []record{t.putRecord(n, parent, name)}
	recs[0].Ident = id
	for _, c := range n.sorted() {
		c.walk(func(d *node) {
			r := t.putRecord(d, d.parent, d.name)
			if t.behaviour.KeepRevsInMovedFolder && !d.folder() {
				r.Rev = d.rev
			}
			recs = append(recs, r)
		})
	}
	t.commit(recs...)
}

func (t *tree) remove(n *node) {
	t.commit(record{Op: "del", Seq: t.nextSeq(), ID: n.id, Server: t.now().UTC().Truncate(time.Second)})
}

// seen records who n is in the directory now.
func (t *tree) seen(n *node, id *ident) {
	t.commit(record{Op: "seen", ID: n.id, Ident: id})
}

// at finds what exists at parts below start, by folded names. deepest is the
// last existing node on the way and rest what is missing below it. Names are
// not normalised: Dropbox stores NFC, and does not find it by an NFD path.
func at(start *node, parts []string) (found, deepest *node, rest []string) {
	n := start
	for i, part := range parts {
		next := n.children[lower(part)]
		if next == nil {
			return nil, n, parts[i:]
		}
		n = next
	}
	return n, n, nil
}

// freeName gives the first of "a (1).txt", "a (2).txt", ... that is free.
func freeName(parent *node, name, note string) string {
	if note != "" {
		if try := numbered(name, note); parent.children[fold(try)] == nil {
			return try
		}
		note += " "
	}
	for i := 1; ; i++ {
		if try := numbered(name, fmt.Sprintf("%s%d", note, i)); parent.children[fold(try)] == nil {
			return try
		}
	}
}

// base gives the last component of a display path.
func (e entry) base() string { return path.Base(e.display) }
