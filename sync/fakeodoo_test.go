package sync

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	gosync "sync"
	"time"

	"odbxfs"
)

// faults decides, call by call, whether a remote is down or an answer is lost.
// It is shared by both fakes.
type faults struct {
	before func(call string) error         // not nil: the call is not carried out
	after  func(call string) error         // not nil: it was, but nobody hears of it
	op     func(op odbxfs.DropboxOp) error // not nil: this write to Dropbox is refused
}

func (f *faults) enter(call string) error {
	if f == nil || f.before == nil {
		return nil
	}
	return f.before(call)
}

func (f *faults) leave(call string) error {
	if f == nil || f.after == nil {
		return nil
	}
	return f.after(call)
}

func unavailable(op string) error {
	return &odbxfs.Error{Op: op, Kind: odbxfs.KindUnavailable, Err: errors.New("connection torn")}
}

func sha1Of(b []byte) odbxfs.SHA1 {
	sum := sha1.Sum(b)
	return odbxfs.SHA1(hex.EncodeToString(sum[:]))
}

// fakeOdoo is an Odoo in memory with the semantics of the engine's actions:
// keys, compare-and-set on content and place, pairs with versions.
type fakeOdoo struct {
	mu     gosync.Mutex
	faults *faults
	calls  map[string]int

	client  odbxfs.CloudClient
	more    []odbxfs.CloudClient               // further ones
	owners  map[odbxfs.OdooRef]odbxfs.ClientID // whose a rule's folder is, with all below; the others are of client 1
	refuse  map[string]odbxfs.ErrorKind        // by name: what is never taken
	nodes   map[odbxfs.OdooRef]odbxfs.OdooNode
	stamp   map[odbxfs.OdooRef]int
	bytes   map[odbxfs.OdooRef][]byte
	pairs   map[int64]odbxfs.Pair
	rows    map[[2]string]int64 // of pairs, by what they pair
	keys    map[string]odbxfs.OdooRef
	retain  map[string]string // by name: why Odoo keeps the bytes
	audited map[string]string // by name: why the conversion itself is refused
	log     map[string]odbxfs.LogLine
	notes   []odbxfs.LogLine
	clock   int
	lastID  int64
	lastRow int64
	other   string                             // not empty: who else holds the lease
	holder  string                             // who of us got it last; empty: gave it back
	outside map[odbxfs.OdooRef]odbxfs.OdooNode // rows that are in none of our folders
	now     func() time.Time
	state   string            // what the client's form says
	hostile []odbxfs.OdooNode // rows that come with every look, whatever they say
}

func newFakeOdoo(now func() time.Time, f *faults) *fakeOdoo {
	o := &fakeOdoo{
		faults: f, now: now, calls: map[string]int{},
		client: odbxfs.CloudClient{ID: 1, Name: "main", Root: "/Odoo", Links: odbxfs.LinkPublic, Convert: odbxfs.ConvertDefault},
		nodes:  map[odbxfs.OdooRef]odbxfs.OdooNode{}, stamp: map[odbxfs.OdooRef]int{}, bytes: map[odbxfs.OdooRef][]byte{},
		pairs: map[int64]odbxfs.Pair{}, rows: map[[2]string]int64{}, keys: map[string]odbxfs.OdooRef{}, retain: map[string]string{}, audited: map[string]string{}, log: map[string]odbxfs.LogLine{},
		lastID: 100, outside: map[odbxfs.OdooRef]odbxfs.OdooNode{},
	}
	o.put(odbxfs.OdooNode{Ref: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRoot})
	o.put(odbxfs.OdooNode{Ref: odbxfs.RuleRef(1), ParentRef: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRule, Name: "Sales Orders"})
	for i := range 3 {
		o.put(odbxfs.OdooNode{Ref: odbxfs.RecordRef("sale.order", int64(i+1)), ParentRef: odbxfs.RuleRef(1), Kind: odbxfs.Folder,
			Role: odbxfs.RoleRecord, Name: fmt.Sprintf("S0000%d", i+1)})
	}
	return o
}

