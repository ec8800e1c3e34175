package dropboxtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// restTime is how long an open file must rest for its change to count.
	restTime = 200 * time.Millisecond
	// quietTime without events lets what belongs together (the two halves of a
	// move, an editor's save) be seen together.
	quietTime = 30 * time.Millisecond
	// patience is the longest wait for quiet.
	patience = 150 * time.Millisecond
)

const watchMask = unix.IN_CREATE | unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_DELETE | unix.IN_ONLYDIR | unix.IN_DONT_FOLLOW

type inotifyEvent struct {
	watch int32
	mask  uint32
	name  string
}

// watch makes the kernel tell about a folder. Watching twice is harmless: a
// watch belongs to the inode.
func (d *dirDisk) watch(n *node) error {
	wd, err := unix.InotifyAddWatch(d.fd, d.path(n), watchMask)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil // gone again; the parent's event will tell
	}
	if errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("watch %s: more folders than fs.inotify.max_user_watches allows: %w", d.path(n), err)
	}
	if err != nil {
		return fmt.Errorf("watch %s: %w", d.path(n), err)
	}
	if old, ok := d.watches[n.id]; ok && old != int32(wd) {
		delete(d.byWatch, old)
	}
	d.byWatch[int32(wd)], d.watches[n.id] = n.id, int32(wd)
	return nil
}

func (d *dirDisk) unwatch(id string) {
	wd, ok := d.watches[id]
	if !ok {
		return
	}
	delete(d.watches, id)
	if d.byWatch[wd] == id {
		delete(d.byWatch, wd)
		// It fails when the folder itself is gone, and the watch with it.
		_, _ = unix.InotifyRmWatch(d.fd, uint32(wd))
	}
}

// read hands on the kernel's events until the file is closed.
func (d *dirDisk) read() {
	defer close(d.events)
	buf := make([]byte, 64<<10)
	for {
		n, err := d.inotify.Read(buf)
		if err != nil {
			return // closed
		}
		d.handed.Add(int64(n))
		select {
		case d.events <- parseEvents(buf[:n]):
		case <-d.s.done:
			return
		}
	}
}

// eventBytes counts all that the kernel told so far, read or not. It grows when
// something happens in the directory.
func (d *dirDisk) eventBytes() int64 {
	waiting, err := unix.IoctlGetInt(d.fd, unix.TIOCINQ) // FIONREAD by its other name
	if err != nil {
		return -1 // closed: nothing is compared any more
	}
	return d.handed.Load() + int64(waiting)
}

func parseEvents(b []byte) []inotifyEvent {
	var list []inotifyEvent
	for len(b) >= unix.SizeofInotifyEvent {
		size := int(binary.NativeEndian.Uint32(b[12:]))
		end := unix.SizeofInotifyEvent + size
		if end > len(b) {
			break
		}
		list = append(list, inotifyEvent{
			watch: int32(binary.NativeEndian.Uint32(b)), mask: binary.NativeEndian.Uint32(b[4:]),
			name: strings.TrimRight(string(b[unix.SizeofInotifyEvent:end]), "\x00")})
		b = b[end:]
	}
	return list
}

// loop waits for quiet and then takes in what changed.
func (d *dirDisk) loop() {
	defer close(d.stopped)
	var first time.Time // of the events not yet taken in
	var due <-chan time.Time
	for {
		select {
		case list, ok := <-d.events:
			if !ok {
				return
			}
			d.note(list)
			now := d.s.opt.Now()
			if first.IsZero() {
				first = now
			}
			due = d.s.opt.After(max(0, min(quietTime, patience-now.Sub(first))))
		case <-due:
			first, due = time.Time{}, nil
			if d.takeIn() {
				due = d.s.opt.After(restTime / 4)
			}
		}
	}
}

// note marks folders as dirty and files as open.
func (d *dirDisk) note(list []inotifyEvent) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	for _, e := range list {
		if e.mask&unix.IN_Q_OVERFLOW != 0 {
			for id := range d.watches {
				d.dirty[id] = true
			}
			continue
		}
		folder, ok := d.byWatch[e.watch]
		if !ok {
			continue
		}
		if e.mask&unix.IN_IGNORED != 0 {
			delete(d.byWatch, e.watch)
			continue
		}
		d.dirty[folder] = true
		at := spot{folder, e.name}
		switch {
		case e.mask&unix.IN_ISDIR != 0:
		case e.mask&(unix.IN_CREATE|unix.IN_MODIFY) != 0:
			d.busy[at] = d.s.opt.Now()
		default:
			delete(d.busy, at)
		}
	}
}

// takeIn looks at the dirty folders; again says that a file is still open.
func (d *dirDisk) takeIn() (again bool) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if err := d.scan(false, false); err != nil {
		// Tried again, from the root: what was dirty is not known any more.
		d.failed = err
		d.dirty[""] = true
		for id := range d.watches {
			d.dirty[id] = true
		}
		return true
	}
	d.failed = nil
	return len(d.dirty) > 0
}
