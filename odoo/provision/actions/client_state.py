# in: client, state, message: what Odoo's page shows of the daemon. One that is
# reset is paused, or it would be mirrored again at once.
cr.execute("UPDATE x_odbxfs_client SET x_state = %s, x_message = %s, x_paused = (coalesce(x_paused, false) OR %s), x_seen = date_trunc('second', clock_timestamp() at time zone 'utc') WHERE id = %s",
           (text(arg.get('state')), text(arg.get('message')), text(arg.get('state')) == 'reset', number(arg.get('client'))))
action = {'ok': cr.rowcount == 1}
