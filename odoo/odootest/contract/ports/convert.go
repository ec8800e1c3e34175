package ports

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"odbxfs"
)

const dropboxURL = "https://www.dropbox.com/scl/fi/"

func pairFor(b *bench, n odbxfs.OdooNode, id string) odbxfs.Pair {
	return odbxfs.Pair{Client: b.client, Kind: odbxfs.File, Odoo: n.Ref, OdooParent: n.ParentRef, OdooName: n.Name, Dropbox: odbxfs.DropboxID(b.own(id)), DropboxName: n.Name,
		MountName: n.Name, SHA1: n.SHA1, Size: n.Size, Mimetype: n.Mimetype, Rev: "1"}
}

// convertOp turns n into a link to its Dropbox file.
func convertOp(b *bench, n odbxfs.OdooNode, id string) odbxfs.OdooOp {
	p := pairFor(b, n, id)
	p.URL = dropboxURL + strings.TrimPrefix(string(p.Dropbox), "id:") + "?dl=0"
	return odbxfs.OdooOp{Kind: odbxfs.OdooConvert, Ref: n.Ref, Expect: &n, SHA1: n.SHA1, Size: n.Size, Mimetype: n.Mimetype, URL: p.URL, Pair: &p}
}

// mayConvert asks whether n could become a link.
func mayConvert(n odbxfs.OdooNode) odbxfs.OdooOp {
	return odbxfs.OdooOp{Kind: odbxfs.OdooMayConvert, Ref: n.Ref, Expect: &n}
}

func convertAndRestore(b *bench) {
	t := b.t
	n := b.put(t, b.user, b.partner(t, "Converted"), "offer.pdf", pdf("offer"))
	op := convertOp(b, n, "id:conv")
	res := b.apply(t, b.engine, odbxfs.Done, op)
	again := b.apply(t, b.engine, odbxfs.Done, op)
	if res.Pair == nil || res.Pair.Row == 0 || *again.Pair != *res.Pair {
		t.Errorf("pairs %+v, then %+v", res.Pair, again.Pair)
	}
	l := *res.Node
	if l.Type != odbxfs.Link || l.URL != op.URL || l.SHA1 != n.SHA1 || l.Size != n.Size || l.Mimetype != "application/pdf" || l.Name != n.Name {
		t.Errorf("link: %+v", l)
	}
	row := b.row(t, "ir.attachment", n.Ref.ID)
	for field, want := range map[string]any{"type": "url", "url": op.URL, "mimetype": "application/octet-stream", "checksum": string(n.SHA1)} {
		if row[field] != want {
			t.Errorf("row: %s is %v, want %v", field, row[field], want)
		}
	}
	if !unset(row["file_size"]) || !unset(row["store_fname"]) {
		t.Errorf("the row still has bytes: %v, %v", row["file_size"], row["store_fname"])
	}
	if n := b.node(t, b.user, n.Ref); n.Type != odbxfs.Link || n.Size != l.Size {
		t.Errorf("as the user sees it: %+v", n)
	}
	p := *res.Pair
	p.Gone = true
	back := odbxfs.OdooOp{Kind: odbxfs.OdooRestore, Ref: n.Ref, Expect: &l, Content: opener(pdf("offer")), Size: n.Size, SHA1: n.SHA1, Mimetype: "application/pdf", Pair: &p}
	res = b.apply(t, b.engine, odbxfs.Done, back)
	if got := *res.Node; got.Type != odbxfs.Binary || got.SHA1 != n.SHA1 || got.Mimetype != "application/pdf" || got.URL != "" {
		t.Errorf("restored: %+v", got)
	}
	b.apply(t, b.engine, odbxfs.Done, back)
	row = b.row(t, "ir.attachment", n.Ref.ID)
	if !unset(row["url"]) || !unset(row["x_odbxfs_mimetype"]) || !unset(row["x_odbxfs_size"]) {
		t.Errorf("something of the link is left: %v", row)
	}
	restoreOutside(b)
	// what the mount writes over a link is a binary again
	n = b.put(t, b.user, b.partner(t, "Overwritten"), "o.txt", []byte("o"))
	l = *b.apply(t, b.engine, odbxfs.Done, convertOp(b, n, "id:over")).Node
	if got := b.apply(t, b.user, odbxfs.Done, rewrite(l, []byte("new"))).Node; got.Type != odbxfs.Binary || got.SHA1 != sum([]byte("new")) || got.Mimetype != "text/plain" {
		t.Errorf("overwritten: %+v", got)
	}
}

