package sync

import (
	"encoding/json"
	"fmt"

	"odbxfs"
	"odbxfs/cache"
)

// The engine's own keys in the store. Values are JSON.
const (
	metaOdooMark = "engine/odoo-mark" // string: given to the next look at Odoo
	metaDatabase = "engine/database"  // string: uuid of the database this store is of
	metaLogSent  = "engine/log-sent"  // number: the last line of the log that Odoo has
)

func metaCursor(c odbxfs.ClientID) string { return fmt.Sprintf("engine/cursor/%d", c) }

// metaReset is set of a client that was reset, until it is mirrored again.
func metaReset(c odbxfs.ClientID) string   { return fmt.Sprintf("engine/reset/%d", c) }
func metaPairs(c odbxfs.ClientID) string   { return fmt.Sprintf("engine/pairs/%d", c) }
func metaAccount(c odbxfs.ClientID) string { return fmt.Sprintf("engine/account/%d", c) }

// metaApproved has the Seq of the intent or task by which a person let go of a
// node, or by which the mount removed it: nobody is asked about it again.
func metaApproved(n odbxfs.NodeID) string { return fmt.Sprintf("engine/approved/%d", n) }

// metaRemoved has the tally of a client's deletions.
func metaRemoved(c odbxfs.ClientID) string { return fmt.Sprintf("engine/removed/%d", c) }

// metaURL leads from a link's address to the Dropbox file, for copies that Odoo
// made of its row.
func metaURL(url string) string { return "engine/url/" + url }

// metaSent has what an upload is about to send, by the task's Seq: so that it is
// known for ours after a crash, even when Odoo's side is another thing by then.
func metaSent(seq uint64) string { return fmt.Sprintf("engine/sent/%d", seq) }

// sentNote is what metaSent holds.
type sentNote struct {
	SHA1        odbxfs.SHA1
	ContentHash odbxfs.ContentHash
}

// metaShared has the address of a file to which documents in none of our folders
// lead, though its own document is a binary again.
func metaShared(id odbxfs.DropboxID) string { return "engine/shared/" + string(id) }

// getMeta reads a value; one that is not there leaves v as it is.
func getMeta(tx *cache.Tx, key string, v any) error {
	raw, err := tx.Meta(key)
	if err != nil || raw == nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("store: value %s: %w", key, err)
	}
	return nil
}

func setMeta(tx *cache.Tx, key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("store: value %s: %w", key, err)
	}
	return tx.SetMeta(key, raw)
}
