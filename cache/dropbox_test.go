package cache

import (
	"errors"
	"testing"

	"odbxfs"
)

// Two cloud clients have their trees below one root. What a listing says of the
// root folder of one changes no path of the other.
func TestEachClientHasItsOwnPathsBelowTheRoot(t *testing.T) {
	s := memStore(t)
	clients := []struct {
		id         odbxfs.ClientID
		root, rule string
	}{{1, "/Odoo", "/Odoo/Sales"}, {2, "/Second", "/Second/Quotations"}}
	for range 2 { // the second time a listing begins anew
		for _, c := range clients {
			update(t, s, func(tx *Tx) error {
				if err := tx.SetDropboxRoot(c.id, c.root); err != nil {
					return err
				}
				for _, p := range []string{c.root, c.rule} {
					n := boxFolder(odbxfs.DropboxID("id:"+p), p)
					n.Client = c.id
					if _, err := tx.PutDropbox(n); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	view(t, s, func(tx *Tx) error {
		for _, c := range clients {
			id, known, err := tx.DropboxByPath(c.id, c.rule)
			if err != nil || !known {
				t.Errorf("%s is not found: %v", c.rule, err)
			}
			if n, _, err := tx.DropboxNode(id); err != nil || n.Path != c.rule || n.Client != c.id {
				t.Errorf("%s is %+v, %v", c.rule, n, err)
			}
		}
		return nil
	})
}

// A file that lay where its folder is now is not its own folder: what Dropbox names
// below it waits until the folder is named.
func TestNoFileLiesBelowItself(t *testing.T) {
	s := memStore(t)
	world(t, s)
	update(t, s, func(tx *Tx) error {
		if err := tx.SetDropboxRoot(1, "/Odoo"); err != nil {
			return err
		}
		if _, err := tx.PutDropbox(odbxfs.DropboxNode{ID: "id:a", Client: 1, Kind: odbxfs.File, Path: "/Odoo/a", Rev: "1"}); err != nil {
			return err
		}
		if _, err := tx.PutDropbox(odbxfs.DropboxNode{ID: "id:a", Client: 1, Kind: odbxfs.File, Path: "/Odoo/a/b", Rev: "2"}); !errors.Is(err, ErrNoParent) {
			t.Errorf("below itself: %v", err)
		}
		return nil
	})
}
