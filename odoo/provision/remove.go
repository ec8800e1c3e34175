package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"odbxfs"
)

// ErrLinksLeft says that documents are links still, so that removing what knows
// their files would lose them.
var ErrLinksLeft = errors.New("documents are links still")

// ErrPlacesUsed says that documents lie in free folders, which end with our
// models.
var ErrPlacesUsed = errors.New("documents lie in free folders")

// MakeRemovalPlan says what [RemoveAll] would do, and fails as it would.
func MakeRemovalPlan(ctx context.Context, c Caller) (Plan, error) {
	r := &setup{c: c, dry: true}
	err := r.removeAll(ctx)
	return r.plan, err
}

// RemoveAll takes everything of ours out of Odoo again. It refuses with
// [ErrLinksLeft] or [ErrPlacesUsed]. base_automation stays installed.
func RemoveAll(ctx context.Context, c Caller) (Plan, error) {
	r := &setup{c: c}
	err := r.removeAll(ctx)
	return r.plan, err
}

// named is one of our external ids.
type named struct {
	ID    int64  `odoo:"id"`
	Name  string `odoo:"name"`
	Model string `odoo:"model"`
	ResID int64  `odoo:"res_id"`
}

// removalOrder: what refers to others goes first.
var removalOrder = []string{"base.automation", "ir.ui.menu", "ir.actions.act_window", "ir.actions.server", "ir.ui.view", "ir.rule", "ir.model.fields", "ir.model.access", "ir.model", "res.users", "res.groups"}

func (s *setup) removeAll(ctx context.Context) error {
	var err error
	if s.f, err = askFlavor(ctx, s.c); err != nil {
		return err
	}
	var ours []named
	kw := map[string]any{"fields": []string{"name", "model", "res_id"}, "order": "id desc"}
	if err := s.c.Call(ctx, "ir.model.data", "search_read", []any{[]any{[]any{"module", "=", module}}}, kw, &ours); err != nil {
		return err
	}
	s.ids = map[string]int64{}
	for _, n := range ours {
		s.ids[module+"."+n.Name] = n.ResID
	}
	if err := s.mayRemove(ctx); err != nil {
		return err
	}
	for _, model := range removalOrder {
		// newest first: children before parents, models before those they refer to
		of := slices.DeleteFunc(slices.Clone(ours), func(n named) bool { return n.Model != model })
		if err := s.removeOf(ctx, model, of); err != nil {
			return err
		}
	}
	return s.removeNames(ctx)
}

// mayRemove asks what would be lost, and clears what would be left behind.
func (s *setup) mayRemove(ctx context.Context) error {
	if s.id("action_setup_data") == 0 {
		return nil // nothing, or a setup that broke off before there was any data
	}
	var left dataAnswer
	if err := s.run(ctx, "setup_data", map[string]any{"dry": true}, &left); err != nil {
		return err
	}
	if left.Pairs > 0 || left.Links > 0 {
		return fmt.Errorf("%w (%d pairs, %d documents)", ErrLinksLeft, left.Pairs, left.Links)
	}
	if left.Places > 0 {
		return fmt.Errorf("%w (%d documents)", ErrPlacesUsed, left.Places)
	}
	s.step(Run, "server action", "setup_prepare_remove", "index on ir_attachment, parts of uploads")
	if s.dry || s.id("action_setup_prepare_remove") == 0 {
		return nil
	}
	return s.run(ctx, "setup_prepare_remove", nil, nil)
}

func (s *setup) removeOf(ctx context.Context, model string, of []named) error {
	for _, n := range of {
		s.step(Remove, label(model), n.Name, "")
	}
	if s.dry || len(of) == 0 {
		return nil
	}
	switch model {
	case "base.automation":
		return s.removeAutomations(ctx, of)
	case "res.users":
		return s.removeUsers(ctx, of)
	case "ir.model":
		// a folder's rule and a rule's folder: the fields that make the ring go
		// first, and those with tables of their own
		if err := s.removeFields(ctx); err != nil {
			return err
		}
	}
	// All in one call: after each that takes models or fields Odoo builds its
	// registry anew, which takes seconds (measured on Odoo 14 and 19).
	ids := make([]int64, len(of))
	for i, n := range of {
		ids[i] = n.ResID
	}
	return s.unlink(ctx, model, ids)
}

