package provision

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"odbxfs"
)

// groups: the technical user's, and that of managers, whom the administrators of
// the day of setup belong to.
func (s *setup) groups(ctx context.Context) error {
	if err := s.record(ctx, "group_technical", "res.groups", "Odbxfs: technical user", map[string]any{"name": "Odbxfs: technical user"}, nil); err != nil {
		return err
	}
	once := map[string]any{}
	if s.id("group_manager") == 0 {
		var users []int64
		domain := []any{[]any{s.f.userGroups, "in", []int64{s.id("base.group_system")}}}
		if err := s.c.Call(ctx, "res.users", "search", []any{domain}, nil, &users); err != nil {
			return fmt.Errorf("look for administrators: %w", err)
		}
		once[s.f.groupUsers] = refs(users)
	}
	return s.record(ctx, "group_manager", "res.groups", "Odbxfs: manager", map[string]any{"name": "Odbxfs: manager"}, once)
}

// models makes each with all its fields in one call: every change of the
// registry costs the server up to a second.
func (s *setup) models(ctx context.Context) error {
	have, err := s.ownFields(ctx)
	if err != nil {
		return err
	}
	for _, m := range ownModels() {
		if s.id("model_"+m.name) != 0 {
			for _, f := range m.fields {
				if err := s.addField(ctx, have, m.name, s.id("model_"+m.name), f); err != nil {
					return err
				}
			}
			continue
		}
		var fields []any
		names := make([]string, 0, len(m.fields))
		for _, f := range m.fields {
			fields = append(fields, []any{0, 0, f.values()})
			names = append(names, f.name)
		}
		once := map[string]any{"model": m.name, "order": m.order, "field_id": fields, "__detail": m.name + " (" + strings.Join(names, ", ") + ")"}
		s.reg = true
		if err := s.record(ctx, "model_"+m.name, "ir.model", m.label, map[string]any{"name": m.label}, once); err != nil {
			return err
		}
	}
	for _, m := range ownModels() {
		for _, f := range m.late {
			if err := s.addField(ctx, have, m.name, s.id("model_"+m.name), f); err != nil {
				return err
			}
		}
	}
	return nil
}

// ownFields gives "model.field" of every field that our models and
// ir.attachment have.
func (s *setup) ownFields(ctx context.Context) (map[string]bool, error) {
	var rows []struct {
		Model string `odoo:"model"`
		Name  string `odoo:"name"`
	}
	domain := []any{[]any{"state", "=", "manual"}, []any{"name", "=like", "x\\_%"}, "|", []any{"model", "=like", "x\\_odbxfs\\_%"}, []any{"model", "=", "ir.attachment"}}
	if err := s.c.Call(ctx, "ir.model.fields", "search_read", []any{domain}, map[string]any{"fields": []string{"model", "name"}}, &rows); err != nil {
		return nil, fmt.Errorf("look at our fields: %w", err)
	}
	have := map[string]bool{}
	for _, r := range rows {
		have[r.Model+"."+r.Name] = true
	}
	return have, nil
}

func (s *setup) addField(ctx context.Context, have map[string]bool, model string, modelID int64, f field) error {
	if have[model+"."+f.name] {
		return nil
	}
	s.reg = true
	s.step(Create, "field", model+"."+f.name, f.label)
	if s.dry {
		return nil
	}
	vals := f.values()
	vals["model_id"] = modelID
	if err := s.c.Call(ctx, "ir.model.fields", "create", []any{vals}, nil, nil); err != nil {
		return fmt.Errorf("make field %s.%s: %w", model, f.name, err)
	}
	return nil
}

// values are those that create a field.
func (f field) values() map[string]any {
	v := map[string]any{"name": f.name, "field_description": f.label, "ttype": f.kind, "required": f.required, "index": f.index, "copied": f.copied}
	if f.help != "" {
		v["help"] = f.help
	}
	if f.relation != "" {
		v["relation"] = f.relation
	}
	if f.kind == "many2one" && f.onDelete != "" {
		v["on_delete"] = f.onDelete
	}
	if f.related != "" {
		v["related"], v["readonly"], v["store"] = f.related, true, true
	}
	var options []any
	for i, o := range f.options {
		value, name, _ := strings.Cut(o, ":")
		options = append(options, []any{0, 0, map[string]any{"value": value, "name": name, "sequence": i}})
	}
	if options != nil {
		v["selection_ids"] = options
	}
	return v
}

