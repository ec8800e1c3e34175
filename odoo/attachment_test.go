package odoo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"odbxfs"
)

// A desk is a server in process with one attachment, that answers a session's
// calls by "model.method" and /web/content by a function.
type desk struct {
	t       *testing.T
	row     map[string]any
	calls   []string
	content func(r *http.Request) *http.Response
	answer  map[string]func() any // instead of what the desk would say
}

func newDesk(t *testing.T) *desk {
	return &desk{t: t, answer: map[string]func() any{}, row: map[string]any{
		"id": 5, "name": "a.txt", "type": "binary", "url": false, "res_model": "res.partner", "res_id": 3,
		"checksum": "a9993e364706816aba3e25717850c26c9cd0d89d", "file_size": 3, "mimetype": "text/plain"}} // abc
}

func (d *desk) client() *Client { return scripted(d.t, d, fixed("p")) }

func (d *desk) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/web/content/") {
		d.calls = append(d.calls, "content")
		return d.content(r), nil
	}
	return script(func(r *http.Request) (int, string, string) {
		if strings.HasSuffix(r.URL.Path, "authenticate") {
			return 200, "application/json", signedIn
		}
		parts := strings.Split(r.URL.Path, "/")
		call := parts[len(parts)-2] + "." + parts[len(parts)-1]
		d.calls = append(d.calls, call)
		var result any = true
		switch {
		case d.answer[call] != nil:
			result = d.answer[call]()
		case call == "ir.attachment.read", call == "ir.attachment.search_read":
			result = []any{d.row}
		case call == "ir.attachment.create":
			result = []any{5}
		}
		b, err := json.Marshal(map[string]any{"result": result})
		if err != nil {
			d.t.Error(err)
		}
		return 200, "application/json", string(b)
	}).RoundTrip(r)
}

// reply makes an answer of /web/content.
func reply(status int, body string, header ...string) func(*http.Request) *http.Response {
	return func(r *http.Request) *http.Response {
		h := http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}
	}
}

func opener(s string) odbxfs.Opener {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(s)), nil }
}

func TestUploadsAreComparedAndWrongOnesRemoved(t *testing.T) {
	d := newDesk(t)
	a, err := d.client().Upload(t.Context(), map[string]any{"name": "a.txt"}, opener("abc"), 3, "")
	if err != nil || a.ID != 5 || a.Checksum != "a9993e364706816aba3e25717850c26c9cd0d89d" {
		t.Fatalf("%+v, %v", a, err)
	}
	for what, spoil := range map[string]func(){
		"rescaled": func() { d.row["checksum"] = "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		"cut":      func() { d.row["file_size"] = 2 },
		"empty":    func() { d.row["checksum"], d.row["file_size"] = false, 0 },
	} {
		d = newDesk(t)
		spoil()
		_, err := d.client().Upload(t.Context(), map[string]any{"name": "a.txt"}, opener("abc"), 3, "")
		if !odbxfs.IsKind(err, odbxfs.KindCorrupt) || !slices.Contains(d.calls, "ir.attachment.unlink") {
			t.Errorf("%s: %v after %v", what, err, d.calls)
		}
	}
}

func TestEmptyContentHasManyFaces(t *testing.T) {
	for _, checksum := range []any{false, nil, string(odbxfs.EmptySHA1)} {
		d := newDesk(t)
		d.row["checksum"], d.row["file_size"] = checksum, 0
		if _, err := d.client().Upload(t.Context(), nil, opener(""), 0, odbxfs.EmptySHA1); err != nil {
			t.Errorf("checksum %v: %v", checksum, err)
		}
		d.content = reply(404, "")
		r, info, err := d.client().Content(t.Context(), 5, 0, -1)
		if err != nil || info.SHA1 != odbxfs.EmptySHA1 {
			t.Errorf("checksum %v: %v", checksum, err)
			continue
		}
		if b, err := io.ReadAll(r); len(b) > 0 || err != nil {
			t.Errorf("%q, %v", b, err)
		}
	}
}

func TestWritingKeepsTheMimetypeAndClearsTheURL(t *testing.T) {
	var sent map[string]any
	d := newDesk(t)
	wire := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/write") {
			var body struct {
				Params struct {
					Args   []json.RawMessage
					Kwargs map[string]map[string]any
				}
			}
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			if err := json.Unmarshal(body.Params.Args[1], &sent); err != nil {
				t.Error(err)
			}
			if body.Params.Kwargs["context"]["image_no_postprocess"] != true {
				t.Error("images would be rescaled")
			}
		}
		return d.RoundTrip(r)
	})
	if _, err := scripted(t, wire, fixed("p")).WriteContent(t.Context(), 5, nil, opener("abc"), 3, ""); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"mimetype": "text/plain", "type": "binary", "url": false, "datas": "YWJj"}
	if fmt.Sprint(sent) != fmt.Sprint(want) {
		t.Errorf("sent %v, want %v", sent, want)
	}
}

