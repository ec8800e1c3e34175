package sync

import (
	"bytes"
	"context"
	"io"

	"odbxfs"
)

// Bulk is what an [Odoo] may offer besides: many small contents in one call.
// Where it does not, or leaves some out, they are read one by one.
type Bulk interface {
	// Contents gives whole binary documents, as many in the order of refs as
	// room bytes hold. It may be called concurrently.
	Contents(ctx context.Context, refs []odbxfs.OdooRef, room int64) (map[odbxfs.OdooRef][]byte, error)
}

// What is read ahead of a batch of uploads: a file that is larger than
// aheadFile takes longer to travel than to ask for, and aheadBytes bounds what
// is in memory.
const (
	aheadFile  = 256 << 10
	aheadRoom  = 4 << 20
	aheadBytes = 4 * aheadRoom
)

// readAhead brings the small contents that a batch uploads and that are not
// here yet, in few calls: one by one, their round trips are what takes the time.
func (x *executor) readAhead(ctx context.Context, batch []work, open []int) {
	odoo, ok := x.opt.Odoo.(Bulk)
	if !ok {
		return
	}
	var refs []odbxfs.OdooRef
	var size int64
	wants := map[odbxfs.OdooRef]*work{}
	for _, i := range open {
		w := &batch[i]
		if w.Kind != odbxfs.TaskDropboxUpload || w.copyOf != "" || w.o == nil || w.o.Type != odbxfs.Binary ||
			w.o.Size > aheadFile || size+w.o.Size > aheadBytes || x.isHere(w.o.SHA1) {
			continue
		}
		size += w.o.Size
		refs, wants[w.o.Ref] = append(refs, w.o.Ref), w
	}
	for len(refs) > 1 {
		got, err := odoo.Contents(ctx, refs, aheadRoom)
		if err != nil || len(got) == 0 {
			return // each file that is still missing is asked for by itself, and tells its own error
		}
		rest := refs[:0]
		for _, ref := range refs {
			if b, ok := got[ref]; ok {
				wants[ref].ahead = b
			} else {
				rest = append(rest, ref)
			}
		}
		refs = rest
	}
}

func (x *executor) isHere(sum odbxfs.SHA1) bool {
	if sum == "" {
		return false
	}
	_, ok := x.store.Contents().BySHA1(sum)
	return ok
}

// openBytes is an opener of bytes in memory.
func openBytes(b []byte) odbxfs.Opener {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}
