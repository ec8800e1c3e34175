package odootest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// names are what differs between the versions.
type names struct {
	userGroups string // groups on users, actions, menus and views
	groupUsers string // users on groups
}

func (s *Server) names() names {
	if s.opt.Version >= 19 {
		return names{userGroups: "group_ids", groupUsers: "user_ids"}
	}
	return names{userGroups: "groups_id", groupUsers: "users"}
}

// schema is every stock model, a line each: the fields as "name:kind", "!" for
// required, a relation in parentheses, "-" for not copied. G stands for the
// version's name of the groups field, U for that of a group's users; "@17" is a
// field from that version on, "@-16" one up to it.
const schema = `
ir.model           name:char! model:char! state:selection transient:boolean order:char info:text is_mail_thread:boolean is_mail_activity:boolean is_mail_blacklist:boolean field_id:one2many(ir.model.fields) access_ids:one2many(ir.model.access) abstract:boolean
ir.model.fields    name:char! model:char model_id:many2one(ir.model) field_description:char ttype:selection relation:char relation_field:char state:selection required:boolean readonly:boolean index:boolean store:boolean copied:boolean on_delete:selection selection:char selection_ids:one2many(ir.model.fields.selection) help:text domain:char size:integer tracking:integer translate:boolean groups:many2many(res.groups) relation_table:char column1:char column2:char compute:text depends:char related:char
ir.model.fields.selection field_id:many2one(ir.model.fields) value:char! name:char! sequence:integer
ir.model.access    name:char! model_id:many2one(ir.model)! group_id:many2one(res.groups) perm_read:boolean perm_write:boolean perm_create:boolean perm_unlink:boolean active:boolean
ir.model.data      module:char! name:char! model:char! res_id:integer noupdate:boolean
ir.model.constraint name:char model:many2one(ir.model) type:char
ir.rule            name:char model_id:many2one(ir.model)! groups:many2many(res.groups) domain_force:text perm_read:boolean perm_write:boolean perm_create:boolean perm_unlink:boolean active:boolean
ir.ui.view         name:char! model:char type:selection(tree,form,search,kanban,graph,pivot,calendar,activity,qweb)@-17 type:selection(list,form,search,kanban,graph,pivot,calendar,activity,qweb)@18 arch:text arch_base:text arch_db:text inherit_id:many2one(ir.ui.view) mode:selection priority:integer G:many2many(res.groups) key:char active:boolean
ir.ui.menu         name:char! parent_id:many2one(ir.ui.menu) action:reference sequence:integer web_icon:char web_icon_data:binary G:many2many(res.groups) active:boolean
ir.actions.act_window name:char! res_model:char! view_mode:char view_id:many2one(ir.ui.view) view_ids:one2many(ir.actions.act_window.view) domain:char context:char help:html limit:integer target:selection search_view_id:many2one(ir.ui.view) binding_model_id:many2one(ir.model) binding_type:selection binding_view_types:char G:many2many(res.groups) type:char path:char
ir.actions.act_window.view sequence:integer view_id:many2one(ir.ui.view) view_mode:selection act_window_id:many2one(ir.actions.act_window)
ir.actions.server  name:char! model_id:many2one(ir.model)! model_name:char state:selection code:text G:many2many(res.groups) binding_model_id:many2one(ir.model) binding_type:selection binding_view_types:char sequence:integer usage:selection base_automation_id:many2one(base.automation)@17 type:char
ir.actions.report  name:char! model:char! report_name:char attachment:char attachment_use:boolean
ir.cron            name:char! model_id:many2one(ir.model) state:selection code:text active:boolean interval_number:integer interval_type:selection nextcall:datetime ir_actions_server_id:many2one(ir.actions.server)
ir.config_parameter key:char! value:text!
ir.default         field_id:many2one(ir.model.fields)! json_value:char! user_id:many2one(res.users) company_id:many2one(res.company)
ir.filters         name:char domain:text model_id:char
ir.mail_server     name:char! smtp_host:char smtp_port:integer
ir.module.module   name:char! state:selection shortdesc:char
ir.module.category name:char!
ir.attachment      name:char! type:selection(binary,url) url:char datas:binary raw:binary db_datas:binary store_fname:char checksum:char file_size:integer mimetype:char index_content:text description:text res_model:char res_id:integer res_field:char res_name:char public:boolean access_token:char company_id:many2one(res.company) original_id:many2one(ir.attachment)
base.automation    name:char! model_id:many2one(ir.model)! trigger:selection state:selection@-16 code:text@-16 action_server_id:many2one(ir.actions.server)@-16 action_server_ids:one2many(ir.actions.server)@17 active:boolean filter_domain:char
res.users          name:char login:char! password:char active:boolean partner_id:many2one(res.partner) G:many2many(res.groups) all_group_ids:many2many(res.groups)@17 company_id:many2one(res.company) company_ids:many2many(res.company) email:char lang:char tz:char share:boolean notification_type:selection
res.groups         name:char! implied_ids:many2many(res.groups) U:many2many(res.users) privilege_id:many2one(res.groups.privilege) category_id:many2one(ir.module.category) share:boolean comment:text
res.groups.privilege name:char! category_id:many2one(ir.module.category)
res.company        name:char! restrictive_audit_trail:boolean
res.partner        name:char email:char ref:char comment:html color:integer partner_latitude:float type:selection(contact,invoice,delivery,other) category_id:many2many(res.partner.category) parent_id:many2one(res.partner) is_company:boolean active:boolean company_id:many2one(res.company) customer_rank:integer
res.country name:char! code:char
res.partner.category name:char!
res.users.apikeys  name:char user_id:many2one(res.users) key:char expiration_date:datetime
res.users.apikeys.description name:char duration:char
res.users.identitycheck password:char
sale.order         name:char partner_id:many2one(res.partner) state:selection(draft,sent,sale,done,cancel) user_id:many2one(res.users) active:boolean company_id:many2one(res.company)
project.project    name:char! partner_id:many2one(res.partner) active:boolean user_id:many2one(res.users)
project.task       name:char! project_id:many2one(project.project) active:boolean displayed_image_id:many2one(ir.attachment)
hr.employee        name:char! active:boolean
mail.message       body:html model:char res_id:integer subject:char message_type:selection attachment_ids:many2many(ir.attachment) author_id:many2one(res.partner) partner_ids:many2many(res.partner)
mail.mail          body_html:text subject:char email_to:char state:selection mail_message_id:many2one(mail.message) attachment_ids:many2many(ir.attachment)
mail.thread
mail.template      name:char model_id:many2one(ir.model) attachment_ids:many2many(ir.attachment)
mail.compose.message subject:char
mail.activity      summary:char user_id:many2one(res.users) res_model_id:many2one(ir.model) res_id:integer activity_type_id:many2one(mail.activity.type)
mail.activity.type name:char
mail.followers     res_model:char res_id:integer partner_id:many2one(res.partner)
base               name:char
`

