package odootest

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"image"
	"mime"
	"path"
	"slices"
	"strings"

	_ "image/jpeg" // so that pictures are known by their size
	_ "image/png"
)

const emptySHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

// imageLimit is the side in pixels beyond which Odoo 19 scales a picture
// unless the context has image_no_postprocess (measured; base.image_autoresize_max_px).
const imageLimit = 1920

// fillAttachment works out what Odoo computes when a document is written: the
// stored content, its checksum, size and mimetype. old is nil for a new row;
// row has the plain values and is completed.
func (t *tx) fillAttachment(old, row record, vals map[string]any) *fault {
	for _, name := range []string{"checksum", "file_size", "store_fname", "db_datas", "res_name"} {
		delete(row, name) // dropped silently
	}
	delete(row, "datas")
	delete(row, "raw")
	_, hasDatas := vals["datas"]
	_, hasRaw := vals["raw"]
	content, f := contentOf(vals)
	if f != nil {
		return f
	}
	name := row.str("name")
	if name == "" {
		name = old.str("name")
	}
	if row["type"] == nil && old == nil {
		row["type"] = "binary"
	}
	if !hasDatas && !hasRaw {
		if old == nil {
			row["mimetype"] = t.mimetype(row, name, nil)
		} else if _, given := vals["mimetype"]; given {
			row["mimetype"] = t.mimetype(row, name, nil)
		}
		return nil
	}
	content = t.postprocess(content)
	_, given := vals["mimetype"]
	if t.s.opt.Version < 16 && old != nil && !given {
		row["mimetype"] = "application/octet-stream" // 14 forgets it when the content is cleared or written
		if len(content) > 0 {
			row["mimetype"] = t.mimetype(record{}, "", content)
		}
	} else if old == nil || given || len(content) > 0 {
		row["mimetype"] = t.mimetype(row, name, content)
	}
	row["file_size"] = int64(len(content))
	if len(content) == 0 {
		row["store_fname"], row["checksum"] = nil, emptySHA1
		if old == nil && t.s.opt.Version >= 16 {
			row["checksum"] = nil
		}
		return nil
	}
	sum := sha1.Sum(content)
	sha := hex.EncodeToString(sum[:])
	row["checksum"], row["store_fname"] = sha, sha[:2]+"/"+sha
	t.s.files[sha] = content
	return nil
}

func contentOf(vals map[string]any) ([]byte, *fault) {
	switch raw := vals["raw"].(type) {
	case []byte:
		return raw, nil
	case string:
		return []byte(raw), nil // as JSON-2 sends it
	}
	s, _ := vals["datas"].(string)
	content, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, unforeseen("binascii.Error", "Incorrect padding")
	}
	return content, nil
}

// postprocess changes a large picture, as Odoo 19 does behind one's back: here
// by cutting its bytes, which is enough to be noticed.
func (t *tx) postprocess(content []byte) []byte {
	if t.s.opt.Version < 15 || t.context["image_no_postprocess"] == true {
		return content
	}
	cfg, _, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil || cfg.Width <= imageLimit && cfg.Height <= imageLimit {
		return content
	}
	return slices.Clone(content[:len(content)*3/4])
}

// mimetype is what was given, or what the name says, or what the content looks
// like. Whoever is not an administrator gets text/plain for html, svg and xml.
func (t *tx) mimetype(row record, name string, content []byte) string {
	m := row.str("mimetype")
	if m == "" {
		m = byName(name)
	}
	if m == "" && len(content) > 0 {
		m = byContent(content)
	}
	if m == "" {
		m = "application/octet-stream"
	}
	harmful := strings.Contains(m, "ht") && strings.Contains(m, "ml") || strings.Contains(m, "svg") || strings.Contains(m, "xml") && !strings.Contains(m, "officedocument")
	if harmful && !t.inGroup(t.uid, groupSystem) {
		return "text/plain"
	}
	return m
}

// byName knows the types that matter everywhere alike; the machine's own table
// would make the server depend on what is installed.
func byName(name string) string {
	known := map[string]string{
		".pdf": "application/pdf", ".txt": "text/plain", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".svg": "image/svg+xml",
		".html": "text/html", ".htm": "text/html", ".csv": "text/csv", ".json": "application/json", ".xml": "application/xml", ".zip": "application/zip",
		".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".odt": "application/vnd.oasis.opendocument.text",
		".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".gif": "image/gif", ".bin": "application/octet-stream", ".md": "text/markdown",
	}
	ext := strings.ToLower(path.Ext(name))
	if m, ok := known[ext]; ok {
		return m
	}
	m, _, err := mime.ParseMediaType(mime.TypeByExtension(ext))
	if err != nil {
		return ""
	}
	return m
}

func byContent(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte("%PDF")):
		return "application/pdf"
	case bytes.HasPrefix(content, []byte("\x89PNG")):
		return "image/png"
	case bytes.HasPrefix(content, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(content, []byte("PK\x03\x04")):
		return "application/zip"
	}
	for _, b := range content[:min(len(content), 1024)] {
		if b < 9 {
			return "application/octet-stream"
		}
	}
	return "text/plain"
}

// bytesOf gives a document's content; none for a link without any.
func (t *tx) bytesOf(r record) []byte {
	if fname := r.str("store_fname"); fname != "" {
		return t.s.files[fname[3:]]
	}
	return nil
}

func (t *tx) datas(r record) any {
	content := t.bytesOf(r)
	if len(content) == 0 {
		return nil
	}
	return base64.StdEncoding.EncodeToString(content)
}
