# Shared by every action of both sets: who asks, what they see, how it is named.
# ENGINE is set in the first line: the engine sees everything (sudo); a user
# sees records and attachments with his own rights, and only our own models by
# sudo. safe_eval allows no import, no with, no closure, no global statement:
# so there are plain loops where a comprehension would read a function's locals.
#
# The input comes in the context, and Odoo 14's web session loses the context
# when it runs a call again after a serialization failure. Then a missing record
# is read, which the client takes for "call again": nothing was done.
if 'odbxfs' not in env.context:
    env(su=True)['x_odbxfs_meta'].browse(2147483647).x_name
arg = env.context.get('odbxfs') or {}
uid = env.uid
env = env(context={'active_test': False, 'image_no_postprocess': True})
root = env(su=True)
me = root if ENGINE else env
cr = env.cr
PLACE = 'x_odbxfs_place'
DAY = "(now() at time zone 'utc') - interval '1 day'"


def bad(text):
    raise UserError('odbxfs: ' + text)


def number(v):
    if isinstance(v, bool) or not isinstance(v, (int, str)):
        bad('want a number, got %r' % (v,))
    if isinstance(v, str) and not (v.isdigit() and len(v) < 20):
        bad('want a number, got %r' % (v,))
    return int(v)


def text(v):
    if v is None or v is False:
        return ''
    if not isinstance(v, str):
        bad('want a text, got %r' % (v,))
    return v


def sql(query, params=()):
    cr.execute(query, params)
    return cr.fetchall()


# "rec:sale.order:12" -> ('rec', 'sale.order', 12)
def parse(ref):
    part = text(ref).split(':')
    if part[0] == 'root' and len(part) == 1:
        return ('root', '', 0)
    if part[0] == 'rec' and len(part) == 3:
        return ('rec', part[1], number(part[2]))
    if part[0] in ('rule', 'dir', 'att') and len(part) == 2:
        return (part[0], '', number(part[1]))
    bad('%r is not a reference' % (ref,))


# The class of an exception without its dunder name: "AccessError('..')".
def kind_of(e):
    return repr(e).split('(')[0]


# check_access came with 18; before, the same question was two calls.
def may(records, operation):
    try:
        records.check_access(operation)
        return True
    except Exception as e:
        if kind_of(e) != 'AttributeError':
            if isinstance(e, UserError):
                return False
            raise
    try:
        records.check_access_rights(operation)
        records.check_access_rule(operation)
        return True
    except UserError:
        return False


def writable(model, ids):
    if ENGINE:
        return set(ids)
    if not ids or not may(env[model], 'write'):
        return set()
    records = env[model].browse(ids)
    try:
        return set(records._filtered_access('write').ids)
    except Exception as e:
        if kind_of(e) != 'AttributeError':
            raise
    return set(records._filter_access_rules('write').ids)


# What the ORM holds back is not in the tables until it is flushed (16+: env).
def flush():
    try:
        env.flush_all()
        return
    except Exception as e:
        if kind_of(e) != 'AttributeError':
            raise
    env['base'].flush()


def root_place():
    found = sql("SELECT id FROM x_odbxfs_place WHERE x_kind='root' ORDER BY id LIMIT 1")
    if not found:
        bad('the root place is missing: run `odbxfs setup` again')
    return found[0][0]


# The client of the root and its free folders: the first one.
def root_client():
    found = sql("SELECT id FROM x_odbxfs_client ORDER BY id LIMIT 1")
    return found[0][0] if found else 0


# What the caller sees. want: {model: ids}, to look at these containers only;
# None: at all. A record belongs to the first rule that takes it, judged with
# full sight, so that all callers agree; then come the caller's rights.
# Gives rules (a list of dicts with their ids) and at: {model: {res_id: (ref, client, rule)}}.
def sight(want=None):
    place = root_place()
    first = root_client()
    places = {place: ('root', first, 0)}
    rules = []
    at = {PLACE: places}
    cr.execute("""SELECT r.id, r.x_name, m.model, r.x_domain, r.x_template, r.x_subfolders, r.x_place_id,
        r.x_client_id, f.id, to_char(r.write_date, 'YYYY-MM-DD HH24:MI:SS.US'),
        ((extract(epoch from r.write_date) * 1000000)::bigint)::text || '000'
        FROM x_odbxfs_rule r JOIN ir_model m ON m.id = r.x_model_id
        LEFT JOIN x_odbxfs_folder f ON f.id = r.x_parent_id AND f.x_model = 'x_odbxfs_place' AND f.x_res_id = %s
        ORDER BY r.x_sequence, r.id""", (place,))
    for r in cr.fetchall():
        model = r[2]
        if model not in env or not (ENGINE or may(env[model], 'read')):
            continue
        rule = {'id': r[0], 'name': r[1] or '', 'model': model, 'template': r[4] or '', 'subs': r[5] or '',
                'place': r[6] or 0, 'client': r[7] or 0, 'parent': ('dir:%d' % r[8]) if r[8] else 'root', 'wd': r[9], 'd': r[10]}
        rules.append(rule)
        if rule['place']:
            places[rule['place']] = ('rule:%d' % r[0], rule['client'], r[0])
        rule['ids'] = take(rule, r[3], want, at.setdefault(model, {}))
    if not ENGINE:
        seen = set(env[PLACE].search([]).ids)
        for p in list(places):
            if p not in seen:
                places.pop(p)
    return {'rules': rules, 'at': at, 'root': place, 'client': first}


# A domain that cannot be read stops everything: taken for empty, it would look
# like the deletion of every record.
def domain_of(name, source):
    try:
        return root['ir.filters'].new({'domain': source or '[]'})._get_eval_domain()
    except Exception as e:
        return bad('the domain of folder rule %r cannot be read: %s' % (name, e))


def take(rule, source, want, at):
    model = rule['model']
    domain = domain_of(rule['name'], source)
    narrow = []
    if want is not None:
        narrow = [('id', 'in', sorted(want.get(model) or [0]))]
    mine = []
    for i in root[model].search(narrow + list(domain), order='id').ids:
        if i not in at:
            mine.append(i)
            at[i] = ('rec:%s:%d' % (model, i), rule['client'], rule['id'])
    if ENGINE or not mine:
        return mine
    seen = set(env[model].search([('id', 'in', mine)]).ids)
    allowed = []
    for i in mine:
        if i in seen:
            allowed.append(i)
        else:
            at[i] = None  # taken, but not for this caller
    return allowed


# Where things are, for the caller: the container's entry, or None.
def container(S, model, res_id):
    return (S['at'].get(model) or {}).get(res_id)


def containers(S, model):
    ids = []
    at = S['at'].get(model) or {}
    for i in at:
        if at[i]:
            ids.append(i)
    return sorted(ids)


def models(S):
    return sorted(S['at'])
