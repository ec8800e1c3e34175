package sync

import (
	"slices"
	"testing"

	"odbxfs"
)

func TestThingsArePickedByThePathsThatStatusShows(t *testing.T) {
	items := []Item{{Node: 1, Path: "/Sales Orders/S00001/a.pdf"}, {Node: 2, Path: "Sales Orders/S00001/old"}, {Node: 3, Path: "Sales Orders/S00001/old/b.pdf"}, {Node: 4, Path: "Sales Orders/S00010"}}
	for _, c := range []struct {
		what  string
		paths []string
		want  []odbxfs.NodeID // nil with paths: an error
	}{
		{"a file", []string{"Sales Orders/S00001/a.pdf"}, []odbxfs.NodeID{1}},
		{"with strokes around it", []string{"/Sales Orders/S00001/old/"}, []odbxfs.NodeID{2, 3}},
		{"a folder that is not listed itself", []string{"Sales Orders/S00001"}, []odbxfs.NodeID{1, 2, 3}},
		{"two that overlap", []string{"Sales Orders/S00001/old/b.pdf", "Sales Orders/S00001/old"}, []odbxfs.NodeID{3, 2}},
		{"nothing there", []string{"Sales Orders/S00002"}, nil},
		{"one of two is nothing", []string{"Sales Orders/S00010", "x"}, nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			got, err := Pick(items, c.paths)
			if !slices.Equal(got, c.want) || odbxfs.IsKind(err, odbxfs.KindMissing) != (c.want == nil) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	if got, err := Pick(items, nil); got != nil || err != nil {
		t.Errorf("no path: %v, %v", got, err)
	}
}
