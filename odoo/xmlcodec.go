package odoo

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"reflect"
	"unicode/utf8"

	"github.com/kolo/xmlrpc"
)

// kolo's codec is used for requests and answers; what it gets wrong silently is
// put right around it, here:
//   - nil is written as an empty string: False is sent, which is Odoo's null
//   - member names are not escaped: they are, before
//   - []byte becomes a list of numbers, control characters become U+FFFD: refused
//   - an empty string is read as nil: "" again

// errXMLText says that XML 1.0 has no way to write a character of the text.
var errXMLText = errors.New("text contains a control character, which XML-RPC cannot carry")

// maxDepth bounds the nesting of an answer: kolo's decoder recurses, and Go
// cannot recover from an exhausted stack. Odoo's own answers nest a dozen deep
// (views in fields_get), at three to five tags a level.
const maxDepth = 600

// encodeXML writes a method call.
func encodeXML(method string, params ...any) ([]byte, error) {
	for i, p := range params {
		v, err := xmlValue(reflect.ValueOf(p))
		if err != nil {
			return nil, err
		}
		params[i] = v
	}
	return xmlrpc.EncodeMethodCall(method, params...)
}

// xmlValue rewrites v into what kolo's encoder gets right.
func xmlValue(v reflect.Value) (any, error) {
	if !v.IsValid() {
		return false, nil
	}
	if b, ok := v.Interface().(*blob); ok {
		return b.token, nil
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return false, nil
		}
		return xmlValue(v.Elem())
	case reflect.Slice, reflect.Array:
		return xmlList(v)
	case reflect.Map:
		return xmlMap(v)
	case reflect.String:
		return v.String(), checkXMLText(v.String())
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.Uint(), nil
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, errors.New("a number that is none")
		}
		return v.Float(), nil
	default:
		return nil, fmt.Errorf("cannot send a %s", v.Type())
	}
}

func xmlList(v reflect.Value) (any, error) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return nil, errors.New("cannot send raw bytes: base64 text is what Odoo takes")
	}
	list := make([]any, v.Len())
	for i := range list {
		e, err := xmlValue(v.Index(i))
		if err != nil {
			return nil, err
		}
		list[i] = e
	}
	return list, nil
}

func xmlMap(v reflect.Value) (any, error) {
	if v.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("cannot send a %s", v.Type())
	}
	m := make(map[string]any, v.Len())
	for it := v.MapRange(); it.Next(); {
		key := it.Key().String()
		if err := checkXMLText(key); err != nil {
			return nil, err
		}
		e, err := xmlValue(it.Value())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		var esc bytes.Buffer
		if err := xml.EscapeText(&esc, []byte(key)); err != nil {
			return nil, err
		}
		m[esc.String()] = e
	}
	return m, nil
}

func checkXMLText(s string) error {
	for _, r := range s {
		if !inXML(r) {
			return errXMLText
		}
	}
	return nil
}

// inXML is the Char production of XML 1.0.
func inXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// decodeXML reads an answer. A fault is an error of type xmlrpc.FaultError.
func decodeXML(body []byte) (v any, err error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, errEmptyAnswer
	}
	if depth(body) > maxDepth {
		return nil, errors.New("answer is nested too deep")
	}
	// The decoder sets values by reflection, and trusts the answer's shape while
	// it does: a daemon must not die of what a broken proxy answers.
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, fmt.Errorf("answer is no XML-RPC: %v", p)
		}
	}()
	r := xmlrpc.Response(cleanXML(body))
	if err := r.Err(); err != nil {
		return nil, err
	}
	if !bytes.Contains(r, []byte("<methodResponse")) {
		return nil, errors.New("answer is no XML-RPC")
	}
	if err := r.Unmarshal(&v); err != nil {
		return nil, err
	}
	return emptyStrings(v), nil
}

// cleanXML replaces what XML 1.0 forbids by U+FFFD. Odoo 14 sends control
// characters as they are, 19 the two non-characters U+FFFE and U+FFFF: one such
// name would make a whole search unreadable. The name shows wrong then; ids are
// what names things.
func cleanXML(body []byte) []byte {
	clean := true
	for i := 0; i < len(body) && clean; {
		r, n := utf8.DecodeRune(body[i:])
		clean = inXML(r) && !(r == utf8.RuneError && n == 1)
		i += n
	}
	if clean {
		return body
	}
	return bytes.Map(func(r rune) rune {
		if inXML(r) {
			return r
		}
		return utf8.RuneError
	}, body)
}

// depth counts how deep the tags nest, before any decoder sees them. Attributes,
// comments and CDATA could fool the count, and XML-RPC has none: they count as
// too deep.
func depth(body []byte) int {
	deep, most := 0, 0
	for {
		i := bytes.IndexByte(body, '<')
		if i < 0 {
			return most
		}
		body = body[i+1:]
		end := bytes.IndexByte(body, '>')
		if end <= 0 {
			return most // cut off: the decoder says so
		}
		tag := body[:end]
		switch {
		case tag[0] == '?':
		case tag[0] == '!' || bytes.ContainsAny(tag, "\"'<"):
			return maxDepth + 1
		case tag[end-1] == '/':
		case tag[0] == '/':
			deep--
		default:
			deep++
			most = max(most, deep)
		}
	}
}

// emptyStrings undoes kolo's nil for <string></string>. Odoo's answers have no
// other nil over XML-RPC (it refuses to marshal None).
func emptyStrings(v any) any {
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		for i := range v {
			v[i] = emptyStrings(v[i])
		}
	case map[string]any:
		if v == nil { // <struct></struct>
			return map[string]any{}
		}
		for k := range v {
			v[k] = emptyStrings(v[k])
		}
	}
	return v
}
