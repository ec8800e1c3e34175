# in: client, after (row), limit; out: pairs, tombstones included, by row.
action = {'pairs': [pair_of(r) for r in sql(SELECT + "WHERE x_client_id = %s AND id > %s ORDER BY id LIMIT %s",
                                            (number(arg.get('client')), number(arg.get('after') or 0), number(arg.get('limit') or 1000)))]}
