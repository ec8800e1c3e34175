package plan

import "odbxfs"

// Policy is what a pass goes by. It says everything that is not in the trees.
type Policy struct {
	// Client is the cloud client that is planned for. Nodes of another client,
	// or of none, are not mirrored.
	Client odbxfs.CloudClient
	// Reverse brings everything back into Odoo and plans nothing else.
	Reverse bool
	// RemoveRemote, with Reverse, also removes the files in Dropbox.
	RemoveRemote bool
	// Same has checksums and content hashes that are known to be of the same
	// bytes, as the store's contents show. It may be nil: then each pair of
	// contents that was never agreed upon counts as different.
	Same map[odbxfs.SHA1]odbxfs.ContentHash
	// Doubt is told of each file that both sides have without having agreed on
	// its content, of one size, when Same knows nothing of Odoo's checksum. What
	// is planned then takes them for different. It may be nil.
	Doubt func(odbxfs.OdooNode, odbxfs.DropboxNode)
	// Busy reports nodes that nothing is to be planned for: they have an intent
	// or a task that is not through. It may be nil. It must give the same answer
	// throughout a call.
	Busy func(odbxfs.NodeID) bool
	// Leaves reports of a busy node whether what it is busy with may take it from
	// its place in Dropbox: whoever wants its name waits for that, and gets no
	// other name for a moment's sake. What waits for a person is not about to
	// leave. It may be nil, and must give the same answer throughout a call.
	Leaves func(odbxfs.NodeID) bool
	// Fits reports whether a settled link's address is what the client's link
	// policy gives its file. It may be nil: then each does.
	Fits func(odbxfs.Pair, odbxfs.DropboxNode) bool
	// Waits is told of each node that waits so, and of what is to be put into a
	// folder that does: nothing is planned for it, and it is to be planned for
	// again when a busy node is through. It may be nil.
	Waits func(odbxfs.NodeID)
}

// emptyContentHash is Dropbox's content_hash of no bytes: the SHA-256 of none.
const emptyContentHash odbxfs.ContentHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// SameContent reports whether both hashes are known to be of the same bytes.
func (p Policy) SameContent(s odbxfs.SHA1, h odbxfs.ContentHash) bool {
	if s == "" || h == "" {
		return false
	}
	return p.Same[s] == h || (s == odbxfs.EmptySHA1 && h == emptyContentHash)
}

// same is SameContent of two files, or a doubt.
func (p Policy) same(o *odbxfs.OdooNode, d *odbxfs.DropboxNode) bool {
	if p.SameContent(o.SHA1, d.ContentHash) {
		return true
	}
	if _, known := p.Same[o.SHA1]; p.Doubt != nil && !known && o.SHA1 != "" && d.ContentHash != "" && o.Size == d.Size && o.Type == odbxfs.Binary {
		p.Doubt(*o, *d)
	}
	return false
}

func (p Policy) busy(id odbxfs.NodeID) bool { return p.Busy != nil && p.Busy(id) }

func (p Policy) leaves(id odbxfs.NodeID) bool { return p.Leaves != nil && p.busy(id) && p.Leaves(id) }

func (p Policy) fits(pair *odbxfs.Pair, d *odbxfs.DropboxNode) bool {
	return p.Fits == nil || p.Fits(*pair, *d)
}

// converts reports whether this client's attachments become links.
func (p Policy) converts() bool {
	return p.Client.Convert == odbxfs.ConvertDefault && p.Client.Links != ""
}
