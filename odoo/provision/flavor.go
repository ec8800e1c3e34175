package provision

import (
	"context"
	"strings"
)

// Caller is what setup needs of a client for Odoo: execute_kw, its answer
// decoded into out. *odoo.Client is one.
type Caller interface {
	Call(ctx context.Context, model, method string, args []any, kw map[string]any, out any) error
}

// flavor is how this server's version calls things, as the server says.
type flavor struct {
	actionGroups   string // groups on actions and menus: groups_id, later group_ids
	groupUsers     string // users of a group: users, later user_ids
	userGroups     string // groups of a user: groups_id, later group_ids
	effective      string // all groups of a user, in a rule's domain
	list           string // the list view's tag: tree, later list
	hasAutomation  bool   // base_automation is installed
	splitAutomaton bool   // an automation's code stands in a server action of its own
}

func askFlavor(ctx context.Context, c Caller) (flavor, error) {
	var f flavor
	server, err := fieldsOf(ctx, c, "ir.actions.server")
	if err != nil {
		return f, err
	}
	groups, err := fieldsOf(ctx, c, "res.groups")
	if err != nil {
		return f, err
	}
	users, err := fieldsOf(ctx, c, "res.users")
	if err != nil {
		return f, err
	}
	views, err := fieldsOf(ctx, c, "ir.ui.view")
	if err != nil {
		return f, err
	}
	f.actionGroups = firstOf(server, "group_ids", "groups_id")
	f.groupUsers = firstOf(groups, "user_ids", "users")
	f.userGroups = firstOf(users, "group_ids", "groups_id")
	f.effective = firstOf(users, "all_group_ids", f.userGroups)
	f.list = "tree"
	if hasSelection(views["type"], "list") {
		f.list = "list"
	}
	found, err := findOne(ctx, c, "ir.model", []any{[]any{"model", "=", "base.automation"}})
	if err != nil {
		return f, err
	}
	f.hasAutomation = found != 0
	_, f.splitAutomaton = server["base_automation_id"]
	return f, nil
}

// fieldsOf asks for a model's fields: name to what fields_get says of it.
func fieldsOf(ctx context.Context, c Caller, model string) (map[string]any, error) {
	var out map[string]any
	err := c.Call(ctx, model, "fields_get", []any{}, map[string]any{"attributes": []string{"type", "selection"}}, &out)
	return out, err
}

func firstOf(fields map[string]any, names ...string) string {
	for _, n := range names {
		if _, ok := fields[n]; ok {
			return n
		}
	}
	return names[len(names)-1]
}

func hasSelection(field any, value string) bool {
	m, _ := field.(map[string]any)
	options, _ := m["selection"].([]any)
	for _, o := range options {
		if pair, ok := o.([]any); ok && len(pair) == 2 && pair[0] == value {
			return true
		}
	}
	return false
}

// findOne gives the lowest id that a domain finds, 0 for none.
func findOne(ctx context.Context, c Caller, model string, domain []any) (int64, error) {
	var ids []int64
	kw := map[string]any{"limit": 1, "order": "id", "context": map[string]any{"active_test": false}}
	if err := c.Call(ctx, model, "search", []any{domain}, kw, &ids); err != nil {
		return 0, err
	}
	if len(ids) == 0 {
		return 0, nil
	}
	return ids[0], nil
}

// label is what a resource's kind is called in a plan.
func label(model string) string {
	switch model {
	case "ir.model":
		return "model"
	case "ir.model.fields":
		return "field"
	case "ir.model.access", "ir.rule":
		return "right"
	case "ir.actions.server":
		return "server action"
	case "ir.actions.act_window":
		return "page"
	case "ir.ui.view":
		return "view"
	case "ir.ui.menu":
		return "menu"
	case "res.groups":
		return "group"
	case "res.users":
		return "user"
	case "base.automation":
		return "automation"
	}
	return strings.ReplaceAll(model, ".", " ")
}