func (s *setup) attachmentFields(ctx context.Context) error {
	id, err := findOne(ctx, s.c, "ir.model", []any{[]any{"model", "=", "ir.attachment"}})
	if err != nil {
		return err
	}
	for _, f := range attachmentFields() {
		vals := f.values()
		vals["model_id"] = id
		vals["__detail"] = "ir.attachment, a hint that whoever writes the attachment may write"
		if s.id("field_"+f.name) == 0 {
			s.reg = true
		}
		if err := s.record(ctx, "field_"+f.name, "ir.model.fields", f.name, map[string]any{"field_description": f.label}, without(vals, "field_description")); err != nil {
			return err
		}
	}
	return nil
}

func without(m map[string]any, key string) map[string]any {
	c := maps.Clone(m)
	delete(c, key)
	return c
}

func (s *setup) rights(ctx context.Context) error {
	for _, a := range accesses() {
		model := s.id("model_" + a.model)
		if a.model == "ir.model" {
			var err error
			if model, err = findOne(ctx, s.c, "ir.model", []any{[]any{"model", "=", "ir.model"}}); err != nil {
				return err
			}
		}
		has := func(r string) bool { return strings.Contains(a.rights, r) }
		vals := map[string]any{"name": "odbxfs " + a.model, "model_id": model, "group_id": s.id(a.group),
			"perm_read": has("r"), "perm_write": has("w"), "perm_create": has("c"), "perm_unlink": has("u")}
		once := map[string]any{"__detail": a.group + " " + a.rights}
		if err := s.record(ctx, "access_"+strings.ReplaceAll(a.model, ".", "_"), "ir.model.access", a.model, vals, once); err != nil {
			return err
		}
	}
	// Without groups: one that names base.group_user makes Odoo 14 rewrite every
	// rule of that group. Others than internal users have no right here anyway.
	vals := map[string]any{"name": "odbxfs places", "model_id": s.id("model_x_odbxfs_place"),
		"domain_force": fmt.Sprintf("['|', ('x_group_ids', '=', False), ('x_group_ids', 'in', user.%s.ids)]", s.f.effective)}
	return s.record(ctx, "rule_place", "ir.rule", "x_odbxfs_place", vals, map[string]any{"__detail": "users of its groups, or all"})
}

// actions names each one's groups in the call that creates it: without groups,
// 19 lets anybody run it, portal users included.
func (s *setup) actions(ctx context.Context) error {
	who := map[Set]string{EngineSet: "odbxfs.group_technical", UserSet: "base.group_user", SetupSet: "base.group_system"}
	for _, a := range append(Actions(), setupActions()...) {
		vals := map[string]any{"name": "Odbxfs: " + a.Name, "model_id": s.id("model_x_odbxfs_meta"), "state": "code", "code": a.Code, s.f.actionGroups: refs{s.id(who[a.Set])}}
		once := map[string]any{"__detail": "run by " + who[a.Set]}
		if s.id("action_"+a.Name) == 0 && a.Set == SetupSet {
			s.reg = true
		}
		if err := s.record(ctx, "action_"+a.Name, "ir.actions.server", a.Name, vals, once); err != nil {
			return err
		}
	}
	return nil
}

func (s *setup) indexes(ctx context.Context) error {
	changed := slices.ContainsFunc(s.plan.Steps, func(st Step) bool { return st.Kind == "server action" && st.Name == "setup_index" })
	if !s.reg && !changed {
		return nil
	}
	s.step(Run, "server action", "setup_index", "indexes on our tables, and on ir_attachment (write_date)")
	if s.dry {
		return nil
	}
	return s.run(ctx, "setup_index", nil, nil)
}

