package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"odbxfs"
)

// module is the owner of our external ids. No such module is installed: its
// name marks what is ours.
const module = "odbxfs"

// Options says what setup is to make besides models, rights and actions.
type Options struct {
	// TechnicalLogin is the user whom the daemon signs in as. He is made with
	// TechnicalPassword when there is none of that login, and gets the group of
	// the engine's actions; he needs no other right. Empty: nobody.
	TechnicalLogin    string
	TechnicalPassword string
	// InstallBaseAutomation installs Odoo's module base_automation where it is
	// missing. Without it, mails that carry links are not put right.
	InstallBaseAutomation bool
	// Clients and Rules are made when none of their name is there; what is there
	// is left as it is.
	Clients []ClientSpec
	Rules   []RuleSpec
}

// ClientSpec is a cloud client to begin with.
type ClientSpec struct {
	Name    string
	Root    string // as "/Odoo"
	Links   odbxfs.LinkPolicy
	Convert odbxfs.ConvertPolicy // empty: [odbxfs.ConvertDefault]
}

// RuleSpec is a folder rule to begin with. Rules of models that are not
// installed are left out.
type RuleSpec struct {
	Name       string // of the rule folder
	Model      string
	Domain     string // Odoo's text form; empty: every record
	Template   string // of the name of a record's folder; empty: its display name
	Subfolders []string
	Client     string // the name of a cloud client; empty: none
}

// Verb is what a step does.
type Verb string

// The verbs.
const (
	Create Verb = "create"
	Change Verb = "change"
	Remove Verb = "remove"
	Run    Verb = "run"
)

// Step is one write to Odoo.
type Step struct {
	Verb   Verb
	Kind   string // as "model", "server action", "right"
	Name   string
	Detail string // fields of a model, what changes, who gets a right
}

// String is the step as one line of a plan.
func (s Step) String() string {
	line := fmt.Sprintf("%-7s %-14s %s", s.Verb, s.Kind, s.Name)
	if s.Detail != "" {
		line += ": " + s.Detail
	}
	return line
}

// Plan is what setup or remove would do, or has done, in order.
type Plan struct {
	Steps []Step
	Notes []string // what a person should know, as that base_automation is missing
}

// Empty reports whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Steps) == 0 }

// String is the plan as text, one step a line.
func (p Plan) String() string {
	var b strings.Builder
	for _, s := range p.Steps {
		b.WriteString(s.String() + "\n")
	}
	for _, n := range p.Notes {
		b.WriteString("note: " + n + "\n")
	}
	return b.String()
}

// MakePlan says what [Setup] would do. It writes nothing.
func MakePlan(ctx context.Context, c Caller, o Options) (Plan, error) {
	s := &setup{c: c, o: o, dry: true}
	err := s.all(ctx)
	return s.plan, err
}

// Setup puts into Odoo what is missing there or differs, and says what it did.
// It needs a user with Settings rights. It may be interrupted and run again.
func Setup(ctx context.Context, c Caller, o Options) (Plan, error) {
	s := &setup{c: c, o: o}
	err := s.all(ctx)
	return s.plan, err
}

// setup walks the definitions once.
type setup struct {
	c    Caller
	o    Options
	f    flavor
	dry  bool
	plan Plan
	ids  map[string]int64 // by "module.name"
	reg  bool             // models or indexes changed
}

// refs is a many2many's full value.
type refs []int64

func (s *setup) all(ctx context.Context) error {
	var err error
	if s.f, err = askFlavor(ctx, s.c); err != nil {
		return err
	}
	if s.ids, err = externalIDs(ctx, s.c); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		s.automationModule, s.groups, s.models, s.attachmentFields, s.rights, s.actions, s.indexes, s.pages, s.automation, s.technicalUser, s.data,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// externalIDs reads ours, and those of Odoo that the definitions refer to.
func externalIDs(ctx context.Context, c Caller) (map[string]int64, error) {
	var rows []struct {
		Module string `odoo:"module"`
		Name   string `odoo:"name"`
		ResID  int64  `odoo:"res_id"`
	}
	domain := []any{"|", []any{"module", "=", module}, "&", []any{"module", "=", "base"}, []any{"name", "in", []string{"group_user", "group_system"}}}
	err := c.Call(ctx, "ir.model.data", "search_read", []any{domain}, map[string]any{"fields": []string{"module", "name", "res_id"}}, &rows)
	ids := map[string]int64{}
	for _, r := range rows {
		ids[r.Module+"."+r.Name] = r.ResID
	}
	return ids, err
}

func (s *setup) step(v Verb, kind, name, detail string) {
	s.plan.Steps = append(s.plan.Steps, Step{v, kind, name, detail})
}

func (s *setup) id(name string) int64 {
	if !strings.Contains(name, ".") {
		name = module + "." + name
	}
	return s.ids[name]
}

// record makes or corrects one record with an external id. once are values of
// its creation that are never compared: what people change, and what Odoo does
// not give back.
func (s *setup) record(ctx context.Context, name, model, title string, vals, once map[string]any) error {
	if id := s.id(name); id != 0 {
		return s.correct(ctx, id, model, title, vals)
	}
	s.step(Create, label(model), title, detail(vals, once))
	if s.dry {
		return nil
	}
	all := maps.Clone(vals)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, once)
	if arch, ok := all["arch_db"]; ok {
		all["arch"] = arch // read back and compared as arch_db; 14 takes only arch
		delete(all, "arch_db")
	}
	var made any
	if err := s.c.Call(ctx, model, "create", []any{wire(all)}, nil, &made); err != nil {
		return fmt.Errorf("make %s %s: %w", label(model), title, err)
	}
	id, err := oneID(made)
	if err != nil {
		return fmt.Errorf("make %s %s: %w", label(model), title, err)
	}
	return s.name(ctx, name, model, id)
}

