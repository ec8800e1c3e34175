package odoo

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"odbxfs"
)

// answerOf wraps what encodeXML made of one value as a server would.
func answerOf(tb testing.TB, v any) []byte {
	tb.Helper()
	b, err := encodeXML("m", v)
	if err != nil {
		tb.Fatalf("encode %v: %v", v, err)
	}
	_, params, found := bytes.Cut(b, []byte("<params>"))
	params, _, closed := bytes.Cut(params, []byte("</params>"))
	if !found || !closed {
		tb.Fatalf("no params in %s", b)
	}
	return []byte("<?xml version='1.0'?><methodResponse><params>" + string(params) + "</params></methodResponse>")
}

func TestXMLKeepsValues(t *testing.T) {
	for _, c := range []struct {
		what       string
		give, want any
	}{
		{"text", "a <b> & \"c\" 'd' ]]>", "a <b> & \"c\" 'd' ]]>"},
		{"the empty text", "", ""},
		{"white space", " a\tb\nc ", " a\tb\nc "},
		{"a carriage return", "a\rb", "a\rb"},
		{"other scripts", "漢字 🙂 ü", "漢字 🙂 ü"},
		{"nothing is False", nil, false},
		{"nothing in a list", []any{nil, 1}, []any{false, int64(1)}},
		{"nothing in a mapping", map[string]any{"a": nil}, map[string]any{"a": false}},
		{"ids", []int64{1, 2}, []any{int64(1), int64(2)}},
		{"an empty list", []any{}, []any{}},
		{"an empty mapping", map[string]any{}, map[string]any{}},
		{"a key with markup", map[string]any{"<a>&": "x"}, map[string]any{"<a>&": "x"}},
		{"a number", 1.5, 1.5},
		{"a negative number", -3, int64(-3)},
		{"a big number", int64(1) << 40, int64(1) << 40},
		{"an unsigned number", uint8(7), int64(7)},
		{"truth", true, true},
		{"a named type", odbxfs.SHA1("ab"), "ab"},
		{"deep", []any{map[string]any{"a": []any{[]any{"", nil}}}}, []any{map[string]any{"a": []any{[]any{"", false}}}}},
	} {
		got, err := decodeXML(answerOf(t, c.give))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %#v, %v; want %#v", c.what, got, err, c.want)
		}
	}
}

func TestXMLRefusesWhatItWouldChange(t *testing.T) {
	for what, v := range map[string]any{
		"a control character":         "a\x01b",
		"U+FFFE":                      "a\uFFFEb",
		"a control character in deep": []any{map[string]any{"a": "\x07"}},
		"a control character as key":  map[string]any{"\x07": 1},
		"raw bytes":                   []byte("x"),
		"not a number":                math.NaN(),
		"infinity":                    math.Inf(1),
		"keys that are no text":       map[int]string{1: "a"},
		"a channel":                   make(chan int),
	} {
		if b, err := encodeXML("m", v); err == nil {
			t.Errorf("%s: sent as %s", what, b)
		}
	}
}

func TestBadXMLAnswersAreErrors(t *testing.T) {
	ok := "<methodResponse><params><param><value><int>1</int></value></param></params></methodResponse>"
	for what, body := range map[string]string{
		"empty":            "",
		"white space":      " \n",
		"a page":           "<html><body>Bad gateway</body></html>",
		"cut off":          ok[:50],
		"not XML":          "hello",
		"a bomb of depth":  "<methodResponse>" + strings.Repeat("<value><array><data>", 1e5),
		"an attribute":     strings.Replace(ok, "<value>", `<value a="/>">`, 1),
		"a comment":        strings.Replace(ok, "<value>", `<value><!-- /> -->`, 1),
		"an entity":        `<!DOCTYPE a [<!ENTITY b "c">]>` + ok,
		"no value":         "<methodResponse></methodResponse>",
		"a broken number":  strings.Replace(ok, "1", "one", 1),
		"an unknown type":  strings.ReplaceAll(ok, "int", "nonesuch"),
		"a broken fault":   "<methodResponse><fault><value><int>1</int></value></fault></methodResponse>",
		"a member of none": "<methodResponse><params><param><value><struct><member></member></struct></value></param></params></methodResponse>",
	} {
		if v, err := decodeXML([]byte(body)); err == nil {
			t.Errorf("%s: taken for %#v", what, v)
		}
	}
	if v, err := decodeXML([]byte(ok)); err != nil || v != int64(1) {
		t.Errorf("the good one: %v, %v", v, err)
	}
}

func TestForbiddenCharactersDoNotBlockAnAnswer(t *testing.T) {
	body := answerOf(t, []any{"axb", "good"})
	for _, bad := range []string{"\x01", "\x0b", "\uFFFE", "\uFFFF", "\xff"} {
		v, err := decodeXML(bytes.Replace(body, []byte("axb"), []byte("a"+bad+"b"), 1))
		if err != nil || !reflect.DeepEqual(v, []any{"a\uFFFDb", "good"}) {
			t.Errorf("%q: got %#v, %v", bad, v, err)
		}
	}
}

func TestJSONNumbersStayExact(t *testing.T) {
	v, err := parseJSON([]byte(`{"a": 9007199254740993, "b": 1.5, "c": [1, null, false, "x"], "d": 1e3}`))
	want := map[string]any{"a": int64(9007199254740993), "b": 1.5, "c": []any{int64(1), nil, false, "x"}, "d": 1000.0}
	if err != nil || !reflect.DeepEqual(v, want) {
		t.Errorf("got %#v, %v", v, err)
	}
	for what, body := range map[string]string{"empty": "", "two values": "1 2", "cut off": `{"a": [1,`, "a page": "<html>", "trailing text": `{} x`, "a number beyond all": "1e999"} {
		if v, err := parseJSON([]byte(body)); err == nil {
			t.Errorf("%s: taken for %#v", what, v)
		}
	}
}