func (o *fakeOdoo) put(n odbxfs.OdooNode) {
	n.Client, n.Writable, n.Node, n.Parent = o.ownerOf(n), true, 0, 0
	if n.Kind == odbxfs.File && n.Type == 0 {
		n.Type = odbxfs.Binary
	}
	o.clock++
	o.nodes[n.Ref], o.stamp[n.Ref] = n, o.clock
}

func (o *fakeOdoo) ownerOf(n odbxfs.OdooNode) odbxfs.ClientID {
	for !n.Ref.IsZero() {
		if owner, known := o.owners[n.Ref]; known {
			return owner
		}
		n = o.nodes[n.ParentRef]
	}
	return 1
}

// The hands of people who work in Odoo.

func (o *fakeOdoo) addFile(parent odbxfs.OdooRef, name string, b []byte) odbxfs.OdooRef {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.create(odbxfs.OdooOp{Kind: odbxfs.OdooCreateFile, Parent: parent, Name: name}, b).Ref
}

func (o *fakeOdoo) addFolder(parent odbxfs.OdooRef, name string) odbxfs.OdooRef {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.create(odbxfs.OdooOp{Kind: odbxfs.OdooMakeFolder, Parent: parent, Name: name}, nil).Ref
}

func (o *fakeOdoo) write(ref odbxfs.OdooRef, b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.nodes[ref]
	n.Type, n.URL, n.SHA1, n.Size = odbxfs.Binary, "", sha1Of(b), int64(len(b))
	o.bytes[ref] = b
	o.put(n)
}

func (o *fakeOdoo) relocate(ref, parent odbxfs.OdooRef, name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.nodes[ref]
	n.ParentRef, n.Name = parent, name
	o.put(n)
}

// changeRule lets a record be of another rule, and maybe of another cloud
// client, with all that is below it.
func (o *fakeOdoo) changeRule(record, rule odbxfs.OdooRef) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.nodes[record]
	n.ParentRef = rule
	o.put(n)
	for below := []odbxfs.OdooRef{record}; len(below) > 0; below = below[1:] {
		for _, ref := range o.sorted() {
			if child := o.nodes[ref]; child.ParentRef == below[0] {
				o.put(child)
				below = append(below, ref)
			}
		}
	}
}

func (o *fakeOdoo) remove(ref odbxfs.OdooRef) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unlink(ref)
}

// leave takes a file out of our folders: its record is in no rule any more.
func (o *fakeOdoo) leave(ref odbxfs.OdooRef) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.outside[ref] = o.nodes[ref]
	delete(o.nodes, ref)
	delete(o.stamp, ref)
}

// comeBack is the end of leave.
func (o *fakeOdoo) comeBack(ref odbxfs.OdooRef) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.put(o.outside[ref])
	delete(o.outside, ref)
}

// duplicate is Odoo's own copy of a row: of a link's, a copy.
func (o *fakeOdoo) duplicate(ref, parent odbxfs.OdooRef, name string) odbxfs.OdooRef {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lastID++
	n := o.nodes[ref]
	n.Ref, n.ParentRef, n.Name = odbxfs.AttachmentRef(o.lastID), parent, name
	if n.Type == odbxfs.Link {
		n.Type, n.SHA1, n.Size, n.Mimetype = odbxfs.Copy, "", 0, ""
	}
	o.put(n)
	if b, binary := o.bytes[ref]; binary {
		o.bytes[n.Ref] = b
	}
	return n.Ref
}

func (o *fakeOdoo) unlink(ref odbxfs.OdooRef) {
	for _, r := range o.sorted() {
		if o.nodes[r].ParentRef == ref {
			o.unlink(r)
		}
	}
	delete(o.nodes, ref)
	delete(o.stamp, ref)
	delete(o.bytes, ref)
}

func (o *fakeOdoo) sorted() []odbxfs.OdooRef {
	byName := make(map[string]odbxfs.OdooRef, len(o.nodes))
	for ref := range o.nodes {
		byName[ref.String()] = ref
	}
	refs := make([]odbxfs.OdooRef, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		refs = append(refs, byName[name])
	}
	return refs
}