// since says from which version on a model exists, and until says up to which.
var since = map[string]int{"res.groups.privilege": 19}

// newDB makes the stock models of a version.
func newDB(version int) *db {
	d := &db{models: map[string]*model{}}
	s := &Server{opt: Options{Version: version}}
	for line := range strings.Lines(schema) {
		words := strings.Fields(line)
		if len(words) == 0 || since[words[0]] > version {
			continue
		}
		m := newModel(words[0])
		for _, word := range words[1:] {
			word, of, limited := strings.Cut(word, "@")
			if n, _ := strconv.Atoi(of); limited && (n > 0 && version < n || n < 0 && version > -n) {
				continue
			}
			name, fl := parseField(word)
			switch name {
			case "G":
				name = s.names().userGroups
			case "U":
				name = s.names().groupUsers
			}
			m.fields[name] = fl
		}
		d.models[m.name] = m
	}
	computed(d)
	return d
}

func newModel(name string) *model {
	m := &model{name: name, order: "id", fields: map[string]*field{}, rows: map[int64]record{}}
	m.fields["id"] = &field{kind: "integer", noCopy: true}
	m.fields["create_uid"] = &field{kind: "many2one", relation: "res.users", noCopy: true}
	m.fields["write_uid"] = &field{kind: "many2one", relation: "res.users", noCopy: true}
	m.fields["create_date"] = &field{kind: "datetime", noCopy: true}
	m.fields["write_date"] = &field{kind: "datetime", noCopy: true}
	m.fields["display_name"] = &field{kind: "char", compute: func(t *tx, r record) any { return t.displayName(name, r.num("id")) }}
	return m
}

