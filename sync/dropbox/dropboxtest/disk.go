package dropboxtest

// disk is the directory that is kept equal with the tree. Every method is
// called under the server's lock. What changes the directory gives errStale
// where it finds something there that the tree does not know.
type disk interface {
	mkdir(parent *node, name string) (*ident, error)
	// adopt is told of a folder that the API made, once it is in the tree.
	adopt(n *node) error
	// write makes a file at a free name, or replaces that of over.
	write(over, parent *node, name string, c content) (*ident, error)
	// move gives what n is afterwards.
	move(n, parent *node, name string) (*ident, error)
	remove(n *node) error
	// settleAll takes in whatever differs from the tree, open files included.
	settleAll() error
	close() error
}

// noDisk is an account without a directory.
type noDisk struct{}

func (noDisk) mkdir(*node, string) (*ident, error)                   { return nil, nil }
func (noDisk) adopt(*node) error                                     { return nil }
func (noDisk) write(_, _ *node, _ string, _ content) (*ident, error) { return nil, nil }
func (noDisk) move(_, _ *node, _ string) (*ident, error)             { return nil, nil }
func (noDisk) remove(*node) error                                    { return nil }
func (noDisk) settleAll() error                                      { return nil }
func (noDisk) close() error                                          { return nil }

// ident is who a file or folder is in the directory, and how it was when it was
// last looked at.
type ident struct {
	Dev   uint64 `json:"dev"`
	Inode uint64 `json:"ino"`
	Birth int64  `json:"birth"` // ns since 1970
	// How it was. A difference means that its bytes must be read again.
	Size   int64 `json:"size,omitempty"`
	Mod    int64 `json:"mod,omitempty"`
	Change int64 `json:"change,omitempty"`
}

type identKey struct {
	dev, inode uint64
	birth      int64
}

func (i *ident) key() identKey { return identKey{i.Dev, i.Inode, i.Birth} }
