# Rows as nodes of the Odoo tree. Numbers that may pass 2^31 travel as text.


def stamp(column):
    return "((extract(epoch from %s) * 1000000)::bigint)::text || '000'" % column


def label(record, template):
    if not template or template == '{display_name}':
        return record.display_name or ''
    out = ''
    for n, part in enumerate(template.split('{')):
        if n == 0 or '}' not in part:
            out += part if n == 0 else '{' + part
            continue
        field, rest = part.split('}', 1)
        value = ''
        if field in record._fields:
            value = record[field]
            if record._fields[field].type in ('many2one', 'reference'):
                value = value.sudo().display_name if value else ''
        out += ('' if value is False else str(value)) + rest
    return out.strip()


# A related record that the caller may not read may stand in the name. (A try
# inside a loop makes an opcode that 19 forbids.)
def label_for(record, template):
    try:
        return label(record, template)
    except UserError:
        return ''


def root_node(S):
    node = container(S, PLACE, S['root'])
    if not node:
        return []
    return [{'r': 'root', 'p': '', 'n': '', 'k': 'root', 'c': S['client'], 'd': '0', 'w': bool(writable(PLACE, [S['root']]))}]


def rule_node(S, rule):
    may_write = bool(rule['place'] and writable(PLACE, [rule['place']]))
    return {'r': 'rule:%d' % rule['id'], 'p': rule['parent'], 'n': rule['name'], 'k': 'rule', 'c': rule['client'], 'd': rule['d'], 'w': may_write}


def record_nodes(rule, ids):
    out = []
    ids = sorted(ids)
    model = rule['model']
    can = writable(model, ids)
    when = {}
    if ids and root[model]._auto and 'write_date' in root[model]._fields:
        for i, d in sql('SELECT id, ' + stamp('write_date') + ' FROM "%s" WHERE id IN %%s' % root[model]._table, (tuple(ids),)):
            when[i] = d or '0'
    for record in me[model].browse(ids):
        name = label_for(record, rule['template'])
        out.append({'r': 'rec:%s:%d' % (model, record.id), 'p': 'rule:%d' % rule['id'], 'n': name or '%s,%d' % (model, record.id),
                    'k': 'record', 'c': rule['client'], 'd': when.get(record.id) or '0', 'w': record.id in can})
    return out


# Folders of the containers seen; cond is SQL on f.
def folder_nodes(S, cond, params):
    out = []
    for model in models(S):
        ids = containers(S, model)
        if not ids:
            continue
        can = writable(model, ids) if not ENGINE else None
        cr.execute("""SELECT f.id, f.x_name, f.x_res_id, p.id, f.x_default, """ + stamp('f.write_date') + """
            FROM x_odbxfs_folder f JOIN unnest(%s::int[]) v(id) ON v.id = f.x_res_id
            LEFT JOIN x_odbxfs_folder p ON p.id = f.x_parent_id AND p.x_model = f.x_model AND p.x_res_id = f.x_res_id
            WHERE f.x_model = %s AND """ + cond + " ORDER BY f.id", [ids, model] + params)
        for i, name, res_id, parent, default, when in cr.fetchall():
            at = container(S, model, res_id)
            role = 'free' if model == PLACE else ('default' if default else 'subfolder')
            out.append({'r': 'dir:%d' % i, 'p': ('dir:%d' % parent) if parent else at[0], 'n': name or '', 'k': role,
                        'c': at[1], 'd': when or '0', 'w': ENGINE or res_id in can})
    return out


# 14 copies a binary without its checksum and size: the name of the stored file
# is its sha1, and the size is looked up once and put right by SQL, which leaves
# write_date alone.
def true_content(i, checksum, size, fname):
    if fname and not checksum:
        checksum = fname.split('/')[-1]
    if fname and not size:
        size = len(root['ir.attachment'].browse(i).raw or b'')
        cr.execute("UPDATE ir_attachment SET checksum=%s, file_size=%s WHERE id=%s AND store_fname=%s AND coalesce(file_size,0)=0", (checksum, size, i, fname))
    return checksum, size