// oneID reads create's answer: an id, or a list of one.
func oneID(v any) (int64, error) {
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	if id, ok := v.(int64); ok && id > 0 {
		return id, nil
	}
	return 0, errors.New("create gave no id")
}

func (s *setup) name(ctx context.Context, name, model string, id int64) error {
	s.ids[module+"."+name] = id
	vals := map[string]any{"module": module, "name": name, "model": model, "res_id": id, "noupdate": true}
	if err := s.c.Call(ctx, "ir.model.data", "create", []any{vals}, nil, nil); err != nil {
		return fmt.Errorf("name %s: %w", name, err)
	}
	return nil
}

// correct writes the values that differ. Equal ones are not written: a write to
// a model, field or view resets every cache of the server.
func (s *setup) correct(ctx context.Context, id int64, model, title string, vals map[string]any) error {
	if len(vals) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(vals))
	var rows []map[string]any
	if err := s.c.Call(ctx, model, "read", []any{[]int64{id}, names}, nil, &rows); err != nil {
		return fmt.Errorf("look at %s %s: %w", label(model), title, err)
	}
	if len(rows) != 1 {
		return fmt.Errorf("%s %s (%s %d) was removed by hand; run setup with --remove, then setup", label(model), title, model, id)
	}
	diff := map[string]any{}
	for _, n := range names {
		if !equal(rows[0][n], vals[n]) {
			diff[n] = vals[n]
		}
	}
	if len(diff) == 0 {
		return nil
	}
	s.step(Change, label(model), title, strings.Join(slices.Sorted(maps.Keys(diff)), ", "))
	if s.dry {
		return nil
	}
	if arch, ok := diff["arch_db"]; ok {
		diff = map[string]any{"arch": arch}
	}
	if err := s.c.Call(ctx, model, "write", []any{[]int64{id}, wire(diff)}, nil, nil); err != nil {
		return fmt.Errorf("change %s %s: %w", label(model), title, err)
	}
	return nil
}

// wire turns refs into Odoo's "replace all" command.
func wire(vals map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range vals {
		if r, ok := v.(refs); ok {
			v = []any{[]any{6, 0, []int64(r)}}
		}
		out[k] = v
	}
	return out
}

// equal compares what Odoo gave with what is wanted: a many2one comes as [id,
// name], nothing as False, ids in any order.
func equal(got, want any) bool {
	switch w := want.(type) {
	case refs:
		list, ok := got.([]any)
		if !ok || len(list) != len(w) {
			return false
		}
		for _, v := range list {
			if id, ok := v.(int64); !ok || !slices.Contains(w, id) {
				return false
			}
		}
		return true
	case int64:
		if list, ok := got.([]any); ok && len(list) == 2 {
			got = list[0]
		}
		if w == 0 {
			return got == false || got == nil || got == int64(0)
		}
		return got == w
	case int:
		return equal(got, int64(w))
	case string:
		if w == "" {
			return got == false || got == nil || got == ""
		}
		text, ok := got.(string)
		return ok && strings.TrimSpace(text) == strings.TrimSpace(w)
	default:
		return got == want
	}
}

// detail says in a plan what a person decides by: who may do what.
func detail(vals, once map[string]any) string {
	if d, ok := once["__detail"].(string); ok {
		delete(once, "__detail")
		return d
	}
	if m, ok := vals["model"].(string); ok {
		return m
	}
	return ""
}
