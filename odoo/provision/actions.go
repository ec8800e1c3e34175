package provision

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"strings"
)

//go:embed actions/*.py
var sources embed.FS

// Set says who may run an action.
type Set string

// The two sets that work, and the one that setup runs itself.
const (
	EngineSet Set = "engine" // the technical user's group only; sudo inside
	UserSet   Set = "user"   // internal users, with their own rights on records and attachments
	SetupSet  Set = "setup"  // administrators, during setup and remove
)

// Action is a server action of ours as it stands in Odoo.
type Action struct {
	Name   string // as "engine_changes"; its external id is odbxfs.action_<Name>
	Set    Set
	Code   string
	SHA256 string // of Code, in lower-case hex
}

// part names what an action's code is put together from, in order.
type part struct {
	name  string
	files []string
}

var both = []part{
	{"changes", []string{"prelude", "nodes_lib", "changes"}},
	{"refs", []string{"prelude", "refs"}},
	{"nodes", []string{"prelude", "nodes_lib", "nodes"}},
	{"upload", []string{"prelude", "upload"}},
}

var engineOnly = []part{
	{"apply", []string{"prelude", "nodes_lib", "ops_lib", "pairs_lib", "convert_lib", "apply"}},
	{"pairs", []string{"prelude", "pairs_lib", "pairs"}},
	{"lease", []string{"prelude", "lease"}},
	{"log", []string{"prelude", "log"}},
	{"content", []string{"prelude", "content"}},
	{"links", []string{"prelude", "links"}},
	{"client_state", []string{"prelude", "client_state"}},
	{"verify", []string{"prelude", "verify"}},
}

var userOnly = []part{
	{"apply", []string{"prelude", "nodes_lib", "ops_lib", "apply"}},
	{"check", []string{"prelude", "nodes_lib", "check"}},
}

// Actions gives every action that the daemon and the mounts call, in a fixed
// order.
func Actions() []Action {
	var all []Action
	for _, p := range append(append([]part{}, both...), engineOnly...) {
		all = append(all, compose(EngineSet, "ENGINE = True\n", p))
	}
	for _, p := range append(append([]part{}, both...), userOnly...) {
		all = append(all, compose(UserSet, "ENGINE = False\n", p))
	}
	return all
}

// setupActions are those that setup and remove run themselves.
func setupActions() []Action {
	var all []Action
	for _, name := range []string{"index", "prepare_remove", "data"} {
		all = append(all, compose(SetupSet, "", part{name, []string{"setup_" + name}}))
	}
	return all
}

func compose(set Set, head string, p part) Action {
	var code strings.Builder
	code.WriteString(head)
	for _, f := range p.files {
		code.WriteString(source(f))
		code.WriteByte('\n')
	}
	a := Action{Name: string(set) + "_" + p.name, Set: set, Code: strings.TrimSpace(code.String())}
	sum := sha256.Sum256([]byte(a.Code))
	a.SHA256 = hex.EncodeToString(sum[:])
	return a
}

// source reads an embedded file. Its absence is a mistake of the build that
// every test meets.
func source(name string) string {
	b, err := sources.ReadFile("actions/" + name + ".py")
	if err != nil {
		panic(err)
	}
	return string(b)
}
