package odoo

import (
	"context"
	"io"

	"odbxfs"
	"odbxfs/odoo/provision"
)

// User is a provisioned Odoo as one of its users sees it: the port of a mount.
// Everything goes through the user set of our actions, which work with the
// user's own rights on records and attachments. All methods may be called
// concurrently and repeated.
type User struct{ actions }

// NewUser makes the port of the client's user. It contacts nobody; a database
// that is not set up shows at the first call, as KindUnsupported.
func NewUser(c *Client) *User { return &User{actions{c: c, set: provision.UserSet}} }

// Apply carries writes out with the user's rights, in batches of one
// transaction each; a write that fails leaves the others alone. Writes that
// carry a pair, links and conversions are refused: they are the engine's.
func (u *User) Apply(ctx context.Context, ops []odbxfs.OdooOp) ([]odbxfs.OdooResult, error) {
	return u.apply(ctx, ops, nil)
}

// Content opens a document's bytes: [Client.Content].
func (u *User) Content(ctx context.Context, ref odbxfs.OdooRef, offset, length int64) (io.ReadCloser, error) {
	if ref.Kind != odbxfs.RefAttachment {
		return nil, argumentError("read content", errNoDocument(ref))
	}
	r, _, err := u.c.Content(ctx, ref.ID, offset, length)
	return r, err
}

// MayWrite asks Odoo whether the user may change what ref names, or put
// something into it. KindAccess: no. KindMissing: it is not there, or not in
// his sight.
func (u *User) MayWrite(ctx context.Context, ref odbxfs.OdooRef) error {
	var w struct {
		May [][]bool `odoo:"may"`
	}
	if err := u.run(ctx, "check", map[string]any{"refs": []string{ref.String()}}, &w); err != nil {
		return err
	}
	e := &odbxfs.Error{Op: "ask for the right to write", Item: ref.String(), Kind: odbxfs.KindMissing}
	if len(w.May) != 1 || len(w.May[0]) != 2 || !w.May[0][0] {
		return e
	}
	if !w.May[0][1] {
		e.Kind = odbxfs.KindAccess
		return e
	}
	return nil
}
