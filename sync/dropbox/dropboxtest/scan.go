package dropboxtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/text/unicode/norm"
)

// scan takes in what the dirty folders hold now. Folders are looked at from the
// top down, so that each is at its final place when its turn comes; what is
// missing stays in the tree until the end, because it may turn up in a folder
// that comes later.
type scan struct {
	d       *dirDisk
	force   bool // files that are still open count too
	final   bool // what is missing ends, even when more is happening
	begun   int64
	missing map[*node]bool
	young   map[*node]bool // folders watched for the first time
	later   []postponed
}

// postponed is an entry at a name of something that may yet turn up elsewhere.
type postponed struct {
	parent *node
	found
}

// settleAll implements disk. A person who goes on working is waited for a few
// rounds only.
func (d *dirDisk) settleAll() error {
	const rounds = 4
	for i := 1; i <= rounds; i++ {
		d.s.tree.root.walk(func(n *node) {
			if n.folder() {
				d.dirty[n.id] = true
			}
		})
		if err := d.scan(true, i == rounds); err != nil || len(d.dirty) == 0 {
			return err
		}
	}
	return nil
}

// scan leaves in d.dirty the folders that must be looked at again.
func (d *dirDisk) scan(force, final bool) error {
	if d.closed {
		return nil
	}
	sc := &scan{d: d, force: force, final: final, begun: d.eventBytes(), missing: map[*node]bool{}, young: map[*node]bool{}}
	work := d.dirty
	d.dirty = map[string]bool{}
	for {
		n := sc.next(work)
		if n == nil { // what is left in work lies below something that is gone
			more, err := sc.takePostponed()
			if err != nil {
				return err
			}
			if len(more) == 0 {
				break
			}
			for _, id := range more {
				work[id] = true
			}
			continue
		}
		delete(work, n.id)
		for id := range d.dirty { // folders that turned up below
			if sc.fresh(id) {
				work[id] = true
				delete(d.dirty, id)
			}
		}
		more, err := sc.folder(n)
		if err != nil {
			return err
		}
		for _, id := range more {
			work[id] = true
		}
	}
	sc.end()
	return nil
}

// fresh reports a folder that was marked during this scan and was not left for
// a file that is open.
func (sc *scan) fresh(id string) bool { return sc.d.s.tree.byID[id] != nil && !sc.d.waits(id) }

// waits reports whether a folder has an open file.
func (d *dirDisk) waits(id string) bool {
	for at := range d.busy {
		if at.folder == id {
			return true
		}
	}
	return false
}

// next picks the folder nearest to the root that is surely in place.
func (sc *scan) next(work map[string]bool) *node {
	var best *node
	depth := 0
	for id := range work {
		n := sc.d.s.tree.root
		if id != "" {
			n = sc.d.s.tree.byID[id]
		}
		if n == nil {
			delete(work, id) // deleted meanwhile
			continue
		}
		if sc.gone(n) {
			continue
		}
		if k := strings.Count(n.display(), "/"); best == nil || k < depth || k == depth && n.id < best.id {
			best, depth = n, k
		}
	}
	return best
}

// gone reports whether n or a folder above is missing so far.
func (sc *scan) gone(n *node) bool {
	for ; n != nil; n = n.parent {
		if sc.missing[n] {
			return true
		}
	}
	return false
}

// found is one entry of a folder on disk.
type found struct {
	name string // as on disk
	id   *ident
	dir  bool
}

// list reads a folder, without what Dropbox does not sync.
func (sc *scan) list(n *node) ([]found, error) {
	entries, err := os.ReadDir(sc.d.path(n))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil // gone; the parent tells
	}
	if err != nil {
		return nil, fmt.Errorf("look at directory: %w", err)
	}
	var list []found
	for _, e := range entries {
		known := n.children[fold(e.Name())]
		if (known == nil || known.name != e.Name()) && sc.d.s.opt.Behaviour.ignoredOnDisk(e.Name()) {
			continue
		}
		id, mode, err := look(sc.d.join(n, e.Name()))
		if err != nil {
			continue // gone between the two calls: there will be an event
		}
		if mode == unix.S_IFREG || mode == unix.S_IFDIR {
			list = append(list, found{e.Name(), id, mode == unix.S_IFDIR})
		}
	}
	// Names that the tree knows come before those that only fold to the same.
	slices.SortStableFunc(list, func(a, b found) int { return sc.rank(n, a) - sc.rank(n, b) })
	return list, nil
}

