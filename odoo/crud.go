package odoo

import (
	"context"
	"errors"
)

// Query narrows a search. The zero Query is everything, in the model's order.
type Query struct {
	Limit  int    // 0: no limit. On 14 use at least 1000 on ir.attachment: below, unreadable rows can exhaust Python's stack
	Offset int    // rows to leave out
	Order  string // as "write_date desc, id"
	// Context is Odoo's context, as lang or active_test.
	Context map[string]any
}

func (q Query) kw() map[string]any {
	kw := map[string]any{}
	if q.Limit > 0 {
		kw["limit"] = q.Limit
	}
	if q.Offset > 0 {
		kw["offset"] = q.Offset
	}
	if q.Order != "" {
		kw["order"] = q.Order
	}
	if len(q.Context) > 0 {
		kw["context"] = q.Context
	}
	return kw
}

// Domain is a search domain: conditions of three, and the operators '&', '|'
// and '!' before them.
type Domain []any

// Where is one condition of a domain.
func Where(field, operator string, value any) []any { return []any{field, operator, value} }

// value is the domain as sent: never null.
func (d Domain) value() []any {
	if d == nil {
		return []any{}
	}
	return d
}

// Create makes one record and gives its id.
func (c *Client) Create(ctx context.Context, model string, values map[string]any) (int64, error) {
	ids, err := c.createMany(ctx, &call{model: model, method: "create", args: []any{[]any{values}}})
	if err != nil {
		return 0, err
	}
	if len(ids) != 1 {
		return 0, answerError(model+".create", errors.New("want one id"))
	}
	return ids[0], nil
}

// CreateMany makes records in one call and one transaction, and gives their
// ids in order.
func (c *Client) CreateMany(ctx context.Context, model string, values []map[string]any) ([]int64, error) {
	if len(values) == 0 {
		return nil, nil
	}
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return c.createMany(ctx, &call{model: model, method: "create", args: []any{list}})
}

func (c *Client) createMany(ctx context.Context, q *call) ([]int64, error) {
	v, err := c.do(ctx, q)
	if err != nil {
		return nil, err
	}
	var ids []int64
	if err := decode(v, &ids); err != nil {
		return nil, answerError(q.op(), err)
	}
	return ids, nil
}

// Write gives the records these values. On 14, ids that do not exist are left
// out silently; on 19 one of them fails the whole call (KindMissing).
func (c *Client) Write(ctx context.Context, model string, ids []int64, values map[string]any) error {
	return c.Call(ctx, model, "write", []any{ids, values}, nil, nil)
}

// Unlink removes the records. One missing id fails the whole call
// (KindMissing), and nothing is removed.
func (c *Client) Unlink(ctx context.Context, model string, ids []int64) error {
	return c.Call(ctx, model, "unlink", []any{ids}, nil, nil)
}

// Search gives the ids of the records of a domain.
func (c *Client) Search(ctx context.Context, model string, d Domain, q Query) ([]int64, error) {
	var ids []int64
	err := c.Call(ctx, model, "search", []any{d.value()}, q.kw(), &ids)
	return ids, err
}

// SearchCount counts the records of a domain.
func (c *Client) SearchCount(ctx context.Context, model string, d Domain) (int64, error) {
	var n int64
	err := c.Call(ctx, model, "search_count", []any{d.value()}, nil, &n)
	return n, err
}

// SearchRead decodes fields of the records of a domain into out, a pointer to a
// slice. Name the fields: all of them is refused to employees on 19's
// ir.attachment.
func (c *Client) SearchRead(ctx context.Context, model string, d Domain, fields []string, q Query, out any) error {
	kw := q.kw()
	kw["fields"] = fields
	return c.Call(ctx, model, "search_read", []any{d.value()}, kw, out)
}

// Read decodes fields of records into out, a pointer to a slice. Ids that do
// not exist are left out; one that may not be read fails the whole call.
func (c *Client) Read(ctx context.Context, model string, ids []int64, fields []string, out any) error {
	return c.Call(ctx, model, "read", []any{ids, fields}, nil, out)
}

// Field is what fields_get says of a field.
type Field struct {
	Type     string `odoo:"type"`
	Relation string `odoo:"relation"`
	String   string `odoo:"string"`
	Required bool   `odoo:"required"`
	Readonly bool   `odoo:"readonly"`
	Store    bool   `odoo:"store"`
}

// FieldsGet describes the fields that the user may see, by name. Names of
// fields that do not exist are left out; none asks for all.
func (c *Client) FieldsGet(ctx context.Context, model string, names ...string) (map[string]Field, error) {
	kw := map[string]any{"attributes": []string{"type", "relation", "string", "required", "readonly", "store"}}
	if len(names) > 0 {
		kw["allfields"] = names
	}
	var fields map[string]Field
	err := c.Call(ctx, model, "fields_get", nil, kw, &fields)
	return fields, err
}

// RunAction runs a server action with arg as its context, and decodes what its
// code left in the variable action. Over XML-RPC that must hold no None and no
// number above 2^31: then the action is carried out, and the call is
// KindUnsupported.
func (c *Client) RunAction(ctx context.Context, actionID int64, arg map[string]any, out any) error {
	kw := map[string]any{}
	if len(arg) > 0 {
		kw["context"] = arg
	}
	return c.Call(ctx, "ir.actions.server", "run", []any{[]int64{actionID}}, kw, out)
}
