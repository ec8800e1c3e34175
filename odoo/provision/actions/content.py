# in: ref, and offset and length (0: none, only the token); out: token, type,
# url, size, content (base64). The technical user may not read the record; with
# the token he gets the bytes streamed. It is set by SQL, since an ORM write
# would make every reading look like a change.
att = parse(arg.get('ref'))[2]
rows = sql("SELECT type, url, access_token, file_size FROM ir_attachment WHERE id = %s AND res_field IS NULL", (att,))
if not rows:
    action = {'type': ''}
else:
    kind, url, token, size = rows[0]
    if not token:
        token = root['ir.attachment']._generate_access_token()
        cr.execute("UPDATE ir_attachment SET access_token = %s WHERE id = %s", (token, att))
    action = {'type': kind or '', 'url': url or '', 'token': token, 'size': str(size or 0), 'content': ''}
    length = number(arg.get('length') or 0)
    if length:
        raw = root['ir.attachment'].browse(att).raw or b''
        offset = number(arg.get('offset') or 0)
        action.update({'size': str(len(raw)), 'content': b64encode(raw[offset:offset + length]).decode()})
