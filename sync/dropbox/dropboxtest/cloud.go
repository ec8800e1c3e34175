package dropboxtest

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// Cloud says whether a file is one that lives in an editor on the web (Paper,
// Google's): it has no bytes to download, and perhaps a form to export.
type Cloud string

// What a file can be besides a plain one.
const (
	Exportable Cloud = "exportable"
	Locked     Cloud = "locked" // cannot be exported either
)

// exportForms are the forms of each kind of document, the default first. Those
// of Google's are told by Dropbox's help; their order is a guess.
var exportForms = map[string][]string{
	".paper":   {"html", "markdown", "plain_text"},
	".gdoc":    {"docx", "pdf", "txt"},
	".gsheet":  {"xlsx", "pdf", "csv"},
	".gslides": {"pptx", "pdf"},
}

// exportInfo is FileMetadata's; nil for a plain file.
func (r fileRev) exportInfo() map[string]any {
	forms := exportForms[path.Ext(r.name)]
	switch {
	case r.cloud == "":
		return nil
	case r.cloud != Exportable || len(forms) == 0:
		return map[string]any{}
	}
	return map[string]any{"export_as": forms[0], "export_options": forms}
}

// PutCloudFile makes a document of an editor on the web, as a person does on
// Dropbox's pages; path ends in .paper, .gdoc, .gsheet or .gslides. The error
// is what an upload there would answer.
func (s *Server) PutCloudFile(path, text string, kind Cloud) error {
	c := &call{s: s}
	home := s.members[0]
	s.mu.Lock()
	root, ns := s.home(home)
	s.mu.Unlock()
	c.v = &view{Server: s, who: home, root: root, ns: ns}
	_, err := c.writeCloud(path, text, kind)
	return err
}

// writeCloud writes a document under a free name.
func (c *call) writeCloud(path, text string, kind Cloud) (*node, error) {
	hash, err := c.s.keepText(text)
	if err != nil {
		return nil, err
	}
	n, err := c.locked(func() (any, error) {
		p, werr := c.v.place(parsePath(path))
		if werr != nil {
			return nil, werr.under("path")
		}
		if p.existing != nil {
			p.name = freeName(p.parent, p.name, "")
		}
		parent, err := c.s.ensure(p)
		if err != nil {
			return nil, nameError(err, "path")
		}
		return c.s.writeFile(nil, parent, p.name, content{hash: hash, size: int64(len(text)), client: c.s.opt.Now(), cloud: kind})
	})
	if err != nil {
		return nil, err
	}
	return n.(*node), nil
}

func (s *Server) keepText(text string) (string, error) {
	sp, err := s.store.spool()
	if err != nil {
		return "", err
	}
	if _, err := sp.WriteAt([]byte(text), 0); err != nil {
		return "", err
	}
	hash, _, err := ContentHash(strings.NewReader(text))
	if err != nil {
		return "", err
	}
	return hash, s.store.keep(sp, hash)
}

func (s *Server) text(hash string) (string, error) {
	body, err := s.store.open(hash)
	if err != nil {
		return "", err
	}
	defer body.Close() //nolint:errcheck // it was only read
	b, err := io.ReadAll(body)
	return string(b), err
}

type exportArg struct {
	Path         string `json:"path" stone:"required"`
	ExportFormat string `json:"export_format"`
}

// exportFile answers a document in one of its forms. What the form's bytes look
// like is not Dropbox's: a line that names the form, then the text.
func exportFile(c *call, arg *exportArg) (any, error) {
	var r fileRev
	meta, err := c.reading(arg.Path, func(spec pathSpec) (any, error) {
		var lerr *unionError
		if r, lerr = c.v.revision(spec); lerr != nil {
			return nil, lerr.under("path")
		}
		return c.v.revMetadata(r), nil
	})
	if err != nil {
		return nil, err
	}
	forms, _ := r.exportInfo()["export_options"].([]string)
	if len(forms) == 0 {
		return nil, fail("non_exportable")
	}
	form := forms[0]
	if arg.ExportFormat != "" {
		form = arg.ExportFormat
	}
	if !slices.Contains(forms, form) {
		return nil, fail("invalid_export_format")
	}
	text, err := c.s.text(r.hash)
	if err != nil {
		return nil, err
	}
	out := "exported as " + form + "\n" + text
	hash, _, err := ContentHash(strings.NewReader(out))
	if err != nil {
		return nil, err
	}
	exported := map[string]any{"name": strings.TrimSuffix(r.name, path.Ext(r.name)) + "." + extensionOf(form), "size": len(out), "export_hash": hash}
	if path.Ext(r.name) == ".paper" {
		exported["paper_revision"] = c.paperRevision(r.id)
	}
	return c.sendBytes(map[string]any{"export_metadata": exported, "file_metadata": meta}, []byte(out))
}

