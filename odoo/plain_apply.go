package odoo

import (
	"context"
	"errors"
	"slices"

	"odbxfs"
)

// Apply carries out the ops in order and answers each. Done means that Odoo had
// it so when read back.
func (p *Plain) Apply(ctx context.Context, ops []odbxfs.OdooOp) ([]odbxfs.OdooResult, error) {
	results := make([]odbxfs.OdooResult, 0, len(ops))
	for _, op := range ops {
		results = append(results, p.apply(ctx, op))
	}
	return results, ctx.Err()
}

func (p *Plain) apply(ctx context.Context, op odbxfs.OdooOp) odbxfs.OdooResult {
	switch {
	case op.Pair != nil || op.URL != "":
		return failed(unsupported("apply", "no links without setup"))
	case op.Kind == odbxfs.OdooCreateFile:
		return p.create(ctx, op)
	case op.Ref.Kind != odbxfs.RefAttachment:
		return failed(unsupported("apply", "no folders of one's own without setup"))
	}
	switch op.Kind {
	case odbxfs.OdooWriteContent:
		return p.write(ctx, op)
	case odbxfs.OdooRelocate:
		return p.relocate(ctx, op)
	case odbxfs.OdooRemove:
		return p.remove(ctx, op)
	case odbxfs.OdooHint:
		// Nothing here holds a time: it stays in the mount's store.
		return p.readBack(ctx, op.Ref, func(odbxfs.OdooNode) bool { return true })
	default:
		return failed(unsupported("apply", "no links without setup"))
	}
}

// failed turns an error into an outcome.
func failed(err error) odbxfs.OdooResult {
	switch odbxfs.KindOf(err) {
	case odbxfs.KindMissing:
		return odbxfs.OdooResult{Outcome: odbxfs.Gone}
	case odbxfs.KindAccess, odbxfs.KindInvalid, odbxfs.KindName, odbxfs.KindTooLarge, odbxfs.KindUnsupported, odbxfs.KindUnknownModel:
		return odbxfs.OdooResult{Outcome: odbxfs.Refused, Err: err}
	default:
		return odbxfs.OdooResult{Outcome: odbxfs.Failed, Err: err}
	}
}

// one reads a document; KindMissing when it is not in the tree.
func (p *Plain) one(ctx context.Context, ref odbxfs.OdooRef) (odbxfs.OdooNode, error) {
	nodes, err := p.files(ctx, []int64{ref.ID})
	if err != nil {
		return odbxfs.OdooNode{}, err
	}
	if len(nodes) != 1 {
		// A search leaves out what may not be read; reading says so.
		if _, err := p.c.attachment(ctx, ref.ID); err != nil {
			return odbxfs.OdooNode{}, err
		}
		return odbxfs.OdooNode{}, missingAttachment("look", ref.ID)
	}
	return nodes[0], nil
}

// readBack says Done if the document is as meant, else what became of it.
func (p *Plain) readBack(ctx context.Context, ref odbxfs.OdooRef, meant func(odbxfs.OdooNode) bool) odbxfs.OdooResult {
	n, err := p.one(ctx, ref)
	if err != nil {
		return failed(err)
	}
	if !meant(n) {
		return odbxfs.OdooResult{Outcome: odbxfs.Changed, Node: &n}
	}
	return odbxfs.OdooResult{Outcome: odbxfs.Done, Node: &n}
}

// before checks the precondition. done is not nil when the op is over: done
// already by an earlier try, changed, or gone.
func (p *Plain) before(ctx context.Context, op odbxfs.OdooOp, already func(odbxfs.OdooNode) bool) (done *odbxfs.OdooResult) {
	n, err := p.one(ctx, op.Ref)
	if err != nil {
		r := failed(err)
		return &r
	}
	if already(n) {
		return &odbxfs.OdooResult{Outcome: odbxfs.Done, Node: &n}
	}
	if e := op.Expect; e != nil && (n.SHA1 != e.SHA1 || n.Name != e.Name || n.ParentRef != e.ParentRef || n.URL != e.URL) {
		return &odbxfs.OdooResult{Outcome: odbxfs.Changed, Node: &n}
	}
	return nil
}

// create makes a document. There is no place for a key; what stands for it is
// that two files of one folder cannot have one name: a document of that name
// and content, made by this user, is that of an earlier try.
func (p *Plain) create(ctx context.Context, op odbxfs.OdooOp) odbxfs.OdooResult {
	model, ok := p.model(op.Parent.Model)
	if op.Parent.Kind != odbxfs.RefRecord || !ok {
		return failed(unsupported("create", "files can be put into a record's folder only"))
	}
	if earlier, err := p.earlier(ctx, op); err != nil {
		return failed(err)
	} else if earlier != nil {
		return odbxfs.OdooResult{Outcome: odbxfs.Done, Node: earlier}
	}
	// 14 lets administrators hang a document on a record that is not there.
	if found, err := p.records(ctx, model, Where("id", "=", op.Parent.ID)); err != nil {
		return failed(err)
	} else if len(found) == 0 {
		return odbxfs.OdooResult{Outcome: odbxfs.Gone}
	}
	values := map[string]any{"name": op.Name, "res_model": op.Parent.Model, "res_id": op.Parent.ID}
	if op.Mimetype != "" {
		values["mimetype"] = op.Mimetype
	}
	a, err := p.c.Upload(ctx, values, op.Content, op.Size, op.SHA1)
	if err != nil {
		return failed(err)
	}
	return p.readBack(ctx, odbxfs.AttachmentRef(a.ID), func(n odbxfs.OdooNode) bool { return n.ParentRef == op.Parent })
}

