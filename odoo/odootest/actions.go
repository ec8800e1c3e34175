package odootest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"odbxfs/odoo/provision"
)

// A twin answers a server action in Go.
type twin func(c *twinCall) any

// A known action is one whose code this server can stand in for.
type known struct {
	engine  bool // runs with full rights
	prelude bool // starts with prelude.py, which wants an input
	run     twin
}

// twinsByName are named as the actions, without the set's name before it.
var twinsByName = map[string]twin{
	"changes": twinChanges, "refs": twinRefs, "nodes": twinNodes, "upload": twinUpload, "apply": twinApply, "pairs": twinPairs, "lease": twinLease,
	"log": twinLog, "content": twinContent, "client_state": twinClientState, "links": twinLinks, "verify": twinVerify, "check": twinCheck,
}

var setupTwins = map[string]twin{"setup_index": twinSetupIndex, "setup_data": twinSetupData, "setup_prepare_remove": twinSetupPrepareRemove}

// twins are the actions that this server knows, by the SHA-256 of their code.
var twins = knownActions()

func knownActions() map[string]known {
	all := map[string]known{}
	for _, a := range provision.Actions() {
		_, name, _ := strings.Cut(a.Name, "_")
		if run := twinsByName[name]; run != nil {
			all[a.SHA256] = known{engine: a.Set == provision.EngineSet, prelude: true, run: run}
		}
	}
	for _, a := range provision.SetupActions() {
		if run := setupTwins[a.Name]; run != nil {
			all[a.SHA256] = known{engine: true, run: run}
		}
	}
	return all
}

// runAction is ir.actions.server.run: who is in one of its groups may; one
// without groups whoever may write its model, and on 19 anybody, portal users
// included.
func runAction(t *tx, m *model, a args) (any, *fault) {
	ids := a.ids()
	if len(ids) != 1 || m.rows[ids[0]] == nil {
		return nil, missingError(m.name, append(ids, 0)[0], t.uid)
	}
	r := m.rows[ids[0]]
	if f := t.mayRun(r); f != nil {
		return nil, f
	}
	action, ok := twins[shaOf(r.str("code"))]
	if !ok {
		for _, stub := range t.s.opt.Stubs {
			if stub.Code == r.str("code") {
				return t.runStub(stub)
			}
		}
		return nil, unforeseen("ValueError", "this server runs no Python and has no twin of %q", r.str("name"))
	}
	return t.runTwin(action)
}

func (t *tx) runStub(stub Stub) (any, *fault) {
	out, err := stub.Run(t.context, t.uid)
	if e, ok := errors.AsType[*PythonError](err); ok {
		return nil, unforeseen(e.Class, "%s", e.Message)
	}
	if err != nil {
		return nil, unforeseen("RuntimeError", "%v", err)
	}
	return plain(out), nil
}

func shaOf(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

func (t *tx) mayRun(action record) *fault {
	denied := accessError("You don't have enough access rights to run this action.")
	groups := action.list(t.s.names().userGroups)
	if len(groups) == 0 {
		if t.s.opt.Version >= 19 {
			return nil
		}
		on := t.db.models[t.must("ir.model").rows[action.num("model_id")].str("model")]
		if on == nil || t.mayModel(on, "write") != nil {
			return denied
		}
		return nil
	}
	mine := t.groups(t.uid)
	if !slices.ContainsFunc(groups, func(g int64) bool { return slices.Contains(mine, g) }) {
		return denied
	}
	return nil
}
