package contract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"odbxfs"
	"odbxfs/odoo"
)

var plainChecks = []check{
	{"plain/the tree", plainTree},
	{"plain/a document's life", plainLife},
	{"plain/twice is once", plainTwice},
	{"plain/races are told", plainRaces},
	{"plain/what it refuses", plainRefuses},
	{"plain/a url is foreign", plainForeign},
	{"plain/changes are seen", plainChanges},
	{"plain/may write", plainMayWrite},
}

// plainEnv is a plain tree of partners, with one to work in.
type plainEnv struct {
	c     *odoo.Client
	tree  *odoo.Plain
	dir   odbxfs.OdooRef
	other odbxfs.OdooRef
}

// plain makes a plain tree of two partners of its own, as the employee.
func (e *env) plain(ctx context.Context) (plainEnv, error) {
	var p plainEnv
	a, err := e.partner(ctx, "plain A")
	if err != nil {
		return p, err
	}
	b, err := e.partner(ctx, "plain B")
	if err != nil {
		return p, err
	}
	p.dir, p.other = odbxfs.RecordRef("res.partner", a), odbxfs.RecordRef("res.partner", b)
	if p.c, err = e.as(ctx, e.Employee); err != nil {
		return p, err
	}
	p.tree, err = odoo.NewPlain(p.c, odoo.PlainConfig{Models: []odoo.PlainModel{{Model: "res.partner", Domain: odoo.Domain{odoo.Where("id", "in", []int64{a, b})}}}})
	return p, err
}

// do applies one op and wants the outcome.
func (p plainEnv) do(ctx context.Context, what string, op odbxfs.OdooOp, want odbxfs.Outcome) (*odbxfs.OdooNode, error) {
	res, err := p.tree.Apply(ctx, []odbxfs.OdooOp{op})
	if err != nil {
		return nil, err
	}
	if len(res) != 1 || res[0].Outcome != want {
		return nil, fmt.Errorf("%s: want outcome %d, got %+v", what, want, res)
	}
	return res[0].Node, nil
}

// create is the op that makes a file.
func (p plainEnv) create(name, text string) odbxfs.OdooOp {
	return odbxfs.OdooOp{Kind: odbxfs.OdooCreateFile, Parent: p.dir, Name: name, Content: bytesOf(text), Size: int64(len(text)), SHA1: sum(text)}
}

// write is the op that gives n new content.
func (p plainEnv) write(n *odbxfs.OdooNode, text string) odbxfs.OdooOp {
	return odbxfs.OdooOp{Kind: odbxfs.OdooWriteContent, Ref: n.Ref, Expect: n, Content: bytesOf(text), Size: int64(len(text)), SHA1: sum(text)}
}

// plainFile is a plain tree with one file, a.txt with "one".
func (e *env) plainFile(ctx context.Context) (plainEnv, *odbxfs.OdooNode, error) {
	p, err := e.plain(ctx)
	if err != nil {
		return p, nil, err
	}
	n, err := p.do(ctx, "create", p.create("a.txt", "one"), odbxfs.Done)
	return p, n, err
}

func plainTree(ctx context.Context, e *env) error {
	p, err := e.plain(ctx)
	if err != nil {
		return err
	}
	n, err := p.do(ctx, "create", p.create("in the tree.txt", "x"), odbxfs.Done)
	if err != nil {
		return err
	}
	all, err := p.tree.Changes(ctx, "")
	if err != nil {
		return err
	}
	var refs []odbxfs.OdooRef
	for _, n := range all.Nodes {
		refs = append(refs, n.Ref)
		if n.ParentRef != odbxfs.RootRef() && !slices.Contains(refs, n.ParentRef) {
			return fmt.Errorf("%s comes before its parent", n.Ref)
		}
		if n.Name == "" {
			return fmt.Errorf("%s has no name", n.Ref)
		}
		if takes := n.Role != odbxfs.RoleRule; n.Writable != takes {
			return fmt.Errorf("%s is shown as writable: %t", n.Ref, n.Writable)
		}
	}
	for _, want := range []odbxfs.OdooRef{p.dir, p.other, n.Ref} {
		if !slices.Contains(refs, want) {
			return fmt.Errorf("%s is not in the tree", want)
		}
	}
	if len(all.Nodes) != 4 || all.Mark == "" || all.Database == "" {
		return fmt.Errorf("got %+v", all)
	}
	again, err := p.tree.Nodes(ctx, append(refs, odbxfs.AttachmentRef(99999999)))
	return errors.Join(err, equal("nodes by ref", len(again), 4))
}