# Documents of the containers seen; cond is SQL on a; limit 0 means all.
def file_nodes(S, cond, params, limit=0):
    out = []
    for model in models(S):
        ids = containers(S, model)
        if not ids:
            continue
        cr.execute("""SELECT a.id, a.name, a.res_id, f.id, a.type, a.url, a.checksum, a.file_size, a.store_fname, a.mimetype,
            CASE WHEN a.x_odbxfs_mtime ~ '^[0-9]{1,19}$' THEN a.x_odbxfs_mtime ELSE """ + stamp('a.write_date') + """ END,
            a.x_odbxfs_size::bigint::text, a.x_odbxfs_mimetype, p.x_url, p.x_size::bigint::text, p.x_mimetype,
            a.type = 'url' AND EXISTS (SELECT 1 FROM x_odbxfs_pair q WHERE q.x_url = a.url), p.id
            FROM ir_attachment a JOIN unnest(%s::int[]) v(id) ON v.id = a.res_id
            LEFT JOIN x_odbxfs_folder f ON f.id = a.x_odbxfs_folder_id AND f.x_model = a.res_model AND f.x_res_id = a.res_id
            LEFT JOIN LATERAL (SELECT * FROM x_odbxfs_pair p WHERE p.x_att_id = a.id AND p.x_gone IS NOT TRUE ORDER BY p.id LIMIT 1) p ON true
            WHERE a.res_model = %s AND a.res_field IS NULL AND """ + cond + " ORDER BY a.id" + (" LIMIT %d" % limit if limit else ""), [ids, model] + params)
        rows = cr.fetchall()
        can = None
        if not ENGINE:
            touched = set()
            for row in rows:
                touched.add(row[2])
            can = writable(model, sorted(touched))
        for row in rows:
            out.append(file_node(S, model, row, can))
    out.sort(key=lambda n: int(n['r'][4:]))
    return out[:limit] if limit else out


def file_node(S, model, row, can):
    i, name, res_id, folder, kind, url, checksum, size, fname, mimetype, when, hsize, hmime, purl, psize, pmime, ours, pair = row
    at = container(S, model, res_id)
    node = {'r': 'att:%d' % i, 'p': ('dir:%d' % folder) if folder else at[0], 'n': name or '', 'c': at[1],
            'd': when or '0', 'w': ENGINE or res_id in can, 'u': '', 'm': mimetype or '', 'h': checksum or '', 's': str(size or 0)}
    if kind == 'binary' and not url:
        checksum, size = true_content(i, checksum, size, fname)
        node.update({'t': 'binary', 'h': checksum or 'da39a3ee5e6b4b0d3255bfef95601890afd80709', 's': str(size or 0)})
    else:
        node.update({'t': 'foreign', 'u': url or ''})
        if kind == 'url' and pair and purl == url:
            node.update({'t': 'link', 's': psize or hsize or '0', 'm': pmime or hmime or mimetype or ''})
        elif kind == 'url' and ours:
            node.update({'t': 'copy', 's': hsize or '0', 'm': hmime or mimetype or ''})
    return node


# The nodes that these references name, as far as the caller sees them.
def nodes_of(S, refs):
    got = {'dir': set(), 'att': set(), 'rec': {}, 'rule': set(), 'root': False}
    for ref in refs:
        kind, model, i = parse(ref)
        if kind == 'rec':
            got['rec'].setdefault(model, set()).add(i)
        elif kind == 'root':
            got['root'] = True
        else:
            got[kind].add(i)
    out = root_node(S) if got['root'] else []
    for rule in S['rules']:
        if rule['id'] in got['rule']:
            out.append(rule_node(S, rule))
        out += record_nodes(rule, set(rule['ids']) & (got['rec'].get(rule['model']) or set()))
    if got['dir']:
        out += folder_nodes(S, "f.id IN %s", [tuple(got['dir'])])
    if got['att']:
        out += file_nodes(S, "a.id IN %s", [tuple(got['att'])])
    return out


# The containers of what these references name: what sight is to look at.
def wanted(refs):
    want = {}
    dirs = [0]
    atts = [0]
    for ref in refs:
        kind, model, i = parse(ref)
        if kind == 'rec':
            want.setdefault(model, set()).add(i)
        elif kind == 'dir':
            dirs.append(i)
        elif kind == 'att':
            atts.append(i)
    for model, i in sql("""SELECT x_model, x_res_id FROM x_odbxfs_folder WHERE id IN %s
            UNION SELECT res_model, res_id FROM ir_attachment WHERE id IN %s AND res_field IS NULL""", (tuple(dirs), tuple(atts))):
        if model and i:
            want.setdefault(model, set()).add(i)
    return want
