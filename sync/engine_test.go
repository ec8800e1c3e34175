package sync

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/sync/plan"
)

// Each case is something that people do on one side or both after a first
// calm, with what both sides hold afterwards.
func TestBothSidesComeToAgree(t *testing.T) {
	type doing func(r *rig, a odbxfs.OdooRef)
	cases := []struct {
		name string
		do   doing
		want []string // files below the orders, on both sides
	}{
		{"nothing", func(*rig, odbxfs.OdooRef) {}, []string{dir1 + "/a.pdf = one"}},
		{"new in Odoo", func(r *rig, _ odbxfs.OdooRef) { r.odoo.addFile(order2, "b", []byte("b")) },
			[]string{dir1 + "/a.pdf = one", dir2 + "/b = b"}},
		{"changed in Odoo", func(r *rig, a odbxfs.OdooRef) { r.odoo.write(a, []byte("two")) },
			[]string{dir1 + "/a.pdf = two"}},
		{"renamed in Odoo", func(r *rig, a odbxfs.OdooRef) { r.odoo.relocate(a, order1, "z.pdf") },
			[]string{dir1 + "/z.pdf = one"}},
		{"moved in Odoo", func(r *rig, a odbxfs.OdooRef) { r.odoo.relocate(a, order2, "a.pdf") },
			[]string{dir2 + "/a.pdf = one"}},
		{"removed in Odoo", func(r *rig, a odbxfs.OdooRef) { r.odoo.remove(a) }, nil},
		{"new in Dropbox", func(r *rig, _ odbxfs.OdooRef) { r.dropbox.personWrites(dir2+"/n", []byte("n")) },
			[]string{dir1 + "/a.pdf = one", dir2 + "/n = n"}},
		{"changed in Dropbox", func(r *rig, _ odbxfs.OdooRef) { r.dropbox.personWrites(dir1+"/a.pdf", []byte("two")) },
			[]string{dir1 + "/a.pdf = two"}},
		{"renamed in Dropbox", func(r *rig, _ odbxfs.OdooRef) { r.dropbox.personMoves(dir1+"/a.pdf", dir1+"/y.pdf") },
			[]string{dir1 + "/y.pdf = one"}},
		{"moved in Dropbox", func(r *rig, _ odbxfs.OdooRef) { r.dropbox.personMoves(dir1+"/a.pdf", dir2+"/a.pdf") },
			[]string{dir2 + "/a.pdf = one"}},
		{"removed in Dropbox", func(r *rig, _ odbxfs.OdooRef) { r.dropbox.personRemoves(dir1 + "/a.pdf") }, nil},
		{"a record's folder removed in Dropbox", func(r *rig, _ odbxfs.OdooRef) { r.dropbox.personRemoves(dir1) }, nil},
		{"a record's folder renamed in Dropbox", func(r *rig, _ odbxfs.OdooRef) { r.dropbox.personMoves(dir1, dir1+"x") },
			[]string{dir1 + "/a.pdf = one"}},
		{"a folder tree made in Dropbox", func(r *rig, _ odbxfs.OdooRef) {
			r.dropbox.personMakes(dir2 + "/t")
			r.dropbox.personMakes(dir2 + "/t/u")
			r.dropbox.personWrites(dir2+"/t/u/f", []byte("f"))
		}, []string{dir1 + "/a.pdf = one", dir2 + "/t/u/f = f"}},
		{"a subfolder moved in Odoo", func(r *rig, _ odbxfs.OdooRef) {
			sub := r.odoo.addFolder(order1, "sub")
			r.odoo.addFile(sub, "s", []byte("s"))
			r.calm()
			r.odoo.relocate(sub, order2, "bus")
		}, []string{dir1 + "/a.pdf = one", dir2 + "/bus/s = s"}},
		{"a record renamed in Odoo", func(r *rig, _ odbxfs.OdooRef) { r.odoo.relocate(order1, odbxfs.RuleRef(1), "S9") },
			[]string{"/Odoo/Sales Orders/S9/a.pdf = one"}},
		{"changed on both sides", func(r *rig, a odbxfs.OdooRef) {
			r.odoo.write(a, []byte("odoo's"))
			r.dropbox.personWrites(dir1+"/a.pdf", []byte("dropbox's"))
		}, []string{dir1 + "/a (conflicted copy).pdf = dropbox's", dir1 + "/a.pdf = odoo's"}},
		{"Dropbox's cursor is reset", func(r *rig, _ odbxfs.OdooRef) {
			r.dropbox.resets = true
			r.dropbox.personWrites(dir2+"/n", []byte("n"))
			r.dropbox.personRemoves(dir1 + "/a.pdf")
		}, []string{dir2 + "/n = n"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 1)
			a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
			r.calm()
			c.do(r, a)
			r.step(Event{})
			r.calm()
			r.settle()
			r.agree()
			if got := files(r.dropbox.paths()); !slices.Equal(got, c.want) {
				t.Fatalf("there is\n  %s\nwanted\n  %s\n%s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "), strings.Join(r.last(60), "\n"))
			}
			r.quiet()
		})
	}
}

