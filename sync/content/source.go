package content

import (
	"context"
	"errors"
	"fmt"
	"io"

	"odbxfs"
)

// OdooBytes gives the bytes of binary documents; see the engine's port. It may
// be called concurrently.
type OdooBytes interface {
	// Content gives bytes from offset, length < 0 to the end; KindUnsupported
	// for a link, with an error in its chain that tells where it leads by a
	// method LinkedTo() string.
	Content(ctx context.Context, ref odbxfs.OdooRef, offset, length int64) (io.ReadCloser, error)
}

// DropboxBytes gives the bytes of files of one Dropbox account; see the
// engine's port. It may be called concurrently.
type DropboxBytes interface {
	// Content gives bytes of one revision from offset, length < 0 to the end.
	Content(ctx context.Context, id odbxfs.DropboxID, rev odbxfs.Rev, offset, length int64) (io.ReadCloser, error)
}

// file is one version of a file, with all that its sources need.
type file struct {
	node    odbxfs.NodeID
	ref     odbxfs.OdooRef
	name    string
	kind    odbxfs.DocumentType
	url     string
	size    int64
	sha1    odbxfs.SHA1
	client  odbxfs.ClientID
	dropbox odbxfs.DropboxID // of the pair; empty when not known here
	rev     odbxfs.Rev
	local   odbxfs.ContentID // the inode's; empty when none
}

// version tells one content of a node from the next.
func (f file) version() string {
	return fmt.Sprintf("%d %s %s %d %s %s", f.node, f.ref, f.sha1, f.size, f.url, f.rev)
}

// read asks the sources in their order for bytes [off, off+n).
func (o *Opener) read(ctx context.Context, f file, off, n int64) (io.ReadCloser, error) {
	var tried []error
	for _, source := range []func(context.Context, file, int64, int64) (io.ReadCloser, error){
		o.fromOdoo, o.fromDropbox, o.fromLink,
	} {
		r, err := source(ctx, f, off, n)
		switch {
		case err == nil && r != nil:
			return r, nil
		case err == nil:
			continue // it does not apply
		case ctx.Err() != nil, !elsewhere(err):
			return nil, err
		}
		tried = append(tried, err)
		if at, ok := errors.AsType[linked](err); ok {
			// Converted since the last look: a conversion keeps the bytes, and
			// what is fetched is compared with what the binary was.
			f.kind, f.url = odbxfs.Link, at.LinkedTo()
		}
	}
	if len(tried) == 0 {
		tried = append(tried, errors.New("its bytes are in Dropbox; there is no Dropbox login here, and its link is not public"))
	}
	return nil, &odbxfs.Error{Op: "open", Item: f.name, Kind: odbxfs.KindAccess, Err: errors.Join(tried...)}
}

// linked is an error that says that a document is a link, and where it leads.
type linked interface {
	error
	LinkedTo() string
}

// elsewhere reports whether another source may have what this one refused. A
// source that can't be reached is asked again instead: its bytes are the same.
func elsewhere(err error) bool {
	switch odbxfs.KindOf(err) {
	case odbxfs.KindAccess, odbxfs.KindCredentials, odbxfs.KindSettings, odbxfs.KindMissing, odbxfs.KindUnsupported:
		return true
	default:
		return false
	}
}

func (o *Opener) fromOdoo(ctx context.Context, f file, off, n int64) (io.ReadCloser, error) {
	if f.kind != odbxfs.Binary {
		return nil, nil
	}
	r, err := o.opt.Odoo.Content(ctx, f.ref, off, n)
	if err != nil && odbxfs.KindOf(err) != odbxfs.KindUnsupported {
		// A binary's bytes are nowhere else: what Odoo says is the answer.
		return nil, &odbxfs.Error{Op: "open", Item: f.name, Kind: odbxfs.KindOf(err), Err: err}
	}
	return r, err
}

func (o *Opener) fromDropbox(ctx context.Context, f file, off, n int64) (io.ReadCloser, error) {
	if o.opt.Dropbox == nil || f.dropbox == "" {
		return nil, nil
	}
	db := o.opt.Dropbox(f.client)
	if db == nil {
		return nil, nil
	}
	return db.Content(ctx, f.dropbox, f.rev, off, n)
}

func (o *Opener) fromLink(ctx context.Context, f file, off, n int64) (io.ReadCloser, error) {
	if o.opt.Links == nil || f.kind == odbxfs.Binary || !o.opt.Links.Allowed(f.url) {
		return nil, nil
	}
	return o.opt.Links.Open(ctx, f.url, off, n)
}
