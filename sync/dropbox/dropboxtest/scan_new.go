package dropboxtest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/text/unicode/norm"
)

// appeared takes in an entry whose name was free: a move when the tree knows
// who it is and that one left its place, else something new.
func (sc *scan) appeared(parent *node, f found) (*node, error) {
	name := norm.NFC.String(f.name)
	if c := parent.children[fold(name)]; c != nil {
		if !sc.missing[c] {
			return nil, sc.caseConflict(parent, f)
		}
		sc.later = append(sc.later, postponed{parent, f})
		return nil, nil
	}
	if err := sc.normalise(parent, f); err != nil {
		return nil, err
	}
	t := sc.d.s.tree
	q := t.byIdent[f.id.key()]
	if q != nil && q.folder() == f.dir && !parent.within(q) && (sc.missing[q] || !sc.stands(q)) {
		if sc.isBackup(q, parent, f) {
			delete(sc.missing, q)
			sc.d.dirty[parent.id] = true
			return nil, nil
		}
		return q, sc.moved(q, parent, name, f)
	}
	if f.dir {
		return t.addFolder(parent, name, f.id), nil
	}
	// A move does not wait for an open file to be closed, or its id would be
	// lost meanwhile; something new does, in readFile.
	got, err := sc.readFile(parent, f)
	if err != nil || got == nil {
		return nil, err
	}
	return t.putFile(nil, parent, name, *got), nil
}

// isBackup reports a file that an editor has just put aside as name~: for a
// moment its old name is given the chance to come back, or the id would go with
// the backup, which the editor deletes.
func (sc *scan) isBackup(q, parent *node, f found) bool {
	if f.dir || q.parent != parent || f.name != q.name+"~" || sc.force {
		return false
	}
	at := spot{parent.id, f.name}
	if _, waiting := sc.d.busy[at]; !waiting {
		sc.d.busy[at] = sc.d.s.opt.Now()
	}
	return sc.isBusy(parent, f)
}

// takePostponed takes in entries that waited for their name. What stood at it
// and did not turn up elsewhere ends now. more are folders to look at next.
func (sc *scan) takePostponed() (more []string, err error) {
	list := sc.later
	sc.later = nil
	if !sc.settled() {
		for _, p := range list {
			sc.d.dirty[p.parent.id] = true
		}
		return nil, nil
	}
	for _, p := range list {
		if sc.gone(p.parent) || sc.d.s.tree.byID[p.parent.id] == nil && p.parent.id != "" {
			continue
		}
		if c := p.parent.children[fold(p.name)]; c != nil && sc.missing[c] {
			sc.forget(c)
		}
		made, err := sc.appeared(p.parent, p.found)
		if err != nil {
			return nil, err
		}
		if made != nil && made.folder() {
			more = append(more, made.id)
		}
	}
	return more, nil
}

// moved takes in a move; the bytes may have changed on the way.
func (sc *scan) moved(q, parent *node, name string, f found) error {
	delete(sc.missing, q)
	t := sc.d.s.tree
	if q.folder() {
		t.move(q, parent, name, f.id)
		return nil
	}
	id := f.id
	if q.ident.Size == f.id.Size && q.ident.Mod == f.id.Mod {
		t.move(q, parent, name, id)
		return nil
	}
	t.move(q, parent, name, q.ident)
	got, err := sc.readFile(parent, f)
	if err != nil || got == nil {
		return err
	}
	if got.hash == q.hash {
		t.seen(q, got.ident)
		return nil
	}
	t.putFile(q, parent, name, *got)
	return nil
}

// caseConflict gives the second of two names that Dropbox can't tell apart
// another name, as the desktop program does.
func (sc *scan) caseConflict(parent *node, f found) error {
	name := freeName(parent, f.name, "Case Conflict")
	sc.d.dirty[parent.id] = true
	err := unix.Renameat2(unix.AT_FDCWD, sc.d.join(parent, f.name), unix.AT_FDCWD, sc.d.join(parent, name), unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EEXIST) || errors.Is(err, unix.ENOENT) {
		return nil // looked at again
	}
	return err
}

func (sc *scan) isBusy(parent *node, f found) bool {
	at := spot{parent.id, f.name}
	last, open := sc.d.busy[at]
	now := sc.d.s.opt.Now()
	if !open && sc.young[parent] && !sc.force {
		// Its events before the watch are not known, so it may be open.
		if last = time.Unix(0, f.id.Mod); now.Sub(last) < restTime {
			sc.d.busy[at], open = last, true
		}
	}
	if !open {
		return false
	}
	if sc.force || now.Sub(last) >= restTime {
		delete(sc.d.busy, at)
		return false
	}
	return true
}

// readFile keeps the bytes of an entry; nil when it is still being written, in
// which case the folder stays dirty.
func (sc *scan) readFile(parent *node, f found) (*content, error) {
	if sc.isBusy(parent, f) {
		sc.d.dirty[parent.id] = true
		return nil, nil
	}
	p := sc.d.join(parent, norm.NFC.String(f.name))
	file, err := os.Open(p)
	if err != nil {
		return nil, nil // gone, or not readable: not in the account
	}
	defer file.Close() //nolint:errcheck // it was only read
	sp, err := sc.d.s.store.spool()
	if err != nil {
		return nil, err
	}
	h := newContentHasher()
	size, err := io.Copy(io.MultiWriter(io.NewOffsetWriter(sp, 0), h), file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", p, err), sp.discard())
	}
	after, _, err := look(p)
	if err != nil || after.key() != f.id.key() || after.Size != size || after.Mod != f.id.Mod {
		sc.d.busy[spot{parent.id, f.name}] = sc.d.s.opt.Now()
		sc.d.dirty[parent.id] = true
		return nil, sp.discard()
	}
	hash := h.sum()
	if err := sc.d.s.store.keep(sp, hash); err != nil {
		return nil, err
	}
	return &content{hash: hash, size: size, client: time.Unix(0, after.Mod), ident: after}, nil
}
