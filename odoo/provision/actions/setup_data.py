# Run by setup and remove only, as an administrator. in: dry, meta ({key: value}),
# clients, rules; out: changes (what was or would be written) and what is left
# of ours: live links in pairs, url documents of ours, documents in free folders.
arg = env.context.get('odbxfs') or {}
dry = bool(arg.get('dry'))
root = env(su=True, context={'active_test': False})
changes = []


def put(what, model, domain, vals):
    found = root[model].search(domain, limit=1)
    if not found:
        changes.append(what)
        if not dry:
            found = root[model].create(vals)
    return found


put('root place', 'x_odbxfs_place', [('x_kind', '=', 'root')], {'x_name': 'root', 'x_kind': 'root'})
meta = arg.get('meta') or {}
for key in sorted(meta):
    row = put('meta ' + key, 'x_odbxfs_meta', [('x_name', '=', key)], {'x_name': key, 'x_value': meta[key]})
    if row and row.x_value != meta[key]:
        changes.append('meta ' + key)
        if not dry:
            row.write({'x_value': meta[key]})
for c in (arg.get('clients') or []):
    put('cloud client ' + c['name'], 'x_odbxfs_client', [('x_name', '=', c['name'])],
        {'x_name': c['name'], 'x_root': c['root'], 'x_links': c['links'], 'x_convert': c['convert']})
for r in (arg.get('rules') or []):
    model = root['ir.model'].search([('model', '=', r['model'])], limit=1)
    if not model:
        continue
    put('folder rule ' + r['name'], 'x_odbxfs_rule', [('x_name', '=', r['name']), ('x_model_id', '=', model.id)],
        {'x_name': r['name'], 'x_model_id': model.id, 'x_domain': r['domain'] or '[]', 'x_template': r['template'], 'x_subfolders': r['subfolders'],
         'x_sequence': r['sequence'], 'x_client_id': root['x_odbxfs_client'].search([('x_name', '=', r['client'])], limit=1).id or False})
env.cr.execute("SELECT (SELECT count(*) FROM x_odbxfs_pair WHERE x_gone IS NOT TRUE AND x_url <> ''), (SELECT count(*) FROM ir_attachment a WHERE a.type = 'url' AND EXISTS (SELECT 1 FROM x_odbxfs_pair p WHERE p.x_url = a.url)), (SELECT count(*) FROM ir_attachment WHERE res_model = 'x_odbxfs_place')")
left = env.cr.fetchone()
action = {'changes': changes, 'pairs': left[0], 'links': left[1], 'places': left[2]}
