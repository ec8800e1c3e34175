package odootest

import "slices"

// The groups that every server has, by external id.
const (
	groupUser    = "base.group_user"
	groupSystem  = "base.group_system"
	groupPortal  = "base.group_portal"
	groupPartner = "base.group_partner_manager"
	groupSales   = "sales_team.group_sale_salesman"
	groupProject = "project.group_project_user"
)

// stockRights says who may do what on the models of a stock server: the group
// that reads, and the one that changes. Models that are not listed and not
// manual are for system users.
var stockRights = map[string]struct{ read, change string }{
	"res.partner":                   {groupUser, groupPartner},
	"res.users":                     {groupUser, groupSystem},
	"res.company":                   {groupUser, groupSystem},
	"res.groups":                    {groupUser, groupSystem},
	"sale.order":                    {groupSales, groupSales},
	"project.project":               {groupUser, groupProject},
	"project.task":                  {groupUser, groupProject},
	"hr.employee":                   {groupUser, groupSystem},
	"ir.attachment":                 {groupUser, groupUser},
	"mail.message":                  {groupUser, groupUser},
	"res.users.apikeys.description": {groupUser, groupUser},
	"res.users.identitycheck":       {groupUser, groupUser},
	"ir.ui.menu":                    {groupUser, groupSystem},
	"ir.actions.act_window":         {groupUser, groupSystem},
	"ir.module.module":              {groupUser, groupSystem},
	"ir.default":                    {groupUser, groupSystem},
	"ir.model.fields.selection":     {groupSystem, groupSystem},
	"mail.activity":                 {groupUser, groupUser},
	"ir.filters":                    {groupUser, groupUser},
	"mail.compose.message":          {groupUser, groupUser},
	"ir.model.constraint":           {groupSystem, "nobody"},
	"ir.module.category":            {groupUser, "nobody"},
	"mail.activity.type":            {groupUser, groupSystem},
	"mail.message.subtype":          {groupUser, groupSystem},
	"mail.notification":             {groupUser, groupSystem},
	"project.milestone":             {groupUser, groupProject},
	"res.users.settings":            {groupUser, groupUser},
	"ir.mail_server":                {groupSystem, groupSystem},
	"mail.mail":                     {groupSystem, groupSystem},
	"mail.template":                 {groupUser, groupSystem},
	"ir.actions.report":             {groupUser, groupSystem},
	"ir.config_parameter":           {groupSystem, groupSystem},
	"res.groups.privilege":          {groupUser, groupSystem},
	"ir.actions.server":             {groupSystem, groupSystem},
	"ir.cron":                       {groupSystem, groupSystem},
	"ir.actions.actions":            {groupSystem, groupSystem},
	"ir.actions.act_window.view":    {groupSystem, groupSystem},
	"ir.model.fields":               {groupSystem, groupSystem},
	"res.users.apikeys":             {groupUser, groupUser},
	"ir.model":                      {groupSystem, groupSystem},
	"mail.followers":                {groupSystem, groupSystem},
	"base.automation":               {groupSystem, groupSystem},
}

// groups gives all groups of a user, implied ones too.
func (t *tx) groups(uid int64) []int64 {
	groups := t.must("res.groups")
	var all []int64
	todo := slices.Clone(t.must("res.users").rows[uid].list(t.s.names().userGroups))
	for len(todo) > 0 {
		g := todo[0]
		todo = todo[1:]
		if !slices.Contains(all, g) {
			all = append(all, g)
			todo = append(todo, groups.rows[g].list("implied_ids")...)
		}
	}
	return all
}

// inGroup reports whether a user has the group of an external id.
func (t *tx) inGroup(uid int64, xmlid string) bool {
	id, ok := t.xmlID(xmlid)
	return ok && slices.Contains(t.groups(uid), id)
}

func (t *tx) isSystem() bool { return t.su || t.inGroup(t.uid, groupSystem) }

