# Turning a document into a link and back; the engine's only. A row that Odoo
# itself reads again stays binary: most rules below were found by watching what
# broke in 14 and 19 (stored reports, mails, main attachments of bills, ...).
NEVER = ('mail.template', 'mail.compose.message', 'product.document', 'quotation.document', 'account.edi.document')
NEVER_PREFIX = ('ir.', 'sign.', 'documents.', 'spreadsheet.')
MAIN_KEPT = ('account.move', 'account.bank.statement', 'hr.expense')
HARMLESS = (('mail.message', 'attachment_ids'), ('ir.attachment', 'original_id'))


def retained(why, soon=False):
    return {'out': 'retained', 'reason': why, 'soon': soon}


# One query that asks every stored field to ir.attachment for a row: built once a
# call, from the registry, so that models which are not installed do not appear.
REFERENCES = []


def references():
    if REFERENCES:
        return REFERENCES[0]
    there = set()
    for table, column in sql("SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = current_schema()"):
        there.add((table, column))
    parts = []
    for f in root['ir.model.fields'].search([('relation', '=', 'ir.attachment'), ('store', '=', True), ('ttype', 'in', ('many2one', 'many2many'))], order='model, name'):
        if f.model not in env or (f.model, f.name) in HARMLESS or (f.name == 'message_main_attachment_id' and f.model not in MAIN_KEPT):
            continue
        M = root[f.model]
        field = M._fields.get(f.name)
        if not field or M._abstract or not M._auto or not field.store:
            continue
        at = (field.relation, field.column2) if f.ttype == 'many2many' else (M._table, f.name)
        if at in there:
            parts.append("(SELECT '%s.%s', %s FROM \"%s\" WHERE \"%s\" = %%(id)s LIMIT 1)" % (f.model, f.name, 'true' if M._transient else 'false', at[0], at[1]))
    REFERENCES.append(' UNION ALL '.join(parts) + ' ORDER BY 2, 1 LIMIT 1' if parts else '')
    return REFERENCES[0]


# A field of any model that refers to this attachment: its name, and whether the
# model is a passing one (a wizard).
def referred(i):
    query = references()
    rows = sql(query, {'id': i}) if query else []
    return rows[0] if rows else ('', False)


def keep(row):
    if row['type'] != 'binary' or row['url']:
        return retained('it is no binary document')
    if row['public']:
        return retained('it is public')
    if row['model'] in NEVER or row['model'].startswith(NEVER_PREFIX):
        return retained('documents of %s are read by Odoo' % row['model'])
    if row['mimetype'].startswith('image/'):
        return retained('pictures may stand in texts')
    if row['mimetype'] == 'application/pdf' and root['ir.actions.report'].search([('model', '=', row['model']), ('attachment_use', '=', True), ('attachment', '!=', False)], limit=1):
        return retained('stored reports are printed from it')
    if 'mail.mail' in env and sql("""SELECT 1 FROM message_attachment_rel r JOIN mail_mail m ON m.mail_message_id = r.message_id
            WHERE r.attachment_id = %s AND m.state IN ('outgoing', 'exception') LIMIT 1""", (row['id'],)):
        return retained('a mail with it is not sent yet', True)
    name, passing = referred(row['id'])
    if name:
        return retained('%s refers to it' % name, bool(passing))
    return None


# A copy that Odoo made of one of our links gets a Dropbox file of its own. No
# bytes are in Odoo, so nothing is lost that something could read again.
def relink(op, i, url):
    mimetype = text(op.get('mimetype'))
    vals = hints(op, {'url': url, 'x_odbxfs_size': float(number(op.get('size') or 0))})
    if mimetype:
        vals.update({'mimetype': shown(mimetype), 'x_odbxfs_mimetype': mimetype})
    root['ir.attachment'].browse(i).write(vals)
    set_checksum(i, text(op.get('sha1')))
    return {'out': 'done', 'ref': 'att:%d' % i}


def kept_in(row):
    res = keep(row)
    if res:
        res['ref'] = 'att:%d' % row['id']
    return res


# Asked before a shared link is made: what stays here must not lie open there.
def may_convert(op):
    row = document(parse(op.get('ref'))[2])
    if not row:
        return {'out': 'gone'}
    ref = 'att:%d' % row['id']
    if row['type'] == 'url':  # no bytes to show: what it is, convert says
        return {'out': 'done', 'ref': ref}
    if not holds(op, row):
        return {'out': 'changed', 'ref': ref}
    return kept_in(row) or {'out': 'done', 'ref': ref}


def convert(op):
    i = parse(op.get('ref'))[2]
    row = document(i)
    if not row:
        return {'out': 'gone'}
    url = text(op.get('url'))
    if not url.startswith('https://') and not url.startswith('http://'):
        return refused('invalid', 'a link without a url')
    if row['type'] == 'url' and row['url'] == url:
        return {'out': 'done', 'ref': 'att:%d' % i}
    if not holds(op, row):
        return {'out': 'changed', 'ref': 'att:%d' % i}
    if row['type'] == 'url' and sql("SELECT 1 FROM x_odbxfs_pair WHERE x_url = %s LIMIT 1", (row['url'],)):
        return relink(op, i, url)
    kept = kept_in(row)
    if kept:
        return kept
    size = sql("SELECT file_size FROM ir_attachment WHERE id = %s", (i,))[0][0] or 0
    mimetype = text(op.get('mimetype')) or row['mimetype']
    try:
        root['ir.attachment'].browse(i).write(hints(op, {'type': 'url', 'url': url, 'datas': False, 'mimetype': shown(row['mimetype']) if shown(mimetype) != mimetype else mimetype,
            'x_odbxfs_mimetype': mimetype, 'x_odbxfs_size': float(number(op.get('size') or size))}))
        flush()
    except UserError as e:
        why = retained('Odoo refuses: %s' % e)
        why['ref'] = 'att:%d' % i
        return why
    set_checksum(i, row['sha1'])
    return {'out': 'done', 'ref': 'att:%d' % i}


# A link that left our folders (its record is in no rule any more) gets its bytes
# back where it is: then its url says whether it is still the same.
def restore(op):
    i = parse(op.get('ref'))[2]
    row = document(i, True)
    if not row:
        return {'out': 'gone'}
    if row['type'] == 'binary' and not row['url'] and row['sha1'] == text(op.get('sha1')):
        return {'out': 'done', 'ref': 'att:%d' % i}
    same = holds(op, row) if row['inside'] else row['type'] == 'url' and row['url'] == text((op.get('expect') or {}).get('url'))
    if not same:
        return {'out': 'changed', 'ref': 'att:%d' % i}
    vals = hints(op, content(op))
    vals.update({'type': 'binary', 'url': False, 'x_odbxfs_size': False, 'x_odbxfs_mimetype': False,
                 'mimetype': text(op.get('mimetype')) or row['true'] or row['mimetype'] or 'application/octet-stream'})
    root['ir.attachment'].browse(i).write(vals)
    return verified(op, i)


def settle(op):
    return {'out': 'done', 'ref': text(op.get('ref'))}


HANDLERS.update({'convert': convert, 'may_convert': may_convert, 'restore': restore, 'settle': settle})
