package cache

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
)

// Badger takes no more than a few megabytes at once, and a folder with ten
// thousand files that was removed is more. Such a transaction is written into a
// journal first and then in parts; nobody reads between them, and a start that
// finds a whole journal writes it again.
//
//	chunks --synced--> mark --synced--> parts --synced--> mark, chunks gone
//	  a crash here:      |  a crash here: all of it is written again
//	  nothing of it      v

// keyWrite is one key of a commit.
type keyWrite struct {
	Key  string `cbor:"1,keyasint"`
	Val  []byte `cbor:"2,keyasint,omitempty"`
	Gone bool   `cbor:"3,keyasint,omitzero"`
}

func (w keyWrite) in(txn *badger.Txn) error {
	if w.Gone {
		return txn.Delete([]byte(w.Key))
	}
	return txn.Set([]byte(w.Key), w.Val)
}

// chunkBytes is how much one record of the journal holds: well below what the
// smallest tables take at once.
const chunkBytes = 64 << 10

// Points of a large commit, beside those that each has.
const (
	pointChunks   = "the journal was written"
	pointWhole    = "the journal was marked whole"
	pointPart     = "a part was written"
	pointParts    = "all parts were written"
	pointUnmarked = "the journal's mark was taken away"
)

// commit writes all or nothing.
func (s *Store) commit(list []keyWrite) error {
	err := s.atOnce(list)
	if errors.Is(err, badger.ErrTxnTooBig) {
		err = s.commitLarge(list)
	}
	if err != nil {
		return fmt.Errorf("writing the store: %w", err)
	}
	return nil
}

func (s *Store) atOnce(list []keyWrite) error {
	txn := s.db.NewTransaction(true)
	defer txn.Discard()
	for _, w := range list {
		if err := w.in(txn); err != nil {
			return err
		}
	}
	return txn.Commit()
}

func (s *Store) commitLarge(list []keyWrite) error {
	n, err := s.keepJournal(list)
	if err != nil {
		derr := s.dropJournal(n)
		s.torn.Store(derr != nil) // it may be marked whole
		return errors.Join(err, derr)
	}
	// From here on the next start would write it: there is no way back, and who
	// reads must not see half of it.
	s.views.Lock()
	defer s.views.Unlock()
	if err := s.inParts(list); err != nil {
		s.torn.Store(true)
		return err
	}
	s.at(pointParts)
	return s.dropJournal(n)
}

// keepJournal writes the journal and its mark, and gives its number of chunks.
func (s *Store) keepJournal(list []keyWrite) (n uint64, err error) {
	for len(list) > 0 {
		size, k := 0, 0
		for k < len(list) && (k == 0 || size+len(list[k].Key)+len(list[k].Val) < chunkBytes) {
			size += len(list[k].Key) + len(list[k].Val)
			k++
		}
		b, err := codec.enc.Marshal(list[:k])
		if err != nil {
			return n, err
		}
		n++
		if err := s.atOnce([]keyWrite{{Key: string(keySeq(kJournal, n)), Val: b}}); err != nil {
			return n, err
		}
		list = list[k:]
	}
	s.at(pointChunks)
	if err := s.syncTables(); err != nil {
		return n, err
	}
	if err := s.atOnce([]keyWrite{{Key: kJournalEnd}}); err != nil {
		return n, err
	}
	s.at(pointWhole)
	return n, s.syncTables()
}

// dropJournal ends a journal: what it says is on disk, or is not to be.
func (s *Store) dropJournal(n uint64) error {
	if err := s.syncTables(); err != nil {
		return err
	}
	if err := s.atOnce([]keyWrite{{Key: kJournalEnd, Gone: true}}); err != nil {
		return err
	}
	s.at(pointUnmarked)
	list := make([]keyWrite, n)
	for i := range list {
		list[i] = keyWrite{Key: string(keySeq(kJournal, uint64(i)+1)), Gone: true}
	}
	return s.inParts(list)
}

// inParts writes as much at a time as Badger takes.
func (s *Store) inParts(list []keyWrite) error {
	txn := s.db.NewTransaction(true)
	defer func() { txn.Discard() }()
	for _, w := range list {
		err := w.in(txn)
		if errors.Is(err, badger.ErrTxnTooBig) {
			if err := txn.Commit(); err != nil {
				return err
			}
			s.at(pointPart)
			txn = s.db.NewTransaction(true)
			err = w.in(txn)
		}
		if err != nil {
			return err
		}
	}
	return txn.Commit()
}

// replay ends what a crash left of a large commit: a whole journal is written
// again, a part of one is thrown away.
func (s *Store) replay() error {
	tx := s.newTx(false)
	defer tx.snap.Discard()
	whole, err := tx.has([]byte(kJournalEnd))
	if err != nil {
		return err
	}
	chunks, err := tx.list([]byte(kJournal), nil, 0, whole)
	if err != nil || len(chunks) == 0 {
		return err
	}
	last := uint64(lastID(chunks[len(chunks)-1].key))
	if !whole {
		return s.dropJournal(last)
	}
	for _, c := range chunks {
		var list []keyWrite
		if err := codec.dec.Unmarshal(c.val, &list); err != nil {
			return fmt.Errorf("%w: a journal: %w", ErrCorrupt, err)
		}
		if err := s.inParts(list); err != nil {
			return err
		}
	}
	return s.dropJournal(last)
}

// syncTables makes everything that was written so far survive a power loss.
func (s *Store) syncTables() error {
	if s.opt.InMemory {
		return nil
	}
	return syncLogs(filepath.Join(s.opt.Dir, dbDir), s.opt.fsync)
}