func (o *fakeOdoo) create(op odbxfs.OdooOp, b []byte) odbxfs.OdooNode {
	o.lastID++
	n := odbxfs.OdooNode{ParentRef: op.Parent, Name: op.Name, Kind: odbxfs.File, Type: odbxfs.Binary, MTime: op.MTime}
	switch {
	case op.Kind == odbxfs.OdooMakeFolder:
		n.Ref, n.Kind, n.Role, n.Type = odbxfs.FolderRef(o.lastID), odbxfs.Folder, odbxfs.RoleSubfolder, 0
	case op.URL != "":
		n.Ref, n.Type, n.URL, n.SHA1, n.Size = odbxfs.AttachmentRef(o.lastID), odbxfs.Link, op.URL, op.SHA1, op.Size
	default:
		n.Ref, n.SHA1, n.Size = odbxfs.AttachmentRef(o.lastID), sha1Of(b), int64(len(b))
		o.bytes[n.Ref] = b
	}
	o.put(n)
	return o.nodes[n.Ref]
}

func (o *fakeOdoo) enter(call string) error {
	o.calls[call]++
	return o.faults.enter("odoo " + call)
}

func (o *fakeOdoo) answer(call string) error { return o.faults.leave("odoo " + call) }

func (o *fakeOdoo) modelOf(n odbxfs.OdooNode) string {
	for {
		switch n.Ref.Kind {
		case odbxfs.RefRecord:
			return n.Ref.Model
		case odbxfs.RefRule, odbxfs.RefRoot:
			return odbxfs.PlaceModel
		default: // below one of these
		}
		up, ok := o.nodes[n.ParentRef]
		if !ok {
			return "lost"
		}
		n = up
	}
}

func (o *fakeOdoo) scope(n odbxfs.OdooNode) odbxfs.OdooScope {
	s := odbxfs.OdooScope{Kind: n.Ref.Kind}
	if s.Kind == odbxfs.RefAttachment || s.Kind == odbxfs.RefRecord {
		s.Model = o.modelOf(n)
	}
	return s
}

// Changes implements Odoo.
func (o *fakeOdoo) Changes(_ context.Context, mark string) (odbxfs.OdooChanges, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.enter("changes"); err != nil {
		return odbxfs.OdooChanges{}, err
	}
	since, _ := strconv.Atoi(mark) // "" is the beginning
	look := odbxfs.OdooChanges{Mark: strconv.Itoa(o.clock), Database: "db-1", Clients: append([]odbxfs.CloudClient{o.client}, o.more...)}
	counts := map[odbxfs.OdooScope]odbxfs.OdooCount{}
	var changed []odbxfs.OdooRef
	for _, r := range o.sorted() {
		n := o.nodes[r]
		s := o.scope(n)
		c := counts[s]
		counts[s] = odbxfs.OdooCount{Scope: s, Count: c.Count + 1, Sum: c.Sum + r.ID}
		if o.stamp[r] > since || r.Kind == odbxfs.RefRoot { // the root comes with every look
			changed = append(changed, r)
		}
	}
	look.Nodes = append(o.parentsFirst(changed), o.hostile...)
	for s, c := range counts {
		if s.Kind != odbxfs.RefRoot {
			look.Counts = append(look.Counts, c)
		}
	}
	return look, o.answer("changes")
}

func (o *fakeOdoo) parentsFirst(refs []odbxfs.OdooRef) []odbxfs.OdooNode {
	depth := func(r odbxfs.OdooRef) (d int) {
		for n := o.nodes[r]; !n.ParentRef.IsZero(); n = o.nodes[n.ParentRef] {
			d++
		}
		return d
	}
	slices.SortStableFunc(refs, func(a, b odbxfs.OdooRef) int { return depth(a) - depth(b) })
	var nodes []odbxfs.OdooNode
	for _, r := range refs {
		nodes = append(nodes, o.nodes[r])
	}
	return nodes
}

// Refs implements Odoo.
func (o *fakeOdoo) Refs(_ context.Context, scope odbxfs.OdooScope) ([]odbxfs.OdooRef, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.enter("refs"); err != nil {
		return nil, err
	}
	var refs []odbxfs.OdooRef
	for _, r := range o.sorted() {
		if o.scope(o.nodes[r]) == scope {
			refs = append(refs, r)
		}
	}
	return refs, o.answer("refs")
}

