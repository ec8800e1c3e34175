# in: ref, and offset and length (0: none, only the token); out: token, type,
# url, size, content (base64). The technical user may not read the record; with
# the token he gets the bytes streamed. It is set by SQL, since an ORM write
# would make every reading look like a change.
# Or in: refs and room (bytes); out: files (ref, content), as many whole binaries
# in that order as there is room for: many small ones are one round trip.
if arg.get('refs'):
    room = number(arg.get('room') or 0)
    files = []
    for ref in arg['refs']:
        att = parse(ref)[2]
        rows = sql("SELECT coalesce(file_size, 0) FROM ir_attachment WHERE id = %s AND type = 'binary' AND res_field IS NULL", (att,))
        if not rows:
            continue
        if rows[0][0] > room:
            break
        raw = root['ir.attachment'].browse(att).raw or b''
        room -= len(raw)
        if room < 0:
            break
        files.append({'ref': ref, 'content': b64encode(raw).decode()})
    action = {'files': files}
else:
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
