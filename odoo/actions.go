package odoo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"odbxfs"
	"odbxfs/odoo/internal/wire"
	"odbxfs/odoo/provision"
)

// actions calls one set of our server actions, and is what [Engine] and [User]
// have in common: both speak the same language, and differ in whose rights the
// server side works with.
type actions struct {
	c   *Client
	set provision.Set

	mu  sync.Mutex       // guards ids
	ids map[string]int64 // of the actions by name; nil until asked for
}

// listPage is how many documents one answer holds when everything is listed.
const listPage = 20_000

// refsPage bounds the references in one question.
const refsPage = 2_000

// id gives the action's id, which every internal user may read in a model of
// ours: he may not read the actions themselves.
func (a *actions) id(ctx context.Context, name string) (int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	full := string(a.set) + "_" + name
	if id := a.ids[full]; id != 0 {
		return id, nil
	}
	var rows []struct {
		Key   string `odoo:"x_name"`
		Value string `odoo:"x_value"`
	}
	err := a.c.SearchRead(ctx, "x_odbxfs_meta", nil, []string{"x_name", "x_value"}, Query{}, &rows)
	if odbxfs.IsKind(err, odbxfs.KindUnknownModel) {
		return 0, notProvisioned("this database is not set up: run `odbxfs setup`")
	}
	if err != nil {
		return 0, err
	}
	ids, version := map[string]int64{}, ""
	for _, r := range rows {
		if name, ok := strings.CutPrefix(r.Key, "action."); ok {
			if n, err := strconv.ParseInt(r.Value, 10, 64); err == nil {
				ids[name] = n
			}
		}
		if r.Key == "version" {
			version = r.Value
		}
	}
	if version != provision.Version || ids[full] == 0 {
		return 0, notProvisioned(fmt.Sprintf("this database was set up for version %q, this is %q: run `odbxfs setup`", version, provision.Version))
	}
	a.ids = ids
	return ids[full], nil
}

func notProvisioned(why string) error {
	return &odbxfs.Error{Op: "look for our actions", Kind: odbxfs.KindUnsupported, Err: errors.New(why)}
}

// runTries bounds the repetitions of [actions.run].
const runTries = 5

// run calls one action. KindMissing means that nothing was done and that the
// call is to be repeated: either the action was set up anew, and its id is
// another; or Odoo 14 ran the call again after a serialization failure and lost
// its context, and our input with it (measured: its web session does).
func (a *actions) run(ctx context.Context, name string, arg map[string]any, out any) error {
	if arg == nil {
		arg = map[string]any{}
	}
	var err error
	for range runTries {
		var id int64
		if id, err = a.id(ctx, name); err != nil {
			return err
		}
		start := a.c.cfg.Now()
		err = a.c.RunAction(ctx, id, map[string]any{"odbxfs": arg}, out)
		a.c.cfg.Log.LogAttrs(ctx, slog.LevelDebug, "odoo action", slog.String("action", name), slog.Duration("took", a.c.cfg.Now().Sub(start)))
		if !isMissing(err) {
			return err
		}
		a.mu.Lock()
		a.ids = nil
		a.mu.Unlock()
	}
	return &odbxfs.Error{Op: "run " + string(a.set) + "_" + name, Kind: odbxfs.KindUnavailable, Err: fmt.Errorf("%d times another was in the way: %w", runTries, err)}
}

// Changes looks at Odoo: what is new or changed since mark (empty: everything,
// in several calls), and the counts of every scope. It may be repeated; a mark
// is good as long as the database lives.
func (a *actions) Changes(ctx context.Context, mark string) (odbxfs.OdooChanges, error) {
	if mark != "" {
		var w wire.Changes
		if err := a.run(ctx, "changes", map[string]any{"mark": mark}, &w); err != nil {
			return odbxfs.OdooChanges{}, err
		}
		return changesOf(w, w.Nodes)
	}
	// The mark must be older than the snapshot that is read: a call of its own.
	var first wire.Changes
	if err := a.run(ctx, "changes", map[string]any{"look": true}, &first); err != nil {
		return odbxfs.OdooChanges{}, err
	}
	var nodes []wire.Node
	for after := int64(0); ; {
		var page wire.Changes
		if err := a.run(ctx, "changes", map[string]any{"mark": first.Mark, "all": true, "after": after, "limit": listPage}, &page); err != nil {
			return odbxfs.OdooChanges{}, err
		}
		nodes = append(nodes, page.Nodes...)
		if page.More == 0 {
			// later pages may have seen more, so the first look's mark stays
			page.Mark = first.Mark
			return changesOf(page, nodes)
		}
		after = page.More
	}
}

func changesOf(w wire.Changes, nodes []wire.Node) (odbxfs.OdooChanges, error) {
	out := odbxfs.OdooChanges{Mark: w.Mark, Database: w.Database}
	var err error
	if out.Nodes, err = nodesOf(nodes); err != nil {
		return out, err
	}
	out.Nodes = wire.SortParents(out.Nodes)
	for _, row := range w.Counts {
		n, err := wire.Count(row)
		if err != nil {
			return out, answerError("look at Odoo", err)
		}
		out.Counts = append(out.Counts, n)
	}
	for _, c := range w.Clients {
		out.Clients = append(out.Clients, c.Odoo())
	}
	return out, nil
}

func nodesOf(nodes []wire.Node) ([]odbxfs.OdooNode, error) {
	out := make([]odbxfs.OdooNode, len(nodes))
	for i, n := range nodes {
		var err error
		if out[i], err = n.Odoo(); err != nil {
			return nil, answerError("look at Odoo", err)
		}
	}
	return out, nil
}

// Refs gives every reference of one scope that is in sight.
func (a *actions) Refs(ctx context.Context, scope odbxfs.OdooScope) ([]odbxfs.OdooRef, error) {
	kind, err := wire.ScopeName(scope.Kind)
	if err != nil {
		return nil, argumentError("list a scope", err)
	}
	var w struct {
		IDs []int64 `odoo:"ids"`
	}
	if err := a.run(ctx, "refs", map[string]any{"kind": kind, "model": scope.Model}, &w); err != nil {
		return nil, err
	}
	out := make([]odbxfs.OdooRef, len(w.IDs))
	for i, id := range w.IDs {
		out[i] = odbxfs.OdooRef{Kind: scope.Kind, ID: id}
		if scope.Kind == odbxfs.RefRecord {
			out[i].Model = scope.Model
		}
	}
	return out, nil
}

// Nodes gives what these references name, as it is now, parents first. What is
// not there, or not in sight, is left out.
func (a *actions) Nodes(ctx context.Context, refs []odbxfs.OdooRef) ([]odbxfs.OdooNode, error) {
	var out []odbxfs.OdooNode
	for len(refs) > 0 {
		n := min(len(refs), refsPage)
		var w struct {
			Nodes []wire.Node `odoo:"nodes"`
		}
		if err := a.run(ctx, "nodes", map[string]any{"refs": refTexts(refs[:n])}, &w); err != nil {
			return nil, err
		}
		nodes, err := nodesOf(w.Nodes)
		if err != nil {
			return nil, err
		}
		out = append(out, nodes...)
		refs = refs[n:]
	}
	return wire.SortParents(out), nil
}

func refTexts(refs []odbxfs.OdooRef) []string {
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = r.String()
	}
	return out
}
