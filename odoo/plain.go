package odoo

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"time"

	"odbxfs"
)

// Plain shows an untouched Odoo as a tree: a folder per configured model, in it
// one per record, in it the record's documents. It reads, creates, writes,
// renames, moves and removes documents, each with the user's own rights.
//
// Nothing in Odoo guards a change across calls here: each is checked before and
// read back after, and a lost race is answered with Changed. Folders inside a
// record, links, pairs and times are not to be had (KindUnsupported); url
// attachments are foreign.
//
// All methods may be called concurrently.
type Plain struct {
	c      *Client
	models []PlainModel
	inUse  func() []string
}

// PlainModel is one folder of a plain tree.
type PlainModel struct {
	Model  string // as "sale.order"
	Folder string // its name; empty asks Odoo, and is Model where Odoo does not say
	Domain Domain // which records; nil is all that the user sees
}

// PlainConfig says what a [Plain] shows.
type PlainConfig struct {
	Models []PlainModel
	// InUse gives the models whose folders somebody uses: only those are
	// polled. Nil is all of them, always. It may be called from any goroutine.
	InUse func() []string
}

// NewPlain makes the plain tree of these models.
func NewPlain(c *Client, cfg PlainConfig) (*Plain, error) {
	seen := map[string]bool{}
	for _, m := range cfg.Models {
		if m.Model == "" || seen[m.Model] {
			return nil, fmt.Errorf("plain mode: model %q is empty or named twice", m.Model)
		}
		seen[m.Model] = true
	}
	return &Plain{c: c, models: slices.Clone(cfg.Models), inUse: cfg.InUse}, nil
}

// plainRule names a model's folder. There is no row to take an id from, and the
// number must not depend on the order in the config.
func plainRule(model string) odbxfs.OdooRef {
	h := fnv.New64a()
	_, _ = io.WriteString(h, model) // a hash takes all
	return odbxfs.RuleRef(int64(h.Sum64()>>2) + 1)
}

// model finds the configured model behind a name.
func (p *Plain) model(name string) (PlainModel, bool) {
	i := slices.IndexFunc(p.models, func(m PlainModel) bool { return m.Model == name })
	if i < 0 {
		return PlainModel{}, false
	}
	return p.models[i], true
}

// folders are the nodes of the model folders.
func (p *Plain) folders(ctx context.Context) []odbxfs.OdooNode {
	var nodes []odbxfs.OdooNode
	for _, m := range p.models {
		name := m.Folder
		if name == "" {
			name = p.askName(ctx, m.Model)
		}
		nodes = append(nodes, odbxfs.OdooNode{Ref: plainRule(m.Model), ParentRef: odbxfs.RootRef(), Kind: odbxfs.Folder, Role: odbxfs.RoleRule, Name: name})
	}
	return nodes
}

// askName asks for a model's name in the user's language. Employees may not
// read ir.model on 19, and 14 does not have the call made for them.
func (p *Plain) askName(ctx context.Context, model string) string {
	var named []struct {
		Name string `odoo:"display_name"`
	}
	err := p.c.Call(ctx, "ir.model", "display_name_for", nil, map[string]any{"models": []string{model}}, &named)
	if err != nil {
		err = p.c.SearchRead(ctx, "ir.model", Domain{Where("model", "=", model)}, []string{"display_name"}, Query{}, &named)
	}
	if err != nil || len(named) != 1 || named[0].Name == "" {
		return model
	}
	return named[0].Name
}

// plainRecord is a record as a folder.
type plainRecord struct {
	ID      int64     `odoo:"id"`
	Name    string    `odoo:"display_name"`
	Written time.Time `odoo:"write_date"`
}

var plainRecordFields = []string{"display_name", "write_date"}

// node is writable: nobody asked yet what the user may do there, and Odoo says so
// when a file is made. The models' own folders take nothing.
func (r plainRecord) node(model string) odbxfs.OdooNode {
	return odbxfs.OdooNode{Ref: odbxfs.RecordRef(model, r.ID), ParentRef: plainRule(model), Kind: odbxfs.Folder, Role: odbxfs.RoleRecord, Name: r.Name, Writable: true}
}

// plainDocument is an attachment as a file.
type plainDocument struct {
	Attachment
	Written time.Time
	Stored  string
}

// DecodeOdoo reads a row with plainDocumentFields.
func (d *plainDocument) DecodeOdoo(v any) error {
	var more struct {
		Written time.Time `odoo:"write_date"`
		Stored  string    `odoo:"store_fname"`
	}
	if err := decode(v, &d.Attachment); err != nil {
		return err
	}
	err := decode(v, &more)
	d.Written, d.Stored = more.Written, more.Stored
	return err
}

var plainDocumentFields = append([]string{"write_date", "store_fname"}, attachmentFields...)

func (d plainDocument) node() odbxfs.OdooNode {
	n := odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(d.ID), ParentRef: odbxfs.RecordRef(d.Model, d.Record), Kind: odbxfs.File, Name: d.Name,
		Type: odbxfs.Foreign, SHA1: d.Checksum, Size: d.FileSize, Mimetype: d.Mimetype, URL: d.URL, MTime: d.Written, Writable: true}
	if d.Type == "binary" {
		n.Type = odbxfs.Binary
		if n.SHA1 == "" && n.Size == 0 && d.Stored == "" {
			n.SHA1 = odbxfs.EmptySHA1
		}
	}
	return n
}

