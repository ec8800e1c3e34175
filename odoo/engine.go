package odoo

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"odbxfs"
	"odbxfs/odoo/internal/wire"
	"odbxfs/odoo/provision"
)

// Engine is a provisioned Odoo as the syncer sees it: everything, whatever the
// technical user's own rights are, through the engine set of our actions, which
// only members of the technical group may run. It keeps the epochs of the
// leases that it took, and sends them with each write: a write of one who lost
// his lease is not carried out. All methods may be called concurrently.
type Engine struct {
	actions

	mu     sync.Mutex // guards epochs
	epochs map[odbxfs.ClientID]int64
}

// NewEngine makes the port of the technical user's client. It contacts nobody;
// a database that is not set up shows at the first call, as KindUnsupported.
func NewEngine(c *Client) *Engine {
	return &Engine{actions: actions{c: c, set: provision.EngineSet}, epochs: map[odbxfs.ClientID]int64{}}
}

// Verify asks whether our server actions are those of this version, and whether
// each may still be run by the group that it is for and nobody else: on Odoo 19 one that does not may be run by
// anybody, portal users included. To be asked at each start.
func (e *Engine) Verify(ctx context.Context) error {
	var w struct {
		Actions [][]any `odoo:"actions"` // name, whether its group alone may run it, sha256 of the code
	}
	if err := e.run(ctx, "verify", nil, &w); err != nil {
		return err
	}
	type state struct {
		guarded bool
		sha     string
	}
	there := map[string]state{}
	for _, row := range w.Actions {
		if len(row) != 3 {
			return answerError("look at our actions", fmt.Errorf("row %v", row))
		}
		name, _ := row[0].(string)
		guarded, _ := row[1].(bool)
		sha, _ := row[2].(string)
		there[name] = state{guarded, sha}
	}
	var wrong []error
	for _, a := range provision.Actions() {
		switch s, ok := there[a.Name]; {
		case !ok:
			wrong = append(wrong, fmt.Errorf("server action %s is gone", a.Name))
		case !s.guarded:
			wrong = append(wrong, fmt.Errorf("server action %s may be run by others than it is meant for", a.Name))
		case s.sha != a.SHA256:
			wrong = append(wrong, fmt.Errorf("server action %s is not of this version", a.Name))
		}
	}
	if wrong != nil {
		return &odbxfs.Error{Op: "look at our actions", Kind: odbxfs.KindUnsupported, Err: errors.Join(append(wrong, errors.New("run `odbxfs setup`"))...)}
	}
	return nil
}

// Apply carries writes out with full rights, in batches of one transaction
// each; a write that fails leaves the others alone. A write with a pair needs a
// lease of its cloud client. KindAccess when a lease was lost: nothing of that
// batch was done.
func (e *Engine) Apply(ctx context.Context, ops []odbxfs.OdooOp) ([]odbxfs.OdooResult, error) {
	e.mu.Lock()
	var leases []any
	for client, epoch := range e.epochs {
		// only those that this batch works for: losing one must not stop the others
		if slices.ContainsFunc(ops, func(op odbxfs.OdooOp) bool { return op.Pair != nil && op.Pair.Client == client }) {
			leases = append(leases, []int64{int64(client), epoch})
		}
	}
	e.mu.Unlock()
	return e.apply(ctx, ops, leases)
}

// contentAnswer is what the content action says.
type contentAnswer struct {
	Type    string `odoo:"type"`
	URL     string `odoo:"url"`
	Token   string `odoo:"token"`
	Size    string `odoo:"size"`
	Content string `odoo:"content"`
}

// Content opens a document's bytes, streamed by a token that the action gives;
// where the server does not know the database of a request by token (Odoo 14
// with several), in pieces by the action itself. KindUnsupported with a
// [LinkError] for a link, KindMissing for one that is not there.
func (e *Engine) Content(ctx context.Context, ref odbxfs.OdooRef, offset, length int64) (io.ReadCloser, error) {
	if ref.Kind != odbxfs.RefAttachment || offset < 0 {
		return nil, argumentError("read content", errNoDocument(ref))
	}
	var w contentAnswer
	if err := e.run(ctx, "content", map[string]any{"ref": ref.String()}, &w); err != nil {
		return nil, err
	}
	switch w.Type {
	case "":
		return nil, missingAttachment("read content", ref.ID)
	case "url":
		return nil, linkError(ref.ID, w.URL)
	}
	k, err := e.c.connected(ctx)
	if err != nil {
		return nil, err
	}
	r, _, err := k.e.openContent(ctx, ref.ID, "?access_token="+url.QueryEscape(w.Token), offset, length)
	if errors.Is(err, errNoContent) {
		return &pieces{ctx: ctx, e: e, ref: ref, offset: offset, left: length}, nil
	}
	return r, named(err, ref.ID)
}

