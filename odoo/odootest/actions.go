package odootest

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// A twin answers a server action in Go. arg is the context's "odbxfs".
type twin func(t *tx, engine bool, arg map[string]any) (any, *fault)

// twins are the actions that this server knows, by the SHA-256 of their code.
var twins = map[string]twin{}

// runAction is ir.actions.server.run: who is in one of its groups may; on 19
// an action without groups may be run by anybody, portal users included.
func runAction(t *tx, m *model, a args) (any, *fault) {
	ids := a.ids()
	if len(ids) != 1 || m.rows[ids[0]] == nil {
		return nil, missingError(m.name, 0, t.uid)
	}
	r := m.rows[ids[0]]
	groups := r.list(t.s.names().userGroups)
	mine := t.groups(t.uid)
	if len(groups) > 0 && !slices.ContainsFunc(groups, func(g int64) bool { return slices.Contains(mine, g) }) {
		return nil, accessError("You don't have enough access rights to run this action.")
	}
	sum := sha256.Sum256([]byte(r.str("code")))
	run, ok := twins[hex.EncodeToString(sum[:])]
	if !ok {
		return nil, unforeseen("ValueError", "this server runs no Python and has no twin of %q", r.str("name"))
	}
	arg, _ := t.context["odbxfs"].(map[string]any)
	return run(t, false, arg)
}