// mayModel is ir.model.access.
func (t *tx) mayModel(m *model, operation string) *fault {
	if t.su {
		return nil
	}
	denied := accessError("You are not allowed to access '%s' (%s) records.\n\nNo group currently allows this operation.", m.name, m.name)
	if stock, ok := stockRights[m.name]; ok || !m.manual {
		need := stock.change
		if operation == "read" {
			need = stock.read
		}
		if need == "" {
			need = groupSystem
		}
		if t.inGroup(t.uid, need) || need != "nobody" && t.isSystem() {
			return nil
		}
		return denied
	}
	mine := t.groups(t.uid)
	models := t.must("ir.model")
	for _, r := range t.must("ir.model.access").rows {
		g := r.num("group_id")
		if models.rows[r.num("model_id")].str("model") == m.name && r.yes("perm_"+operation) && (g == 0 || slices.Contains(mine, g)) {
			return nil
		}
	}
	return denied
}

// mayRow is the right on one row: a document has those of its record.
func (t *tx) mayRow(m *model, id int64, operation string) *fault {
	if t.su {
		return nil
	}
	if m.name == "ir.attachment" {
		return t.mayDocument(m.rows[id], operation)
	}
	rule, f := t.recordRule(m)
	if f == nil && !rule(id, m.rows[id]) {
		f = accessError("Due to security restrictions, you are not allowed to access '%s' (%s) records.", m.name, m.name)
	}
	return f
}

// mayDocument takes a document's rights from its record: write on the record
// to write, make or unlink.
func (t *tx) mayDocument(r record, operation string) *fault {
	if t.isSystem() && r.num("res_id") == 0 {
		return nil
	}
	if operation == "read" && r.yes("public") {
		return nil
	}
	denied := accessError("Sorry, you are not allowed to access this document.")
	if operation != "read" && r.str("url") != "" && r.str("type") == "binary" && !t.isSystem() {
		return userError("Sorry, you are not allowed to write on this document")
	}
	if r.str("res_model") == "" || r.num("res_id") == 0 {
		if t.s.opt.Version < 16 || r.num("create_uid") == t.uid {
			return nil
		}
		return denied
	}
	on, ok := t.db.models[r.str("res_model")]
	if !ok || on.rows[r.num("res_id")] == nil {
		if t.isSystem() && t.s.opt.Version < 16 {
			return nil
		}
		return denied
	}
	if operation != "read" {
		operation = "write"
	}
	if f := t.mayModel(on, operation); f != nil {
		return denied
	}
	if t.mayRow(on, r.num("res_id"), operation) != nil {
		return denied
	}
	return nil
}

// ruleWords are what a rule's domain may speak of.
func (t *tx) ruleWords(groups []int64) map[string]any {
	user := t.must("res.users").rows[t.uid]
	return map[string]any{"uid": t.uid, "user.id": t.uid, "user.partner_id.id": user.num("partner_id"),
		"user.groups_id.ids": anyIDs(groups), "user.all_group_ids.ids": anyIDs(groups), "user.group_ids.ids": anyIDs(user.list("group_ids"))}
}

// recordRule joins the ir.rule rows of a model that mean this user.
func (t *tx) recordRule(m *model) (matcher, *fault) {
	all := func(int64, record) bool { return true }
	if t.su {
		return all, nil
	}
	mine := t.groups(t.uid)
	models := t.must("ir.model")
	var own, global []matcher
	for _, r := range t.must("ir.rule").rows {
		if models.rows[r.num("model_id")].str("model") != m.name {
			continue
		}
		dom, err := parseDomain(r.str("domain_force"), t.ruleWords(mine))
		if err != nil {
			return nil, unforeseen("ValueError", "rule %s: %v", r.str("name"), err)
		}
		match, f := t.domain(m, dom)
		if f != nil {
			return nil, f
		}
		of := r.list("groups")
		switch {
		case len(of) == 0:
			global = append(global, match)
		case slices.ContainsFunc(of, func(g int64) bool { return slices.Contains(mine, g) }):
			own = append(own, match)
		}
	}
	return func(id int64, r record) bool {
		if slices.ContainsFunc(global, func(g matcher) bool { return !g(id, r) }) {
			return false
		}
		return len(own) == 0 || slices.ContainsFunc(own, func(g matcher) bool { return g(id, r) })
	}, nil
}
