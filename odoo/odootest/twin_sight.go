package odootest

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// sight is what a caller sees: the rules, and for each record of theirs which
// folder it is. The twin of prelude.py.
type sight struct {
	rules  []*seenRule
	at     map[string]map[int64]*container // by model and id; nil: taken by a rule, but not for this caller
	root   int64                           // the root's place
	client int64
}

type container struct {
	ref    string
	client int64
}

type seenRule struct {
	id                            int64
	name, model, template, parent string
	subfolders                    string
	place, client                 int64
	written                       time.Time
	ids                           []int64 // its records, as far as the caller sees them
}

// wants narrows a sight to the containers that matter: ids by model.
type wants map[string]map[int64]bool

func (w wants) add(model string, id int64) {
	if model == "" || id == 0 {
		return
	}
	if w[model] == nil {
		w[model] = map[int64]bool{}
	}
	w[model][id] = true
}

func (c *twinCall) rootPlace() int64 {
	id := first(c.rows(placeModel, func(_ int64, r record) bool { return r.str("x_kind") == "root" }))
	if id == 0 {
		c.bad("the root place is missing: run `odbxfs setup` again")
	}
	return id
}

// look gives what the caller sees of want, nil for everything. A record belongs
// to the first rule that takes it, judged with full sight.
func (c *twinCall) look(want wants) *sight {
	place := c.rootPlace()
	s := &sight{root: place, client: first(c.must(clientModel).ids()), at: map[string]map[int64]*container{}}
	places := map[int64]*container{place: {"root", s.client}}
	s.at[placeModel] = places
	m := c.must("x_odbxfs_rule")
	for _, id := range c.sorted(m, m.ids(), "x_sequence,id") {
		r := m.rows[id]
		name := c.must("ir.model").rows[r.num("x_model_id")].str("model")
		on := c.db.models[name]
		if on == nil || !c.engine && !c.allowed(on, 0, "read") {
			continue
		}
		rule := &seenRule{id: id, name: r.str("x_name"), model: name, template: r.str("x_template"), subfolders: r.str("x_subfolders"), place: r.num("x_place_id"),
			client: r.num("x_client_id"), parent: "root", written: r.time("write_date")}
		if f := c.must(folderModel).rows[r.num("x_parent_id")]; f != nil && f.str("x_model") == placeModel && f.num("x_res_id") == place {
			rule.parent = refTo("dir", r.num("x_parent_id"))
		}
		s.rules = append(s.rules, rule)
		if rule.place != 0 {
			places[rule.place] = &container{refTo("rule", id), rule.client}
		}
		if s.at[name] == nil {
			s.at[name] = map[int64]*container{}
		}
		rule.ids = c.take(rule, r.str("x_domain"), want, s.at[name])
	}
	if !c.engine {
		seen, f := c.search(c.must(placeModel), nil, "id")
		c.raise(f)
		maps.DeleteFunc(places, func(id int64, _ *container) bool { return !slices.Contains(seen, id) })
	}
	return s
}

// take gives a rule its records: those that no earlier one has.
func (c *twinCall) take(rule *seenRule, source string, want wants, at map[int64]*container) []int64 {
	m := c.db.models[rule.model]
	dom, err := parseDomain(source, nil)
	if err != nil {
		c.bad("the domain of folder rule %q cannot be read: %v", rule.name, err)
	}
	if want != nil {
		dom = append([]any{[]any{"id", "in", anyIDs(slices.Sorted(maps.Keys(want[rule.model])))}}, dom...)
	}
	var mine, allowed []int64
	c.root(func() *fault {
		found, f := c.search(m, dom, "id")
		for _, id := range found {
			if _, taken := at[id]; !taken {
				mine = append(mine, id)
				at[id] = &container{"rec:" + refTo(rule.model, id), rule.client}
			}
		}
		return f
	})
	if c.engine || len(mine) == 0 {
		return mine
	}
	seen, f := c.search(m, []any{[]any{"id", "in", anyIDs(mine)}}, "id")
	c.raise(f)
	for _, id := range mine {
		if slices.Contains(seen, id) {
			allowed = append(allowed, id)
		} else {
			at[id] = nil
		}
	}
	return allowed
}

func anyIDs(ids []int64) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}

// container gives where documents of a record are, nil for nowhere.
func (s *sight) container(model string, id int64) *container { return s.at[model][id] }

func (s *sight) models() []string { return slices.Sorted(maps.Keys(s.at)) }

// writable reports whether the caller may change a record's documents.
func (c *twinCall) writable(model string, id int64) bool {
	if c.engine {
		return true
	}
	key := refTo(model, id)
	may, known := c.saw[key]
	if !known {
		may = c.allowed(c.db.models[model], id, "write")
		c.saw[key] = may
	}
	return may
}

// label names a record's folder by its rule's template.
func (c *twinCall) label(m *model, id int64, template string) string {
	if template == "" || template == "{display_name}" {
		return c.displayName(m.name, id)
	}
	var out strings.Builder
	for n, part := range strings.Split(template, "{") {
		name, rest, closed := strings.Cut(part, "}")
		switch {
		case n == 0:
			out.WriteString(part)
		case !closed:
			out.WriteString("{" + part)
		default:
			out.WriteString(c.shown(m, id, name) + rest)
		}
	}
	return strings.TrimSpace(out.String())
}

// shown is a field's value in a label, as Python's str writes it.
func (c *twinCall) shown(m *model, id int64, name string) string {
	fl := m.fields[name]
	if fl == nil {
		return ""
	}
	switch v := c.outward(fl, c.value(m, id, m.rows[id], name)).(type) {
	case bool:
		if v {
			return "True"
		}
		return ""
	case []any: // a many2one: [id, name]
		s, _ := v[1].(string)
		return s
	default:
		return pyStr(v)
	}
}