// restoreOutside: a link whose document was moved to where no rule is gets its
// bytes back there, as long as it is the same link.
func restoreOutside(b *bench) {
	t := b.t
	n := b.put(t, b.user, b.partner(t, "Left"), "left.txt", []byte("left"))
	made := b.apply(t, b.engine, odbxfs.Done, convertOp(b, n, "id:left"))
	l, p := *made.Node, *made.Pair
	b.must(t, b.admin.Write(b.ctx, "ir.attachment", []int64{n.Ref.ID}, map[string]any{"res_model": "res.company", "res_id": int64(1)}))
	p.Gone = true
	other := l
	other.URL = dropboxURL + "other"
	back := odbxfs.OdooOp{Kind: odbxfs.OdooRestore, Ref: n.Ref, Expect: &other, Content: opener([]byte("left")), Size: n.Size, SHA1: n.SHA1, Mimetype: "text/plain", Pair: &p}
	b.apply(t, b.engine, odbxfs.Changed, back)
	back.Expect = &l
	b.apply(t, b.engine, odbxfs.Done, back)
	row := b.row(t, "ir.attachment", n.Ref.ID)
	if row["type"] != "binary" || !unset(row["url"]) || row["checksum"] != string(n.SHA1) || row["mimetype"] != "text/plain" {
		t.Errorf("restored outside: %v", row)
	}
	b.apply(t, b.engine, odbxfs.Done, back) // the answer was lost
}

func retained(b *bench) {
	t := b.t
	partner := b.partner(t, "Kept")
	picture := b.put(t, b.engine, partner, "p.png", []byte("\x89PNG\r\n\x1a\n----"))
	public := b.put(t, b.engine, partner, "public.txt", []byte("p"))
	unsent := b.put(t, b.engine, partner, "unsent.txt", []byte("u"))
	cover := b.put(t, b.engine, partner, "cover.txt", []byte("t"))
	message := b.put(t, b.engine, partner, "message.txt", []byte("m"))
	b.must(t, b.admin.Write(b.ctx, "ir.attachment", []int64{public.Ref.ID}, map[string]any{"public": true}))
	m, err := b.admin.Create(b.ctx, "mail.mail", map[string]any{"subject": "later", "body_html": "<p>x</p>", "email_to": "a@example.com", "state": "outgoing", "attachment_ids": []any{[]any{6, 0, []int64{unsent.Ref.ID}}}})
	b.must(t, err)
	_, err = b.admin.Create(b.ctx, "project.task", map[string]any{"name": "T", "project_id": b.id(t, "project.project", nil), "displayed_image_id": cover.Ref.ID})
	b.must(t, err)
	_, err = b.admin.Create(b.ctx, "mail.message", map[string]any{"model": "res.partner", "res_id": partner.ID, "body": "x", "attachment_ids": []any{[]any{6, 0, []int64{message.Ref.ID}}}})
	b.must(t, err)
	for _, c := range []struct {
		node odbxfs.OdooNode
		why  string
		soon bool
	}{
		{picture, "picture", false}, {public, "public", false}, {unsent, "mail", true}, {cover, "project.task.displayed_image_id", false},
	} {
		for _, op := range []odbxfs.OdooOp{mayConvert(c.node), convertOp(b, c.node, "id:kept-"+c.node.Name)} {
			res := b.apply(t, b.engine, odbxfs.Retained, op)
			if !strings.Contains(res.Reason, c.why) || res.Soon != c.soon {
				t.Errorf("%s: %q soon %v", c.node.Name, res.Reason, res.Soon)
			}
		}
		if got := b.node(t, b.engine, c.node.Ref); got.Type != odbxfs.Binary || got.SHA1 != c.node.SHA1 {
			t.Errorf("%s is %+v", c.node.Name, got)
		}
	}
	if n := b.apply(t, b.engine, odbxfs.Done, mayConvert(message)).Node; n == nil || n.Type != odbxfs.Binary || n.SHA1 != message.SHA1 {
		t.Errorf("asked about, it is %+v", n)
	}
	b.apply(t, b.engine, odbxfs.Done, convertOp(b, message, "id:message"))
	b.apply(t, b.engine, odbxfs.Done, mayConvert(message)) // its answer was lost: a link, as it is
	b.must(t, b.admin.Write(b.ctx, "mail.mail", []int64{m}, map[string]any{"state": "sent"}))
	b.apply(t, b.engine, odbxfs.Done, convertOp(b, unsent, "id:sent"))
	if n := b.countPairs(t, "id:kept-"); n != 0 {
		t.Errorf("%d pairs of what was not converted", n)
	}
}