func extensionOf(form string) string {
	if e, ok := map[string]string{"markdown": "md", "plain_text": "txt"}[form]; ok {
		return e
	}
	return form
}

// sendBytes answers in the download style.
func (c *call) sendBytes(metadata any, b []byte) (any, error) {
	if err := c.sendHeader(metadata, int64(len(b))); err != nil {
		return nil, err
	}
	c.write(200, b)
	return answered{}, nil
}

// paperRevision counts a document's revisions.
func (c *call) paperRevision(id string) int {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return len(c.s.tree.ofID[id])
}

type paperCreateArg struct {
	Path         string `json:"path" stone:"required"`
	ImportFormat tagged `json:"import_format" stone:"required"`
}

// importForms are those that a Paper document can be made of.
var importForms = []string{"html", "markdown", "plain_text"}

func paperCreate(c *call, arg *paperCreateArg) (any, error) {
	c.item = arg.Path
	switch {
	case path.Ext(arg.Path) != ".paper":
		return nil, fail("invalid_file_extension")
	case !patterns[writePattern].MatchString(arg.Path):
		return nil, fail("invalid_path")
	case !slices.Contains(importForms, arg.ImportFormat.Tag):
		return nil, fail("content_malformed")
	}
	text, err := io.ReadAll(io.LimitReader(c.r.Body, maxRPCBody))
	if err != nil {
		return nil, badCall("could not read body")
	}
	n, err := c.writeCloud(arg.Path, string(text), Exportable)
	if err != nil {
		if _, isUnion := errors.AsType[*unionError](err); isUnion {
			return nil, fail("invalid_path")
		}
		return nil, err
	}
	m := c.describe(n)
	return map[string]any{"url": fmt.Sprintf("%s/scl/fi/%s/%s", c.s.linkBase(), n.id[3:], n.name), "result_path": m["path_display"],
		"file_id": n.id, "paper_revision": 1}, nil
}

type paperUpdateArg struct {
	Path            string `json:"path" stone:"required"`
	ImportFormat    tagged `json:"import_format" stone:"required"`
	DocUpdatePolicy tagged `json:"doc_update_policy" stone:"required"`
	PaperRevision   *int   `json:"paper_revision"`
}

func paperUpdate(c *call, arg *paperUpdateArg) (any, error) {
	c.item = arg.Path
	data, err := io.ReadAll(io.LimitReader(c.r.Body, maxRPCBody))
	if err != nil {
		return nil, badCall("could not read body")
	}
	n, err := c.reading(arg.Path, func(spec pathSpec) (any, error) {
		n, lerr := c.v.lookupFile(spec)
		if lerr == nil && (n.cloud == "" || path.Ext(n.name) != ".paper") {
			lerr = fail("unsupported_content_type")
		}
		if lerr != nil {
			return nil, lerr.under("path")
		}
		current := len(c.s.tree.ofID[n.id])
		if arg.DocUpdatePolicy.Tag == "update" && (arg.PaperRevision == nil || *arg.PaperRevision != current) {
			return nil, fail("revision_mismatch")
		}
		return n, nil
	})
	if err != nil {
		return nil, err
	}
	return c.rewritePaper(n.(*node), arg.DocUpdatePolicy.Tag, string(data))
}

func (c *call) rewritePaper(n *node, policy, data string) (any, error) {
	old, err := c.s.text(n.hash)
	if err != nil {
		return nil, err
	}
	switch policy {
	case "prepend":
		data += old
	case "append":
		data = old + data
	}
	hash, err := c.s.keepText(data)
	if err != nil {
		return nil, err
	}
	_, err = c.locked(func() (any, error) {
		return c.s.writeFile(n, n.parent, n.name, content{hash: hash, size: int64(len(data)), client: c.s.opt.Now(), cloud: n.cloud})
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"paper_revision": c.paperRevision(n.id)}, nil
}
