package cache

import (
	"fmt"

	"odbxfs"
)

// OdooNode gives a node of the Odoo tree.
func (tx *Tx) OdooNode(id odbxfs.NodeID) (odbxfs.OdooNode, bool, error) {
	r, ok, err := load[odooRec](tx, keyNode(kOdoo, id))
	return r.N, ok, err
}

// OdooByRef finds a node of the Odoo tree.
func (tx *Tx) OdooByRef(ref odbxfs.OdooRef) (odbxfs.NodeID, bool, error) {
	return tx.id(keyText(kOdooRef, ref.String()))
}

// PutOdoo puts what Odoo said into the Odoo tree, and gives it back with Node
// and Parent filled in. Its node is n.Node if given (an intent's, say; what was
// known under the same reference is merged into it), else the one of its
// reference, else that of the pair of its reference, else a new one. A record
// that is the same as before changes nothing. [ErrNoParent] when the tree does
// not have n.ParentRef.
//
// A node that was removed through the mount before Odoo knew it gets its
// removal as an intent now.
func (tx *Tx) PutOdoo(n odbxfs.OdooNode) (odbxfs.OdooNode, error) {
	model, err := tx.placeOdoo(&n)
	if err != nil {
		return n, err
	}
	if err := tx.identifyOdoo(&n); err != nil {
		return n, err
	}
	rec := odooRec{N: n, Model: model}
	key := keyNode(kOdoo, n.Node)
	if same, err := tx.same(key, rec); err != nil || same {
		return n, err
	}
	old, had, err := load[odooRec](tx, key)
	if err != nil {
		return n, err
	}
	if had {
		if err := tx.unindexOdoo(old); err != nil {
			return n, err
		}
	}
	if err := tx.indexOdoo(rec); err != nil {
		return n, err
	}
	if had && old.Model != model && n.Kind == odbxfs.Folder {
		if err := tx.rescope(n.Node, model); err != nil {
			return n, err
		}
	}
	if had && old.N.Parent != n.Parent {
		if err := tx.MarkDirty(old.N.Parent); err != nil {
			return n, err
		}
	}
	if err := tx.dirtyWithParent(n.Node, n.Parent); err != nil {
		return n, err
	}
	if err := tx.settleWaiting(n.Ref, n.Node); err != nil {
		return n, err
	}
	if err := tx.endLate(n); err != nil {
		return n, err
	}
	return n, tx.project(n.Node)
}

// placeOdoo resolves the parent and gives the model that documents in n, or n
// itself, hang on.
func (tx *Tx) placeOdoo(n *odbxfs.OdooNode) (model string, err error) {
	if n.Ref.Kind == odbxfs.RefRoot {
		n.Node, n.Parent, n.ParentRef = odbxfs.RootNode, 0, odbxfs.OdooRef{}
		return odbxfs.PlaceModel, nil
	}
	id, ok, err := tx.OdooByRef(n.ParentRef)
	if err != nil {
		return "", err
	}
	if !ok || n.ParentRef.IsZero() {
		return "", fmt.Errorf("%s in %s: %w", n.Ref, n.ParentRef, ErrNoParent)
	}
	n.Parent = id
	switch n.Ref.Kind {
	case odbxfs.RefRule:
		return odbxfs.PlaceModel, nil
	case odbxfs.RefRecord:
		return n.Ref.Model, nil
	default:
		parent, _, err := load[odooRec](tx, keyNode(kOdoo, id))
		return parent.Model, err
	}
}

func (tx *Tx) identifyOdoo(n *odbxfs.OdooNode) error {
	known, ok, err := tx.OdooByRef(n.Ref)
	if err != nil {
		return err
	}
	if !ok {
		if known, ok, err = tx.PairByOdoo(n.Ref); err != nil {
			return err
		}
	}
	n.Node, err = tx.identify(n.Node, known, ok)
	return err
}

// identify gives the node of what a remote told: the caller's, the one that is
// known by the remote's id (which then ends in the caller's), or a new one.
func (tx *Tx) identify(given, known odbxfs.NodeID, isKnown bool) (odbxfs.NodeID, error) {
	switch {
	case given != 0 && isKnown && known != given:
		return given, tx.Merge(known, given)
	case given != 0:
		return given, nil
	case isKnown:
		return known, nil
	}
	return tx.NewNode()
}

// endLate turns a node that came to be in Odoo after it was removed here into
// a removal.
func (tx *Tx) endLate(n odbxfs.OdooNode) error {
	i, ok, err := tx.Intent(n.Node)
	if err != nil {
		return err
	}
	if ok {
		if i.Gone && i.Was.Ref.IsZero() {
			i.Was = n
			return tx.set(keyNode(kIntent, n.Node), i)
		}
		return nil
	}
	ended, err := tx.has(keyNode(kEnded, n.Node))
	if err != nil || !ended {
		return err
	}
	if err := tx.del(keyNode(kEnded, n.Node)); err != nil {
		return err
	}
	i = odbxfs.Intent{Node: n.Node, Gone: true, Was: n}
	if i.Key, err = tx.newKey(); err != nil {
		return err
	}
	return tx.putIntent(i)
}

