# Pairs: the synced tree's rows, written in the transaction that settles a task.
COLUMNS = ['client', 'kind', 'odoo', 'odoo_parent', 'odoo_name', 'dropbox', 'dropbox_parent', 'dropbox_name', 'mount_name',
           'sha1', 'content_hash', 'size', 'mimetype', 'rev', 'url', 'retained', 'gone']
SELECT = """SELECT id, x_version, x_client_id, x_kind, x_odoo, x_odoo_parent, x_odoo_name, x_dropbox, x_dropbox_parent, x_dropbox_name, x_mount_name,
    x_sha1, x_content_hash, x_size::bigint::text, x_mimetype, x_rev, x_url, x_retained, x_gone FROM x_odbxfs_pair """


def pair_of(row):
    pair = {'row': row[0], 'version': row[1] or 0}
    for n, column in enumerate(COLUMNS):
        pair[column] = row[n + 2] or ''
    pair.update({'client': row[2] or 0, 'size': row[13] or '0', 'gone': bool(row[18])})
    return pair


# What came over the wire, as the same dict.
def pair_in(p, ref):
    pair = {}
    for column in COLUMNS:
        pair[column] = text(p.get(column)) if column not in ('client', 'size', 'gone') else ''
    pair.update({'client': number(p.get('client') or 0), 'size': str(number(p.get('size') or 0)), 'gone': bool(p.get('gone'))})
    if ref and not pair['odoo']:
        pair['odoo'] = ref
    return pair


def same_pair(a, b):
    for column in COLUMNS:
        if a[column] != b[column]:
            return False
    return True


# Writes the pair and gives it, or None when somebody else's version is there. A
# repeated call finds its own work and is content.
def put_pair(p, ref):
    pair = pair_in(p, ref)
    row = number(p.get('row') or 0)
    version = number(p.get('version') or 0)
    kind, model, att = parse(pair['odoo']) if pair['odoo'] else ('', '', 0)
    vals = []
    for column in COLUMNS:
        vals.append(float(pair[column]) if column == 'size' else pair[column])
    vals.append(att if kind == 'att' else None)
    if row:
        found = [pair_of(r) for r in sql(SELECT + "WHERE id = %s FOR UPDATE", (row,))]
        if found and found[0]['version'] != version:
            return found[0] if found[0]['version'] == version + 1 and same_pair(found[0], pair) else None
        if not found:
            return None
        cr.execute("""UPDATE x_odbxfs_pair SET x_client_id=%s, x_kind=%s, x_odoo=%s, x_odoo_parent=%s, x_odoo_name=%s, x_dropbox=%s, x_dropbox_parent=%s,
            x_dropbox_name=%s, x_mount_name=%s, x_sha1=%s, x_content_hash=%s, x_size=%s, x_mimetype=%s, x_rev=%s, x_url=%s, x_retained=%s, x_gone=%s, x_att_id=%s,
            x_version = x_version + 1, write_uid=%s, write_date = now() at time zone 'utc' WHERE id = %s""", vals + [uid, row])
    else:
        found = [pair_of(r) for r in sql(SELECT + """WHERE x_client_id = %s AND (x_gone IS TRUE) = %s
            AND ((x_odoo = %s AND x_odoo <> '') OR (x_dropbox = %s AND x_dropbox <> '')) ORDER BY id DESC FOR UPDATE""",
                                         (pair['client'], pair['gone'], pair['odoo'], pair['dropbox']))]
        if found:
            return found[0] if same_pair(found[0], pair) else None
        cr.execute("""INSERT INTO x_odbxfs_pair (x_client_id, x_kind, x_odoo, x_odoo_parent, x_odoo_name, x_dropbox, x_dropbox_parent, x_dropbox_name, x_mount_name,
            x_sha1, x_content_hash, x_size, x_mimetype, x_rev, x_url, x_retained, x_gone, x_att_id, x_version, create_uid, write_uid, create_date, write_date)
            VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,1,%s,%s,now() at time zone 'utc',now() at time zone 'utc') RETURNING id""", vals + [uid, uid])
        row = cr.fetchone()[0]
    return pair_of(sql(SELECT + "WHERE id = %s", (row,))[0])
