package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"odbxfs/integration/lab"
	"odbxfs/odoo"
	"odbxfs/odoo/odootest"
)

// document is a row of ir_attachment as the database has it.
type document struct {
	ID       int64
	Name     string
	Type     string
	URL      string
	Checksum string
	Size     int64
	Mimetype string
	Stored   string // store_fname
}

// odooSide is the Odoo of a world: for setting scenes through its API, and for
// judging by what it stores.
type odooSide interface {
	address() (url, database string)
	version() int
	// call is a method call as the administrator.
	call(ctx context.Context, model, method string, args []any, kw map[string]any, out any) error
	// makeUp describes, sorted, what Odoo is made of: models, fields, pages,
	// actions, rights, parameters.
	// stamped: with who wrote each row last, and when.
	makeUp(t *testing.T, stamped bool) []string
	// refused counts the sign-ins of a login that were refused so far, by the
	// server's own log.
	refused(t *testing.T, login string) int
	// endSessions ends all sessions: on 14 a new password ends its user's, on 19
	// those that are at work go on.
	endSessions(t *testing.T)
	// flood puts n documents like the given one beside it, past Odoo.
	flood(t *testing.T, like document, n int)
	// documents gives the rows of one record by id, those of fields left out;
	// with model "" those of all records.
	documents(t *testing.T, model string, id int64) []document
	// count counts the rows of a table that a condition of SQL's simplest kind
	// (column = value) takes.
	count(t *testing.T, model, column string, value any) int
	// stored reports whether the filestore has a content.
	stored(t *testing.T, sha1 string) bool
	// calls gives the number of requests so far, by the server's own log.
	calls(t *testing.T) int
	// real gives the lab's server, nil in memory.
	real() *lab.Server
	stop(t *testing.T)
	start(t *testing.T)
}

// realOdoo is a server of the lab.
type realOdoo struct{ *lab.Server }

func (o realOdoo) address() (url, database string) { return o.URL, o.Database }
func (o realOdoo) version() int                    { return o.Version }
func (o realOdoo) real() *lab.Server               { return o.Server }

func (o realOdoo) call(ctx context.Context, model, method string, args []any, kw map[string]any, out any) error {
	return o.Admin(ctx, model, method, args, kw, out)
}

