package odbxfs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "odbxfs"

// An arrow is an import that must never be, not even through another package,
// with the reason and so what to do instead.
type arrow struct {
	from string // a package, or a tree of them with /...
	to   string
	why  string
}

// The arrows of the house. "from" and "to" are below the module's root; a "to"
// of "*" is every package of the module but the root package and those below
// "from" itself.
var forbidden = []arrow{
	{"odoo", "sync/dropbox/...", "the two remotes know nothing of each other; sync speaks to both through ports"},
	{"sync/dropbox", "odoo/...", "the two remotes know nothing of each other; sync speaks to both through ports"},
	{"fs", "odoo/...", "write an intent into cache; sync carries it out"},
	{"fs", "sync/...", "define the small interface that fs needs; cmd plugs sync in"},
	{"sync", "odoo/...", "speak to the port in sync; cmd plugs the client in"},
	{"sync", "sync/dropbox/...", "speak to the port in sync; cmd plugs the client in"},
	{"sync/plan", "odoo/...", "the planner is pure: trees and a policy in, tasks out"},
	{"sync/plan", "sync/dropbox/...", "the planner is pure: trees and a policy in, tasks out"},
	{"sync/content", "odoo/...", "content comes through ports; cmd plugs the clients in"},
	{"sync/content", "sync/dropbox/...", "content comes through ports; cmd plugs the clients in"},
	{"cache", "*", "the store is the hub: it knows the shared words and nobody who uses it"},
	{"odoo", "*", "the client for Odoo stands alone on the shared words"},
	{"sync/dropbox", "*", "the client for Dropbox stands alone on the shared words"},
	{"sync/plan", "*", "the planner is pure: it knows the shared words only"},
	{"...", "cmd/...", "cmd wires; what two programs need belongs below"},
	{"...", "odoo/odootest/...", "servers for tests; only the demo and tests may link them"},
	{"...", "sync/dropbox/dropboxtest/...", "servers for tests; only the demo and tests may link them"},
	{"integration/lab", "testing", "the demo with a real Odoo links the lab; take the small TB interface"},
}

// excused are the packages that a "..." arrow does not mean, by its "to".
var excused = map[string][]string{
	"cmd/...":                      {"cmd/..."},
	"odoo/odootest/...":            {"odoo/odootest/...", "cmd/odbxfs", "cmd/odbxfs/demo", "integration/..."},
	"sync/dropbox/dropboxtest/...": {"sync/dropbox/dropboxtest/...", "cmd/odbxfs", "cmd/odbxfs/demo", "integration/..."},
}

// A listed package, as go list prints it.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Standard   bool
}

func listPackages(t *testing.T) map[string]listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Deps,Standard", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	all := map[string]listed{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// within reports whether pkg (below the module's root, "." for the root) is
// meant by pattern: "...", a package, or a package with all below it ("x/...").
func within(pkg, pattern string) bool {
	tree, isTree := strings.CutSuffix(pattern, "/...")
	return pattern == "..." || pkg == tree || isTree && strings.HasPrefix(pkg, tree+"/")
}

// ownPackages lists the module's packages, as paths below its root.
func ownPackages(all map[string]listed) []string {
	var own []string
	for path := range all {
		if path == module {
			own = append(own, ".")
		} else if rest, ok := strings.CutPrefix(path, module+"/"); ok {
			own = append(own, rest)
		}
	}
	slices.Sort(own)
	return own
}

func TestArrowsOfTheHouse(t *testing.T) {
	all := listPackages(t)
	own := ownPackages(all)
	for _, broken := range brokenArrows(all, own, forbidden) {
		t.Error(broken)
	}
	for _, a := range forbidden {
		if a.from != "..." && !slices.Contains(own, a.from) {
			t.Errorf("the package %s of an arrow is gone; mend the table", a.from)
		}
		if base := strings.TrimSuffix(a.to, "/..."); a.to != "*" && a.to != "testing" && base != "cmd" &&
			!slices.ContainsFunc(own, func(p string) bool { return within(p, a.to) }) {
			t.Errorf("the package %s of an arrow is gone; mend the table", a.to)
		}
	}
}

