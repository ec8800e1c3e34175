package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const deedsPerLife = 12 // between two openings of a child's store

// rotated is the point at which a commit is the first in a new log, while the
// table of the one before is not on disk yet.
const rotated = "a table in memory was rotated out"

// visitPoints does a history, opening the store again every few deeds, until it
// kills itself at the n-th time at a point. It says which deed it begins and
// which one it has done. Words: the point, n, and the deed to start with.
func visitPoints(ctx context.Context, dir string, words []string) error {
	point := strings.ReplaceAll(words[0], "_", " ")
	left, err := strconv.Atoi(words[1])
	if err != nil {
		return err
	}
	first, err := strconv.Atoi(words[2])
	if err != nil {
		return err
	}
	o, perLife := childOptions(dir), deedsPerLife
	if point == rotated {
		o.memTable, perLife = 128<<10, 1000
	}
	o.at = func(at string) {
		if at == pointLogged && point == rotated {
			if logs, _ := filepath.Glob(filepath.Join(dir, dbDir, "*"+logSuffix)); len(logs) > 1 {
				at = point
			}
		}
		if at != point {
			return
		}
		if left--; left == 0 {
			_ = unix.Kill(os.Getpid(), unix.SIGKILL) // it does not fail
			select {}
		}
	}
	list, _ := deeds(1, 4000)
	for k := first; ; {
		s, err := Open(ctx, o)
		if err != nil {
			return err
		}
		if k == 0 {
			if err := putOdooDocs(s); err != nil {
				return err
			}
		}
		for range perLife {
			fmt.Println("begin", k)
			if err := list[k].in(ctx, s); err != nil {
				return fmt.Errorf("deed %d, %v: %w", k, list[k], err)
			}
			fmt.Println("done", k)
			k++
		}
		if err := s.Close(); err != nil {
			return err
		}
	}
}

// life is what a child that was killed said.
type life struct{ begun, done int }

func (l *life) line(text string) bool {
	word, number, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	switch {
	case err != nil:
	case word == "begin":
		l.begun = n + 1
	case word == "done":
		l.done = n + 1
	}
	return false
}

func kill(t *testing.T, dir, point string, nth int, l *life) {
	t.Helper()
	untilKilled(t, l.line, "points", dir, strings.ReplaceAll(point, " ", "_"), strconv.Itoa(nth), strconv.Itoa(l.begun))
}

// TestKilledAtEachPoint kills a process at every point there is, several times:
// all that was acknowledged is there, and what was not is there wholly or not at all.
func TestKilledAtEachPoint(t *testing.T) {
	_, states := deeds(1, 4000)
	for _, point := range append(slices.Clone(points), rotated) {
		for _, nth := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s, for the %d. time", point, nth), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				l := life{}
				kill(t, dir, point, nth, &l)
				s := diskStore(t, dir)
				wantState(t, s, states, l)
				if p := s.Problems(); len(p) != 0 {
					t.Errorf("problems after a kill: %v", p)
				}
				checkWhole(t, s)
			})
		}
	}
}

// wantState wants what is shown after the deeds that were done, or with the one
// that was begun.
func wantState(t *testing.T, s *Store, states []shown, l life) {
	t.Helper()
	got := mount(t, s)
	if l.begun == 0 && len(got) == 0 {
		return // killed before Odoo was first seen
	}
	if !maps.Equal(got, states[l.done].sums()) && !maps.Equal(got, states[l.begun].sums()) {
		t.Fatalf("after %d deeds (%d begun) the mount shows %v", l.done, l.begun, slices.Sorted(maps.Keys(got)))
	}
}

// TestKilledAgainWhileRecovering kills the process that opens what another left
// when it was killed, at every point of the opening.
func TestKilledAgainWhileRecovering(t *testing.T) {
	_, states := deeds(1, 4000)
	for _, point := range []string{pointOpened, pointLoaded, pointSwept, pointBegun, pointLogged, pointSettled, pointStarted, pointTidied, pointChecked} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l := life{}
			kill(t, dir, pointSealed, 7, &l)
			first := l
			l.begun = first.done // what was under way is not done again by this child
			again := life{begun: max(first.begun, 1)}
			kill(t, dir, point, 1, &again)
			s := diskStore(t, dir)
			wantState(t, s, states, first)
			checkWhole(t, s)
		})
	}
}

