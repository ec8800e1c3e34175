package wire

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"odbxfs"
)

func TestANodeIsReadAsItWasSaid(t *testing.T) {
	file := Node{Ref: "att:7", Parent: "rec:sale.order:3", Name: "a.pdf", Client: 2, Modified: "1577934245000000006", Writable: true, Type: "link", SHA1: "ab", Size: "8589934592", Mimetype: "application/pdf", URL: "https://x"}
	got, err := file.Odoo()
	if err != nil {
		t.Fatal(err)
	}
	want := odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(7), ParentRef: odbxfs.RecordRef("sale.order", 3), Name: "a.pdf", Client: 2, Kind: odbxfs.File, Type: odbxfs.Link,
		SHA1: "ab", Size: 1 << 33, Mimetype: "application/pdf", URL: "https://x", MTime: time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC), Writable: true}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	folder, err := Node{Ref: "dir:4", Parent: "root", Name: "F", Role: "free", Modified: "0"}.Odoo()
	if err != nil || folder.Kind != odbxfs.Folder || folder.Role != odbxfs.RoleFree || !folder.MTime.IsZero() {
		t.Errorf("%+v %v", folder, err)
	}
}

func TestNonsenseOfANodeIsAnError(t *testing.T) {
	for what, n := range map[string]Node{
		"no reference":          {Ref: "att:x", Type: "binary"},
		"no parent's reference": {Ref: "att:1", Parent: "up", Type: "binary"},
		"no time":               {Ref: "att:1", Type: "binary", Modified: "noon"},
		"no role":               {Ref: "dir:1", Role: "king"},
		"a document's role":     {Ref: "att:1", Role: "free"},
		"no type":               {Ref: "att:1", Type: "cloud"},
		"a folder's type":       {Ref: "dir:1", Type: "binary"},
		"no size":               {Ref: "att:1", Type: "binary", Size: "big"},
		"a negative size":       {Ref: "att:1", Type: "binary", Size: "-1"},
	} {
		if got, err := n.Odoo(); err == nil {
			t.Errorf("%s is read as %+v", what, got)
		}
	}
}

