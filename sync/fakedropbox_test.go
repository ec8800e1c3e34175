package sync

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	gosync "sync"
	"time"

	"odbxfs"
	"odbxfs/sync/content"
)

// fakeDropbox is a Dropbox account in memory: ids that outlive moves, revs,
// case-insensitive paths, a change feed in pages.
type fakeDropbox struct {
	mu     gosync.Mutex
	faults *faults
	calls  map[string]int

	nodes     map[odbxfs.DropboxID]odbxfs.DropboxNode
	places    map[string]odbxfs.DropboxID // by the folded path
	bytes     map[odbxfs.DropboxID][]byte
	trash     map[odbxfs.Rev][]byte // of removed files, by the last revision
	feed      []odbxfs.DropboxChange
	blocks    bool // Wait blocks as the real one does
	room      int  // not 0: how many files the account takes
	resets    bool // the next use of a cursor answers "reset"
	forgetful bool // and each after it
	blind     int  // so many moves do not find their file
	account   string
	links     map[string]bool // shared links that are alive
	audience  map[string]odbxfs.LinkPolicy
	lastID    int
	lastRev   int
	page      int
	now       func() time.Time
}

func newFakeDropbox(now func() time.Time, f *faults) *fakeDropbox {
	return &fakeDropbox{faults: f, now: now, calls: map[string]int{}, page: 3,
		account: "dbid:1", trash: map[odbxfs.Rev][]byte{}, links: map[string]bool{}, audience: map[string]odbxfs.LinkPolicy{},
		nodes: map[odbxfs.DropboxID]odbxfs.DropboxNode{}, places: map[string]odbxfs.DropboxID{}, bytes: map[odbxfs.DropboxID][]byte{}}
}

func hashOf(b []byte) odbxfs.ContentHash {
	_, h, _, err := content.HashAll(bytes.NewReader(b))
	if err != nil {
		panic(err)
	}
	return h
}

func (d *fakeDropbox) at(p string) (odbxfs.DropboxNode, bool) {
	n, ok := d.nodes[d.places[odbxfs.FoldPath(p)]]
	return n, ok
}

// forget takes a node out, with its place.
func (d *fakeDropbox) forget(n odbxfs.DropboxNode) {
	if key := odbxfs.FoldPath(n.Path); d.places[key] == n.ID {
		delete(d.places, key)
	}
	delete(d.nodes, n.ID)
}

func (d *fakeDropbox) put(n odbxfs.DropboxNode, b []byte) odbxfs.DropboxNode {
	if n.ID == "" {
		d.lastID++
		n.ID = odbxfs.DropboxID(fmt.Sprintf("id:%d", d.lastID))
	}
	n.Name = path.Base(n.Path)
	if n.Kind == odbxfs.File {
		d.lastRev++
		n.Rev = odbxfs.Rev(fmt.Sprintf("r%d", d.lastRev))
		if b != nil {
			d.bytes[n.ID] = b
			n.ContentHash, n.Size = hashOf(b), int64(len(b))
		}
	}
	if was, ok := d.nodes[n.ID]; ok {
		d.forget(was)
	}
	d.nodes[n.ID], d.places[odbxfs.FoldPath(n.Path)] = n, n.ID
	d.feed = append(d.feed, odbxfs.DropboxChange{Path: n.Path, Node: n})
	return n
}

func (d *fakeDropbox) below(dir string) []odbxfs.DropboxNode {
	var out []odbxfs.DropboxNode
	prefix := odbxfs.FoldPath(dir) + "/"
	for _, n := range d.nodes {
		if strings.HasPrefix(odbxfs.FoldPath(n.Path), prefix) {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b odbxfs.DropboxNode) int { return compareText(a.Path, b.Path) })
	return out
}

func (d *fakeDropbox) shift(n odbxfs.DropboxNode, to string) odbxfs.DropboxNode {
	kids := d.below(n.Path)
	from := n.Path
	d.feed = append(d.feed, odbxfs.DropboxChange{Deleted: true, Path: from})
	n.Path = to
	n = d.put(n, nil)
	for _, k := range kids {
		k.Path = to + k.Path[len(from):]
		d.put(k, nil)
	}
	return n
}

func (d *fakeDropbox) drop(n odbxfs.DropboxNode) {
	for _, k := range append(d.below(n.Path), n) {
		if k.Kind == odbxfs.File {
			d.trash[k.Rev] = d.bytes[k.ID]
		}
		d.forget(k)
		delete(d.bytes, k.ID)
	}
	d.feed = append(d.feed, odbxfs.DropboxChange{Deleted: true, Path: n.Path})
}

// The hands of people who work in Dropbox.

func (d *fakeDropbox) personWrites(p string, b []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, ok := d.at(p)
	if !ok {
		n = odbxfs.DropboxNode{Kind: odbxfs.File, Path: p}
	}
	n.Modified = d.now()
	d.put(n, b)
}