// DropOdoo takes a node and all below it out of the Odoo tree. The root stays.
func (tx *Tx) DropOdoo(id odbxfs.NodeID) error {
	if id == odbxfs.RootNode {
		return nil
	}
	rec, ok, err := load[odooRec](tx, keyNode(kOdoo, id))
	if err != nil || !ok {
		return err
	}
	if rec.N.Kind == odbxfs.Folder {
		kids, err := tx.lastIDs(keyNode(kOdooChild, id), 0)
		if err != nil {
			return err
		}
		for _, k := range kids {
			if err := tx.DropOdoo(k); err != nil {
				return err
			}
		}
	}
	if err := tx.unindexOdoo(rec); err != nil {
		return err
	}
	if err := tx.del(keyNode(kOdoo, id)); err != nil {
		return err
	}
	if err := tx.dirtyWithParent(id, rec.N.Parent); err != nil {
		return err
	}
	return tx.project(id)
}

func (tx *Tx) indexOdoo(r odooRec) error {
	if err := tx.set(keyNode(kOdoo, r.N.Node), r); err != nil {
		return err
	}
	if err := tx.setID(keyText(kOdooRef, r.N.Ref.String()), r.N.Node); err != nil {
		return err
	}
	if r.N.Node == odbxfs.RootNode {
		return nil
	}
	if err := tx.setRaw(keyNodes(kOdooChild, r.N.Parent, r.N.Node), nil); err != nil {
		return err
	}
	return tx.count(r, 1)
}

func (tx *Tx) unindexOdoo(r odooRec) error {
	if r.N.Node == odbxfs.RootNode {
		return nil
	}
	if err := tx.del(keyText(kOdooRef, r.N.Ref.String())); err != nil {
		return err
	}
	if err := tx.del(keyNodes(kOdooChild, r.N.Parent, r.N.Node)); err != nil {
		return err
	}
	return tx.count(r, -1)
}

// rescope moves all below a folder into another model's scope.
func (tx *Tx) rescope(folder odbxfs.NodeID, model string) error {
	kids, err := tx.lastIDs(keyNode(kOdooChild, folder), 0)
	if err != nil {
		return err
	}
	for _, k := range kids {
		r, ok, err := load[odooRec](tx, keyNode(kOdoo, k))
		if err != nil {
			return err
		}
		if !ok || r.N.Ref.Kind == odbxfs.RefRecord || r.N.Ref.Kind == odbxfs.RefRule {
			continue // has a model of its own
		}
		if err := tx.count(r, -1); err != nil {
			return err
		}
		r.Model = model
		if err := tx.indexOdoo(r); err != nil {
			return err
		}
		if err := tx.rescope(k, model); err != nil {
			return err
		}
	}
	return nil
}

// scopeOf says where a node is counted: attachments and records by model.
func scopeOf(r odooRec) odbxfs.OdooScope {
	s := odbxfs.OdooScope{Kind: r.N.Ref.Kind}
	if s.Kind == odbxfs.RefAttachment || s.Kind == odbxfs.RefRecord {
		s.Model = r.Model
	}
	return s
}

func (tx *Tx) count(r odooRec, sign int64) error {
	scope := scopeOf(r)
	member := u64(keyScope(scope), uint64(r.N.Ref.ID))
	var err error
	if sign > 0 {
		err = tx.setRaw(member, []byte(r.N.Ref.String()))
	} else {
		err = tx.del(member)
	}
	if err != nil {
		return err
	}
	c, _, err := load[countRec](tx, keyCount(scope))
	if err != nil {
		return err
	}
	c.Count += sign
	c.Sum += sign * r.N.Ref.ID
	if c.Count == 0 {
		return tx.del(keyCount(scope))
	}
	return tx.set(keyCount(scope), c)
}

// OdooCounts gives count and sum of ids of every scope that has a node, in a
// fixed order.
func (tx *Tx) OdooCounts() ([]odbxfs.OdooCount, error) {
	items, err := tx.list([]byte(kOdooCount), nil, 0, true)
	if err != nil {
		return nil, err
	}
	var out []odbxfs.OdooCount
	for _, e := range items {
		c, err := decode[countRec](e.val)
		if err != nil {
			return nil, err
		}
		scope := odbxfs.OdooScope{Kind: odbxfs.RefKind(e.key[2]), Model: string(e.key[3:])}
		out = append(out, odbxfs.OdooCount{Scope: scope, Count: c.Count, Sum: c.Sum})
	}
	return out, nil
}

// OdooRefs gives all references of one scope in the order of their ids.
func (tx *Tx) OdooRefs(scope odbxfs.OdooScope) ([]odbxfs.OdooRef, error) {
	items, err := tx.list(keyScope(scope), nil, 0, true)
	if err != nil {
		return nil, err
	}
	refs := make([]odbxfs.OdooRef, len(items))
	for i, e := range items {
		if refs[i], err = odbxfs.ParseOdooRef(string(e.val)); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
	}
	return refs, nil
}