// parseField reads "name:kind(relation or values)!".
func parseField(word string) (string, *field) {
	name, kind, _ := strings.Cut(word, ":")
	fl := &field{required: strings.HasSuffix(kind, "!")}
	kind = strings.TrimSuffix(kind, "!")
	kind, inside, _ := strings.Cut(strings.TrimSuffix(kind, ")"), "(")
	fl.kind = kind
	if kind == "selection" && inside != "" {
		fl.values = strings.Split(inside, ",")
	} else {
		fl.relation = inside
	}
	return name, fl
}

// computed gives the fields that no column stands for.
func computed(d *db) {
	att := d.models["ir.attachment"].fields
	att["datas"].compute = func(t *tx, r record) any { return t.datas(r) }
	att["raw"].compute = func(t *tx, r record) any {
		if content := t.bytesOf(r); content != nil {
			return string(content)
		}
		return nil
	}
	att["res_name"].compute = func(t *tx, r record) any { return t.displayName(r.str("res_model"), r.num("res_id")) }
	att["access_token"].noCopy = true
	users := d.models["res.users"].fields
	users["password"].compute = func(*tx, record) any { return nil }
	if all := users["all_group_ids"]; all != nil {
		all.compute = func(t *tx, r record) any { return t.groups(r.num("id")) }
	}
	d.models["ir.actions.server"].fields["model_name"].compute = func(t *tx, r record) any {
		return t.must("ir.model").rows[r.num("model_id")].str("model")
	}
	d.models["mail.mail"].fields["attachment_ids"].compute = func(t *tx, r record) any { // it is its message's
		return t.must("mail.message").rows[r.num("mail_message_id")]["attachment_ids"]
	}
	view := d.models["ir.ui.view"].fields
	view["arch"].compute = func(_ *tx, r record) any { return r["arch_db"] }
	view["arch_base"].compute = view["arch"].compute
}

// labels are what Odoo calls the models that people meet, in English.
var labels = map[string]string{
	"sale.order": "Sales Order", "project.project": "Project", "project.task": "Task", "res.partner": "Contact", "hr.employee": "Employee", "account.move": "Journal Entry",
}

// baseData fills a new database: models, groups, users.
func (t *tx) baseData() {
	models := t.must("ir.model")
	for _, name := range slices.Sorted(maps.Keys(t.db.models)) {
		id := t.insert(models, record{"name": cmp.Or(labels[name], name), "model": name, "state": "base"})
		t.setXMLID("base.model_"+strings.ReplaceAll(name, ".", "_"), "ir.model", id)
		for _, f := range slices.Sorted(maps.Keys(t.db.models[name].fields)) {
			fl := t.db.models[name].fields[f]
			t.insert(t.must("ir.model.fields"), record{"name": f, "model": name, "model_id": id, "ttype": fl.kind, "relation": fl.relation, "state": "base", "store": fl.compute == nil, "copied": !fl.noCopy})
		}
	}
	group := func(xmlid, name string, implied ...string) {
		var ids []int64
		for _, i := range implied {
			id, _ := t.xmlID(i)
			ids = append(ids, id)
		}
		t.setXMLID(xmlid, "res.groups", t.insert(t.must("res.groups"), record{"name": name, "implied_ids": ids}))
	}
	group(groupUser, "Internal User")
	group(groupPortal, "Portal")
	group("base.group_public", "Public")
	group("base.group_erp_manager", "Access Rights", groupUser)
	group(groupPartner, "Contact Creation", groupUser)
	group(groupSystem, "Settings", "base.group_erp_manager")
	group(groupSales, "Sales: own documents", groupUser)
	group(groupProject, "Project: user", groupUser)
	company := t.insert(t.must("res.company"), record{"name": "My Company"})
	t.setXMLID("base.main_company", "res.company", company)
	t.user("base.user_root", "OdooBot", "__system__", "", company, groupSystem)
	t.user("base.user_admin", "Mitchell Admin", AdminLogin, AdminPassword, company, groupSystem, groupPartner, groupSales, groupProject)
	t.user("base.user_demo", "Marc Demo", DemoLogin, DemoPassword, company, groupUser, groupPartner, groupSales, groupProject)
	t.user("base.demo_user0", "Joel Willis", PortalLogin, PortalPassword, company, groupPortal)
	params := t.must("ir.config_parameter")
	t.insert(params, record{"key": "database.uuid", "value": fmt.Sprintf("00000000-0000-4000-8000-%012d", t.s.opt.Version)})
	t.insert(params, record{"key": "web.base.url", "value": "http://localhost:8069"})
	for _, name := range []string{"base", "mail", "contacts", "sale_management", "project", "hr", "base_automation"} {
		t.insert(t.must("ir.module.module"), record{"name": name, "state": "installed"})
	}
	cleaning := t.insert(t.must("ir.cron"), record{"name": "Base: Auto-vacuum internal data", "model_id": t.modelID("ir.attachment"), "state": "code", "active": true, "interval_number": int64(1), "interval_type": "days"})
	t.setXMLID("base.autovacuum_job", "ir.cron", cleaning)
	t.stockViews()
}

