# out: our actions as they are now: name, how many groups may run it, sha256 of
# its code. An action without groups may be run by anybody on 19, portal users
# included; so the daemon looks at each start.
field = 'group_ids' if 'group_ids' in root['ir.actions.server']._fields else 'groups_id'
found = []
for data in root['ir.model.data'].search([('module', '=', 'odbxfs'), ('model', '=', 'ir.actions.server'), ('name', '=like', 'action\\_%')], order='name'):
    record = root['ir.actions.server'].browse(data.res_id)
    if record.exists():
        found.append([data.name[7:], len(record[field]), sql("SELECT encode(sha256(convert_to(%s, 'UTF8')), 'hex')", (record.code or '',))[0][0]])
action = {'actions': found}