func (b *bench) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func convertChanged(b *bench) {
	t := b.t
	n := b.put(t, b.user, b.partner(t, "Busy"), "b.txt", []byte("1"))
	b.apply(t, b.user, odbxfs.Done, rewrite(n, []byte("2")))
	b.apply(t, b.engine, odbxfs.Changed, mayConvert(n))
	res := b.apply(t, b.engine, odbxfs.Changed, convertOp(b, n, "id:busy"))
	if res.Node == nil || res.Node.SHA1 != sum([]byte("2")) || res.Node.Type != odbxfs.Binary {
		t.Errorf("%+v", res.Node)
	}
	moved := b.put(t, b.user, b.partner(t, "Busy 2"), "c.txt", []byte("3"))
	b.apply(t, b.user, odbxfs.Done, relocate(moved, b.partner(t, "Busy 3"), "c.txt"))
	b.apply(t, b.engine, odbxfs.Changed, convertOp(b, moved, "id:busy2"))
	gone := b.put(t, b.user, b.partner(t, "Busy 4"), "d.txt", []byte("4"))
	b.apply(t, b.user, odbxfs.Done, remove(gone))
	b.apply(t, b.engine, odbxfs.Gone, mayConvert(gone))
	b.apply(t, b.engine, odbxfs.Gone, convertOp(b, gone, "id:busy3"))
	if n := b.countPairs(t, "id:busy"); n != 0 {
		t.Errorf("%d pairs of conversions that did not happen", n)
	}
}

// convertConcurrent lets another write while the conversion's transaction is
// open: it waits for him, or is run again, and sees his work.
func convertConcurrent(b *bench) {
	t := b.t
	n := b.put(t, b.user, b.partner(t, "Race"), "r.txt", []byte("1"))
	got := odbxfs.Outcome(0)
	b.srv.Meet(t, b.user, rewrite(n, []byte("2")), func() {
		res, err := b.engine.Apply(b.ctx, []odbxfs.OdooOp{convertOp(b, n, "id:race")})
		if err != nil {
			t.Error(err)
			return
		}
		got = res[0].Outcome
	})
	if got != odbxfs.Changed {
		t.Errorf("outcome %d, want Changed", got)
	}
}