// run calls one of setup's own actions.
func (s *setup) run(ctx context.Context, name string, arg map[string]any, out any) error {
	kw := map[string]any{"context": map[string]any{"odbxfs": arg}}
	if err := s.c.Call(ctx, "ir.actions.server", "run", []any{[]int64{s.id("action_" + name)}}, kw, out); err != nil {
		return fmt.Errorf("run %s: %w", name, err)
	}
	return nil
}

func (s *setup) pages(ctx context.Context) error {
	manager := refs{s.id("group_manager")}
	for _, v := range views(s.f) {
		if err := s.record(ctx, v.id, "ir.ui.view", v.id, map[string]any{"name": "odbxfs " + v.id, "arch_db": v.arch}, map[string]any{"model": v.model, "__detail": v.model}); err != nil {
			return err
		}
	}
	for i, p := range pages() {
		vals := map[string]any{"name": p.name, "sequence": 90 + i, s.f.actionGroups: manager}
		if p.parent != "" {
			vals["parent_id"] = s.id(p.parent)
		}
		if p.model != "" {
			open := map[string]any{"name": p.name, "res_model": p.model, "view_mode": s.f.list + ",form"}
			if err := s.record(ctx, "page_"+p.id, "ir.actions.act_window", p.name, open, nil); err != nil {
				return err
			}
			vals["action"] = "ir.actions.act_window," + strconv.FormatInt(s.id("page_"+p.id), 10)
		}
		if err := s.record(ctx, p.id, "ir.ui.menu", p.name, vals, nil); err != nil {
			return err
		}
	}
	return nil
}

// automationModule installs base_automation when asked to.
func (s *setup) automationModule(ctx context.Context) error {
	if s.f.hasAutomation {
		return nil
	}
	if !s.o.InstallBaseAutomation {
		s.plan.Notes = append(s.plan.Notes, "base_automation is not installed: mails that carry links are not put right, so clients of Odoo 14 stay mirror-only; setup can install it")
		return nil
	}
	s.step(Run, "module", "base_automation", "install")
	if s.dry {
		s.f.hasAutomation = true // so that the plan has what follows from it
		return nil
	}
	id, err := findOne(ctx, s.c, "ir.module.module", []any{[]any{"name", "=", "base_automation"}})
	if err != nil {
		return err
	}
	if err := s.c.Call(ctx, "ir.module.module", "button_immediate_install", []any{[]int64{id}}, nil, nil); err != nil {
		return fmt.Errorf("install base_automation: %w", err)
	}
	s.f, err = askFlavor(ctx, s.c)
	return err
}

// automation puts the links of outgoing mails right.
func (s *setup) automation(ctx context.Context) error {
	if !s.f.hasAutomation {
		return nil
	}
	mail, err := findOne(ctx, s.c, "ir.model", []any{[]any{"model", "=", "mail.mail"}})
	if err != nil || mail == 0 {
		return err
	}
	code := strings.TrimSpace(source("mail_links"))
	vals := map[string]any{"name": "Odbxfs: links in mails", "model_id": mail, "trigger": "on_create"}
	if !s.f.splitAutomaton {
		vals["state"], vals["code"] = "code", code
		return s.record(ctx, "automation_mail", "base.automation", "links in mails", vals, nil)
	}
	if err := s.record(ctx, "automation_mail", "base.automation", "links in mails", vals, nil); err != nil {
		return err
	}
	action := map[string]any{"name": "Odbxfs: links in mails", "model_id": mail, "state": "code", "code": code}
	return s.record(ctx, "mail_links", "ir.actions.server", "links in mails", action, map[string]any{"usage": "base_automation", "base_automation_id": s.id("automation_mail")})
}

