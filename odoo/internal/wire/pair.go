package wire

import (
	"fmt"
	"strconv"

	"odbxfs"
)

// Pair is a row of x_odbxfs_pair.
type Pair struct {
	Row           int64  `odoo:"row" json:"row"`
	Version       int64  `odoo:"version" json:"version"`
	Client        int64  `odoo:"client" json:"client"`
	Kind          string `odoo:"kind" json:"kind"` // file or folder
	InOdoo        string `odoo:"odoo" json:"odoo"`
	OdooParent    string `odoo:"odoo_parent" json:"odoo_parent"`
	OdooName      string `odoo:"odoo_name" json:"odoo_name"`
	Dropbox       string `odoo:"dropbox" json:"dropbox"`
	DropboxParent string `odoo:"dropbox_parent" json:"dropbox_parent"`
	DropboxName   string `odoo:"dropbox_name" json:"dropbox_name"`
	MountName     string `odoo:"mount_name" json:"mount_name"`
	SHA1          string `odoo:"sha1" json:"sha1"`
	ContentHash   string `odoo:"content_hash" json:"content_hash"`
	Size          string `odoo:"size" json:"size"`
	Mimetype      string `odoo:"mimetype" json:"mimetype"`
	Rev           string `odoo:"rev" json:"rev"`
	URL           string `odoo:"url" json:"url"`
	Retained      string `odoo:"retained" json:"retained"`
	Gone          bool   `odoo:"gone" json:"gone"`
}

// PairOf is the pair as the apply action takes it.
func PairOf(p odbxfs.Pair) map[string]any {
	kind := "file"
	if p.Kind == odbxfs.Folder {
		kind = "folder"
	}
	return map[string]any{
		"row": p.Row, "version": p.Version, "client": int64(p.Client), "kind": kind,
		"odoo": p.Odoo.String(), "odoo_parent": p.OdooParent.String(), "odoo_name": p.OdooName,
		"dropbox": string(p.Dropbox), "dropbox_parent": string(p.DropboxParent), "dropbox_name": p.DropboxName, "mount_name": p.MountName,
		"sha1": string(p.SHA1), "content_hash": string(p.ContentHash), "size": strconv.FormatInt(p.Size, 10), "mimetype": p.Mimetype,
		"rev": string(p.Rev), "url": p.URL, "retained": p.Retained, "gone": p.Gone,
	}
}

// Odoo gives the pair in the shared words, without node ids.
func (p Pair) Odoo() (odbxfs.Pair, error) {
	ref, err := odbxfs.ParseOdooRef(p.InOdoo)
	if err != nil {
		return odbxfs.Pair{}, fmt.Errorf("pair %d: %w", p.Row, err)
	}
	parent, err := odbxfs.ParseOdooRef(p.OdooParent)
	if err != nil {
		return odbxfs.Pair{}, fmt.Errorf("pair %d: %w", p.Row, err)
	}
	size, err := parseSize(p.Size)
	if err != nil {
		return odbxfs.Pair{}, fmt.Errorf("pair %d: size: %w", p.Row, err)
	}
	kind := odbxfs.File
	switch p.Kind {
	case "file":
	case "folder":
		kind = odbxfs.Folder
	default:
		return odbxfs.Pair{}, fmt.Errorf("pair %d: kind %q", p.Row, p.Kind)
	}
	return odbxfs.Pair{
		Row: p.Row, Version: p.Version, Client: odbxfs.ClientID(p.Client), Kind: kind,
		Odoo: ref, OdooParent: parent, OdooName: p.OdooName,
		Dropbox: odbxfs.DropboxID(p.Dropbox), DropboxParent: odbxfs.DropboxID(p.DropboxParent), DropboxName: p.DropboxName, MountName: p.MountName,
		SHA1: odbxfs.SHA1(p.SHA1), ContentHash: odbxfs.ContentHash(p.ContentHash), Size: size, Mimetype: p.Mimetype, Rev: odbxfs.Rev(p.Rev),
		URL: p.URL, Retained: p.Retained, Gone: p.Gone,
	}, nil
}
