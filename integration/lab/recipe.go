package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Revisions are part of the stamps. Raise one when box.sh makes trees or
// templates differently; recipes themselves are in the stamps already.
const (
	treeRevision     = "1"
	templateRevision = "3"
)

// A recipe says how one version of Odoo is built and started. Trees and templates
// that were made by another recipe are built anew.
type recipe struct {
	version  int    // Odoo's major version
	suite    string // of Debian: gives Python and PostgreSQL
	packages string // installed from suite, comma separated
	sidOdoo  string // package taken from sid and put on top; "" when packages has Odoo
	postgres string // PostgreSQL's major version in suite
	modules  string // installed into the template, comma separated
	initArgs string // for the run that makes the template
	bus      string // option naming the port of long polling, used with workers
	mute     string // loggers silenced at every start, space separated
}

// modules are what the scenarios need; they pull in account and others.
const modules = "base,mail,contacts,sale_management,project,hr,base_automation"

// recipes: Odoo 14 is bullseye's own. Odoo 19 is only in sid, whose Python 3.14
// cannot create its database (safe_eval refuses an opcode, pytz misses zones);
// trixie has Python 3.13 and every dependency, so sid's package goes on top.
// Never add bullseye-security: it lists a python3-gevent that is not there.
// Odoo 14 has demo data on by default, 19 off. 19 logs three lines of
// deprecation for every RPC call, which would drown what tests count.
var recipes = []recipe{
	{
		version:  14,
		suite:    "bullseye",
		packages: "odoo-14,postgresql,python3-ldap,ca-certificates",
		postgres: "13",
		modules:  modules,
		initArgs: "",
		bus:      "--longpolling-port",
	},
	{
		version:  19,
		suite:    "trixie",
		packages: "postgresql,python3-ldap,ca-certificates,tzdata-legacy",
		sidOdoo:  "odoo-19",
		postgres: "17",
		modules:  modules,
		initArgs: "--with-demo",
		bus:      "--gevent-port",
		mute:     "odoo.addons.rpc.controllers.xmlrpc odoo.addons.rpc.controllers.jsonrpc",
	},
}

// Versions lists the versions of Odoo that the lab has, ascending.
func Versions() []int {
	vs := make([]int, 0, len(recipes))
	for _, r := range recipes {
		vs = append(vs, r.version)
	}
	return vs
}

func recipeFor(version int) (recipe, error) {
	i := slices.IndexFunc(recipes, func(r recipe) bool { return r.version == version })
	if i < 0 {
		return recipe{}, fmt.Errorf("lab: no recipe for Odoo %d, only for %v", version, Versions())
	}
	return recipes[i], nil
}

// stamp names what a tree or template was made by. The tree does not depend on
// what goes into the template, so that a new module costs no new tree.
func (r recipe) stamp(s step) string {
	parts := []string{treeRevision, r.suite, r.packages, r.sidOdoo, r.postgres}
	if s == stepTemplate {
		parts = append(parts, templateRevision, r.modules, r.initArgs)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:8])
}

// serverArgs are the options of every run of Odoo inside a box.
func (r recipe) serverArgs(pgPort int, database string) []string {
	args := []string{
		"odoo",
		"--db_host=127.0.0.1", fmt.Sprintf("--db_port=%d", pgPort), "--db_user=odoo",
		"--data-dir=/var/lib/odoo/data",
		"--addons-path=/usr/lib/python3/dist-packages/odoo/addons",
		"-d", database,
	}
	for _, l := range strings.Fields(r.mute) {
		args = append(args, "--log-handler", l+":ERROR")
	}
	return args
}
