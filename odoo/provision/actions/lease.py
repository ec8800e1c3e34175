# in: client, holder, ttl (seconds), release; out: got, epoch, holder, left.
# Two rows: renewals write 'holder'; a takeover also writes 'epoch', which
# running batches hold FOR SHARE, and so waits for them.
client = number(arg.get('client'))
holder = text(arg.get('holder'))
ttl = number(arg.get('ttl') or 60)
if not holder or not sql("SELECT 1 FROM x_odbxfs_client WHERE id = %s", (client,)):
    bad('no holder, or no cloud client %d' % client)
for kind in ('epoch', 'holder'):
    cr.execute("""INSERT INTO x_odbxfs_lease (x_client_id, x_kind, x_epoch, x_holder, x_until, create_uid, create_date)
        SELECT %s, %s, 0, '', clock_timestamp() at time zone 'utc', %s, now() at time zone 'utc'
        WHERE NOT EXISTS (SELECT 1 FROM x_odbxfs_lease WHERE x_client_id = %s AND x_kind = %s)""", (client, kind, uid, client, kind))
was, left = sql("""SELECT x_holder, extract(epoch from x_until - (clock_timestamp() at time zone 'utc'))::int
    FROM x_odbxfs_lease WHERE x_client_id = %s AND x_kind = 'holder' FOR UPDATE""", (client,))[0]
if was and was != holder and left > 0:
    action = {'got': False, 'holder': was, 'left': left, 'epoch': 0}
else:
    if was != holder:
        cr.execute("UPDATE x_odbxfs_lease SET x_epoch = x_epoch + 1 WHERE x_client_id = %s AND x_kind = 'epoch'", (client,))
    if arg.get('release'):
        holder, ttl = '', 0
    cr.execute("UPDATE x_odbxfs_lease SET x_holder = %s, x_until = (clock_timestamp() at time zone 'utc') + %s * interval '1 second' WHERE x_client_id = %s AND x_kind = 'holder'", (holder, ttl, client))
    action = {'got': True, 'holder': holder, 'left': ttl,
              'epoch': sql("SELECT x_epoch FROM x_odbxfs_lease WHERE x_client_id = %s AND x_kind = 'epoch'", (client,))[0][0]}
