package dropboxtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// specified is the published specification, as the Go SDK that was generated
// from it has it: for each route its style, and the fields of its argument.
type specified struct {
	style  string
	fields []string
}

// readSpecification parses the SDK's sources.
func readSpecification(t *testing.T) map[string]specified {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/dropbox/dropbox-sdk-go-unofficial/v6").Output()
	if err != nil {
		t.Fatalf("where the SDK is: %v", err)
	}
	spec := map[string]specified{}
	for _, namespace := range []string{"auth", "check", "files", "sharing", "users"} {
		dir := filepath.Join(strings.TrimSpace(string(out)), "dropbox", namespace)
		types := sdkTypes(t, filepath.Join(dir, "types.go"))
		client, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, "client.go"), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range client.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				addRoute(spec, namespace, f, types)
			}
		}
	}
	return spec
}

// addRoute finds the dropbox.Request of one method of the SDK's client.
func addRoute(spec map[string]specified, namespace string, f *ast.FuncDecl, types map[string]*ast.StructType) {
	var arg string
	for _, p := range f.Type.Params.List {
		if star, ok := p.Type.(*ast.StarExpr); ok && p.Names[0].Name == "arg" {
			switch x := star.X.(type) {
			case *ast.Ident:
				arg = x.Name
			case *ast.SelectorExpr: // async.PollArg, the only one from another package
				arg = x.Sel.Name
			}
		}
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		values := map[string]string{}
		for _, e := range lit.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				if s, ok := kv.Value.(*ast.BasicLit); ok && s.Kind == token.STRING {
					values[kv.Key.(*ast.Ident).Name] = strings.Trim(s.Value, `"`)
				}
			}
		}
		if values["Route"] != "" {
			spec[namespace+"/"+values["Route"]] = specified{values["Style"], sdkFields(types, arg)}
		}
		return true
	})
}

func sdkTypes(t *testing.T, file string) map[string]*ast.StructType {
	t.Helper()
	types := map[string]*ast.StructType{}
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if ts, ok := n.(*ast.TypeSpec); ok {
			if st, ok := ts.Type.(*ast.StructType); ok {
				types[ts.Name.Name] = st
			}
		}
		return true
	})
	return types
}

// sdkFields gives the JSON names of a struct's fields, sorted, those of
// embedded structs included.
func sdkFields(types map[string]*ast.StructType, name string) []string {
	if name == "PollArg" {
		return []string{"async_job_id"}
	}
	var list []string
	st := types[name]
	if st == nil {
		return nil
	}
	for _, f := range st.Fields.List {
		if f.Tag == nil {
			if id, ok := f.Type.(*ast.Ident); ok {
				list = append(list, sdkFields(types, id.Name)...)
			}
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			panic(err) // the compiler took it
		}
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		if name != "-" { // ExtraHeaders are the SDK's own
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// ourFields are the same of a type of ours.
func ourFields(arg reflect.Type) []string {
	var list []string
	for f := range fields(arg) {
		list = append(list, f.Tag.Get("json"))
	}
	slices.Sort(list)
	return list
}

func TestEachRouteTakesTheFieldsOfTheSpecification(t *testing.T) {
	spec := readSpecification(t)
	if len(spec) < 100 {
		t.Fatalf("only %d routes were read from the SDK", len(spec))
	}
	for route, e := range endpoints {
		want, known := spec[route]
		if !known {
			t.Errorf("%s: not in the specification", route)
			continue
		}
		equal(t, route+" has its argument where", [...]string{rpc: "rpc", upload: "upload", download: "download"}[e.style], want.style)
		equal(t, route+" takes", ourFields(e.do.arg), want.fields)
	}
}

// The table of docs/dropbox-endpoints.md and the server agree: a row for each
// route and page, none for others, and what a row says of recordings is so.
func TestTheTableOfEndpointsIsTrue(t *testing.T) {
	rows, err := ReadEndpoints("../../../docs/dropbox-endpoints.md")
	if err != nil {
		t.Fatal(err)
	}
	recorded := map[string]int{}
	for _, x := range readRecorded(t) {
		recorded[x.route]++
	}
	var have, want []string
	for _, r := range rows {
		have = append(have, r.Route)
		equal(t, r.Route+": recordings", r.Recorded, recorded[r.Route])
		if r.Guessed == "" {
			t.Errorf("%s: the column of guesses is empty; write - for none", r.Route)
		}
		if len(r.Clients) == 0 && r.Recorded == 0 && r.Guessed == "-" {
			t.Errorf("%s: neither recorded nor called by a client, and nothing said to be guessed", r.Route)
		}
		delete(recorded, r.Route)
	}
	for route := range endpoints {
		want = append(want, route)
	}
	want = append(want, pages...)
	slices.Sort(have)
	slices.Sort(want)
	for _, missing := range without(want, have) {
		t.Errorf("%s: served, but has no row", missing)
	}
	for _, extra := range without(have, want) {
		t.Errorf("%s: has a row, but is not served", extra)
	}
	if len(slices.Compact(slices.Clone(have))) != len(have) {
		t.Errorf("a row stands twice: %v", have)
	}
	for route := range recorded {
		if !slices.Contains(notServed, route) {
			t.Errorf("%s: recorded, but has no row", route)
		}
	}
}

func without(list, taken []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(taken, s) })
}

func TestARowOfTheTableThatIsNoRowIsTold(t *testing.T) {
	for _, text := range []string{
		"| `files/x` | 1 | rclone |",
		"| `files/x` | many | - | - |",
		"no table at all",
	} {
		if rows, err := parseEndpoints(text); err == nil {
			t.Errorf("%q gave %v", text, rows)
		}
	}
	rows, err := parseEndpoints("# x\n\n| endpoint | recorded | clients | guessed |\n| --- | --- | --- | --- |\n| `files/x` | 2 | a, b c | - |\n")
	equal(t, "rows", fmt.Sprintf("%+v %v", rows, err), "[{Route:files/x Recorded:2 Clients:[a b c] Guessed:-}] <nil>")
}