// WaitFor polls until a condition holds, for a minute.
func WaitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatal("in vain: ", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func documentTypes(b *bench) {
	t := b.t
	partner := b.partner(t, "Types")
	n := b.put(t, b.user, partner, "t.pdf", pdf("t"))
	link := *b.apply(t, b.engine, odbxfs.Done, convertOp(b, n, "id:types")).Node
	copied, err := b.demo.Create(b.ctx, "ir.attachment", map[string]any{"name": "copy.pdf", "type": "url", "url": link.URL, "res_model": "res.partner", "res_id": partner.ID})
	b.must(t, err)
	foreign, err := b.demo.Create(b.ctx, "ir.attachment", map[string]any{"name": "news", "type": "url", "url": "https://example.com/news", "res_model": "res.partner", "res_id": partner.ID})
	b.must(t, err)
	for ref, want := range map[odbxfs.OdooRef]odbxfs.DocumentType{link.Ref: odbxfs.Link, odbxfs.AttachmentRef(copied): odbxfs.Copy, odbxfs.AttachmentRef(foreign): odbxfs.Foreign} {
		for _, p := range []port{b.engine, b.user} {
			if got := b.node(t, p, ref); got.Type != want || got.URL == "" {
				t.Errorf("%s: %+v, want type %d", ref, got, want)
			}
		}
	}
	f := b.node(t, b.user, odbxfs.AttachmentRef(foreign))
	wantKind(t, b.apply(t, b.user, odbxfs.Refused, rewrite(f, []byte("x"))).Err, odbxfs.KindUnsupported)
	// who edits a link's url has made it a foreign one, whatever the pair says
	b.must(t, b.demo.Write(b.ctx, "ir.attachment", []int64{link.Ref.ID}, map[string]any{"url": "https://example.com/evil"}))
	if got := b.node(t, b.engine, link.Ref); got.Type != odbxfs.Foreign {
		t.Errorf("an edited link: %+v", got)
	}
}

func createLink(b *bench) {
	t := b.t
	partner := b.partner(t, "From Dropbox")
	p := odbxfs.Pair{Client: b.client, Kind: odbxfs.File, OdooParent: partner, OdooName: "new.pdf", Dropbox: odbxfs.DropboxID(b.own("id:new")), DropboxName: "new.pdf", ContentHash: "abc", Size: 1 << 33, Mimetype: "application/pdf", Rev: "1", URL: dropboxURL + b.own("new")}
	op := odbxfs.OdooOp{Kind: odbxfs.OdooCreateFile, Key: b.own("new-link"), Parent: partner, Name: "new.pdf", URL: p.URL, Size: p.Size, Mimetype: p.Mimetype, Pair: &p}
	res := b.apply(t, b.engine, odbxfs.Done, op)
	if n := res.Node; n.Type != odbxfs.Link || n.Size != 1<<33 || n.Mimetype != "application/pdf" || n.SHA1 != "" || n.URL != p.URL {
		t.Errorf("link: %+v", n)
	}
	if res.Pair.Odoo != res.Node.Ref || res.Pair.Version != 1 || res.Pair.Size != 1<<33 {
		t.Errorf("pair: %+v", res.Pair)
	}
	again := b.apply(t, b.engine, odbxfs.Done, op)
	if again.Node.Ref != res.Node.Ref || *again.Pair != *res.Pair {
		t.Errorf("the repeated one: %+v %+v", again.Node, again.Pair)
	}
	// its new content in Dropbox: pair and hints
	q := *res.Pair
	q.Size, q.Rev, q.SHA1 = 5, "2", sum([]byte("five!"))
	hint := odbxfs.OdooOp{Kind: odbxfs.OdooHint, Ref: res.Node.Ref, Expect: res.Node, SHA1: q.SHA1, Size: 5, Mimetype: "application/pdf", Pair: &q}
	got := b.apply(t, b.engine, odbxfs.Done, hint)
	if got.Node.Size != 5 || got.Node.SHA1 != q.SHA1 || got.Node.Type != odbxfs.Link || got.Pair.Version != 2 {
		t.Errorf("after the hint: %+v %+v", got.Node, got.Pair)
	}
	_, err := b.engine.Content(b.ctx, res.Node.Ref, 0, -1)
	wantKind(t, err, odbxfs.KindUnsupported)
}

// copyOfALink: a copy that Odoo made of a link's row gets a Dropbox file of its
// own; who still leads to a file is told, in our folders or not.
func copyOfALink(b *bench) {
	t := b.t
	partner := b.partner(t, "Copies")
	n := b.put(t, b.user, partner, "c.pdf", pdf("c"))
	link := *b.apply(t, b.engine, odbxfs.Done, convertOp(b, n, "id:source")).Node
	row := func(name, url string, on map[string]any) odbxfs.OdooRef {
		vals := map[string]any{"name": name, "type": "url", "url": url}
		for k, v := range on {
			vals[k] = v
		}
		id, err := b.admin.Create(b.ctx, "ir.attachment", vals)
		b.must(t, err)
		return odbxfs.AttachmentRef(id)
	}
	copied := row("copy.pdf", link.URL, map[string]any{"res_model": "res.partner", "res_id": partner.ID})
	outside := row("outside.pdf", link.URL, nil)
	row("other", "https://example.com/other", nil)

	want := map[odbxfs.OdooRef]string{link.Ref: link.URL, copied: link.URL, outside: link.URL}
	for what, ask := range map[string]func() (map[odbxfs.OdooRef]string, error){
		"by url": func() (map[odbxfs.OdooRef]string, error) { return b.engine.Links(b.ctx, nil, []string{link.URL}) },
		"by ref": func() (map[odbxfs.OdooRef]string, error) {
			return b.engine.Links(b.ctx, []odbxfs.OdooRef{link.Ref, copied, outside, n.Ref}, nil)
		},
	} {
		if got, err := ask(); err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}

	c := b.node(t, b.engine, copied)
	p := pairFor(b, c, "id:own")
	p.URL, p.SHA1, p.Size, p.Mimetype = dropboxURL+b.own("own"), link.SHA1, link.Size, "application/pdf"
	op := odbxfs.OdooOp{Kind: odbxfs.OdooConvert, Ref: c.Ref, Expect: &c, SHA1: link.SHA1, Size: link.Size, Mimetype: "application/pdf", URL: p.URL, Pair: &p}
	got := *b.apply(t, b.engine, odbxfs.Done, op).Node
	if got.Type != odbxfs.Link || got.URL != p.URL || got.SHA1 != link.SHA1 || got.Size != link.Size || got.Mimetype != "application/pdf" {
		t.Errorf("the copy: %+v", got)
	}
	if again := *b.apply(t, b.engine, odbxfs.Done, op).Node; again.URL != p.URL {
		t.Errorf("again: %+v", again)
	}
	delete(want, copied)
	if left, err := b.engine.Links(b.ctx, nil, []string{link.URL}); err != nil || !maps.Equal(left, want) {
		t.Errorf("left: %v, %v", left, err)
	}
	foreign := b.node(t, b.engine, row("news", "https://example.com/news", map[string]any{"res_model": "res.partner", "res_id": partner.ID}))
	op = convertOp(b, foreign, "id:foreign")
	b.apply(t, b.engine, odbxfs.Retained, op)
}
