package sync

import (
	"errors"
	"path"
	"slices"
	"strings"

	"odbxfs"
	"odbxfs/cache"
)

// The people of the simulation: each picks something that is there, by the seed,
// and works on it as people do. What they remove or write over on purpose is
// noted, since it may be gone in the end.

// name is one of few, so that they clash.
func (h *history) name() string {
	s := string(rune('a'+h.rnd.IntN(6))) + ".txt"
	if h.rnd.IntN(6) == 0 {
		return strings.ToUpper(s)
	}
	return s
}

// otherCase gives a name with its case changed.
func otherCase(name string) string {
	if up := strings.ToUpper(name); up != name {
		return up
	}
	return strings.ToLower(name)
}

// pick gives one of the refs that want takes, or the zero ref.
func (h *history) pick(want func(odbxfs.OdooNode) bool) odbxfs.OdooRef {
	var all []odbxfs.OdooRef
	for _, r := range h.odoo.sorted() {
		if want(h.odoo.nodes[r]) {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return odbxfs.OdooRef{}
	}
	return all[h.rnd.IntN(len(all))]
}

func isFile(n odbxfs.OdooNode) bool      { return n.Kind == odbxfs.File }
func isSubfolder(n odbxfs.OdooNode) bool { return n.Role == odbxfs.RoleSubfolder }
func holdsFiles(n odbxfs.OdooNode) bool {
	return n.Role == odbxfs.RoleRecord || n.Role == odbxfs.RoleSubfolder
}

func (h *history) odooPerson() {
	f, dir := h.pick(isFile), h.pick(holdsFiles)
	switch h.rnd.IntN(12) {
	case 0, 1:
		ref := h.odoo.addFile(dir, h.name(), h.text())
		h.did("odoo: new %s %q in %s", ref, h.odoo.nodes[ref].Name, dir)
	case 2, 3:
		if !f.IsZero() && h.odoo.nodes[f].Type == odbxfs.Binary {
			h.ends(h.odoo.bytes[f])
			h.odoo.write(f, h.text())
			h.did("odoo: write %s", f)
		}
	case 4:
		h.odooMoves(f, dir, h.name())
	case 5:
		if !f.IsZero() {
			h.odooMoves(f, h.odoo.nodes[f].ParentRef, otherCase(h.odoo.nodes[f].Name))
		}
	case 6:
		h.odooRemoves(f)
	case 7:
		h.did("odoo: folder %s", h.odoo.addFolder(dir, h.name()+".d"))
	case 8:
		h.odooMoves(h.pick(isSubfolder), dir, h.name()+".d")
	case 9:
		if h.rnd.IntN(3) == 0 {
			h.odooRemoves(h.pick(isSubfolder))
		}
	case 10:
		if !f.IsZero() {
			h.did("odoo: copy of %s is %s", f, h.odoo.duplicate(f, dir, h.name()))
		}
	case 11:
		h.odooSwaps()
	}
}

func (h *history) odooMoves(r, dir odbxfs.OdooRef, name string) {
	for up := dir; !up.IsZero(); up = h.odoo.nodes[up].ParentRef {
		if up == r {
			return
		}
	}
	if r.IsZero() {
		return
	}
	h.odoo.relocate(r, dir, name)
	h.did("odoo: move %s to %s %q", r, dir, name)
}

// odooRemoves ends an attachment, or a folder with all that is in it.
func (h *history) odooRemoves(r odbxfs.OdooRef) {
	if r.IsZero() {
		return
	}
	h.endAll(r)
	h.odoo.remove(r)
	h.did("odoo: remove %s", r)
}

func (h *history) endAll(r odbxfs.OdooRef) {
	n := h.odoo.nodes[r]
	switch {
	case n.Kind == odbxfs.Folder:
		for _, child := range h.odoo.sorted() {
			if h.odoo.nodes[child].ParentRef == r {
				h.endAll(child)
			}
		}
	case n.Type == odbxfs.Binary:
		h.ends(h.odoo.bytes[r])
	default:
		h.ends(h.dropbox.bytes[linkedID(n.URL)])
	}
}

// odooSwaps lets two of one folder change their names through a third.
func (h *history) odooSwaps() {
	movable := func(n odbxfs.OdooNode) bool { return isFile(n) || isSubfolder(n) }
	a := h.pick(movable)
	if a.IsZero() {
		return
	}
	n := h.odoo.nodes[a]
	b := h.pick(func(o odbxfs.OdooNode) bool { return o.ParentRef == n.ParentRef && movable(o) && o.Ref != a })
	if b.IsZero() {
		return
	}
	m := h.odoo.nodes[b]
	h.odooMoves(a, n.ParentRef, "third")
	h.someRuns()
	h.odooMoves(b, n.ParentRef, n.Name)
	h.someRuns()
	h.odooMoves(a, n.ParentRef, m.Name)
}

// someRuns lets the engine see a part of what a person does.
func (h *history) someRuns() {
	for range h.rnd.IntN(4) {
		h.run()
	}
}

// dropboxPath gives a path of one kind below a folder; "" when there is none.
func (h *history) dropboxPath(kind odbxfs.NodeKind, under string) string {
	var all []string
	for _, id := range h.dropbox.ids() {
		n := h.dropbox.nodes[id]
		if n.Kind == kind && strings.HasPrefix(n.Path, under) && !strings.HasPrefix(n.Name, ".odbxfs-") {
			all = append(all, n.Path)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return all[h.rnd.IntN(len(all))]
}

func (h *history) dropboxPerson() {
	f, dir := h.dropboxPath(odbxfs.File, dirsOfOrders), h.dropboxPath(odbxfs.Folder, dirsOfOrders)
	sub := h.dropboxPath(odbxfs.Folder, dirsOfOrders)
	if strings.Count(sub, "/") < 4 && h.rnd.IntN(8) > 0 {
		sub = "" // a record's own folder: rarely
	}
	if dir == "" {
		return
	}
	switch h.rnd.IntN(12) {
	case 0, 1:
		h.dropboxWrites(dir + "/" + h.name())
	case 2, 3:
		h.dropboxWrites(f)
	case 4:
		h.dropboxMoves(f, dir+"/"+h.name())
	case 5:
		h.dropboxMoves(f, path.Dir(f)+"/"+otherCase(path.Base(f)))
	case 6:
		h.dropboxRemoves(f)
	case 7:
		h.dropbox.personMakes(dir + "/" + h.name() + ".d")
		h.did("dropbox: folder in %s", dir)
	case 8:
		h.dropboxMoves(sub, dir+"/"+h.name()+".d")
	case 9:
		if h.rnd.IntN(3) == 0 {
			h.dropboxRemoves(sub)
		}
	case 10: // a rename over another: the other goes first
		if to := dir + "/" + h.name(); f != "" && odbxfs.FoldPath(to) != odbxfs.FoldPath(f) && !h.isDropboxFolder(to) {
			h.dropboxRemoves(to)
			h.dropboxMoves(f, to)
		}
	case 11:
		h.dropboxSwaps(f)
	}
}

const dirsOfOrders = "/Odoo/Sales Orders/S"

func (h *history) isDropboxFolder(p string) bool {
	n, ok := h.dropbox.at(p)
	return ok && n.Kind == odbxfs.Folder
}

func (h *history) dropboxWrites(p string) {
	if p == "" || h.isDropboxFolder(p) {
		return
	}
	h.dropboxEnds(p)
	h.dropbox.personWrites(p, h.text())
	h.did("dropbox: write %s", p)
}

func (h *history) dropboxMoves(from, to string) {
	if from == "" {
		return
	}
	h.dropbox.personMoves(from, to)
	h.did("dropbox: move %s to %s", from, to)
}

func (h *history) dropboxRemoves(p string) {
	if _, there := h.dropbox.at(p); !there {
		return
	}
	h.dropboxEnds(p)
	h.dropbox.personRemoves(p)
	h.did("dropbox: remove %s", p)
}

// dropboxEnds notes that a person ends what is at a path, and below it.
func (h *history) dropboxEnds(p string) {
	if n, ok := h.dropbox.at(p); ok {
		for _, n := range append(h.dropbox.below(p), n) {
			h.ends(h.dropbox.bytes[n.ID])
		}
	}
}

func (h *history) dropboxSwaps(a string) {
	if a == "" {
		return
	}
	dir := path.Dir(a)
	siblings := slices.DeleteFunc(h.dropbox.below(dir), func(n odbxfs.DropboxNode) bool {
		return path.Dir(n.Path) != dir || n.Path == a || strings.HasPrefix(n.Name, ".odbxfs-") // which nobody takes for a name
	})
	if len(siblings) == 0 {
		return
	}
	b := siblings[h.rnd.IntN(len(siblings))].Path
	h.dropboxMoves(a, dir+"/third")
	h.someRuns()
	h.dropboxMoves(b, a)
	h.someRuns()
	h.dropboxMoves(dir+"/third", b)
}

// mountPerson works in the mount. What the mount refuses is refused.
func (h *history) mountPerson() {
	dirs, files := h.mounted()
	if len(dirs) == 0 {
		return
	}
	dir := dirs[h.rnd.IntN(len(dirs))]
	var f odbxfs.Inode
	if len(files) > 0 {
		f = files[h.rnd.IntN(len(files))]
	}
	switch h.rnd.IntN(9) {
	case 0, 1:
		h.mountPuts(dir.Node, h.name()+".m")
	case 2:
		if f.Node != 0 {
			h.mountPuts(f.Parent, f.Name)
		}
	case 3:
		h.mountDoes("rename "+f.Name, func(tx *cache.Tx) error { return h.mountMoves(tx, f, dir.Node, "moved "+h.name()) })
	case 4:
		h.mountDoes("rename over "+f.Name, func(tx *cache.Tx) error { return h.mountMoves(tx, f, dir.Node, h.name()) })
	case 5:
		h.mountDoes("remove "+f.Name, func(tx *cache.Tx) error {
			if f.Node == 0 {
				return nil
			}
			h.mountEnds(f)
			_, err := tx.Unlink(f.Parent, f.Name)
			return err
		})
	case 6:
		h.mountDoes("mkdir in "+dir.Name, func(tx *cache.Tx) error {
			_, err := tx.Mkdir(dir.Node, h.name()+".d")
			return err
		})
	case 7:
		sub := dirs[h.rnd.IntN(len(dirs))]
		h.mountDoes("move folder "+sub.Name, func(tx *cache.Tx) error { return h.mountMoves(tx, sub, dir.Node, h.name()+".d") })
	case 8:
		h.mountSwaps(f, files)
	}
}

// mounted gives what the mount shows below the orders, in the order of ids.
func (h *history) mounted() (dirs, files []odbxfs.Inode) {
	h.t.Helper()
	if err := h.store.View(func(tx *cache.Tx) error {
		dirs, files = nil, nil
		for _, o := range []string{"S00001", "S00002", "S00003"} {
			id, err := tx.Resolve("Sales Orders/" + o)
			if err != nil {
				return nil //nolint:nilerr // the store was lost, and nothing is there yet
			}
			in, _, err := tx.Inode(id)
			if err != nil {
				return err
			}
			all := []odbxfs.Inode{in}
			for len(all) > 0 {
				in, all = all[0], all[1:]
				if in.Kind == odbxfs.File {
					files = append(files, in)
					continue
				}
				dirs = append(dirs, in)
				kids, err := tx.ReadDir(in.Node, "", 0)
				if err != nil {
					return err
				}
				all = append(all, kids...)
			}
		}
		return nil
	}); err != nil {
		h.t.Fatal(err)
	}
	return dirs, files
}

// mountPuts writes a file, a new one or over one that is there.
func (h *history) mountPuts(dir odbxfs.NodeID, name string) {
	h.t.Helper()
	var p string
	if err := h.store.View(func(tx *cache.Tx) error {
		in, ok, err := tx.Lookup(dir, name)
		if err != nil {
			return err
		}
		if ok && (in.Kind != odbxfs.File || in.ReadOnly) {
			return nil
		}
		if ok {
			h.mountEnds(in)
		}
		p, err = tx.PathOf(dir)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	if p == "" {
		return
	}
	h.mountWrites(p, name, h.text())
	h.did("mount: write %s/%s", p, name)
}

// mountEnds notes that a person ends what the mount shows. Of a link that came
// from Dropbox the mount does not know the bytes.
func (h *history) mountEnds(in odbxfs.Inode) {
	if in.SHA1 == "" {
		h.ends(h.dropbox.bytes[linkedID(h.odoo.nodes[in.Odoo].URL)])
		return
	}
	h.removed[h.wrote[in.SHA1]] = true
}

// mountMoves renames; what it goes over ends.
func (h *history) mountMoves(tx *cache.Tx, in odbxfs.Inode, to odbxfs.NodeID, name string) error {
	if in.Node == 0 {
		return nil
	}
	over, taken, err := tx.Lookup(to, name)
	if err != nil {
		return err
	}
	if err := tx.Rename(in.Parent, in.Name, to, name, 0); err != nil {
		return err
	}
	if taken && over.Kind == odbxfs.File && over.Node != in.Node {
		h.mountEnds(over)
	}
	return nil
}

// mountDoes commits what a person does in the mount, unless the mount refuses it.
func (h *history) mountDoes(what string, do func(*cache.Tx) error) {
	h.t.Helper()
	err := h.store.Update(do)
	if _, refused := errors.AsType[*cache.MountError](err); refused {
		what += ": refused"
	} else if err != nil {
		h.t.Fatal(err)
	}
	h.did("mount: %s", what)
}

// mountSwaps lets a file and another of its folder change their names.
func (h *history) mountSwaps(a odbxfs.Inode, files []odbxfs.Inode) {
	at := slices.IndexFunc(files, func(f odbxfs.Inode) bool { return f.Parent == a.Parent && f.Node != a.Node })
	if at < 0 {
		return
	}
	b := files[at]
	for _, s := range [][2]string{{a.Name, "third"}, {b.Name, a.Name}, {"third", b.Name}} {
		h.mountDoes("swap "+s[0]+" "+s[1], func(tx *cache.Tx) error { return tx.Rename(a.Parent, s[0], a.Parent, s[1], cache.RenameNoReplace) })
		h.someRuns()
	}
}
