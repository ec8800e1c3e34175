package dropboxtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // decoded too
	"image/jpeg"
	"image/png"
	"path"
	"slices"
	"strings"
)

// The kinds of files that Dropbox's documentation of each route names.
var (
	imageKinds   = []string{".jpg", ".jpeg", ".png", ".tiff", ".tif", ".gif", ".webp", ".ppm", ".bmp"}
	pdfPreviews  = []string{".ai", ".doc", ".docm", ".docx", ".eps", ".gdoc", ".gslides", ".odp", ".odt", ".pps", ".ppsm", ".ppsx", ".ppt", ".pptm", ".pptx", ".rtf"}
	htmlPreviews = []string{".csv", ".ods", ".xls", ".xlsm", ".gsheet", ".xlsx"}
)

// getPreview answers a document as PDF, a spreadsheet as HTML. The bytes are
// made up; that there are some of the right type is what callers see.
func getPreview(c *call, arg *readArg) (any, error) {
	r, meta, err := c.lookAt(arg.Path)
	if err != nil {
		return nil, err
	}
	switch ext := strings.ToLower(path.Ext(r.name)); {
	case slices.Contains(pdfPreviews, ext):
		return c.sendBytes(meta, []byte("%PDF-1.4\n% preview of "+r.rev+"\n%%EOF\n"))
	case slices.Contains(htmlPreviews, ext):
		return c.sendBytes(meta, []byte("<html><body>preview of "+r.rev+"</body></html>"))
	}
	return nil, fail("unsupported_extension")
}

// lookAt finds a file to read with its metadata.
func (c *call) lookAt(path string) (r fileRev, meta map[string]any, err error) {
	_, err = c.reading(path, func(spec pathSpec) (any, error) {
		var lerr *unionError
		if r, lerr = c.v.revision(spec); lerr != nil {
			return nil, lerr.under("path")
		}
		meta = c.v.revMetadata(r)
		return nil, nil
	})
	return r, meta, err
}

type thumbnailArg struct {
	Path             string `json:"path" stone:"required"`
	Format           tagged `json:"format"`
	Size             tagged `json:"size"`
	Mode             tagged `json:"mode"`
	ExcludeMediaInfo bool   `json:"exclude_media_info"`
}

func getThumbnail(c *call, arg *thumbnailArg) (any, error) {
	r, meta, err := c.lookAt(arg.Path)
	if err != nil {
		return nil, err
	}
	b, err := c.s.thumbnail(r, *arg)
	if err != nil {
		return nil, err
	}
	return c.sendBytes(meta, b)
}

type thumbnailV2Arg struct {
	Resource             tagged `json:"resource" stone:"required"`
	Format               tagged `json:"format"`
	Size                 tagged `json:"size"`
	Mode                 tagged `json:"mode"`
	ExcludeMediaInfo     bool   `json:"exclude_media_info"`
	PreserveTransparency bool   `json:"preserve_transparency"`
}

// getThumbnailV2 takes a path, or a shared link with a path in its folder.
func getThumbnailV2(c *call, arg *thumbnailV2Arg) (any, error) {
	plain := thumbnailArg{Path: arg.Resource.str("path"), Format: arg.Format, Size: arg.Size, Mode: arg.Mode}
	if arg.Resource.Tag != "link" {
		r, meta, err := c.lookAt(plain.Path)
		if err != nil {
			return nil, err
		}
		b, err := c.s.thumbnail(r, plain)
		if err != nil {
			return nil, err
		}
		return c.sendBytes(map[string]any{"file_metadata": meta}, b)
	}
	var ref struct{ URL, Path, Password string }
	if err := json.Unmarshal(arg.Resource.fields["link"], &ref); err != nil {
		return nil, badCall("%s: resource: missing 'link' key", c.source())
	}
	var host *Server
	var r fileRev
	_, err := c.throughLink(ref.URL, ref.Path, ref.Password, func(v *view, _ *link, n *node) (any, error) {
		host, r = v.Server, n.revision()
		return nil, nil
	})
	if err != nil {
		if e, ok := errors.AsType[*unionError](err); ok && e.tags[0] == "shared_link_access_denied" {
			return nil, fail("access_denied")
		}
		return nil, fail("not_found")
	}
	b, err := host.thumbnail(r, plain)
	if err != nil {
		return nil, err
	}
	return c.sendBytes(map[string]any{"link_metadata": map[string]any{"url": ref.URL, "id": r.id, "rev": r.rev}}, b)
}

type thumbnailBatchArg struct {
	Entries []thumbnailArg `json:"entries" stone:"required"`
}

func getThumbnailBatch(c *call, arg *thumbnailBatchArg) (any, error) {
	if len(arg.Entries) > 25 {
		return nil, fail("too_many_files")
	}
	done := []any{}
	for _, e := range arg.Entries {
		r, meta, err := c.lookAt(e.Path)
		if _, isUnion := errors.AsType[*unionError](err); err != nil && !isUnion {
			return nil, err
		}
		var b []byte
		if err == nil {
			b, err = c.s.thumbnail(r, e)
		}
		if err != nil {
			done = append(done, failure(err))
			continue
		}
		done = append(done, map[string]any{".tag": "success", "metadata": meta, "thumbnail": base64.StdEncoding.EncodeToString(b)})
	}
	c.item = items(len(arg.Entries))
	return map[string]any{"entries": done}, nil
}

// maxPicture is from where on Dropbox makes no thumbnail.
const maxPicture = 20 << 20

// thumbnail makes a small picture; errors are those of ThumbnailError.
func (s *Server) thumbnail(r fileRev, arg thumbnailArg) ([]byte, error) {
	var w, h int
	size := arg.Size.Tag
	if size == "" {
		size = "w64h64"
	}
	if _, err := fmt.Sscanf(size, "w%dh%d", &w, &h); err != nil {
		return nil, badCall("size: unknown tag '%s'", size)
	}
	if !slices.Contains(imageKinds, strings.ToLower(path.Ext(r.name))) {
		return nil, fail("unsupported_extension")
	}
	if r.size > maxPicture {
		return nil, fail("unsupported_image")
	}
	text, err := s.text(r.hash)
	if err != nil {
		return nil, err
	}
	in, _, err := image.Decode(strings.NewReader(text))
	if err != nil {
		return nil, fail("conversion_error")
	}
	var out bytes.Buffer
	small := shrink(in, w, h)
	if arg.Format.Tag == "png" {
		err = png.Encode(&out, small)
	} else {
		err = jpeg.Encode(&out, small, nil)
	}
	return out.Bytes(), err
}

// shrink makes a picture fit into w by h, never larger than it was.
func shrink(in image.Image, w, h int) image.Image {
	b := in.Bounds()
	scale := max(1, float64(b.Dx())/float64(w), float64(b.Dy())/float64(h))
	out := image.NewRGBA(image.Rect(0, 0, max(1, int(float64(b.Dx())/scale)), max(1, int(float64(b.Dy())/scale))))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Set(x, y, in.At(b.Min.X+int(float64(x)*scale), b.Min.Y+int(float64(y)*scale)))
		}
	}
	return out
}
