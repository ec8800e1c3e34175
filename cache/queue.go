package cache

import (
	"odbxfs"
)

// AddTasks appends tasks to the queue and gives them back with Seq and Key.
func (tx *Tx) AddTasks(tasks []odbxfs.Task) ([]odbxfs.Task, error) {
	out := make([]odbxfs.Task, len(tasks))
	for i, t := range tasks {
		var err error
		if t.Seq, err = tx.next("task"); err != nil {
			return nil, err
		}
		if t.Key == "" {
			if t.Key, err = tx.newKey(); err != nil {
				return nil, err
			}
		}
		if err := tx.storeTask(t); err != nil {
			return nil, err
		}
		out[i] = t
	}
	return out, nil
}

// LogEntry is a line of the log with its place in it.
type LogEntry struct {
	Seq uint64
	odbxfs.LogLine
}

// AppendLog adds a line to the log.
func (tx *Tx) AppendLog(l odbxfs.LogLine) error {
	seq, err := tx.next("log")
	if err != nil {
		return err
	}
	return tx.set(keySeq(kLog, seq), l)
}

// Log gives up to limit lines (0: all) behind the one of Seq after.
func (tx *Tx) Log(after uint64, limit int) ([]LogEntry, error) {
	items, err := tx.list([]byte(kLog), keySeq(kLog, after), limit, true)
	if err != nil {
		return nil, err
	}
	out := make([]LogEntry, len(items))
	for i, e := range items {
		l, err := decode[odbxfs.LogLine](e.val)
		if err != nil {
			return nil, err
		}
		out[i] = LogEntry{Seq: uint64(lastID(e.key)), LogLine: l}
	}
	return out, nil
}

// TrimLog removes the oldest lines until keep are left.
func (tx *Tx) TrimLog(keep int) error {
	items, err := tx.list([]byte(kLog), nil, 0, false)
	if err != nil {
		return err
	}
	for len(items) > keep {
		if err := tx.del(items[0].key); err != nil {
			return err
		}
		items = items[1:]
	}
	return nil
}

// Meta gives what SetMeta stored under key, nil if nothing: marks, cursors, the
// database's uuid.
func (tx *Tx) Meta(key string) ([]byte, error) {
	b, _, err := tx.raw(keyText(kMeta, key))
	return b, err
}

// SetMeta stores v under key; nil removes it.
func (tx *Tx) SetMeta(key string, v []byte) error {
	if v == nil {
		return tx.del(keyText(kMeta, key))
	}
	return tx.setRaw(keyText(kMeta, key), append([]byte{}, v...))
}