// Contents gives whole binaries in one call: as many, in the order of refs, as
// room bytes hold. Links, and what is not there, are left out.
func (e *Engine) Contents(ctx context.Context, refs []odbxfs.OdooRef, room int64) (map[odbxfs.OdooRef][]byte, error) {
	var w struct {
		Files []struct {
			Ref     string `odoo:"ref"`
			Content string `odoo:"content"`
		} `odoo:"files"`
	}
	if err := e.run(ctx, "content", map[string]any{"refs": refTexts(refs), "room": strconv.FormatInt(room, 10)}, &w); err != nil {
		return nil, err
	}
	byText := map[string]odbxfs.OdooRef{}
	for _, ref := range refs {
		byText[ref.String()] = ref
	}
	out := make(map[odbxfs.OdooRef][]byte, len(w.Files))
	for _, f := range w.Files {
		ref, asked := byText[f.Ref]
		raw, err := base64.StdEncoding.DecodeString(f.Content)
		if err == nil && !asked {
			err = fmt.Errorf("%s was not asked for", f.Ref)
		}
		if err != nil {
			return nil, answerError("read contents", err)
		}
		out[ref] = raw
	}
	return out, nil
}

func errNoDocument(ref odbxfs.OdooRef) error { return fmt.Errorf("%q is no document", ref) }

// pieces reads a document by one call of the action for each piece.
type pieces struct {
	ctx    context.Context // of the Content call that this reader belongs to
	e      *Engine
	ref    odbxfs.OdooRef
	offset int64
	left   int64 // negative: to the end
	buf    bytes.Reader
	eof    bool
}

// pieceBytes is the size of one piece: base64 in one answer.
const pieceBytes = 8 << 20

func (p *pieces) Read(b []byte) (int, error) {
	for p.buf.Len() == 0 {
		if p.eof || p.left == 0 {
			return 0, io.EOF
		}
		if err := p.fetch(); err != nil {
			return 0, err
		}
	}
	return p.buf.Read(b)
}

func (p *pieces) fetch() error {
	n := int64(pieceBytes)
	if p.left > 0 {
		n = min(n, p.left)
	}
	var w contentAnswer
	if err := p.e.run(p.ctx, "content", map[string]any{"ref": p.ref.String(), "offset": strconv.FormatInt(p.offset, 10), "length": strconv.FormatInt(n, 10)}, &w); err != nil {
		return err
	}
	if w.Type != "binary" {
		return missingAttachment("read content", p.ref.ID)
	}
	raw, err := base64.StdEncoding.DecodeString(w.Content)
	if err != nil {
		return answerError("read content", err)
	}
	p.buf.Reset(raw)
	p.offset += int64(len(raw))
	if p.left > 0 {
		p.left -= int64(len(raw))
	}
	p.eof = int64(len(raw)) < n
	return nil
}

// Close ends the reading.
func (p *pieces) Close() error { p.eof = true; p.buf.Reset(nil); return nil }

// Pairs gives the client's pairs behind row afterRow, at most limit of them, by
// row; tombstones too. Fewer than limit means the end.
func (e *Engine) Pairs(ctx context.Context, client odbxfs.ClientID, afterRow int64, limit int) ([]odbxfs.Pair, error) {
	var w struct {
		Pairs []wire.Pair `odoo:"pairs"`
	}
	if err := e.run(ctx, "pairs", map[string]any{"client": int64(client), "after": afterRow, "limit": limit}, &w); err != nil {
		return nil, err
	}
	out := make([]odbxfs.Pair, len(w.Pairs))
	for i, p := range w.Pairs {
		var err error
		if out[i], err = p.Odoo(); err != nil {
			return nil, answerError("read pairs", err)
		}
	}
	return out, nil
}

