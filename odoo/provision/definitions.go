package provision

// Version is that of the definitions; it stands in x_odbxfs_meta. It grows
// whenever an older daemon could not work with what setup makes.
const Version = "1"

// field is a field of one of our models, or of ir.attachment.
type field struct {
	name, label, kind string
	relation          string // of relations
	onDelete          string // of many2one; "" is set null
	options           []string
	related           string
	required, index   bool
	copied            bool
	help              string
}

// ownModel is a model of ours. late fields refer to the model itself or to a
// later one, and are made when all models are there.
type ownModel struct {
	name, label, order string
	fields, late       []field
}

func char(name, label string) field   { return field{name: name, label: label, kind: "char"} }
func text(name, label string) field   { return field{name: name, label: label, kind: "text"} }
func number(name, label string) field { return field{name: name, label: label, kind: "integer"} }
func flag(name, label string) field   { return field{name: name, label: label, kind: "boolean"} }
func moment(name, label string) field { return field{name: name, label: label, kind: "datetime"} }
func float(name, label string) field  { return field{name: name, label: label, kind: "float"} }
func choice(name, label string, options ...string) field {
	return field{name: name, label: label, kind: "selection", options: options}
}
func many2one(name, label, relation, onDelete string) field {
	return field{name: name, label: label, kind: "many2one", relation: relation, onDelete: onDelete}
}
func must(f field) field              { f.required = true; return f }
func indexed(f field) field           { f.index = true; return f }
func helped(f field, h string) field  { f.help = h; return f }
func relates(f field, r string) field { f.related = r; return f }

// ownModels are listed so that each refers to earlier ones only, but for its
// late fields. Sizes are floats: integers end at 2^31.
func ownModels() []ownModel {
	return []ownModel{
		{"x_odbxfs_meta", "Odbxfs: facts for clients", "x_name", []field{must(char("x_name", "Key")), char("x_value", "Value")}, nil},
		{"x_odbxfs_client", "Cloud client", "x_name,id", []field{
			must(char("x_name", "Name")),
			helped(must(char("x_root", "Root folder")), "The folder in Dropbox that holds everything, as /Odoo"),
			helped(must(choice("x_links", "Links", "public:Public", "team_only:Team only", "none:None")), "Who can open the links that documents become. There is no default: public links open for everybody who has them"),
			choice("x_convert", "Conversion", "default:Documents become links", "none:Mirror only"),
			flag("x_paused", "Paused"),
			char("x_state", "State"), text("x_message", "Message"), moment("x_seen", "Last seen"),
		}, nil},
		{"x_odbxfs_place", "Place of free documents", "id", []field{
			char("x_name", "Name"), must(choice("x_kind", "Kind", "root:Root folder", "rule:Rule folder")),
			helped(field{name: "x_group_ids", label: "Groups", kind: "many2many", relation: "res.groups"}, "Who may see and change the documents here; empty: every internal user"),
		}, nil},
		{"x_odbxfs_folder", "Folder", "x_name,id", []field{
			must(char("x_name", "Name")), indexed(char("x_model", "Model")), number("x_res_id", "Record"), flag("x_default", "Made by its rule"),
		}, []field{indexed(many2one("x_parent_id", "Inside", "x_odbxfs_folder", "restrict"))}},
		{"x_odbxfs_rule", "Folder rule", "x_sequence,id", []field{
			must(char("x_name", "Folder name")), number("x_sequence", "Sequence"),
			must(many2one("x_model_id", "Document type", "ir.model", "cascade")),
			char("x_domain", "Records"),
			helped(char("x_template", "Name of a record's folder"), "Fields in braces, as {name} ({id}); empty: the display name"),
			helped(text("x_subfolders", "Default subfolders"), "One name a line"),
			many2one("x_client_id", "Cloud client", "x_odbxfs_client", "set null"),
			many2one("x_parent_id", "Under free folder", "x_odbxfs_folder", "restrict"),
			many2one("x_place_id", "Place", "x_odbxfs_place", "set null"),
		}, []field{relates(char("x_model", "Model"), "x_model_id.model")}},
		pairModel(),
		{"x_odbxfs_lease", "Lease of a cloud client", "id", []field{
			many2one("x_client_id", "Cloud client", "x_odbxfs_client", "cascade"), char("x_kind", "Kind"), char("x_holder", "Holder"), number("x_epoch", "Epoch"), moment("x_until", "Until"),
		}, nil},
		{"x_odbxfs_log", "Sync log", "x_time desc, id desc", []field{
			char("x_name", "Item"), indexed(moment("x_time", "Time")), many2one("x_client_id", "Cloud client", "x_odbxfs_client", "set null"),
			char("x_pass", "Pass"), char("x_task", "Task"), char("x_state", "State"), char("x_what", "What"), char("x_ref", "In Odoo"), char("x_dropbox", "In Dropbox"), char("x_why", "Why"), text("x_error", "Error"),
		}, nil},
		{"x_odbxfs_key", "Key of a create", "id", []field{must(char("x_name", "Key")), char("x_ref", "Made")}, nil},
		{"x_odbxfs_upload", "Part of an upload", "id", []field{number("x_user", "User")}, nil},
	}
}

func pairModel() ownModel {
	return ownModel{"x_odbxfs_pair", "Pair", "id", []field{
		many2one("x_client_id", "Cloud client", "x_odbxfs_client", "cascade"), char("x_kind", "Kind"), number("x_att_id", "Attachment"), number("x_version", "Version"),
		char("x_odoo", "In Odoo"), char("x_odoo_parent", "Its parent"), char("x_odoo_name", "Its name"),
		char("x_dropbox", "In Dropbox"), char("x_dropbox_parent", "Parent there"), char("x_dropbox_name", "Name there"), char("x_mount_name", "Name in mounts"),
		char("x_sha1", "SHA-1"), char("x_content_hash", "Content hash"), float("x_size", "Size"), char("x_mimetype", "Mimetype"), char("x_rev", "Rev"),
		char("x_url", "Link"), char("x_retained", "Kept in Odoo because"), flag("x_gone", "Gone"),
	}, nil}
}

// attachmentFields are hints: whoever may write an attachment may write them.
func attachmentFields() []field {
	return []field{
		helped(many2one("x_odbxfs_folder_id", "Cloud folder", "x_odbxfs_folder", "restrict"), "Ignored when that folder belongs to another record"),
		helped(char("x_odbxfs_mtime", "Modified (ns)"), "Nanoseconds since 1970, UTC"),
		helped(float("x_odbxfs_size", "True size"), "Bytes; of links"),
		helped(char("x_odbxfs_mimetype", "True mimetype"), "Of links"),
	}
}

// access is a right of a group on a model: read, write, create, unlink.
type access struct {
	model, group string
	rights       string
}

// accesses lists all rights. Pairs, leases, keys and uploads have none: only the
// actions touch them, by sudo.
func accesses() []access {
	return []access{
		{"x_odbxfs_meta", "base.group_user", "r"},
		{"x_odbxfs_place", "base.group_user", "rw"},
		{"x_odbxfs_client", "odbxfs.group_manager", "rwcu"},
		{"x_odbxfs_rule", "odbxfs.group_manager", "rwcu"},
		{"x_odbxfs_folder", "odbxfs.group_manager", "rwcu"},
		{"x_odbxfs_log", "odbxfs.group_manager", "ru"},
		{"ir.model", "odbxfs.group_manager", "r"},
	}
}
