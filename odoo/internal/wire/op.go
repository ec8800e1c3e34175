package wire

import (
	"fmt"
	"strconv"

	"odbxfs"
)

// Changes is what the changes action answers.
type Changes struct {
	Mark     string   `odoo:"mark" json:"mark"`
	Nodes    []Node   `odoo:"nodes" json:"nodes"`
	Counts   [][]any  `odoo:"counts" json:"counts"` // kind, model, count, sum as text
	Clients  []Client `odoo:"clients" json:"clients"`
	Database string   `odoo:"database" json:"database"`
	More     int64    `odoo:"more" json:"more"`
}

// Client is a cloud client as configured.
type Client struct {
	ID      int64  `odoo:"id" json:"id"`
	Name    string `odoo:"name" json:"name"`
	Root    string `odoo:"root" json:"root"`
	Links   string `odoo:"links" json:"links"`
	Convert string `odoo:"convert" json:"convert"`
	Paused  bool   `odoo:"paused" json:"paused"`
}

// Odoo gives the client in the shared words.
func (c Client) Odoo() odbxfs.CloudClient {
	convert := odbxfs.ConvertPolicy(c.Convert)
	if convert == "" {
		convert = odbxfs.ConvertDefault
	}
	return odbxfs.CloudClient{ID: odbxfs.ClientID(c.ID), Name: c.Name, Root: c.Root, Links: odbxfs.LinkPolicy(c.Links), Convert: convert, Paused: c.Paused}
}

var scopes = map[string]odbxfs.RefKind{"rule": odbxfs.RefRule, "dir": odbxfs.RefFolder, "rec": odbxfs.RefRecord, "att": odbxfs.RefAttachment}

// ScopeName is the word for a scope's kind.
func ScopeName(k odbxfs.RefKind) (string, error) {
	for name, v := range scopes {
		if v == k {
			return name, nil
		}
	}
	return "", fmt.Errorf("scope of kind %d", k)
}

// Count reads one row of [Changes.Counts].
func Count(row []any) (odbxfs.OdooCount, error) {
	var out odbxfs.OdooCount
	bad := fmt.Errorf("count %v", row)
	if len(row) != 4 {
		return out, bad
	}
	kind, ok1 := row[0].(string)
	model, ok2 := row[1].(string)
	n, ok3 := row[2].(int64)
	text, ok4 := row[3].(string)
	scope, known := scopes[kind]
	if !ok1 || !ok2 || !ok3 || !ok4 || !known {
		return out, bad
	}
	sum, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return out, bad
	}
	return odbxfs.OdooCount{Scope: odbxfs.OdooScope{Kind: scope, Model: model}, Count: n, Sum: sum}, nil
}

var opNames = map[odbxfs.OdooOpKind]string{
	odbxfs.OdooCreateFile: "create", odbxfs.OdooWriteContent: "write", odbxfs.OdooRelocate: "move", odbxfs.OdooRemove: "remove",
	odbxfs.OdooMakeFolder: "mkdir", odbxfs.OdooConvert: "convert", odbxfs.OdooMayConvert: "may_convert", odbxfs.OdooRestore: "restore", odbxfs.OdooSettlePair: "settle", odbxfs.OdooHint: "hint",
}

// Op is a write as the apply action takes it, without its content.
func Op(op odbxfs.OdooOp) (map[string]any, error) {
	name, known := opNames[op.Kind]
	if !known {
		return nil, fmt.Errorf("write of kind %d", op.Kind)
	}
	out := map[string]any{"kind": name}
	put := func(key, value string) {
		if value != "" {
			out[key] = value
		}
	}
	put("key", op.Key)
	put("ref", op.Ref.String())
	put("parent", op.Parent.String())
	put("name", op.Name)
	put("sha1", string(op.SHA1))
	put("mimetype", op.Mimetype)
	put("mtime", FormatTime(op.MTime))
	put("url", op.URL)
	if op.Size > 0 {
		out["size"] = strconv.FormatInt(op.Size, 10)
	}
	if e := op.Expect; e != nil {
		out["expect"] = map[string]any{"name": e.Name, "parent": e.ParentRef.String(), "type": TypeName(e.Type), "sha1": string(e.SHA1), "url": e.URL}
	}
	if op.Pair != nil {
		out["pair"] = PairOf(*op.Pair)
	}
	return out, nil
}

// Result is what became of a write.
type Result struct {
	Out    string `odoo:"out" json:"out"`
	Ref    string `odoo:"ref" json:"ref,omitempty"`
	Node   *Node  `odoo:"node" json:"node,omitempty"`
	Pair   *Pair  `odoo:"pair" json:"pair,omitempty"`
	Reason string `odoo:"reason" json:"reason,omitempty"`
	Soon   bool   `odoo:"soon" json:"soon,omitempty"`
	Kind   string `odoo:"kind" json:"kind,omitempty"`
	Err    string `odoo:"err" json:"err,omitempty"`
}

// Results is what the apply action answers.
type Results struct {
	Lost    int64    `odoo:"lost" json:"lost,omitempty"`
	Results []Result `odoo:"results" json:"results"`
}

var outcomes = map[string]odbxfs.Outcome{
	"done": odbxfs.Done, "changed": odbxfs.Changed, "gone": odbxfs.Gone, "retained": odbxfs.Retained, "refused": odbxfs.Refused, "failed": odbxfs.Failed,
}

// kinds are the words in which the actions classify what went wrong.
var kinds = map[string]odbxfs.ErrorKind{
	"": odbxfs.KindUnknown, "unknown": odbxfs.KindUnknown, "access": odbxfs.KindAccess, "missing": odbxfs.KindMissing, "invalid": odbxfs.KindInvalid,
	"changed": odbxfs.KindChanged, "unsupported": odbxfs.KindUnsupported, "corrupt": odbxfs.KindCorrupt,
}

// Odoo gives the result in the shared words.
func (r Result) Odoo(op, item string) (odbxfs.OdooResult, error) {
	var out odbxfs.OdooResult
	outcome, known := outcomes[r.Out]
	if !known {
		return out, fmt.Errorf("outcome %q", r.Out)
	}
	out = odbxfs.OdooResult{Outcome: outcome, Reason: r.Reason, Soon: r.Soon}
	if r.Node != nil {
		n, err := r.Node.Odoo()
		if err != nil {
			return out, err
		}
		out.Node = &n
	}
	if r.Pair != nil {
		p, err := r.Pair.Odoo()
		if err != nil {
			return out, err
		}
		out.Pair = &p
	}
	if outcome == odbxfs.Refused || outcome == odbxfs.Failed || r.Err != "" {
		out.Err = &odbxfs.Error{Op: op, Item: item, Kind: kinds[r.Kind], Err: fmt.Errorf("%s", r.Err)}
	}
	return out, nil
}