func files(paths []string) []string {
	var out []string
	for _, p := range paths {
		if !strings.HasSuffix(p, "/") {
			out = append(out, p)
		}
	}
	return out
}

func TestMovedFilesKeepTheirAttachment(t *testing.T) {
	r := newRig(t, 1)
	a := r.odoo.addFile(order1, "a.pdf", []byte("one"))
	r.calm()
	r.dropbox.personMoves(dir1+"/a.pdf", dir2+"/b.pdf")
	r.calm()
	if n := r.odoo.nodes[a]; n.ParentRef != order2 || n.Name != "b.pdf" {
		t.Fatalf("the attachment is %+v", n)
	}
}

// Law 6: an empty store takes its pairs from Odoo.
func TestALostStoreCostsNoTransfer(t *testing.T) {
	r := newRig(t, 1)
	for i := range 20 {
		r.odoo.addFile(order1, fmt.Sprintf("f%d", i), []byte{byte(i)})
	}
	r.calm()
	r.dropbox.personWrites(dir2+"/n", []byte("n"))
	r.calm()
	r.quiet()
	applies, content := r.dropbox.calls["apply"]+r.odoo.calls["apply"], r.odoo.calls["content"]+r.dropbox.calls["content"]
	r.loseStore()
	r.calm()
	r.agree()
	if got := r.dropbox.calls["apply"] + r.odoo.calls["apply"]; got != applies {
		t.Errorf("%d writes", got-applies)
	}
	if got := r.odoo.calls["content"] + r.dropbox.calls["content"]; got != content {
		t.Errorf("%d transfers", got-content)
	}
	r.quiet()
}

// Law 9, in calls: an idle look is one call of Odoo and none of Dropbox.
func TestIdleCostsLittle(t *testing.T) {
	r := newRig(t, 1, func(o *Options) { o.Interval = 10 * time.Second })
	for i := range 50 {
		r.odoo.addFile(order1, fmt.Sprintf("f%d", i), []byte{byte(i)})
	}
	r.calm()
	r.quiet()
	before := total(r.odoo.calls)
	listings := r.dropbox.calls["changes"]
	end := r.clock.Add(time.Minute)
	for r.clock.Before(end) {
		for r.run() {
		}
		r.clock = r.engine.Wake()
		r.step(Event{})
	}
	if got := total(r.odoo.calls) - before; got > 12 {
		t.Errorf("an idle minute makes %d calls of Odoo: %v", got, r.odoo.calls)
	}
	if got := r.dropbox.calls["changes"] - listings; got != 0 {
		t.Errorf("an idle minute lists Dropbox %d times", got)
	}
}

func total(calls map[string]int) int {
	sum := 0
	for _, n := range calls {
		sum += n
	}
	return sum
}

