# in: ops, leases ([client, epoch] of the clients worked for); out: results, in
# order: out, node, pair, reason, soon, kind, err. {'lost': client} and nothing
# done when another has taken a lease.
ops = arg.get('ops') or []
lost = 0
leased = []
for client, epoch in (arg.get('leases') or []):
    # the epoch's row is not the one that renewals write: a long batch stops no renewal
    row = sql("SELECT x_epoch FROM x_odbxfs_lease WHERE x_client_id = %s AND x_kind = 'epoch' FOR SHARE", (number(client),))
    if not row or row[0][0] != number(epoch):
        lost = number(client)
    leased.append(number(client))
asked = []
for op in ops:
    if not isinstance(op, dict) or text(op.get('kind')) not in HANDLERS:
        bad('unknown write %r' % (op.get('kind') if isinstance(op, dict) else op,))
    asked += [r for r in (text(op.get('ref')), text(op.get('parent'))) if r]
for r in sql("SELECT x_ref FROM x_odbxfs_key WHERE x_name IN %s", (tuple(['%d:%s' % (uid, text(op.get('key'))) for op in ops] + ['']),)):
    asked.append(r[0])
S = sight(wanted(asked))


# The handler and the pair's row: both, or neither.
def carry_out(op):
    pair = op.get('pair') or None
    if pair and not ENGINE:
        return refused('access', 'pairs are written by the syncer')
    if pair and number(pair.get('client') or 0) not in leased:
        return refused('access', 'no lease of this cloud client')
    res = HANDLERS[op['kind']](op)
    gone = res['out'] == 'gone' and op['kind'] == 'remove'
    if res['out'] != 'done' and not gone:
        return res
    drop_parts(op)
    flush()
    if pair:
        written = put_pair(pair, res.get('ref'))
        if not written:
            return {'out': 'changed', 'ref': text(op.get('ref')), 'err': 'the pair was written by another'}
        res['pair'] = written
    return res


# Errors that Odoo answers by running the whole call again go on upwards.
def failure(e):
    kind = kind_of(e)
    if kind in ('SerializationFailure', 'DeadlockDetected', 'LockNotAvailable', 'TransactionRollbackError'):
        raise e
    if kind == 'UniqueViolation':
        return {'out': 'failed', 'kind': 'changed', 'err': 'another was doing the same'}
    if kind == 'AccessError':
        return refused('access', str(e)[:500])
    if kind == 'MissingError':
        return {'out': 'gone'}
    if isinstance(e, UserError):
        return refused('invalid', str(e)[:500])
    return {'out': 'failed', 'kind': 'unknown', 'err': (kind + ': ' + str(e))[:500]}


def attempt(op):
    try:
        res = carry_out(op)
        flush()
        return res
    except Exception as e:
        return failure(e)


def guarded(op):
    cr.execute('SAVEPOINT odbxfs')
    res = attempt(op)
    if res['out'] == 'done' or res.get('pair'):
        cr.execute('RELEASE SAVEPOINT odbxfs')
    else:
        env.clear()
        cr.execute('ROLLBACK TO SAVEPOINT odbxfs')
    return res


if lost:
    action = {'lost': lost}
else:
    results = [guarded(op) for op in ops]
    flush()
    nodes = {}
    for node in nodes_of(S, [res['ref'] for res in results if res.get('ref')]):
        nodes[node['r']] = node
    for res in results:
        if res.get('ref') in nodes:
            res['node'] = nodes[res['ref']]
    action = {'results': results}