// Each package says in its doc.go what it promises, and the module's lists all.
func TestEachPackageHasItsDoc(t *testing.T) {
	root, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range ownPackages(listPackages(t)) {
		doc, err := os.ReadFile(filepath.Join(pkg, "doc.go"))
		if err != nil || !regexp.MustCompile(`(?m)\A// (Package|Command|Odbxfs) .*(\n//.*)*\npackage `).Match(doc) {
			t.Errorf("%s: no package comment in its doc.go: %v", pkg, err)
		}
		if pkg != "." && !regexp.MustCompile(`(?m)^//\t`+regexp.QuoteMeta(pkg)+` +\S`).Match(root) {
			t.Errorf("%s: not in the list of the module's doc.go", pkg)
		}
	}
}

// brokenArrows names each import that must not be, with the way to it.
func brokenArrows(all map[string]listed, own []string, arrows []arrow) []string {
	var broken []string
	for _, a := range arrows {
		for _, from := range own {
			if !within(from, a.from) || slices.ContainsFunc(excused[a.to], func(p string) bool { return a.from == "..." && within(from, p) }) {
				continue
			}
			full := module
			if from != "." {
				full = module + "/" + from
			}
			for _, dep := range all[full].Deps {
				if forbids(a, dep) {
					broken = append(broken, strings.Join(way(all, full, dep), " -> ")+" must not be: "+a.why)
				}
			}
		}
	}
	return broken
}

func forbids(a arrow, dep string) bool {
	rest, ok := strings.CutPrefix(dep, module+"/")
	switch {
	case a.to == "testing":
		return dep == "testing"
	case !ok:
		return false
	case a.to == "*":
		return !within(rest, a.from+"/...")
	}
	return within(rest, a.to)
}

// way is one chain of imports from a package to another.
func way(all map[string]listed, from, to string) []string {
	if from == to {
		return []string{to}
	}
	for _, next := range all[from].Imports {
		if next == to || slices.Contains(all[next].Deps, to) {
			return append([]string{from}, way(all, next, to)...)
		}
	}
	return []string{from, "...", to}
}

func TestAWrongArrowIsFound(t *testing.T) {
	all := map[string]listed{
		"odbxfs":       {},
		"odbxfs/fs":    {Imports: []string{"odbxfs/cache"}, Deps: []string{"odbxfs/cache", "odbxfs/odoo"}},
		"odbxfs/cache": {Imports: []string{"odbxfs/odoo"}, Deps: []string{"odbxfs/odoo"}},
		"odbxfs/odoo":  {Imports: []string{"odbxfs"}, Deps: []string{"odbxfs"}},
	}
	got := brokenArrows(all, ownPackages(all), forbidden)
	want := []string{
		"odbxfs/fs -> odbxfs/cache -> odbxfs/odoo must not be: write an intent into cache; sync carries it out",
		"odbxfs/cache -> odbxfs/odoo must not be: the store is the hub: it knows the shared words and nobody who uses it",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// A houseRule is a text that product code must not have, with its reason.
type houseRule struct {
	text   *regexp.Regexp
	where  func(path string) bool
	reason string
}

var houseRules = []houseRule{
	{regexp.MustCompile(`\bcontext\.(Background|TODO)\(\)`), product, "take the caller's context"},
	{regexp.MustCompile(`(if|case|for|switch).*\.Error\(\) *(==|!=)|strings\.\w+\(\w*[eE]rr\.Error\(\)`), product, "decide by kind or type, never by an error's text"},
	{regexp.MustCompile(`\bt\.Skip(f|Now)?\(`), func(p string) bool { return strings.HasSuffix(p, "_test.go") }, "a test that needs something fails when it can't be had"},
	{regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`), everywhere, "do it, or file an issue"},
}

func everywhere(string) bool { return true }

func product(path string) bool {
	return !strings.HasSuffix(path, "_test.go") && !strings.HasPrefix(path, "cmd/") && !strings.HasPrefix(path, "integration/") &&
		!strings.Contains(path, "odootest/") && !strings.Contains(path, "dropboxtest/")
}

func TestHouseRules(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || path == "house_test.go" {
			return nil
		}
		seen++
		return checkFile(t, path)
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 5 {
		t.Errorf("only %d files were looked at", seen)
	}
}

func checkFile(t *testing.T, path string) error {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := strings.Split(string(data), "\n")
	if len(lines) > 701 && !strings.HasSuffix(path, "_test.go") {
		t.Errorf("%s: %d lines; no file has more than 700", path, len(lines)-1)
	}
	for n, line := range lines {
		for _, r := range houseRules {
			if r.where(path) && r.text.MatchString(line) {
				t.Errorf("%s:%d: %s\n\t%s", path, n+1, r.reason, strings.TrimSpace(line))
			}
		}
	}
	return nil
}