func TestManyDeletionsWaitForAPerson(t *testing.T) {
	r := newRig(t, 1, func(o *Options) { o.Guard = plan.GuardPolicy{Most: 5} })
	var refs []odbxfs.OdooRef
	for i := range 10 {
		refs = append(refs, r.odoo.addFile(order1, fmt.Sprintf("f%d", i), []byte{byte('a' + i)}))
	}
	r.calm()
	for _, ref := range refs {
		r.odoo.remove(ref)
	}
	r.odoo.addFile(order2, "goes on", []byte("x"))
	r.step(Event{})
	r.settle()
	if got := len(files(r.dropbox.paths())); got != 11 {
		t.Fatalf("Dropbox has %d files: %v", got, r.dropbox.paths())
	}
	s, err := r.engine.Status()
	if err != nil || len(s.Held) != 10 {
		t.Fatalf("%d are held, %v", len(s.Held), err)
	}
	if n, err := r.engine.Approve(); n != 10 || err != nil {
		t.Fatalf("approved %d, %v", n, err)
	}
	r.step(Event{})
	r.settle()
	r.agree()
	r.quiet()
}

func TestASecondSyncerWaits(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.other = "another host"
	r.odoo.addFile(order1, "a", []byte("one"))
	r.dropbox.personMakes("/Odoo")
	for range 300 {
		if !r.run() {
			r.clock = r.clock.Add(time.Second)
			r.step(Event{})
		}
	}
	if r.dropbox.calls["apply"] != 0 {
		t.Fatal("it wrote to Dropbox without the lease")
	}
	r.odoo.other = ""
	r.settle()
	r.agree()
}

