package wire

import (
	"fmt"
	"strconv"
	"time"

	"odbxfs"
)

// Node is a folder or document. Of folders Role is set, of documents Type.
type Node struct {
	Ref      string `odoo:"r" json:"r"`
	Parent   string `odoo:"p" json:"p"`
	Name     string `odoo:"n" json:"n"`
	Client   int64  `odoo:"c" json:"c"`
	Modified string `odoo:"d" json:"d"` // nanoseconds since 1970, UTC
	Writable bool   `odoo:"w" json:"w"`
	Role     string `odoo:"k" json:"k,omitempty"`
	Type     string `odoo:"t" json:"t,omitempty"`
	SHA1     string `odoo:"h" json:"h,omitempty"`
	Size     string `odoo:"s" json:"s,omitempty"`
	Mimetype string `odoo:"m" json:"m,omitempty"`
	URL      string `odoo:"u" json:"u,omitempty"`
}

var roles = map[string]odbxfs.FolderRole{
	"root": odbxfs.RoleRoot, "rule": odbxfs.RoleRule, "record": odbxfs.RoleRecord,
	"subfolder": odbxfs.RoleSubfolder, "default": odbxfs.RoleDefault, "free": odbxfs.RoleFree,
}

var types = map[string]odbxfs.DocumentType{
	"binary": odbxfs.Binary, "link": odbxfs.Link, "copy": odbxfs.Copy, "foreign": odbxfs.Foreign,
}

// Odoo gives the node in the shared words.
func (n Node) Odoo() (odbxfs.OdooNode, error) {
	var out odbxfs.OdooNode
	ref, err := odbxfs.ParseOdooRef(n.Ref)
	if err != nil {
		return out, err
	}
	parent, err := odbxfs.ParseOdooRef(n.Parent)
	if err != nil {
		return out, err
	}
	modified, err := parseTime(n.Modified)
	if err != nil {
		return out, fmt.Errorf("%s: %w", n.Ref, err)
	}
	out = odbxfs.OdooNode{Ref: ref, ParentRef: parent, Name: n.Name, Client: odbxfs.ClientID(n.Client), MTime: modified, Writable: n.Writable}
	if n.Type == "" {
		role, known := roles[n.Role]
		if !known || ref.Kind == odbxfs.RefAttachment {
			return out, fmt.Errorf("%s: role %q", n.Ref, n.Role)
		}
		out.Kind, out.Role = odbxfs.Folder, role
		return out, nil
	}
	kind, known := types[n.Type]
	if !known || ref.Kind != odbxfs.RefAttachment {
		return out, fmt.Errorf("%s: type %q", n.Ref, n.Type)
	}
	out.Kind, out.Type, out.SHA1, out.Mimetype, out.URL = odbxfs.File, kind, odbxfs.SHA1(n.SHA1), n.Mimetype, n.URL
	if out.Size, err = parseSize(n.Size); err != nil {
		return out, fmt.Errorf("%s: size: %w", n.Ref, err)
	}
	return out, nil
}

// TypeName is the word for a document's type.
func TypeName(t odbxfs.DocumentType) string {
	for name, v := range types {
		if v == t {
			return name
		}
	}
	return ""
}

func parseSize(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && n < 0 {
		err = fmt.Errorf("%d is negative", n)
	}
	return n, err
}

func parseTime(s string) (time.Time, error) {
	if s == "" || s == "0" {
		return time.Time{}, nil
	}
	ns, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(0, ns).UTC(), nil
}

// FormatTime is a time as the actions take it; empty for the zero time, and for
// those before 1970, which hints cannot hold.
func FormatTime(t time.Time) string {
	if t.IsZero() || t.Unix() < 0 {
		return ""
	}
	return strconv.FormatInt(t.UnixNano(), 10)
}

// SortParents puts parents before their children, and leaves the order alone
// otherwise. Nodes of a ring, which Odoo's page can make, come where they stand.
func SortParents(nodes []odbxfs.OdooNode) []odbxfs.OdooNode {
	at := make(map[odbxfs.OdooRef]int, len(nodes))
	for i, n := range nodes {
		at[n.Ref] = i
	}
	out := make([]odbxfs.OdooNode, 0, len(nodes))
	done := make([]bool, len(nodes))
	var chain []int
	for i := range nodes {
		chain = chain[:0]
		for j, ok := i, true; ok && !done[j]; j, ok = at[nodes[j].ParentRef] {
			done[j] = true
			chain = append(chain, j)
		}
		for k := len(chain) - 1; k >= 0; k-- {
			out = append(out, nodes[chain[k]])
		}
	}
	return out
}
