package ports

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/odoo"
)

func listsEverything(b *bench) {
	t := b.t
	for name, p := range map[string]port{"engine": b.engine, "user": b.user} {
		c, err := p.Changes(b.ctx, "")
		if err != nil {
			t.Fatal(name, err)
		}
		if len(c.Nodes) == 0 || c.Nodes[0].Ref != odbxfs.RootRef() || c.Database == "" || c.Mark == "" || len(c.Clients) != 1 {
			t.Fatalf("%s: %d nodes, database %q, mark %q, clients %v", name, len(c.Nodes), c.Database, c.Mark, c.Clients)
		}
		seen := map[odbxfs.OdooRef]bool{{}: true}
		for _, n := range c.Nodes {
			if !seen[n.ParentRef] {
				t.Errorf("%s: %s %q comes before its parent %s", name, n.Ref, n.Name, n.ParentRef)
			}
			seen[n.Ref] = true
		}
		orders, ok := find(c.Nodes, odbxfs.RootRef(), "Sales Orders")
		if !ok || orders.Role != odbxfs.RoleRule || orders.Client != b.client {
			t.Errorf("%s: rule folder %+v", name, orders)
		}
		order, ok := find(c.Nodes, orders.Ref, "S00001")
		if !ok || order.Role != odbxfs.RoleRecord {
			t.Errorf("%s: record folder %+v", name, order)
		}
		if offers, ok := find(c.Nodes, order.Ref, "Offers"); !ok || offers.Role != odbxfs.RoleDefault {
			t.Errorf("%s: default subfolder %+v", name, offers)
		}
	}
}

func countsMatchRefs(b *bench) {
	t := b.t
	b.put(t, b.user, b.partner(t, "Counted"), "a.txt", []byte("a"))
	for name, p := range map[string]port{"engine": b.engine, "user": b.user} {
		c, err := p.Changes(b.ctx, "")
		if err != nil {
			t.Fatal(name, err)
		}
		listed := map[odbxfs.OdooScope][]int64{}
		for _, n := range c.Nodes {
			listed[scopeOf(n, c.Nodes)] = append(listed[scopeOf(n, c.Nodes)], n.Ref.ID)
		}
		for _, count := range c.Counts {
			refs, err := p.Refs(b.ctx, count.Scope)
			if err != nil {
				t.Fatal(name, err)
			}
			var sum int64
			var ids []int64
			for _, r := range refs {
				sum += r.ID
				ids = append(ids, r.ID)
			}
			if int64(len(refs)) != count.Count || sum != count.Sum {
				t.Errorf("%s %v: %d refs with sum %d, counted %d and %d", name, count.Scope, len(refs), sum, count.Count, count.Sum)
			}
			slices.Sort(listed[count.Scope])
			if !slices.Equal(ids, listed[count.Scope]) {
				t.Errorf("%s %v: refs %v, listed %v", name, count.Scope, ids, listed[count.Scope])
			}
			delete(listed, count.Scope)
		}
		delete(listed, odbxfs.OdooScope{})
		if len(listed) != 0 {
			t.Errorf("%s: not counted: %v", name, listed)
		}
	}
}

// scopeOf follows a document up to what it hangs on.
func scopeOf(n odbxfs.OdooNode, nodes []odbxfs.OdooNode) odbxfs.OdooScope {
	switch n.Ref.Kind {
	case odbxfs.RefRoot:
		return odbxfs.OdooScope{}
	case odbxfs.RefRecord:
		return odbxfs.OdooScope{Kind: odbxfs.RefRecord, Model: n.Ref.Model}
	case odbxfs.RefAttachment:
		parent := n.ParentRef
		for parent.Kind == odbxfs.RefFolder {
			i := slices.IndexFunc(nodes, func(o odbxfs.OdooNode) bool { return o.Ref == parent })
			parent = nodes[i].ParentRef
		}
		model := parent.Model
		if parent.Kind != odbxfs.RefRecord {
			model = "x_odbxfs_place"
		}
		return odbxfs.OdooScope{Kind: odbxfs.RefAttachment, Model: model}
	default:
		return odbxfs.OdooScope{Kind: n.Ref.Kind}
	}
}

