# in: refs; out: may, one bool each: may the caller change what is there, or put
# something in? Asked before a write is taken, so that cp fails at once.
refs = [text(r) for r in (arg.get('refs') or [])]
may_write = {}
for node in nodes_of(sight(wanted(refs)), refs):
    may_write[node['r']] = bool(node['w'])
action = {'may': [[r in may_write, bool(may_write.get(r))] for r in refs]}
