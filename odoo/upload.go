package odoo

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"

	"odbxfs"
)

const attachmentModel = "ir.attachment"

// Attachment is a row of ir.attachment, as far as documents need it.
type Attachment struct {
	ID       int64       `odoo:"id"`
	Name     string      `odoo:"name"`
	Type     string      `odoo:"type"` // binary, url, or another that is not ours
	URL      string      `odoo:"url"`
	Model    string      `odoo:"res_model"`
	Record   int64       `odoo:"res_id"`
	Checksum odbxfs.SHA1 `odoo:"checksum"`
	FileSize int64       `odoo:"file_size"`
	Mimetype string      `odoo:"mimetype"`
}

var attachmentFields = []string{"id", "name", "type", "url", "res_model", "res_id", "checksum", "file_size", "mimetype"}

// attachment reads one row; KindMissing when it is not there.
func (c *Client) attachment(ctx context.Context, id int64) (Attachment, error) {
	var rows []Attachment
	if err := c.Read(ctx, attachmentModel, []int64{id}, attachmentFields, &rows); err != nil {
		return Attachment{}, named(err, id)
	}
	if len(rows) != 1 {
		return Attachment{}, missingAttachment(attachmentModel+".read", id)
	}
	return rows[0], nil
}

func missingAttachment(op string, id int64) error {
	return &odbxfs.Error{Op: op, Item: itemOf(id), Kind: odbxfs.KindMissing}
}

// Upload makes a binary attachment of content with these values (name,
// res_model, res_id, and what else), and gives the row as Odoo has it. Images
// are never rescaled. sha1 is checked on the way out (empty: not known) and
// against Odoo's own afterwards; a row with other bytes is removed again, and
// is KindCorrupt. The mimetype may come out otherwise than given: an employee's
// html, svg or xml becomes text/plain, with the same bytes.
func (c *Client) Upload(ctx context.Context, values map[string]any, content odbxfs.Opener, size int64, sha1 odbxfs.SHA1) (Attachment, error) {
	const op = attachmentModel + ".create"
	b, err := c.blobOf(ctx, op, content, size, sha1)
	if err != nil {
		return Attachment{}, err
	}
	v := maps.Clone(values)
	if v == nil {
		v = map[string]any{}
	}
	v["type"], v["datas"] = "binary", b
	ids, err := c.createMany(ctx, &call{model: attachmentModel, method: "create", args: []any{[]any{v}}, kw: unscaled(), content: b})
	if err != nil {
		return Attachment{}, err
	}
	if len(ids) != 1 {
		return Attachment{}, answerError(op, errors.New("want one id"))
	}
	row, err := c.attachment(ctx, ids[0])
	if err != nil {
		return row, err
	}
	if err := compare(op, row, b); err != nil {
		return row, errors.Join(err, c.Unlink(ctx, attachmentModel, ids))
	}
	return row, nil
}

// WriteContent gives an attachment new bytes, and values besides (may be nil),
// in one write, and gives the row as Odoo has it then. The row becomes a
// binary. The mimetype stays what it was unless values has one: 14 would reset
// it. KindMissing when the row is not there; KindCorrupt when Odoo's checksum
// is another afterwards, which a writer in between can cause too.
func (c *Client) WriteContent(ctx context.Context, id int64, values map[string]any, content odbxfs.Opener, size int64, sha1 odbxfs.SHA1) (Attachment, error) {
	const op = attachmentModel + ".write"
	b, err := c.blobOf(ctx, op, content, size, sha1)
	if err != nil {
		return Attachment{}, named(err, id)
	}
	before, err := c.attachment(ctx, id)
	if err != nil {
		return before, err
	}
	v := map[string]any{"mimetype": before.Mimetype}
	maps.Copy(v, values)
	// A url left on a binary is "served at that path", which only
	// administrators may write.
	v["type"], v["url"], v["datas"] = "binary", false, b
	if _, err := c.do(ctx, &call{model: attachmentModel, method: "write", args: []any{[]int64{id}, v}, kw: unscaled(), content: b}); err != nil {
		return before, named(err, id)
	}
	row, err := c.attachment(ctx, id)
	if err != nil {
		return row, err
	}
	return row, compare(op, row, b)
}

// unscaled keeps Odoo from re-encoding images beyond 1920 x 1920.
func unscaled() map[string]any {
	return withContext(nil, "image_no_postprocess", true)
}

// blobOf announces content, and refuses what the server is known not to take.
func (c *Client) blobOf(ctx context.Context, op string, content odbxfs.Opener, size int64, sha1 odbxfs.SHA1) (*blob, error) {
	if size < 0 {
		return nil, argumentError(op, errors.New("negative size"))
	}
	k, err := c.connected(ctx)
	if err != nil {
		return nil, err
	}
	if limit := contentLimit(k.limit); limit > 0 && size > limit {
		return nil, &odbxfs.Error{Op: op, Kind: odbxfs.KindTooLarge, Err: fmt.Errorf("%d bytes; the server takes up to %d (system parameter web.max_file_upload_size)", size, limit)}
	}
	if size > odbxfs.MaxFileSize {
		return nil, &odbxfs.Error{Op: op, Kind: odbxfs.KindTooLarge, Err: fmt.Errorf("%d bytes; Odoo keeps sizes in 31 bits", size)}
	}
	return &blob{open: content, size: size, want: sha1}, nil
}

// frameRoom is what a request holds besides the content, generously.
const frameRoom = 16 << 10

// contentLimit is the size of the largest content whose base64 fits a request
// body of limit bytes; 0 is no limit.
func contentLimit(limit int64) int64 {
	if limit <= frameRoom {
		return 0
	}
	return int64(base64.StdEncoding.DecodedLen(int((limit - frameRoom) / 4 * 4)))
}

// compare holds a row against what was sent. Of empty content Odoo has, by
// version and history, no checksum or that of nothing.
func compare(op string, row Attachment, b *blob) error {
	if b.size == 0 && row.FileSize == 0 && (row.Checksum == "" || row.Checksum == odbxfs.EmptySHA1) {
		return nil
	}
	if sent := b.sent(); row.FileSize != b.size || row.Checksum != sent {
		return &odbxfs.Error{Op: op, Item: itemOf(row.ID), Kind: odbxfs.KindCorrupt,
			Err: fmt.Errorf("Odoo has %d bytes of sha1 %s, sent were %d of %s", row.FileSize, row.Checksum, b.size, sent)}
	}
	return nil
}
