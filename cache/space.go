package cache

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// The store keeps room on its disk, since Badger can't be told that there is
// none: it writes through mappings of files with holes, and a page that finds no
// block on the disk is a SIGBUS, the end of the process and of its mount. So
// contents stop growing while there is still room for records, and records
// before there is none at all.
const (
	// reserved is what contents leave free: enough for two of Badger's logs and
	// the tables that they become. At most a quarter of the disk.
	reserved = 96 << 20
	// recordShare: below this part of it no transaction begins either, but for
	// the store's own, which note what is safe and what was let go.
	recordShare = 4
	// lastShare: below this part there is none at all.
	lastShare = 16
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

// shortage is how many bytes are missing for n more to be taken and the reserve
// to be still there; with a part of 1 or more, only that part of the reserve.
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

// roomForRecords is [ErrFull] when less than this part of the reserve is left.
func (s *Store) roomForRecords(part int64) error {
	if s.opt.InMemory {
		return nil
	}
	short, err := s.shortage(0, part)
	if err == nil && short > 0 {
		err = ErrFull
	}
	return err
}
