package sync

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"odbxfs"
	"odbxfs/cache"
	"odbxfs/sync/content"
	"odbxfs/sync/plan"
)

// rig is one engine between two fakes, stepped by the test's own goroutine on a
// clock of its own. One seed decides all.
type rig struct {
	t       testing.TB
	rnd     *rand.Rand
	clock   time.Time
	faults  *faults
	odoo    *fakeOdoo
	dropbox *fakeDropbox
	dir     string
	stores  int // how many there were
	store   *cache.Store
	engine  *Engine
	pending []Effect
	landed  []landed // calls that were carried out, and of which the engine has not heard
	tune    func(*Options)
	real    bool        // the engine's own loop runs it, on the real clock
	double  func() bool // whether a call is made twice, since the answer to the first was lost; nil: never
	trace   []string
}

// landed is an effect that ended, and the event that says so.
type landed struct {
	what string
	ev   Event
}

func newRig(tb testing.TB, seed uint64, tune ...func(*Options)) *rig {
	tb.Helper()
	r := &rig{t: tb, rnd: rand.New(rand.NewPCG(seed, 7)), clock: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), faults: &faults{}}
	now := func() time.Time {
		if r.real {
			return time.Now()
		}
		return r.clock
	}
	r.odoo, r.dropbox = newFakeOdoo(now, r.faults), newFakeDropbox(now, r.faults)
	r.tune = func(o *Options) {
		for _, f := range tune {
			f(o)
		}
	}
	r.newDir()
	r.open()
	tb.Cleanup(func() { r.close() })
	return r
}

// newDir gives the store a new, empty place.
func (r *rig) newDir() {
	dir, err := os.MkdirTemp(r.t.TempDir(), "store")
	if err != nil {
		r.t.Fatal(err)
	}
	r.dir = dir
	r.stores++
}

func (r *rig) open() {
	r.t.Helper()
	now := func() time.Time { return r.clock }
	never := func(time.Duration) <-chan time.Time { return nil }
	store, err := cache.Open(context.Background(), cache.Options{Dir: r.dir, Now: now, After: never, ID: fmt.Sprint("rig", r.stores)})
	if err != nil {
		r.t.Fatal(err)
	}
	opt := Options{
		Store: store, Odoo: r.odoo, Ledger: r.odoo, Holder: "test", Intents: true,
		Dropbox: func(context.Context, odbxfs.CloudClient) (Dropbox, error) { return r.dropbox, nil },
		Content: content.NewOpener(content.Options{Store: store, Odoo: r.odoo}),
		Now:     now, Random: r.rnd.Float64, Interval: time.Second,
	}
	if r.real {
		opt.Now, opt.Interval, opt.Quiet = time.Now, 20*time.Millisecond, 20*time.Millisecond
		r.dropbox.blocks = true
	}
	r.tune(&opt)
	engine, err := New(opt)
	if err != nil {
		r.t.Fatal(err)
	}
	r.store, r.engine, r.pending, r.landed = store, engine, nil, nil
	if r.real {
		return
	}
	r.step(Event{})
}

func (r *rig) close() {
	if r.store == nil {
		return
	}
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
	r.store = nil
}

// crash ends the process between two steps: effects under way are forgotten,
// whether their calls were carried out or not.
func (r *rig) crash() {
	r.close()
	r.open()
}

// loseStore starts anew with an empty store.
func (r *rig) loseStore() {
	r.close()
	r.newDir()
	r.open()
}

func (r *rig) step(ev Event) {
	r.t.Helper()
	r.engine.planDue = true // as the loop does for what was committed meanwhile
	effects, err := r.engine.Step(ev)
	if err != nil {
		r.t.Fatalf("step: %v\n%s\n%s", err, strings.Join(r.last(60), "\n"), r.dump())
	}
	r.pending = append(r.pending, effects...)
}

func (r *rig) last(n int) []string { return r.trace[max(0, len(r.trace)-n):] }

// run carries out one effect or lets the engine hear of one that ended, picked
// by the seed; false when there is none but the long-poll and nothing in Dropbox
// for it.
func (r *rig) run() bool {
	r.t.Helper()
	var can []int
	for i, f := range r.pending {
		if f.What != whatWait || r.dropboxMoved(f.Lane) {
			can = append(can, i)
		}
	}
	if len(can)+len(r.landed) == 0 {
		return false
	}
	i := r.rnd.IntN(len(can) + len(r.landed))
	if i < len(can) {
		i = can[i]
		f := r.pending[i]
		r.pending = slices.Delete(r.pending, i, i+1)
		r.trace = append(r.trace, fmt.Sprintf("%s %s", r.clock.Format("05.000"), f.What))
		ev := f.Do(context.Background())
		if r.double != nil && r.double() {
			r.trace = append(r.trace, "TWICE "+f.What)
			ev = f.Do(context.Background())
		}
		r.landed = append(r.landed, landed{f.What, ev})
		return true
	}
	i -= len(can)
	l := r.landed[i]
	r.landed = slices.Delete(r.landed, i, i+1)
	r.trace = append(r.trace, fmt.Sprintf("%s heard: %s", r.clock.Format("05.000"), l.what))
	r.step(l.ev)
	return true
}

// dropboxMoved reports whether there is something for the long-poll of a lane.
func (r *rig) dropboxMoved(lane string) bool {
	for _, c := range r.engine.clients {
		if c.lane("dropbox-wait") != lane {
			continue
		}
		moved, err := r.dropbox.Wait(context.Background(), c.cursor)
		if err != nil || moved {
			return true
		}
	}
	return false
}

