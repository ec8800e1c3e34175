# One write each: checked against what the caller expects, and carried out, in
# this transaction. A handler gives {'out', 'ref'}; whatever is not 'done' is
# rolled back to the savepoint before it.
VIEWABLE = ('text/', 'image/', 'video/', 'audio/', 'application/pdf', 'application/json', 'application/javascript', 'application/x-javascript')
EMPTY = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'


def refused(kind, why):
    return {'out': 'refused', 'kind': kind, 'err': why}


# The mimetype that a link's row shows: one that the web client would try to
# preview leads to a broken viewer instead of the link.
def shown(mimetype):
    if not mimetype or mimetype.startswith(VIEWABLE):
        return 'application/octet-stream'
    return mimetype


# The row of a document, locked; None when it is not there for this caller. With
# anywhere also one that is in none of our folders (any more).
def document(i, anywhere=False):
    rows = sql("""SELECT a.id, a.name, a.res_model, a.res_id, f.id, a.type, a.url, a.checksum, a.store_fname, a.mimetype, a.public, a.file_size, a.x_odbxfs_mimetype
        FROM ir_attachment a LEFT JOIN x_odbxfs_folder f ON f.id = a.x_odbxfs_folder_id AND f.x_model = a.res_model AND f.x_res_id = a.res_id
        WHERE a.id = %s AND a.res_field IS NULL FOR UPDATE OF a""", (i,))
    if not rows:
        return None
    r = rows[0]
    at = container(S, r[2], r[3])
    if not at and not anywhere:
        return None
    sha = r[7] or (r[8].split('/')[-1] if r[8] else EMPTY)
    return {'id': i, 'name': r[1] or '', 'model': r[2], 'res_id': r[3], 'folder': r[4] or False, 'inside': bool(at),
            'parent': ('dir:%d' % r[4]) if r[4] else at[0] if at else '', 'type': r[5], 'url': r[6] or '', 'sha1': sha, 'mimetype': r[9] or '', 'public': r[10], 'true': r[12] or ''}


def folder(i):
    rows = sql("""SELECT f.id, f.x_name, f.x_model, f.x_res_id, p.id FROM x_odbxfs_folder f
        LEFT JOIN x_odbxfs_folder p ON p.id = f.x_parent_id AND p.x_model = f.x_model AND p.x_res_id = f.x_res_id
        WHERE f.id = %s FOR UPDATE OF f""", (i,))
    if not rows or not container(S, rows[0][2], rows[0][3]):
        return None
    r = rows[0]
    return {'id': i, 'name': r[1] or '', 'model': r[2], 'res_id': r[3], 'folder': r[4] or False,
            'parent': ('dir:%d' % r[4]) if r[4] else container(S, r[2], r[3])[0]}


# Whether name, place and content are still what the caller saw.
def holds(op, row):
    e = op.get('expect')
    if not e:
        return True
    if row['name'] != text(e.get('name')) or row['parent'] != text(e.get('parent')):
        return False
    kind = text(e.get('type'))
    if not kind:
        return True
    if kind == 'binary':
        return row['type'] == 'binary' and row['sha1'] == (text(e.get('sha1')) or EMPTY)
    return row['url'] == text(e.get('url'))


# Where something put into this folder belongs: (res_model, res_id, folder).
def target(ref):
    kind, model, i = parse(ref)
    if kind == 'dir':
        f = folder(i)
        return (f['model'], f['res_id'], i) if f else None
    if kind == 'rec':
        return (model, i, False) if container(S, model, i) else None
    for place in S['at'][PLACE]:
        if S['at'][PLACE][place][0] == ref:
            return (PLACE, place, False)
    return None


# Folders are our own rows: their rights are those of what they hang on.
def may_change(model, res_id):
    return ENGINE or may(env[model].browse(res_id), 'write')


# The bytes of an op: inline, or parts that were uploaded before by this caller.
def content(op):
    parts = op.get('parts') or []
    if not parts:
        return {'datas': text(op.get('content'))}
    raw = []
    for part in [number(p) for p in parts]:
        if not sql("SELECT 1 FROM x_odbxfs_upload WHERE id = %s AND x_user = %s", (part, uid)):
            bad('upload %d is not there (any more)' % part)
        raw.append(root['ir.attachment'].search([('res_model', '=', 'x_odbxfs_upload'), ('res_id', '=', part), ('res_field', '=', False)], limit=1).raw or b'')
    return {'raw': b''.join(raw)}


def drop_parts(op):
    parts = [number(p) for p in (op.get('parts') or [])]
    if parts:
        mine = [r[0] for r in sql("SELECT id FROM x_odbxfs_upload WHERE id IN %s AND x_user = %s", (tuple(parts), uid))]
        root['ir.attachment'].search([('res_model', '=', 'x_odbxfs_upload'), ('res_id', 'in', mine), ('res_field', '=', False)]).unlink()
        root['x_odbxfs_upload'].browse(mine).unlink()


