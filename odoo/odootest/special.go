package odootest

import (
	"fmt"
	"slices"
	"strings"
)

// specialMethods are those of one model, or that one model has otherwise.
var specialMethods map[string]method

func init() { //nolint:gochecknoinits // the table refers to methods that refer to the table
	specialMethods = map[string]method{
		"res.users.context_get":                  userContext,
		"res.users.has_group":                    userHasGroup,
		"ir.model.display_name_for":              displayNameFor,
		"ir.config_parameter.get_param":          getParam,
		"ir.config_parameter.set_param":          setParam,
		"ir.actions.server.run":                  runAction,
		"ir.attachment.generate_access_token":    generateAccessToken,
		"ir.model.data.check_object_reference":   checkObjectReference,
		"res.users.apikeys.description.make_key": makeKey,
		"res.users.identitycheck.run_check":      runCheck,
		"ir.cron.method_direct_trigger":          directTrigger,
		"mail.thread.message_process":            messageProcess,
	}
	for _, name := range []string{"res.partner", "sale.order", "project.project", "project.task"} {
		specialMethods[name+".message_post"] = messagePost
	}
}

func userContext(t *tx, _ *model, _ args) (any, *fault) {
	return map[string]any{"lang": "en_US", "tz": "Europe/Brussels", "uid": t.uid}, nil
}

// displayNameFor tells the labels of models to whoever may read the models
// themselves, though not ir.model; of others it says the technical name. Odoo has
// it since 15.
func displayNameFor(t *tx, m *model, a args) (any, *fault) {
	if t.s.opt.Version < 15 {
		return nil, unforeseen("AttributeError", "type object 'ir.model' has no attribute 'display_name_for'")
	}
	var out []any
	names, _ := listOf(a.get(0, "models"))
	for _, n := range names {
		name, _ := n.(string) // what is no text is no model's name
		label := name
		if on := t.db.models[name]; on != nil && t.mayModel(on, "read") == nil {
			label = m.rows[t.modelID(name)].str("name")
		}
		out = append(out, map[string]any{"model": name, "display_name": label})
	}
	return out, nil
}

func userHasGroup(t *tx, _ *model, a args) (any, *fault) {
	if t.s.opt.Version < 18 {
		name, _ := a.get(0, "group_ext_id").(string)
		return t.inGroup(t.uid, name), nil
	}
	name, _ := a.get(1, "group_ext_id").(string)
	ids := a.ids()
	return len(ids) == 1 && t.inGroup(ids[0], name), nil
}

func getParam(t *tx, m *model, a args) (any, *fault) {
	if f := t.mayModel(m, "read"); f != nil {
		return nil, f
	}
	key, _ := a.get(0, "key").(string)
	if v, ok := t.param(key); ok {
		return v, nil
	}
	if d := a.get(1, "default"); d != nil {
		return d, nil
	}
	return false, nil
}

func (t *tx) param(key string) (string, bool) {
	for _, r := range t.must("ir.config_parameter").rows {
		if r.str("key") == key {
			return r.str("value"), true
		}
	}
	return "", false
}

func setParam(t *tx, m *model, a args) (any, *fault) {
	if f := t.mayModel(m, "write"); f != nil {
		return nil, f
	}
	key, _ := a.get(0, "key").(string)
	value := a.get(1, "value")
	for _, id := range m.ids() {
		if m.rows[id].str("key") == key {
			if value == false || value == nil {
				t.erase(m, id)
			} else {
				t.stamp(m, id, record{"value": fmt.Sprint(value)})
			}
			return true, nil
		}
	}
	if value != false && value != nil {
		t.insert(m, record{"key": key, "value": fmt.Sprint(value)})
	}
	return true, nil
}

func generateAccessToken(t *tx, m *model, a args) (any, *fault) {
	var out []string
	for _, id := range a.ids() {
		if m.rows[id] == nil {
			return nil, missingError(m.name, id, t.uid)
		}
		token := m.rows[id].str("access_token")
		if token == "" {
			if f := t.mayRow(m, id, "write"); f != nil {
				return nil, f
			}
			token = t.s.token()
			t.stamp(m, id, record{"access_token": token})
		} else if f := t.mayRow(m, id, "read"); f != nil {
			return nil, f
		}
		out = append(out, token)
	}
	return out, nil
}

func checkObjectReference(t *tx, _ *model, a args) (any, *fault) {
	module, _ := a.get(0, "module").(string)
	name, _ := a.get(1, "xml_id").(string)
	for _, r := range t.must("ir.model.data").rows {
		if r.str("module") == module && r.str("name") == name {
			m, f := t.model(r.str("model"))
			if f == nil {
				f = t.mayModel(m, "read")
			}
			return []any{r.str("model"), r.num("res_id")}, f
		}
	}
	return nil, unforeseen("ValueError", "External ID not found in the system: %s.%s", module, name)
}

