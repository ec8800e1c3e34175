# in: refs and urls; out: the documents that are links and are one of these, or
# lead to one of these, in our folders or not: id and url each. Asked before a
# Dropbox file or a shared link goes.
atts = [0]
for ref in (arg.get('refs') or []):
    atts.append(parse(ref)[2])
urls = ['-'] + [text(u) for u in (arg.get('urls') or [])]
action = {'links': [[r[0], r[1] or ''] for r in sql("SELECT id, url FROM ir_attachment WHERE type = 'url' AND (id IN %s OR url IN %s) ORDER BY id", (tuple(atts), tuple(urls)))]}