# What Odoo stored is compared with what the caller says that it sent.
def verified(op, i):
    flush()
    got = sql("SELECT checksum, store_fname FROM ir_attachment WHERE id = %s", (i,))[0]
    sha = got[0] or (got[1].split('/')[-1] if got[1] else EMPTY)
    if sha != (text(op.get('sha1')) or sha):
        return {'out': 'failed', 'kind': 'corrupt', 'err': 'Odoo stored %s, sent was %s' % (sha, op.get('sha1'))}
    return {'out': 'done', 'ref': 'att:%d' % i}


# The link's checksum is written last and by SQL: the ORM drops it.
def set_checksum(i, sha1):
    flush()
    if sha1:
        cr.execute("UPDATE ir_attachment SET checksum = %s WHERE id = %s", (sha1, i))
        root['ir.attachment'].browse(i).invalidate_recordset() if NEW else root['ir.attachment'].invalidate_cache(ids=[i])


# 16 renamed the cache's methods; the registry tells by a field that 16 dropped.
NEW = '__last_update' not in env['ir.attachment']._fields


# A create that was done already, by its key: what became of it.
def known(op):
    key = text(op.get('key'))
    if not key:
        bad('a create without a key')
    rows = sql("SELECT x_ref FROM x_odbxfs_key WHERE x_name = %s", ('%d:%s' % (uid, key),))
    if not rows:
        return None
    kind, model, i = parse(rows[0][0])
    there = document(i) if kind == 'att' else folder(i)
    return {'out': 'done' if there else 'gone', 'ref': rows[0][0]}


def remember(op, ref):
    cr.execute("""INSERT INTO x_odbxfs_key (x_name, x_ref, create_uid, write_uid, create_date, write_date)
        VALUES (%s, %s, %s, %s, now() at time zone 'utc', now() at time zone 'utc')""", ('%d:%s' % (uid, text(op.get('key'))), ref, uid, uid))


def hints(op, vals):
    when = text(op.get('mtime'))
    if when:
        vals['x_odbxfs_mtime'] = str(number(when))
    return vals


def create_file(op):
    before = known(op)
    if before:
        return before
    to = target(op.get('parent'))
    if not to:
        return refused('missing', 'the folder is not there any more')
    url = text(op.get('url'))
    mimetype = text(op.get('mimetype'))
    vals = hints(op, {'name': text(op.get('name')), 'res_model': to[0], 'res_id': to[1], 'x_odbxfs_folder_id': to[2]})
    if url:
        if not ENGINE:
            return refused('access', 'only the syncer makes links')
        vals.update({'type': 'url', 'url': url, 'mimetype': shown(mimetype), 'x_odbxfs_mimetype': mimetype, 'x_odbxfs_size': float(number(op.get('size') or 0))})
    else:
        vals.update(content(op))
        if mimetype:
            vals['mimetype'] = mimetype
    made = me['ir.attachment'].create(vals)
    remember(op, 'att:%d' % made.id)
    if url:
        set_checksum(made.id, text(op.get('sha1')))
        return {'out': 'done', 'ref': 'att:%d' % made.id}
    return verified(op, made.id)


def write_content(op):
    i = parse(op.get('ref'))[2]
    row = document(i)
    if not row:
        return {'out': 'gone'}
    done = {'out': 'done', 'ref': 'att:%d' % i}
    if row['type'] == 'binary' and not row['url'] and row['sha1'] == text(op.get('sha1')):
        vals = hints(op, {})
        if vals:
            me['ir.attachment'].browse(i).write(vals)
        return done
    if not holds(op, row):
        return {'out': 'changed', 'ref': 'att:%d' % i}
    vals = hints(op, content(op))
    vals['mimetype'] = text(op.get('mimetype')) or row['mimetype'] or 'application/octet-stream'
    if row['url']:
        if row['type'] != 'url' or not sql("SELECT 1 FROM x_odbxfs_pair WHERE x_url = %s LIMIT 1", (row['url'],)):
            return refused('unsupported', 'this document is a link that is not ours')
        vals.update({'type': 'binary', 'url': False, 'x_odbxfs_size': False, 'x_odbxfs_mimetype': False})
        vals['mimetype'] = text(op.get('mimetype')) or row['true'] or vals['mimetype']
    me['ir.attachment'].browse(i).write(vals)
    return verified(op, i)


def relocate(op):
    kind, model, i = parse(op.get('ref'))
    if kind not in ('att', 'dir'):
        return refused('access', 'this folder is renamed and moved in Odoo only')
    row = document(i) if kind == 'att' else folder(i)
    if not row:
        return {'out': 'gone'}
    ref = '%s:%d' % (kind, i)
    to = target(op.get('parent'))
    if not to:
        return refused('missing', 'the folder is not there any more')
    name = text(op.get('name'))
    if row['name'] == name and (row['model'], row['res_id'], row['folder']) == to:
        return {'out': 'done', 'ref': ref}
    if not holds(op, row):
        return {'out': 'changed', 'ref': ref}
    if kind == 'dir':
        return relocate_folder(i, row, to, name)
    vals = {}
    if row['name'] != name:
        vals['name'] = name
    if (row['model'], row['res_id']) != to[:2]:
        vals.update({'res_model': to[0], 'res_id': to[1]})
    if (row['model'], row['res_id'], row['folder']) != to:
        vals['x_odbxfs_folder_id'] = to[2]
    me['ir.attachment'].browse(i).write(vals)
    return {'out': 'done', 'ref': ref}


