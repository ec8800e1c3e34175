package odootest

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// serveXML answers /xmlrpc/2/common and /xmlrpc/2/object. Faults have status 200.
func (s *Server) serveXML(w http.ResponseWriter, service string, body []byte) {
	method, params, err := parseXMLCall(body)
	var result any
	var f *fault
	switch {
	case err != nil:
		f = unforeseen("xml.parsers.expat.ExpatError", "%v", err)
	case service == "common":
		result, f = s.common(method, params)
	case service == "object":
		result, f = s.object(method, params)
	default:
		html(w, http.StatusNotFound, "404 Not Found")
		return
	}
	var out bytes.Buffer
	out.WriteString("<?xml version='1.0'?>\n<methodResponse>\n")
	if f == nil {
		out.WriteString("<params>\n<param>\n")
		if err := writeXML(&out, result); err != nil {
			f = unforeseen("TypeError", "%v", err) // after the commit, as with Odoo
			out.Reset()
			out.WriteString("<?xml version='1.0'?>\n<methodResponse>\n")
		} else {
			out.WriteString("</param>\n</params>\n")
		}
	}
	if f != nil {
		out.WriteString("<fault>\n")
		// Texts and small numbers always have a form.
		_ = writeXML(&out, map[string]any{"faultCode": int64(f.code()), "faultString": f.xmlText()})
		out.WriteString("</fault>\n")
	}
	out.WriteString("</methodResponse>\n")
	w.Header().Set("Content-Type", "text/xml")
	w.Write(out.Bytes()) //nolint:errcheck // the client is gone when this fails
}

func (s *Server) common(method string, params []any) (any, *fault) {
	switch method {
	case "version":
		return map[string]any{"server_version": s.versionName(), "server_version_info": s.versionInfo(), "server_serie": s.versionName(), "protocol_version": int64(1)}, nil
	case "authenticate", "login":
		if len(params) < 3 {
			return nil, unforeseen("TypeError", "missing arguments")
		}
		if f := s.checkDatabase(params[0]); f != nil {
			return nil, f
		}
		uid, ok := s.login(fmt.Sprint(params[1]), fmt.Sprint(params[2]), true)
		s.noteSignIn(fmt.Sprint(params[1]), ok)
		if !ok {
			return false, nil
		}
		return uid, nil
	}
	return nil, unforeseen("Exception", "Method not found: %s", method)
}

func (s *Server) checkDatabase(name any) *fault {
	if name != s.opt.Database {
		return unforeseen("psycopg2.OperationalError", "connection to server failed: FATAL:  database %q does not exist", fmt.Sprint(name))
	}
	return nil
}

func (s *Server) object(method string, params []any) (any, *fault) {
	if method != "execute_kw" && method != "execute" || len(params) < 5 {
		return nil, unforeseen("Exception", "Method not found: %s", method)
	}
	if f := s.checkDatabase(params[0]); f != nil {
		return nil, f
	}
	uid, _ := params[1].(int64)
	if !s.secretOf(uid, fmt.Sprint(params[2])) {
		return nil, accessDenied()
	}
	a := args{kw: map[string]any{}}
	if method == "execute" {
		a.pos = params[5:]
	} else {
		if len(params) > 5 {
			a.pos, _ = params[5].([]any)
		}
		if len(params) > 6 {
			if kw, ok := params[6].(map[string]any); ok {
				a.kw = kw
			}
		}
	}
	return s.execute(uid, fmt.Sprint(params[3]), fmt.Sprint(params[4]), a)
}

// xmlNode is any element.
type xmlNode struct {
	XMLName xml.Name
	Text    string    `xml:",chardata"`
	Nodes   []xmlNode `xml:",any"`
}