// makeKey begins the making of an API key: the password is asked for next.
func makeKey(t *tx, m *model, a args) (any, *fault) {
	check := t.insert(t.must("res.users.identitycheck"), record{})
	name := "key"
	if ids := a.ids(); len(ids) > 0 {
		name = m.rows[ids[0]].str("name")
	}
	t.put(t.must("res.users.identitycheck"), check, record{"name": name})
	return map[string]any{"type": "ir.actions.act_window", "res_model": "res.users.identitycheck", "res_id": check, "name": "Security Control"}, nil
}

func runCheck(t *tx, m *model, a args) (any, *fault) {
	ids := a.ids()
	if len(ids) != 1 || m.rows[ids[0]] == nil {
		return nil, missingError(m.name, 0, t.uid)
	}
	password, _ := t.context["password"].(string)
	if t.s.opt.Version < 17 {
		password = m.rows[ids[0]].str("password")
	}
	if password == "" || password != t.must("res.users").rows[t.uid].str("password") {
		return nil, userError("Incorrect Password, try again or click on Forgot Password to reset your password.")
	}
	key := fmt.Sprintf("%040x", 0xabc000+len(t.s.keys))
	t.s.keys[key] = t.uid
	t.insert(t.must("res.users.apikeys"), record{"name": m.rows[ids[0]].str("name"), "user_id": t.uid})
	return map[string]any{"type": "ir.actions.act_window", "res_model": "res.users.apikeys.show", "context": map[string]any{"default_key": key}}, nil
}

// directTrigger runs the daily cleaning: files that no row has any more go.
func directTrigger(t *tx, m *model, _ args) (any, *fault) {
	if f := t.mayModel(m, "write"); f != nil {
		return nil, f
	}
	used := map[string]bool{}
	for _, r := range t.must("ir.attachment").rows {
		if fname := r.str("store_fname"); fname != "" {
			used[fname[3:]] = true
		}
	}
	for sha := range t.s.files {
		if !used[sha] {
			delete(t.s.files, sha)
		}
	}
	return true, nil
}

// messagePost makes a message and takes its attachments over to the record.
func messagePost(t *tx, m *model, a args) (any, *fault) {
	ids := a.ids()
	if len(ids) != 1 || m.rows[ids[0]] == nil {
		return nil, missingError(m.name, 0, t.uid)
	}
	body, _ := a.kw["body"].(string)
	atts := slices.Clone(idsOf(a.kw["attachment_ids"]))
	documents := t.must("ir.attachment")
	for _, att := range atts {
		if documents.rows[att].str("res_model") == "mail.compose.message" {
			t.stamp(documents, att, record{"res_model": m.name, "res_id": ids[0]})
		}
	}
	list, _ := a.kw["attachments"].([]any)
	for _, e := range list {
		pair, _ := e.([]any)
		if len(pair) < 2 {
			continue
		}
		vals := map[string]any{"name": pair[0], "raw": []byte(fmt.Sprint(pair[1])), "res_model": m.name, "res_id": ids[0]}
		id, f := t.create(documents, vals)
		if f != nil {
			return nil, f
		}
		atts = append(atts, id)
	}
	id := t.insert(t.must("mail.message"), record{"body": body, "model": m.name, "res_id": ids[0], "attachment_ids": atts, "message_type": "comment"})
	if t.s.opt.Version >= 18 {
		return []int64{id}, nil
	}
	return id, nil
}

// afterWrite lets provisioning take hold: models and fields that are made by
// rows of ir.model exist from then on.
func (t *tx) afterWrite(m *model, id int64, created bool) *fault {
	r := m.rows[id]
	switch m.name {
	case "ir.model.fields":
		return t.makeField(id, r, created)
	case "ir.ui.view":
		return t.fillView(m, id, r)
	case "ir.module.category", "ir.model.constraint":
		return accessError("You are not allowed to create '%s' records.", m.name)
	case "mail.mail":
		if created && r.num("mail_message_id") == 0 {
			message := t.insert(t.must("mail.message"), record{"subject": r["subject"], "body": r["body_html"], "attachment_ids": r["attachment_ids"]})
			t.put(m, id, record{"mail_message_id": message})
		}
	case "base.automation":
		if created && t.s.opt.Version < 17 { // it has a server action of its own, which outlives it
			action := t.insert(t.must("ir.actions.server"), record{"name": r["name"], "model_id": r["model_id"], "state": "code", "code": r["code"], "usage": "base_automation"})
			t.put(m, id, record{"action_server_id": action})
		}
	case "res.users":
		if created && r.num("partner_id") == 0 {
			partner := t.insert(t.must("res.partner"), record{"name": r["name"], "active": true, "type": "contact", "email": r["email"]})
			t.put(m, id, record{"partner_id": partner, "company_id": first(t.must("res.company").ids())})
		}
		t.mirrorGroups(m, id)
	case "res.groups":
		t.mirrorGroups(m, id)
	}
	return t.checkUnique(m, id)
}

