package odoo

import (
	"fmt"
	"reflect"
	"time"
)

// Decoder is implemented by types that read themselves from an answer's value:
// nil, bool, int64, float64, string, []any or map[string]any.
type Decoder interface {
	DecodeOdoo(v any) error
}

// Ref is a many2one: the record's id and display name. The zero Ref is none.
type Ref struct {
	ID   int64
	Name string
}

// DecodeOdoo reads False, an id, or [id, name].
func (r *Ref) DecodeOdoo(v any) error {
	*r = Ref{}
	switch v := v.(type) {
	case nil:
		return nil
	case bool:
		if !v {
			return nil
		}
	case int64:
		r.ID = v
		return nil
	case []any:
		if len(v) == 2 {
			id, ok := v[0].(int64)
			name, isText := v[1].(string)
			if ok && (isText || v[1] == nil || v[1] == false) {
				r.ID, r.Name = id, name
				return nil
			}
		}
	}
	return fmt.Errorf("want a many2one, got %s", kindOf(v))
}

// timeLayout is how Odoo writes datetimes: UTC, whole seconds, though the
// database keeps microseconds.
const timeLayout = "2006-01-02 15:04:05"

var (
	timeType    = reflect.TypeFor[time.Time]()
	decoderType = reflect.TypeFor[Decoder]()
)

// decode stores v in what out points to. False and nil are the zero value of
// anything. On an error, out may be filled in part only for slices and structs
// that were handed in; callers drop it.
func decode(v any, out any) error {
	if out == nil {
		return nil
	}
	p := reflect.ValueOf(out)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("decode into %T: want a pointer", out)
	}
	return decodeTo(v, p.Elem())
}

func decodeTo(v any, to reflect.Value) error {
	if to.CanAddr() && to.Addr().Type().Implements(decoderType) {
		return to.Addr().Interface().(Decoder).DecodeOdoo(v)
	}
	if to.Kind() == reflect.Interface && to.NumMethod() == 0 {
		to.Set(reflect.Zero(to.Type()))
		if v != nil {
			to.Set(reflect.ValueOf(v))
		}
		return nil
	}
	if to.Kind() == reflect.Bool {
		return decodeBool(v, to)
	}
	if v == nil || v == false {
		to.SetZero()
		return nil
	}
	if to.Type() == timeType {
		return decodeTime(v, to)
	}
	switch to.Kind() {
	case reflect.Pointer:
		n := reflect.New(to.Type().Elem())
		if err := decodeTo(v, n.Elem()); err != nil {
			return err
		}
		to.Set(n)
		return nil
	case reflect.Slice:
		return decodeSlice(v, to)
	case reflect.Map:
		return decodeMap(v, to)
	case reflect.Struct:
		return decodeStruct(v, to)
	default:
		return decodeScalar(v, to)
	}
}

func decodeBool(v any, to reflect.Value) error {
	switch v := v.(type) {
	case nil:
		to.SetBool(false)
	case bool:
		to.SetBool(v)
	default:
		return mismatch("true or false", v)
	}
	return nil
}

func decodeTime(v any, to reflect.Value) error {
	s, ok := v.(string)
	if !ok {
		return mismatch("a datetime", v)
	}
	t, err := time.Parse(timeLayout, s)
	if err != nil {
		return err
	}
	to.Set(reflect.ValueOf(t))
	return nil
}

func decodeScalar(v any, to reflect.Value) error {
	switch to.Kind() {
	case reflect.String:
		if s, ok := v.(string); ok {
			to.SetString(s)
			return nil
		}
		return mismatch("text", v)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, ok := wholeNumber(v)
		if !ok || to.OverflowInt(i) {
			return mismatch("a whole number that fits "+to.Kind().String(), v)
		}
		to.SetInt(i)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		i, ok := wholeNumber(v)
		if !ok || i < 0 || to.OverflowUint(uint64(i)) {
			return mismatch("a whole number that fits "+to.Kind().String(), v)
		}
		to.SetUint(uint64(i))
	case reflect.Float32, reflect.Float64:
		switch v := v.(type) {
		case float64:
			to.SetFloat(v)
		case int64:
			to.SetFloat(float64(v))
		default:
			return mismatch("a number", v)
		}
	default:
		return fmt.Errorf("decode into %s: not supported", to.Type())
	}
	return nil
}

// wholeNumber takes floats too: an Odoo float field holds sizes beyond 2^31,
// and is exact up to 2^53.
func wholeNumber(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		const exact = 1 << 53
		if v >= -exact && v <= exact && v == float64(int64(v)) {
			return int64(v), true
		}
	}
	return 0, false
}

func decodeSlice(v any, to reflect.Value) error {
	list, ok := v.([]any)
	if !ok {
		return mismatch("a list", v)
	}
	s := reflect.MakeSlice(to.Type(), len(list), len(list))
	for i, e := range list {
		if err := decodeTo(e, s.Index(i)); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	to.Set(s)
	return nil
}

func decodeMap(v any, to reflect.Value) error {
	m, ok := v.(map[string]any)
	if !ok || to.Type().Key().Kind() != reflect.String {
		return mismatch("a mapping", v)
	}
	n := reflect.MakeMapWithSize(to.Type(), len(m))
	for k, e := range m {
		ev := reflect.New(to.Type().Elem()).Elem()
		if err := decodeTo(e, ev); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		n.SetMapIndex(reflect.ValueOf(k).Convert(to.Type().Key()), ev)
	}
	to.Set(n)
	return nil
}

// decodeStruct fills the fields tagged `odoo:"name"`; what the answer has
// besides is ignored, what it lacks stays zero.
func decodeStruct(v any, to reflect.Value) error {
	m, ok := v.(map[string]any)
	if !ok {
		return mismatch("a mapping", v)
	}
	to.SetZero()
	for i := range to.NumField() {
		name := to.Type().Field(i).Tag.Get("odoo")
		e, there := m[name]
		if name == "" || !there {
			continue
		}
		if err := decodeTo(e, to.Field(i)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func mismatch(want string, v any) error {
	return fmt.Errorf("want %s, got %s", want, kindOf(v))
}

// kindOf names a value's kind without its content, which may be a person's.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case bool:
		return "true or false"
	case int64, float64:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	case map[string]any:
		return "a mapping"
	default:
		return fmt.Sprintf("%T", v)
	}
}