func plainLife(ctx context.Context, e *env) error {
	p, n, err := e.plainFile(ctx)
	if err != nil {
		return err
	}
	if n.Name != "a.txt" || n.ParentRef != p.dir || n.Type != odbxfs.Binary || n.SHA1 != sum("one") || n.Size != 3 || n.Mimetype != "text/plain" || n.MTime.IsZero() {
		return fmt.Errorf("created %+v", n)
	}
	w, err := p.do(ctx, "write", p.write(n, "two!"), odbxfs.Done)
	if err != nil {
		return err
	}
	r, err := p.tree.Content(ctx, w.Ref, 1, 2)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close(), equal("content", string(b), "wo")); err != nil {
		return err
	}
	m, err := p.do(ctx, "rename and move", odbxfs.OdooOp{Kind: odbxfs.OdooRelocate, Ref: w.Ref, Expect: w, Parent: p.other, Name: "b.txt"}, odbxfs.Done)
	if err != nil {
		return err
	}
	if m.Ref != n.Ref || m.Name != "b.txt" || m.ParentRef != p.other || m.SHA1 != sum("two!") {
		return fmt.Errorf("moved to %+v", m)
	}
	if _, err := p.do(ctx, "remove", odbxfs.OdooOp{Kind: odbxfs.OdooRemove, Ref: m.Ref, Expect: m}, odbxfs.Done); err != nil {
		return err
	}
	left, err := p.tree.Nodes(ctx, []odbxfs.OdooRef{m.Ref})
	return errors.Join(err, equal("rows left", len(left), 0))
}

func plainTwice(ctx context.Context, e *env) error {
	p, n, err := e.plainFile(ctx)
	if err != nil {
		return err
	}
	again, err := p.do(ctx, "create again", p.create("a.txt", "one"), odbxfs.Done)
	if err := errors.Join(err, equal("ref", again.Ref, n.Ref)); err != nil {
		return err
	}
	for _, op := range []odbxfs.OdooOp{
		p.write(n, "two"),
		{Kind: odbxfs.OdooRelocate, Ref: n.Ref, Expect: nil, Parent: p.other, Name: "c.txt"},
	} {
		for range 2 {
			if _, err := p.do(ctx, fmt.Sprint("op ", op.Kind), op, odbxfs.Done); err != nil {
				return err
			}
		}
	}
	if _, err := p.do(ctx, "remove", odbxfs.OdooOp{Kind: odbxfs.OdooRemove, Ref: n.Ref}, odbxfs.Done); err != nil {
		return err
	}
	_, err = p.do(ctx, "remove again", odbxfs.OdooOp{Kind: odbxfs.OdooRemove, Ref: n.Ref}, odbxfs.Gone)
	return err
}

func plainRaces(ctx context.Context, e *env) error {
	p, n, err := e.plainFile(ctx)
	if err != nil {
		return err
	}
	if _, err := p.c.WriteContent(ctx, n.Ref.ID, nil, bytesOf("theirs"), 6, ""); err != nil {
		return err
	}
	for what, op := range map[string]odbxfs.OdooOp{
		"write":    p.write(n, "mine"),
		"relocate": {Kind: odbxfs.OdooRelocate, Ref: n.Ref, Expect: n, Parent: p.other, Name: "z"},
		"remove":   {Kind: odbxfs.OdooRemove, Ref: n.Ref, Expect: n},
	} {
		now, err := p.do(ctx, what, op, odbxfs.Changed)
		if err != nil {
			return err
		}
		if now == nil || now.SHA1 != sum("theirs") {
			return fmt.Errorf("%s: what is there now is %+v", what, now)
		}
	}
	if err := p.c.Unlink(ctx, "ir.attachment", []int64{n.Ref.ID}); err != nil {
		return err
	}
	_, err = p.do(ctx, "write to what is gone", p.write(n, "mine"), odbxfs.Gone)
	return err
}