// calm runs until nothing is left to do, moving the clock where the engine
// waits for it.
func (r *rig) calm() {
	r.t.Helper()
	for n := 0; ; n++ {
		if n > 4000 {
			s, err := r.engine.Status()
			r.t.Fatalf("it never comes to rest: clock %s, wake %s, status %+v %v\n%s\n%s", r.clock, r.engine.Wake(), s, err, strings.Join(r.last(60), "\n"), r.dump())
		}
		if r.run() {
			continue
		}
		if r.engine.Idle() {
			return
		}
		at := r.engine.Wake()
		if at.IsZero() {
			s, err := r.engine.Status()
			r.t.Fatalf("it waits for nothing: %+v %v\n%s", s, err, strings.Join(r.last(30), "\n"))
		}
		if at.After(r.clock) {
			r.clock = at
		}
		r.step(Event{})
	}
}

// settle comes to rest with all faults gone, after every pause of a back-off.
func (r *rig) settle() {
	r.t.Helper()
	*r.faults = faults{}
	r.calm()
	r.clock = r.clock.Add(10 * time.Minute)
	r.step(Event{})
	r.calm()
}

// tree gives Odoo's paths as the Dropbox fake gives its own, for comparison.
func (r *rig) tree() []string {
	r.odoo.mu.Lock()
	defer r.odoo.mu.Unlock()
	var out []string
	for ref, n := range r.odoo.nodes {
		p := "/Odoo"
		if ref != odbxfs.RootRef() {
			p = r.odooPath(n)
		}
		if n.Kind == odbxfs.Folder {
			out = append(out, p+"/")
			continue
		}
		b := r.odoo.bytes[ref]
		if n.Type == odbxfs.Link {
			b = r.dropbox.bytes[linkedID(n.URL)]
		}
		out = append(out, p+" = "+string(b))
	}
	slices.Sort(out)
	return out
}

// linkedID is the file to which a link of the fake leads.
func linkedID(url string) odbxfs.DropboxID {
	return odbxfs.DropboxID("id:" + strings.TrimSuffix(strings.TrimPrefix(url, "https://www.dropbox.com/scl/fi/"), "?dl=0"))
}

func (r *rig) odooPath(n odbxfs.OdooNode) string {
	if n.Ref == odbxfs.RootRef() {
		return "/Odoo"
	}
	return r.odooPath(r.odoo.nodes[n.ParentRef]) + "/" + n.Name
}

// agree fails unless both sides have the same paths with the same bytes.
func (r *rig) agree() {
	r.t.Helper()
	odoo, dropbox := r.tree(), r.dropbox.paths()
	if !slices.Equal(odoo, dropbox) {
		s, err := r.engine.Status()
		r.t.Fatalf("the sides differ\nodoo:\n  %s\ndropbox:\n  %s\nstatus %+v %v\n%s", strings.Join(odoo, "\n  "),
			strings.Join(dropbox, "\n  "), s, err, strings.Join(r.last(80), "\n"))
	}
}

// quiet fails if another round plans anything.
func (r *rig) quiet() {
	r.t.Helper()
	before := r.engine.queuedEver
	writes := r.dropbox.calls["apply"] + r.odoo.calls["apply"]
	r.clock = r.clock.Add(time.Minute)
	r.step(Event{})
	r.calm()
	if r.engine.queuedEver != before {
		r.t.Fatalf("a second round plans %d tasks\n%s", r.engine.queuedEver-before, strings.Join(r.last(30), "\n"))
	}
	if after := r.dropbox.calls["apply"] + r.odoo.calls["apply"]; after != writes {
		r.t.Fatalf("a second round writes")
	}
}

var order1, order2 = odbxfs.RecordRef("sale.order", 1), odbxfs.RecordRef("sale.order", 2)

const dir1, dir2 = "/Odoo/Sales Orders/S00001", "/Odoo/Sales Orders/S00002"

// dump tells what the store has of each node, for a history that went wrong.
func (r *rig) dump() string {
	var b strings.Builder
	if err := r.store.View(func(tx *cache.Tx) error {
		for _, id := range plan.All(tx.Odoo(), tx.Dropbox(), tx.Synced()) {
			o, _ := tx.Odoo().Node(id)
			d, _ := tx.Dropbox().Node(id)
			p, _ := tx.Synced().Node(id)
			fmt.Fprintf(&b, "%d: odoo %s %q in %s type %d sha %.6s | dropbox %s %s rev %s hash %.6s | pair %+v\n", id,
				o.Ref, o.Name, o.ParentRef, o.Type, o.SHA1, d.ID, d.Path, d.Rev, d.ContentHash, p)
		}
		dirty, err := tx.Dirty(0)
		fmt.Fprintf(&b, "dirty %v\n", dirty)
		return err
	}); err != nil {
		r.t.Fatal(err)
	}
	if err := r.store.View(func(tx *cache.Tx) error {
		log, err := tx.Log(0, 0)
		for _, l := range log {
			fmt.Fprintf(&b, "%s %s %s %q %s %s why %s %s\n", l.Time.Format("05.000"), l.State, l.What, l.Item, l.Ref, l.ID, l.Why, l.Error)
		}
		return err
	}); err != nil {
		r.t.Fatal(err)
	}
	return b.String()
}
