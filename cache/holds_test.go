package cache

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"odbxfs"
)

// inside is all that a store says of the mount, read at once, for checking it
// against itself.
type inside struct {
	tx      *Tx
	inodes  map[odbxfs.NodeID]inodeRec
	intents map[odbxfs.NodeID]odbxfs.Intent
}

// checkHolds wants what must hold after every transaction, whatever it was.
func checkHolds(tx *Tx) error {
	in := inside{tx: tx, inodes: map[odbxfs.NodeID]inodeRec{}, intents: map[odbxfs.NodeID]odbxfs.Intent{}}
	last, _, err := tx.id(keyText(kCounter, "node"))
	if err != nil {
		return err
	}
	for id := odbxfs.RootNode; id <= last+odbxfs.RootNode; id++ {
		r, ok, err := tx.inode(id)
		if err != nil {
			return err
		}
		if ok {
			in.inodes[id] = r
		}
		i, ok, err := tx.Intent(id)
		if err != nil {
			return err
		}
		if ok {
			in.intents[id] = i
		}
	}
	return errors.Join(in.entriesAreInodes(), in.intentsAreListed(), in.odooIsShown(), in.namesAreGiven(), in.contentsAreHeld(), checkCounts(tx))
}

func (in inside) entriesAreInodes() error {
	for id, r := range in.inodes {
		if id == odbxfs.RootNode {
			continue
		}
		e, ok, err := in.tx.Lookup(r.I.Parent, r.I.Name)
		switch {
		case err != nil:
			return err
		case r.I.Hidden && ok && e.Node == id:
			return fmt.Errorf("%+v is hidden and listed", r.I)
		case !r.I.Hidden && (!ok || e != r.I):
			return fmt.Errorf("the entry of %+v is %+v", r.I, e)
		}
		if up, ok := in.inodes[r.I.Parent]; !ok || up.I.Kind != odbxfs.Folder {
			return fmt.Errorf("%+v is in nothing", r.I)
		}
		list, err := in.tx.ReadDir(id, "", 0)
		if err != nil {
			return err
		}
		for _, e := range list {
			if in.inodes[e.Node].I != e {
				return fmt.Errorf("the entry %+v has the inode %+v", e, in.inodes[e.Node].I)
			}
		}
	}
	return nil
}

func (in inside) intentsAreListed() error {
	list, err := in.tx.Intents()
	if err != nil || len(list) != len(in.intents) {
		return errors.Join(err, fmt.Errorf("%d intents are listed, there are %d", len(list), len(in.intents)))
	}
	var open, gone []odbxfs.Intent
	for _, i := range list {
		if !i.Held && i.Reason == "" {
			open = append(open, i)
		}
		if i.Gone {
			gone = append(gone, i)
		}
		r, shown := in.inodes[i.Node]
		switch {
		case i.Seq != in.intents[i.Node].Seq:
			return fmt.Errorf("%+v is listed for %+v", i, in.intents[i.Node])
		case !i.Gone && (!shown || r.I.Hidden):
			return fmt.Errorf("%+v is for nothing that is shown", i)
		case i.Gone && shown && !(i.Held && r.I.Hidden):
			return fmt.Errorf("%+v removes what is shown: %+v", i, r.I)
		case !i.Gone && i.Content != "" && (r.I.Content != i.Content || r.I.SHA1 != i.ContentSHA1):
			return fmt.Errorf("%+v sends other bytes than are shown: %+v", i, r.I)
		}
	}
	return in.intentsAreSorted(open, gone)
}

// intentsAreSorted: the lists of open ones and of removals have just these.
func (in inside) intentsAreSorted(open, gone []odbxfs.Intent) error {
	var listed []odbxfs.Intent
	if err := in.tx.OpenIntents(func(i odbxfs.Intent) bool { listed = append(listed, i); return true }); err != nil {
		return err
	}
	removals, err := in.tx.Removals()
	if err != nil {
		return err
	}
	if !slices.Equal(listed, open) {
		return fmt.Errorf("open are %+v, listed %+v", open, listed)
	}
	if !slices.Equal(removals, gone) {
		return fmt.Errorf("removals are %+v, listed %+v", gone, removals)
	}
	return nil
}

