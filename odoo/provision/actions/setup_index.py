# What the ORM cannot say: unique and partial indexes. Run once by setup.
for statement in [
    "CREATE UNIQUE INDEX IF NOT EXISTS x_odbxfs_meta_name_uniq ON x_odbxfs_meta (x_name)",
    "CREATE UNIQUE INDEX IF NOT EXISTS x_odbxfs_key_name_uniq ON x_odbxfs_key (x_name)",
    "CREATE UNIQUE INDEX IF NOT EXISTS x_odbxfs_place_root_uniq ON x_odbxfs_place (x_kind) WHERE x_kind = 'root'",
    "CREATE UNIQUE INDEX IF NOT EXISTS x_odbxfs_folder_default_uniq ON x_odbxfs_folder (x_model, x_res_id, x_name) WHERE x_default AND x_parent_id IS NULL",
    "CREATE INDEX IF NOT EXISTS x_odbxfs_folder_place_idx ON x_odbxfs_folder (x_model, x_res_id)",
    "CREATE UNIQUE INDEX IF NOT EXISTS x_odbxfs_pair_odoo_uniq ON x_odbxfs_pair (x_client_id, x_odoo) WHERE x_gone IS NOT TRUE AND x_odoo <> ''",
    "CREATE UNIQUE INDEX IF NOT EXISTS x_odbxfs_pair_dropbox_uniq ON x_odbxfs_pair (x_client_id, x_dropbox) WHERE x_gone IS NOT TRUE AND x_dropbox <> ''",
    "CREATE INDEX IF NOT EXISTS x_odbxfs_pair_url_idx ON x_odbxfs_pair (x_url) WHERE x_url <> ''",
    "CREATE INDEX IF NOT EXISTS x_odbxfs_pair_att_idx ON x_odbxfs_pair (x_att_id)",
    "CREATE UNIQUE INDEX IF NOT EXISTS x_odbxfs_lease_client_uniq ON x_odbxfs_lease (x_client_id, x_kind)",
    "CREATE UNIQUE INDEX IF NOT EXISTS x_odbxfs_log_task_uniq ON x_odbxfs_log (x_task) WHERE x_task IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS x_odbxfs_attachment_write_date_idx ON ir_attachment (write_date)",
    "CREATE INDEX IF NOT EXISTS x_odbxfs_attachment_folder_idx ON ir_attachment (x_odbxfs_folder_id) WHERE x_odbxfs_folder_id IS NOT NULL",
]:
    env.cr.execute(statement)
action = {'ok': True}
