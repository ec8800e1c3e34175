package odootest

import (
	"fmt"
	"slices"
	"time"
)

// create makes one row of values as a client sends them.
func (t *tx) create(m *model, vals map[string]any) (int64, *fault) {
	if f := t.mayModel(m, "create"); f != nil {
		return 0, f
	}
	row, f := t.inward(m, vals)
	if f != nil {
		return 0, f
	}
	if m.name == "ir.attachment" {
		if f := t.fillAttachment(nil, row, vals); f != nil {
			return 0, f
		}
	}
	t.defaults(m, row)
	for name, fl := range m.fields {
		if fl.required && row[name] == nil {
			return 0, validationError("The operation cannot be completed: Missing required value for the field '%s' (%s).", name, name)
		}
	}
	id := t.insert(m, row)
	if m.name == "ir.model" { // its fields come as commands
		if f := t.makeModel(id, row); f != nil {
			return 0, f
		}
	}
	if f := t.commands(m, id, vals); f != nil {
		return 0, f
	}
	if f := t.afterWrite(m, id, true); f != nil {
		return 0, f
	}
	return id, t.mayRow(m, id, "create")
}

// defaults fills in what Odoo does when a client says nothing.
func (t *tx) defaults(m *model, row record) {
	given := func(name string) bool { _, ok := row[name]; return ok || m.fields[name] == nil }
	if !given("active") {
		row["active"] = true
	}
	if m.manual {
		return
	}
	if !given("state") && m.name == "sale.order" {
		row["state"] = "draft"
	}
	if !given("name") && m.name == "sale.order" {
		row["name"] = fmt.Sprintf("S%05d", m.last+1)
	}
	if !given("type") && m.name == "res.partner" {
		row["type"] = "contact"
	}
}

// write changes one row as a client asks for it.
func (t *tx) write(m *model, id int64, vals map[string]any) *fault {
	if f := t.mayModel(m, "write"); f != nil {
		return f
	}
	old, ok := m.rows[id]
	if !ok {
		if t.s.opt.Version < 16 {
			return nil // seen on 14: True, and nothing happens
		}
		return missingError(m.name, id, t.uid)
	}
	if f := t.mayRow(m, id, "write"); f != nil {
		return f
	}
	row, f := t.inward(m, vals)
	if f != nil {
		return f
	}
	if m.name == "ir.attachment" {
		if f := t.fillAttachment(old, row, vals); f != nil {
			return f
		}
	}
	t.stamp(m, id, row)
	if f := t.commands(m, id, vals); f != nil {
		return f
	}
	if f := t.afterWrite(m, id, false); f != nil {
		return f
	}
	return t.mayRow(m, id, "write")
}

// inward turns a client's values into a row's. The lists of commands of x2many
// fields come afterwards, when the row has an id.
func (t *tx) inward(m *model, vals map[string]any) (record, *fault) {
	row := record{}
	for name, v := range vals {
		fl := m.fields[name]
		if fl == nil {
			return nil, unforeseen("ValueError", "Invalid field %q in %q", name, m.name)
		}
		if m.name == "ir.ui.view" && name == "arch" {
			row["arch_db"] = v
			continue
		}
		if slices.Contains([]string{"create_date", "write_date", "create_uid", "write_uid", "id"}, name) || fl.compute != nil && m.name != "ir.attachment" && name != "password" {
			continue // silently, as Odoo does
		}
		if fl.kind == "many2many" || fl.kind == "one2many" {
			continue
		}
		value, f := toField(m, name, fl, v)
		if f != nil {
			return nil, f
		}
		row[name] = value
	}
	return row, nil
}

func toField(m *model, name string, fl *field, v any) (any, *fault) {
	if v == nil || v == false && fl.kind != "boolean" {
		return nil, nil
	}
	switch fl.kind {
	case "boolean":
		b, ok := v.(bool)
		return b || !ok && v != nil && v != int64(0) && v != "", nil
	case "integer", "many2one":
		if f, ok := v.(float64); ok {
			return int64(f), nil
		}
		if l, ok := v.([]any); ok && len(l) > 0 {
			v = l[0]
		}
		if _, ok := v.(int64); !ok {
			return nil, unforeseen("ValueError", "Wrong value for %s.%s: %v", m.name, name, v)
		}
	case "float", "monetary":
		if n, ok := v.(int64); ok {
			return float64(n), nil
		}
	case "datetime":
		s, _ := v.(string)
		d, err := time.Parse(datetime, s)
		if err != nil {
			return nil, unforeseen("ValueError", "time data %q does not match format", s)
		}
		return d, nil
	case "selection":
		if s, ok := v.(string); !ok || len(fl.values) > 0 && !slices.Contains(fl.values, s) {
			return nil, unforeseen("ValueError", "Wrong value for %s.%s: %q", m.name, name, fmt.Sprint(v))
		}
	}
	return v, nil
}