// odooIsShown: what nobody touched here is as Odoo has it, and what Odoo has not
// is here because somebody made it.
func (in inside) odooIsShown() error {
	for id, r := range in.inodes {
		n, inOdoo, err := in.tx.OdooNode(id)
		if err != nil {
			return err
		}
		_, touched := in.intents[id]
		switch {
		case touched:
		case !inOdoo:
			return fmt.Errorf("%+v is of nobody", r.I)
		case id != odbxfs.RootNode && (r.I.Parent != n.Parent || r.Plain == ""):
			return fmt.Errorf("%+v is not where Odoo has it: %+v", r.I, n)
		case n.SHA1 != "" && r.I.SHA1 != n.SHA1:
			return fmt.Errorf("%+v has not the bytes of %+v", r.I, n)
		}
	}
	for id := range in.everyOdoo(odbxfs.RootNode) {
		_, shown := in.inodes[id]
		if _, touched := in.intents[id]; !shown && !touched {
			return fmt.Errorf("node %d of Odoo is not shown", id)
		}
	}
	return in.tx.Err()
}

func (in inside) everyOdoo(id odbxfs.NodeID) map[odbxfs.NodeID]bool {
	all := map[odbxfs.NodeID]bool{id: true}
	for _, k := range in.tx.Odoo().Children(id) {
		maps.Copy(all, in.everyOdoo(k))
	}
	return all
}

// namesAreGiven: who would have a name is on its list, and has it or it with its
// id. (Nobody may have it: what is removed or renamed here renames no others.)
func (in inside) namesAreGiven() error {
	for id, r := range in.inodes {
		if r.Plain == "" || id == odbxfs.RootNode {
			continue
		}
		list, _, err := load[nodeList](in.tx, keyName(kClaim, r.I.Parent, r.Plain))
		if err != nil || !slices.Contains(list, id) {
			return errors.Join(err, fmt.Errorf("%+v claims %q, and is not on its list %v", r.I, r.Plain, list))
		}
		for _, c := range list {
			if o, ok := in.inodes[c]; !ok || o.Plain != r.Plain || o.I.Parent != r.I.Parent {
				return fmt.Errorf("node %d is on the list of %q in %d, and is %+v", c, r.Plain, r.I.Parent, o)
			}
		}
		if r.I.Hidden {
			continue
		}
		stem, _, _ := strings.Cut(r.Plain, ".")
		if r.I.Name != r.Plain && (!strings.HasPrefix(r.I.Name, stem) || !strings.Contains(r.I.Name, fmt.Sprint(" (", r.I.Odoo.ID))) {
			return fmt.Errorf("%+v claims %q", r.I, r.Plain)
		}
	}
	return nil
}

// contentsAreHeld: references and what refers are the same.
func (in inside) contentsAreHeld() error {
	want, got := []string{}, []string{}
	for id, r := range in.inodes {
		if r.I.Content != "" {
			want = append(want, string(keyContentRef(r.I.Content, ownerInode(id))))
		}
	}
	for id, i := range in.intents {
		if i.Content != "" {
			want = append(want, string(keyContentRef(i.Content, ownerIntent(id))))
		}
	}
	contents := in.tx.s.contents
	contents.mu.Lock()
	ids := slices.Collect(maps.Keys(contents.all))
	contents.mu.Unlock()
	for _, id := range ids {
		owners, err := in.tx.owners(id)
		if err != nil {
			return err
		}
		for _, o := range owners {
			got = append(got, string(keyContentRef(id, o)))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		return fmt.Errorf("references are %q, want %q", got, want)
	}
	return nil
}
