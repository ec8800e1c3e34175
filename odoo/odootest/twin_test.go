package odootest_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/odoo"
	"odbxfs/odoo/odootest"
	"odbxfs/odoo/odootest/contract"
	"odbxfs/odoo/odootest/contract/ports"
)

// TestTwins holds the twins of our actions to what the ports ask of real servers.
func TestTwins(t *testing.T) {
	for _, c := range []struct {
		version   int
		transport odoo.Transport
	}{{14, odoo.Session}, {14, odoo.XMLRPC}, {19, odoo.Session}, {19, odoo.JSON2}, {19, odoo.XMLRPC}} {
		t.Run(fmt.Sprintf("%d/%s", c.version, c.transport), func(t *testing.T) {
			// Megabytes through another codec show nothing new.
			ports.Run(t, ports.Options{Server: inMemory(c.version), Transport: c.transport, Light: c.transport != odoo.Session})
		})
	}
}

func inMemory(version int) ports.Server {
	// Records are looked at by the second, as Odoo shows dates: so each call
	// takes a while.
	var calls atomic.Int64
	began := time.Now()
	clock := func() time.Time { return began.Add(time.Duration(calls.Add(1)) * 100 * time.Millisecond) }
	s := twins{odootest.New(odootest.Options{Version: version, Demo: true, Now: clock})}
	return ports.Server{
		Version: version, Config: odoo.Config{URL: s.URL(), Database: s.Database(), HTTP: s.Transport()},
		Admin:    contract.Login{Login: odootest.AdminLogin, Password: odootest.AdminPassword},
		Employee: contract.Login{Login: odootest.DemoLogin, Password: odootest.DemoPassword},
		Portal:   contract.Login{Login: odootest.PortalLogin, Password: odootest.PortalPassword},
		Rows:     s.rows, Calls: func(*testing.T) int { return len(s.Requests()) }, WriteLate: s.writeLate, Meet: s.meet,
	}
}

// twins judges the server in memory by its rows.
type twins struct{ *odootest.Server }

func (s twins) rows(_ *testing.T, model string, like ports.Where) []map[string]any {
	var all []map[string]any
rows:
	for _, r := range s.Rows(model) {
		for field, v := range like {
			if r[field] != v {
				continue rows
			}
		}
		all = append(all, r)
	}
	return all
}

func (s twins) writeLate(t *testing.T, admin *odoo.Client, id int64, name string) (commit func()) {
	t.Helper()
	open, written := make(chan struct{}), make(chan error, 1)
	s.Inject(odootest.Fault{Model: "ir.attachment", Method: "write", Until: open})
	go func() {
		written <- admin.Write(t.Context(), "ir.attachment", []int64{id}, map[string]any{"name": name})
	}()
	ports.WaitFor(t, "the transaction is open", func() bool { return s.Held() == 1 })
	return func() {
		close(open)
		must(t, <-written)
	}
}

// meet has the write done while convert's transaction is open: what convert then
// sees is what PostgreSQL has it see after a retry.
func (s twins) meet(t *testing.T, user *odoo.User, write odbxfs.OdooOp, convert func()) {
	t.Helper()
	open, done := make(chan struct{}), make(chan struct{})
	s.Inject(odootest.Fault{Model: "ir.actions.server", Method: "run", Until: open})
	go func() {
		defer close(done)
		convert()
	}()
	ports.WaitFor(t, "the conversion is open", func() bool { return s.Held() == 1 })
	res, err := user.Apply(t.Context(), []odbxfs.OdooOp{write})
	must(t, err)
	if res[0].Outcome != odbxfs.Done {
		t.Errorf("the write that comes between: %+v", res[0])
	}
	close(open)
	<-done
}