func (d *fakeDropbox) personMakes(p string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.at(p); !ok {
		d.put(odbxfs.DropboxNode{Kind: odbxfs.Folder, Path: p}, nil)
	}
}

func (d *fakeDropbox) personMoves(from, to string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, ok := d.at(from)
	if there, taken := d.at(to); !ok || taken && there.ID != n.ID || strings.HasPrefix(to, from+"/") {
		return
	}
	if _, dir := d.at(path.Dir(to)); !dir {
		return
	}
	d.shift(n, to)
}

func (d *fakeDropbox) personRemoves(p string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, ok := d.at(p); ok {
		d.drop(n)
	}
}

// paths gives every path below the root with its content, sorted; folders end
// in a slash.
func (d *fakeDropbox) paths() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, n := range d.nodes {
		if n.Kind == odbxfs.Folder {
			out = append(out, n.Path+"/")
		} else {
			out = append(out, n.Path+" = "+string(d.bytes[n.ID]))
		}
	}
	slices.Sort(out)
	return out
}

func (d *fakeDropbox) enter(call string) error {
	d.calls[call]++
	return d.faults.enter("dropbox " + call)
}

// Account implements Dropbox.
func (d *fakeDropbox) Account(context.Context) (odbxfs.DropboxAccount, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return odbxfs.DropboxAccount{ID: d.account}, d.enter("account")
}

// Changes implements Dropbox.
func (d *fakeDropbox) Changes(_ context.Context, root, cursor string) (odbxfs.DropboxPage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.enter("changes"); err != nil {
		return odbxfs.DropboxPage{}, err
	}
	if cursor == "" {
		n, ok := d.at(root)
		if !ok {
			return odbxfs.DropboxPage{}, &odbxfs.Error{Op: "list", Kind: odbxfs.KindMissing}
		}
		page := odbxfs.DropboxPage{Cursor: strconv.Itoa(len(d.feed))}
		for _, n := range append([]odbxfs.DropboxNode{n}, d.below(root)...) {
			page.Changes = append(page.Changes, odbxfs.DropboxChange{Path: n.Path, Node: n})
		}
		return page, d.faults.leave("dropbox changes")
	}
	if d.resets {
		d.resets = d.forgetful
		return odbxfs.DropboxPage{}, &odbxfs.Error{Op: "continue", Kind: odbxfs.KindReset}
	}
	from, err := strconv.Atoi(cursor)
	if err != nil {
		panic(err)
	}
	to := min(from+d.page, len(d.feed))
	changes := slices.DeleteFunc(slices.Clone(d.feed[from:to]), func(ch odbxfs.DropboxChange) bool { return !within(ch.Path, root) })
	page := odbxfs.DropboxPage{Changes: changes, Cursor: strconv.Itoa(to), More: to < len(d.feed)}
	return page, d.faults.leave("dropbox changes")
}

// childrenFirst turns the feed's last n entries round.
func (d *fakeDropbox) childrenFirst(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	slices.Reverse(d.feed[len(d.feed)-n:])
}

// within reports whether a path is root or below it: of nothing else a cursor
// tells.
func within(p, root string) bool {
	p, root = odbxfs.FoldPath(p), odbxfs.FoldPath(root)
	return p == root || strings.HasPrefix(p, root+"/")
}

