# On every new outgoing mail: an attachment that is a link goes as a link in the
# body, because Odoo 14 (and 19, when the row has a size) would send an empty
# file of its name. Odoo leaves out attachments whose /web/content/ID stands in
# the body, so the mail carries links and real files only. It must never stop a
# mail: whatever goes wrong is logged, and the mail goes as Odoo would send it.
try:
    for mail in records.sudo():
        links = ''
        for a in mail.attachment_ids:
            if a.type != 'url' or ('/web/content/%d?' % a.id) in (mail.body_html or ''):
                continue
            token = a.access_token or a.generate_access_token()[0]
            base = env['ir.config_parameter'].sudo().get_param('web.base.url')
            name = (a.name or '').replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')
            links += '<p><a href="%s/web/content/%d?download=1&amp;access_token=%s">%s</a></p>' % (base, a.id, token, name)
        if links:
            mail.write({'body_html': (mail.body_html or '') + links})
except Exception as e:
    log('odbxfs: links of a mail were not written: %s' % e, level='error')
