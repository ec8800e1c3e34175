package odootest

import (
	"maps"
	"slices"
	"time"
)

// A record is one row. Values are string, bool, int64, float64, []int64 (of
// x2many fields), time.Time (of datetimes), or nil.
type record map[string]any

// A field describes one column, stored or computed.
type field struct {
	kind     string // Odoo's ttype
	relation string
	required bool
	noCopy   bool
	manual   bool
	values   []string // of a selection; empty: any
	onDelete string   // of a many2one: cascade, restrict, set null
	// compute gives the value of a field that is not stored.
	compute func(tx *tx, r record) any
}

// A model is a table and what is known of it.
type model struct {
	name   string
	order  string
	fields map[string]*field
	manual bool
	rows   map[int64]record
	sorted []int64 // the ids of rows, ascending
	// by has the ids, ascending, by the text of a field: for the fields that with
	// was asked of.
	by   map[string]map[string][]int64
	last int64 // ids are never given twice
}

// db is the whole database. The server's mutex guards it.
type db struct {
	models map[string]*model
	unique []uniqueIndex
}

// A uniqueIndex is what a server action makes by SQL on a real server.
type uniqueIndex struct {
	name   string
	model  string
	fields []string
	where  func(r record) bool // nil: every row
}

// tx is one call's transaction: what it changed can be put back.
type tx struct {
	s   *Server
	db  *db
	uid int64
	su  bool
	// context is what the client sent along.
	context map[string]any
	now     time.Time
	undo    []func()
}

func (t *tx) rollback() {
	for _, undo := range slices.Backward(t.undo) {
		undo()
	}
	t.undo = nil
}

// savepoint gives a function that puts back all that was done since.
func (t *tx) savepoint() func() {
	n := len(t.undo)
	return func() {
		for _, undo := range slices.Backward(t.undo[n:]) {
			undo()
		}
		t.undo = t.undo[:n]
	}
}

// sudo is the same transaction without rights.
func (t *tx) asRoot(fn func() *fault) *fault {
	was := t.su
	t.su = true
	defer func() { t.su = was }()
	return fn()
}

func (t *tx) model(name string) (*model, *fault) {
	m, ok := t.db.models[name]
	if !ok {
		return nil, userError("Object %s doesn't exist", name)
	}
	return m, nil
}

// must is for models that every server has.
func (t *tx) must(name string) *model {
	m, f := t.model(name)
	if f != nil {
		panic(f.message)
	}
	return m
}

// put writes values of one row, as SQL would: no rights, no dates.
func (t *tx) put(m *model, id int64, vals record) {
	old, existed := m.rows[id]
	kept := maps.Clone(old)
	t.undo = append(t.undo, func() {
		if existed {
			m.set(id, kept)
		} else {
			m.drop(id)
		}
	})
	if !existed {
		old = record{}
	}
	row := maps.Clone(old)
	maps.Copy(row, vals)
	m.set(id, row)
}

// set and drop keep rows, their order and their indexes together.
func (m *model) set(id int64, r record) {
	m.drop(id)
	m.sorted = withID(m.sorted, id)
	m.rows[id] = r
	for name, ids := range m.by {
		ids[r.str(name)] = withID(ids[r.str(name)], id)
	}
}

func (m *model) drop(id int64) {
	r, existed := m.rows[id]
	if !existed {
		return
	}
	m.sorted = withoutID(m.sorted, id)
	delete(m.rows, id)
	for name, ids := range m.by {
		ids[r.str(name)] = withoutID(ids[r.str(name)], id)
	}
}

// with gives the ids of the rows whose field has this text, ascending, without a
// look at each row. The slice is the model's own until the next set or drop.
func (m *model) with(name, text string) []int64 {
	if m.by[name] == nil {
		if m.by == nil {
			m.by = map[string]map[string][]int64{}
		}
		ids := map[string][]int64{}
		for _, id := range m.sorted {
			ids[m.rows[id].str(name)] = append(ids[m.rows[id].str(name)], id)
		}
		m.by[name] = ids
	}
	return m.by[name][text]
}

func withID(ids []int64, id int64) []int64 {
	i, _ := slices.BinarySearch(ids, id)
	return slices.Insert(ids, i, id)
}

func withoutID(ids []int64, id int64) []int64 {
	if i, found := slices.BinarySearch(ids, id); found {
		return slices.Delete(ids, i, i+1)
	}
	return ids
}

// insert makes a row and gives its id.
func (t *tx) insert(m *model, vals record) int64 {
	m.last++ // not put back by a rollback, as with a sequence
	id := m.last
	row := record{"create_date": t.now, "write_date": t.now, "create_uid": t.uid, "write_uid": t.uid}
	maps.Copy(row, vals)
	t.put(m, id, row)
	return id
}

// stamp writes values with the marks of who and when.
func (t *tx) stamp(m *model, id int64, vals record) {
	row := maps.Clone(vals)
	row["write_date"], row["write_uid"] = t.now, t.uid
	t.put(m, id, row)
}

// erase removes a row.
func (t *tx) erase(m *model, id int64) {
	old, existed := m.rows[id]
	if !existed {
		return
	}
	t.undo = append(t.undo, func() { m.set(id, old) })
	m.drop(id)
}

// ids gives all ids of a model, ascending.
func (m *model) ids() []int64 { return slices.Clone(m.sorted) }

// find gives the ids of the rows that fn takes, ascending.
func (m *model) find(fn func(id int64, r record) bool) []int64 {
	var out []int64
	for _, id := range m.ids() {
		if fn(id, m.rows[id]) {
			out = append(out, id)
		}
	}
	return out
}

func (r record) str(name string) string {
	s, _ := r[name].(string)
	return s
}

func (r record) num(name string) int64 {
	n, _ := r[name].(int64)
	return n
}

func (r record) yes(name string) bool {
	b, _ := r[name].(bool)
	return b
}

func (r record) list(name string) []int64 {
	l, _ := r[name].([]int64)
	return l
}

func (r record) time(name string) time.Time {
	d, _ := r[name].(time.Time)
	return d
}
