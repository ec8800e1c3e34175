package plan

import (
	"strconv"
	"strings"

	"odbxfs"
)

// side is one of the two remotes.
type side uint8

const (
	odooSide side = iota
	dropboxSide
)

// item is what the planner knows of one node: the three trees' words on it,
// and what differs from what was agreed.
type item struct {
	id   odbxfs.NodeID
	kind odbxfs.NodeKind
	busy bool
	// elsewhere: Odoo gives it to this client, and another one has not let go of
	// it yet. Nothing is planned for it, nor for what is to be put into it.
	elsewhere bool

	o    *odbxfs.OdooNode    // in Odoo and mirrored by this client; else nil
	away *odbxfs.OdooNode    // in Odoo, but not mirrored by this client; else nil
	d    *odbxfs.DropboxNode // in Dropbox; else nil
	p    *odbxfs.Pair        // what was agreed, if it still is; else nil
	tomb *odbxfs.Pair        // what was agreed before it was removed; else nil

	odooContent, dropboxContent bool // the bytes are not the agreed ones
	odooPlace, dropboxPlace     bool // name or parent are not the agreed ones

	follows side          // whose place holds
	parent  odbxfs.NodeID // where it is to be, on both sides
	name    string        // how it is to be called in Dropbox; set by the naming
	waits   bool          // for that name, until a busy node has left it; set by the naming
}

// item gives the item of a node, of the node it was merged into if it was.
func (pl *planner) item(id odbxfs.NodeID) *item {
	id = pl.canon(id)
	if it, ok := pl.items[id]; ok {
		return it
	}
	it := &item{id: id, busy: pl.pol.busy(id)}
	pl.items[id] = it
	pl.look(it)
	return it
}

// look reads the trees' words on the item's node.
func (pl *planner) look(it *item) {
	client := pl.pol.Client.ID
	if o, ok := pl.odoo.Node(it.id); ok {
		it.kind = o.Kind
		if o.Client == client && o.Type != odbxfs.Foreign {
			it.o = &o
		} else {
			it.away = &o
		}
	}
	if d, ok := pl.dropbox.Node(it.id); ok && d.Client == client {
		pl.seen(it, d)
	} else {
		it.elsewhere = ok && it.o != nil
	}
	switch p, ok := pl.synced.Node(it.id); {
	case !ok:
	case p.Client != client:
		it.elsewhere = it.elsewhere || it.o != nil && !p.Gone
	case p.Gone:
		it.kind, it.tomb = p.Kind, &p
	default:
		it.kind, it.p = p.Kind, &p
	}
	pl.compare(it)
}

// seen gives the item its Dropbox node.
func (pl *planner) seen(it *item, d odbxfs.DropboxNode) {
	it.kind = d.Kind
	d.Node, d.Parent = it.id, pl.canon(d.Parent)
	it.d = &d
}

// compare finds what differs from what was agreed, and whose place holds. A
// place is Odoo's unless Dropbox's alone has changed; record and rule folders
// stand for something in Odoo, so theirs is always Odoo's.
func (pl *planner) compare(it *item) {
	o, d, p := it.o, it.d, it.p
	if p != nil && o != nil {
		it.odooContent = o.Kind == odbxfs.File && contentChangedInOdoo(o, p)
		it.odooPlace = o.Parent != pl.agreedParent(it) || o.Name != p.OdooName
	}
	if p != nil && d != nil {
		it.dropboxContent = d.Kind == odbxfs.File && contentChangedInDropbox(d, p)
		it.dropboxPlace = !isTemporary(d.Name) && (d.Parent != pl.agreedParent(it) || d.Name != p.DropboxName)
	}
	switch {
	case o == nil && d == nil:
		it.parent = 0
	case o == nil, d != nil && p != nil && it.dropboxPlace && !it.odooPlace && !fixed(o.Role):
		it.follows, it.parent = dropboxSide, d.Parent
	default:
		it.follows, it.parent = odooSide, o.Parent
	}
}

// agreedParent is the parent that was agreed on. A pair that has just come
// from Odoo may not know it yet: then Odoo's stands in.
func (pl *planner) agreedParent(it *item) odbxfs.NodeID {
	switch {
	case it.p.Parent != 0:
		return pl.canon(it.p.Parent)
	case it.o != nil:
		return it.o.Parent
	}
	return it.d.Parent
}