// commands carries out (4, id), (6, 0, ids), (0, 0, vals), (3, id) and (5,) on
// x2many fields.
func (t *tx) commands(m *model, id int64, vals map[string]any) *fault {
	for name, v := range vals {
		fl := m.fields[name]
		list, ok := v.([]any)
		if !ok || fl == nil || fl.kind != "many2many" && fl.kind != "one2many" {
			continue
		}
		now := slices.Clone(m.rows[id].list(name))
		for _, e := range list {
			cmd, _ := e.([]any)
			if len(cmd) == 0 {
				if n, isID := e.(int64); isID { // a bare list of ids
					now = append(now, n)
				}
				continue
			}
			var f *fault
			if now, f = t.command(m, id, fl, now, cmd); f != nil {
				return f
			}
		}
		t.put(m, id, record{name: now})
	}
	return nil
}

func (t *tx) command(m *model, id int64, fl *field, now []int64, cmd []any) ([]int64, *fault) {
	arg := func(n int) any {
		if n < len(cmd) {
			return cmd[n]
		}
		return nil
	}
	switch numberOf(cmd[0]) {
	case 0:
		to, f := t.model(fl.relation)
		if f != nil {
			return nil, f
		}
		vals, _ := arg(2).(map[string]any)
		if back := backField(to, m.name); back != "" && fl.kind == "one2many" {
			vals = withValue(vals, back, id)
		}
		made, f := t.create(to, vals)
		return append(now, made), f
	case 1:
		to, f := t.model(fl.relation)
		if f != nil {
			return nil, f
		}
		vals, _ := arg(2).(map[string]any)
		return now, t.write(to, numberOf(arg(1)), vals)
	case 2, 3:
		return slices.DeleteFunc(now, func(i int64) bool { return i == numberOf(arg(1)) }), nil
	case 4:
		if n := numberOf(arg(1)); !slices.Contains(now, n) {
			now = append(now, n)
		}
		return now, nil
	case 5:
		return nil, nil
	case 6:
		return slices.Clone(idsOf(arg(2))), nil
	}
	return nil, unforeseen("ValueError", "unknown command %v", cmd[0])
}

// backField is the many2one of a one2many's other side.
func backField(to *model, from string) string {
	for name, fl := range to.fields {
		if fl.kind == "many2one" && fl.relation == from && !slices.Contains([]string{"create_uid", "write_uid"}, name) {
			return name
		}
	}
	return ""
}

func withValue(vals map[string]any, name string, v any) map[string]any {
	out := map[string]any{name: v}
	for k, e := range vals {
		out[k] = e
	}
	return out
}

// unlink removes a row and what hangs on it.
func (t *tx) unlink(m *model, id int64) *fault {
	if f := t.mayModel(m, "unlink"); f != nil {
		return f
	}
	if f := t.mayRow(m, id, "unlink"); f != nil {
		return f
	}
	if f := t.beforeUnlink(m, id); f != nil {
		return f
	}
	t.erase(m, id)
	return t.asRoot(func() *fault { return t.dependants(m, id) })
}

// dependants follows the foreign keys, a record's documents and its external ids.
func (t *tx) dependants(m *model, id int64) *fault {
	for _, other := range t.db.models {
		for name, fl := range other.fields {
			if fl.kind != "many2one" || fl.relation != m.name || fl.compute != nil {
				continue
			}
			for _, row := range other.find(func(_ int64, r record) bool { return r.num(name) == id }) {
				switch fl.onDelete {
				case "cascade":
					if f := t.unlink(other, row); f != nil {
						return f
					}
				case "restrict":
					return validationError("The operation cannot be completed: another model (%s) requires the record being deleted.", other.name)
				default:
					t.put(other, row, record{name: nil})
				}
			}
		}
	}
	atts := t.must("ir.attachment")
	for _, att := range atts.find(func(_ int64, r record) bool { return r.str("res_model") == m.name && r.num("res_id") == id }) {
		t.erase(atts, att)
	}
	data := t.must("ir.model.data")
	for _, row := range data.find(func(_ int64, r record) bool { return r.str("model") == m.name && r.num("res_id") == id }) {
		t.erase(data, row)
	}
	return nil
}

// checkUnique holds a row against the unique indexes.
func (t *tx) checkUnique(m *model, id int64) *fault {
	for _, u := range t.db.unique {
		if u.model != m.name || u.where != nil && !u.where(m.rows[id]) || slices.ContainsFunc(u.fields, func(n string) bool { return m.rows[id][n] == nil }) {
			continue
		}
		twin := m.find(func(other int64, r record) bool {
			return other != id && (u.where == nil || u.where(r)) && !slices.ContainsFunc(u.fields, func(n string) bool { return r[n] != m.rows[id][n] })
		})
		if len(twin) > 0 {
			return validationError("The operation cannot be completed: duplicate key value violates unique constraint %q", u.name)
		}
	}
	return nil
}
