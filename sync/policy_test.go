package sync

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"odbxfs"
	"odbxfs/cache"
)

// choose gives the cloud client another link policy, as a person does in Odoo.
func (r *rig) choose(policy odbxfs.LinkPolicy) {
	r.odoo.mu.Lock()
	defer r.odoo.mu.Unlock()
	r.odoo.client.Links = policy
}

// homes gives the addresses of all links, as pages that ask for a login.
func (r *rig) homes() map[string]string {
	out := map[string]string{}
	for _, n := range r.odoo.nodes {
		if n.Kind == odbxfs.File {
			out[r.odooPath(n)] = n.URL
		}
	}
	return out
}

// mustShare fails unless every link is a shared one with the policy's audience,
// and no other shared link is alive.
func (r *rig) mustShare(policy odbxfs.LinkPolicy) {
	r.t.Helper()
	alive := maps.Clone(r.dropbox.links)
	for path, url := range r.homes() {
		if !alive[url] || r.dropbox.audience[url] != policy {
			r.t.Fatalf("%s leads to %s, alive %v, open to %q, want %q", path, url, alive[url], r.dropbox.audience[url], policy)
		}
		delete(alive, url)
	}
	if len(alive) > 0 {
		r.t.Fatalf("links that nobody has: %v", slices.Sorted(maps.Keys(alive)))
	}
}

// mustAskForALogin fails unless every link is the page of its file, and no shared
// link is alive.
func (r *rig) mustAskForALogin() {
	r.t.Helper()
	for path, url := range r.homes() {
		if want := odbxfs.HomeURL("https://www.dropbox.com", path); url != want {
			r.t.Fatalf("%s leads to %s, want %s", path, url, want)
		}
	}
	if len(r.dropbox.links) > 0 {
		r.t.Fatalf("shared links are alive: %v", slices.Sorted(maps.Keys(r.dropbox.links)))
	}
}

func TestAnotherLinkPolicyMakesEveryLinkAnew(t *testing.T) {
	for _, c := range []struct{ from, to odbxfs.LinkPolicy }{
		{odbxfs.LinkPublic, odbxfs.LinkNone}, {odbxfs.LinkNone, odbxfs.LinkPublic},
		{odbxfs.LinkPublic, odbxfs.LinkTeamOnly}, {odbxfs.LinkTeamOnly, odbxfs.LinkNone},
	} {
		for how, meanwhile := range map[string]func(*rig){
			"while it runs":   func(*rig) {},
			"while it is off": (*rig).crash,
			"with answers that are lost": func(r *rig) {
				r.faults.after = func(call string) error {
					if r.rnd.IntN(3) == 0 {
						return unavailable(call)
					}
					return nil
				}
				for range 60 {
					r.run()
					r.clock = r.clock.Add(5 * 1e9)
					r.step(Event{})
				}
				r.crash()
			},
		} {
			t.Run(fmt.Sprintf("%s to %s, %s", c.from, c.to, how), func(t *testing.T) {
				r := newRig(t, 1)
				r.choose(c.from)
				for i := range 5 {
					r.odoo.addFile(order1, fmt.Sprintf("%d ä.pdf", i), []byte(fmt.Sprint("text ", i)))
				}
				r.settle()
				r.choose(c.to)
				meanwhile(r)
				r.settle()
				if c.to == odbxfs.LinkNone {
					r.mustAskForALogin()
				} else {
					r.mustShare(c.to)
					r.agree()
				}
				r.quiet()
			})
		}
	}
}

func TestAPageOfAFileFollowsItsPlace(t *testing.T) {
	r := newRig(t, 1)
	r.choose(odbxfs.LinkNone)
	sub := r.odoo.addFolder(order1, "sub")
	deep := r.odoo.addFolder(sub, "deep")
	r.odoo.addFile(sub, "a.pdf", []byte("one"))
	r.odoo.addFile(deep, "b.pdf", []byte("two"))
	r.odoo.addFile(order2, "c.pdf", []byte("three"))
	r.settle()
	r.mustAskForALogin()
	for what, moves := range map[string]func(){
		"a folder in Dropbox": func() { r.dropbox.personMoves(dir1+"/sub", dir2+"/other") },
		"a file in Dropbox":   func() { r.dropbox.personMoves(dir2+"/c.pdf", dir1+"/d.pdf") },
		"a record in Odoo": func() {
			n := r.odoo.nodes[order1]
			n.Name = "S00001 renamed"
			r.odoo.put(n)
		},
	} {
		moves()
		r.settle()
		t.Log(what)
		r.mustAskForALogin()
		r.quiet()
	}
}

// A feed may name a folder that moved, and nothing below it.
func TestPagesBelowAFolderThatMovedAreLookedAt(t *testing.T) {
	r := newRig(t, 1)
	r.choose(odbxfs.LinkNone)
	sub := r.odoo.addFolder(order1, "sub")
	a := r.odoo.addFile(sub, "a.pdf", []byte("one"))
	b := r.odoo.addFile(order1, "b.pdf", []byte("two"))
	r.settle()
	r.update(func(tx *cache.Tx) error {
		folder, ok := r.dropbox.at(dir1 + "/sub")
		if !ok {
			t.Fatal("no folder in Dropbox")
		}
		folder.Path, folder.Client = dir1+"/moved", 1
		_, err := r.engine.storeDropbox(tx, r.engine.clients[1], folder)
		return err
	})
	var dirty []odbxfs.NodeID
	r.view(func(tx *cache.Tx) (err error) {
		dirty, err = tx.Dirty(100)
		return err
	})
	if !slices.Contains(dirty, r.node(a)) || slices.Contains(dirty, r.node(b)) {
		t.Errorf("to be looked at: %v; it is %d, not %d", dirty, r.node(a), r.node(b))
	}
}
