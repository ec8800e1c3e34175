package ports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"odbxfs"
	"odbxfs/odoo"
)

func mkdir(parent odbxfs.OdooRef, name string) odbxfs.OdooOp {
	op := create(parent, name, nil)
	return odbxfs.OdooOp{Kind: odbxfs.OdooMakeFolder, Key: op.Key, Parent: parent, Name: name}
}

func rewrite(n odbxfs.OdooNode, content []byte) odbxfs.OdooOp {
	return odbxfs.OdooOp{Kind: odbxfs.OdooWriteContent, Ref: n.Ref, Expect: &n, Content: opener(content), Size: int64(len(content)), SHA1: sum(content)}
}

func relocate(n odbxfs.OdooNode, parent odbxfs.OdooRef, name string) odbxfs.OdooOp {
	return odbxfs.OdooOp{Kind: odbxfs.OdooRelocate, Ref: n.Ref, Expect: &n, Parent: parent, Name: name}
}

func remove(n odbxfs.OdooNode) odbxfs.OdooOp {
	return odbxfs.OdooOp{Kind: odbxfs.OdooRemove, Ref: n.Ref, Expect: &n}
}

func employeeWrites(b *bench) {
	t := b.t
	one, two := b.partner(t, "One"), b.partner(t, "Two")
	when := time.Date(2020, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	op := create(one, "letter.pdf", pdf("first"))
	op.MTime = when
	n := *b.apply(t, b.user, odbxfs.Done, op).Node
	if n.ParentRef != one || n.Name != "letter.pdf" || n.Type != odbxfs.Binary || n.SHA1 != sum(pdf("first")) || n.Size != int64(len(pdf("first"))) ||
		n.Mimetype != "application/pdf" || !n.MTime.Equal(when) || !n.Writable {
		t.Errorf("made: %+v", n)
	}
	n = *b.apply(t, b.user, odbxfs.Done, rewrite(n, pdf("second"))).Node
	if n.SHA1 != sum(pdf("second")) || n.Mimetype != "application/pdf" {
		t.Errorf("rewritten: %+v", n)
	}
	n = *b.apply(t, b.user, odbxfs.Done, relocate(n, two, "brief.pdf")).Node
	if n.ParentRef != two || n.Name != "brief.pdf" {
		t.Errorf("moved: %+v", n)
	}
	if got := read(t, func() (io.ReadCloser, error) { return b.user.Content(b.ctx, n.Ref, 0, -1) }); !bytes.Equal(got, pdf("second")) {
		t.Errorf("content %q", got)
	}
	for _, empty := range []odbxfs.OdooNode{b.put(t, b.user, one, "empty.txt", nil), *b.apply(t, b.user, odbxfs.Done, rewrite(n, nil)).Node} {
		if empty.Size != 0 || empty.SHA1 != odbxfs.EmptySHA1 {
			t.Errorf("empty: %+v", empty)
		}
		n = empty
	}
	b.apply(t, b.user, odbxfs.Done, remove(n))
	b.absent(t, b.user, n.Ref)
	b.apply(t, b.user, odbxfs.Gone, remove(n))
}

func lostReply(b *bench) {
	t := b.t
	parent := b.partner(t, "Twice")
	op := create(parent, "once.txt", []byte("once"))
	first := b.apply(t, b.user, odbxfs.Done, op)
	again := b.apply(t, b.user, odbxfs.Done, op)
	if first.Node.Ref != again.Node.Ref {
		t.Errorf("made twice: %s and %s", first.Node.Ref, again.Node.Ref)
	}
	if n := b.count(t, "ir.attachment", on(parent)); n != 1 {
		t.Errorf("%d attachments, want 1", n)
	}
	b.apply(t, b.user, odbxfs.Done, remove(*first.Node))
	b.apply(t, b.user, odbxfs.Gone, op)

	dir := mkdir(parent, "once")
	if a, c := b.apply(t, b.user, odbxfs.Done, dir), b.apply(t, b.user, odbxfs.Done, dir); a.Node.Ref != c.Node.Ref {
		t.Errorf("folder made twice: %s and %s", a.Node.Ref, c.Node.Ref)
	}
	// every write, run twice, is Done twice
	n := b.put(t, b.user, parent, "f.txt", []byte("1"))
	for _, op := range []odbxfs.OdooOp{rewrite(n, []byte("2")), relocate(withSHA1(n, sum([]byte("2"))), parent, "g.txt")} {
		b.apply(t, b.user, odbxfs.Done, op)
		b.apply(t, b.user, odbxfs.Done, op)
	}
}

func withSHA1(n odbxfs.OdooNode, s odbxfs.SHA1) odbxfs.OdooNode { n.SHA1 = s; return n }

func keysAreOwn(b *bench) {
	t := b.t
	op := create(b.partner(t, "Keys"), "k.txt", []byte("k"))
	mine := b.apply(t, b.user, odbxfs.Done, op).Node.Ref
	if theirs := b.apply(t, b.engine, odbxfs.Done, op).Node.Ref; theirs == mine {
		t.Error("one user's key found another's document")
	}
}

func compareAndSet(b *bench) {
	t := b.t
	parent := b.partner(t, "CAS")
	n := b.put(t, b.user, parent, "a.txt", []byte("a"))
	b.apply(t, b.user, odbxfs.Done, rewrite(n, []byte("theirs")))
	res := b.apply(t, b.user, odbxfs.Changed, rewrite(n, []byte("ours")))
	if res.Node == nil || res.Node.SHA1 != sum([]byte("theirs")) {
		t.Errorf("what is there: %+v", res.Node)
	}
	b.apply(t, b.user, odbxfs.Changed, remove(n))
	b.apply(t, b.user, odbxfs.Changed, relocate(n, parent, "b.txt"))
	renamed := *res.Node
	renamed.Name = "another.txt"
	b.apply(t, b.user, odbxfs.Changed, remove(renamed))
	elsewhere := *res.Node
	elsewhere.ParentRef = b.partner(t, "CAS2")
	b.apply(t, b.user, odbxfs.Changed, rewrite(elsewhere, []byte("ours")))
	b.apply(t, b.user, odbxfs.Done, remove(*res.Node))
	// one write that fails leaves the others of its batch alone
	all, err := b.user.Apply(b.ctx, []odbxfs.OdooOp{create(parent, "1", []byte("1")), rewrite(n, []byte("x")), create(odbxfs.RecordRef("res.partner", 99_999_999), "2", []byte("2")), create(parent, "3", []byte("3"))})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []odbxfs.Outcome{odbxfs.Done, odbxfs.Gone, odbxfs.Refused, odbxfs.Done} {
		if all[i].Outcome != want {
			t.Errorf("write %d: outcome %d %v, want %d", i, all[i].Outcome, all[i].Err, want)
		}
	}
	wantKind(t, all[2].Err, odbxfs.KindMissing)
}

func largeFile(b *bench) {
	t := b.t
	content := make([]byte, 20<<20+17)
	rng := rand.NewChaCha8([32]byte{1})
	if _, err := rng.Read(content); err != nil {
		t.Fatal(err)
	}
	n := b.put(t, b.user, b.partner(t, "Large"), "large.bin", content)
	if n.Size != int64(len(content)) || n.SHA1 != sum(content) {
		t.Errorf("%+v", n)
	}
	for _, open := range []func() (io.ReadCloser, error){
		func() (io.ReadCloser, error) { return b.user.Content(b.ctx, n.Ref, 1<<20, 9<<20) },
		func() (io.ReadCloser, error) { return b.engine.Content(b.ctx, n.Ref, 1<<20, 9<<20) },
	} {
		if got := read(t, open); !bytes.Equal(got, content[1<<20:10<<20]) {
			t.Errorf("range of %d bytes differs", len(got))
		}
	}
	if left := b.count(t, "ir.attachment", Where{"res_model": "x_odbxfs_upload"}); left != 0 {
		t.Errorf("%d parts left", left)
	}
	lying := create(b.partner(t, "Liar"), "l.bin", []byte("abc"))
	lying.SHA1 = sum([]byte("abd"))
	res := b.apply(t, b.user, odbxfs.Failed, lying)
	wantKind(t, res.Err, odbxfs.KindCorrupt)
}

func oddNames(b *bench) {
	t := b.t
	parent := b.partner(t, "Odd")
	names := []string{"fine", "nul\x00", "bad\xff", "bell\x07", "../a/b", "", " \n\t", strings.Repeat("long ", 500), "ünï 🎉", "{name} %s %(id)s '\"<&>"}
	var ops []odbxfs.OdooOp
	for _, name := range names {
		op := create(parent, "odd", []byte(name))
		op.Name = name
		ops = append(ops, op)
	}
	res, err := b.user.Apply(b.ctx, ops)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range res {
		switch {
		case i == 1, i == 2, i == 3 && b.speaks == odoo.XMLRPC:
			if r.Outcome != odbxfs.Refused || !odbxfs.IsKind(r.Err, odbxfs.KindName) {
				t.Errorf("%q: %+v", names[i], r)
			}
		case r.Outcome != odbxfs.Done || r.Node == nil || r.Node.Name != names[i]:
			t.Errorf("%q: %+v", names[i], r)
		}
	}
}

// manyWrites: 30 files of 1 MiB do not fit one batch; one of them cannot be
// opened, and one is not what was announced.
func manyWrites(b *bench) {
	t := b.t
	parent := b.partner(t, "Many")
	var ops []odbxfs.OdooOp
	for i := range 30 {
		ops = append(ops, create(parent, fmt.Sprintf("f%02d", i), bytes.Repeat([]byte{byte(i)}, 1<<20)))
	}
	ops = append(ops, mkdir(parent, "between"))
	ops[11].Content = func(context.Context) (io.ReadCloser, error) { return nil, errors.New("the disk is gone") }
	ops[12].Size++
	calls := b.srv.Calls(t)
	res, err := b.user.Apply(b.ctx, ops)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range res {
		switch {
		case i == 11 || i == 12:
			if r.Outcome != odbxfs.Failed || r.Err == nil {
				t.Errorf("write %d: %+v", i, r)
			}
		case r.Outcome != odbxfs.Done || r.Node == nil || r.Node.Name != ops[i].Name:
			t.Errorf("write %d: %+v", i, r)
		}
	}
	wantKind(t, res[12].Err, odbxfs.KindCorrupt)
	if n := b.count(t, "ir.attachment", on(parent)); n != 28 {
		t.Errorf("%d files, want 28", n)
	}
	if n := b.srv.Calls(t) - calls; n < 2 || n > 6 {
		t.Errorf("%d calls for 31 writes of 28 MiB", n)
	}
}

func bigImage(b *bench) {
	t := b.t
	img := image.NewGray(image.Rect(0, 0, 2500, 2000))
	for i := range img.Pix {
		img.Pix[i] = byte(i * 7)
	}
	img.SetGray(1, 1, color.Gray{Y: 9})
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		t.Fatal(err)
	}
	for _, p := range []port{b.user, b.engine} {
		n := b.put(t, p, b.partner(t, "Painter"), "p.png", buf.Bytes())
		if n.SHA1 != sum(buf.Bytes()) || n.Mimetype != "image/png" {
			t.Errorf("%+v", n)
		}
		other := append(buf.Bytes(), 0)
		if n = *b.apply(t, p, odbxfs.Done, rewrite(n, other)).Node; n.SHA1 != sum(other) {
			t.Errorf("rewritten: %+v", n)
		}
	}
}

