package dropboxtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// mirror is what a client knows, by the rules that Dropbox gives for applying
// entries: a file replaces all that was there, a folder keeps its children, a
// deletion takes them along.
type mirror map[string]string

func (m mirror) apply(e obj) {
	lower := e["path_lower"].(string)
	if e[".tag"] != "folder" {
		maps.DeleteFunc(m, func(k, _ string) bool { return k == lower || strings.HasPrefix(k, lower+"/") })
	}
	if e[".tag"] != "deleted" {
		m[lower] = fmt.Sprintf("%s %s %s %v", e[".tag"], e["name"], e["id"], e["rev"])
	}
}

func (m mirror) lines() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintln(&b, k, m[k])
	}
	return b.String()
}

// TestDeltaAgreesWithListing does random things to an account, while one client
// follows by a cursor, reading single pages at random times; in the end it must
// know what a fresh listing tells.
func TestDeltaAgreesWithListing(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		a := newAccount(t, Options{PageSize: 1 + rnd.IntN(4), Behaviour: Behaviour{
			DeletedChildren: rnd.IntN(2) == 0, RepeatEntries: rnd.IntN(2) == 0, KeepRevsInMovedFolder: rnd.IntN(2) == 0, CaseOnlyMove: "rename"}})
		path := func() string {
			names := []string{"/a", "/B", "/c"}
			p := ""
			for range 1 + rnd.IntN(3) {
				p += names[rnd.IntN(3)]
			}
			return p
		}
		known := mirror{}
		page := a.must(a.rpc("files/list_folder", obj{"path": "", "recursive": true}))
		read := func() {
			for _, e := range page["entries"].([]any) {
				known.apply(e.(obj))
			}
			page = a.must(a.rpc("files/list_folder/continue", obj{"cursor": page["cursor"]}))
		}
		for range 60 {
			switch rnd.IntN(6) { // many are refused, which is right
			case 0, 1:
				a.send("files/upload", obj{"path": path(), "mode": "overwrite"}, fmt.Sprint(rnd.IntN(3)))
			case 2:
				a.rpc("files/create_folder_v2", obj{"path": path()})
			case 3:
				a.rpc("files/move_v2", obj{"from_path": path(), "to_path": path()})
			case 4:
				a.rpc("files/delete_v2", obj{"path": path()})
			case 5:
				read()
			}
		}
		read() // the page at hand may be older than the last change
		for page["has_more"] == true || len(page["entries"].([]any)) > 0 {
			read()
		}
		fresh := mirror{}
		for page = a.must(a.rpc("files/list_folder", obj{"path": "", "recursive": true})); ; {
			for _, e := range page["entries"].([]any) {
				fresh.apply(e.(obj))
			}
			if page["has_more"] != true {
				break
			}
			page = a.must(a.rpc("files/list_folder/continue", obj{"cursor": page["cursor"]}))
		}
		if known.lines() != fresh.lines() {
			t.Fatalf("seed %d: the follower knows\n%sa listing tells\n%s", seed, known.lines(), fresh.lines())
		}
	}
}
