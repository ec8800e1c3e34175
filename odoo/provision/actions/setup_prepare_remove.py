# Run once by remove: what dropping our models would leave behind. Parts of
# uploads are ours alone; the index stands on a table of Odoo's own.
env['ir.attachment'].sudo().search([('res_model', '=', 'x_odbxfs_upload'), ('res_field', '=', False)]).unlink()
env.cr.execute("DROP INDEX IF EXISTS x_odbxfs_attachment_write_date_idx")
action = {'ok': True}
