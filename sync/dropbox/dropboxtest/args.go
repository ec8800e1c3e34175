package dropboxtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// tagged is a union in an argument: {".tag":"x",...} or, for a void member, "x".
type tagged struct {
	Tag    string
	fields map[string]json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *tagged) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &t.Tag)
	}
	if err := json.Unmarshal(b, &t.fields); err != nil {
		return errors.New("expected object or string for a union")
	}
	if err := json.Unmarshal(t.fields[".tag"], &t.Tag); err != nil {
		return errors.New("missing '.tag' key")
	}
	return nil
}

// str gives a string member, as the rev of update.
func (t *tagged) str(name string) string {
	var s string
	if err := json.Unmarshal(t.fields[name], &s); err != nil {
		return "" // absent or no string: the caller treats both as not given
	}
	return s
}

// stamp is a time in the only form that Dropbox takes: whole seconds, UTC.
type stamp struct{ time.Time }

const stampForm = "2006-01-02T15:04:05Z"

// UnmarshalJSON implements json.Unmarshaler.
func (s *stamp) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return errors.New("expected string for a timestamp")
	}
	t, err := time.Parse(stampForm, text)
	if err != nil || len(text) != len(stampForm) {
		return fmt.Errorf("time data '%s' does not match format '%%Y-%%m-%%dT%%H:%%M:%%SZ'", text)
	}
	s.Time = t
	return nil
}

func formatTime(t time.Time) string { return t.UTC().Format(stampForm) }

// decodeArg reads an argument as strictly as Stone does: no unknown fields, all
// required ones (tag `stone:"required"`), the right types.
func (c *call) decodeArg(raw []byte, arg any) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		raw = []byte("{}")
		if reflect.TypeOf(arg).Elem() == reflect.TypeFor[void]() {
			return nil
		}
	}
	if !json.Valid(raw) {
		return badCall("%s: could not decode input as JSON", c.source())
	}
	if msg := checkFields("", raw, reflect.TypeOf(arg).Elem()); msg != "" {
		return badCall("%s: %s", c.source(), msg)
	}
	if err := json.Unmarshal(raw, arg); err != nil {
		if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return badCall("%s: %s: expected %s, got %s", c.source(), te.Field, te.Type, te.Value)
		}
		return badCall("%s: %s", c.source(), err)
	}
	return nil
}

// void is the argument of routes that have none.
type void struct{}

// checkFields gives the words for the first unknown or missing field, or "".
func checkFields(at string, raw json.RawMessage, t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if string(raw) == "null" || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return ""
	}
	switch t.Kind() {
	case reflect.Slice:
		var list []json.RawMessage
		if t.Elem().Kind() != reflect.Struct || json.Unmarshal(raw, &list) != nil {
			return "" // wrong types are found by decoding
		}
		for i, e := range list {
			if msg := checkFields(fmt.Sprintf("%sindex %d: ", at, i), e, t.Elem()); msg != "" {
				return msg
			}
		}
	case reflect.Struct:
		return checkStruct(at, raw, t)
	default: // has no fields
	}
	return ""
}

func checkStruct(at string, raw json.RawMessage, t reflect.Type) string {
	var have map[string]json.RawMessage
	if json.Unmarshal(raw, &have) != nil || have == nil {
		return at + "expected object"
	}
	keys := make([]string, 0, len(have))
	for k := range have {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	known := map[string]reflect.StructField{}
	for f := range fields(t) {
		known[f.Tag.Get("json")] = f
		if _, ok := have[f.Tag.Get("json")]; !ok && f.Tag.Get("stone") == "required" {
			return fmt.Sprintf("%smissing required field '%s'", at, f.Tag.Get("json"))
		}
	}
	for _, k := range keys {
		f, ok := known[k]
		if !ok {
			return fmt.Sprintf("%sunknown field '%s'", at, k)
		}
		if msg := checkFields(at+k+": ", have[k], f.Type); msg != "" {
			return msg
		}
	}
	return ""
}

// fields yields the fields of a struct, those of embedded structs included.
func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for _, f := range reflect.VisibleFields(t) {
			if !f.Anonymous && !yield(f) {
				return
			}
		}
	}
}

// checkPath is the 400 for a path that misses its pattern, or nil.
func (c *call) checkPath(field, value, pattern string) error {
	if value == "/" && pattern == listPattern {
		return badCall("%s: %s: Specify the root folder as an empty string rather than as \"/\".", c.source(), field)
	}
	if value == "" && pattern != listPattern || value == "/" {
		return badCall("%s: %s: The root folder is unsupported.", c.source(), field)
	}
	if !patterns[pattern].MatchString(value) {
		return badCall("%s: %s: '%s' did not match pattern '%s'", c.source(), field, strings.ToValidUTF8(value, "?"), pattern)
	}
	return nil
}