func folders(b *bench) {
	t := b.t
	one, two := b.partner(t, "Folders 1"), b.partner(t, "Folders 2")
	a := *b.apply(t, b.user, odbxfs.Done, mkdir(one, "A")).Node
	if a.Role != odbxfs.RoleSubfolder || a.ParentRef != one || a.Kind != odbxfs.Folder {
		t.Errorf("subfolder: %+v", a)
	}
	in := *b.apply(t, b.user, odbxfs.Done, mkdir(a.Ref, "B")).Node
	f := b.put(t, b.user, in.Ref, "f.txt", []byte("f"))
	if f.ParentRef != in.Ref {
		t.Errorf("file: %+v", f)
	}
	b.apply(t, b.user, odbxfs.Changed, remove(in)) // not empty
	res := b.apply(t, b.user, odbxfs.Refused, relocate(a, in.Ref, "A"))
	wantKind(t, res.Err, odbxfs.KindInvalid)
	a = *b.apply(t, b.user, odbxfs.Done, relocate(a, two, "A2")).Node
	if a.ParentRef != two || a.Name != "A2" {
		t.Errorf("moved folder: %+v", a)
	}
	if got := b.node(t, b.user, f.Ref); got.ParentRef != in.Ref {
		t.Errorf("its file: %+v", got)
	}
	if got := b.row(t, "ir.attachment", f.Ref.ID)["res_id"]; got != two.ID {
		t.Errorf("its file is of partner %v, want %d", got, two.ID)
	}
	free := *b.apply(t, b.user, odbxfs.Done, mkdir(odbxfs.RootRef(), "Free")).Node
	if free.Role != odbxfs.RoleFree || free.ParentRef != odbxfs.RootRef() || free.Client != b.client {
		t.Errorf("free folder: %+v", free)
	}
	f = *b.apply(t, b.user, odbxfs.Done, relocate(b.node(t, b.user, f.Ref), free.Ref, "f.txt")).Node
	if f.ParentRef != free.Ref {
		t.Errorf("file in a free folder: %+v", f)
	}
	for _, n := range []odbxfs.OdooNode{f, free, in, a} {
		b.apply(t, b.user, odbxfs.Done, remove(n))
	}
	rule := b.rule(t, "Contacts")
	for _, ref := range []odbxfs.OdooRef{odbxfs.RootRef(), rule, one} {
		n := b.node(t, b.user, ref)
		wantKind(t, b.apply(t, b.user, odbxfs.Refused, remove(n)).Err, odbxfs.KindAccess)
		wantKind(t, b.apply(t, b.user, odbxfs.Refused, relocate(n, odbxfs.RootRef(), "x")).Err, odbxfs.KindAccess)
	}
}

func forgedFolder(b *bench) {
	t := b.t
	mine, other := b.partner(t, "Mine"), b.partner(t, "Other")
	folder := b.apply(t, b.user, odbxfs.Done, mkdir(other, "F")).Node
	f := b.put(t, b.user, mine, "f.txt", []byte("f"))
	if err := b.demo.Write(b.ctx, "ir.attachment", []int64{f.Ref.ID}, map[string]any{"x_odbxfs_folder_id": folder.Ref.ID, "x_odbxfs_mtime": "soon", "x_odbxfs_size": 5}); err != nil {
		t.Fatal(err)
	}
	if n := b.node(t, b.engine, f.Ref); n.ParentRef != mine || n.Size != 1 || n.MTime.IsZero() {
		t.Errorf("%+v", n)
	}
	b.apply(t, b.user, odbxfs.Done, remove(*folder)) // nor does it keep the folder
}
