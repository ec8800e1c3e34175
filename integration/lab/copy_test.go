package lab_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"odbxfs/integration/lab"
)

func TestAServerIsCopiedFromAnother(t *testing.T) {
	t.Parallel()
	for _, v := range lab.Versions() {
		t.Run(strconv.Itoa(v), func(t *testing.T) {
			first := lab.Start(t, v)
			makePartner(t, first, "In all")
			var file int
			values := map[string]any{"name": "a.txt", "raw": "in all", "res_model": "res.partner", "res_id": 1}
			if err := first.Admin(t.Context(), "ir.attachment", "create", []any{values}, nil, &file); err != nil {
				t.Fatal(err)
			}
			refused(t, "a running server", lab.Options{Version: v, From: first}, "stop it first")
			if err := first.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			refused(t, "another version", lab.Options{Version: 33 - v, From: first}, "cannot be copied from")

			second := lab.StartWith(t, lab.Options{Version: v, From: first})
			if n := partners(t, second, "In all"); n != 1 {
				t.Errorf("the copy has %d of the first one's partner, want 1", n)
			}
			stored := queryString(t, second, "select store_fname from ir_attachment where id = $1", file)
			if b, err := os.ReadFile(filepath.Join(second.Filestore(), stored)); err != nil || string(b) != "in all" {
				t.Errorf("the copy's file holds %q: %v", b, err)
			}
			const uuid = "select value from ir_config_parameter where key = 'database.uuid'"
			if queryString(t, first, uuid) == queryString(t, second, uuid) {
				t.Error("both databases have the same uuid, so nothing could tell them apart")
			}

			if err := second.Admin(t.Context(), "ir.attachment", "unlink", []any{[]int{file}}, nil, nil); err != nil {
				t.Fatal(err)
			}
			if err := second.RunCron(t.Context(), lab.CronAutovacuum); err != nil {
				t.Fatal(err)
			}
			makePartner(t, second, "In the second")
			const count = "select count(*)::text from res_partner where name = $1"
			if a, b := queryString(t, second, count, "In the second"), queryString(t, first, count, "In the second"); a != "1" || b != "0" {
				t.Errorf("the copy has %s of a partner made there, want 1, and the first %s, want 0", a, b)
			}
			if b, err := os.ReadFile(filepath.Join(first.Filestore(), stored)); err != nil || string(b) != "in all" {
				t.Errorf("after its copy removed the file the first one's holds %q: %v", b, err)
			}
		})
	}
}

// refused wants an error that says why.
func refused(t *testing.T, what string, o lab.Options, why string) {
	t.Helper()
	s, err := lab.Open(t.Context(), o)
	if err == nil {
		t.Errorf("a copy of %s was made", what)
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	} else if !strings.Contains(err.Error(), why) {
		t.Errorf("a copy of %s: %v, want %q in it", what, err, why)
	}
}
