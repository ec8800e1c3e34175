package sync

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"odbxfs"
)

// goesOn fails unless files that are new on both sides still find their way.
func (r *rig) goesOn() {
	r.t.Helper()
	r.odoo.addFile(order1, "good", []byte("from Odoo"))
	r.dropbox.personWrites(dir2+"/good", []byte("from Dropbox"))
	r.until(func() bool {
		odoo, dropbox := files(r.tree()), files(r.dropbox.paths())
		return slices.Contains(odoo, dir2+"/good = from Dropbox") && slices.Contains(dropbox, dir1+"/good = from Odoo")
	})
}

// One row that makes no sense ends nothing and blocks nobody, whether it is there
// from the start or comes later.
func TestAHostileRowOfOdooHarmsNobodyElse(t *testing.T) {
	att := func(change func(*odbxfs.OdooNode)) odbxfs.OdooNode {
		n := odbxfs.OdooNode{Ref: odbxfs.AttachmentRef(900), ParentRef: order1, Kind: odbxfs.File, Type: odbxfs.Binary, Name: "x", SHA1: sha1Of([]byte("x")), Size: 1}
		change(&n)
		return n
	}
	dir := func(id, in int64) odbxfs.OdooNode {
		return odbxfs.OdooNode{Ref: odbxfs.FolderRef(id), ParentRef: odbxfs.FolderRef(in), Kind: odbxfs.Folder, Role: odbxfs.RoleSubfolder, Name: "d"}
	}
	for name, rows := range map[string][]odbxfs.OdooNode{
		"no kind":                      {att(func(n *odbxfs.OdooNode) { n.Kind = 0 })},
		"a kind of tomorrow":           {att(func(n *odbxfs.OdooNode) { n.Kind = 99 })},
		"a folder that is a document":  {att(func(n *odbxfs.OdooNode) { n.Kind = odbxfs.Folder })},
		"a document that is a record":  {att(func(n *odbxfs.OdooNode) { n.Ref = odbxfs.RecordRef("sale.order", 900) })},
		"a type of tomorrow":           {att(func(n *odbxfs.OdooNode) { n.Type = 99 })},
		"a size below zero":            {att(func(n *odbxfs.OdooNode) { n.Size = -1 })},
		"an absurd size":               {att(func(n *odbxfs.OdooNode) { n.Size = 1 << 62 })},
		"no name":                      {att(func(n *odbxfs.OdooNode) { n.Name = "" })},
		"dots for a name":              {att(func(n *odbxfs.OdooNode) { n.Name = ".." })},
		"a way out for a name":         {att(func(n *odbxfs.OdooNode) { n.Name = "../../etc/passwd" })},
		"a NUL in its name":            {att(func(n *odbxfs.OdooNode) { n.Name = "a\x00b" })},
		"300 bytes of name":            {att(func(n *odbxfs.OdooNode) { n.Name = strings.Repeat("ä", 150) + ".pdf" })},
		"a temporary name of ours":     {att(func(n *odbxfs.OdooNode) { n.Name = ".odbxfs-moving-3" })},
		"a folder that is not there":   {att(func(n *odbxfs.OdooNode) { n.ParentRef = odbxfs.FolderRef(901) })},
		"a folder in itself":           {dir(900, 900)},
		"two folders in each other":    {dir(900, 901), dir(901, 900)},
		"a folder below such a circle": {dir(900, 901), dir(901, 900), dir(902, 901), att(func(n *odbxfs.OdooNode) { n.ParentRef = odbxfs.FolderRef(902); n.Ref = odbxfs.AttachmentRef(903) })},
		"a file in a file":             {att(func(*odbxfs.OdooNode) {}), att(func(n *odbxfs.OdooNode) { n.Ref, n.ParentRef = odbxfs.AttachmentRef(901), odbxfs.AttachmentRef(900) })},
		"a link that nobody paired":    {att(func(n *odbxfs.OdooNode) { n.Type, n.URL = odbxfs.Link, "https://www.dropbox.com/scl/fi/404?dl=0" })},
		"a copy of nothing":            {att(func(n *odbxfs.OdooNode) { n.Type, n.URL = odbxfs.Copy, "https://www.dropbox.com/scl/fi/404?dl=0" })},
	} {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, first %v", name, first), func(t *testing.T) {
				r := newRig(t, 1)
				if !first {
					r.calm()
				}
				r.odoo.hostile = rows
				r.until(func() bool { return len(r.dropbox.paths()) >= 5 })
				r.goesOn()
				r.crash()
				r.odoo.addFile(order1, "later", []byte("too"))
				r.until(func() bool { return slices.Contains(files(r.dropbox.paths()), dir1+"/later = too") })
			})
		}
	}
}

