# in: refs; out: the nodes that there are, as they are now.
refs = [text(r) for r in (arg.get('refs') or [])]
action = {'nodes': nodes_of(sight(wanted(refs)), refs)}
