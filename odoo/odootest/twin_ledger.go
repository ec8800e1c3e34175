package odootest

import (
	"math"
	"slices"
	"strings"
	"time"
)

// leaseRow gives the row of a client's lease: "epoch" or "holder".
func (c *twinCall) leaseRow(client int64, kind string) int64 {
	return first(c.rows(leaseModel, func(_ int64, r record) bool { return r.num("x_client_id") == client && r.str("x_kind") == kind }))
}

// twinLease is lease.py: renewals write one row, takeovers the other too.
func twinLease(c *twinCall) any {
	client, holder, ttl := c.number(c.arg["client"]), c.text(c.arg["holder"]), c.numberOr0(c.arg["ttl"])
	if ttl == 0 {
		ttl = 60
	}
	if holder == "" || c.must(clientModel).rows[client] == nil {
		c.bad("no holder, or no cloud client %d", client)
	}
	m, now := c.must(leaseModel), c.clock()
	for _, kind := range []string{"epoch", "holder"} {
		if c.leaseRow(client, kind) == 0 {
			c.insert(m, record{"x_client_id": client, "x_kind": kind, "x_epoch": int64(0), "x_holder": "", "x_until": now})
		}
	}
	epochRow, holderRow := c.leaseRow(client, "epoch"), c.leaseRow(client, "holder")
	was, left := m.rows[holderRow].str("x_holder"), int64(math.RoundToEven(m.rows[holderRow].time("x_until").Sub(now).Seconds()))
	if was != "" && was != holder && left > 0 {
		return map[string]any{"got": false, "holder": was, "left": left, "epoch": 0}
	}
	if was != holder {
		c.put(m, epochRow, record{"x_epoch": m.rows[epochRow].num("x_epoch") + 1})
	}
	if truth(c.arg["release"]) {
		holder, ttl = "", 0
	}
	c.put(m, holderRow, record{"x_holder": holder, "x_until": now.Add(time.Duration(ttl) * time.Second)})
	return map[string]any{"got": true, "holder": holder, "left": ttl, "epoch": m.rows[epochRow].num("x_epoch")}
}

// twinLinks is links.py: documents that are links, by themselves or by their
// address, in our folders or not.
func twinLinks(c *twinCall) any {
	ids := []int64{}
	for _, ref := range c.texts(c.arg["refs"]) {
		ids = append(ids, c.parse(ref).id)
	}
	urls := c.texts(c.arg["urls"])
	found := c.rows(documents, func(id int64, r record) bool {
		return r.str("type") == "url" && (slices.Contains(ids, id) || slices.Contains(urls, r.str("url")))
	})
	slices.Sort(found)
	out := [][]any{}
	for _, id := range found {
		out = append(out, []any{id, c.must(documents).rows[id].str("url")})
	}
	return map[string]any{"links": out}
}

// twinLog is log.py: a line of a task is written once and then closed in place,
// or taken away.
func twinLog(c *twinCall) any {
	m := c.must("x_odbxfs_log")
	for _, e := range c.list(c.arg["lines"]) {
		line, _ := e.(map[string]any)
		t := func(name string) string { return c.text(line[name]) }
		if t("state") == "dropped" {
			c.unlinkAll("x_odbxfs_log", slices.Clone(m.with("x_task", t("task"))))
			continue
		}
		when, err := time.Parse(datetime, t("time"))
		if err != nil {
			c.raise(unforeseen("psycopg2.errors.InvalidDatetimeFormat", "invalid input syntax for type timestamp: %q", t("time")))
		}
		vals := record{"x_name": t("item"), "x_time": when, "x_state": t("state"), "x_ref": t("ref"), "x_dropbox": t("dropbox"), "x_why": t("why"), "x_error": t("error"), "write_date": c.now}
		if task := t("task"); task != "" {
			if ids := m.with("x_task", task); len(ids) > 0 {
				c.put(m, ids[0], vals)
				continue
			}
			vals["x_task"] = task
		}
		if client := c.numberOr0(line["client"]); client != 0 {
			vals["x_client_id"] = client
		}
		vals["x_pass"], vals["x_what"] = t("pass"), t("what")
		c.insert(m, vals)
	}
	return map[string]any{"ok": true}
}

// twinClientState is client_state.py.
func twinClientState(c *twinCall) any {
	id := c.number(c.arg["client"])
	m := c.must(clientModel)
	if m.rows[id] == nil {
		return map[string]any{"ok": false}
	}
	vals := record{"x_state": c.text(c.arg["state"]), "x_message": c.text(c.arg["message"]), "x_seen": c.clock().Truncate(time.Second)}
	if vals["x_state"] == "reset" {
		vals["x_paused"] = true
	}
	c.put(m, id, vals)
	return map[string]any{"ok": true}
}

// twinVerify is verify.py: our actions as they are now.
func twinVerify(c *twinCall) any {
	found := [][]any{}
	meant := map[string]int64{}
	for set, group := range map[string]string{"engine": "odbxfs.group_technical", "user": groupUser, "setup": groupSystem} {
		meant[set], _ = c.xmlID(group) // absent: no group is meant
	}
	data, actions := c.must("ir.model.data"), c.must("ir.actions.server")
	ids := data.find(func(_ int64, r record) bool {
		return r.str("module") == "odbxfs" && r.str("model") == "ir.actions.server" && strings.HasPrefix(r.str("name"), "action_")
	})
	slices.SortFunc(ids, func(a, b int64) int { return strings.Compare(data.rows[a].str("name"), data.rows[b].str("name")) })
	for _, id := range ids {
		if a := actions.rows[data.rows[id].num("res_id")]; a != nil {
			name := strings.TrimPrefix(data.rows[id].str("name"), "action_")
			set, _, _ := strings.Cut(name, "_")
			guarded := slices.Equal(a.list(c.s.names().userGroups), []int64{meant[set]})
			found = append(found, []any{name, guarded, shaOf(a.str("code"))})
		}
	}
	return map[string]any{"actions": found}
}