// Lease takes the lease of a cloud client for holder, or renews it, and gives
// its epoch and until when it surely lasts by this machine's clock. KindAccess
// when another holds it. [Engine.Apply] sends the epoch from now on.
func (e *Engine) Lease(ctx context.Context, client odbxfs.ClientID, holder string, ttl time.Duration) (epoch int64, until time.Time, err error) {
	asked := e.c.cfg.Now() // before the call: the server's clock starts later
	w, err := e.lease(ctx, client, map[string]any{"holder": holder, "ttl": int64(ttl / time.Second)})
	if err != nil {
		return 0, time.Time{}, err
	}
	return w.Epoch, asked.Add(ttl), nil
}

// Release gives the lease back, so that another need not wait for its end.
func (e *Engine) Release(ctx context.Context, client odbxfs.ClientID, holder string) error {
	_, err := e.lease(ctx, client, map[string]any{"holder": holder, "release": true})
	e.mu.Lock()
	delete(e.epochs, client)
	e.mu.Unlock()
	return err
}

type leaseAnswer struct {
	Got    bool   `odoo:"got"`
	Holder string `odoo:"holder"`
	Epoch  int64  `odoo:"epoch"`
	Left   int64  `odoo:"left"` // seconds
}

func (e *Engine) lease(ctx context.Context, client odbxfs.ClientID, arg map[string]any) (leaseAnswer, error) {
	arg["client"] = int64(client)
	var w leaseAnswer
	if err := e.run(ctx, "lease", arg, &w); err != nil {
		return w, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !w.Got {
		delete(e.epochs, client)
		return w, &odbxfs.Error{Op: "take the lease", Item: "cloud client " + strconv.FormatInt(int64(client), 10), Kind: odbxfs.KindAccess, Err: fmt.Errorf("held by %s for %d s more", w.Holder, w.Left)}
	}
	e.epochs[client] = w.Epoch
	return w, nil
}

// Log writes lines of the sync log. A line whose Task is there already replaces
// it: planned, then closed.
func (e *Engine) Log(ctx context.Context, lines []odbxfs.LogLine) error {
	for chunk := range slices.Chunk(lines, batchOps) {
		rows := make([]any, len(chunk))
		for i, l := range chunk {
			pass := ""
			if l.Pass != 0 {
				pass = l.Pass.String()
			}
			rows[i] = map[string]any{"time": l.Time.UTC().Format(timeLayout), "client": int64(l.Client), "pass": pass, "task": l.Task, "state": l.State,
				"what": l.What, "item": l.Item, "ref": l.Ref.String(), "dropbox": string(l.ID), "why": l.Why, "error": l.Error}
		}
		if err := e.run(ctx, "log", map[string]any{"lines": rows}, nil); err != nil {
			return err
		}
	}
	return nil
}

// Links gives the documents of Odoo that are links and are one of refs, or lead
// to one of urls, with their addresses; those in no folder of ours too.
func (e *Engine) Links(ctx context.Context, refs []odbxfs.OdooRef, urls []string) (map[odbxfs.OdooRef]string, error) {
	out := map[odbxfs.OdooRef]string{}
	for len(refs)+len(urls) > 0 {
		n, m := min(len(refs), refsPage), min(len(urls), refsPage)
		var w struct {
			Links [][]any `odoo:"links"` // id, url
		}
		if err := e.run(ctx, "links", map[string]any{"refs": refTexts(refs[:n]), "urls": urls[:m]}, &w); err != nil {
			return nil, err
		}
		for _, row := range w.Links {
			if len(row) != 2 {
				return nil, answerError("ask for links", fmt.Errorf("row %v", row))
			}
			id, okID := row[0].(int64)
			url, okURL := row[1].(string)
			if !okID || !okURL {
				return nil, answerError("ask for links", fmt.Errorf("row %v", row))
			}
			out[odbxfs.AttachmentRef(id)] = url
		}
		refs, urls = refs[n:], urls[m:]
	}
	return out, nil
}

// SetClientState says on the client's page in Odoo how it goes. KindMissing
// when there is no such client.
func (e *Engine) SetClientState(ctx context.Context, client odbxfs.ClientID, state, message string) error {
	var w struct {
		OK bool `odoo:"ok"`
	}
	if err := e.run(ctx, "client_state", map[string]any{"client": int64(client), "state": state, "message": message}, &w); err != nil {
		return err
	}
	if !w.OK {
		return &odbxfs.Error{Op: "write the state of a cloud client", Item: strconv.FormatInt(int64(client), 10), Kind: odbxfs.KindMissing}
	}
	return nil
}
