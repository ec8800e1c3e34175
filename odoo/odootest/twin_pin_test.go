package odootest_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"odbxfs/odoo/provision"
)

var update = flag.Bool("update", false, "rewrite testdata/twins.txt")

// TestTwinsWereReadAgainstTheirActions fails when an action's code is another
// than when its twin was last compared with it: read what changed, change the
// twin, then run with -update.
func TestTwinsWereReadAgainstTheirActions(t *testing.T) {
	const golden = "testdata/twins.txt"
	var now strings.Builder
	for _, a := range append(provision.Actions(), provision.SetupActions()...) {
		now.WriteString(a.Name + " " + a.SHA256 + "\n")
	}
	if *update {
		must(t, os.WriteFile(golden, []byte(now.String()), 0o644))
	}
	data, err := os.ReadFile(golden)
	must(t, err)
	was := strings.Split(string(data), "\n")
	for i, line := range strings.Split(now.String(), "\n") {
		if i >= len(was) || was[i] != line {
			name, _, _ := strings.Cut(line, " ")
			t.Errorf("%s is not the code that its twin was compared with", name)
		}
	}
	if len(was) != strings.Count(now.String(), "\n")+1 {
		t.Error("an action is gone; its twin may go too")
	}
}