func TestAnotherDatabaseStopsEverything(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	r.engine.odoo.database = "another"
	r.engine.odoo.due = true
	effects, err := r.engine.Step(Event{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range effects {
		_, err = r.engine.Step(f.Do(context.Background()))
	}
	if !odbxfs.IsKind(err, odbxfs.KindForeign) {
		t.Fatalf("it goes on: %v", err)
	}
}

func TestARefusedLoginGoesOnWhenItIsBack(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	r.faults.before = func(call string) error {
		if strings.HasPrefix(call, "dropbox ") && call != "dropbox wait" {
			return &odbxfs.Error{Op: call, Kind: odbxfs.KindCredentials}
		}
		return nil
	}
	r.odoo.addFile(order1, "a", []byte("one"))
	for range 200 {
		if !r.run() {
			r.clock = r.clock.Add(time.Second)
			r.step(Event{})
		}
	}
	s, err := r.engine.Status()
	if err != nil || s.Clients[0].State != StateError {
		t.Fatalf("status is %+v, %v", s, err)
	}
	r.settle()
	r.agree()
}

func TestResetBringsEverythingBack(t *testing.T) {
	for _, remove := range []bool{false, true} {
		t.Run(fmt.Sprintf("remove remote %v", remove), func(t *testing.T) {
			r := newRig(t, 1)
			want := map[odbxfs.OdooRef]string{}
			for i := range 5 {
				text := fmt.Sprintf("text %d", i)
				want[r.odoo.addFile(order1, fmt.Sprintf("f%d", i), []byte(text))] = text
			}
			r.calm()
			r.dropbox.personWrites(dir2+"/n", []byte("n"))
			r.calm()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			r.close()
			r.real = true
			r.open()
			report, err := r.engine.Reset(ctx, time.After, "main", ResetOptions{RemoveRemote: remove})
			if err != nil {
				t.Fatal(err)
			}
			for ref, text := range want {
				if n := r.odoo.nodes[ref]; n.Type != odbxfs.Binary || string(r.odoo.bytes[ref]) != text || n.URL != "" {
					t.Errorf("%s is %+v with %q", ref, n, r.odoo.bytes[ref])
				}
			}
			if report.Restored != 6 || report.Links != 0 {
				t.Errorf("report %+v", report)
			}
			if left := files(r.dropbox.paths()); (len(left) == 0) != remove {
				t.Errorf("Dropbox has %v", left)
			}
			for _, p := range r.odoo.pairs {
				if !p.Gone {
					t.Errorf("the pair %+v is left", p)
				}
			}
		})
	}
}

// The mount.

func (r *rig) update(fn func(*cache.Tx) error) {
	r.t.Helper()
	if err := r.store.Update(fn); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) mountDir(path string) odbxfs.NodeID {
	r.t.Helper()
	var id odbxfs.NodeID
	if err := r.store.View(func(tx *cache.Tx) error {
		var err error
		id, err = tx.Resolve(path)
		return err
	}); err != nil {
		r.t.Fatalf("%s: %v", path, err)
	}
	return id
}

func (r *rig) mountWrites(dir, name string, b []byte) {
	r.t.Helper()
	parent := r.mountDir(dir)
	w, err := r.store.Contents().NewWriter(context.Background(), "", 0)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := w.WriteAt(b, 0); err != nil {
		r.t.Fatal(err)
	}
	sealed, err := w.Seal(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	r.update(func(tx *cache.Tx) error {
		in, ok, err := tx.Lookup(parent, name)
		if err != nil {
			return err
		}
		if !ok {
			if in, err = tx.Create(parent, name, 0o644); err != nil {
				return err
			}
		}
		_, err = tx.CommitContent(in.Node, sealed)
		return err
	})
	if err := w.Discard(); err != nil {
		r.t.Fatal(err)
	}
}

func TestTheMountsWorkArrivesEverywhere(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	const o1 = "Sales Orders/S00001"
	r.mountWrites(o1, "a.txt", []byte("hello"))
	r.update(func(tx *cache.Tx) error {
		in, err := tx.Mkdir(r.mountDirTx(tx, o1), "sub")
		if err != nil {
			return err
		}
		_, err = tx.Mkdir(in.Node, "deeper")
		return err
	})
	r.mountWrites(o1+"/sub/deeper", "b.txt", []byte("deep"))
	r.step(Event{})
	r.calm()
	r.agree()
	want := []string{dir1 + "/a.txt = hello", dir1 + "/sub/deeper/b.txt = deep"}
	if got := files(r.dropbox.paths()); !slices.Equal(got, want) {
		t.Fatalf("there is %v", got)
	}
	r.quiet()

	r.mountWrites(o1, "a.txt", []byte("hello again"))
	r.update(func(tx *cache.Tx) error {
		return tx.Rename(r.mountDirTx(tx, o1+"/sub"), "deeper", r.mountDirTx(tx, "Sales Orders/S00002"), "moved", 0)
	})
	r.step(Event{})
	r.calm()
	r.agree()
	want = []string{dir1 + "/a.txt = hello again", dir2 + "/moved/b.txt = deep"}
	if got := files(r.dropbox.paths()); !slices.Equal(got, want) {
		t.Fatalf("there is %v", got)
	}
	r.update(func(tx *cache.Tx) error {
		_, err := tx.Unlink(r.mountDirTx(tx, o1), "a.txt")
		return err
	})
	r.step(Event{})
	r.settle()
	r.agree()
	if got := files(r.dropbox.paths()); len(got) != 1 {
		t.Fatalf("there is %v", got)
	}
	r.quiet()
}

func (r *rig) mountDirTx(tx *cache.Tx, path string) odbxfs.NodeID {
	r.t.Helper()
	id, err := tx.Resolve(path)
	if err != nil {
		r.t.Fatalf("%s: %v", path, err)
	}
	return id
}

func TestTheMountsDeletionsAboveTheGuardAreHeldAndHidden(t *testing.T) {
	r := newRig(t, 1, func(o *Options) { o.Guard = plan.GuardPolicy{Most: 5} })
	for i := range 10 {
		r.odoo.addFile(order1, fmt.Sprintf("f%d", i), []byte{byte('a' + i)})
	}
	r.calm()
	const o1 = "Sales Orders/S00001"
	r.update(func(tx *cache.Tx) error {
		for i := range 10 {
			if _, err := tx.Unlink(r.mountDirTx(tx, o1), fmt.Sprintf("f%d", i)); err != nil {
				return err
			}
		}
		return nil
	})
	r.step(Event{})
	r.settle()
	if got := len(files(r.tree())); got != 10 {
		t.Fatalf("Odoo has %d files", got)
	}
	s, err := r.engine.Status()
	if err != nil || len(s.Held) != 10 {
		t.Fatalf("held: %+v, %v", s, err)
	}
	if n, err := r.engine.RestoreHeld(s.Held[0].Node); n != 1 || err != nil {
		t.Fatalf("restored %d, %v", n, err)
	}
	if n, err := r.engine.Approve(); n != 9 || err != nil {
		t.Fatalf("approved %d, %v", n, err)
	}
	r.step(Event{})
	r.settle()
	if got := len(files(r.tree())); got != 1 {
		t.Fatalf("Odoo has %d files: %v", got, r.tree())
	}
	r.agree()
	r.quiet()
}

func TestTheMountsBytesAreKeptBesideWhatSomeoneElseWrote(t *testing.T) {
	r := newRig(t, 1)
	r.odoo.client.Convert = odbxfs.ConvertNone
	a := r.odoo.addFile(order1, "a.txt", []byte("first"))
	r.calm()
	r.mountWrites("Sales Orders/S00001", "a.txt", []byte("mine"))
	r.odoo.write(a, []byte("theirs"))
	r.step(Event{})
	r.settle()
	r.agree()
	want := []string{dir1 + "/a (conflicted copy).txt = mine", dir1 + "/a.txt = theirs"}
	if got := files(r.tree()); !slices.Equal(got, want) {
		t.Fatalf("there is %v", got)
	}
	r.quiet()
}

// The engine's own conversion to a link, between a save and the next, is nobody
// else's change.
func TestSavingAgainAndAgainNeverConflictsWithItself(t *testing.T) {
	for seed := range uint64(15) {
		r := newRig(t, seed)
		r.calm()
		const o1 = "Sales Orders/S00001"
		for n := range 12 {
			r.mountWrites(o1, "a.txt", fmt.Appendf(nil, "version %d", n))
			r.mountWrites(o1, fmt.Sprintf("gone %d.txt", n), []byte("short life"))
			r.step(Event{})
			for range r.rnd.IntN(12) {
				if !r.run() {
					r.clock = r.clock.Add(time.Second)
					r.step(Event{})
				}
			}
			r.update(func(tx *cache.Tx) error {
				_, err := tx.Unlink(r.mountDirTx(tx, o1), fmt.Sprintf("gone %d.txt", n))
				return err
			})
		}
		r.step(Event{})
		r.settle()
		if _, err := r.engine.Approve(); err != nil {
			t.Fatal(err)
		}
		r.step(Event{})
		r.settle()
		r.agree()
		if got, want := files(r.tree()), []string{dir1 + "/a.txt = version 11"}; !slices.Equal(got, want) {
			t.Fatalf("seed %d: there is %v\n%s", seed, got, r.dump())
		}
	}
}

func TestAFileIsSentWhenItIsClosedForTheFirstTime(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	const o1 = "Sales Orders/S00001"
	r.update(func(tx *cache.Tx) error {
		_, err := tx.Create(r.mountDirTx(tx, o1), "a.txt", 0o644)
		return err
	})
	r.step(Event{})
	r.settle()
	if got := files(r.tree()); len(got) != 0 {
		t.Fatalf("a file that is still being written is in Odoo: %v", got)
	}
	r.mountWrites(o1, "a.txt", nil)
	r.step(Event{})
	r.calm()
	r.agree()
	if got, want := files(r.tree()), []string{dir1 + "/a.txt = "}; !slices.Equal(got, want) {
		t.Fatalf("there is %v", got)
	}
}

func TestAFolderThatAPersonApprovedGoesWithAllThatWasInIt(t *testing.T) {
	for seed := range uint64(6) {
		r := newRig(t, seed)
		dir := r.odoo.addFolder(order1, "d")
		for i := range 210 {
			r.odoo.addFile(dir, fmt.Sprintf("f%d", i), []byte(fmt.Sprint(i)))
		}
		r.settle()
		const o1 = "Sales Orders/S00001"
		r.update(func(tx *cache.Tx) error {
			in := r.mountDirTx(tx, o1+"/d")
			for i := range 210 {
				if _, err := tx.Unlink(in, fmt.Sprintf("f%d", i)); err != nil {
					return err
				}
			}
			return tx.Rmdir(r.mountDirTx(tx, o1), "d")
		})
		r.step(Event{})
		r.settle()
		s, err := r.engine.Status()
		if err != nil || len(s.Held) != 211 {
			t.Fatalf("seed %d: held: %d, %v", seed, len(s.Held), err)
		}
		if n, err := r.engine.Approve(); n != 211 || err != nil {
			t.Fatalf("seed %d: approved %d, %v", seed, n, err)
		}
		r.step(Event{})
		r.settle()
		r.agree()
		r.quiet()
		r.close()
	}
}

func TestManySmallContentsAreReadTogether(t *testing.T) {
	r := newRig(t, 1)
	for i := range 150 {
		r.odoo.addFile(order1, fmt.Sprintf("f%d", i), []byte(strings.Repeat("x", i+1)))
	}
	r.odoo.addFile(order1, "large", make([]byte, aheadFile+1))
	r.settle()
	r.agree()
	if one, many := r.odoo.calls["content"], r.odoo.calls["contents"]; one != 1 || many == 0 || many > 3 {
		t.Errorf("%d contents were read by themselves, the others in %d calls", one, many)
	}
	r.quiet()
}

// An upload that was carried out, and whose answer a crash lost, is ours even
// when Odoo's side is another thing by the next start.
func TestAnUploadCutOffByACrashIsKnownForOurs(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(r *rig, ref odbxfs.OdooRef)
		want   string
	}{
		{"nothing else happened", func(*rig, odbxfs.OdooRef) {}, dir1 + "/a.txt = first"},
		{"renamed in Odoo", func(r *rig, ref odbxfs.OdooRef) { r.odoo.relocate(ref, order1, "b.txt") }, dir1 + "/b.txt = first"},
		{"moved in Odoo", func(r *rig, ref odbxfs.OdooRef) { r.odoo.relocate(ref, order2, "a.txt") }, dir2 + "/a.txt = first"},
		{"edited in Odoo", func(r *rig, ref odbxfs.OdooRef) { r.odoo.write(ref, []byte("second")) }, dir1 + "/a.txt = second"},
		{"moved and edited in Odoo", func(r *rig, ref odbxfs.OdooRef) {
			r.odoo.relocate(ref, order2, "b.txt")
			r.odoo.write(ref, []byte("second"))
		}, dir2 + "/b.txt = second"},
	} {
		for seed := range uint64(5) {
			r := newRig(t, seed)
			r.calm()
			ref := r.odoo.addFile(order1, "a.txt", []byte("first"))
			r.upToUpload()
			c.change(r, ref)
			r.settle()
			r.agree()
			if got := files(r.tree()); !slices.Equal(got, []string{c.want}) {
				t.Errorf("%s: there is %v\n%s", c.what, got, r.dump())
			}
		}
	}
}

// upToUpload runs until an upload is carried out, and crashes before its pair is
// written.
func (r *rig) upToUpload() {
	r.t.Helper()
	for range 200 {
		for _, f := range r.pending {
			if strings.HasPrefix(f.What, "dropbox: dropbox-upload") {
				r.faults.before = func(call string) error {
					if strings.HasPrefix(call, "odoo apply") {
						return unavailable(call)
					}
					return nil
				}
				f.Do(context.Background())
				r.crash()
				r.faults.before = nil
				return
			}
		}
		if !r.run() {
			r.clock = r.clock.Add(time.Second)
			r.step(Event{})
		}
	}
	r.t.Fatal("no upload began")
}

// A full account waits for room, but not with what makes room.
func TestAFullAccountStillRemoves(t *testing.T) {
	r := newRig(t, 1)
	r.dropbox.room = 1
	old := r.odoo.addFile(order1, "old.txt", []byte("old"))
	r.calm()
	r.odoo.addFile(order1, "new.txt", []byte("new"))
	for range 400 {
		if !r.run() {
			r.clock = r.clock.Add(time.Second)
			r.step(Event{})
		}
	}
	if got, want := files(r.dropbox.paths()), []string{dir1 + "/old.txt = old"}; !slices.Equal(got, want) {
		t.Fatalf("a full account has %v", got)
	}
	r.odoo.remove(old)
	start := r.clock
	for !slices.Equal(files(r.dropbox.paths()), []string{dir1 + "/new.txt = new"}) {
		if r.clock.Sub(start) > paceFull/2 {
			t.Fatalf("what was removed in Odoo is still there: %v", files(r.dropbox.paths()))
		}
		if !r.run() {
			r.clock = r.clock.Add(time.Second)
			r.step(Event{})
		}
	}
	r.settle()
	r.agree()
}