func parseXMLCall(body []byte) (string, []any, error) {
	var call struct {
		XMLName xml.Name  `xml:"methodCall"`
		Method  string    `xml:"methodName"`
		Params  []xmlNode `xml:"params>param>value"`
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = nil
	if err := d.Decode(&call); err != nil {
		return "", nil, err
	}
	params := make([]any, 0, len(call.Params))
	for _, p := range call.Params {
		v, err := fromXML(p)
		if err != nil {
			return "", nil, err
		}
		params = append(params, v)
	}
	return call.Method, params, nil
}

func fromXML(value xmlNode) (any, error) {
	if len(value.Nodes) == 0 {
		return value.Text, nil
	}
	n := value.Nodes[0]
	switch n.XMLName.Local {
	case "string":
		return n.Text, nil
	case "int", "i4", "i8":
		return strconv.ParseInt(strings.TrimSpace(n.Text), 10, 64)
	case "double":
		return strconv.ParseFloat(strings.TrimSpace(n.Text), 64)
	case "boolean":
		return strings.TrimSpace(n.Text) == "1", nil
	case "nil":
		return nil, nil
	case "dateTime.iso8601":
		d, err := time.Parse("20060102T15:04:05", strings.TrimSpace(n.Text))
		return d.Format(datetime), err
	case "base64":
		return base64.StdEncoding.DecodeString(strings.TrimSpace(n.Text))
	case "array":
		out := []any{}
		for _, data := range n.Nodes {
			for _, e := range data.Nodes {
				v, err := fromXML(e)
				if err != nil {
					return nil, err
				}
				out = append(out, v)
			}
		}
		return out, nil
	case "struct":
		return structFromXML(n)
	}
	return nil, fmt.Errorf("unknown element <%s>", n.XMLName.Local)
}

func structFromXML(n xmlNode) (any, error) {
	out := map[string]any{}
	for _, member := range n.Nodes {
		var name string
		for _, part := range member.Nodes {
			if part.XMLName.Local == "name" {
				name = part.Text
				continue
			}
			v, err := fromXML(part)
			if err != nil {
				return nil, err
			}
			out[name] = v
		}
	}
	return out, nil
}

// writeXML writes one value as Odoo's marshaller does: no nil, no integer
// beyond 32 bits.
func writeXML(b *bytes.Buffer, v any) error {
	b.WriteString("<value>")
	defer b.WriteString("</value>\n")
	switch x := v.(type) {
	case nil:
		return errors.New("cannot marshal None unless allow_none is enabled")
	case bool:
		b.WriteString("<boolean>" + map[bool]string{true: "1", false: "0"}[x] + "</boolean>")
	case int64:
		if x > 1<<31-1 || x < -1<<31 {
			return errors.New("int exceeds XML-RPC limits")
		}
		fmt.Fprintf(b, "<int>%d</int>", x)
	case float64:
		fmt.Fprintf(b, "<double>%s</double>", strconv.FormatFloat(x, 'g', -1, 64))
	case string:
		b.WriteString("<string>")
		escapeXML(b, x)
		b.WriteString("</string>")
	case map[string]any:
		b.WriteString("<struct>\n")
		for _, name := range slices.Sorted(maps.Keys(x)) {
			b.WriteString("<member>\n<name>")
			escapeXML(b, name)
			b.WriteString("</name>\n")
			if err := writeXML(b, x[name]); err != nil {
				return err
			}
			b.WriteString("</member>\n")
		}
		b.WriteString("</struct>")
	default:
		list, ok := listOf(v)
		if !ok {
			return fmt.Errorf("cannot marshal %T objects", v)
		}
		b.WriteString("<array><data>\n")
		for _, e := range list {
			if err := writeXML(b, e); err != nil {
				return err
			}
		}
		b.WriteString("</data></array>")
	}
	return nil
}

// escapeXML is Python's: only &, < and > are replaced; a control character
// goes out as it is and breaks the answer on 14; 19 strips it.
func escapeXML(b *bytes.Buffer, s string) {
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").WriteString(b, s) //nolint:errcheck // a buffer takes all
}

// listOf gives a list of any kind as []any.
func listOf(v any) ([]any, bool) {
	switch l := v.(type) {
	case []any:
		return l, true
	case []int64:
		out := make([]any, len(l))
		for i := range l {
			out[i] = l[i]
		}
		return out, true
	case []string:
		out := make([]any, len(l))
		for i := range l {
			out[i] = l[i]
		}
		return out, true
	case []map[string]any:
		out := make([]any, len(l))
		for i := range l {
			out[i] = l[i]
		}
		return out, true
	}
	return nil, false
}
