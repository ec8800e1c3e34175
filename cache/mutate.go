package cache

import (
	"time"
	"unicode/utf8"

	"odbxfs"
)

// What is done through the mount. Each is (node, intent) in the caller's
// transaction; what the tree's rules refuse is a [MountError].

// dirFor checks a folder and a name for a new entry in it.
func (tx *Tx) dirFor(op string, parent odbxfs.NodeID, name string) (odbxfs.Inode, error) {
	if kind := nameError(name); kind != 0 {
		return odbxfs.Inode{}, &MountError{Op: op, Name: name, Kind: kind}
	}
	if !utf8.ValidString(name) { // Odoo takes text only: better said now than when it is sent
		return odbxfs.Inode{}, &MountError{Op: op, Name: name, Kind: MountInvalid}
	}
	dir, ok, err := tx.Inode(parent)
	switch {
	case err != nil:
		return dir, err
	case !ok || dir.Hidden:
		return dir, &MountError{Op: op, Name: name, Kind: MountNotFound}
	case dir.Kind != odbxfs.Folder:
		return dir, &MountError{Op: op, Name: name, Kind: MountNotDir}
	}
	return dir, nil
}

// entry finds what a mutation is about.
func (tx *Tx) entry(op string, parent odbxfs.NodeID, name string) (inodeRec, error) {
	i, ok, err := tx.Lookup(parent, name)
	if err != nil {
		return inodeRec{}, err
	}
	if !ok {
		return inodeRec{}, &MountError{Op: op, Name: name, Kind: MountNotFound}
	}
	r, ok, err := tx.inode(i.Node)
	if err == nil && !ok {
		err = &MountError{Op: op, Name: name, Kind: MountNotFound}
	}
	return r, err
}

// Create makes an empty file. It has an intent at once, but no content until
// its first [Tx.CommitContent]: an intent for a new file whose ContentSHA1 is
// empty is not to be carried out yet, and a store that is opened with one
// forgets the file. Mode is not kept.
func (tx *Tx) Create(parent odbxfs.NodeID, name string, _ uint32) (odbxfs.Inode, error) {
	return tx.make("create", parent, name, odbxfs.Inode{Kind: odbxfs.File, Type: odbxfs.Binary})
}

// Mkdir makes a folder: a free one in the root, a rule folder or a free one, a
// subfolder elsewhere.
func (tx *Tx) Mkdir(parent odbxfs.NodeID, name string) (odbxfs.Inode, error) {
	dir, err := tx.dirFor("mkdir", parent, name)
	if err != nil {
		return dir, err
	}
	if tx.s.opt.NoFolders {
		return dir, &MountError{Op: "mkdir", Name: name, Kind: MountNotAllowed}
	}
	return tx.make("mkdir", parent, name, odbxfs.Inode{Kind: odbxfs.Folder, Role: roleIn(dir.Role)})
}

// roleIn is the role of a folder made by hand in one of the role given.
func roleIn(parent odbxfs.FolderRole) odbxfs.FolderRole {
	switch parent {
	case odbxfs.RoleRecord, odbxfs.RoleSubfolder, odbxfs.RoleDefault:
		return odbxfs.RoleSubfolder
	case odbxfs.RoleNone, odbxfs.RoleRoot, odbxfs.RoleRule, odbxfs.RoleFree:
	}
	return odbxfs.RoleFree
}

func (tx *Tx) make(op string, parent odbxfs.NodeID, name string, i odbxfs.Inode) (odbxfs.Inode, error) {
	dir, err := tx.dirFor(op, parent, name)
	if err != nil {
		return i, err
	}
	if _, ok, err := tx.Lookup(dir.Node, name); err != nil {
		return i, err
	} else if ok {
		return i, &MountError{Op: op, Name: name, Kind: MountExists}
	}
	if i.Node, err = tx.NewNode(); err != nil {
		return i, err
	}
	now := tx.s.opt.Now()
	i.Parent, i.Name, i.MTime, i.CTime, i.State = dir.Node, name, now, now, odbxfs.StateLocal
	if err := tx.putInode(inodeRec{I: i, Typed: true}); err != nil {
		return i, err
	}
	if err := tx.touch(i.Node, nil); err != nil {
		return i, err
	}
	return i, tx.stamp(dir.Node, now)
}

// stamp sets a folder's mtime: its entries changed.
func (tx *Tx) stamp(dir odbxfs.NodeID, now time.Time) error {
	r, ok, err := tx.inode(dir)
	if err != nil || !ok {
		return err
	}
	r.I.MTime, r.I.CTime = now, now
	return tx.putInode(r)
}

// Unlink removes a file from the mount and gives what it was.
func (tx *Tx) Unlink(parent odbxfs.NodeID, name string) (odbxfs.Inode, error) {
	r, err := tx.entry("unlink", parent, name)
	if err != nil {
		return r.I, err
	}
	if r.I.Kind == odbxfs.Folder {
		return r.I, &MountError{Op: "unlink", Name: name, Kind: MountIsDir}
	}
	if err := tx.remove(r); err != nil {
		return r.I, err
	}
	return r.I, tx.stamp(parent, tx.s.opt.Now())
}