func (t *tx) makeModel(id int64, r record) *fault {
	name := r.str("model")
	if !strings.HasPrefix(name, "x_") {
		return validationError("The model name must start with 'x_'.")
	}
	if len(name) > 63 {
		return validationError("The model name can only contain up to 63 characters.")
	}
	if t.db.models[name] == nil {
		made := newModel(name)
		made.manual = true
		if o := r.str("order"); o != "" {
			made.order = o
		}
		made.fields["x_name"] = &field{kind: "char", manual: true}
		t.undo = append(t.undo, func() { delete(t.db.models, name) })
		t.db.models[name] = made
		t.insert(t.must("ir.model.fields"), record{"name": "x_name", "model": name, "model_id": id, "ttype": "char", "state": "manual", "store": true, "copied": true, "field_description": "Name"})
		if r.yes("is_mail_thread") {
			for _, f := range []string{"message_follower_ids", "message_ids", "activity_ids"} {
				made.fields[f] = &field{kind: "one2many", relation: "mail.message"}
			}
		}
	}
	t.put(t.must("ir.model"), id, record{"state": "manual"})
	return nil
}

func (t *tx) makeField(id int64, r record, created bool) *fault {
	name := r.str("name")
	owner := t.must("ir.model").rows[r.num("model_id")].str("model")
	if owner == "" {
		owner = r.str("model")
	}
	m, f := t.model(owner)
	if f != nil {
		return f
	}
	if created && !strings.HasPrefix(name, "x_") {
		return validationError("Custom fields must have a name that starts with 'x_'!")
	}
	if len(name) > 63 {
		return validationError("The field name can only contain up to 63 characters.")
	}
	if !strings.HasPrefix(name, "x_") {
		return nil
	}
	fl := &field{kind: r.str("ttype"), relation: r.str("relation"), required: r.yes("required"), onDelete: r.str("on_delete"), manual: true, noCopy: r["copied"] == false}
	old := m.fields[name]
	t.undo = append(t.undo, func() {
		if old == nil {
			delete(m.fields, name)
		} else {
			m.fields[name] = old
		}
	})
	m.fields[name] = fl
	t.put(t.must("ir.model.fields"), id, record{"model": owner, "state": "manual", "store": true})
	return nil
}

// fillView takes the type from the root tag, and refuses one that the version
// does not have, and an inherited view whose anchor is missing.
func (t *tx) fillView(m *model, id int64, r record) *fault {
	arch := r.str("arch_db")
	if arch == "" {
		return nil
	}
	vals := record{}
	root := strings.TrimLeft(strings.TrimSpace(arch), "<")
	root = root[:strings.IndexAny(root+" ", " />\n")]
	if r.num("inherit_id") == 0 && root != "data" {
		wrong := "list"
		if t.s.opt.Version >= 18 {
			wrong = "tree"
		}
		if root == wrong {
			return validationError("Invalid view type: '%s'.", root)
		}
		vals["type"] = root
	}
	t.put(m, id, vals)
	return nil
}

// mirrorGroups keeps the two sides of users and groups equal.
func (t *tx) mirrorGroups(m *model, id int64) {
	n := t.s.names()
	here, there, other := n.userGroups, n.groupUsers, t.must("res.groups")
	if m.name == "res.groups" {
		here, there, other = n.groupUsers, n.userGroups, t.must("res.users")
	}
	mine := m.rows[id].list(here)
	for _, o := range other.ids() {
		list := other.rows[o].list(there)
		has, wants := slices.Contains(list, id), slices.Contains(mine, o)
		switch {
		case wants && !has:
			t.put(other, o, record{there: append(slices.Clone(list), id)})
		case has && !wants && m.rows[id][here] != nil:
			t.put(other, o, record{there: slices.DeleteFunc(slices.Clone(list), func(x int64) bool { return x == id })})
		}
	}
}

// eraseSelection removes the values of a field that is a selection.
func (t *tx) eraseSelection(field int64) {
	m := t.must("ir.model.fields.selection")
	for _, id := range m.find(func(_ int64, r record) bool { return r.num("field_id") == field }) {
		t.erase(m, id)
	}
}

// beforeUnlink takes models and fields out of use.
func (t *tx) beforeUnlink(m *model, id int64) *fault {
	r := m.rows[id]
	switch m.name {
	case "ir.model":
		name := r.str("model")
		gone := t.db.models[name]
		t.undo = append(t.undo, func() { t.db.models[name] = gone })
		delete(t.db.models, name)
		fields := t.must("ir.model.fields")
		for _, f := range fields.find(func(_ int64, f record) bool { return f.num("model_id") == id }) {
			t.eraseSelection(f)
			t.erase(fields, f)
		}
	case "res.users":
		// Its rows of the relation go with it.
		groups, list := t.must("res.groups"), t.s.names().groupUsers
		for _, g := range groups.ids() {
			if users := groups.rows[g].list(list); slices.Contains(users, id) {
				t.put(groups, g, record{list: slices.DeleteFunc(slices.Clone(users), func(x int64) bool { return x == id })})
			}
		}
	case "ir.model.fields":
		t.eraseSelection(id)
		owner := t.db.models[r.str("model")]
		if owner == nil {
			return nil
		}
		name := r.str("name")
		gone := owner.fields[name]
		t.undo = append(t.undo, func() { owner.fields[name] = gone })
		delete(owner.fields, name)
		for _, row := range owner.ids() {
			if _, has := owner.rows[row][name]; has {
				t.put(owner, row, record{name: nil})
			}
		}
	}
	return nil
}
