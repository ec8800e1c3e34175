package odoo_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"odbxfs"
	"odbxfs/integration/lab"
	"odbxfs/odoo"
	"odbxfs/odoo/odootest/contract"
	"odbxfs/odoo/odootest/contract/ports"
)

// The ports of engine and mount on real servers.

// The first transport has all cases. The others carry other values: XML-RPC no
// null and no number above 2^31, JSON-2 no positional arguments.

func TestPortsOdoo14(t *testing.T) {
	portsOnLab(t, 14, ports.Options{Transport: odoo.Auto, Brief: []odoo.Transport{odoo.XMLRPC}})
}

func TestPortsOdoo19(t *testing.T) {
	portsOnLab(t, 19, ports.Options{Transport: odoo.Auto, Brief: []odoo.Transport{odoo.XMLRPC, odoo.JSON2}})
}

func portsOnLab(t *testing.T, version int, o ports.Options) {
	t.Helper()
	t.Parallel()
	s := &labServer{lab.Start(t, version)}
	o.Server = ports.Server{
		Version: version, Config: odoo.Config{URL: s.URL, Database: s.Database},
		Admin:    contract.Login{Login: s.AdminLogin, Password: s.AdminPassword},
		Employee: contract.Login{Login: s.DemoLogin, Password: s.DemoPassword},
		Portal:   contract.Login{Login: s.PortalLogin, Password: s.PortalPassword},
		Rows:     s.rows, Calls: s.calls, WriteLate: s.writeLate, Meet: s.meet,
	}
	ports.Run(t, o)
}

// labServer judges a server of the lab by SQL and by its log.
type labServer struct{ *lab.Server }

// connect signs in as Odoo's own role: pg_stat_activity shows a role its own
// sessions only.
func (s *labServer) connect(t *testing.T) *pgx.Conn {
	t.Helper()
	cfg, err := pgx.ParseConfig(s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	cfg.User = "odoo"
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func (s *labServer) rows(t *testing.T, model string, like ports.Where) []map[string]any {
	t.Helper()
	conn := s.connect(t)
	defer conn.Close(t.Context())
	sql, args := "SELECT * FROM "+strings.ReplaceAll(model, ".", "_")+" WHERE true", []any(nil)
	for field, v := range like {
		args = append(args, v)
		sql += fmt.Sprintf(" AND %s = $%d", field, len(args))
	}
	rows, err := conn.Query(t.Context(), sql+" ORDER BY id", args...)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToMap)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	for _, row := range all {
		for field, v := range row {
			if n, ok := v.(int32); ok {
				row[field] = int64(n)
			}
		}
	}
	return all
}

func (s *labServer) calls(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(s.LogPath())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "ir.actions.server/run")
}

// update changes an attachment in a transaction that stays open until commit.
func (s *labServer) update(t *testing.T, id int64, field, value string) (commit func()) {
	t.Helper()
	conn := s.connect(t)
	tx, err := conn.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), "UPDATE ir_attachment SET "+field+" = $2, write_date = now() at time zone 'utc' WHERE id = $1", id, value)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func (s *labServer) writeLate(t *testing.T, _ *odoo.Client, id int64, name string) (commit func()) {
	t.Helper()
	return s.update(t, id, "name", name)
}

// meet holds the row in another transaction, and commits other bytes when
// convert waits for it.
func (s *labServer) meet(t *testing.T, _ *odoo.User, write odbxfs.OdooOp, convert func()) {
	t.Helper()
	commit := s.update(t, write.Ref.ID, "checksum", string(write.SHA1))
	done := make(chan struct{})
	go func() {
		defer close(done)
		convert()
	}()
	judge := s.connect(t)
	defer judge.Close(t.Context())
	ports.WaitFor(t, "the conversion waits for the row", func() bool {
		var n int
		if err := judge.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n > 0
	})
	commit()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("the conversion does not end")
	}
}