func TestDecodeIntoGoValues(t *testing.T) {
	type row struct {
		ID      int64             `odoo:"id"`
		Name    string            `odoo:"name"`
		Active  bool              `odoo:"active"`
		Size    float64           `odoo:"size"`
		Partner Ref               `odoo:"partner_id"`
		Tags    []int64           `odoo:"tag_ids"`
		Written time.Time         `odoo:"write_date"`
		More    map[string]string `odoo:"more"`
		Any     any               `odoo:"any"`
		Pointer *int              `odoo:"pointer"`
		Hidden  string
	}
	in := map[string]any{"id": int64(7), "name": "n", "active": true, "size": int64(3), "partner_id": []any{int64(4), "P"}, "tag_ids": []any{int64(1), 2.0},
		"write_date": "2026-11-23 13:38:55", "more": map[string]any{"a": "b"}, "any": []any{int64(1)}, "pointer": int64(5), "Hidden": "x", "": "y"}
	var got row
	if err := decode(in, &got); err != nil {
		t.Fatal(err)
	}
	five := 5
	want := row{ID: 7, Name: "n", Active: true, Size: 3, Partner: Ref{4, "P"}, Tags: []int64{1, 2}, Written: time.Date(2026, 11, 23, 13, 38, 55, 0, time.UTC),
		More: map[string]string{"a": "b"}, Any: []any{int64(1)}, Pointer: &five}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	empty := map[string]any{}
	for k := range in {
		empty[k] = false
	}
	got = want
	if err := decode(empty, &got); err != nil || !reflect.DeepEqual(got, row{Any: false}) {
		t.Errorf("False for all: %+v, %v", got, err)
	}
}

func TestDecodeRefusesOtherKinds(t *testing.T) {
	for _, c := range []struct {
		what string
		v    any
		out  any
	}{
		{"text for a number", "1", new(int64)},
		{"a number for text", int64(1), new(string)},
		{"a fraction for a whole number", 1.5, new(int64)},
		{"a number beyond the type", int64(300), new(int8)},
		{"a negative number for an unsigned one", int64(-1), new(uint8)},
		{"a float beyond exactness", 1e300, new(int64)},
		{"truth for a number", true, new(int64)},
		{"a number for truth", int64(1), new(bool)},
		{"a list for a mapping", []any{}, new(map[string]string)},
		{"a mapping for a list", map[string]any{}, new([]int64)},
		{"text for a struct", "x", new(struct{})},
		{"text for a date", "yesterday", new(time.Time)},
		{"a number for a date", int64(1), new(time.Time)},
		{"a text for a many2one", "x", new(Ref)},
		{"True for a many2one", true, new(Ref)},
		{"no pointer", int64(1), int64(0)},
		{"a channel", int64(1), new(chan int)},
		{"one bad row of many", []any{map[string]any{"id": "x"}}, new([]struct {
			ID int64 `odoo:"id"`
		})},
	} {
		if err := decode(c.v, c.out); err == nil {
			t.Errorf("%s: taken", c.what)
		}
	}
	if err := decode([]any{map[string]any{"a": "secret"}}, new([]struct {
		A int `odoo:"a"`
	})); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "[0]: a:") {
		t.Errorf("want the place and no content, got %v", err)
	}
}

func TestTextsThatNoDatabaseTakes(t *testing.T) {
	for what, c := range map[string]struct {
		v    any
		want error
	}{
		"NUL":                {[]any{map[string]any{"name": "a\x00"}}, errNUL},
		"bad UTF-8":          {map[string]any{"name": "a\xff"}, errUTF8},
		"in a list of texts": {[]any{[]string{"ok", "\x00"}}, errNUL},
		"as key":             {map[string]any{"\xff": 1}, errUTF8},
		"in many rows":       {[]any{[]map[string]any{{"a": "\x00"}}}, errNUL},
	} {
		if err := checkText(c.v); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if err := checkText([]any{"fine", 1, nil, map[string]any{"a": []string{"b"}}}); err != nil {
		t.Errorf("fine: %v", err)
	}
}

func TestPositionalArgumentsGetNames(t *testing.T) {
	got, err := nameArguments(&call{model: "m", method: "search_read", args: []any{[]any{}}, kw: map[string]any{"limit": 1}})
	if err != nil || !reflect.DeepEqual(got, map[string]any{"domain": []any{}, "limit": 1}) {
		t.Errorf("got %v, %v", got, err)
	}
	for what, c := range map[string]*call{
		"too many":         {model: "m", method: "unlink", args: []any{1, 2}},
		"unknown method":   {model: "m", method: "frobnicate", args: []any{1, 2}},
		"given both ways":  {model: "m", method: "read", args: []any{1}, kw: map[string]any{"ids": 1}},
		"none to be named": {model: "m", method: "create", args: []any{1, 2}},
	} {
		if got, err := nameArguments(c); err == nil {
			t.Errorf("%s: %v", what, got)
		}
	}
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		info string
		want int
	}{{`[19, 0, 0, "final", 0, ""]`, 19}, {`["saas~18", 2, 0, "final", 0, ""]`, 18}, {`[14]`, 0}, {`null`, 0}} {
		var v any
		if err := json.Unmarshal([]byte(c.info), &v); err != nil {
			t.Fatal(err)
		}
		n, err := parseJSON([]byte(c.info))
		if err != nil {
			t.Fatal(err)
		}
		if got := parseVersion(n, "").Major; got != c.want {
			t.Errorf("%s: got %d", c.info, got)
		}
	}
}
