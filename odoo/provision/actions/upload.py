# in: content (base64) of one part of a file that is too large for one call;
# out: id. Parts are joined by the write that names them, and go with it; what
# nobody used is dropped after a day. Only the one who sent a part may use it.
part = root['x_odbxfs_upload'].create({'x_user': uid})
flush()
root['ir.attachment'].create({'name': 'part', 'res_model': 'x_odbxfs_upload', 'res_id': part.id, 'mimetype': 'application/octet-stream', 'datas': text(arg.get('content'))})
action = {'id': part.id}
