package faults

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// root is where the folders of the orders are in Dropbox.
const root = "/Odoo/Sales Orders/"

// person works in the Dropbox account with a program of his own.
type person struct {
	t    *testing.T
	http http.RoundTripper
}

// call calls a route; data goes along where it is not nil. The answer is decoded
// into out, or given whole where that is a *[]byte.
func (p *person) call(route string, arg map[string]any, data []byte, out any) {
	p.t.Helper()
	must(p.t, p.try(route, arg, data, out))
}

func (p *person) try(route string, arg map[string]any, data []byte, out any) error {
	raw, err := json.Marshal(arg)
	if err != nil {
		return err
	}
	header := http.Header{"Authorization": {"Bearer person"}, "Content-Type": {"application/json"}}
	body := raw
	if _, isData := out.(*[]byte); isData || data != nil {
		header.Set("Dropbox-API-Arg", string(raw))
		header.Set("Content-Type", "application/octet-stream")
		body = data
	}
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "https://api.dropboxapi.com/2/"+route, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header
	resp, err := p.http.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	switch to := out.(type) {
	case *[]byte:
		*to = got
	case nil:
	default:
		if err == nil && resp.StatusCode == http.StatusOK {
			err = json.Unmarshal(got, out)
		}
	}
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %v: %d %s", route, arg, resp.StatusCode, got)
	}
	return err
}

// putInBox puts a file into Dropbox, or new bytes into one.
func (w *world) putInBox(path, text string) {
	w.t.Helper()
	w.person.call("files/upload", map[string]any{"path": root + path, "mode": "overwrite"}, []byte(text), nil)
	w.want[path] = text
}

// moveInBox renames or moves a file or folder in Dropbox.
func (w *world) moveInBox(from, to string) {
	w.t.Helper()
	w.person.call("files/move_v2", map[string]any{"from_path": root + from, "to_path": root + to}, nil, nil)
	for path, text := range w.want {
		if path == from || strings.HasPrefix(path, from+"/") {
			delete(w.want, path)
			w.want[to+strings.TrimPrefix(path, from)] = text
		}
	}
}

func (w *world) deleteInBox(path string) {
	w.t.Helper()
	w.person.call("files/delete_v2", map[string]any{"path": root + path}, nil, nil)
	delete(w.want, path)
}

// fill makes a file outside of what is mirrored, so that of what the account is
// allowed 4 MiB are left; empty takes it away.
func (w *world) fill(path string, allowed int) {
	w.t.Helper()
	var space struct {
		Used int `json:"used"`
	}
	w.person.call("users/get_space_usage", nil, nil, &space)
	w.person.call("files/upload", map[string]any{"path": path}, make([]byte, allowed-space.Used-4<<20), nil)
}

func (w *world) empty(path string) {
	w.t.Helper()
	w.person.call("files/delete_v2", map[string]any{"path": path}, nil, nil)
}

// A file is its path and its bytes.
type file struct{ path, text string }

// createInOdoo makes attachments of one order, all in one call.
func (w *world) createInOdoo(files ...file) {
	w.t.Helper()
	vals := make([]any, len(files))
	for i, f := range files {
		order, name, _ := strings.Cut(f.path, "/")
		vals[i] = map[string]any{"name": name, "res_model": "sale.order", "res_id": w.order(order),
			"datas": base64.StdEncoding.EncodeToString([]byte(f.text))}
		w.want[f.path] = f.text
	}
	must(w.t, w.admin.Call(w.t.Context(), "ir.attachment", "create", []any{vals}, nil, nil))
}

// newOrder makes a sale order and gives its name.
func (w *world) newOrder() string {
	w.t.Helper()
	must(w.t, w.admin.Call(w.t.Context(), "sale.order", "create", []any{map[string]any{"partner_id": 5}}, nil, nil))
	rows := w.odoo.Rows("sale.order")
	name, _ := rows[len(rows)-1]["name"].(string)
	return name
}

// attachment gives the id of the document at a path.
func (w *world) attachment(path string) int64 {
	w.t.Helper()
	found := w.inOdoo()[path]
	if len(found) != 1 {
		w.t.Fatalf("Odoo has %d documents at %s", len(found), path)
	}
	return found[0].id
}

func (w *world) writeInOdoo(path string, vals map[string]any) {
	w.t.Helper()
	must(w.t, w.admin.Call(w.t.Context(), "ir.attachment", "write", []any{[]int64{w.attachment(path)}, vals}, nil, nil))
}

// editInOdoo gives a document other bytes, as a program over the API does.
func (w *world) editInOdoo(path, text string) {
	w.t.Helper()
	w.writeInOdoo(path, map[string]any{"type": "binary", "url": false, "datas": base64.StdEncoding.EncodeToString([]byte(text))})
	w.want[path] = text
}

// renameInOdoo renames a document of an order.
func (w *world) renameInOdoo(path, name string) {
	w.t.Helper()
	w.writeInOdoo(path, map[string]any{"name": name})
	order, _, _ := strings.Cut(path, "/")
	w.want[order+"/"+name] = w.want[path]
	delete(w.want, path)
}

func (w *world) deleteInOdoo(path string) {
	w.t.Helper()
	must(w.t, w.admin.Call(w.t.Context(), "ir.attachment", "unlink", []any{[]int64{w.attachment(path)}}, nil, nil))
	delete(w.want, path)
}
