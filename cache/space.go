package cache

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The store keeps room on its disk, since Badger can't be told that there is
// none: it writes through mappings of files with holes, and a page that finds no
// block on the disk is a SIGBUS, the end of the process and of its mount. So
// contents stop growing while there is still room for records, and records
// before there is none at all.
const (
	// reserved is what contents leave free: enough for Badger's log, the tables
	// that its logs become, and a compaction of those. At most a quarter of the
	// disk. Below half of it no transaction begins, but for the store's own,
	// which note what is safe and what was let go.
	reserved = 256 << 20
	// ownRoom is what a transaction of the store's own needs beside the room
	// into which all logs go, should they become tables at once.
	ownRoom = 4 << 20
	// Badger's table in memory, which is its log and then a table on disk, is a
	// 64th of the disk between these bounds. The smaller one is the least that
	// takes a transaction of a thousand nodes.
	minTable = 8 << 20
	maxTable = 32 << 20
)

// free gives the bytes that the store's disk has left for us, and its size.
func (s *Store) free() (free, total int64, err error) {
	if s.opt.free != nil {
		return s.opt.free()
	}
	var st unix.Statfs_t
	if err := unix.Statfs(s.opt.Dir, &st); err != nil {
		return 0, 0, fmt.Errorf("asking for the room on the disk: %w", err)
	}
	return int64(st.Bavail) * st.Bsize, int64(st.Blocks) * st.Bsize, nil
}

// tableSize is how large a table in memory may be.
func (s *Store) tableSize() (int64, error) {
	switch {
	case s.opt.memTable != 0:
		return s.opt.memTable, nil
	case s.opt.InMemory:
		return minTable, nil
	}
	_, total, err := s.free()
	return max(minTable, min(maxTable, total/64)), err
}

// shortage is how many bytes are missing for n more to be taken and the reserve
// to be still there; with a part of 2, half of the reserve.
func (s *Store) shortage(n, part int64) (int64, error) {
	free, total, err := s.free()
	if err != nil {
		return 0, err
	}
	return n + min(reserved, total/4)/part - free, nil
}

// makeRoom sees to it that n more bytes of contents may be taken: it lets go of
// what could be had again. [ErrFull] when that is not enough.
func (c *Contents) makeRoom(n int64) error {
	short, err := c.s.shortage(n, 1)
	if err != nil || short <= 0 {
		return err
	}
	if err := c.evict(c.s.ctx, short); err != nil {
		return err
	}
	if short, err = c.s.shortage(n, 1); err == nil && short > 0 {
		err = ErrFull
	}
	return err
}

// roomForRecords is [ErrFull] when less than half of the reserve is left.
func (s *Store) roomForRecords() error {
	if s.opt.InMemory {
		return nil
	}
	short, err := s.shortage(0, 2)
	if err == nil && short > 0 {
		err = ErrFull
	}
	return err
}

// roomForLogs is [ErrFull] when Badger could not make tables of all its logs and
// take a small transaction: what opening, closing and each commit may lead to.
func (s *Store) roomForLogs() error {
	if s.opt.InMemory {
		return nil
	}
	free, _, err := s.free()
	if err != nil || free >= maxTable*2 {
		return err // as good as always; so the logs need not be looked at
	}
	logs, err := bytesOfLogs(filepath.Join(s.opt.Dir, dbDir))
	if err == nil && free < logs+ownRoom {
		err = ErrFull
	}
	return err
}

// bytesOfLogs is what the logs of tables in memory take on the disk: they are
// files with holes.
func bytesOfLogs(dir string) (sum int64, err error) {
	logs, err := filepath.Glob(filepath.Join(dir, "*"+logSuffix))
	if err != nil {
		return 0, err
	}
	for _, path := range logs {
		var st unix.Stat_t
		switch err := unix.Stat(path, &st); {
		case errors.Is(err, unix.ENOENT): // it became a table meanwhile
		case err != nil:
			return 0, fmt.Errorf("asking for the size of %s: %w", path, err)
		default:
			sum += st.Blocks * 512
		}
	}
	return sum, nil
}
