package odootest_test

import (
	"fmt"
	"testing"

	"odbxfs/odoo/odootest"
	"odbxfs/odoo/odootest/contract"
)

// stubs answer the actions that the contract makes.
var stubs = []odootest.Stub{
	{Code: contract.EchoAction, Run: func(context map[string]any, uid int64) (any, error) {
		if context["boom"] != nil {
			return nil, &odootest.PythonError{Class: "odoo.exceptions.UserError", Message: "boom"}
		}
		return map[string]any{"got": context["arg"], "uid": uid}, nil
	}},
	{Code: contract.ConflictAction, Run: func(map[string]any, int64) (any, error) {
		return nil, &odootest.PythonError{Class: "psycopg2.errors.SerializationFailure", Message: "could not serialize access due to concurrent update"}
	}},
}

// TestContract holds the server in memory to what real ones do.
func TestContract(t *testing.T) {
	for _, version := range []int{14, 19} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			contract.Run(t, contract.Options{Gaps: odootest.Gaps(), New: func(t *testing.T) contract.Server {
				t.Helper()
				s := start(t, version)
				return contract.Server{
					URL: s.URL(), Database: s.Database(), Version: version,
					Admin:    contract.Login{Login: odootest.AdminLogin, Password: odootest.AdminPassword},
					Employee: contract.Login{Login: odootest.DemoLogin, Password: odootest.DemoPassword},
					Portal:   contract.Login{Login: odootest.PortalLogin, Password: odootest.PortalPassword},
				}
			}})
		})
	}
}
