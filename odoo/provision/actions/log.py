# in: lines; a line of a task is written once and then closed in place, or taken
# away when the task turned out to be none ("dropped").
for line in (arg.get('lines') or []):
    if text(line.get('state')) == 'dropped':
        cr.execute("DELETE FROM x_odbxfs_log WHERE x_task = %s", (text(line.get('task')),))
        continue
    ref = text(line.get('ref'))
    cr.execute("""INSERT INTO x_odbxfs_log (x_name, x_time, x_client_id, x_pass, x_task, x_state, x_what, x_ref, x_dropbox, x_why, x_error, create_uid, write_uid, create_date, write_date)
        VALUES (%s, %s::timestamp, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now() at time zone 'utc', now() at time zone 'utc')
        ON CONFLICT (x_task) WHERE x_task IS NOT NULL DO UPDATE SET x_name = EXCLUDED.x_name, x_time = EXCLUDED.x_time, x_state = EXCLUDED.x_state, x_ref = EXCLUDED.x_ref,
            x_dropbox = EXCLUDED.x_dropbox, x_why = EXCLUDED.x_why, x_error = EXCLUDED.x_error, write_date = EXCLUDED.write_date""",
               (text(line.get('item')), text(line.get('time')), number(line.get('client') or 0) or None, text(line.get('pass')), text(line.get('task')) or None,
                text(line.get('state')), text(line.get('what')), ref, text(line.get('dropbox')), text(line.get('why')), text(line.get('error')), uid, uid))
action = {'ok': True}
