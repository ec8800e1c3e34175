package odootest

import (
	"context"
	"testing"
	"time"

	"odbxfs/odoo"
)

func TestSignInsAreCounted(t *testing.T) {
	s := New(Options{})
	for _, password := range []string{"wrong", DemoPassword} {
		c, err := odoo.New(odoo.Config{URL: s.URL(), Database: s.Database(), Login: DemoLogin, HTTP: s.Transport(), Now: time.Now,
			Transport: odoo.Session, Secret: func(context.Context) (string, error) { return password, nil }})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // a refused password is not sent again, a good one needs no second time
			if err := c.SignIn(t.Context()); (err == nil) != (password == DemoPassword) {
				t.Errorf("%s: %v", password, err)
			}
		}
	}
	var got []bool
	for _, in := range s.SignIns() {
		if in.Login != DemoLogin || in.Time.IsZero() {
			t.Errorf("sign-in %+v", in)
		}
		got = append(got, in.OK)
	}
	if len(got) != 2 || got[0] || !got[1] {
		t.Errorf("sign-ins %v, want one refused, one taken", got)
	}
}

func TestRowsComeAndGoAsBySQL(t *testing.T) {
	s := New(Options{})
	ids := s.Insert("ir.attachment", map[string]any{"name": "a", "type": "url"}, map[string]any{"name": "b", "type": "url"})
	if len(ids) != 2 || len(s.Rows("ir.attachment")) != 2 {
		t.Fatalf("ids %v of %v", ids, s.Rows("ir.attachment"))
	}
	s.Delete("ir.attachment", ids[0])
	if rows := s.Rows("ir.attachment"); len(rows) != 1 || rows[0]["name"] != "b" {
		t.Errorf("left: %v", rows)
	}
	if s.Insert("no.model", map[string]any{}) != nil {
		t.Error("a row of no model")
	}
}
