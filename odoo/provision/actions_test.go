package provision

import (
	"regexp"
	"strings"
	"testing"
)

func TestActionsAreComposedAndNamed(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range append(Actions(), setupActions()...) {
		if seen[a.Name] || len(a.SHA256) != 64 || a.Code == "" {
			t.Errorf("%+v", a)
		}
		seen[a.Name] = true
		if !strings.HasPrefix(a.Name, string(a.Set)+"_") {
			t.Errorf("%s is of the set %s", a.Name, a.Set)
		}
	}
	for _, name := range []string{"engine_changes", "engine_refs", "engine_nodes", "engine_apply", "engine_pairs", "engine_lease", "engine_log", "engine_links", "engine_client_state", "user_changes", "user_refs", "user_nodes", "user_apply", "user_check"} {
		if !seen[name] {
			t.Errorf("no action %s", name)
		}
	}
}

// What safe_eval refuses, on one version or the other; found by being refused.
var forbidden = map[string]*regexp.Regexp{
	"an import":           regexp.MustCompile(`(?m)^\s*(import|from)\s`),
	"a dunder name":       regexp.MustCompile(`[^'\w]__\w+`),
	"a with":              regexp.MustCompile(`(?m)^\s*with\s`),
	"a global statement":  regexp.MustCompile(`(?m)^\s*(global|nonlocal)\s`),
	"a class":             regexp.MustCompile(`(?m)^\s*class\s`),
	"a secret":            regexp.MustCompile(`(?i)password|secret_key|api_key`),
	"a Windows line end":  regexp.MustCompile(`\r`),
	"a tab for an indent": regexp.MustCompile(`(?m)^\t`),
}

func TestNoActionHasWhatOdooRefuses(t *testing.T) {
	for _, a := range append(Actions(), setupActions()...) {
		for what, re := range forbidden {
			if hit := re.FindString(a.Code); hit != "" {
				t.Errorf("%s has %s: %q", a.Name, what, hit)
			}
		}
	}
}

func TestTheTwoSetsDifferInTheirFirstLineOnly(t *testing.T) {
	code := map[string]string{}
	for _, a := range Actions() {
		code[a.Name] = a.Code
	}
	for _, name := range []string{"changes", "refs", "nodes", "upload"} {
		_, engine, _ := strings.Cut(code["engine_"+name], "\n")
		_, user, _ := strings.Cut(code["user_"+name], "\n")
		if engine == "" || engine != user {
			t.Errorf("%s differs between the sets", name)
		}
	}
	if strings.Contains(code["user_apply"], "def convert(") || strings.Contains(code["user_apply"], "def put_pair(") {
		t.Error("users' writes know conversions or pairs")
	}
}

func TestEqualKnowsHowOdooAnswers(t *testing.T) {
	for _, c := range []struct {
		got, want any
		equal     bool
	}{
		{false, "", true}, {nil, "", true}, {"a\n", "a", true}, {"a", "b", false}, {false, "a", false},
		{[]any{int64(3), "name"}, int64(3), true}, {[]any{int64(3), "name"}, int64(4), false}, {false, int64(0), true}, {int64(5), 5, true},
		{[]any{int64(2), int64(1)}, refs{1, 2}, true}, {[]any{int64(1)}, refs{1, 2}, false}, {[]any{}, refs{}, true}, {false, refs{1}, false},
		{true, true, true}, {false, true, false},
	} {
		if got := equal(c.got, c.want); got != c.equal {
			t.Errorf("equal(%#v, %#v) = %v", c.got, c.want, got)
		}
	}
}

func TestOnlyOurOwnModelsHaveRights(t *testing.T) {
	for _, a := range accesses() {
		switch a.model {
		case "x_odbxfs_pair", "x_odbxfs_lease", "x_odbxfs_key", "x_odbxfs_upload":
			t.Errorf("%s is touched by our actions alone, and has a right for %s", a.model, a.group)
		}
	}
	for _, f := range attachmentFields() {
		if f.copied {
			t.Errorf("the hint %s is copied with the attachment", f.name)
		}
	}
	for _, m := range ownModels() {
		if !strings.HasPrefix(m.name, "x_odbxfs_") || m.fields[0].name == "" {
			t.Errorf("%+v", m)
		}
		for _, f := range append(m.fields, m.late...) {
			if len(f.name) > 63 || f.name == "x_active" || !strings.HasPrefix(f.name, "x_") {
				t.Errorf("%s.%s is no name for a field", m.name, f.name)
			}
		}
	}
}
