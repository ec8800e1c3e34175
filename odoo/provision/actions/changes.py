# in: mark ("floor|look"), all (list everything), after and limit (pages of
# documents when listing everything), look (only tell the mark).
# out: mark, nodes, counts, clients, database, more (the last id of a full page).
#
# A row's write_date is the start of its transaction, and it may commit late. So
# the mark carries the starts of the oldest transactions that ran at the last
# two looks: whatever is older than the first was committed before the snapshot
# that the last answer was read from.
look = sql("""SELECT to_char(coalesce(min(xact_start), clock_timestamp()) at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS.US')
    FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL""")[0][0]
database = sql("SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'")[0][0]
mark = text(arg.get('mark'))
after = number(arg.get('after') or 0)
limit = number(arg.get('limit') or 0)
full = bool(arg.get('all'))
marks = mark.split('|')


# Places of rules and default subfolders are made when somebody looks. Unique
# indexes settle two who look at once.
def ensure(S):
    made = False
    for rule in S['rules']:
        if not rule['place']:
            place = root[PLACE].create({'x_name': 'rule %d' % rule['id'], 'x_kind': 'rule'})
            flush()
            cr.execute("UPDATE x_odbxfs_rule SET x_place_id = %s, write_date = now() at time zone 'utc' WHERE id = %s AND x_place_id IS NULL", (place.id, rule['id']))
            made = True
        names = []
        for line in rule['subs'].split('\n'):
            if line.strip() and line.strip() not in names:
                names.append(line.strip())
        if names and rule['ids']:
            cr.execute("""INSERT INTO x_odbxfs_folder (x_name, x_model, x_res_id, x_default, create_uid, write_uid, create_date, write_date)
                SELECT n.name, %s, v.id, true, %s, %s, now() at time zone 'utc', now() at time zone 'utc'
                FROM unnest(%s::int[]) v(id) CROSS JOIN unnest(%s::varchar[]) WITH ORDINALITY n(name, place)
                WHERE NOT EXISTS (SELECT 1 FROM x_odbxfs_folder f WHERE f.x_model = %s AND f.x_res_id = v.id AND f.x_parent_id IS NULL AND f.x_name = n.name)
                ORDER BY v.id, n.place ON CONFLICT DO NOTHING""", (rule['model'], uid, uid, rule['ids'], names, rule['model']))
            made = made or cr.rowcount > 0
    return made


# A manager may have moved folders in Odoo's pages: rings are cut, and what lies
# below a folder of another record follows it there, documents included.
def straighten(floor):
    if floor and not sql("SELECT 1 FROM x_odbxfs_folder WHERE write_date >= %s LIMIT 1", (floor,)):
        return
    cr.execute("""WITH RECURSIVE top(id) AS (SELECT id FROM x_odbxfs_folder WHERE x_parent_id IS NULL
            UNION SELECT f.id FROM x_odbxfs_folder f JOIN top ON f.x_parent_id = top.id)
        UPDATE x_odbxfs_folder SET x_parent_id = NULL, write_date = now() at time zone 'utc' WHERE id NOT IN (SELECT id FROM top)""")
    for depth in range(100):
        rows = sql("""SELECT f.id, f.x_model, f.x_res_id, p.x_model, p.x_res_id FROM x_odbxfs_folder f JOIN x_odbxfs_folder p ON p.id = f.x_parent_id
            WHERE f.x_model IS DISTINCT FROM p.x_model OR f.x_res_id IS DISTINCT FROM p.x_res_id""")
        if not rows:
            return
        for i, model, res_id, to_model, to_id in rows:
            atts = [r[0] for r in sql("SELECT id FROM ir_attachment WHERE x_odbxfs_folder_id = %s AND res_model = %s AND res_id = %s AND res_field IS NULL", (i, model, res_id))]
            if atts:
                root['ir.attachment'].browse(atts).write({'res_model': to_model, 'res_id': to_id})
            flush()
            cr.execute("UPDATE x_odbxfs_folder SET x_model = %s, x_res_id = %s, x_default = false, write_date = now() at time zone 'utc' WHERE id = %s", (to_model, to_id, i))