// unlink removes those that are there; somebody may have removed one by hand.
func (s *setup) unlink(ctx context.Context, model string, ids []int64) error {
	var there []int64
	kw := map[string]any{"context": map[string]any{"active_test": false}}
	if err := s.c.Call(ctx, model, "search", []any{[]any{[]any{"id", "in", ids}}}, kw, &there); err != nil {
		return err
	}
	if len(there) == 0 {
		return nil
	}
	if err := s.c.Call(ctx, model, "unlink", []any{there}, nil, nil); err != nil {
		return fmt.Errorf("remove %s %v: %w", label(model), there, err)
	}
	return nil
}

// removeAutomations: on 14 the automation's server action outlives it.
func (s *setup) removeAutomations(ctx context.Context, of []named) error {
	for _, n := range of {
		var actions []int64
		if !s.f.splitAutomaton {
			var rows []map[string]any
			if err := s.c.Call(ctx, "base.automation", "read", []any{[]int64{n.ResID}, []string{"action_server_id"}}, nil, &rows); err != nil {
				return err
			}
			if len(rows) == 1 {
				if ref, ok := rows[0]["action_server_id"].([]any); ok && len(ref) == 2 {
					actions = append(actions, ref[0].(int64))
				}
			}
		}
		if err := s.unlink(ctx, "base.automation", []int64{n.ResID}); err != nil {
			return err
		}
		if err := s.unlink(ctx, "ir.actions.server", actions); err != nil {
			return err
		}
	}
	return nil
}

// removeUsers unlinks the users whom setup made, and their contacts. Where Odoo
// refuses, because something of theirs must stay, they are archived.
func (s *setup) removeUsers(ctx context.Context, of []named) error {
	for _, n := range of {
		var rows []map[string]any
		if err := s.c.Call(ctx, "res.users", "read", []any{[]int64{n.ResID}, []string{"partner_id"}}, nil, &rows); err != nil {
			return err
		}
		err := s.unlink(ctx, "res.users", []int64{n.ResID})
		if err == nil && len(rows) == 1 {
			if ref, ok := rows[0]["partner_id"].([]any); ok && len(ref) == 2 {
				err = s.unlink(ctx, "res.partner", []int64{ref[0].(int64)})
			}
		}
		if odbxfs.IsKind(err, odbxfs.KindInvalid) {
			s.plan.Notes = append(s.plan.Notes, fmt.Sprintf("user %d or his contact is archived, not removed: Odoo needs him (%v)", n.ResID, err))
			err = s.c.Call(ctx, "res.users", "write", []any{[]int64{n.ResID}, map[string]any{"active": false}}, nil, nil)
		}
		if err != nil && !odbxfs.IsKind(err, odbxfs.KindMissing) {
			return fmt.Errorf("remove user: %w", err)
		}
	}
	return nil
}

func (s *setup) removeFields(ctx context.Context) error {
	var ids []int64
	for _, m := range ownModels() {
		of := slices.Clone(m.late)
		for _, f := range m.fields {
			if f.kind == "many2many" { // its table would outlive the model
				of = append(of, f)
			}
		}
		for _, f := range of {
			id, err := findOne(ctx, s.c, "ir.model.fields", []any{[]any{"model", "=", m.name}, []any{"name", "=", f.name}})
			if err != nil {
				return err
			}
			if id != 0 {
				ids = append(ids, id)
			}
		}
	}
	return s.unlink(ctx, "ir.model.fields", ids)
}

// removeNames drops the external ids that did not end with their records.
func (s *setup) removeNames(ctx context.Context) error {
	if s.dry || len(s.ids) == 0 {
		return nil
	}
	var ids []int64
	if err := s.c.Call(ctx, "ir.model.data", "search", []any{[]any{[]any{"module", "=", module}}}, nil, &ids); err != nil {
		return err
	}
	return s.unlink(ctx, "ir.model.data", ids)
}
