package odoo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"odbxfs"
)

// plainOverlap is how far back each look reaches before the newest row of the
// last one. write_date is the start of a row's transaction, and rows appear
// when it ends: 120 s later at most for requests (limit_time_real), longer for
// crons. What comes later still, and what vanishes, shows in the counts; only a
// change in place by a transaction of more than five minutes is missed.
const plainOverlap = 5 * time.Minute

// plainMark is how far each model was read: the newest write_date of its
// records and of its documents.
type plainMark map[string]plainSeen

type plainSeen struct {
	Records   time.Time `json:"r"`
	Documents time.Time `json:"d"`
}

func parsePlainMark(s string) (plainMark, error) {
	m := plainMark{}
	if s == "" {
		return m, nil
	}
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		return nil, &odbxfs.Error{Op: "look for changes", Kind: odbxfs.KindReset, Err: err}
	}
	return m, nil
}

// Changes looks once at the models in use. With an empty mark it gives
// everything. Rows of the last minutes come again.
func (p *Plain) Changes(ctx context.Context, mark string) (odbxfs.OdooChanges, error) {
	var out odbxfs.OdooChanges
	seen, err := parsePlainMark(mark)
	if err != nil {
		return out, err
	}
	if out.Database, err = p.c.databaseID(ctx); err != nil {
		return out, err
	}
	for _, m := range p.models {
		if _, known := seen[m.Model]; !known {
			out.Nodes = p.folders(ctx) // the first look, or one at a model that is new
			break
		}
	}
	var files []odbxfs.OdooNode
	for _, m := range p.models {
		since, known := seen[m.Model]
		if known && p.inUse != nil && !slices.Contains(p.inUse(), m.Model) {
			continue
		}
		folders, docs, now, err := p.look(ctx, m, since)
		if err != nil {
			return odbxfs.OdooChanges{}, err
		}
		out.Nodes, files = append(out.Nodes, folders...), append(files, docs...)
		counts, err := p.counts(ctx, m)
		if err != nil {
			return odbxfs.OdooChanges{}, err
		}
		out.Counts = append(out.Counts, counts...)
		seen[m.Model] = now
	}
	out.Nodes = append(out.Nodes, files...)
	b, err := json.Marshal(seen)
	out.Mark = string(b)
	return out, err
}

// look reads a model's records and documents written since.
func (p *Plain) look(ctx context.Context, m PlainModel, since plainSeen) (folders, files []odbxfs.OdooNode, now plainSeen, err error) {
	now = since
	records, err := p.records(ctx, m, writtenSince(since.Records))
	if err != nil {
		return nil, nil, now, err
	}
	for _, r := range records {
		folders = append(folders, r.node(m.Model))
		now.Records = latest(now.Records, r.Written)
	}
	rows, err := p.documentRows(ctx, m.Model, writtenSince(since.Documents))
	if err != nil {
		return nil, nil, now, err
	}
	for _, d := range rows {
		now.Documents = latest(now.Documents, d.Written)
	}
	rows, err = p.inTree(ctx, m, rows)
	if err != nil {
		return nil, nil, now, err
	}
	files, err = p.nodesOf(ctx, rows)
	return folders, files, now, err
}

// inTree leaves out documents of records that the domain, or Odoo (archived
// ones), does not show: they would have no folder.
func (p *Plain) inTree(ctx context.Context, m PlainModel, rows []plainDocument) ([]plainDocument, error) {
	var ids []int64
	for _, d := range rows {
		ids = append(ids, d.Record)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return nil, nil
	}
	shown, err := p.c.Search(ctx, m.Model, append(slices.Clone(m.Domain), Where("id", "in", ids)), Query{})
	if err != nil {
		return nil, err
	}
	slices.Sort(shown)
	return slices.DeleteFunc(rows, func(d plainDocument) bool {
		_, ok := slices.BinarySearch(shown, d.Record)
		return !ok
	}), nil
}

// writtenSince is the condition on write_date; ">=" because 14 and 19 disagree
// on what ">" does within a second.
func writtenSince(t time.Time) []any {
	if t.IsZero() {
		return Where("id", ">", 0)
	}
	return Where("write_date", ">=", t.Add(-plainOverlap).UTC().Format(timeLayout))
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// counts are the fingerprints of a model's records and documents. They are made
// of the ids: no aggregate that employees may use on 14 gives their sum.
func (p *Plain) counts(ctx context.Context, m PlainModel) ([]odbxfs.OdooCount, error) {
	var counts []odbxfs.OdooCount
	for _, kind := range []odbxfs.RefKind{odbxfs.RefRecord, odbxfs.RefAttachment} {
		scope := odbxfs.OdooScope{Kind: kind, Model: m.Model}
		refs, err := p.Refs(ctx, scope)
		if err != nil {
			return nil, err
		}
		c := odbxfs.OdooCount{Scope: scope, Count: int64(len(refs))}
		for _, r := range refs {
			c.Sum += r.ID
		}
		counts = append(counts, c)
	}
	return counts, nil
}

// Refs gives every ref of one scope.
func (p *Plain) Refs(ctx context.Context, scope odbxfs.OdooScope) ([]odbxfs.OdooRef, error) {
	if scope.Kind == odbxfs.RefRule {
		var refs []odbxfs.OdooRef
		for _, m := range p.models {
			refs = append(refs, plainRule(m.Model))
		}
		return refs, nil
	}
	m, ok := p.model(scope.Model)
	if !ok {
		return nil, nil
	}
	switch scope.Kind {
	case odbxfs.RefRecord:
		ids, err := p.c.Search(ctx, m.Model, m.Domain, Query{})
		return refsOf(ids, func(id int64) odbxfs.OdooRef { return odbxfs.RecordRef(m.Model, id) }), err
	case odbxfs.RefAttachment:
		var rows []plainDocument
		var err error
		rows, err = pages(ctx, func(after int64) ([]plainDocument, error) {
			var rows []plainDocument
			err := p.c.SearchRead(ctx, attachmentModel, documents(m.Model, Where("id", ">", after)), []string{"res_id"}, Query{Order: "id", Limit: page}, &rows)
			return rows, err
		}, func(d plainDocument) int64 { return d.ID })
		if err != nil {
			return nil, err
		}
		if rows, err = p.inTree(ctx, m, rows); err != nil {
			return nil, err
		}
		var refs []odbxfs.OdooRef
		for _, d := range rows {
			refs = append(refs, odbxfs.AttachmentRef(d.ID))
		}
		return refs, nil
	default:
		return nil, nil
	}
}

func refsOf(ids []int64, ref func(int64) odbxfs.OdooRef) []odbxfs.OdooRef {
	refs := make([]odbxfs.OdooRef, len(ids))
	for i, id := range ids {
		refs[i] = ref(id)
	}
	return refs
}

// databaseID tells one database from another: its uuid where the user may ask
// for it, else its name and place.
func (c *Client) databaseID(ctx context.Context) (string, error) {
	var uuid string
	err := c.Call(ctx, "ir.config_parameter", "get_param", []any{"database.uuid"}, nil, &uuid)
	if err == nil && uuid != "" {
		return uuid, nil
	}
	if err != nil && !odbxfs.IsKind(err, odbxfs.KindAccess) {
		return "", err
	}
	return fmt.Sprintf("%s@%s", c.cfg.Database, c.cfg.URL), nil
}