// earlier finds the document of an earlier try, or nil.
func (p *Plain) earlier(ctx context.Context, op odbxfs.OdooOp) (*odbxfs.OdooNode, error) {
	if op.SHA1 == "" {
		return nil, nil
	}
	condition := []any{Where("res_id", "=", op.Parent.ID), Where("name", "=", op.Name), Where("create_uid", "=", p.c.UID())}
	var rows []plainDocument
	if err := p.c.SearchRead(ctx, attachmentModel, documents(op.Parent.Model, condition...), plainDocumentFields, Query{Order: "id", Limit: page}, &rows); err != nil {
		return nil, err
	}
	nodes, err := p.nodesOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(nodes, func(n odbxfs.OdooNode) bool {
		return n.Type == odbxfs.Binary && n.SHA1 == op.SHA1 && n.Size == op.Size
	})
	if i < 0 {
		return nil, nil
	}
	return &nodes[i], nil
}

func (p *Plain) write(ctx context.Context, op odbxfs.OdooOp) odbxfs.OdooResult {
	n, err := p.one(ctx, op.Ref)
	if err == nil && n.Type == odbxfs.Foreign {
		return failed(&odbxfs.Error{Op: "write", Item: op.Ref.String(), Kind: odbxfs.KindAccess, Err: errors.New("a link that is not ours")})
	}
	meant := func(n odbxfs.OdooNode) bool { return op.SHA1 != "" && n.SHA1 == op.SHA1 && n.Size == op.Size }
	if done := p.before(ctx, op, meant); done != nil {
		return *done
	}
	var values map[string]any
	if op.Mimetype != "" {
		values = map[string]any{"mimetype": op.Mimetype}
	}
	a, err := p.c.WriteContent(ctx, op.Ref.ID, values, op.Content, op.Size, op.SHA1)
	if odbxfs.IsKind(err, odbxfs.KindCorrupt) && a.ID != 0 {
		return p.readBack(ctx, op.Ref, meant) // another writer came in between
	}
	if err != nil {
		return failed(err)
	}
	return p.readBack(ctx, op.Ref, func(n odbxfs.OdooNode) bool { return n.SHA1 == a.Checksum || op.Size == 0 })
}

func (p *Plain) relocate(ctx context.Context, op odbxfs.OdooOp) odbxfs.OdooResult {
	model, ok := p.model(op.Parent.Model)
	if op.Parent.Kind != odbxfs.RefRecord || !ok {
		return failed(unsupported("move", "files can be put into a record's folder only"))
	}
	meant := func(n odbxfs.OdooNode) bool { return n.Name == op.Name && n.ParentRef == op.Parent }
	if done := p.before(ctx, op, meant); done != nil {
		return *done
	}
	if found, err := p.records(ctx, model, Where("id", "=", op.Parent.ID)); err != nil {
		return failed(err)
	} else if len(found) == 0 {
		return failed(&odbxfs.Error{Op: "move", Item: op.Parent.String(), Kind: odbxfs.KindInvalid, Err: errors.New("that record does not exist")})
	}
	values := map[string]any{"name": op.Name, "res_model": op.Parent.Model, "res_id": op.Parent.ID}
	if err := p.c.Write(ctx, attachmentModel, []int64{op.Ref.ID}, values); err != nil {
		return failed(err)
	}
	return p.readBack(ctx, op.Ref, meant)
}

// remove unlinks a document that is as expected. One that is gone already is
// Gone: an earlier try did it, or somebody else.
func (p *Plain) remove(ctx context.Context, op odbxfs.OdooOp) odbxfs.OdooResult {
	if done := p.before(ctx, op, func(odbxfs.OdooNode) bool { return false }); done != nil {
		return *done
	}
	if err := p.c.Unlink(ctx, attachmentModel, []int64{op.Ref.ID}); err != nil {
		return failed(err)
	}
	return odbxfs.OdooResult{Outcome: odbxfs.Done}
}

// MayWrite asks Odoo whether the user may write a record, and with it create,
// change and remove its documents.
func (c *Client) MayWrite(ctx context.Context, model string, id int64) (bool, error) {
	var may bool
	err := c.Call(ctx, model, "has_access", []any{[]int64{id}, "write"}, nil, &may)
	if !odbxfs.IsKind(err, odbxfs.KindUnsupported) {
		return may, err
	}
	// Before 18: rights on the model, then the record rules, which raise.
	if err := c.Call(ctx, model, "check_access_rights", []any{"write", false}, nil, &may); err != nil || !may {
		return false, err
	}
	err = c.Call(ctx, model, "check_access_rule", []any{[]int64{id}, "write"}, nil, nil)
	if odbxfs.IsKind(err, odbxfs.KindAccess) {
		return false, nil
	}
	return err == nil, err
}
