package odootest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// args are a call's arguments: those in order, then those by name.
type args struct {
	pos []any
	kw  map[string]any
}

// get gives argument n or the one called name; nil when it was not given.
func (a args) get(n int, name string) any {
	if v, ok := a.kw[name]; ok {
		return v
	}
	if n < len(a.pos) {
		return a.pos[n]
	}
	return nil
}

func (a args) ids() []int64 { return idsOf(a.get(0, "ids")) }

func idsOf(v any) []int64 {
	switch v := v.(type) {
	case int64:
		return []int64{v}
	case []any:
		out := make([]int64, 0, len(v))
		for _, e := range v {
			if n, ok := e.(int64); ok {
				out = append(out, n)
			}
		}
		return out
	case []int64:
		return v
	}
	return nil
}

func textsOf(v any) []string {
	list, _ := v.([]any)
	out := make([]string, 0, len(list))
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func numberOf(v any) int64 {
	n, _ := v.(int64)
	return n
}

// method is one method of the ORM that may be called from outside.
type method func(t *tx, m *model, a args) (any, *fault)

var ormMethods = map[string]method{
	"search": methodSearch, "search_read": methodSearchRead, "search_count": methodSearchCount,
	"read": methodRead, "create": methodCreate, "write": methodWrite, "unlink": methodUnlink, "copy": methodCopy,
	"fields_get": methodFieldsGet, "name_search": methodNameSearch, "check_access_rights": methodCheckAccess, "has_access": methodHasAccess,
	"exists": methodExists,
}

// call runs one method as a user.
func (t *tx) call(modelName, name string, a args) (any, *fault) {
	if strings.HasPrefix(name, "_") {
		return nil, accessError("Private methods (such as %s.%s) cannot be called remotely.", modelName, name)
	}
	m, f := t.model(modelName)
	if f != nil {
		return nil, f
	}
	if special, ok := specialMethods[modelName+"."+name]; ok {
		return special(t, m, a)
	}
	if general, ok := ormMethods[name]; ok {
		return general(t, m, a)
	}
	return nil, unforeseen("AttributeError", "The method '%s.%s' does not exist", modelName, name)
}

// search gives the ids of a domain that the user may read, in order.
func (t *tx) search(m *model, dom []any, order string) ([]int64, *fault) {
	if f := t.mayModel(m, "read"); f != nil {
		return nil, f
	}
	match, f := t.domain(m, t.implicit(m, dom))
	if f != nil {
		return nil, f
	}
	rule, f := t.recordRule(m)
	if f != nil {
		return nil, f
	}
	archived := t.archived(m, dom)
	ids := m.find(func(id int64, r record) bool {
		return !archived(r) && match(id, r) && rule(id, r) && t.mayRow(m, id, "read") == nil
	})
	if order == "" {
		order = m.order
	}
	return t.sorted(m, ids, order), nil
}

// implicit adds what Odoo adds: documents of fields are hidden unless the
// domain speaks of ids or of res_field.
func (t *tx) implicit(m *model, dom []any) []any {
	if m.name == "ir.attachment" && !mentions(dom, "id") && !mentions(dom, "res_field") {
		return append([]any{[]any{"res_field", "=", false}}, dom...)
	}
	return dom
}

// archived tells the rows to hide, unless the domain or the context speaks of them.
func (t *tx) archived(m *model, dom []any) func(record) bool {
	if m.fields["active"] == nil || mentions(dom, "active") || t.context["active_test"] == false {
		return func(record) bool { return false }
	}
	return func(r record) bool { return r["active"] == false }
}

func mentions(dom []any, name string) bool {
	return slices.ContainsFunc(dom, func(e any) bool {
		leaf, ok := e.([]any)
		return ok && len(leaf) == 3 && leaf[0] == name
	})
}

func (t *tx) sorted(m *model, ids []int64, by string) []int64 {
	terms := strings.Split(by, ",")
	slices.SortStableFunc(ids, func(a, b int64) int {
		for _, term := range terms {
			words := strings.Fields(term)
			if len(words) == 0 {
				continue
			}
			c := rank(t.value(m, a, m.rows[a], words[0]), t.value(m, b, m.rows[b], words[0]))
			if len(words) > 1 && strings.EqualFold(words[1], "desc") {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return ids
}

func rank(a, b any) int {
	switch x := a.(type) {
	case int64:
		y, _ := b.(int64)
		return int(min(max(x-y, -1), 1))
	case string:
		y, _ := b.(string)
		return strings.Compare(x, y)
	case time.Time:
		y, _ := b.(time.Time)
		return x.Compare(y)
	}
	return 0
}

func page(ids []int64, offset, limit any) []int64 {
	ids = ids[min(int(numberOf(offset)), len(ids)):]
	if n := int(numberOf(limit)); n > 0 {
		ids = ids[:min(n, len(ids))]
	}
	return ids
}

func domainOf(v any) []any {
	dom, _ := v.([]any)
	return dom
}

func methodSearch(t *tx, m *model, a args) (any, *fault) {
	order, _ := a.get(3, "order").(string)
	ids, f := t.search(m, domainOf(a.get(0, "domain")), order)
	return page(ids, a.get(1, "offset"), a.get(2, "limit")), f
}

func methodSearchCount(t *tx, m *model, a args) (any, *fault) {
	ids, f := t.search(m, domainOf(a.get(0, "domain")), "id")
	return int64(len(ids)), f
}

func methodSearchRead(t *tx, m *model, a args) (any, *fault) {
	order, _ := a.get(4, "order").(string)
	ids, f := t.search(m, domainOf(a.get(0, "domain")), order)
	if f != nil {
		return nil, f
	}
	return t.read(m, page(ids, a.get(2, "offset"), a.get(3, "limit")), textsOf(a.get(1, "fields")))
}

func methodRead(t *tx, m *model, a args) (any, *fault) {
	return t.read(m, a.ids(), textsOf(a.get(1, "fields")))
}

func (t *tx) read(m *model, ids []int64, names []string) (any, *fault) {
	if f := t.mayModel(m, "read"); f != nil {
		return nil, f
	}
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(m.fields))
	}
	out := []any{}
	for _, id := range ids {
		r, ok := m.rows[id]
		if !ok {
			continue
		}
		if f := t.mayRow(m, id, "read"); f != nil {
			return nil, f
		}
		row := map[string]any{"id": id}
		for _, name := range names {
			fl := m.fields[name]
			if fl == nil {
				return nil, unforeseen("ValueError", "Invalid field %q on %q", name, m.name)
			}
			row[name] = t.outward(fl, t.value(m, id, r, name))
		}
		out = append(out, row)
	}
	return out, nil
}

// value gives a field of a row, computed ones too.
func (t *tx) value(m *model, id int64, r record, name string) any {
	if name == "id" {
		return id
	}
	if fl := m.fields[name]; fl != nil && fl.compute != nil {
		withID := maps.Clone(r)
		withID["id"] = id
		return fl.compute(t, withID)
	}
	return r[name]
}

// outward is a value as answers have it: False for nothing, a pair for a
// many2one, text for times.
func (t *tx) outward(fl *field, v any) any {
	switch x := v.(type) {
	case nil:
		switch fl.kind {
		case "integer":
			return int64(0)
		case "float":
			return 0.0
		case "one2many", "many2many":
			return []int64{}
		}
		return false
	case time.Time:
		if x.IsZero() {
			return false
		}
		return x.Format(datetime)
	case int64:
		if fl.kind == "many2one" {
			if x == 0 {
				return false
			}
			return []any{x, t.displayName(fl.relation, x)}
		}
	case string:
		if x == "" {
			return false
		}
	}
	return v
}

func (t *tx) displayName(model string, id int64) string {
	m, ok := t.db.models[model]
	if !ok {
		return ""
	}
	r := m.rows[id]
	for _, name := range []string{"x_name", "name", "login"} {
		if _, has := m.fields[name]; has {
			return r.str(name)
		}
	}
	return fmt.Sprintf("%s,%d", model, id)
}

func methodCreate(t *tx, m *model, a args) (any, *fault) {
	switch vals := a.get(0, "vals_list").(type) {
	case map[string]any:
		return t.create(m, vals)
	case []any:
		out := make([]int64, 0, len(vals))
		for _, one := range vals {
			v, _ := one.(map[string]any)
			id, f := t.create(m, v)
			if f != nil {
				return nil, f
			}
			out = append(out, id)
		}
		return out, nil
	}
	return nil, unforeseen("TypeError", "%s.create() missing 1 required positional argument: 'vals_list'", m.name)
}

func methodWrite(t *tx, m *model, a args) (any, *fault) {
	vals, _ := a.get(1, "vals").(map[string]any)
	for _, id := range a.ids() {
		if f := t.write(m, id, vals); f != nil {
			return nil, f
		}
	}
	return true, nil
}

func methodUnlink(t *tx, m *model, a args) (any, *fault) {
	for _, id := range a.ids() {
		if _, ok := m.rows[id]; !ok {
			return nil, missingError(m.name, id, t.uid)
		}
	}
	for _, id := range a.ids() {
		if f := t.unlink(m, id); f != nil {
			return nil, f
		}
	}
	return true, nil
}

func methodCopy(t *tx, m *model, a args) (any, *fault) {
	ids := a.ids()
	if len(ids) != 1 || m.rows[ids[0]] == nil {
		return nil, missingError(m.name, 0, t.uid)
	}
	if f := t.mayRow(m, ids[0], "read"); f != nil {
		return nil, f
	}
	vals := map[string]any{}
	for name, v := range m.rows[ids[0]] {
		if fl := m.fields[name]; fl != nil && !fl.noCopy && !slices.Contains([]string{"create_date", "write_date", "create_uid", "write_uid", "checksum", "file_size"}, name) {
			vals[name] = asSent(fl, v)
		}
	}
	if given, ok := a.get(1, "default").(map[string]any); ok {
		maps.Copy(vals, given)
	}
	id, f := t.create(m, vals)
	if f != nil {
		return nil, f
	}
	if m.name == "ir.attachment" {
		t.copyContent(m, m.rows[ids[0]], id)
	}
	if t.s.opt.Version >= 18 {
		return []int64{id}, nil
	}
	return id, nil
}

// asSent is a stored value as a client sends it.
func asSent(fl *field, v any) any {
	switch x := v.(type) {
	case time.Time:
		return x.Format(datetime)
	case []int64:
		if fl.kind == "one2many" {
			return nil
		}
		return []any{[]any{int64(6), int64(0), x}}
	}
	return v
}

// copyContent lets a copied binary have its original's stored file; 14 leaves
// out its checksum and size. A copied link has neither.
func (t *tx) copyContent(m *model, from record, id int64) {
	if from["store_fname"] == nil {
		return
	}
	stored := record{"store_fname": from["store_fname"]}
	if t.s.opt.Version >= 16 {
		stored["checksum"], stored["file_size"] = from["checksum"], from["file_size"]
	}
	t.put(m, id, stored)
}

func methodFieldsGet(t *tx, m *model, a args) (any, *fault) {
	out := map[string]any{}
	only := textsOf(a.get(0, "allfields"))
	for name, fl := range m.fields {
		if len(only) == 0 || slices.Contains(only, name) {
			out[name] = fl.describe(name)
		}
	}
	return out, nil
}

// describe is what fields_get says of a field.
func (fl *field) describe(name string) map[string]any {
	about := map[string]any{"type": fl.kind, "string": name, "relation": fl.relation, "required": fl.required, "store": fl.compute == nil}
	if fl.kind == "selection" {
		options := []any{}
		for _, v := range fl.values {
			options = append(options, []any{v, v})
		}
		about["selection"] = options
	}
	return about
}

func methodNameSearch(t *tx, m *model, a args) (any, *fault) {
	ids, f := t.search(m, domainOf(a.get(1, "domain")), "")
	if f != nil {
		return nil, f
	}
	part, _ := a.get(0, "name").(string)
	out := []any{}
	for _, id := range ids {
		if name := t.displayName(m.name, id); strings.Contains(strings.ToLower(name), strings.ToLower(part)) {
			out = append(out, []any{id, name})
		}
	}
	return out, nil
}

func methodCheckAccess(t *tx, m *model, a args) (any, *fault) {
	operation, _ := a.get(0, "operation").(string)
	denied := t.mayModel(m, operation)
	if raise, given := a.get(1, "raise_exception").(bool); given && !raise {
		return denied == nil, nil
	}
	return denied == nil, denied
}

func methodHasAccess(t *tx, m *model, a args) (any, *fault) {
	operation, _ := a.get(1, "operation").(string)
	may := t.mayModel(m, operation) == nil
	return may && !slices.ContainsFunc(a.ids(), func(id int64) bool { return t.mayRow(m, id, operation) != nil }), nil
}

func methodExists(t *tx, m *model, a args) (any, *fault) {
	if t.s.opt.Version >= 16 {
		return nil, accessError("Private methods (such as %s.exists) cannot be called remotely.", m.name)
	}
	return slices.DeleteFunc(slices.Clone(a.ids()), func(id int64) bool { return m.rows[id] == nil }), nil
}