// unsized reports whether Odoo does not say what a binary holds: 14 leaves
// checksum and size of a copied one empty, though it has content.
func (d plainDocument) unsized() bool {
	return d.Type == "binary" && d.Checksum == "" && d.Stored != ""
}

// nodesOf makes files of rows, asking for the size of those that have none.
func (p *Plain) nodesOf(ctx context.Context, rows []plainDocument) ([]odbxfs.OdooNode, error) {
	nodes := make([]odbxfs.OdooNode, 0, len(rows))
	for _, d := range rows {
		n := d.node()
		if d.unsized() {
			// The file store names files by their sha1: "ab/ab12...".
			if _, sha1, ok := strings.Cut(d.Stored, "/"); ok && isSHA1(sha1) {
				n.SHA1 = odbxfs.SHA1(sha1)
			}
			r, info, err := p.c.Content(ctx, d.ID, 0, 0)
			if err != nil {
				return nil, err
			}
			if err := r.Close(); err != nil {
				return nil, err
			}
			n.Size = max(info.Size, 0)
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// documents is the domain of a model's documents. The model comes first: 19 is
// slow without one; res_field is named because an id in the domain would let
// the rows of fields in.
func documents(model string, more ...any) Domain {
	return append(Domain{Where("res_model", "=", model), Where("res_field", "=", false), Where("res_id", "!=", 0)}, more...)
}

// Nodes gives the named things as they are now, folders before what is in them;
// what does not exist, or may not be read, is left out.
func (p *Plain) Nodes(ctx context.Context, refs []odbxfs.OdooRef) ([]odbxfs.OdooNode, error) {
	records := map[string][]int64{}
	var documents []int64
	var nodes []odbxfs.OdooNode
	folders := false
	for _, r := range refs {
		switch r.Kind {
		case odbxfs.RefRule:
			folders = true
		case odbxfs.RefRecord:
			records[r.Model] = append(records[r.Model], r.ID)
		case odbxfs.RefAttachment:
			documents = append(documents, r.ID)
		default: // the root is no node of Odoo's; other folders are not to be had
		}
	}
	if folders {
		for _, n := range p.folders(ctx) {
			if slices.Contains(refs, n.Ref) {
				nodes = append(nodes, n)
			}
		}
	}
	for _, m := range p.models {
		if ids := records[m.Model]; len(ids) > 0 {
			found, err := p.records(ctx, m, Where("id", "in", ids))
			if err != nil {
				return nil, err
			}
			for _, r := range found {
				nodes = append(nodes, r.node(m.Model))
			}
		}
	}
	files, err := p.files(ctx, documents)
	return append(nodes, files...), err
}

// files gives the nodes of attachments that belong into the tree.
func (p *Plain) files(ctx context.Context, ids []int64) ([]odbxfs.OdooNode, error) {
	if len(ids) == 0 || len(p.models) == 0 {
		return nil, nil
	}
	var models []string
	for _, m := range p.models {
		models = append(models, m.Model)
	}
	domain := Domain{Where("res_model", "in", models), Where("res_field", "=", false), Where("res_id", "!=", 0), Where("id", "in", ids)}
	var rows []plainDocument
	if err := p.c.SearchRead(ctx, attachmentModel, domain, plainDocumentFields, Query{Order: "id", Limit: max(len(ids), page)}, &rows); err != nil {
		return nil, err
	}
	return p.nodesOf(ctx, rows)
}

// page is how many rows are read at once: enough that the cost of a call does
// not count (10,000 rows take 0.2 to 1 s), and above what 14's searches of
// attachments need to stay clear of Python's recursion limit.
const page = 5000

// records reads a model's records that meet the condition, by id.
func (p *Plain) records(ctx context.Context, m PlainModel, condition []any) ([]plainRecord, error) {
	return pages(ctx, func(after int64) ([]plainRecord, error) {
		var rows []plainRecord
		domain := append(slices.Clone(m.Domain), condition, Where("id", ">", after))
		return rows, p.c.SearchRead(ctx, m.Model, domain, plainRecordFields, Query{Order: "id", Limit: page}, &rows)
	}, func(r plainRecord) int64 { return r.ID })
}

// documentRows reads a model's documents that meet the condition, by id.
func (p *Plain) documentRows(ctx context.Context, model string, condition []any) ([]plainDocument, error) {
	return pages(ctx, func(after int64) ([]plainDocument, error) {
		var rows []plainDocument
		err := p.c.SearchRead(ctx, attachmentModel, documents(model, condition, Where("id", ">", after)), plainDocumentFields, Query{Order: "id", Limit: page}, &rows)
		return rows, err
	}, func(d plainDocument) int64 { return d.ID })
}

// pages reads page after page by id. An offset would skip rows when others
// vanish in between.
func pages[T any](ctx context.Context, read func(after int64) ([]T, error), id func(T) int64) ([]T, error) {
	var all []T
	for after := int64(0); ; {
		rows, err := read(after)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if len(rows) < page {
			return all, ctx.Err()
		}
		after = id(rows[len(rows)-1])
	}
}

// Content gives bytes of a binary document from offset; length < 0 means to
// the end. KindUnsupported for a link. The caller closes the reader.
func (p *Plain) Content(ctx context.Context, ref odbxfs.OdooRef, offset, length int64) (io.ReadCloser, error) {
	if ref.Kind != odbxfs.RefAttachment {
		return nil, &odbxfs.Error{Op: "read content", Item: ref.String(), Kind: odbxfs.KindInvalid, Err: errors.New("not a document")}
	}
	r, _, err := p.c.Content(ctx, ref.ID, offset, length)
	return r, err
}