// settleMark looks until nothing new comes: a change shows in two looks.
func (b *bench) settleMark(t *testing.T, p port) string {
	t.Helper()
	c, err := p.Changes(b.ctx, "")
	for i := 0; err == nil && i < 10; i++ {
		c, err = p.Changes(b.ctx, c.Mark)
		if len(c.Nodes) <= 1 {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return c.Mark
}

func idleLook(b *bench) {
	t := b.t
	for name, p := range map[string]port{"engine": b.engine, "user": b.user} {
		c, err := p.Changes(b.ctx, b.settleMark(t, p))
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Nodes) != 1 || c.Nodes[0].Ref != odbxfs.RootRef() {
			t.Errorf("%s: an idle look brought %d nodes: %+v", name, len(c.Nodes), c.Nodes)
		}
	}
}

// lateCommit writes in a transaction that starts first and commits last, with
// looks and other people's work in between.
func lateCommit(b *bench) {
	t := b.t
	partner := b.partner(t, "Late")
	early := b.put(t, b.engine, partner, "early.txt", []byte("1"))
	mark := b.settleMark(t, b.engine)
	commit := b.srv.WriteLate(t, b.admin, early.Ref.ID, "late.txt")
	var between odbxfs.OdooNode
	for i := range 3 {
		between = b.put(t, b.engine, partner, fmt.Sprintf("between-%d.txt", i), []byte("x"))
		c, err := b.engine.Changes(b.ctx, mark)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := find(c.Nodes, partner, "late.txt"); ok {
			t.Fatal("what is not committed shows")
		}
		mark = c.Mark
	}
	commit()
	bears := func(ref odbxfs.OdooRef) time.Time {
		at, _ := b.row(t, "ir.attachment", ref.ID)["write_date"].(time.Time)
		return at
	}
	if late, last := bears(early.Ref), bears(between.Ref); late.IsZero() || !late.Before(last) {
		t.Errorf("what was committed last bears %s, what came between %s", late, last)
	}
	c, err := b.engine.Changes(b.ctx, mark)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := find(c.Nodes, partner, "late.txt"); !ok {
		t.Errorf("the late change is missed by mark %s", mark)
	}
}

func defaultSubfolders(b *bench) {
	t := b.t
	mark := b.settleMark(t, b.user)
	template, err := b.admin.Create(b.ctx, "sale.order", map[string]any{"partner_id": b.partner(t, "Buyer").ID})
	if err != nil {
		t.Fatal(err)
	}
	order := odbxfs.RecordRef("sale.order", template)
	c, err := b.engine.Changes(b.ctx, mark)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Offers", "Drawings"} {
		if f, ok := find(c.Nodes, order, name); !ok || f.Role != odbxfs.RoleDefault {
			t.Errorf("%s: %+v", name, f)
		}
	}
	offers, _ := find(c.Nodes, order, "Offers")
	b.apply(t, b.engine, odbxfs.Done, odbxfs.OdooOp{Kind: odbxfs.OdooRemove, Ref: offers.Ref, Expect: &offers})
	if c, err = b.engine.Changes(b.ctx, c.Mark); err != nil {
		t.Fatal(err)
	}
	back, ok := find(c.Nodes, order, "Offers")
	if !ok || back.Ref == offers.Ref {
		t.Errorf("a removed default subfolder came back as %+v", back)
	}
}

func firstRuleWins(b *bench) {
	t := b.t
	ids, err := b.admin.Search(b.ctx, "ir.model", []any{[]any{"model", "=", "res.partner"}}, odoo.Query{})
	if err != nil {
		t.Fatal(err)
	}
	rule, err := b.admin.Create(b.ctx, "x_odbxfs_rule", map[string]any{"x_name": "Favourites", "x_model_id": ids[0], "x_sequence": 1, "x_domain": "[('name', '=like', 'Fav%')]", "x_template": "{name} #{id}"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.admin.Unlink(b.ctx, "x_odbxfs_rule", []int64{rule}); err != nil {
			t.Error(err)
		}
	}()
	fav, other := b.partner(t, "Fav One"), b.partner(t, "Other One")
	n := b.node(t, b.user, fav)
	if want := fmt.Sprintf("Fav One #%d", fav.ID); n.ParentRef != odbxfs.RuleRef(rule) || n.Name != want || n.Client != 0 {
		t.Errorf("%+v, want %q below the new rule, with no client", n, want)
	}
	if n := b.node(t, b.user, other); n.ParentRef == odbxfs.RuleRef(rule) {
		t.Errorf("%+v is below a rule that does not take it", n)
	}
	b.settleMark(t, b.user) // the rule's place is made when somebody looks
	if file := b.put(t, b.user, odbxfs.RuleRef(rule), "of no record.txt", []byte("x")); file.ParentRef != odbxfs.RuleRef(rule) {
		t.Errorf("%+v", file)
	}
}

func brokenDomain(b *bench) {
	t := b.t
	ids, err := b.admin.Search(b.ctx, "ir.model", []any{[]any{"model", "=", "res.country"}}, odoo.Query{})
	if err != nil {
		t.Fatal(err)
	}
	rule, err := b.admin.Create(b.ctx, "x_odbxfs_rule", map[string]any{"x_name": "Broken", "x_model_id": ids[0], "x_domain": "[('name', "})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.admin.Unlink(b.ctx, "x_odbxfs_rule", []int64{rule}); err != nil {
			t.Error(err)
		}
	}()
	_, err = b.engine.Changes(b.ctx, "")
	wantKind(t, err, odbxfs.KindInvalid)
}

func movedInOdoo(b *bench) {
	t := b.t
	from, to := b.partner(t, "From"), b.partner(t, "To")
	a := b.apply(t, b.engine, odbxfs.Done, mkdir(from, "A")).Node.Ref
	inA := b.apply(t, b.engine, odbxfs.Done, mkdir(a, "B")).Node.Ref
	file := b.put(t, b.engine, inA, "f.txt", []byte("f")).Ref
	target := b.apply(t, b.engine, odbxfs.Done, mkdir(to, "T")).Node.Ref
	mark := b.settleMark(t, b.engine)
	if err := b.admin.Write(b.ctx, "x_odbxfs_folder", []int64{a.ID}, map[string]any{"x_parent_id": target.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.engine.Changes(b.ctx, mark); err != nil {
		t.Fatal(err)
	}
	if n := b.node(t, b.engine, a); n.ParentRef != target {
		t.Errorf("folder: %+v", n)
	}
	if n := b.node(t, b.engine, file); n.ParentRef != inA {
		t.Errorf("document: %+v", n)
	}
	if got := b.row(t, "ir.attachment", file.ID)["res_id"]; got != to.ID {
		t.Errorf("the document is of partner %v, want %d", got, to.ID)
	}
}
