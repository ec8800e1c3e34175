package odootest

import (
	"strconv"

	"odbxfs/odoo/internal/wire"
)

// The twin of pairs_lib.py: the synced tree's rows.

func pairOf(id int64, r record) wire.Pair {
	return wire.Pair{Row: id, Version: r.num("x_version"), Client: r.num("x_client_id"), Kind: r.str("x_kind"),
		InOdoo: r.str("x_odoo"), OdooParent: r.str("x_odoo_parent"), OdooName: r.str("x_odoo_name"),
		Dropbox: r.str("x_dropbox"), DropboxParent: r.str("x_dropbox_parent"), DropboxName: r.str("x_dropbox_name"), MountName: r.str("x_mount_name"),
		SHA1: r.str("x_sha1"), ContentHash: r.str("x_content_hash"), Size: firstText(sizeText(r["x_size"]), "0"), Mimetype: r.str("x_mimetype"), Rev: r.str("x_rev"),
		URL: r.str("x_url"), Retained: r.str("x_retained"), Gone: r.yes("x_gone")}
}

// pairIn reads what came over the wire; ref is what the write made.
func (c *twinCall) pairIn(p map[string]any, ref string) wire.Pair {
	t := func(name string) string { return c.text(p[name]) }
	return wire.Pair{Row: c.numberOr0(p["row"]), Version: c.numberOr0(p["version"]), Client: c.numberOr0(p["client"]), Kind: t("kind"),
		InOdoo: firstText(t("odoo"), ref), OdooParent: t("odoo_parent"), OdooName: t("odoo_name"),
		Dropbox: t("dropbox"), DropboxParent: t("dropbox_parent"), DropboxName: t("dropbox_name"), MountName: t("mount_name"),
		SHA1: t("sha1"), ContentHash: t("content_hash"), Size: strconv.FormatInt(c.numberOr0(p["size"]), 10), Mimetype: t("mimetype"), Rev: t("rev"),
		URL: t("url"), Retained: t("retained"), Gone: truth(p["gone"])}
}

// samePair compares all but row and version.
func samePair(a, b wire.Pair) bool {
	b.Row, b.Version = a.Row, a.Version
	return a == b
}

func (c *twinCall) pairRecord(p wire.Pair) record {
	var att any
	if p.InOdoo != "" {
		if ref := c.parse(p.InOdoo); ref.kind == "att" {
			att = ref.id
		}
	}
	return record{"x_client_id": p.Client, "x_kind": p.Kind, "x_odoo": p.InOdoo, "x_odoo_parent": p.OdooParent, "x_odoo_name": p.OdooName,
		"x_dropbox": p.Dropbox, "x_dropbox_parent": p.DropboxParent, "x_dropbox_name": p.DropboxName, "x_mount_name": p.MountName,
		"x_sha1": p.SHA1, "x_content_hash": p.ContentHash, "x_size": float64(c.number(p.Size)), "x_mimetype": p.Mimetype, "x_rev": p.Rev,
		"x_url": p.URL, "x_retained": p.Retained, "x_gone": p.Gone, "x_att_id": att}
}

// putPair writes the pair and gives it, or nil when somebody else's version is
// there. A repeated call finds its own work and is content.
func (c *twinCall) putPair(p map[string]any, ref string) *wire.Pair {
	pair := c.pairIn(p, ref)
	vals := c.pairRecord(pair)
	m := c.must(pairModel)
	if pair.Row != 0 {
		r := m.rows[pair.Row]
		if r == nil {
			return nil
		}
		if found := pairOf(pair.Row, r); found.Version != pair.Version {
			if found.Version == pair.Version+1 && samePair(found, pair) {
				return &found
			}
			return nil
		}
		if c.samePairElsewhere(pair, pair.Row, false) != 0 {
			c.raise(unforeseen("psycopg2.errors.UniqueViolation", "duplicate key value violates unique constraint of x_odbxfs_pair"))
		}
		vals["x_version"] = pair.Version + 1
		c.stamp(m, pair.Row, vals)
		found := pairOf(pair.Row, m.rows[pair.Row])
		return &found
	}
	if id := c.samePairElsewhere(pair, 0, pair.Gone); id != 0 {
		found := pairOf(id, m.rows[id])
		if !samePair(found, pair) {
			return nil
		}
		return &found
	}
	vals["x_version"] = int64(1)
	id := c.insert(m, vals)
	found := pairOf(id, m.rows[id])
	return &found
}

// samePairElsewhere gives the newest row, gone or not, that has the pair's
// Odoo or Dropbox side. A gone pair clashes with none but by row 0.
func (c *twinCall) samePairElsewhere(pair wire.Pair, but int64, gone bool) int64 {
	if but != 0 && pair.Gone {
		return 0
	}
	m := c.must(pairModel)
	var newest int64
	for name, side := range map[string]string{"x_odoo": pair.InOdoo, "x_dropbox": pair.Dropbox} {
		if side == "" {
			continue
		}
		for _, id := range m.with(name, side) {
			if r := m.rows[id]; id != but && r.num("x_client_id") == pair.Client && r.yes("x_gone") == gone {
				newest = max(newest, id)
			}
		}
	}
	return newest
}

// twinPairs is pairs.py.
func twinPairs(c *twinCall) any {
	client, after, limit := c.number(c.arg["client"]), c.numberOr0(c.arg["after"]), c.numberOr0(c.arg["limit"])
	if limit == 0 {
		limit = 1000
	}
	out := []wire.Pair{}
	m := c.must(pairModel)
	for _, id := range m.ids() {
		if m.rows[id].num("x_client_id") == client && id > after && int64(len(out)) < limit {
			out = append(out, pairOf(id, m.rows[id]))
		}
	}
	return map[string]any{"pairs": out}
}