func TestParentsComeBeforeChildren(t *testing.T) {
	node := func(ref, parent string) odbxfs.OdooNode {
		n, err := Node{Ref: ref, Parent: parent, Role: "free"}.Odoo()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	in := []odbxfs.OdooNode{node("dir:3", "dir:2"), node("dir:1", "root"), node("dir:2", "dir:1"), node("root", ""), node("dir:9", "dir:8"), node("dir:5", "dir:6"), node("dir:6", "dir:5")}
	var got []string
	for _, n := range SortParents(in) {
		got = append(got, n.Ref.String())
	}
	if want := "root dir:1 dir:2 dir:3 dir:9 dir:6 dir:5"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestACountIsReadOrRefused(t *testing.T) {
	got, err := Count([]any{"att", "res.partner", int64(3), "9000000000"})
	if want := (odbxfs.OdooCount{Scope: odbxfs.OdooScope{Kind: odbxfs.RefAttachment, Model: "res.partner"}, Count: 3, Sum: 9_000_000_000}); err != nil || got != want {
		t.Errorf("%+v %v, want %+v", got, err, want)
	}
	for _, row := range [][]any{nil, {"att", "m", int64(1)}, {"king", "m", int64(1), "1"}, {"att", "m", "1", "1"}, {"att", "m", int64(1), int64(1)}, {"att", "m", int64(1), "one"}} {
		if got, err := Count(row); err == nil {
			t.Errorf("%v is read as %+v", row, got)
		}
	}
}

func TestEveryScopeOfAWireHasItsName(t *testing.T) {
	for _, k := range []odbxfs.RefKind{odbxfs.RefRule, odbxfs.RefFolder, odbxfs.RefRecord, odbxfs.RefAttachment} {
		if name, err := ScopeName(k); err != nil || scopes[name] != k {
			t.Errorf("%d: %q %v", k, name, err)
		}
	}
	if _, err := ScopeName(odbxfs.RefRoot); err == nil {
		t.Error("the root is no scope")
	}
}

func TestAWriteCarriesItsPreconditionAndPair(t *testing.T) {
	pair := odbxfs.Pair{Row: 1, Version: 2, Client: 3, Kind: odbxfs.Folder, Odoo: odbxfs.FolderRef(4), Size: 1 << 40, Gone: true}
	op := odbxfs.OdooOp{Kind: odbxfs.OdooRelocate, Ref: odbxfs.FolderRef(4), Name: "n", Parent: odbxfs.RootRef(), MTime: time.Unix(5, 6), Pair: &pair,
		Expect: &odbxfs.OdooNode{Name: "o", ParentRef: odbxfs.RuleRef(2), Type: odbxfs.Copy, URL: "u"}}
	form, err := Op(op)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(form)); strings.Join(got, " ") != "expect kind mtime name pair parent ref" {
		t.Errorf("keys %v", got)
	}
	expect := form["expect"].(map[string]any)
	if form["kind"] != "move" || form["mtime"] != "5000000006" || expect["parent"] != "rule:2" || expect["type"] != "copy" || expect["url"] != "u" {
		t.Errorf("%v", form)
	}
	if p := form["pair"].(map[string]any); p["size"] != "1099511627776" || p["kind"] != "folder" || p["gone"] != true {
		t.Errorf("%v", p)
	}
	if _, err := Op(odbxfs.OdooOp{}); err == nil {
		t.Error("a write of no kind is sent")
	}
	for k := odbxfs.OdooCreateFile; k <= odbxfs.OdooHint; k++ {
		if _, err := Op(odbxfs.OdooOp{Kind: k}); err != nil {
			t.Errorf("kind %d: %v", k, err)
		}
	}
}

func TestAPairComesBackAsItWent(t *testing.T) {
	p := odbxfs.Pair{Row: 1, Version: 2, Client: 3, Kind: odbxfs.File, Odoo: odbxfs.AttachmentRef(4), OdooParent: odbxfs.RootRef(), OdooName: "o", Dropbox: "id:d", DropboxParent: "id:p",
		DropboxName: "d", MountName: "m", SHA1: "s", ContentHash: "c", Size: 1 << 40, Mimetype: "t/t", Rev: "r", URL: "u", Retained: "why", Gone: true}
	m := PairOf(p)
	w := Pair{Row: m["row"].(int64), Version: m["version"].(int64), Client: m["client"].(int64), Kind: m["kind"].(string), InOdoo: m["odoo"].(string), OdooParent: m["odoo_parent"].(string),
		OdooName: m["odoo_name"].(string), Dropbox: m["dropbox"].(string), DropboxParent: m["dropbox_parent"].(string), DropboxName: m["dropbox_name"].(string), MountName: m["mount_name"].(string),
		SHA1: m["sha1"].(string), ContentHash: m["content_hash"].(string), Size: m["size"].(string), Mimetype: m["mimetype"].(string), Rev: m["rev"].(string), URL: m["url"].(string),
		Retained: m["retained"].(string), Gone: m["gone"].(bool)}
	if got, err := w.Odoo(); err != nil || got != p {
		t.Errorf("got %+v %v, want %+v", got, err, p)
	}
	for what, bad := range map[string]Pair{"kind": {Kind: "socket"}, "reference": {Kind: "file", InOdoo: "x"}, "parent": {Kind: "file", OdooParent: "x"}, "size": {Kind: "file", Size: "x"}} {
		if _, err := bad.Odoo(); err == nil {
			t.Errorf("a pair without a %s is read", what)
		}
	}
}

func TestAResultHasItsKindOfError(t *testing.T) {
	for _, c := range []struct {
		in      Result
		outcome odbxfs.Outcome
		kind    odbxfs.ErrorKind
		isError bool
	}{
		{Result{Out: "done"}, odbxfs.Done, 0, false},
		{Result{Out: "gone"}, odbxfs.Gone, 0, false},
		{Result{Out: "retained", Reason: "r", Soon: true}, odbxfs.Retained, 0, false},
		{Result{Out: "changed", Err: "pair"}, odbxfs.Changed, odbxfs.KindUnknown, true},
		{Result{Out: "refused", Kind: "access", Err: "no"}, odbxfs.Refused, odbxfs.KindAccess, true},
		{Result{Out: "failed", Kind: "corrupt"}, odbxfs.Failed, odbxfs.KindCorrupt, true},
		{Result{Out: "failed", Kind: "new word"}, odbxfs.Failed, odbxfs.KindUnknown, true},
	} {
		got, err := c.in.Odoo("op", "item")
		if err != nil || got.Outcome != c.outcome || got.Reason != c.in.Reason || got.Soon != c.in.Soon {
			t.Errorf("%+v: %+v %v", c.in, got, err)
		}
		if (got.Err != nil) != c.isError || odbxfs.KindOf(got.Err) != c.kind {
			t.Errorf("%+v: error %v", c.in, got.Err)
		}
	}
	for _, bad := range []Result{{Out: "maybe"}, {Out: "done", Node: &Node{Ref: "x"}}, {Out: "done", Pair: &Pair{}}} {
		if _, err := bad.Odoo("op", "item"); err == nil {
			t.Errorf("%+v is read", bad)
		}
	}
}

func TestAClientWithoutPolicyConvertsByDefault(t *testing.T) {
	got := Client{ID: 1, Name: "n", Root: "/r", Links: "public", Paused: true}.Odoo()
	if want := (odbxfs.CloudClient{ID: 1, Name: "n", Root: "/r", Links: odbxfs.LinkPublic, Convert: odbxfs.ConvertDefault, Paused: true}); got != want {
		t.Errorf("%+v", got)
	}
}

func FuzzNode(f *testing.F) {
	f.Add("att:1", "root", "12", "link", "", "5")
	f.Add("rec:a.b:1", "rule:1", "", "", "record", "")
	f.Add("dir:0", "dir:0", "-1", "", "free", "x")
	f.Fuzz(func(t *testing.T, ref, parent, modified, kind, role, size string) {
		n, err := Node{Ref: ref, Parent: parent, Modified: modified, Type: kind, Role: role, Size: size}.Odoo()
		if err == nil && (n.Ref.String() != ref || n.ParentRef.String() != parent || (n.Kind == odbxfs.File) != (kind != "") || n.Size < 0) {
			t.Errorf("%q read as %+v", ref, n)
		}
	})
}
