package odootest

import (
	"slices"

	"odbxfs/odoo/internal/wire"
)

type handler func(c *twinCall, op map[string]any) wire.Result

// handlers are the writes that both sets know, and engineHandlers the others.
var (
	handlers = map[string]handler{"create": (*twinCall).createFile, "write": (*twinCall).writeContent, "move": (*twinCall).relocate,
		"remove": (*twinCall).remove, "mkdir": (*twinCall).makeFolder, "hint": (*twinCall).hint}
	engineHandlers = map[string]handler{"convert": (*twinCall).convert, "may_convert": (*twinCall).mayConvert, "restore": (*twinCall).restore, "settle": (*twinCall).settle}
)

func (c *twinCall) handler(op map[string]any) handler {
	kind := c.text(op["kind"])
	if h := handlers[kind]; h != nil {
		return h
	}
	if h := engineHandlers[kind]; h != nil && c.engine {
		return h
	}
	c.bad("unknown write %q", kind)
	return nil
}

// twinApply is apply.py.
func twinApply(c *twinCall) any {
	var lost int64
	for _, e := range c.list(c.arg["leases"]) {
		lease := c.list(e)
		if len(lease) != 2 {
			c.raise(unforeseen("ValueError", "not enough values to unpack (expected 2, got %d)", len(lease)))
		}
		client := c.number(lease[0])
		id := c.leaseRow(client, "epoch")
		if id == 0 || c.must(leaseModel).rows[id].num("x_epoch") != c.number(lease[1]) {
			lost = client
		}
		c.leased = append(c.leased, client)
	}
	var ops []map[string]any
	var asked []string
	for _, e := range c.list(c.arg["ops"]) {
		op, ok := e.(map[string]any)
		if !ok {
			c.bad("unknown write %v", e)
		}
		c.handler(op)
		for _, ref := range []string{c.text(op["ref"]), c.text(op["parent"]), c.keyed(c.keyName(op))} {
			if ref != "" {
				asked = append(asked, ref)
			}
		}
		ops = append(ops, op)
	}
	c.sight = c.look(c.wanted(asked))
	if lost != 0 {
		return map[string]any{"lost": lost}
	}
	out := wire.Results{Results: []wire.Result{}}
	var refs []string
	for _, op := range ops {
		res := c.guarded(op)
		out.Results = append(out.Results, res)
		if res.Ref != "" {
			refs = append(refs, res.Ref)
		}
	}
	nodes := map[string]wire.Node{}
	for _, n := range c.nodesOf(c.sight, refs) {
		nodes[n.Ref] = n
	}
	for i, res := range out.Results {
		if n, ok := nodes[res.Ref]; ok {
			out.Results[i].Node = &n
		}
	}
	return out
}

// carryOut runs the handler and writes the pair's row: both, or neither.
func (c *twinCall) carryOut(op map[string]any) wire.Result {
	pair, ok := op["pair"].(map[string]any)
	paired := ok && len(pair) > 0
	switch {
	case paired && !c.engine:
		return refused("access", "pairs are written by the syncer")
	case paired && !slices.Contains(c.leased, c.numberOr0(pair["client"])):
		return refused("access", "no lease of this cloud client")
	}
	res := c.handler(op)(c, op)
	if res.Out != "done" && (res.Out != "gone" || op["kind"] != "remove") {
		return res
	}
	c.dropParts(op)
	if paired {
		written := c.putPair(pair, res.Ref)
		if written == nil {
			return wire.Result{Out: "changed", Ref: c.text(op["ref"]), Err: "the pair was written by another"}
		}
		res.Pair = written
	}
	return res
}

// guarded carries one write out in a savepoint of its own.
func (c *twinCall) guarded(op map[string]any) wire.Result {
	rollback := c.savepoint()
	var res wire.Result
	if f := catch(func() { res = c.carryOut(op) }); f != nil {
		res = failure(f)
	}
	if res.Out != "done" && res.Pair == nil {
		rollback()
		c.keys = nil // one of them may be gone
	}
	return res
}

// failure says what an exception means for the write it came from.
func failure(f *fault) wire.Result {
	text := func(s string) string { return s[:min(len(s), 500)] }
	switch f.class {
	case "psycopg2.errors.UniqueViolation":
		return wire.Result{Out: "failed", Kind: "changed", Err: "another was doing the same"}
	case "odoo.exceptions.AccessError":
		return refused("access", text(f.message))
	case "odoo.exceptions.MissingError":
		return wire.Result{Out: "gone"}
	case "odoo.exceptions.UserError", "odoo.exceptions.ValidationError":
		return refused("invalid", text(f.message))
	}
	return wire.Result{Out: "failed", Kind: "unknown", Err: text(f.Error())}
}
