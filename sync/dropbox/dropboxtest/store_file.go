package dropboxtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// fileStore keeps records as lines of journal.jsonl and contents as files named
// by their hash. A last line that a crash cut off is dropped at the next start.
type fileStore struct {
	dir     string
	lock    *os.File
	journal *os.File
}

func openFileStore(dir string, after func(time.Duration) <-chan time.Time) (*fileStore, error) {
	for _, d := range []string{dir, filepath.Join(dir, "blobs"), filepath.Join(dir, "tmp")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("open state: %w", err)
		}
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	// A child process that is just being started holds a copy of the descriptor
	// until it executes its program, so a server that was just closed may seem
	// to be there.
	for i := 0; i < 40 && errors.Is(err, unix.EWOULDBLOCK); i++ {
		<-after(25 * time.Millisecond)
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open state: %s is in use by another server: %w", dir, err), lock.Close())
	}
	journal, err := os.OpenFile(filepath.Join(dir, "journal.jsonl"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open state: %w", err), lock.Close())
	}
	return &fileStore{dir: dir, lock: lock, journal: journal}, nil
}

func (s *fileStore) load(apply func(record) error) error {
	r := bufio.NewReader(s.journal)
	var whole int64
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			break // what is left has no newline: a line that was being written
		}
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		var rec record
		if err := json.Unmarshal(line, &rec); err != nil {
			return fmt.Errorf("journal at byte %d: %w", whole, err)
		}
		if err := apply(rec); err != nil {
			return fmt.Errorf("journal at byte %d: %w", whole, err)
		}
		whole += int64(len(line))
	}
	if err := s.journal.Truncate(whole); err != nil {
		return fmt.Errorf("cut journal: %w", err)
	}
	_, err := s.journal.Seek(whole, io.SeekStart)
	return err
}

func (s *fileStore) append(recs ...record) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, rec := range recs {
		if err := enc.Encode(rec); err != nil {
			return fmt.Errorf("encode record: %w", err)
		}
	}
	if _, err := s.journal.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// fileSpool is a file in tmp.
type fileSpool struct {
	*os.File
	kept bool
}

func (f *fileSpool) discard() error {
	if f.kept {
		return nil
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func (s *fileStore) spool() (spool, error) {
	f, err := os.CreateTemp(filepath.Join(s.dir, "tmp"), "spool-")
	if err != nil {
		return nil, err
	}
	return &fileSpool{File: f}, nil
}

func (s *fileStore) keep(sp spool, hash string) error {
	f, ok := sp.(*fileSpool)
	if !ok {
		return fmt.Errorf("keep: not a spool of this store: %T", sp)
	}
	f.kept = true
	if _, err := os.Stat(s.blob(hash)); err == nil {
		return errors.Join(f.Close(), os.Remove(f.Name()))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return errors.Join(f.Close(), os.Rename(f.Name(), s.blob(hash)))
}

func (s *fileStore) blob(hash string) string { return filepath.Join(s.dir, "blobs", hash) }

func (s *fileStore) open(hash string) (io.ReadSeekCloser, error) { return os.Open(s.blob(hash)) }

func (s *fileStore) close() error {
	// Sessions do not outlive the server, so what is in tmp is nobody's.
	left, err := filepath.Glob(filepath.Join(s.dir, "tmp", "*"))
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	return errors.Join(err, s.journal.Sync(), s.journal.Close(), s.lock.Close())
}