// Rmdir removes an empty folder. Root, rule and record folders stay.
func (tx *Tx) Rmdir(parent odbxfs.NodeID, name string) error {
	r, err := tx.entry("rmdir", parent, name)
	if err != nil {
		return err
	}
	if err := tx.mayRemove("rmdir", r.I); err != nil {
		return err
	}
	if err := tx.remove(r); err != nil {
		return err
	}
	return tx.stamp(parent, tx.s.opt.Now())
}

// mayRemove checks that a folder is one that may go, and empty.
func (tx *Tx) mayRemove(op string, i odbxfs.Inode) error {
	if i.Kind != odbxfs.Folder {
		return &MountError{Op: op, Name: i.Name, Kind: MountNotDir}
	}
	if fixedRole(i.Role) {
		return &MountError{Op: op, Name: i.Name, Kind: MountNotAllowed}
	}
	kids, err := tx.list(keyNode(kDentry, i.Node), nil, 1, false)
	if err != nil {
		return err
	}
	if len(kids) > 0 {
		return &MountError{Op: op, Name: i.Name, Kind: MountNotEmpty}
	}
	return nil
}

// fixedRole tells the folders that are renamed and removed in Odoo only.
func fixedRole(r odbxfs.FolderRole) bool {
	return r == odbxfs.RoleRoot || r == odbxfs.RoleRule || r == odbxfs.RoleRecord
}

// remove ends a node in the mount. What Odoo has, or may have, gets an intent;
// what was never sent is forgotten.
func (tx *Tx) remove(r inodeRec) error {
	id := r.I.Node
	if err := tx.dropInode(r); err != nil {
		return err
	}
	i, ok, err := tx.Intent(id)
	if err != nil {
		return err
	}
	inOdoo, err := tx.has(keyNode(kOdoo, id))
	if err != nil {
		return err
	}
	if inOdoo || (ok && (!i.Was.Ref.IsZero() || i.Attempts > 0)) {
		return tx.touch(id, func(i *odbxfs.Intent) { i.Gone = true })
	}
	if !ok {
		return nil // a folder that Odoo had removed already
	}
	// Should an answer to it still be on its way, PutOdoo makes it an intent.
	if err := tx.setRaw(keyNode(kEnded, id), nil); err != nil {
		return err
	}
	return tx.clearIntent(i)
}

// SetMTime sets the time of last change. For a file it is an intent (a hint to
// Odoo, no upload); a folder's is kept here only.
func (tx *Tx) SetMTime(id odbxfs.NodeID, t time.Time) error {
	i, ok, err := tx.Inode(id)
	if err != nil {
		return err
	}
	if !ok {
		return &MountError{Op: "set mtime", Kind: MountNotFound}
	}
	r, _, err := tx.inode(i.Node)
	if err != nil || r.I.MTime.Equal(t) {
		return err
	}
	r.I.MTime, r.I.CTime, r.Typed = t, tx.s.opt.Now(), true
	if r.I.Kind == odbxfs.Folder {
		return tx.putInode(r)
	}
	return tx.localEdit(r)
}

// localEdit stores a changed inode and its intent. From now on its name is
// what stands here.
func (tx *Tx) localEdit(r inodeRec) error {
	if r.Plain != "" {
		if err := tx.unclaim(r); err != nil {
			return err
		}
		r.Plain = ""
	}
	if err := tx.putInode(r); err != nil {
		return err
	}
	return tx.touch(r.I.Node, nil)
}

// CommitContent gives a file the bytes that a writer sealed: inode and intent.
// The same content as before changes nothing; the same bytes under another
// content change the mtime only.
func (tx *Tx) CommitContent(id odbxfs.NodeID, sealed Sealed) (odbxfs.Inode, error) {
	i, ok, err := tx.Inode(id)
	if err != nil {
		return i, err
	}
	if !ok || i.Kind != odbxfs.File {
		return i, &MountError{Op: "write", Kind: MountNotFound}
	}
	r, _, err := tx.inode(i.Node)
	if err != nil || (sealed.ID == r.I.Content && sealed.SHA1 == r.I.SHA1) {
		return r.I, err
	}
	if err := tx.knowContent(sealed); err != nil {
		return r.I, err
	}
	now := tx.s.opt.Now()
	r.I.Content, r.I.SHA1, r.I.Size = sealed.ID, sealed.SHA1, sealed.Size
	r.I.MTime, r.I.CTime, r.Typed = now, now, true
	if err := tx.localEdit(r); err != nil {
		return r.I, err
	}
	if err := tx.contentIntent(i.Node, sealed); err != nil {
		return r.I, err
	}
	r, _, err = tx.inode(i.Node)
	return r.I, err
}

// contentIntent notes what is to be sent: nothing if Odoo has these bytes and
// nothing else is under way.
func (tx *Tx) contentIntent(id odbxfs.NodeID, sealed Sealed) error {
	i, ok, err := tx.Intent(id)
	if err != nil || !ok {
		return err
	}
	was := i
	i.Content, i.ContentSHA1, i.ContentSize = sealed.ID, sealed.SHA1, sealed.Size
	if !sentOther(i, i.Was.SHA1) && i.Was.SHA1 == sealed.SHA1 && i.Was.Kind == odbxfs.File {
		i.Content, i.ContentSHA1, i.ContentSize = "", "", 0
	}
	return tx.storeIntent(i, was)
}
