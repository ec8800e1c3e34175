package odoo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"
)

// Values inside the client are of seven kinds, whatever transport brought them:
// nil, bool, int64, float64, string, []any and map[string]any.

// errNUL and errUTF8 say why a text is not sent: PostgreSQL takes neither.
var (
	errNUL  = errors.New("text contains a NUL character")
	errUTF8 = errors.New("text is not valid UTF-8")
)

// parseJSON reads exactly one JSON value and normalises it.
func parseJSON(body []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errEmptyAnswer
		}
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return normalise(v)
}

// normalise turns decoder output into the seven kinds, in place where it can.
func normalise(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case []any:
		for i := range v {
			n, err := normalise(v[i])
			if err != nil {
				return nil, err
			}
			v[i] = n
		}
		return v, nil
	case map[string]any:
		for k := range v {
			n, err := normalise(v[k])
			if err != nil {
				return nil, err
			}
			v[k] = n
		}
		return v, nil
	case nil, bool, string, int64, float64:
		return v, nil
	default:
		return nil, fmt.Errorf("a value of type %T in an answer", v)
	}
}

// number keeps whole numbers exact: ids and sums exceed float64's 53 bits late,
// but comparing them as floats would be wrong silently.
func number(n json.Number) (any, error) {
	if i, err := n.Int64(); err == nil {
		return i, nil
	}
	f, err := n.Float64()
	if err != nil || math.IsInf(f, 0) {
		return nil, fmt.Errorf("number %q out of range", n)
	}
	return f, nil
}

// checkText looks through arguments for texts that no Odoo can store, so that
// they are refused by name and not as a server's 500.
func checkText(v any) error {
	switch v := v.(type) {
	case string:
		return checkString(v)
	case []string:
		return checkEach(v)
	case []any:
		return checkEach(v)
	case []map[string]any:
		return checkEach(v)
	case map[string]any:
		for k, e := range v {
			if err := checkString(k); err != nil {
				return err
			}
			if err := checkText(e); err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
		}
	}
	return nil
}

func checkEach[T any](list []T) error {
	for _, e := range list {
		if err := checkText(e); err != nil {
			return err
		}
	}
	return nil
}

func checkString(s string) error {
	if !utf8.ValidString(s) {
		return errUTF8
	}
	for i := range len(s) {
		if s[i] == 0 {
			return errNUL
		}
	}
	return nil
}
