package odootest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const datetime = "2006-01-02 15:04:05"

// matcher is a domain made ready.
type matcher func(id int64, r record) bool

// domain reads Odoo's prefix notation.
func (t *tx) domain(m *model, dom []any) (matcher, *fault) {
	var all []matcher
	rest := dom
	for len(rest) > 0 {
		var one matcher
		var f *fault
		if one, rest, f = t.term(m, rest); f != nil {
			return nil, f
		}
		all = append(all, one)
	}
	return func(id int64, r record) bool {
		return !slices.ContainsFunc(all, func(one matcher) bool { return !one(id, r) })
	}, nil
}

func (t *tx) term(m *model, dom []any) (matcher, []any, *fault) {
	if len(dom) == 0 {
		return nil, nil, unforeseen("ValueError", "Invalid domain: too few terms")
	}
	switch head := dom[0].(type) {
	case string:
		return t.operator(m, head, dom[1:])
	case []any:
		one, f := t.leaf(m, head)
		return one, dom[1:], f
	}
	return nil, nil, unforeseen("ValueError", "Invalid domain term %v", dom[0])
}

func (t *tx) operator(m *model, op string, rest []any) (matcher, []any, *fault) {
	a, rest, f := t.term(m, rest)
	if f != nil || op == "!" {
		return func(id int64, r record) bool { return !a(id, r) }, rest, f
	}
	b, rest, f := t.term(m, rest)
	switch {
	case f != nil:
		return nil, nil, f
	case op == "&":
		return func(id int64, r record) bool { return a(id, r) && b(id, r) }, rest, nil
	case op == "|":
		return func(id int64, r record) bool { return a(id, r) || b(id, r) }, rest, nil
	}
	return nil, nil, unforeseen("ValueError", "Invalid domain term %q", op)
}

func (t *tx) leaf(m *model, leaf []any) (matcher, *fault) {
	if len(leaf) != 3 {
		return nil, unforeseen("ValueError", "Invalid leaf %v", leaf)
	}
	path, op, want := fmt.Sprint(leaf[0]), fmt.Sprint(leaf[1]), leaf[2]
	if n, ok := leaf[0].(int64); ok {
		truth := n == 1 && want == int64(1) // (1, '=', 1) and (0, '=', 1)
		return func(int64, record) bool { return truth }, nil
	}
	name, deeper, dotted := strings.Cut(path, ".")
	fl := m.fields[name]
	if fl == nil {
		return nil, unforeseen("ValueError", "Invalid field %s.%s in condition (%q, %q, %v)", m.name, name, path, op, want)
	}
	if dotted {
		return t.dotted(m, name, fl, []any{deeper, op, want})
	}
	if slices.Contains([]string{"ilike", "like", "=like", "=ilike", "not ilike", "not like"}, op) {
		return t.like(m, name, op, fmt.Sprint(want)), nil
	}
	return t.compare(m, name, op, want)
}

// dotted follows a many2one.
func (t *tx) dotted(m *model, name string, fl *field, leaf []any) (matcher, *fault) {
	to, f := t.model(fl.relation)
	if f != nil {
		return nil, f
	}
	inner, f := t.leaf(to, leaf)
	if f != nil {
		return nil, f
	}
	return func(id int64, r record) bool {
		switch v := t.value(m, id, r, name).(type) {
		case int64:
			target, ok := to.rows[v]
			return ok && inner(v, target)
		case []int64:
			return slices.ContainsFunc(v, func(i int64) bool { target, ok := to.rows[i]; return ok && inner(i, target) })
		}
		return false
	}, nil
}

func (t *tx) like(m *model, name, op, pattern string) matcher {
	fold := strings.Contains(op, "ilike")
	exact := strings.HasPrefix(op, "=")
	negate := strings.HasPrefix(op, "not ")
	if fold {
		pattern = strings.ToLower(pattern)
	}
	if !exact {
		pattern = "%" + pattern + "%"
	}
	return func(id int64, r record) bool {
		s, ok := t.value(m, id, r, name).(string)
		if fold {
			s = strings.ToLower(s)
		}
		return (ok && wildcard(pattern, s)) != negate
	}
}

// wildcard matches SQL's LIKE: % any text, _ any letter, \ quotes.
func wildcard(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	switch pattern[0] {
	case '%':
		return wildcard(pattern[1:], s) || s != "" && wildcard(pattern, s[1:])
	case '_':
		return s != "" && wildcard(pattern[1:], s[1:])
	case '\\':
		if len(pattern) > 1 {
			pattern = pattern[1:]
		}
	}
	return s != "" && s[0] == pattern[0] && wildcard(pattern[1:], s[1:])
}

func (t *tx) compare(m *model, name string, op string, want any) (matcher, *fault) {
	value := func(id int64, r record) any { return t.value(m, id, r, name) }
	switch op {
	case "=", "==":
		return func(id int64, r record) bool { return equal(value(id, r), want) }, nil
	case "!=", "<>":
		return func(id int64, r record) bool { return !equal(value(id, r), want) }, nil
	case "in", "not in":
		list, ok := want.([]any)
		switch want.(type) {
		case nil, bool: // Odoo warns, and takes it for a list of one
			list, ok = []any{want}, true
		}
		if !ok {
			return nil, unforeseen("ValueError", "Invalid value %v for operator %q", want, op)
		}
		return func(id int64, r record) bool {
			v := value(id, r)
			return slices.ContainsFunc(list, func(w any) bool { return equal(v, w) }) == (op == "in")
		}, nil
	case "<", "<=", ">", ">=":
		return func(id int64, r record) bool {
			c, ok := order(value(id, r), want)
			return ok && (op == "<" && c < 0 || op == "<=" && c <= 0 || op == ">" && c > 0 || op == ">=" && c >= 0)
		}, nil
	}
	return nil, unforeseen("ValueError", "Invalid operator %q in condition (%q, ...)", op, name)
}

// equal compares a stored value with one of a domain, where False is nothing.
func equal(v, want any) bool {
	if l, ok := v.([]int64); ok {
		return slices.ContainsFunc(l, func(i int64) bool { return equal(i, want) }) || len(l) == 0 && want == false
	}
	if want == false || want == nil {
		return v == nil || v == false || v == "" || v == int64(0)
	}
	switch w := want.(type) {
	case int64:
		f, isFloat := v.(float64)
		return v == w || isFloat && f == float64(w)
	case float64:
		n, isInt := v.(int64)
		return v == w || isInt && float64(n) == w
	case string:
		if d, ok := v.(time.Time); ok {
			return d.Format(datetime) == w
		}
	}
	return v == want
}

// order compares; times by the second, as the wire shows them.
func order(v, want any) (int, bool) {
	switch a := v.(type) {
	case time.Time:
		b, ok := want.(string)
		return strings.Compare(a.Format(datetime), b), ok
	case string:
		b, ok := want.(string)
		return strings.Compare(a, b), ok
	case int64:
		switch b := want.(type) {
		case int64:
			return int(min(max(a-b, -1), 1)), true
		case float64:
			return cmpFloat(float64(a), b), true
		}
	case float64:
		switch b := want.(type) {
		case int64:
			return cmpFloat(a, float64(b)), true
		case float64:
			return cmpFloat(a, b), true
		}
	}
	return 0, false
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