// power models a disk that keeps what was synced, and of the rest whatever it
// likes: what each sync reached is copied at that moment.
type power struct {
	t     *testing.T
	store string              // of the running store
	disk  string              // the files as they were last synced
	names map[string][]string // what was in a folder when that was last synced
}

func (p *power) fsync(path string) error {
	if err := fsync(path); err != nil {
		return err
	}
	rel, err := filepath.Rel(p.store, path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		p.names[rel] = namesIn(p.t, path)
		return nil
	}
	to := filepath.Join(p.disk, rel)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return copyFile(path, to)
}

func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// cut gives a folder as the disk could be, were the power cut now. Badger syncs
// its tables and its manifest itself.
func (p *power) cut(r *rand.Rand) (dir string) {
	t := p.t
	t.Helper()
	dir = t.TempDir()
	err := filepath.WalkDir(p.store, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a log that just became a table
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(p.store, path)
		to := filepath.Join(dir, rel)
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.MkdirAll(to, 0o700)
		case strings.HasPrefix(rel, contentDir):
			return p.leave(r, rel, path, to)
		case strings.HasSuffix(rel, logSuffix):
			path = filepath.Join(p.disk, rel)
		}
		err = copyFile(path, to)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// leave leaves of a content what is safe, else what chance says.
func (p *power) leave(r *rand.Rand, rel, path, to string) error {
	named := slices.Contains(p.names[filepath.Dir(rel)], filepath.Base(rel))
	if !named && r.IntN(2) == 0 {
		return nil
	}
	if b, err := os.ReadFile(filepath.Join(p.disk, rel)); err == nil {
		return os.WriteFile(to, b, 0o600)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	switch r.IntN(4) {
	case 0:
		b = nil
	case 1:
		b = b[:r.IntN(len(b)+1)]
	case 2:
		clear(b[r.IntN(len(b)+1):])
	}
	return os.WriteFile(to, b, 0o600)
}

// TestThePowerIsCut cuts it at points of random histories. What was there when a
// sync began that came to its end is there; of what came later, nothing is sent
// but the bytes that were written.
func TestThePowerIsCut(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			cutThePower(t, seed)
		})
	}
}

func cutThePower(t *testing.T, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	p := &power{t: t, store: t.TempDir(), disk: t.TempDir(), names: map[string][]string{}}
	left, image := 1+r.IntN(250), ""
	o := testOptions()
	o.Dir, o.fsync = p.store, p.fsync
	o.After = func(time.Duration) <-chan time.Time { return nil }
	done, safe, syncing := 0, 0, 0 // deeds; those that the last whole sync covers
	atCut := 0
	o.at = func(at string) {
		switch at {
		case pointSyncing:
			syncing = done
		case pointSynced:
			safe = syncing
		}
		if left--; left == 0 {
			image, atCut = p.cut(r), safe
		}
	}
	s := openStore(t, o)
	if err := errors.Join(putOdooDocs(s), s.Sync(t.Context())); err != nil {
		t.Fatal(err)
	}
	list, states := deeds(seed, 60)
	for k, d := range list {
		if err := d.in(t.Context(), s); err != nil {
			t.Fatalf("deed %d, %v: %v", k, d, err)
		}
		done = k + 1
	}
	if image == "" {
		image, atCut = p.cut(r), safe
	}
	o = childOptions(image)
	after := openStore(t, o)
	got, fits := mount(t, after), false
	for k := atCut; k < len(states) && !fits; k++ {
		fits = maps.Equal(got, states[k].sums())
	}
	if !fits && len(got) > 0 {
		t.Errorf("the mount shows %v, which it never did after the %d deeds that were synced", slices.Sorted(maps.Keys(got)), atCut)
	}
	checkWhole(t, after)
}
