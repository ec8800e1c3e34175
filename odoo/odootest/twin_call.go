package odootest

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// The names that our models share with the actions.
const (
	placeModel  = "x_odbxfs_place"
	folderModel = "x_odbxfs_folder"
	pairModel   = "x_odbxfs_pair"
	clientModel = "x_odbxfs_client"
	leaseModel  = "x_odbxfs_lease"
	keyModel    = "x_odbxfs_key"
	uploadModel = "x_odbxfs_upload"
	documents   = "ir.attachment"
)

// microseconds is how the actions write a moment of the database.
const microseconds = "2006-01-02 15:04:05.000000"

// twinCall is one call of a twin. As Python's, its methods raise: see raise.
type twinCall struct {
	*tx
	engine bool // full sight and rights; else the caller's
	arg    map[string]any
	sight  *sight            // of what is written to; apply's
	leased []int64           // cloud clients whose epoch held; apply's
	saw    map[string]bool   // answers of writable, "model:id"
	keys   map[string]string // what each key of a create made; nil: not looked yet
}

// raised carries a fault up to whoever called a twin, as an exception does.
type raised struct{ *fault }

// raise ends the twin with a fault, if there is one.
func (c *twinCall) raise(f *fault) {
	if f != nil {
		panic(raised{f})
	}
}

// bad refuses what the caller sent.
func (c *twinCall) bad(format string, args ...any) {
	c.raise(userError("odbxfs: "+format, args...))
}

// catch runs fn and gives what it raised.
func catch(fn func()) (f *fault) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case raised:
			f = v.fault
		default:
			panic(v)
		}
	}()
	fn()
	return nil
}

// runTwin does what the prelude of every action does, and runs it.
func (t *tx) runTwin(action known) (any, *fault) {
	arg, given := t.context["odbxfs"]
	c := &twinCall{tx: t, engine: action.engine, saw: map[string]bool{}}
	c.arg, _ = arg.(map[string]any)
	if !given && action.prelude {
		// a call that was run again without its context: nothing was done
		return nil, missingError("x_odbxfs_meta", 1<<31-1, t.uid)
	}
	was := t.context
	t.context = map[string]any{"active_test": false, "image_no_postprocess": true}
	defer func() { t.context = was }()
	var out any
	f := catch(func() { out = action.run(c) })
	return plain(out), f
}

// plain gives a value as a transport writes it.
func plain(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // twins answer with maps, lists, texts and numbers
	}
	out, err := parseJSON(data)
	if err != nil {
		panic(err)
	}
	return out
}

// root runs fn with full rights.
func (c *twinCall) root(fn func() *fault) { c.raise(c.asRoot(fn)) }

// me runs fn with the rights that this set has.
func (c *twinCall) me(fn func() *fault) {
	if c.engine {
		c.root(fn)
		return
	}
	c.raise(fn())
}

// allowed asks whether fn would be refused.
func (c *twinCall) allowed(m *model, id int64, operation string) bool {
	return c.mayModel(m, operation) == nil && (id == 0 || c.mayRow(m, id, operation) == nil)
}

// number reads a whole number, which may have come as text.
func (c *twinCall) number(v any) int64 {
	switch n := v.(type) {
	case int64:
		return n
	case string:
		if i, err := strconv.ParseInt(n, 10, 64); err == nil && i >= 0 && len(n) < 20 {
			return i
		}
	}
	c.bad("want a number, got %v", v)
	return 0
}

// numberOr0 takes nothing for 0.
func (c *twinCall) numberOr0(v any) int64 {
	if v == nil || v == false || v == "" {
		return 0
	}
	return c.number(v)
}

// text reads a text; nothing is the empty one.
func (c *twinCall) text(v any) string {
	if v == nil || v == false {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		c.bad("want a text, got %v", v)
	}
	return s
}

func (c *twinCall) list(v any) []any {
	l, _ := v.([]any)
	return l
}

func (c *twinCall) texts(v any) []string {
	var out []string
	for _, e := range c.list(v) {
		out = append(out, c.text(e))
	}
	return out
}

// parsed is a reference taken apart.
type parsed struct {
	kind, model string
	id          int64
}

func (c *twinCall) parse(ref string) parsed {
	part := strings.Split(ref, ":")
	switch {
	case part[0] == "root" && len(part) == 1:
		return parsed{kind: "root"}
	case part[0] == "rec" && len(part) == 3:
		return parsed{"rec", part[1], c.number(part[2])}
	case (part[0] == "rule" || part[0] == "dir" || part[0] == "att") && len(part) == 2:
		return parsed{part[0], "", c.number(part[1])}
	}
	c.bad("%q is not a reference", ref)
	return parsed{}
}

func refTo(kind string, id int64) string { return kind + ":" + strconv.FormatInt(id, 10) }

// nanos is a stored moment as nodes have it.
func nanos(d time.Time) string {
	if d.IsZero() {
		return "0"
	}
	return strconv.FormatInt(d.UnixMicro(), 10) + "000"
}

// clock is PostgreSQL's clock_timestamp.
func (c *twinCall) clock() time.Time { return c.s.opt.Now().UTC().Truncate(time.Microsecond) }

// rows gives those of a model that fn takes, by id.
func (c *twinCall) rows(model string, fn func(id int64, r record) bool) []int64 {
	m := c.db.models[model]
	if m == nil {
		c.raise(unforeseen("psycopg2.errors.UndefinedTable", "relation %q does not exist", strings.ReplaceAll(model, ".", "_")))
	}
	return m.find(fn)
}

// first gives the lowest id, 0 for none.
func first(ids []int64) int64 {
	if len(ids) == 0 {
		return 0
	}
	return ids[0]
}