func TestContentByWhatTheServerAnswers(t *testing.T) {
	const sum = "a9993e364706816aba3e25717850c26c9cd0d89d"
	for what, c := range map[string]struct {
		offset, length int64
		content        func(*http.Request) *http.Response
		want           string
		kind           odbxfs.ErrorKind // KindUnknown: none
	}{
		"whole, tag bare as on 14":   {0, -1, reply(200, "abc", "ETag", sum), "abc", 0},
		"whole, tag quoted as on 19": {0, -1, reply(200, "abc", "ETag", `"`+sum+`"`), "abc", 0},
		"a range that 14 ignores":    {1, 1, reply(200, "abc"), "b", 0},
		"a range behind its end":     {9, 1, reply(200, "abc"), "", 0},
		"a range that 19 serves":     {1, 1, reply(206, "b", "Content-Range", "bytes 1-1/3"), "b", 0},
		"a range of another place":   {1, 1, reply(206, "a", "Content-Range", "bytes 0-0/3"), "", odbxfs.KindUnavailable},
		"a range without saying":     {1, 1, reply(206, "a"), "", odbxfs.KindUnavailable},
		"behind the end on 19":       {3, 1, reply(416, ""), "", 0},
		"a link":                     {0, -1, reply(301, "", "Location", "https://dropbox.example/a?dl=0"), "", odbxfs.KindUnsupported},
		"broken":                     {0, -1, reply(500, "<html>"), "", odbxfs.KindUnavailable},
		"asked to wait":              {0, -1, reply(429, ""), "", odbxfs.KindRateLimited},
		"not there for this session": {0, -1, reply(404, ""), "abc", 0}, // then by RPC
		"the login page":             {0, -1, reply(303, "", "Location", "http://odoo.test/web/login?redirect=x"), "abc", 0},
	} {
		d := newDesk(t)
		d.row["datas"] = "YWJj"
		d.content = c.content
		r, info, err := d.client().Content(t.Context(), 5, c.offset, c.length)
		if c.kind != 0 {
			if odbxfs.KindOf(err) != c.kind || err == nil {
				t.Errorf("%s: got %v", what, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil || string(b) != c.want || info.SHA1 != "" && info.SHA1 != sum {
			t.Errorf("%s: %q, %+v, %v", what, b, info, err)
		}
		if err := r.Close(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, _, err := newDesk(t).client().Content(t.Context(), 5, -1, 1); !odbxfs.IsKind(err, odbxfs.KindInvalid) {
		t.Errorf("negative offset: %v", err)
	}
}

func TestContentGoneMeanwhile(t *testing.T) {
	d := newDesk(t)
	d.content = reply(404, "")
	d.answer["ir.attachment.read"] = func() any { return []any{} }
	if _, _, err := d.client().Content(t.Context(), 5, 0, -1); !odbxfs.IsKind(err, odbxfs.KindMissing) {
		t.Errorf("got %v", err)
	}
}

func TestPlainTellsALostRace(t *testing.T) {
	d := newDesk(t)
	p, err := NewPlain(d.client(), PlainConfig{Models: []PlainModel{{Model: "res.partner"}}})
	if err != nil {
		t.Fatal(err)
	}
	// Between our write and our look, somebody else writes.
	op := odbxfs.OdooOp{Kind: odbxfs.OdooWriteContent, Ref: odbxfs.AttachmentRef(5), Content: opener("mine"), Size: 4}
	res, err := p.Apply(t.Context(), []odbxfs.OdooOp{op})
	if err != nil || res[0].Outcome != odbxfs.Changed || res[0].Node == nil || res[0].Node.SHA1 != "a9993e364706816aba3e25717850c26c9cd0d89d" {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestPlainOutcomesOfErrors(t *testing.T) {
	for kind, want := range map[odbxfs.ErrorKind]odbxfs.Outcome{
		odbxfs.KindMissing: odbxfs.Gone, odbxfs.KindAccess: odbxfs.Refused, odbxfs.KindName: odbxfs.Refused, odbxfs.KindTooLarge: odbxfs.Refused,
		odbxfs.KindUnavailable: odbxfs.Failed, odbxfs.KindChanged: odbxfs.Failed, odbxfs.KindCredentials: odbxfs.Failed, odbxfs.KindUnknown: odbxfs.Failed,
	} {
		if r := failed(&odbxfs.Error{Op: "x", Kind: kind}); r.Outcome != want {
			t.Errorf("%q: outcome %d, want %d", kind, r.Outcome, want)
		}
	}
}

func TestPlainRuleNamesAreStable(t *testing.T) {
	if a, b := plainRule("sale.order"), plainRule("res.partner"); a == b || a.ID <= 0 || a != plainRule("sale.order") {
		t.Errorf("%v, %v", a, b)
	}
	for _, m := range [][]PlainModel{{{Model: ""}}, {{Model: "a"}, {Model: "a"}}} {
		if _, err := NewPlain(nil, PlainConfig{Models: m}); err == nil {
			t.Errorf("%v taken", m)
		}
	}
}

func TestPlainPollsModelsInUseOnly(t *testing.T) {
	d := newDesk(t)
	d.answer["res.partner.search_read"] = func() any {
		return []any{map[string]any{"id": 3, "display_name": "P", "write_date": "2026-11-23 10:00:00"}}
	}
	d.answer["res.partner.search"] = func() any { return []any{3} }
	d.answer["ir.config_parameter.get_param"] = func() any { return "uuid" }
	var used []string
	p, err := NewPlain(d.client(), PlainConfig{Models: []PlainModel{{Model: "res.partner", Folder: "Partners"}}, InUse: func() []string { return used }})
	if err != nil {
		t.Fatal(err)
	}
	first, err := p.Changes(t.Context(), "")
	if err != nil || len(first.Nodes) != 3 || first.Database != "uuid" || len(first.Counts) != 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	d.calls = nil
	idle, err := p.Changes(t.Context(), first.Mark)
	if err != nil || len(idle.Nodes) != 0 || len(idle.Counts) != 0 || !slices.Equal(d.calls, []string{"ir.config_parameter.get_param"}) {
		t.Errorf("nobody looks: %+v, %v after %v", idle, err, d.calls)
	}
	used = []string{"res.partner"}
	if busy, err := p.Changes(t.Context(), idle.Mark); err != nil || len(busy.Nodes) != 2 {
		t.Errorf("somebody looks: %+v, %v", busy, err)
	}
}

func TestErrorsNameTheAttachment(t *testing.T) {
	err := named(&odbxfs.Error{Op: "x", Kind: odbxfs.KindAccess}, 7)
	if e, ok := errors.AsType[*odbxfs.Error](err); !ok || e.Item != "attachment 7" {
		t.Errorf("got %v", err)
	}
	if plain := errors.New("x"); named(plain, 7) != plain { //nolint:errorlint // the very same
		t.Error("changed")
	}
}
