package odoo

import (
	"context"

	"odbxfs"
)

// MayWrite asks Odoo whether the user may change what ref names, or put
// something into it: an attachment has the rights of its record. KindAccess:
// no; so it is for the folders of models, which hold nothing but records.
func (p *Plain) MayWrite(ctx context.Context, ref odbxfs.OdooRef) error {
	const op = "ask for the right to write"
	on := ref
	if ref.Kind == odbxfs.RefAttachment {
		n, err := p.one(ctx, ref)
		if err != nil {
			return err
		}
		on = n.ParentRef
	}
	if on.Kind == odbxfs.RefRecord {
		may, err := p.c.MayWrite(ctx, on.Model, on.ID)
		if err != nil || may {
			return err
		}
	}
	return &odbxfs.Error{Op: op, Item: ref.String(), Kind: odbxfs.KindAccess}
}