// contentChangedInOdoo reports new bytes. A link has none: its hints are
// anyone's to write, so nothing is concluded from them.
func contentChangedInOdoo(o *odbxfs.OdooNode, p *odbxfs.Pair) bool {
	switch {
	case o.Type == odbxfs.Link:
		return false
	case o.Type == odbxfs.Copy:
		return p.Converted() // else it has its own file, and waits for its address
	case o.SHA1 == "":
		return o.Size != p.Size
	}
	// A link that came from Dropbox has no agreed checksum: bytes in its row are
	// someone's, even if they are as many.
	return o.SHA1 != p.SHA1
}

// contentChangedInDropbox reports new bytes. A new rev alone is none.
func contentChangedInDropbox(d *odbxfs.DropboxNode, p *odbxfs.Pair) bool {
	if d.ContentHash == "" || p.ContentHash == "" {
		return d.Rev != p.Rev
	}
	return d.ContentHash != p.ContentHash
}

// emptied reports a link that was set back to binary in Odoo without any
// bytes: not new content, but a loss that is put right. Who writes an empty
// file leaves its checksum; who only changes the type does not.
func (it *item) emptied() bool {
	return it.p.Converted() && it.o.Type == odbxfs.Binary && it.o.SHA1 != odbxfs.EmptySHA1 && it.o.Size == 0 && it.p.Size > 0
}

// settled reports that all three trees know the node and agree on its place.
func (it *item) settled() bool {
	return it.o != nil && it.d != nil && it.p != nil && !it.odooPlace && !it.dropboxPlace
}

// fixed reports a folder that stands for something of Odoo's own, so that
// Dropbox can't rename, move or remove it.
func fixed(r odbxfs.FolderRole) bool {
	return r == odbxfs.RoleRoot || r == odbxfs.RoleRule || r == odbxfs.RoleRecord
}

// comesBack reports a folder that is there again when Dropbox removes it.
func comesBack(r odbxfs.FolderRole) bool { return fixed(r) || r == odbxfs.RoleDefault }

// temporaryPrefix begins the name that a node has while it makes room for
// another; the node's id ends it. Such a name is nobody's wish, even where a lost
// store has given the node another id since.
const temporaryPrefix = ".odbxfs-moving-"

func temporaryName(id odbxfs.NodeID) string {
	return temporaryPrefix + strconv.FormatUint(uint64(id), 10)
}

func isTemporary(name string) bool {
	id, found := strings.CutPrefix(strings.ToLower(name), temporaryPrefix)
	_, err := strconv.ParseUint(id, 10, 64)
	return found && err == nil
}

// wish is the name that something has by Dropbox. A temporary one is nobody's: then
// it is the name of before, which only the pair knows where Odoo has none.
func (it *item) wish() string {
	if !isTemporary(it.d.Name) {
		return it.d.Name
	}
	for _, p := range []*odbxfs.Pair{it.p, it.tomb} {
		switch {
		case p == nil:
		case p.DropboxName != "" && !isTemporary(p.DropboxName):
			return p.DropboxName
		case p.OdooName != "" && !isTemporary(p.OdooName):
			return odbxfs.DropboxName(p.OdooName)
		}
	}
	return it.d.Name
}

// proposal is the Dropbox name that Odoo's name asks for: what was agreed as
// long as Odoo's name is the agreed one. Where two met without having agreed,
// another case of the name is left as Dropbox has it.
func (it *item) proposal() string {
	if p := it.p; p != nil && p.OdooName == it.o.Name && p.DropboxName != "" && !isTemporary(p.DropboxName) {
		return p.DropboxName
	}
	name := odbxfs.DropboxName(it.o.Name)
	if it.p == nil && it.d != nil && odbxfs.FoldName(it.d.Name) == odbxfs.FoldName(name) {
		return it.d.Name
	}
	return name
}

// other reports that the pair names another thing than the one that is there:
// it was made again on one side.
func (it *item) other() bool { return it.p.Dropbox != it.d.ID || it.p.Odoo != it.o.Ref }
