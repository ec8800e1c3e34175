package odootest

import (
	"encoding/base64"
	"fmt"
	"slices"

	"odbxfs/odoo/internal/wire"
)

// Bytes on their way: inline, in parts, and out again.

// content gives the bytes of an op as values: inline, or joined from parts.
func (c *twinCall) content(op map[string]any) map[string]any {
	parts := c.list(op["parts"])
	if len(parts) == 0 {
		return map[string]any{"datas": c.text(op["content"])}
	}
	raw := []byte{}
	for _, p := range parts {
		id := c.number(p)
		if c.must(uploadModel).rows[id].num("x_user") != c.uid || c.must(uploadModel).rows[id] == nil {
			c.bad("upload %d is not there (any more)", id)
		}
		for _, att := range c.partsOf([]int64{id}) {
			raw = append(raw, c.bytesOf(c.must(documents).rows[att])...)
		}
	}
	return map[string]any{"raw": raw}
}

// partsOf gives the documents that hold uploads.
func (c *twinCall) partsOf(uploads []int64) []int64 {
	return c.rows(documents, func(_ int64, r record) bool {
		return r.str("res_model") == uploadModel && slices.Contains(uploads, r.num("res_id")) && r.str("res_field") == ""
	})
}

func (c *twinCall) dropUploads(ids []int64) {
	if len(ids) == 0 {
		return
	}
	c.unlinkAll(documents, c.partsOf(ids))
	c.unlinkAll(uploadModel, ids)
}

// unlinkAll removes rows with full rights.
func (c *twinCall) unlinkAll(model string, ids []int64) {
	for _, id := range ids {
		c.root(func() *fault { return c.unlink(c.must(model), id) })
	}
}

func (c *twinCall) dropParts(op map[string]any) {
	var mine []int64
	for _, p := range c.list(op["parts"]) {
		if id := c.number(p); c.must(uploadModel).rows[id].num("x_user") == c.uid {
			mine = append(mine, id)
		}
	}
	c.dropUploads(mine)
}

// verified compares what is stored with what the caller says that it sent.
func (c *twinCall) verified(op map[string]any, id int64) wire.Result {
	got := contentSHA1(c.must(documents).rows[id])
	if sent := c.text(op["sha1"]); sent != "" && sent != got {
		return wire.Result{Out: "failed", Kind: "corrupt", Err: fmt.Sprintf("Odoo stored %s, sent was %s", got, sent)}
	}
	return done(refTo("att", id))
}

func (c *twinCall) setChecksum(id int64, sha1 string) {
	if sha1 != "" {
		c.put(c.must(documents), id, record{"checksum": sha1})
	}
}

// twinUpload is upload.py.
func twinUpload(c *twinCall) any {
	var id int64
	content := c.text(c.arg["content"])
	c.root(func() *fault {
		var f *fault
		if id, f = c.create(c.must(uploadModel), map[string]any{"x_user": c.uid}); f != nil {
			return f
		}
		_, f = c.create(c.must(documents), map[string]any{"name": "part", "res_model": uploadModel, "res_id": id, "mimetype": "application/octet-stream", "datas": content})
		return f
	})
	return map[string]any{"id": id}
}

// twinContent is content.py.
func twinContent(c *twinCall) any {
	if refs := textsOf(c.arg["refs"]); len(refs) > 0 {
		return map[string]any{"files": c.smallFiles(refs, c.numberOr0(c.arg["room"]))}
	}
	id := c.parse(c.text(c.arg["ref"])).id
	m := c.must(documents)
	r := m.rows[id]
	if r == nil || r.str("res_field") != "" {
		return map[string]any{"type": ""}
	}
	token := r.str("access_token")
	if token == "" {
		token = c.s.token()
		c.put(m, id, record{"access_token": token})
	}
	out := map[string]any{"type": r.str("type"), "url": r.str("url"), "token": token, "size": fmt.Sprint(r.num("file_size")), "content": ""}
	if length := c.numberOr0(c.arg["length"]); length > 0 {
		raw := c.bytesOf(r)
		from := min(c.numberOr0(c.arg["offset"]), int64(len(raw)))
		out["size"] = fmt.Sprint(len(raw))
		out["content"] = base64.StdEncoding.EncodeToString(raw[from:min(from+length, int64(len(raw)))])
	}
	return out
}

// smallFiles gives whole binaries in their order, as long as there is room.
func (c *twinCall) smallFiles(refs []string, room int64) []any {
	files := []any{}
	for _, ref := range refs {
		r := c.must(documents).rows[c.parse(ref).id]
		if r == nil || r.str("type") != "binary" || r.str("res_field") != "" {
			continue
		}
		raw := c.bytesOf(r)
		if room -= int64(len(raw)); room < 0 {
			break
		}
		files = append(files, map[string]any{"ref": ref, "content": base64.StdEncoding.EncodeToString(raw)})
	}
	return files
}
