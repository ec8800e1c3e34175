package odoo_test

import (
	"testing"

	"odbxfs/integration/lab"
	"odbxfs/odoo/odootest/contract"
)

func TestContractOdoo14(t *testing.T) { contractOnLab(t, 14) }

func TestContractOdoo19(t *testing.T) { contractOnLab(t, 19) }

// contractOnLab holds the client and a real Odoo against the contract.
func contractOnLab(t *testing.T, version int) {
	t.Parallel()
	contract.Run(t, contract.Options{New: func(t *testing.T) contract.Server {
		s := lab.Start(t, version)
		return contract.Server{
			URL: s.URL, Database: s.Database, Version: version,
			Admin:    contract.Login{Login: s.AdminLogin, Password: s.AdminPassword},
			Employee: contract.Login{Login: s.DemoLogin, Password: s.DemoPassword},
			Portal:   contract.Login{Login: s.PortalLogin, Password: s.PortalPassword},
		}
	}})
}
