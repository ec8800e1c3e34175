# in: kind, model; out: the ids of everything of one scope that the caller sees.
kind = text(arg.get('kind'))
model = text(arg.get('model'))
S = sight()
ids = []
if kind == 'rule':
    ids = [rule['id'] for rule in S['rules']]
elif kind == 'rec':
    for rule in S['rules']:
        if rule['model'] == model:
            ids += rule['ids']
elif kind == 'dir':
    for m in models(S):
        ids += [r[0] for r in sql("SELECT f.id FROM x_odbxfs_folder f JOIN unnest(%s::int[]) v(id) ON v.id = f.x_res_id WHERE f.x_model = %s", (containers(S, m), m))]
elif kind == 'att':
    ids = [r[0] for r in sql("SELECT a.id FROM ir_attachment a JOIN unnest(%s::int[]) v(id) ON v.id = a.res_id WHERE a.res_model = %s AND a.res_field IS NULL", (containers(S, model), model))]
else:
    bad('unknown scope %r' % (kind,))
action = {'ids': sorted(ids)}
