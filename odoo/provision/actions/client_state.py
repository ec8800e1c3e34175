# in: client, state, message: what Odoo's page shows of the daemon.
cr.execute("UPDATE x_odbxfs_client SET x_state = %s, x_message = %s, x_seen = date_trunc('second', clock_timestamp() at time zone 'utc') WHERE id = %s",
           (text(arg.get('state')), text(arg.get('message')), number(arg.get('client'))))
action = {'ok': cr.rowcount == 1}