// Nodes implements Odoo.
func (o *fakeOdoo) Nodes(_ context.Context, refs []odbxfs.OdooRef) ([]odbxfs.OdooNode, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.enter("nodes"); err != nil {
		return nil, err
	}
	var have []odbxfs.OdooRef
	for _, r := range refs {
		if _, ok := o.nodes[r]; ok {
			have = append(have, r)
		}
	}
	return o.parentsFirst(have), o.answer("nodes")
}

// Content implements Odoo.
func (o *fakeOdoo) Content(_ context.Context, ref odbxfs.OdooRef, off, n int64) (io.ReadCloser, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.enter("content"); err != nil {
		return nil, err
	}
	b, ok := o.bytes[ref]
	if !ok {
		return nil, &odbxfs.Error{Op: "content", Kind: odbxfs.KindMissing}
	}
	b = b[min(off, int64(len(b))):]
	if n >= 0 {
		b = b[:min(n, int64(len(b)))]
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// Contents implements Bulk.
func (o *fakeOdoo) Contents(_ context.Context, refs []odbxfs.OdooRef, room int64) (map[odbxfs.OdooRef][]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.enter("contents"); err != nil {
		return nil, err
	}
	got := map[odbxfs.OdooRef][]byte{}
	for _, ref := range refs {
		b, ok := o.bytes[ref]
		if room -= int64(len(b)); room < 0 {
			break
		}
		if ok {
			got[ref] = bytes.Clone(b)
		}
	}
	return got, o.answer("contents")
}

// bodyOf reads what a write brings; nil when it brings nothing.
func bodyOf(ctx context.Context, open odbxfs.Opener) ([]byte, error) {
	if open == nil {
		return nil, nil
	}
	r, err := open(ctx)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

// Apply implements Odoo.
func (o *fakeOdoo) Apply(ctx context.Context, ops []odbxfs.OdooOp) ([]odbxfs.OdooResult, error) {
	bodies := make([][]byte, len(ops))
	for i, op := range ops {
		var err error
		if bodies[i], err = bodyOf(ctx, op.Content); err != nil {
			return nil, err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.enter("apply"); err != nil {
		return nil, err
	}
	out := make([]odbxfs.OdooResult, len(ops))
	for i, op := range ops {
		out[i] = o.apply(op, bodies[i])
	}
	return out, o.answer("apply")
}

func refused(k odbxfs.ErrorKind) odbxfs.OdooResult {
	return odbxfs.OdooResult{Outcome: odbxfs.Refused, Err: &odbxfs.Error{Op: "apply", Kind: k}}
}

func (o *fakeOdoo) apply(op odbxfs.OdooOp, body []byte) odbxfs.OdooResult {
	if op.Content != nil && op.SHA1 != "" && sha1Of(body) != op.SHA1 {
		panic("the engine sent other bytes than it said")
	}
	// The pair's precondition is looked at first: one transaction.
	if op.Pair != nil {
		if now, ok := o.pairStands(*op.Pair); !ok {
			res := odbxfs.OdooResult{Outcome: odbxfs.Changed, Pair: now}
			if n, there := o.nodes[op.Ref]; there {
				res.Node = &n
			}
			return res
		}
	}
	if kind, refuses := o.refuse[op.Name]; refuses {
		return refused(kind)
	}
	var n odbxfs.OdooNode
	switch op.Kind {
	case odbxfs.OdooCreateFile, odbxfs.OdooMakeFolder:
		if ref, done := o.keys[op.Key]; done && op.Key != "" {
			was, there := o.nodes[ref]
			if !there {
				return odbxfs.OdooResult{Outcome: odbxfs.Gone}
			}
			n = was
			break
		}
		if _, ok := o.nodes[op.Parent]; !ok {
			return refused(odbxfs.KindMissing)
		}
		n = o.create(op, body)
		o.keys[op.Key] = n.Ref
	case odbxfs.OdooSettlePair:
		n = o.nodes[op.Ref]
	default:
		var ok bool
		if n, ok = o.nodes[op.Ref]; !ok {
			return o.restoreOutside(op, body)
		}
		if op.Kind == odbxfs.OdooMayConvert && n.Type != odbxfs.Binary {
			break
		}
		if x := op.Expect; x == nil || n.SHA1 != x.SHA1 || n.URL != x.URL || n.Name != x.Name || n.ParentRef != x.ParentRef {
			return odbxfs.OdooResult{Outcome: odbxfs.Changed, Node: &n}
		}
		res := o.change(op, body, &n)
		if res.Outcome != odbxfs.Done {
			return res
		}
	}
	res := odbxfs.OdooResult{Outcome: odbxfs.Done}
	if cur, there := o.nodes[n.Ref]; there && !n.Ref.IsZero() {
		res.Node = &cur
	}
	if op.Pair != nil {
		p := *op.Pair
		if p.Odoo.IsZero() {
			p.Odoo = n.Ref
		}
		res.Pair = o.putPair(p)
	}
	return res
}

// restoreOutside gives a link that is in none of our folders its bytes back.
func (o *fakeOdoo) restoreOutside(op odbxfs.OdooOp, body []byte) odbxfs.OdooResult {
	n, there := o.outside[op.Ref]
	switch {
	case op.Kind != odbxfs.OdooRestore || !there:
		return odbxfs.OdooResult{Outcome: odbxfs.Gone}
	case n.URL == "" && n.SHA1 == op.SHA1: // done before
	case n.URL != op.Expect.URL:
		return odbxfs.OdooResult{Outcome: odbxfs.Changed}
	}
	n.Type, n.URL, n.SHA1, n.Size = odbxfs.Binary, "", sha1Of(body), int64(len(body))
	o.outside[op.Ref], o.bytes[op.Ref] = n, body
	return odbxfs.OdooResult{Outcome: odbxfs.Done, Pair: o.putPair(*op.Pair)}
}

// change carries out a write on a row that is there.
func (o *fakeOdoo) change(op odbxfs.OdooOp, body []byte, n *odbxfs.OdooNode) odbxfs.OdooResult {
	switch op.Kind {
	case odbxfs.OdooWriteContent, odbxfs.OdooRestore:
		n.Type, n.URL, n.SHA1, n.Size = odbxfs.Binary, "", sha1Of(body), int64(len(body))
		o.bytes[n.Ref] = body
	case odbxfs.OdooRelocate:
		if _, ok := o.nodes[op.Parent]; !ok {
			return refused(odbxfs.KindMissing)
		}
		n.ParentRef, n.Name = op.Parent, op.Name
	case odbxfs.OdooRemove:
		for _, other := range o.nodes {
			if other.ParentRef == n.Ref {
				return odbxfs.OdooResult{Outcome: odbxfs.Changed, Node: n} // as ops_lib.py answers
			}
		}
		o.unlink(n.Ref)
		return odbxfs.OdooResult{Outcome: odbxfs.Done}
	case odbxfs.OdooConvert, odbxfs.OdooMayConvert:
		if why := o.retain[n.Name]; why != "" {
			return odbxfs.OdooResult{Outcome: odbxfs.Retained, Reason: why, Node: n}
		}
		if op.Kind == odbxfs.OdooMayConvert {
			return odbxfs.OdooResult{Outcome: odbxfs.Done}
		}
		if why := o.audited[n.Name]; why != "" {
			return odbxfs.OdooResult{Outcome: odbxfs.Retained, Reason: why, Node: n}
		}
		if n.Type == odbxfs.Copy {
			n.SHA1, n.Size, n.Mimetype = op.SHA1, op.Size, op.Mimetype
		}
		n.Type, n.URL = odbxfs.Link, op.URL
		delete(o.bytes, n.Ref)
	case odbxfs.OdooHint:
		n.MTime = op.MTime
		if n.Type == odbxfs.Link {
			n.SHA1, n.Size = op.SHA1, op.Size
		}
	default:
		return refused(odbxfs.KindInvalid)
	}
	o.put(*n)
	return odbxfs.OdooResult{Outcome: odbxfs.Done}
}

// pairStands looks at a pair's precondition; rows are unique by Dropbox id.
func (o *fakeOdoo) pairStands(p odbxfs.Pair) (*odbxfs.Pair, bool) {
	if p.Row != 0 {
		now, ok := o.pairs[p.Row]
		if !ok {
			return nil, false
		}
		return &now, now.Version == p.Version
	}
	for _, was := range o.pairs { // as pairs_lib.py looks for a row that has either side
		if !p.Gone && !was.Gone && was.Client == p.Client && (was.Odoo == p.Odoo && !p.Odoo.IsZero() || was.Dropbox == p.Dropbox && p.Dropbox != "") {
			return &was, was.Odoo == p.Odoo && was.Dropbox == p.Dropbox
		}
	}
	return nil, true
}

func (o *fakeOdoo) putPair(p odbxfs.Pair) *odbxfs.Pair {
	between := [2]string{string(p.Dropbox), p.Odoo.String()}
	if row := o.rows[between]; p.Row == 0 && row != 0 {
		p.Row, p.Version = row, o.pairs[row].Version // written before, and the answer lost
	}
	if p.Row == 0 {
		o.lastRow++
		p.Row = o.lastRow
	}
	p.Version++
	p.Node, p.Parent = 0, 0
	if was, ok := o.pairs[p.Row]; ok {
		delete(o.rows, [2]string{string(was.Dropbox), was.Odoo.String()})
	}
	o.pairs[p.Row], o.rows[between] = p, p.Row
	return &p
}

// Pairs implements OdooLedger.
func (o *fakeOdoo) Pairs(_ context.Context, client odbxfs.ClientID, after int64, limit int) ([]odbxfs.Pair, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.enter("pairs"); err != nil {
		return nil, err
	}
	var page []odbxfs.Pair
	for _, row := range slices.Sorted(maps.Keys(o.pairs)) {
		if row > after && len(page) < limit && o.pairs[row].Client == client {
			page = append(page, o.pairs[row])
		}
	}
	return page, o.answer("pairs")
}

// Log implements OdooLedger.
func (o *fakeOdoo) Log(_ context.Context, lines []odbxfs.LogLine) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.enter("log"); err != nil {
		return err
	}
	for _, l := range lines {
		if l.Task == "" {
			o.notes = append(o.notes, l)
			continue
		}
		if l.State == "dropped" {
			delete(o.log, l.Task)
			continue
		}
		o.log[l.Task] = l
	}
	return o.answer("log")
}

// Links implements OdooLedger.
func (o *fakeOdoo) Links(_ context.Context, refs []odbxfs.OdooRef, urls []string) (map[odbxfs.OdooRef]string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.enter("links"); err != nil {
		return nil, err
	}
	found := map[odbxfs.OdooRef]string{}
	for _, rows := range []map[odbxfs.OdooRef]odbxfs.OdooNode{o.nodes, o.outside} {
		for ref, n := range rows {
			if n.URL != "" && (slices.Contains(refs, ref) || slices.Contains(urls, n.URL)) {
				found[ref] = n.URL
			}
		}
	}
	return found, o.answer("links")
}

// Lease implements OdooLedger.
func (o *fakeOdoo) Lease(_ context.Context, _ odbxfs.ClientID, holder string, ttl time.Duration) (int64, time.Time, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.enter("lease"); err != nil {
		return 0, time.Time{}, err
	}
	if o.other != "" {
		return 0, time.Time{}, &odbxfs.Error{Op: "lease", Kind: odbxfs.KindAccess, Err: errors.New(o.other + " has it")}
	}
	o.holder = holder
	return 1, o.now().Add(ttl), o.answer("lease")
}

// Release implements OdooLedger.
func (o *fakeOdoo) Release(_ context.Context, _ odbxfs.ClientID, holder string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.enter("release"); err != nil {
		return err
	}
	if o.other != "" {
		return &odbxfs.Error{Op: "lease", Kind: odbxfs.KindAccess, Err: errors.New(o.other + " has it")}
	}
	if o.holder == holder {
		o.holder = ""
	}
	return o.answer("release")
}

// SetClientState implements OdooLedger.
func (o *fakeOdoo) SetClientState(_ context.Context, _ odbxfs.ClientID, state, message string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.enter("state"); err != nil {
		return err
	}
	o.state, o.client.Paused = state+": "+message, o.client.Paused || state == StateReset
	return o.answer("state")
}
