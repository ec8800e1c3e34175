package dropboxtest

import (
	"archive/zip"
	"io"
	"net/http"
	"strings"
)

// The limits of download_zip, by its documentation.
const (
	maxZip      = 20 << 30
	maxZipFile  = 4 << 30
	maxZipItems = 10_000
)

// zipped is one file of an archive.
type zipped struct {
	name string
	rev  fileRev
}

// downloadZip answers a folder as an archive, in one stream without a length.
func downloadZip(c *call, arg *pathArg) (any, error) {
	var list []zipped
	meta, err := c.reading(arg.Path, func(spec pathSpec) (any, error) {
		n, lerr := c.v.lookup(spec)
		if lerr == nil && !n.folder() {
			lerr = fail("not_folder")
		}
		if lerr != nil {
			return nil, lerr.under("path")
		}
		var err error
		list, err = c.s.zipItems(n)
		return map[string]any{"metadata": c.v.metadata(n)}, err
	})
	if err != nil {
		return nil, err
	}
	if err := c.sendHeader(meta, 0); err != nil {
		return nil, err
	}
	c.w.Header().Del("Original-Content-Length")
	c.w.Header().Set("Content-Type", "application/zip")
	c.w.WriteHeader(http.StatusOK)
	return answered{}, c.s.writeZip(c.w, list)
}

// zipItems lists what goes in: the folder itself first, folders with a slash at
// their end, files that cannot be downloaded left out.
func (s *Server) zipItems(top *node) ([]zipped, error) {
	var list []zipped
	var total int64
	var tooLarge bool
	base := top.parent.display() + "/"
	top.walk(func(n *node) {
		name := strings.TrimPrefix(n.display(), base)
		if n.folder() {
			list = append(list, zipped{name: name + "/"})
			return
		}
		if n.cloud != "" {
			return
		}
		total += n.size
		tooLarge = tooLarge || n.size > maxZipFile
		list = append(list, zipped{name, n.revision()})
	})
	switch {
	case len(list) > min(maxZipItems, s.opt.Behaviour.MaxItems):
		return nil, fail("too_many_files")
	case tooLarge || total > maxZip:
		return nil, fail("too_large")
	}
	return list, nil
}

func (s *Server) writeZip(w io.Writer, list []zipped) error {
	z := zip.NewWriter(w)
	for _, item := range list {
		out, err := z.CreateHeader(&zip.FileHeader{Name: item.name, Method: zip.Store, Modified: item.rev.client})
		if err != nil {
			return err
		}
		if item.rev.id == "" {
			continue
		}
		in, err := s.store.open(item.rev.hash)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		if closed := in.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return err
		}
	}
	return z.Close()
}