func (o realOdoo) query(t *testing.T, scan func(pgx.Rows) error, sql string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), o.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		if err := scan(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func (o realOdoo) documents(t *testing.T, model string, id int64) []document {
	t.Helper()
	var all []document
	o.query(t, func(r pgx.Rows) error {
		var d document
		err := r.Scan(&d.ID, &d.Name, &d.Type, &d.URL, &d.Checksum, &d.Size, &d.Mimetype, &d.Stored)
		all = append(all, d)
		return err
	}, `SELECT id, name, type, coalesce(url,''), coalesce(checksum,''), coalesce(file_size,0), coalesce(mimetype,''), coalesce(store_fname,'')
		FROM ir_attachment WHERE ($1 = '' OR res_model=$1 AND res_id=$2) AND res_field IS NULL ORDER BY id`, model, id)
	return all
}

func (o realOdoo) makeUp(t *testing.T, stamped bool) []string {
	t.Helper()
	all, err := o.Dump(t.Context(), stamped)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (o realOdoo) refused(t *testing.T, login string) int {
	t.Helper()
	log, err := o.Log(0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(log) {
		if strings.Contains(line, "Login failed") && strings.Contains(line, "login:"+login+" ") {
			n++
		}
	}
	return n
}

func (o realOdoo) endSessions(t *testing.T) {
	t.Helper()
	sessions := filepath.Join(o.Filestore(), "..", "..", "sessions")
	_, err := os.Stat(sessions)
	must(t, err)
	must(t, filepath.WalkDir(sessions, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			err = os.Remove(path)
		}
		if errors.Is(err, os.ErrNotExist) { // Odoo renames a session's new file over the old one
			return nil
		}
		return err
	}))
}

func (o realOdoo) flood(t *testing.T, like document, n int) {
	t.Helper()
	o.query(t, func(pgx.Rows) error { return nil }, `INSERT INTO ir_attachment
		(name, type, url, store_fname, checksum, file_size, mimetype, res_model, res_id, public, create_uid, write_uid, create_date, write_date)
		SELECT 'flood ' || n || '.txt', type, url, store_fname, checksum, file_size, mimetype, res_model, res_id, false, create_uid, write_uid, now() at time zone 'utc', now() at time zone 'utc'
		FROM ir_attachment CROSS JOIN generate_series(1, $1::int) n WHERE id = $2`, n, like.ID)
}

func (o realOdoo) count(t *testing.T, model, column string, value any) int {
	t.Helper()
	n := 0
	table := pgx.Identifier{tableOf(model)}.Sanitize()
	o.query(t, func(r pgx.Rows) error { return r.Scan(&n) }, "SELECT count(*) FROM "+table+" WHERE "+pgx.Identifier{column}.Sanitize()+" = $1", value)
	return n
}

func tableOf(model string) string {
	b := []byte(model)
	for i := range b {
		if b[i] == '.' {
			b[i] = '_'
		}
	}
	return string(b)
}

func (o realOdoo) stored(t *testing.T, sha1 string) bool {
	t.Helper()
	_, err := os.Stat(filepath.Join(o.Filestore(), sha1[:2], sha1))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return err == nil
}

func (o realOdoo) calls(t *testing.T) int {
	t.Helper()
	all, err := o.Calls(0)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func (o realOdoo) stop(t *testing.T) {
	t.Helper()
	if err := o.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (o realOdoo) start(t *testing.T) {
	t.Helper()
	if err := o.StartAgain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// memoryOdoo is the server in memory.
type memoryOdoo struct {
	*odootest.Server
	admin *odoo.Client
}

func newMemoryOdoo(t *testing.T, version int) *memoryOdoo {
	t.Helper()
	s := odootest.New(odootest.Options{Version: version, Demo: true})
	url, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	admin, err := odoo.New(odoo.Config{
		URL: url, Database: s.Database(), Login: odootest.AdminLogin, Now: time.Now,
		Secret: func(context.Context) (string, error) { return odootest.AdminPassword, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &memoryOdoo{s, admin}
}

func (o *memoryOdoo) address() (url, database string) { return o.URL(), o.Database() }
func (o *memoryOdoo) version() int                    { return 19 }
func (o *memoryOdoo) real() *lab.Server               { return nil }

func (o *memoryOdoo) call(ctx context.Context, model, method string, args []any, kw map[string]any, out any) error {
	var v any
	if err := o.admin.Call(ctx, model, method, args, kw, &v); err != nil || out == nil {
		return err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, out)
}

func (o *memoryOdoo) documents(_ *testing.T, model string, id int64) []document {
	var all []document
	for _, r := range o.Rows("ir.attachment") {
		if model != "" && (r["res_model"] != model || r["res_id"] != id) || r["res_field"] != nil {
			continue
		}
		d := document{}
		d.ID, _ = r["id"].(int64)
		d.Size, _ = r["file_size"].(int64)
		for name, to := range map[string]*string{"name": &d.Name, "type": &d.Type, "url": &d.URL, "checksum": &d.Checksum, "mimetype": &d.Mimetype, "store_fname": &d.Stored} {
			*to, _ = r[name].(string)
		}
		all = append(all, d)
	}
	return all
}

func (o *memoryOdoo) makeUp(_ *testing.T, stamped bool) []string {
	var all []string
	for _, model := range o.Models() {
		if !strings.HasPrefix(model, "ir.") && model != "res.groups" && model != "base.automation" || model == "ir.attachment" {
			continue
		}
		for _, row := range o.Rows(model) {
			if !stamped {
				delete(row, "write_date")
				delete(row, "write_uid")
			}
			maps.DeleteFunc(row, func(_ string, v any) bool { // no rows of a relation are no rows, however it is kept
				list, isList := v.([]int64)
				return v == nil || isList && len(list) == 0
			})
			all = append(all, fmt.Sprint(model, " ", row)) // maps print sorted
		}
	}
	slices.Sort(all)
	return all
}

func (o *memoryOdoo) refused(_ *testing.T, login string) int {
	n := 0
	for _, in := range o.SignIns() {
		if in.Login == login && !in.OK {
			n++
		}
	}
	return n
}

func (o *memoryOdoo) endSessions(*testing.T) { o.ForgetSessions() }

func (o *memoryOdoo) flood(_ *testing.T, like document, n int) {
	for _, r := range o.Rows("ir.attachment") {
		if r["id"] != like.ID {
			continue
		}
		delete(r, "id")
		delete(r, "create_date")
		delete(r, "write_date")
		rows := make([]map[string]any, n)
		for i := range rows {
			rows[i] = maps.Clone(r)
			rows[i]["name"] = fmt.Sprintf("flood %d.txt", i+1)
		}
		o.Insert("ir.attachment", rows...)
	}
}

func (o *memoryOdoo) count(_ *testing.T, model, column string, value any) int {
	n := 0
	for _, r := range o.Rows(model) {
		if fmt.Sprint(r[column]) == fmt.Sprint(value) {
			n++
		}
	}
	return n
}

func (o *memoryOdoo) stored(_ *testing.T, sha1 string) bool { return o.Stored(sha1) }
func (o *memoryOdoo) calls(*testing.T) int                  { return len(o.Requests()) }

func (o *memoryOdoo) stop(t *testing.T) {
	t.Helper()
	if err := o.Pause(); err != nil {
		t.Fatal(err)
	}
}

func (o *memoryOdoo) start(t *testing.T) {
	t.Helper()
	if err := o.Resume(); err != nil {
		t.Fatal(err)
	}
}