// Wait implements Dropbox: it answers at once, unless blocks is set.
func (d *fakeDropbox) Wait(ctx context.Context, cursor string) (bool, error) {
	for {
		moved, err := d.moved(cursor)
		if moved || err != nil || !d.blocks {
			return moved, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (d *fakeDropbox) moved(cursor string) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.enter("wait"); err != nil {
		return false, err
	}
	from, err := strconv.Atoi(cursor)
	return from < len(d.feed) || d.resets, err
}

// Apply implements Dropbox.
func (d *fakeDropbox) Apply(ctx context.Context, ops []odbxfs.DropboxOp) ([]odbxfs.DropboxResult, error) {
	bodies := make([][]byte, len(ops))
	for i, op := range ops {
		var err error
		if bodies[i], err = bodyOf(ctx, op.Content); err != nil {
			return nil, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.enter("apply"); err != nil {
		return nil, err
	}
	out := make([]odbxfs.DropboxResult, len(ops))
	for i, op := range ops {
		out[i] = d.apply(op, bodies[i])
	}
	return out, d.faults.leave("dropbox apply")
}

func (d *fakeDropbox) apply(op odbxfs.DropboxOp, body []byte) odbxfs.DropboxResult {
	done := func(n odbxfs.DropboxNode) odbxfs.DropboxResult {
		return odbxfs.DropboxResult{Outcome: odbxfs.Done, Node: &n}
	}
	fail := func(k odbxfs.ErrorKind) odbxfs.DropboxResult {
		return odbxfs.DropboxResult{Outcome: odbxfs.Failed, Err: &odbxfs.Error{Op: "apply", Item: op.Path, Kind: k}}
	}
	if refuse := d.faults.op; refuse != nil {
		if err := refuse(op); err != nil {
			return odbxfs.DropboxResult{Outcome: odbxfs.Refused, Err: err}
		}
	}
	if op.Kind == odbxfs.DropboxUpload && op.ID == "" && d.room > 0 && len(d.bytes) >= d.room {
		return fail(odbxfs.KindFull)
	}
	there, taken := d.at(op.Path)
	if _, dir := d.at(path.Dir(op.Path)); op.Kind != odbxfs.DropboxRemove && !dir && path.Dir(op.Path) != "/" {
		return fail(odbxfs.KindMissing)
	}
	n, known := d.nodes[op.ID]
	switch op.Kind {
	case odbxfs.DropboxMakeFolder:
		switch {
		case taken && there.Kind == odbxfs.Folder:
			return done(there)
		case taken:
			return fail(odbxfs.KindExists)
		}
		return done(d.put(odbxfs.DropboxNode{Kind: odbxfs.Folder, Path: op.Path}, nil))
	case odbxfs.DropboxUpload:
		if op.ID == "" {
			switch {
			case taken && there.ContentHash == hashOf(body):
				return done(there)
			case taken:
				return fail(odbxfs.KindExists)
			}
			return done(d.put(odbxfs.DropboxNode{Kind: odbxfs.File, Path: op.Path, Modified: op.Modified}, body))
		}
		switch {
		case !known:
			return odbxfs.DropboxResult{Outcome: odbxfs.Gone}
		case n.ContentHash == hashOf(body):
			return done(n)
		case n.Rev != op.Rev:
			return odbxfs.DropboxResult{Outcome: odbxfs.Changed, Node: &n}
		}
		return done(d.put(n, body))
	case odbxfs.DropboxMove:
		if d.blind > 0 {
			d.blind--
			return odbxfs.DropboxResult{Outcome: odbxfs.Gone}
		}
		switch {
		case !known:
			return odbxfs.DropboxResult{Outcome: odbxfs.Gone}
		case n.Path == op.Path:
			return done(n)
		case taken && there.ID != n.ID:
			return fail(odbxfs.KindExists)
		}
		return done(d.shift(n, op.Path))
	case odbxfs.DropboxCopy:
		switch {
		case !known:
			return odbxfs.DropboxResult{Outcome: odbxfs.Gone}
		case taken && there.ContentHash == n.ContentHash:
			return done(there)
		case taken:
			return fail(odbxfs.KindExists)
		}
		b := d.bytes[n.ID]
		n.ID, n.Path = "", op.Path
		return done(d.put(n, b))
	default: // DropboxRemove
		switch {
		case !known:
			return odbxfs.DropboxResult{Outcome: odbxfs.Done}
		case n.Kind == odbxfs.File && n.Rev != op.Rev, n.Kind == odbxfs.Folder && len(d.below(n.Path)) > 0:
			return odbxfs.DropboxResult{Outcome: odbxfs.Changed, Node: &n}
		}
		d.drop(n)
		return odbxfs.DropboxResult{Outcome: odbxfs.Done}
	}
}

// Content implements Dropbox.
func (d *fakeDropbox) Content(_ context.Context, id odbxfs.DropboxID, rev odbxfs.Rev, off, n int64) (io.ReadCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.enter("content"); err != nil {
		return nil, err
	}
	node, ok := d.nodes[id]
	b, removed := d.trash[rev]
	if (!ok || node.Rev != rev) && !removed {
		return nil, &odbxfs.Error{Op: "download", Kind: odbxfs.KindMissing}
	}
	if !removed {
		b = d.bytes[id]
	}
	b = b[min(off, int64(len(b))):]
	if n >= 0 {
		b = b[:min(n, int64(len(b)))]
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// Link implements Dropbox.
func (d *fakeDropbox) Link(_ context.Context, id odbxfs.DropboxID, policy odbxfs.LinkPolicy) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.enter("link"); err != nil {
		return "", err
	}
	if _, ok := d.nodes[id]; !ok {
		return "", &odbxfs.Error{Op: "link", Kind: odbxfs.KindMissing}
	}
	url := "https://www.dropbox.com/scl/fi/" + string(id)[3:] + "?dl=0"
	d.links[url], d.audience[url] = true, policy
	return url, nil
}

// Unlink implements Dropbox.
func (d *fakeDropbox) Unlink(_ context.Context, url string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.enter("unlink"); err != nil {
		return err
	}
	delete(d.links, url)
	return d.faults.leave("dropbox unlink")
}

func (d *fakeDropbox) ids() []odbxfs.DropboxID {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.nodes))
}