func plainRefuses(ctx context.Context, e *env) error {
	p, n, err := e.plainFile(ctx)
	if err != nil {
		return err
	}
	inFolder := p.create("a.txt", "one")
	inFolder.Parent = odbxfs.RootRef()
	elsewhere := p.create("a.txt", "one")
	elsewhere.Parent = odbxfs.RecordRef("ir.cron", 1)
	link := p.create("a.txt", "one")
	link.URL = "https://example.com"
	for what, op := range map[string]odbxfs.OdooOp{
		"folder":             {Kind: odbxfs.OdooMakeFolder, Parent: p.dir, Name: "sub"},
		"file in the root":   inFolder,
		"file elsewhere":     elsewhere,
		"link":               link,
		"convert":            {Kind: odbxfs.OdooConvert, Ref: n.Ref, Expect: n},
		"remove a record":    {Kind: odbxfs.OdooRemove, Ref: p.dir},
		"move to nowhere":    {Kind: odbxfs.OdooRelocate, Ref: n.Ref, Expect: n, Parent: odbxfs.RecordRef("res.partner", 99999999), Name: "x"},
		"settle without end": {Kind: odbxfs.OdooSettlePair, Ref: n.Ref, Pair: &odbxfs.Pair{}},
	} {
		if _, err := p.do(ctx, what, op, odbxfs.Refused); err != nil {
			return err
		}
	}
	there, err := p.tree.Nodes(ctx, []odbxfs.OdooRef{n.Ref})
	if err != nil || len(there) != 1 || there[0] != *n {
		return fmt.Errorf("the file is now %+v: %w", there, err)
	}
	return nil
}

func plainForeign(ctx context.Context, e *env) error {
	p, err := e.plain(ctx)
	if err != nil {
		return err
	}
	id, err := p.c.Create(ctx, "ir.attachment", map[string]any{"name": "site", "type": "url", "url": "https://example.com/x", "res_model": "res.partner", "res_id": p.dir.ID})
	if err != nil {
		return err
	}
	nodes, err := p.tree.Nodes(ctx, []odbxfs.OdooRef{odbxfs.AttachmentRef(id)})
	if err != nil || len(nodes) != 1 || nodes[0].Type != odbxfs.Foreign || nodes[0].URL != "https://example.com/x" {
		return fmt.Errorf("got %+v: %w", nodes, err)
	}
	if _, err := p.tree.Content(ctx, nodes[0].Ref, 0, -1); odbxfs.KindOf(err) != odbxfs.KindUnsupported {
		return fmt.Errorf("content of a foreign url: %w", err)
	}
	_, err = p.do(ctx, "write", p.write(&nodes[0], "x"), odbxfs.Refused)
	return err
}

func plainChanges(ctx context.Context, e *env) error {
	p, err := e.plain(ctx)
	if err != nil {
		return err
	}
	first, err := p.tree.Changes(ctx, "")
	if err != nil {
		return err
	}
	n, err := p.do(ctx, "create", p.create("new.txt", "new"), odbxfs.Done)
	if err != nil {
		return err
	}
	second, err := p.tree.Changes(ctx, first.Mark)
	if err != nil {
		return err
	}
	if !slices.Contains(second.Nodes, *n) {
		return fmt.Errorf("the new file is not in %+v", second.Nodes)
	}
	scope := odbxfs.OdooScope{Kind: odbxfs.RefAttachment, Model: "res.partner"}
	if !slices.Contains(second.Counts, odbxfs.OdooCount{Scope: scope, Count: 1, Sum: n.Ref.ID}) {
		return fmt.Errorf("counts %+v", second.Counts)
	}
	if err := p.c.Unlink(ctx, "ir.attachment", []int64{n.Ref.ID}); err != nil {
		return err
	}
	third, err := p.tree.Changes(ctx, second.Mark)
	if err != nil {
		return err
	}
	if !slices.Contains(third.Counts, odbxfs.OdooCount{Scope: scope}) {
		return fmt.Errorf("counts after the removal %+v", third.Counts)
	}
	_, err = p.tree.Changes(ctx, "not ours")
	return wantKind("a mark that is not ours", err, odbxfs.KindReset)
}

func plainMayWrite(ctx context.Context, e *env) error {
	p, err := e.plain(ctx)
	if err != nil {
		return err
	}
	may, err := p.c.MayWrite(ctx, "res.partner", p.dir.ID)
	if err := errors.Join(err, equal("a partner", may, true)); err != nil {
		return err
	}
	may, err = p.c.MayWrite(ctx, "ir.cron", 1)
	return errors.Join(err, equal("a cron", may, false))
}