func (sc *scan) rank(n *node, f found) int {
	c := n.children[fold(f.name)]
	switch {
	case c != nil && c.name == f.name:
		return 0
	case c != nil && c.ident != nil && c.ident.key() == f.id.key():
		return 1
	}
	return 2
}

// folder compares one folder with the tree. more are folders to look at next.
func (sc *scan) folder(n *node) (more []string, err error) {
	if n != sc.d.s.tree.root && !sc.stands(n) {
		return nil, nil // moved since its parent was looked at, whose event is to come
	}
	if sc.d.watches[n.id] == 0 {
		sc.young[n] = true
	}
	var list []found
	if err = sc.d.watch(n); err == nil { // before looking, so that nothing slips through
		list, err = sc.list(n)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil // what it holds stays as it was known
	}
	if err != nil {
		return nil, err
	}
	if n != sc.d.s.tree.root && !sc.stands(n) {
		return nil, nil // moved while it was looked at: nothing that was found counts
	}
	here := map[*node]bool{}
	var rest []found
	for _, f := range list {
		c := n.children[fold(f.name)]
		if c == nil || c.folder() != f.dir || here[c] {
			rest = append(rest, f)
			continue
		}
		// The name was known: its id lives on, whoever stands there now.
		here[c] = true
		delete(sc.missing, c)
		changed, err := sc.known(c, f)
		if err != nil {
			return nil, err
		}
		if changed {
			more = append(more, c.id)
		}
	}
	for _, c := range n.sorted() {
		if !here[c] {
			sc.missing[c] = true
		}
	}
	for _, f := range rest {
		made, err := sc.appeared(n, f)
		if err != nil {
			return nil, err
		}
		if made != nil && made.folder() {
			more = append(more, made.id)
		}
	}
	return more, nil
}

// known looks at an entry whose name the tree has. deeper says that it is a
// folder with other content than before.
func (sc *scan) known(c *node, f found) (deeper bool, err error) {
	t := sc.d.s.tree
	other := c.ident == nil || c.ident.key() != f.id.key()
	if c.name != norm.NFC.String(f.name) {
		t.move(c, c.parent, norm.NFC.String(f.name), c.ident) // only the case changed
	}
	if err := sc.normalise(c.parent, f); err != nil {
		return false, err
	}
	if q := t.byIdent[f.id.key()]; other && q != nil && q != c && !sc.stands(q) {
		sc.missing[q] = true // renamed over: its id ends unless it stands elsewhere
	}
	if f.dir {
		if other {
			t.seen(c, f.id)
		}
		return other, nil
	}
	if !other && *c.ident == *f.id {
		return false, nil
	}
	got, err := sc.readFile(c.parent, f)
	if err != nil || got == nil {
		return false, err
	}
	if got.hash == c.hash {
		t.seen(c, got.ident)
		return false, nil
	}
	t.putFile(c, c.parent, c.name, *got)
	return false, nil
}

// normalise renames an entry whose name is not NFC, as Dropbox's names are.
func (sc *scan) normalise(parent *node, f found) error {
	nfc := norm.NFC.String(f.name)
	if nfc == f.name {
		return nil
	}
	err := unix.Renameat2(unix.AT_FDCWD, sc.d.join(parent, f.name), unix.AT_FDCWD, sc.d.join(parent, nfc), unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EEXIST) {
		return nil // both spellings: the other one wins until someone renames this one
	}
	return err
}

// stands reports whether q is still where the tree has it.
func (sc *scan) stands(q *node) bool {
	id, _, err := look(sc.d.path(q))
	return err == nil && q.ident != nil && id.key() == q.ident.key()
}

func (sc *scan) forget(c *node) {
	c.walk(func(x *node) {
		if x.folder() {
			sc.d.unwatch(x.id)
		}
		delete(sc.missing, x)
	})
	sc.d.s.tree.remove(c)
}

// settled reports that nothing happened in the directory since the scan began.
// Otherwise what is missing may have gone to a folder that was looked at before.
func (sc *scan) settled() bool { return sc.final || sc.d.eventBytes() == sc.begun }

// end removes from the tree what did not turn up anywhere.
func (sc *scan) end() {
	if !sc.settled() {
		for n := range sc.missing {
			sc.d.dirty[n.parent.id] = true
		}
		return
	}
	for len(sc.missing) > 0 {
		var top *node
		for n := range sc.missing {
			if top == nil || n.display() < top.display() {
				top = n
			}
		}
		sc.forget(top)
	}
}
