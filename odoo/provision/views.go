package provision

import "fmt"

// view is a page's layout; LIST stands for the tag of list views.
type view struct{ id, model, arch string }

func views(f flavor) []view {
	l := f.list
	return []view{
		{"view_client_list", "x_odbxfs_client", fmt.Sprintf(`<%[1]s><field name="x_name"/><field name="x_root"/><field name="x_links"/><field name="x_convert"/><field name="x_paused"/><field name="x_state"/><field name="x_seen"/></%[1]s>`, l)},
		{"view_client_form", "x_odbxfs_client", `<form><sheet><group><group><field name="x_name"/><field name="x_root"/><field name="x_paused"/></group><group><field name="x_links"/><field name="x_convert"/></group></group><group string="Daemon"><field name="x_state" readonly="1"/><field name="x_seen" readonly="1"/><field name="x_message" readonly="1"/></group></sheet></form>`},
		{"view_rule_list", "x_odbxfs_rule", fmt.Sprintf(`<%[1]s><field name="x_sequence" widget="handle"/><field name="x_name"/><field name="x_model_id"/><field name="x_domain"/><field name="x_client_id"/></%[1]s>`, l)},
		{"view_rule_form", "x_odbxfs_rule", `<form><sheet><group><group><field name="x_name"/><field name="x_model_id"/><field name="x_model" invisible="1"/><field name="x_template" placeholder="{display_name}"/></group><group><field name="x_client_id"/><field name="x_parent_id" domain="[('x_model', '=', 'x_odbxfs_place')]"/><field name="x_sequence"/></group></group><group><field name="x_domain" widget="domain" options="{'model': 'x_model'}"/><field name="x_subfolders" placeholder="One name a line"/></group></sheet></form>`},
		{"view_folder_list", "x_odbxfs_folder", fmt.Sprintf(`<%[1]s><field name="x_name"/><field name="x_parent_id"/><field name="x_model"/><field name="x_res_id"/><field name="x_default"/></%[1]s>`, l)},
		{"view_folder_form", "x_odbxfs_folder", `<form><sheet><group><field name="x_name"/><field name="x_parent_id"/><field name="x_model"/><field name="x_res_id"/><field name="x_default" readonly="1"/></group></sheet></form>`},
		{"view_log_list", "x_odbxfs_log", fmt.Sprintf(`<%[1]s create="false" edit="false"><field name="x_time"/><field name="x_client_id"/><field name="x_pass"/><field name="x_what"/><field name="x_state"/><field name="x_name"/><field name="x_why"/><field name="x_error"/></%[1]s>`, l)},
		{"view_log_form", "x_odbxfs_log", `<form create="false" edit="false"><sheet><group><group><field name="x_time"/><field name="x_client_id"/><field name="x_pass"/><field name="x_what"/><field name="x_state"/></group><group><field name="x_name"/><field name="x_ref"/><field name="x_dropbox"/><field name="x_task"/></group></group><group><field name="x_why"/><field name="x_error"/></group></sheet></form>`},
		{"view_log_search", "x_odbxfs_log", `<search><field name="x_name"/><field name="x_ref"/><field name="x_client_id"/><filter name="planned" string="Planned" domain="[('x_state', '=', 'planned')]"/><filter name="trouble" string="Failed or waiting" domain="[('x_state', 'in', ['failed', 'parked', 'held'])]"/></search>`},
	}
}

// page is a menu entry that opens a model's list; without model it is a heading.
type page struct{ id, name, parent, model string }

func pages() []page {
	return []page{
		{"menu_root", "Cloud Storage", "", ""},
		{"menu_folders", "Folders", "menu_root", "x_odbxfs_folder"},
		{"menu_configuration", "Configuration", "menu_root", ""},
		{"menu_clients", "Clients", "menu_configuration", "x_odbxfs_client"},
		{"menu_rules", "Folder Rules", "menu_configuration", "x_odbxfs_rule"},
		{"menu_logs", "Sync Logs", "menu_configuration", "x_odbxfs_log"},
	}
}
