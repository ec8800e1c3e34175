package odoo

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"odbxfs"
)

// seeds gives the bodies of real servers' answers on one wire; an empty list
// would make a fuzz target that tests nothing, and fails.
func seeds(f *testing.F, wires ...string) {
	f.Helper()
	n := 0
	for _, fix := range fixtures(f) {
		for _, w := range wires {
			if fix.wire == w {
				f.Add(fix.body)
				n++
			}
		}
	}
	if n < 20 {
		f.Fatalf("only %d seeds for %v", n, wires)
	}
}

// FuzzXMLRPC: what is read can be written and read again, and is the same; what
// cannot be read gives no value.
func FuzzXMLRPC(f *testing.F) {
	seeds(f, "xmlrpc")
	f.Add(answerOf(f, []any{map[string]any{"id": 1, "name": "", "active": false, "size": 1.5, "partner_id": []any{4, "P <&>"}}}))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := decodeXML(body)
		if err != nil {
			if v != nil {
				t.Errorf("a value beside the error %v: %#v", err, v)
			}
			return
		}
		if _, err := encodeXML("m", v); err != nil {
			return // numbers that are none, times: nothing that Odoo sends
		}
		again, err := decodeXML(answerOf(t, v))
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Errorf("read %#v, again %#v, %v", v, again, err)
		}
	})
}

// FuzzJSON: the same for JSON.
func FuzzJSON(f *testing.F) {
	seeds(f, "session", "json2")
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":[{"id":9007199254740993,"x":1.5,"y":[false,null,"\u0001"]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := parseJSON(body)
		if err != nil {
			if v != nil {
				t.Errorf("a value beside the error %v: %#v", err, v)
			}
			return
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("write %#v: %v", v, err)
		}
		again, err := parseJSON(b)
		if err != nil || !reflect.DeepEqual(wholes(again), wholes(v)) {
			t.Errorf("read %#v, again %#v, %v", v, again, err)
		}
	})
}

// wholes makes floats of whole numbers, which JSON does not tell apart.
func wholes(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = wholes(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = wholes(v[k])
		}
	}
	return v
}

// FuzzFaults: whatever a server says becomes an error of a known kind, short,
// and without an action's code.
func FuzzFaults(f *testing.F) {
	seeds(f, "session", "json2", "xmlrpc", "http")
	f.Fuzz(func(t *testing.T, body []byte) {
		a := &answer{status: http.StatusBadGateway, header: http.Header{}, body: body}
		errs := []error{xmlFault("m.f", 1, string(body)), xmlFault("m.f", 2, string(body)), httpError("m.f", a)}
		if v, err := parseJSON(body); err == nil {
			m, _ := v.(map[string]any)
			errs = append(errs, jsonFault("m.f", m), json2Fault("m.f", 500, a.header, v))
		}
		for _, err := range errs {
			if k := odbxfs.KindOf(err); !strings.Contains(err.Error(), k.String()) || len(err.Error()) > 3*maxMessage {
				t.Errorf("%q: %v", k, err)
			}
		}
	})
}