# What nobody will ask for again.
def tidy():
    cr.execute("DELETE FROM x_odbxfs_key WHERE create_date < (now() at time zone 'utc') - interval '90 days'")
    cr.execute("DELETE FROM x_odbxfs_pair WHERE x_gone AND write_date < (now() at time zone 'utc') - interval '90 days'")
    old = [r[0] for r in sql("SELECT id FROM x_odbxfs_upload WHERE create_date < " + DAY)]
    if old:
        root['ir.attachment'].search([('res_model', '=', 'x_odbxfs_upload'), ('res_id', 'in', old), ('res_field', '=', False)]).unlink()
        root['x_odbxfs_upload'].browse(old).unlink()


# Exactly, to the microsecond: a search would cut the floor to its second. A
# record that lives in another one by _inherits has its name from there.
def changed_records(rule, floor):
    M = root[rule['model']]
    if not M._auto or 'write_date' not in M._fields:
        return rule['ids']
    ids = [r[0] for r in sql('SELECT id FROM "%s" WHERE write_date >= %%s' % M._table, (floor,))]
    for parent in M._inherits:
        ids += [r[0] for r in sql('SELECT t.id FROM "%s" t JOIN "%s" p ON p.id = t."%s" WHERE p.write_date >= %%s' % (M._table, root[parent]._table, M._inherits[parent]), (floor,))]
    return set(ids) & set(rule['ids'])


def changed(S, floor):
    out = root_node(S)
    wide = []
    for rule in S['rules']:
        if rule['wd'] >= floor:
            wide.append(rule['model'])
    for rule in S['rules']:
        if rule['model'] in wide:
            out.append(rule_node(S, rule))
        out += record_nodes(rule, rule['ids'] if rule['model'] in wide else changed_records(rule, floor))
    wide = wide + ['x_odbxfs_place'] if wide else ['']
    out += folder_nodes(S, "(f.write_date >= %s OR f.x_model IN %s)", [floor, tuple(wide)])
    out += file_nodes(S, "(a.write_date >= %s OR a.res_model IN %s)", [floor, tuple(wide)])
    return out


def everything(S, after):
    out = []
    if not after:
        out = root_node(S)
        for rule in S['rules']:
            out.append(rule_node(S, rule))
            out += record_nodes(rule, rule['ids'])
        out += folder_nodes(S, "true", [])
    return out


def count(S):
    out = [['rule', '', len(S['rules']), str(sum([rule['id'] for rule in S['rules']]))]]
    records = {}
    folders = [0, 0]
    for rule in S['rules']:
        n = records.setdefault(rule['model'], [0, 0])
        n[0] += len(rule['ids'])
        n[1] += sum(rule['ids'])
    for model in sorted(records):
        out.append(['rec', model, records[model][0], str(records[model][1])])
    for model in models(S):
        ids = containers(S, model)
        n = sql("SELECT count(*), coalesce(sum(f.id), 0) FROM x_odbxfs_folder f JOIN unnest(%s::int[]) v(id) ON v.id = f.x_res_id WHERE f.x_model = %s", (ids, model))[0]
        folders = [folders[0] + int(n[0]), folders[1] + int(n[1])]
        n = sql("SELECT count(*), coalesce(sum(a.id), 0) FROM ir_attachment a JOIN unnest(%s::int[]) v(id) ON v.id = a.res_id WHERE a.res_model = %s AND a.res_field IS NULL", (ids, model))[0]
        out.append(['att', model, int(n[0]), str(int(n[1]))])
    return out + [['dir', '', folders[0], str(folders[1])]]


if arg.get('look'):
    action = {'mark': look + '|' + look, 'database': database}
else:
    if len(marks) != 2 or len(marks[0]) != 26 or len(marks[1]) != 26:
        bad('%r is no mark' % (mark,))
    if not after:
        straighten('' if full else marks[0])
    S = sight()
    if not after and ensure(S):
        S = sight()
    more = 0
    if full:
        if not after and ENGINE:
            tidy()
        nodes = everything(S, after)
        files = file_nodes(S, "a.id > %s", [after], limit)
        nodes += files
        if limit and len(files) == limit:
            more = int(files[-1]['r'][4:])
    else:
        nodes = changed(S, marks[0])
    action = {
        'mark': marks[1] + '|' + look, 'nodes': nodes, 'more': more, 'counts': count(S), 'database': database,
        'clients': [{'id': r[0], 'name': r[1] or '', 'root': r[2] or '', 'links': r[3] or '', 'convert': r[4] or '', 'paused': bool(r[5])}
                    for r in sql("SELECT id, x_name, x_root, x_links, x_convert, x_paused FROM x_odbxfs_client ORDER BY id")],
    }