# The folders below i, i first.
def below(i):
    return [r[0] for r in sql("""WITH RECURSIVE b(id) AS (SELECT %s::int UNION SELECT f.id FROM x_odbxfs_folder f JOIN b ON f.x_parent_id = b.id)
        SELECT id FROM b""", (i,))]


def relocate_folder(i, row, to, name):
    if not may_change(row['model'], row['res_id']) or not may_change(to[0], to[1]):
        return refused('access', 'no right to change the documents of this record')
    all_below = below(i)
    if to[2] in all_below:
        return refused('invalid', 'a folder cannot go into itself')
    root['x_odbxfs_folder'].browse(i).write({'x_name': name, 'x_parent_id': to[2], 'x_default': False})
    if (row['model'], row['res_id']) != to[:2]:
        atts = [r[0] for r in sql("""SELECT id FROM ir_attachment WHERE x_odbxfs_folder_id IN %s AND res_model = %s AND res_id = %s AND res_field IS NULL ORDER BY id FOR UPDATE""",
                                  (tuple(all_below), row['model'], row['res_id']))]
        if atts:
            me['ir.attachment'].browse(atts).write({'res_model': to[0], 'res_id': to[1]})
        root['x_odbxfs_folder'].browse(all_below).write({'x_model': to[0], 'x_res_id': to[1], 'x_default': False})
    return {'out': 'done', 'ref': 'dir:%d' % i}


def remove(op):
    kind, model, i = parse(op.get('ref'))
    if kind not in ('att', 'dir'):
        return refused('access', 'this folder is removed in Odoo only')
    row = document(i) if kind == 'att' else folder(i)
    if not row:
        return {'out': 'gone'}
    ref = '%s:%d' % (kind, i)
    if not holds(op, row):
        return {'out': 'changed', 'ref': ref}
    if kind == 'att':
        me['ir.attachment'].browse(i).unlink()
        return {'out': 'done'}
    if not may_change(row['model'], row['res_id']):
        return refused('access', 'no right to change the documents of this record')
    inside = sql("""SELECT 1 FROM x_odbxfs_folder WHERE x_parent_id = %s UNION ALL SELECT 1 FROM x_odbxfs_rule WHERE x_parent_id = %s UNION ALL
        SELECT 1 FROM ir_attachment WHERE x_odbxfs_folder_id = %s AND res_model = %s AND res_id = %s AND res_field IS NULL LIMIT 1""", (i, i, i, row['model'], row['res_id']))
    if inside:
        return {'out': 'changed', 'ref': ref}
    # a folder id on another record's document is somebody's mistake or trick
    cr.execute("UPDATE ir_attachment SET x_odbxfs_folder_id = NULL WHERE x_odbxfs_folder_id = %s", (i,))
    root['x_odbxfs_folder'].browse(i).unlink()
    return {'out': 'done'}


def make_folder(op):
    before = known(op)
    if before:
        return before
    to = target(op.get('parent'))
    if not to:
        return refused('missing', 'the folder is not there any more')
    if not may_change(to[0], to[1]):
        return refused('access', 'no right to change the documents of this record')
    made = root['x_odbxfs_folder'].create({'x_name': text(op.get('name')), 'x_model': to[0], 'x_res_id': to[1], 'x_parent_id': to[2]})
    flush()
    remember(op, 'dir:%d' % made.id)
    return {'out': 'done', 'ref': 'dir:%d' % made.id}


def hint(op):
    kind, model, i = parse(op.get('ref'))
    row = document(i) if kind == 'att' else None
    if not row:
        return {'out': 'gone'}
    if not holds(op, row):
        return {'out': 'changed', 'ref': 'att:%d' % i}
    vals = hints(op, {})
    link = ENGINE and row['type'] == 'url'
    if link and op.get('size'):
        vals['x_odbxfs_size'] = float(number(op.get('size')))
    if link and op.get('mimetype'):
        vals.update({'x_odbxfs_mimetype': text(op.get('mimetype')), 'mimetype': shown(text(op.get('mimetype')))})
    if vals:
        me['ir.attachment'].browse(i).write(vals)
    if link:
        set_checksum(i, text(op.get('sha1')))
    return {'out': 'done', 'ref': 'att:%d' % i}


HANDLERS = {'create': create_file, 'write': write_content, 'move': relocate, 'remove': remove, 'mkdir': make_folder, 'hint': hint}
