package odootest_test

import (
	"fmt"
	"testing"

	"odbxfs/odoo/odootest"
	"odbxfs/odoo/odootest/contract"
)

// TestContract holds the server in memory to what real ones do.
func TestContract(t *testing.T) {
	for _, version := range []int{14, 19} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			contract.Run(t, contract.Options{Gaps: odootest.Gaps(), New: func(t *testing.T) contract.Server {
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
				return contract.Server{
					URL: url, Database: s.Database(), Version: version,
					Admin:    contract.Login{Login: odootest.AdminLogin, Password: odootest.AdminPassword},
					Employee: contract.Login{Login: odootest.DemoLogin, Password: odootest.DemoPassword},
					Portal:   contract.Login{Login: odootest.PortalLogin, Password: odootest.PortalPassword},
				}
			}})
		})
	}
}
