package cache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"odbxfs"
)

// Tx is a transaction, valid inside the callback it was handed to and used by
// one goroutine. It reads a snapshot with its own writes on top; the writes
// reach Badger together when the callback has ended well.
//
// Badger's own write transactions are not used for reading: each of their
// iterators sorts all pending writes, and there may be one iterator at a time.
type Tx struct {
	s     *Store
	snap  *badger.Txn
	write bool

	pend   map[string][]byte              // nil: deleted
	groups map[string]map[string]struct{} // pending keys by the prefix they are listed under

	events  []Event
	touched map[odbxfs.ContentID]struct{} // contents whose references changed
	err     error                         // first failure inside a Reader
}

// item is one key that a listing found, and its value.
type item struct{ key, val []byte }

func (s *Store) newTx(write bool) *Tx {
	if !write {
		s.views.RLock()
		defer s.views.RUnlock()
	}
	tx := &Tx{s: s, snap: s.db.NewTransaction(false), write: write}
	if write {
		tx.pend = map[string][]byte{}
		tx.groups = map[string]map[string]struct{}{}
		tx.touched = map[odbxfs.ContentID]struct{}{}
	}
	return tx
}

// Err gives the first error that a [odbxfs.Reader] of this transaction met.
func (tx *Tx) Err() error { return tx.err }

// raw gives the value under key, and false when there is none. It is not to be
// changed.
func (tx *Tx) raw(key []byte) ([]byte, bool, error) {
	if v, ok := tx.pend[string(key)]; ok {
		return v, v != nil, nil
	}
	it, err := tx.snap.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading the store: %w", err)
	}
	v, err := it.ValueCopy(nil)
	if err != nil {
		return nil, false, fmt.Errorf("reading the store: %w", err)
	}
	return v, true, nil
}

func (tx *Tx) has(key []byte) (bool, error) {
	_, ok, err := tx.raw(key)
	return ok, err
}

func (tx *Tx) setRaw(key, val []byte) error {
	if !tx.write {
		return errReadOnly
	}
	if val == nil {
		val = []byte{}
	}
	if len(val) > maxRecord {
		return fmt.Errorf("storing %d bytes under one key: %w", len(val), ErrTooBig)
	}
	tx.put(key, val)
	return nil
}

func (tx *Tx) del(key []byte) error {
	if !tx.write {
		return errReadOnly
	}
	tx.put(key, nil)
	return nil
}

func (tx *Tx) put(key, val []byte) {
	k := string(key)
	tx.pend[k] = val
	if n := scanLen(key); n > 0 {
		g := tx.groups[k[:n]]
		if g == nil {
			g = map[string]struct{}{}
			tx.groups[k[:n]] = g
		}
		g[k] = struct{}{}
	}
}

// set stores a record.
func (tx *Tx) set(key []byte, v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	return tx.setRaw(key, b)
}

func (tx *Tx) setID(key []byte, id odbxfs.NodeID) error {
	return tx.setRaw(key, u64(nil, uint64(id)))
}

func (tx *Tx) id(key []byte) (odbxfs.NodeID, bool, error) {
	b, ok, err := tx.raw(key)
	if err != nil || !ok {
		return 0, false, err
	}
	n, err := number(b)
	return odbxfs.NodeID(n), err == nil, err
}

// number reads a value that is an id or a count.
func number(b []byte) (uint64, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("%w: a number of %d bytes", ErrCorrupt, len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}

// load reads a record.
func load[T any](tx *Tx, key []byte) (v T, ok bool, err error) {
	b, ok, err := tx.raw(key)
	if err != nil || !ok {
		return v, false, err
	}
	v, err = decode[T](b)
	return v, err == nil, err
}

// list gives up to limit (0: all) entries under a prefix in the order of keys,
// behind the key after (nil: from the start). The prefix is one of a keyspace
// that scanLen knows.
func (tx *Tx) list(prefix, after []byte, limit int, values bool) ([]item, error) {
	fresh := tx.pendingUnder(prefix, after)
	var out []item
	full := func() bool { return limit > 0 && len(out) >= limit }
	it := tx.snap.NewIterator(badger.IteratorOptions{Prefix: prefix, PrefetchValues: false})
	defer it.Close()
	start := prefix
	if after != nil {
		start = append(slices.Clone(after), 0)
	}
	for it.Seek(start); it.ValidForPrefix(prefix) && !full(); it.Next() {
		key := it.Item().KeyCopy(nil)
		for len(fresh) > 0 && fresh[0] < string(key) && !full() {
			out = tx.appendPending(out, fresh[0])
			fresh = fresh[1:]
		}
		if _, ok := tx.pend[string(key)]; ok || full() {
			continue // comes, or is missing, from the pending ones
		}
		e := item{key: key}
		if values {
			var err error
			if e.val, err = it.Item().ValueCopy(nil); err != nil {
				return nil, fmt.Errorf("reading the store: %w", err)
			}
		}
		out = append(out, e)
	}
	for len(fresh) > 0 && !full() {
		out = tx.appendPending(out, fresh[0])
		fresh = fresh[1:]
	}
	return out, nil
}

func (tx *Tx) appendPending(out []item, key string) []item {
	if v := tx.pend[key]; v != nil {
		out = append(out, item{key: []byte(key), val: v})
	}
	return out
}

func (tx *Tx) pendingUnder(prefix, after []byte) []string {
	g := tx.groups[string(prefix)]
	keys := make([]string, 0, len(g))
	for k := range g {
		if after == nil || k > string(after) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// lastIDs lists the ids that end the keys under a prefix.
func (tx *Tx) lastIDs(prefix []byte, limit int) ([]odbxfs.NodeID, error) {
	items, err := tx.list(prefix, nil, limit, false)
	if err != nil {
		return nil, err
	}
	ids := make([]odbxfs.NodeID, len(items))
	for i, e := range items {
		ids[i] = lastID(e.key)
	}
	return ids, nil
}

// next counts a stored counter up; the first value is 1.
func (tx *Tx) next(name string) (uint64, error) {
	b, ok, err := tx.raw(keyText(kCounter, name))
	if err != nil {
		return 0, err
	}
	n := uint64(0)
	if ok {
		if n, err = number(b); err != nil {
			return 0, err
		}
	}
	n++
	return n, tx.setRaw(keyText(kCounter, name), u64(nil, n))
}

// NewNode gives a node id that was never used before.
func (tx *Tx) NewNode() (odbxfs.NodeID, error) {
	n, err := tx.next("node")
	return odbxfs.NodeID(n) + odbxfs.RootNode, err
}

// newKey names a create in Odoo: this store, and a number that it never gives
// out again.
func (tx *Tx) newKey() (string, error) {
	n, err := tx.next("key")
	return fmt.Sprintf("%s-%x", tx.s.id, n), err
}

func (tx *Tx) emit(e Event) { tx.events = append(tx.events, e) }

// commit writes all pending keys, in order: all of them or none.
func (tx *Tx) commit() error {
	if len(tx.pend) == 0 {
		return nil
	}
	list := make([]keyWrite, 0, len(tx.pend))
	for _, k := range slices.Sorted(maps.Keys(tx.pend)) {
		list = append(list, keyWrite{Key: k, Val: tx.pend[k], Gone: tx.pend[k] == nil})
	}
	return tx.s.commit(list)
}

// same reports whether v is stored under key already, byte for byte.
func (tx *Tx) same(key []byte, v any) (bool, error) {
	old, ok, err := tx.raw(key)
	if err != nil || !ok {
		return false, err
	}
	b, err := encode(v)
	return err == nil && bytes.Equal(old, b), err
}