func (t *tx) modelID(name string) int64 {
	models := t.must("ir.model")
	return first(models.find(func(_ int64, r record) bool { return r.str("model") == name }))
}

// stockViews are those that provisioning inherits from or asks for.
func (t *tx) stockViews() {
	view := func(xmlid, model, arch string) {
		id := t.insert(t.must("ir.ui.view"), record{"name": xmlid, "model": model, "type": "form", "arch_db": arch, "mode": "primary", "priority": int64(16), "active": true})
		t.setXMLID(xmlid, "ir.ui.view", id)
	}
	view("base.view_partner_form", "res.partner", `<form><sheet><div name="button_box"/><field name="name"/></sheet></form>`)
	view("base.view_attachment_form", "ir.attachment", `<form><sheet><field name="name"/></sheet></form>`)
}

func (t *tx) user(xmlid, name, login, password string, company int64, groups ...string) {
	partner := t.insert(t.must("res.partner"), record{"name": name, "active": true, "email": login + "@example.com"})
	var ids []int64
	for _, g := range groups {
		id, _ := t.xmlID(g)
		ids = append(ids, id)
	}
	id := t.insert(t.must("res.users"), record{"name": name, "login": login, "password": password, "active": true, "partner_id": partner, "company_id": company, t.s.names().userGroups: ids})
	t.setXMLID(xmlid, "res.users", id)
	t.mirrorGroups(t.must("res.users"), id)
}

func (t *tx) xmlID(xmlid string) (int64, bool) {
	module, name, _ := strings.Cut(xmlid, ".")
	data := t.must("ir.model.data")
	for _, r := range data.rows {
		if r.str("module") == module && r.str("name") == name {
			return r.num("res_id"), true
		}
	}
	return 0, false
}

func (t *tx) setXMLID(xmlid, model string, id int64) {
	module, name, _ := strings.Cut(xmlid, ".")
	t.insert(t.must("ir.model.data"), record{"module": module, "name": name, "model": model, "res_id": id})
}

// demoData are the records that the try-out shows.
func (t *tx) demoData() {
	for n, name := range []string{"Azure Interior", "Deco Addict", "Gemini Furniture", "Ready Mat", "The Jackson Group"} {
		partner := t.insert(t.must("res.partner"), record{"name": name, "is_company": true, "active": true, "email": "info@example.com"})
		for k := range 2 {
			t.insert(t.must("sale.order"), record{"name": fmt.Sprintf("S%05d", 2*n+k+1), "partner_id": partner, "state": "draft", "user_id": int64(2), "active": true})
		}
	}
	for _, name := range []string{"Office Design", "Research & Development", "Renovations"} {
		project := t.insert(t.must("project.project"), record{"name": name, "active": true})
		t.insert(t.must("project.task"), record{"name": "First meeting", "project_id": project, "active": true})
	}
	t.insert(t.must("hr.employee"), record{"name": "Marc Demo", "active": true})
}
