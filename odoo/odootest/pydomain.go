package odootest

import (
	"fmt"
	"strconv"
	"strings"
)

// parseDomain reads a domain as people type it into Odoo: Python's lists,
// tuples, texts, numbers, True, False, None, and the given words.
func parseDomain(source string, words map[string]any) ([]any, error) {
	source = strings.TrimSpace(source)
	if source == "" {
		return nil, nil
	}
	p := &pyParser{rest: source, words: words}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if p.skip(); p.rest != "" {
		return nil, fmt.Errorf("unexpected %q after the domain", p.rest)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%q is no list", source)
	}
	return list, nil
}

type pyParser struct {
	rest  string
	words map[string]any
}

func (p *pyParser) skip() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *pyParser) value() (any, error) {
	p.skip()
	if p.rest == "" {
		return nil, fmt.Errorf("the domain ends too early")
	}
	switch c := p.rest[0]; c {
	case '[':
		return p.list(']')
	case '(':
		return p.list(')')
	case '\'', '"':
		return p.text(c)
	}
	end := strings.IndexAny(p.rest, ",)] \t\r\n")
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	switch word {
	case "True":
		return true, nil
	case "False", "None":
		return false, nil
	}
	if v, ok := p.words[word]; ok {
		return v, nil
	}
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is not known in a domain", word)
	}
	return f, nil
}

func (p *pyParser) list(end byte) (any, error) {
	out := []any{}
	for p.rest = p.rest[1:]; ; {
		p.skip()
		if p.rest == "" {
			return nil, fmt.Errorf("the domain ends inside a list")
		}
		if p.rest[0] == end {
			p.rest = p.rest[1:]
			return out, nil
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		if p.skip(); strings.HasPrefix(p.rest, ",") {
			p.rest = p.rest[1:]
		} else if p.rest == "" || p.rest[0] != end {
			return nil, fmt.Errorf("a comma is missing before %q", p.rest)
		}
	}
}

func (p *pyParser) text(quote byte) (any, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == quote:
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case c == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return nil, fmt.Errorf("a text does not end")
}