// technicalUser finds or makes the daemon's user and gives him the group.
func (s *setup) technicalUser(ctx context.Context) error {
	login := s.o.TechnicalLogin
	if login == "" {
		return nil
	}
	var rows []map[string]any
	domain := []any{[]any{"login", "=", login}, []any{"active", "in", []bool{true, false}}}
	if err := s.c.Call(ctx, "res.users", "search_read", []any{domain}, map[string]any{"fields": []string{"id", "active", s.f.userGroups}}, &rows); err != nil {
		return fmt.Errorf("look for user %s: %w", login, err)
	}
	if len(rows) == 0 {
		vals := map[string]any{"name": "Odbxfs", "login": login, s.f.userGroups: refs{s.id("base.group_user"), s.id("group_technical")}, "__detail": login}
		if s.o.TechnicalPassword != "" {
			vals["password"] = s.o.TechnicalPassword
		}
		return s.record(ctx, "user_technical", "res.users", login, nil, vals)
	}
	groups, _ := rows[0][s.f.userGroups].([]any)
	if rows[0]["active"] == true && s.id("group_technical") != 0 && slices.Contains(groups, any(s.id("group_technical"))) {
		return nil
	}
	s.step(Change, "user", login, "gets the group of the technical user")
	if s.dry {
		return nil
	}
	vals := map[string]any{"active": true, s.f.userGroups: []any{[]any{4, s.id("group_technical"), 0}}}
	if err := s.c.Call(ctx, "res.users", "write", []any{[]any{rows[0]["id"]}, vals}, nil, nil); err != nil {
		return fmt.Errorf("give user %s the group: %w", login, err)
	}
	return nil
}

// dataAnswer is what setup_data says.
type dataAnswer struct {
	Changes []string `odoo:"changes"`
	Pairs   int64    `odoo:"pairs"`
	Links   int64    `odoo:"links"`
	Places  int64    `odoo:"places"`
}

// data are rows: the root place, what clients must know, and what Options asks
// for.
func (s *setup) data(ctx context.Context) error {
	s.unmirrored()
	if s.id("action_setup_data") == 0 {
		s.step(Create, "rows", "root place, and facts for clients", "")
		for _, c := range s.o.Clients {
			s.step(Create, "cloud client", c.Name, c.Root+", links "+string(c.Links))
		}
		for _, r := range s.o.Rules {
			s.step(Create, "folder rule", r.Name, r.Model)
		}
		return nil
	}
	arg := s.dataArg()
	arg["dry"] = true
	var a dataAnswer
	if err := s.run(ctx, "setup_data", arg, &a); err != nil {
		return err
	}
	for _, c := range a.Changes {
		s.step(Create, "row", c, "")
	}
	s.kept(a.Changes)
	if s.dry || len(a.Changes) == 0 {
		return nil
	}
	arg["dry"] = false
	return s.run(ctx, "setup_data", arg, &a)
}

// unmirrored notes the rules that were asked for without a cloud client.
func (s *setup) unmirrored() {
	for _, r := range s.o.Rules {
		if r.Client == "" {
			s.note("folder rule %s has no cloud client: mounts show it, and nothing mirrors it", r.Name)
		}
	}
}

// kept notes what was asked for and is there already, changes being what is not:
// it may differ from what was asked for, which people change in Odoo.
func (s *setup) kept(changes []string) {
	var asked []string
	for _, c := range s.o.Clients {
		asked = append(asked, "cloud client "+c.Name)
	}
	for _, r := range s.o.Rules {
		asked = append(asked, "folder rule "+r.Name)
	}
	for _, what := range asked {
		if !slices.Contains(changes, what) {
			s.note("%s is there already, and stays as it is: change it in Odoo, on its form below Cloud Storage", what)
		}
	}
}

func (s *setup) note(format string, args ...any) {
	s.plan.Notes = append(s.plan.Notes, fmt.Sprintf(format, args...))
}

func (s *setup) dataArg() map[string]any {
	meta := map[string]any{"version": Version}
	for _, a := range Actions() {
		meta["action."+a.Name] = strconv.FormatInt(s.id("action_"+a.Name), 10)
	}
	var clients, rules []any
	for _, c := range s.o.Clients {
		convert := c.Convert
		if convert == "" {
			convert = odbxfs.ConvertDefault
		}
		clients = append(clients, map[string]any{"name": c.Name, "root": c.Root, "links": string(c.Links), "convert": string(convert)})
	}
	for i, r := range s.o.Rules {
		rules = append(rules, map[string]any{"name": r.Name, "model": r.Model, "domain": r.Domain, "template": r.Template,
			"subfolders": strings.Join(r.Subfolders, "\n"), "sequence": 10 * (i + 1), "client": r.Client})
	}
	return map[string]any{"meta": meta, "clients": clients, "rules": rules}
}
