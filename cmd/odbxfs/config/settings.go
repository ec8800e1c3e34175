package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knadh/koanf/v2"
)

// Setting is one thing that can be set.
type Setting struct {
	Key     string // as in the file, with dots; * stands for the name of a cloud client
	Env     string // its environment variable
	Default string // as it would stand in the file; empty: none
	Meaning string // one line

	typ reflect.Type
}

// Settings lists everything that can be set, in the order of the file.
func Settings() []Setting { return settings(reflect.ValueOf(Defaults()), "") }

// settings walks a struct; of a map it shows what each entry has.
func settings(v reflect.Value, prefix string) []Setting {
	var all []Setting
	for f := range v.Type().Fields() {
		if !f.IsExported() {
			continue
		}
		name, opts, _ := strings.Cut(f.Tag.Get("koanf"), ",")
		field := v.FieldByIndex(f.Index)
		switch {
		case opts == "squash":
			all = append(all, settings(field, prefix)...)
		case f.Type.Kind() == reflect.Struct:
			all = append(all, settings(field, prefix+name+".")...)
		case f.Type.Kind() == reflect.Map:
			all = append(all, settings(reflect.Zero(f.Type.Elem()), prefix+name+".*.")...)
		default:
			s := Setting{Key: prefix + name, Env: envPrefix + envName(prefix+name), Meaning: f.Tag.Get("help"), typ: f.Type}
			if !field.IsZero() {
				s.Default = shown(field.Interface())
			}
			all = append(all, s)
		}
	}
	return all
}

// shown writes a default as a person would: 15m, not 15m0s.
func shown(v any) string {
	s := fmt.Sprint(v)
	if _, ok := v.(time.Duration); ok {
		s = strings.TrimSuffix(strings.TrimSuffix(s, "0s"), "0m")
		if s == "" || !strings.HasSuffix(fmt.Sprint(v), "m0s") {
			return fmt.Sprint(v)
		}
	}
	return s
}

// checkFile names the first key of the file that nobody knows, or whose value
// is of another kind than it must be.
func checkFile(k *koanf.Koanf, path string) error {
	known := Settings()
	for _, key := range k.Keys() {
		i := slices.IndexFunc(known, func(s Setting) bool { return matches(key, s.Key) })
		if i < 0 {
			return fmt.Errorf("config %s: there is no setting %q; the nearest is %q", path, key, nearest(key, keysOf(known)))
		}
		if err := known[i].judge(k.Get(key)); err != nil {
			return fmt.Errorf("config %s: %s is %s; %w", path, key, quoted(k.Get(key)), err)
		}
	}
	return nil
}

func keysOf(all []Setting) []string {
	keys := make([]string, len(all))
	for i, s := range all {
		keys[i] = s.Key
	}
	return keys
}

// quoted shows a value of the file as it stands there.
func quoted(v any) string {
	if s, ok := v.(string); ok {
		return strconv.Quote(s)
	}
	return fmt.Sprint(v)
}

// What a value must be, by the kind of its setting.
var (
	errText  = errors.New("it must be text in quotes")
	errTime  = errors.New("it must be a time above zero, as \"10s\" or \"15m\"")
	errCount = errors.New("it must be a whole number, zero or more")
	errBool  = errors.New("it must be true or false")
	errList  = errors.New("it must be a list of texts, as [\"sale.order\"]")
)

// judge says what is wrong with a value of the file or of the environment,
// where all is text.
func (s Setting) judge(v any) error {
	text, isText := v.(string)
	switch {
	case s.typ == reflect.TypeFor[time.Duration]():
		if d, err := time.ParseDuration(text); err != nil || d <= 0 {
			return errTime
		}
	case s.typ.Kind() == reflect.Bool:
		if _, is := v.(bool); is {
			return nil
		}
		if _, err := strconv.ParseBool(text); err != nil {
			return errBool
		}
	case s.typ.Kind() == reflect.Slice:
		if list, is := v.([]any); is && !slices.ContainsFunc(list, notText) || isText {
			return nil
		}
		return errList
	case s.typ.Kind() == reflect.String:
		if !isText {
			return errText
		}
	default:
		if n, is := v.(int64); is && n >= 0 {
			return nil
		}
		if _, err := strconv.ParseUint(text, 10, 63); err != nil {
			return errCount
		}
	}
	return nil
}

func notText(v any) bool {
	_, is := v.(string)
	return !is
}

// matches reports whether a key is one of a pattern with * for a client's name.
func matches(key, pattern string) bool {
	a, b := strings.Split(key, "."), strings.Split(pattern, ".")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && b[i] != "*" {
			return false
		}
	}
	return true
}
