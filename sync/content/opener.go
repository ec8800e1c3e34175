package content

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	gosync "sync"

	"odbxfs"
	"odbxfs/cache"
)

// Options make an [Opener]. Store and Odoo are needed.
type Options struct {
	Store *cache.Store
	Odoo  OdooBytes
	// Dropbox gives the own login for a client's account, or nil when there is
	// none. It may be nil itself.
	Dropbox func(odbxfs.ClientID) DropboxBytes
	Links   *Links // nil: links are not fetched
}

// Opener opens files of the store for reading. Its methods may be called by
// many goroutines.
type Opener struct {
	opt Options

	mu   gosync.Mutex
	open map[string]*shared // guarded by mu: versions that are open, by file.version
}

// NewOpener gives an opener.
func NewOpener(opt Options) *Opener {
	return &Opener{opt: opt, open: map[string]*shared{}}
}

// File is an open file: one version of its bytes. Its methods may be called by
// many goroutines. Close it.
type File struct {
	text   []byte // of a foreign document, or empty; else nil
	shared *shared
	opener *Opener
	once   gosync.Once
}

// OpenRead opens a node of the store. What is here is not fetched; what is
// missing is fetched when it is read. KindMissing when the store has no such
// file; KindAccess with the reason when its bytes can be had from nowhere.
func (o *Opener) OpenRead(ctx context.Context, id odbxfs.NodeID) (*File, error) {
	f, s, err := o.openShared(id)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return &File{text: cache.ForeignContent(f.url)}, nil
	}
	file := &File{shared: s, opener: o}
	if f.kind != odbxfs.Binary && f.size > 0 && len(s.content.Missing(0, 1)) > 0 {
		// A link may open from nowhere: that must show when it is opened, not
		// when it is read.
		if err := s.need(ctx, 0, 1); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	return file, nil
}

// errReplaced: what find saw is not what the store has by now.
var errReplaced = errors.New("the file was replaced meanwhile")

// openShared finds the node's version and opens it; none for a foreign document.
// A version that is replaced between the two is looked for again: its bytes may
// have been here only.
func (o *Opener) openShared(id odbxfs.NodeID) (file, *shared, error) {
	for {
		f, err := o.find(id)
		if err != nil || f.kind == odbxfs.Foreign {
			return f, nil, err
		}
		s, err := o.share(f)
		if !errors.Is(err, errReplaced) {
			return f, s, err
		}
	}
}

// find reads what the store knows of the node.
func (o *Opener) find(id odbxfs.NodeID) (file, error) {
	f := file{node: id}
	err := o.opt.Store.View(func(tx *cache.Tx) error {
		in, ok, err := tx.Inode(id)
		if err != nil {
			return err
		}
		if ok {
			id = in.Node // what it became, should it have been renamed over another
		}
		n, known, err := tx.OdooNode(id)
		if err != nil {
			return err
		}
		if !ok && !known || ok && in.Kind != odbxfs.File {
			return &odbxfs.Error{Op: "open", Item: in.Name, Kind: odbxfs.KindMissing, Err: errors.New("no such file")}
		}
		f.name, f.local, f.sha1, f.size, f.kind = in.Name, in.Content, in.SHA1, in.Size, in.Type
		f.ref, f.url, f.client = n.Ref, n.URL, n.Client
		if !ok {
			f.name, f.sha1, f.size, f.kind = n.Name, n.SHA1, n.Size, n.Type
		}
		p, paired, err := tx.Pair(id)
		if err != nil || !paired || p.Gone {
			return err
		}
		f.dropbox, f.rev = p.Dropbox, p.Rev
		return nil
	})
	if err != nil && odbxfs.KindOf(err) == odbxfs.KindUnknown {
		err = fmt.Errorf("store: node %d: %w", id, err)
	}
	return f, err
}

// share gives the open version of a file; those who read the same version
// share it, and what is fetched for one is there for all.
func (o *Opener) share(f file) (*shared, error) {
	key := f.version() + " " + string(f.local)
	o.mu.Lock()
	defer o.mu.Unlock()
	if s, ok := o.open[key]; ok {
		s.users++
		return s, nil
	}
	for _, s := range o.open {
		// Who opened it first found no content and made this one.
		if f.local != "" && s.content.ID() == f.local && s.file.version() == f.version() {
			s.users++
			return s, nil
		}
	}
	c, err := o.content(f)
	if err != nil {
		return nil, err
	}
	s := &shared{key: key, file: f, content: c, opener: o, flights: map[int64]*flight{}, users: 1}
	o.open[key] = s
	return s, nil
}

// content opens the store's content for a version: what the inode has, what is
// there under its SHA-1, or a new one to be filled.
func (o *Opener) content(f file) (*cache.Content, error) {
	contents := o.opt.Store.Contents()
	if f.local != "" {
		c, err := contents.Reader(f.local)
		if err == nil || !errors.Is(err, cache.ErrNoContent) {
			return c, err
		}
	}
	if f.sha1 != "" {
		if id, here := contents.BySHA1(f.sha1); here {
			c, err := contents.Reader(id)
			if err == nil || !errors.Is(err, cache.ErrNoContent) {
				return c, err
			}
		}
	}
	id, err := contents.New(f.size, f.sha1)
	if err != nil {
		return nil, fmt.Errorf("store: new content: %w", err)
	}
	c, err := contents.Reader(id)
	if err != nil {
		return nil, err
	}
	// The inode remembers it, so that the next open finds what was fetched.
	err = o.opt.Store.Update(func(tx *cache.Tx) error {
		in, ok, err := tx.Inode(f.node)
		if err != nil || !ok {
			return err
		}
		if in.Content != f.local || in.SHA1 != f.sha1 || in.Size != f.size {
			return errReplaced
		}
		return tx.SetContent(f.node, id)
	})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Size is the file's size in bytes.
func (f *File) Size() int64 {
	if f.shared == nil {
		return int64(len(f.text))
	}
	return f.shared.content.Size()
}

// ReadAt reads as io.ReaderAt does, fetching what is missing; ctx ends the wait,
// not the fetch that others wait for too.
func (f *File) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if f.shared == nil {
		return bytes.NewReader(f.text).ReadAt(p, off)
	}
	size := f.shared.content.Size()
	if off >= size {
		return 0, io.EOF
	}
	n := min(int64(len(p)), size-off)
	if err := f.shared.need(ctx, off, n); err != nil {
		return 0, err
	}
	read, err := f.shared.content.ReadAt(p[:n], off)
	if err == nil && int(n) < len(p) {
		err = io.EOF
	}
	return read, err
}

// Close lets go of the file.
func (f *File) Close() error {
	var err error
	f.once.Do(func() {
		if f.shared != nil {
			err = f.opener.release(f.shared)
		}
	})
	return err
}

func (o *Opener) release(s *shared) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s.users--; s.users > 0 {
		return nil
	}
	delete(o.open, s.key)
	return s.content.Close()
}

// Stream opens the whole of a node's bytes for one read from the start.
func (o *Opener) Stream(ctx context.Context, id odbxfs.NodeID) (io.ReadCloser, error) {
	f, err := o.OpenRead(ctx, id)
	if err != nil {
		return nil, err
	}
	return &stream{ctx: ctx, file: f}, nil
}

// stream reads a File from its start.
type stream struct {
	ctx  context.Context
	file *File
	off  int64
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.file.ReadAt(s.ctx, p, s.off)
	s.off += int64(n)
	return n, err
}

// Close implements io.Closer.
func (s *stream) Close() error { return s.file.Close() }