// A folder that Odoo's own rows put into one that lies in it stays where it was.
func TestAFolderMovedIntoItselfInOdooStaysWhereItWas(t *testing.T) {
	r := newRig(t, 1)
	outer := r.odoo.addFolder(order1, "outer")
	inner := r.odoo.addFolder(outer, "inner")
	r.odoo.addFile(inner, "f", []byte("one"))
	r.calm()
	n := r.odoo.nodes[outer]
	n.ParentRef = inner
	r.odoo.hostile = []odbxfs.OdooNode{n}
	r.goesOn()
	r.mustHave(dir1+"/good = from Odoo", dir1+"/outer/inner/f = one", dir2+"/good = from Dropbox")
}

// The same for Dropbox's feed.
func TestAHostileEntryOfDropboxHarmsNobodyElse(t *testing.T) {
	file := func(id, path string) odbxfs.DropboxChange {
		return odbxfs.DropboxChange{Path: path, Node: odbxfs.DropboxNode{ID: odbxfs.DropboxID(id), Kind: odbxfs.File, Path: path, Rev: "r0", ContentHash: "00", Size: 1}}
	}
	with := func(c odbxfs.DropboxChange, change func(*odbxfs.DropboxNode)) odbxfs.DropboxChange {
		change(&c.Node)
		return c
	}
	for name, entries := range map[string][]odbxfs.DropboxChange{
		"an end of what nobody knows": {{Deleted: true, Path: dir1 + "/nobody"}, {Deleted: true, Path: "/elsewhere"}, {Deleted: true}},
		"outside of the root":         {file("id:900", "/etc/passwd")},
		"a way out":                   {file("id:900", dir1+"/../../../x"), file("id:901", dir1+"/..")},
		"no path":                     {file("id:900", "")},
		"no id":                       {file("", dir1+"/x")},
		"no kind":                     {with(file("id:900", dir1+"/x"), func(n *odbxfs.DropboxNode) { n.Kind = 0 })},
		"a size below zero":           {with(file("id:900", dir1+"/x"), func(n *odbxfs.DropboxNode) { n.Size = -1 })},
		"an absurd size":              {with(file("id:900", dir1+"/x"), func(n *odbxfs.DropboxNode) { n.Size = 1 << 62 })},
		"a NUL in its name":           {file("id:900", dir1+"/a\x00b")},
		"300 bytes of name":           {file("id:900", dir1+"/"+strings.Repeat("ä", 150))},
		"one id at two paths":         {file("id:900", dir1+"/x"), file("id:900", dir2+"/y")},
		"an older rev":                {with(file("id:900", dir1+"/x"), func(n *odbxfs.DropboxNode) { n.Rev = "r2" }), file("id:900", dir1+"/x")},
		"a file in a file":            {file("id:900", dir1+"/x"), file("id:901", dir1+"/x/y")},
		"a file where a folder is":    {file("id:900", dir1)},
		"a folder's id for a file":    {file("id:3", dir2+"/x")},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1, func(o *Options) { o.Guard.Off = true })
			r.calm()
			r.dropbox.feed = append(r.dropbox.feed, entries...)
			r.step(Event{})
			for range 300 {
				if !r.run() {
					r.clock = r.clock.Add(time.Second)
					r.step(Event{})
				}
			}
			r.goesOn()
		})
	}
}

// A Dropbox that forgets every cursor is asked no faster than one that fails.
func TestCursorsForgottenAgainAndAgainAreNoHotLoop(t *testing.T) {
	r := newRig(t, 1)
	r.calm()
	r.dropbox.forgetful = true
	r.dropbox.resets = true
	if n := r.while(5*time.Minute, "changes"); n > 60 {
		t.Errorf("%d listings in five minutes", n)
	}
	r.dropbox.forgetful, r.dropbox.resets = false, false
	r.settle()
	r.goesOn()
}
